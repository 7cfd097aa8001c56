// SPDX-License-Identifier: Apache-2.0
#include "effects/conversations.h"

#include "effects/present.h"
#include "observe/log.h"

#include <QPointer>
#include <QTimer>

namespace voip::effects
{

using namespace voiphost;

namespace
{

constexpr int patienceMs = 20'000;
constexpr int probeMs = 1500;

Error invalid(const char *code, const QString &message)
{
    return {ErrorKind::Invalid, QString::fromLatin1(code), message, {}};
}

bool isMatrixId(const QString &id, QChar sigil)
{
    const auto colon = id.indexOf(QLatin1Char(':'));
    return id.size() <= 255 && id.startsWith(sigil) && (sigil == QLatin1Char('!') ? id.size() > 1 : colon > 1) &&
           !id.contains(QLatin1Char(' ')) && !id.contains(QLatin1Char('/')) && colon != id.size() - 1;
}

QJsonObject encryptionEvent()
{
    return {{QStringLiteral("type"), QStringLiteral("m.room.encryption")},
            {QStringLiteral("state_key"), QString()},
            {QStringLiteral("content"),
             QJsonObject{{QStringLiteral("algorithm"), QStringLiteral("m.megolm.v1.aes-sha2")}}}};
}

Conversation toHost(const call::Room &room, const QString &self)
{
    return {room.conversationId, room.id, room.peerOf(self), room.encrypted, false};
}

bool isConversation(const call::Room &room, const QString &self)
{
    return room.joined(self) && !room.peerOf(self).isEmpty();
}

} // namespace

Conversations::Conversations(homeserver::Client &client, RoomKeeper &rooms, bool encrypt, QObject *parent)
    : QObject(parent), m_client(client), m_rooms(rooms), m_encrypt(encrypt)
{
}

QList<Conversation> Conversations::list(const call::Line &line)
{
    QList<Conversation> all;
    for (const call::Room &room : line.rooms) {
        if (isConversation(room, line.self))
            all.push_back(toHost(room, line.self));
    }
    return all;
}

void Conversations::open(Lane &lane, const ConversationTarget &target, Reply reply)
{
    m_lanes.insert(lane.line().self, &lane);
    if (!target.roomId.isEmpty()) {
        if (!isMatrixId(target.roomId, QLatin1Char('!')))
            return reply(invalid("INVALID_ROOM", tr("room_id is not a Matrix room id.")));
        return openRoom(lane, target.roomId, reply);
    }
    if (!isMatrixId(target.matrixUser, QLatin1Char('@')) || target.matrixUser == lane.line().self)
        return reply(invalid("INVALID_USER", tr("matrix_user is not the Matrix id of somebody else.")));
    openDirect(lane, target.matrixUser, std::move(reply));
}

// A homeserver that is away or hangs is told of within two seconds; one that has to ask other servers is waited for.
Conversations::Reply Conversations::impatient(Reply reply)
{
    const Reply once = [reply = std::move(reply), given = std::make_shared<bool>(false)](const Outcome &outcome) {
        if (!std::exchange(*given, true))
            reply(outcome);
    };
    const auto away = [once] {
        once(unavailable(QStringLiteral("HOMESERVER_UNAVAILABLE"),
                         tr("The homeserver does not answer. Try again later.")));
    };
    auto heard = std::make_shared<bool>(false);
    m_client.versions([heard, away](const homeserver::Result<QStringList> &versions) {
        *heard = true;
        if (!versions.ok() && versions.error().transient())
            away();
    });
    QTimer::singleShot(probeMs, this, [heard, away] {
        if (!*heard)
            away();
    });
    return once;
}

void Conversations::openRoom(Lane &lane, const QString &roomId, const Reply &reply)
{
    const call::Line &line = lane.line();
    const auto known = line.rooms.constFind(roomId);
    if (known != line.rooms.constEnd() && isConversation(*known, line.self))
        return reply(toHost(*known, line.self));
    if (known != line.rooms.constEnd() && known->joined(line.self)) {
        return reply(Error{ErrorKind::Conflict,
                           QStringLiteral("NOT_DIRECT"),
                           tr("Calls are placed only in rooms with exactly one other member."),
                           {}});
    }
    expect(line.self, roomId, false, impatient(reply));
    m_rooms.enter(line.self, roomId);
}

void Conversations::openDirect(Lane &lane, const QString &peer, Reply reply)
{
    const call::Line &line = lane.line();
    for (const call::Room &room : line.rooms) {
        if (isConversation(room, line.self) && room.peerOf(line.self) == peer)
            return reply(toHost(room, line.self));
    }
    const Pair pair{line.self, peer};
    auto &waiting = m_opening[pair];
    waiting.push_back(impatient(std::move(reply)));
    if (waiting.size() == 1)
        create(line.self, peer);
}

void Conversations::create(const QString &laneId, const QString &peer)
{
    const Pair pair{laneId, peer};
    const auto failed = [this, pair](const homeserver::Failure &failure) {
        qCWarning(observe::roomsLog).noquote()
            << pair.first << "could not make a room:" << failure.code << failure.message;
        if (failure.transient()) {
            return settlePeer(pair, unavailable(QStringLiteral("HOMESERVER_UNAVAILABLE"),
                                                tr("The homeserver does not answer. Try again later.")));
        }
        settlePeer(pair,
                   invalid("INVALID_USER", tr("The homeserver refused to invite this user (%1).").arg(failure.code)));
    };
    m_rooms.ensureReady(laneId, [this, laneId, peer, pair, failed](const auto &ghost) {
        if (!ghost.ok())
            return failed(ghost.error());
        const QPointer<Lane> owner = m_lanes.value(laneId);
        const bool encrypted = m_encrypt && owner && owner->encrypts();
        const QJsonArray state = encrypted ? QJsonArray{encryptionEvent()} : QJsonArray();
        m_client.createDirectRoom(laneId, peer, state, [this, laneId, peer, pair, failed, encrypted](const auto &room) {
            if (!room.ok())
                return failed(room.error());
            const QString &roomId = *room;
            expect(laneId, roomId, true, [this, pair](const Outcome &outcome) { settlePeer(pair, outcome); });
            if (const QPointer<Lane> lane = m_lanes.value(laneId)) {
                lane->take(call::RoomSnapshot{roomId,
                                              {{laneId, call::Membership::Join}, {peer, call::Membership::Invite}},
                                              call::JoinRule::Invite,
                                              encrypted});
                if (encrypted)
                    lane->takeKeys(WantKeys{roomId}); // a call is likely to follow
            }
        });
    });
}

void Conversations::settlePeer(const Pair &pair, const Outcome &outcome)
{
    const auto replies = m_opening.take(pair);
    Outcome given = outcome;
    for (const Reply &reply : replies) {
        reply(given);
        if (given.ok())
            given.value().created = false; // it is new to who asked first
    }
}

void Conversations::expect(const QString &lane, const QString &roomId, bool created, const Reply &reply)
{
    const Pair pair{lane, roomId};
    Waiting &waiting = m_waiting[pair];
    waiting.created = waiting.created || created;
    waiting.replies.push_back(reply);
    waiting.round = ++m_rounds;
    QTimer::singleShot(patienceMs, this, [this, pair, round = m_rounds] {
        if (m_waiting.value(pair).round != round)
            return; // answered, or somebody asked again and waits anew
        for (const Reply &late : m_waiting.take(pair).replies) {
            late(unavailable(QStringLiteral("HOMESERVER_UNAVAILABLE"),
                             tr("The room could not be entered in time. Try again later.")));
        }
    });
}

void Conversations::roomChanged(const QString &lane, const call::Room &room)
{
    if (!room.joined(lane))
        return;
    // Of a room that we have just made, the peer's invitation may come after our own join.
    if (m_waiting.value({lane, room.id}).created && !isConversation(room, lane))
        return;
    const Waiting waiting = m_waiting.take({lane, room.id});
    for (const Reply &reply : waiting.replies) {
        if (!isConversation(room, lane)) {
            reply(Error{ErrorKind::Conflict,
                        QStringLiteral("NOT_DIRECT"),
                        tr("Calls are placed only in rooms with exactly one other member."),
                        {}});
            continue;
        }
        Conversation conversation = toHost(room, lane);
        conversation.created = waiting.created;
        reply(conversation);
    }
}

void Conversations::refused(const QString &lane, const QString &roomId, const QString &code)
{
    for (const Reply &reply : m_waiting.take({lane, roomId}).replies) {
        if (code == QLatin1String("homeserver_unavailable")) {
            reply(unavailable(QStringLiteral("HOMESERVER_UNAVAILABLE"),
                              tr("The homeserver does not answer. Try again later.")));
        } else {
            reply(Error{ErrorKind::NotFound,
                        QStringLiteral("ROOM_NOT_FOUND"),
                        tr("The homeserver did not let the user into this room (%1).").arg(code),
                        {}});
        }
    }
}

} // namespace voip::effects
