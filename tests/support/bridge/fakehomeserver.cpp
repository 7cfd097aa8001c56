// SPDX-License-Identifier: Apache-2.0
#include "fakehomeserver.h"

#include <QJsonDocument>
#include <QUrlQuery>

#include <algorithm>

namespace bridge
{

using fakehttp::Answer;
using fakehttp::Request;

Answer jsonAnswer(const QJsonObject &object, int status)
{
    return {status, QJsonDocument(object).toJson(QJsonDocument::Compact)};
}

Answer errorAnswer(int status, const char *code)
{
    return jsonAnswer(
        {{QStringLiteral("errcode"), QLatin1String(code)}, {QStringLiteral("error"), QLatin1String(code)}}, status);
}

QStringList pathOf(const Request &request)
{
    QStringList path;
    const auto segments = request.path().split('/');
    for (const QByteArray &segment : segments)
        path.push_back(QUrl::fromPercentEncoding(segment));
    return path.mid(4); // "", _matrix, client, v3
}

FakeHomeserver::FakeHomeserver()
{
    http.handle([this](const Request &request) { return answer(request); });
}

QStringList FakeHomeserver::sentTypes() const
{
    QStringList types;
    for (const SentEvent &event : m_sent)
        types.push_back(event.type);
    return types;
}

qsizetype FakeHomeserver::requestsFor(const QByteArray &method, const QString &lastSegment) const
{
    return std::count_if(http.requests().cbegin(), http.requests().cend(), [&](const Request &request) {
        return request.method == method && pathOf(request).last() == lastSegment;
    });
}

Answer FakeHomeserver::answer(const Request &request)
{
    const QStringList path = pathOf(request);
    const bool sending = path.value(0) == u"rooms" && path.value(2) == u"send";
    if (sending)
        m_attempts.push_back(path.value(4));
    if (instead) {
        if (const auto other = instead(request, path))
            return *other;
    }
    const QUrlQuery query(QUrl::fromEncoded(request.target).query());
    const QString user = query.queryItemValue(QStringLiteral("user_id"), QUrl::FullyDecoded);
    const QString what = path.value(0);
    if (!user.isEmpty() && !m_registered.contains(user)) {
        return jsonAnswer({{QStringLiteral("errcode"), QStringLiteral("M_FORBIDDEN")},
                           {QStringLiteral("error"),
                            QStringLiteral("Application service has not registered this user (%1)").arg(user)}},
                          403);
    }
    if (what == u"register") {
        const QString name = request.json().value(QLatin1String("username")).toString();
        m_registered.insert(QStringLiteral("@%1:test").arg(name));
        return jsonAnswer({{QStringLiteral("user_id"), QStringLiteral("@%1:test").arg(name)}});
    }
    if (what == u"createRoom") {
        const QString id = QStringLiteral("!made%1:test").arg(++m_made);
        rooms[id].insert(user, QStringLiteral("join"));
        rooms[id].insert(request.json().value(QLatin1String("invite")).toArray().first().toString(),
                         QStringLiteral("invite"));
        return jsonAnswer({{QStringLiteral("room_id"), id}});
    }
    if (what == u"rooms")
        return roomAnswer(path, request, user);
    if (what == u"joined_rooms")
        return jsonAnswer({{QStringLiteral("joined_rooms"), QJsonArray()}});
    if (what == u"voip") {
        return jsonAnswer({{QStringLiteral("uris"), QJsonArray{QStringLiteral("turn:turn.test")}},
                           {QStringLiteral("username"), QStringLiteral("u")},
                           {QStringLiteral("password"), QStringLiteral("p")},
                           {QStringLiteral("ttl"), 3600}});
    }
    if (path.isEmpty()) // /_matrix/client/versions
        return jsonAnswer({{QStringLiteral("versions"), QJsonArray{QStringLiteral("v1.11")}}});
    if (path.last() == u"ping")
        return jsonAnswer({{QStringLiteral("duration_ms"), 1}});
    return {}; // profile and the like
}

Answer FakeHomeserver::roomAnswer(const QStringList &path, const Request &request, const QString &user)
{
    const QString id = path.value(1);
    const QString what = path.value(2);
    if (what == u"send") {
        const QString txnId = path.value(4);
        if (!m_eventIds.contains(txnId)) {
            m_eventIds.insert(txnId, QStringLiteral("$s%1").arg(m_eventIds.size() + 1));
            m_sent.push_back({user, id, path.value(3), txnId, request.json()});
        }
        return jsonAnswer({{QStringLiteral("event_id"), m_eventIds.value(txnId)}});
    }
    if (!rooms.contains(id))
        return errorAnswer(403, "M_FORBIDDEN");
    if (what == u"join") {
        rooms[id].insert(user, QStringLiteral("join"));
        return jsonAnswer({{QStringLiteral("room_id"), id}});
    }
    if (what == u"messages")
        return jsonAnswer({{QStringLiteral("chunk"), messages.value(id)}});
    QJsonArray state;
    const auto &members = rooms[id];
    for (auto it = members.cbegin(); it != members.cend(); ++it)
        state.append(member(id, it.key(), it.key(), it.value()));
    return {200, QJsonDocument(state).toJson(QJsonDocument::Compact)};
}

namespace
{

QJsonObject event(const QString &type, const QString &room, const QString &sender, const QJsonObject &content)
{
    static int count = 0;
    return {
        {QStringLiteral("type"), type},       {QStringLiteral("event_id"), QStringLiteral("$e%1").arg(++count)},
        {QStringLiteral("room_id"), room},    {QStringLiteral("sender"), sender},
        {QStringLiteral("content"), content}, {QStringLiteral("unsigned"), QJsonObject{{QStringLiteral("age"), 10}}}};
}

} // namespace

QJsonObject member(const QString &room, const QString &sender, const QString &user, const QString &membership)
{
    QJsonObject out =
        event(QStringLiteral("m.room.member"), room, sender, {{QStringLiteral("membership"), membership}});
    out.insert(QStringLiteral("state_key"), user);
    return out;
}

QJsonObject callEvent(const QString &type, const QString &room, const QString &sender, const QString &callId,
                      QJsonObject content)
{
    content.insert(QStringLiteral("call_id"), callId);
    content.insert(QStringLiteral("version"), QStringLiteral("1"));
    content.insert(QStringLiteral("party_id"), QStringLiteral("BOBSDEVICE"));
    return event(type, room, sender, content);
}

QJsonObject invite(const QString &room, const QString &sender, const QString &callId, int lifetimeMs)
{
    return callEvent(QStringLiteral("m.call.invite"), room, sender, callId,
                     {{QStringLiteral("lifetime"), lifetimeMs},
                      {QStringLiteral("offer"),
                       QJsonObject{{QStringLiteral("type"), QStringLiteral("offer")}, {QStringLiteral("sdp"), sdp}}}});
}

QJsonObject answerTo(const QString &room, const QString &sender, const QString &callId)
{
    return callEvent(QStringLiteral("m.call.answer"), room, sender, callId,
                     {{QStringLiteral("answer"),
                       QJsonObject{{QStringLiteral("type"), QStringLiteral("answer")}, {QStringLiteral("sdp"), sdp}}}});
}

QJsonObject hangup(const QString &room, const QString &sender, const QString &callId)
{
    return callEvent(QStringLiteral("m.call.hangup"), room, sender, callId,
                     {{QStringLiteral("reason"), QStringLiteral("user_hangup")}});
}

} // namespace bridge
