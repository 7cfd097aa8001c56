// SPDX-License-Identifier: Apache-2.0
// What the simulated homeserver says of a room, and by /sync.
#include "homeserver.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace bridgesim
{

using voip::homeserver::HttpAnswer;

namespace
{

constexpr int mostOfRoom = 50; // events in a /sync

HttpAnswer ok(const QJsonObject &object)
{
    return {200, {}, QJsonDocument(object).toJson(QJsonDocument::Compact)};
}

} // namespace

QJsonObject Homeserver::shown(const RoomEvent &event) const
{
    const auto age = static_cast<double>(m_loop.now() - event.at);
    QJsonObject object{{QStringLiteral("type"), event.type},
                       {QStringLiteral("event_id"), event.id},
                       {QStringLiteral("room_id"), event.roomId},
                       {QStringLiteral("sender"), event.sender},
                       {QStringLiteral("content"), event.content},
                       {QStringLiteral("unsigned"), QJsonObject{{QStringLiteral("age"), age}}}};
    if (event.stateKey)
        object.insert(QStringLiteral("state_key"), *event.stateKey);
    return object;
}

HttpAnswer Homeserver::state(const QString &roomId) const
{
    QJsonArray events;
    if (isEncrypted(roomId)) {
        events.push_back(QJsonObject{{QStringLiteral("type"), QStringLiteral("m.room.encryption")},
                                     {QStringLiteral("event_id"), QStringLiteral("$encryption")},
                                     {QStringLiteral("sender"), QStringLiteral("@peer0:test")},
                                     {QStringLiteral("state_key"), QString()},
                                     {QStringLiteral("content"), encryption}});
    }
    for (const auto &[user, membership] : m_rooms.at(roomId).members.asKeyValueRange()) {
        events.push_back(
            QJsonObject{{QStringLiteral("type"), QStringLiteral("m.room.member")},
                        {QStringLiteral("state_key"), user},
                        {QStringLiteral("sender"), user},
                        {QStringLiteral("event_id"), QStringLiteral("$m") + user},
                        {QStringLiteral("content"), QJsonObject{{QStringLiteral("membership"), membership}}}});
    }
    return {200, {}, QJsonDocument(events).toJson(QJsonDocument::Compact)};
}

HttpAnswer Homeserver::messages(const QString &roomId) const
{
    QJsonArray chunk;
    const auto &events = m_rooms.at(roomId).events;
    for (qsizetype i = events.size() - 1; i >= 0 && chunk.size() < 100; --i)
        chunk.push_back(shown(events.at(i)));
    return ok({{QStringLiteral("chunk"), chunk}, {QStringLiteral("start"), QStringLiteral("t1")}});
}

// For a device: what is for it alone, and what was said in its rooms since then. Others get a place to go on from.
HttpAnswer Homeserver::sync(const QString &user, const QString &device, const QString &since)
{
    if (device.isEmpty())
        return {200, {}, QByteArray(R"({"next_batch":"s)") + QByteArray::number(m_events) + R"("})"};
    const qsizetype split = since.indexOf(u'_');
    const int sinceEvent = since.mid(1, split - 1).toInt();
    QJsonObject answer;
    const qint64 place = m_keys.sync(user, device, since.mid(split + 1).toLongLong(), answer);
    answer.insert(QLatin1String("next_batch"), QStringLiteral("s%1_%2").arg(m_events).arg(place));
    QJsonObject rooms;
    for (const auto &[id, room] : m_rooms) {
        if (since.isEmpty() || room.members.value(user) != QLatin1String("join"))
            continue;
        QJsonArray events;
        for (const RoomEvent &event : room.events.last(std::min<qsizetype>(room.events.size(), mostOfRoom))) {
            if (event.id.mid(1).toInt() > sinceEvent)
                events.push_back(shown(event));
        }
        if (!events.isEmpty())
            rooms.insert(id,
                         QJsonObject{{QStringLiteral("timeline"), QJsonObject{{QStringLiteral("events"), events}}}});
    }
    answer.insert(QLatin1String("rooms"), QJsonObject{{QStringLiteral("join"), rooms}});
    return ok(answer);
}

} // namespace bridgesim
