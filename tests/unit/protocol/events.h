// SPDX-License-Identifier: Apache-2.0
// Makes Matrix events for the reading tests: a good one of each type, to be spoilt one field at a time.
#pragma once

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QString>

inline QJsonObject object(const char *json)
{
    return QJsonDocument::fromJson(json).object();
}

inline QJsonObject eventOf(const QString &type, const QJsonObject &content)
{
    QJsonObject event = object(R"({"event_id":"$e","sender":"@bob:test","room_id":"!r:test","unsigned":{"age":120}})");
    event.insert(QStringLiteral("type"), type);
    event.insert(QStringLiteral("content"), content);
    return event;
}

inline QJsonObject contentOf(const QString &type)
{
    QJsonObject content = object(R"({"call_id":"c1","party_id":"BOB","version":"1"})");
    const auto add = [&content](const char *json) {
        const QJsonObject more = object(json);
        for (auto it = more.begin(); it != more.end(); ++it)
            content.insert(it.key(), it.value());
        return content;
    };
    if (type == QLatin1String("m.call.invite"))
        return add(
            R"({"offer":{"type":"offer","sdp":"v=0\r\nm=audio 9 X 1\r\n"},"lifetime":60000,"invitee":"@us:test"})");
    if (type == QLatin1String("m.call.answer"))
        return add(R"({"answer":{"type":"answer","sdp":"v=0\r\nm=audio 9 X 1\r\n"}})");
    if (type == QLatin1String("m.call.candidates"))
        return add(R"({"candidates":[{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0},{"candidate":""}]})");
    if (type == QLatin1String("m.call.hangup"))
        return add(R"({"reason":"ice_timeout"})");
    if (type == QLatin1String("m.call.select_answer"))
        return add(R"({"selected_party_id":"ALICE"})");
    return content;
}
