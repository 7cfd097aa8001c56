// SPDX-License-Identifier: Apache-2.0
#include "homeserver.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <functional>

namespace bridgesim
{

using voip::homeserver::HttpAnswer;
using voip::homeserver::Method;

namespace
{

constexpr qsizetype mostAtOnce = 100;
constexpr qint64 longestPause = 60'000;

HttpAnswer ok(const QJsonObject &object)
{
    return {200, {}, QJsonDocument(object).toJson(QJsonDocument::Compact)};
}

HttpAnswer forbidden(const char *why)
{
    return {403, {}, QByteArray(R"({"errcode":"M_FORBIDDEN","error":")") + why + R"("})"};
}

QString decoded(QByteArrayView bytes)
{
    return QString::fromUtf8(QByteArray::fromPercentEncoding(bytes.toByteArray()));
}

QString valueOf(QByteArrayView key, const QByteArray &query)
{
    for (const QByteArray &pair : query.split('&')) {
        if (pair.startsWith(key) && pair.mid(key.size(), 1) == "=")
            return decoded(QByteArrayView(pair).sliced(key.size() + 1));
    }
    return {};
}

} // namespace

Homeserver::Homeserver(TimeLoop &loop, Trace &trace, Judge &judge, Weather &weather, Chance chance, Defect defect)
    : m_loop(loop), m_trace(trace), m_judge(judge), m_weather(weather), m_chance(chance), m_defect(defect),
      m_keys(judge, trace, weather, chance.part(1), defect)
{
    m_keys.onWaiting = [this] { push(); };
}

// --- requests ------------------------------------------------------------------------------------------------------

HttpAnswer Homeserver::handle(Method method, const QByteArray &url, const QByteArray &body)
{
    const qsizetype begin = url.indexOf("/_matrix/");
    const qsizetype query = url.indexOf('?');
    const QByteArray where = url.mid(begin + 9, query < 0 ? -1 : query - begin - 9);
    const QByteArray asked = query < 0 ? QByteArray() : url.mid(query + 1);
    const QString user = valueOf("user_id", asked);
    const QString device = valueOf("device_id", asked);
    QStringList path;
    for (const QByteArray &segment : where.split('/'))
        path.push_back(decoded(segment));
    const auto is = [&path](qsizetype at, const char *word) { return path.value(at) == QLatin1String(word); };
    if (is(2, "register")) {
        const QString name = QJsonDocument::fromJson(body).object().value(QLatin1String("username")).toString();
        const QString ghost = QStringLiteral("@%1:%2").arg(name, server);
        if (m_ghosts.contains(ghost))
            return {400, {}, R"({"errcode":"M_USER_IN_USE","error":"in use"})"};
        m_ghosts.insert(ghost);
        return ok({{QStringLiteral("user_id"), ghost}});
    }
    if (isGhost(user) && !m_ghosts.contains(user))
        return forbidden("Application service has not registered this user");
    if (const auto answer = m_keys.handle({method, path, user, device, body}))
        return *answer;
    if (is(2, "rooms") && is(4, "send") && method == Method::Put)
        return send(user, path, body);
    if (is(2, "rooms") && is(4, "join"))
        return join(user, path.value(3));
    if (is(2, "rooms") && is(4, "state"))
        return state(path.value(3));
    if (is(2, "rooms") && is(4, "messages"))
        return messages(path.value(3));
    if (is(2, "createRoom"))
        return create(user, body);
    if (is(2, "joined_rooms")) {
        QJsonArray rooms;
        for (const auto &[id, room] : m_rooms) {
            if (room.members.value(user) == QLatin1String("join"))
                rooms.push_back(id);
        }
        return ok({{QStringLiteral("joined_rooms"), rooms}});
    }
    if (is(2, "sync"))
        return sync(user, device, valueOf("since", asked));
    if (is(1, "versions"))
        return {200, {}, R"({"versions":["v1.11"]})"};
    if (path.last() == QLatin1String("ping"))
        return {200, {}, R"({"duration_ms":1})"};
    if (path.last() == QLatin1String("turnServer"))
        return {200, {}, R"({"uris":["turn:t"],"username":"u","password":"turnsecret","ttl":3600})"};
    return {200, {}, "{}"};
}

HttpAnswer Homeserver::send(const QString &user, const QStringList &path, const QByteArray &body)
{
    const QString &roomId = path.at(3);
    const QString &txnId = path.at(6);
    if (const auto known = m_sent.constFind(txnId); known != m_sent.constEnd() && m_defect != Defect::NoDeduplication)
        return {200, {}, R"({"event_id":")" + known->toUtf8() + R"("})"};
    const auto room = m_rooms.find(roomId);
    if (room == m_rooms.end() || room->second.members.value(user) != QLatin1String("join")) {
        m_judge.refused(txnId);
        return forbidden("User not in room");
    }
    const QJsonObject content = QJsonDocument::fromJson(body).object();
    if (!m_judge.isEnd(txnId) && m_chance.percent(m_weather.of(Fault::HomeserverRefuses))) {
        m_judge.refused(txnId);
        return forbidden("You don't have permission to post that to the room");
    }
    const QString eventId = post(user, roomId, path.at(5), content);
    m_sent.insert(txnId, eventId);
    m_judge.arrived(user, txnId, eventId);
    return {200, {}, R"({"event_id":")" + eventId.toUtf8() + R"("})"};
}

HttpAnswer Homeserver::create(const QString &user, const QByteArray &body)
{
    const QJsonObject wanted = QJsonDocument::fromJson(body).object();
    const QString invitee = wanted.value(QLatin1String("invite")).toArray().first().toString();
    const QString roomId = makeRoom(user, invitee);
    for (const QJsonValue state : wanted.value(QLatin1String("initial_state")).toArray()) {
        if (state.toObject().value(QLatin1String("type")).toString() == QLatin1String("m.room.encryption"))
            encrypt(roomId, user);
    }
    return ok({{QStringLiteral("room_id"), roomId}});
}

HttpAnswer Homeserver::join(const QString &user, const QString &roomId)
{
    const auto room = m_rooms.find(roomId);
    if (room == m_rooms.end() || !room->second.members.contains(user))
        return forbidden("You are not invited to this room.");
    if (room->second.members.value(user) != QLatin1String("join"))
        post(user, roomId, QStringLiteral("m.room.member"), {{QStringLiteral("membership"), QStringLiteral("join")}},
             user);
    return ok({{QStringLiteral("room_id"), roomId}});
}

// --- rooms ---------------------------------------------------------------------------------------------------------

QString Homeserver::makeRoom(const QString &maker, const QString &invitee, bool old)
{
    const QString id = QStringLiteral("!room%1:%2").arg(++m_made).arg(server);
    m_rooms[id];
    m_silent = old;
    const auto member = [&](const QString &by, const QString &who, const char *membership) {
        const QJsonObject content{{QStringLiteral("membership"), QLatin1String(membership)}};
        post(by, id, QStringLiteral("m.room.member"), content, who);
    };
    member(maker, maker, "join");
    member(maker, invitee, "invite");
    if (old || !isGhost(invitee)) // users of its own accept what a ghost invites to
        member(invitee, invitee, "join");
    m_silent = false;
    return id;
}

QString Homeserver::roomOf(const QString &one, const QString &other) const
{
    for (const auto &[id, room] : m_rooms) {
        if (room.members.contains(one) && room.members.contains(other))
            return id;
    }
    return {};
}

QString Homeserver::post(const QString &sender, const QString &roomId, const QString &type, const QJsonObject &content,
                         const std::optional<QString> &stateKey)
{
    Room &room = m_rooms[roomId];
    RoomEvent event{QStringLiteral("$%1").arg(++m_events), roomId, sender, type, content, stateKey, m_loop.now(), {}};
    if (stateKey && type == QLatin1String("m.room.member"))
        room.members.insert(*stateKey, content.value(QLatin1String("membership")).toString());
    m_trace.note("hs.event", event.id + u' ' + type, sender + u' ' + roomId);
    bool interesting = isGhost(sender) || (stateKey && isGhost(*stateKey));
    for (auto member = room.members.constBegin(); member != room.members.constEnd(); ++member) {
        if (isGhost(member.key()) && *member == QLatin1String("join"))
            event.ghosts.push_back(member.key());
        else if (!isGhost(member.key()) && member.key() != sender && onEvent && !isLost(event))
            onEvent(event, member.key());
    }
    room.events.push_back(event);
    if ((interesting || !event.ghosts.isEmpty()) && !m_silent) {
        m_queue.push_back(event);
        push();
    }
    return event.id;
}

bool Homeserver::isLost(const RoomEvent &event) const
{
    return m_defect == Defect::LosesHangups && isGhost(event.sender) && event.type == QLatin1String("m.call.hangup");
}

void Homeserver::encryptSomeRoom(quint64 any)
{
    if (m_rooms.empty())
        return;
    auto &[id, room] = *std::next(m_rooms.begin(), static_cast<std::ptrdiff_t>(any % m_rooms.size()));
    encrypt(id, *std::find_if(room.members.keyBegin(), room.members.keyEnd(), std::not_fn(isGhost)));
}

void Homeserver::encryptOldRooms(Chance chance)
{
    for (auto &[id, room] : m_rooms)
        room.encrypted = chance.percent(50);
}

void Homeserver::encrypt(const QString &roomId, const QString &by)
{
    if (!std::exchange(m_rooms[roomId].encrypted, true))
        post(by, roomId, QStringLiteral("m.room.encryption"), encryption, QString(QLatin1String("")));
}

bool Homeserver::isEncrypted(const QString &roomId) const
{
    const auto room = m_rooms.find(roomId);
    return room != m_rooms.end() && room->second.encrypted;
}

QStringList Homeserver::membersOf(const QString &roomId) const
{
    const auto room = m_rooms.find(roomId);
    return room == m_rooms.end() ? QStringList() : room->second.members.keys();
}

// --- transactions --------------------------------------------------------------------------------------------------

void Homeserver::restart()
{
    m_transactions = 0;
    m_failed = 0;
    ++m_round; // whatever comes back is for nobody
    m_inFlight = false;
    push();
}

void Homeserver::push()
{
    if (m_inFlight || m_waiting || (m_queue.empty() && m_batch.events.isEmpty() && !m_lateDue && !m_keys.waits()))
        return;
    m_waiting = true; // what comes at the same time goes together
    m_loop.after(m_chance.between(1, 12), [this] {
        m_waiting = false;
        attempt();
    });
}

void Homeserver::attempt()
{
    if (m_inFlight)
        return;
    if (m_weather.is(Fault::HomeserverAway) || m_weather.is(Fault::HomeserverRestarts)) {
        m_waiting = true;
        m_loop.after(500, [this] {
            m_waiting = false;
            push();
        });
        return;
    }
    const bool again = !m_batch.events.isEmpty() || m_keys.isFilled();
    const bool late = !again && std::exchange(m_lateDue, false);
    if (late) {
        m_batch = std::exchange(m_late, {});
    } else if (!again) {
        m_batch.id = ++m_transactions;
        while (!m_queue.empty() && m_batch.events.size() < mostAtOnce) {
            m_batch.events.push_back(m_queue.front());
            m_queue.pop_front();
        }
    }
    voiphost::EventBatch batch;
    batch.transactionId = QString::number(m_batch.id);
    if (!late && (!again || m_keys.isFilled()))
        m_keys.fill(batch);
    if (m_batch.events.isEmpty() && !m_keys.isFilled())
        return push(); // all of it was lost
    m_inFlight = true;
    for (const RoomEvent &event : std::as_const(m_batch.events))
        batch.events.push_back(shown(event));
    m_trace.note("hs.push", batch.transactionId, {}, m_batch.events.size());
    deliver(batch, [this, round = ++m_round](bool accepted) { outcome(accepted, round); });
}

void Homeserver::outcome(bool accepted, quint64 round)
{
    if (round != m_round || !m_inFlight)
        return;
    m_inFlight = false;
    if (accepted) {
        for (const RoomEvent &event : std::as_const(m_batch.events)) {
            if (event.stateKey && isGhost(*event.stateKey))
                m_judge.acknowledged(*event.stateKey, event.id);
            for (const QString &ghost : event.ghosts) {
                const bool sealed = m_judge.world.encrypted && event.type == QLatin1String("m.room.encrypted");
                if ((sealed || event.type.startsWith(QLatin1String("m.call."))) && event.sender != ghost)
                    m_judge.acknowledged(ghost, event.id);
            }
        }
        m_batch = {};
        m_keys.delivered();
        m_failed = 0;
        return push();
    }
    ++m_judge.totals.repeats;
    if (m_late.events.isEmpty() && !m_keys.isFilled() && m_chance.percent(15)) { // what comes next is given first
        m_late = std::exchange(m_batch, {});
        m_loop.after(m_chance.percent(70) ? m_chance.between(500, 4000) : m_chance.between(4000, 90'000), [this] {
            m_lateDue = true;
            push();
        });
        return push();
    }
    m_waiting = true;
    m_loop.after(std::min<qint64>(longestPause, 500LL << std::min(++m_failed, 7)), [this] {
        m_waiting = false;
        push();
    });
}

} // namespace bridgesim
