// SPDX-License-Identifier: Apache-2.0
#include "effects/roomkeeper.h"

#include "observe/log.h"
#include "protocol/read.h"

#include <QTimer>

namespace voip::effects
{

using namespace std::chrono_literals;
using observe::roomsLog;

namespace
{

constexpr auto patience = 10min; // the longest lifetime of an invite
constexpr int recentEvents = 100;

} // namespace

QString localpartOf(const QString &matrixId)
{
    return matrixId.mid(1, matrixId.indexOf(QLatin1Char(':')) - 1);
}

RoomKeeper::RoomKeeper(homeserver::Client &client, homeserver::GhostDirectory &ghosts, DisplayName displayName,
                       DeviceGate gate, QObject *parent)
    : QObject(parent), m_client(client), m_ghosts(ghosts), m_displayName(std::move(displayName)),
      m_gate(std::move(gate)), m_retrier(new homeserver::Retrier(this))
{
    connect(&m_client, &homeserver::Client::reachableChanged, this, [this](bool reachable) {
        if (reachable)
            tryAgain();
    });
}

void RoomKeeper::tryAgain()
{
    const auto givenUp = std::exchange(m_givenUp, {});
    for (const auto &[lane, roomId] : givenUp) {
        if (roomId.isEmpty())
            rediscover(lane);
        else
            enter(lane, roomId);
    }
}

void RoomKeeper::ensureGhost(const QString &lane, homeserver::Reply<bool> reply)
{
    m_ghosts.ensure(localpartOf(lane), m_displayName(lane), std::move(reply));
}

void RoomKeeper::ensureReady(const QString &lane, homeserver::Reply<bool> reply)
{
    ensureGhost(lane, [this, lane, reply = std::move(reply)](const auto &result) {
        if (!result.ok())
            return reply(result);
        m_gate(lane, [reply, result] { reply(result); });
    });
}

void RoomKeeper::enter(const QString &lane, const QString &roomId)
{
    if (m_running.contains({lane, roomId}))
        return;
    m_running.insert({lane, roomId});
    ensureReady(lane, [this, lane, roomId](const auto &result) {
        if (!result.ok())
            return giveUp(lane, roomId, result.error());
        join(lane, roomId);
    });
}

// It is in there: joining again would only count against an account's rate limit.
void RoomKeeper::look(const QString &lane, const QString &roomId)
{
    if (m_running.contains({lane, roomId}))
        return;
    m_running.insert({lane, roomId});
    readState(lane, roomId);
}

void RoomKeeper::join(const QString &lane, const QString &roomId)
{
    m_retrier->run<QString>([this, lane, roomId](auto reply) { m_client.join(lane, roomId, std::move(reply)); },
                            patience,
                            [this, lane, roomId](const auto &result) {
                                if (!result.ok())
                                    return giveUp(lane, roomId, result.error());
                                readState(lane, roomId);
                            });
}

void RoomKeeper::readState(const QString &lane, const QString &roomId)
{
    m_retrier->run<QVector<QJsonObject>>(
        [this, lane, roomId](auto reply) { m_client.roomState(lane, roomId, std::move(reply)); }, patience,
        [this, lane, roomId](const auto &result) {
            if (!result.ok())
                return giveUp(lane, roomId, result.error());
            qCInfo(roomsLog).noquote() << lane << "entered" << roomId;
            for (const QJsonObject &event : *result) {
                if (event.value(QLatin1String("type")).toString() == QLatin1String("m.room.encryption"))
                    Q_EMIT encryption(lane, roomId, event.value(QLatin1String("content")).toObject());
            }
            Q_EMIT entered(lane, protocol::readSnapshot(roomId, *result));
        });
}

void RoomKeeper::known(const QString &lane, const QString &roomId)
{
    if (m_running.contains({lane, roomId}))
        readRecent(lane, roomId);
}

void RoomKeeper::forget(const QString &lane)
{
    m_running.removeIf([&lane](const auto &entry) { return entry.first == lane; });
    m_givenUp.removeIf([&lane](const auto &entry) { return entry.first == lane; });
    m_toFind.remove(lane);
}

void RoomKeeper::readRecent(const QString &lane, const QString &roomId)
{
    m_retrier->run<QVector<QJsonObject>>(
        [this, lane, roomId](auto reply) { m_client.recentEvents(lane, roomId, recentEvents, std::move(reply)); },
        patience,
        [this, lane, roomId](const auto &result) {
            m_running.remove({lane, roomId});
            if (!result.ok())
                return result.error().passing() ? putOff(lane, roomId, result.error()) : found(lane, roomId);
            QVector<QJsonObject> calls;
            for (QJsonObject event : *result) {
                const QString type = event.value(QLatin1String("type")).toString();
                if (!type.startsWith(QLatin1String("m.call.")) && type != QLatin1String("m.room.encrypted"))
                    continue;
                event.insert(QLatin1String("room_id"), roomId);
                calls.push_back(event);
            }
            if (calls.isEmpty())
                return found(lane, roomId);
            Q_EMIT recent(lane, roomId, calls);
        });
}

void RoomKeeper::giveUp(const QString &lane, const QString &roomId, const homeserver::Failure &failure)
{
    m_running.remove({lane, roomId});
    if (failure.passing())
        putOff(lane, roomId, failure);
    else
        found(lane, roomId);
    qCWarning(roomsLog).noquote() << lane << "could not enter" << roomId << failure.code << failure.message;
    Q_EMIT refused(lane, roomId, failure.passing() ? QStringLiteral("homeserver_unavailable") : failure.code);
}

// Until the homeserver is there again; that it answers nonsense is no sign of its coming back.
void RoomKeeper::putOff(const QString &lane, const QString &roomId, const homeserver::Failure &failure)
{
    m_givenUp.insert({lane, roomId});
    if (!failure.transient())
        QTimer::singleShot(std::chrono::seconds(30), this, &RoomKeeper::tryAgain);
}

void RoomKeeper::rediscover(const QString &lane)
{
    m_retrier->run<QStringList>([this, lane](auto reply) { m_client.joinedRooms(lane, std::move(reply)); }, patience,
                                [this, lane](const auto &result) {
                                    // A ghost that was never made has no rooms; that is an answer as well.
                                    if (!result.ok() && !result.error().ghostMissing()) {
                                        if (result.error().passing())
                                            putOff(lane, {}, result.error());
                                        return;
                                    }
                                    if (result.ok()) {
                                        m_ghosts.markKnown(localpartOf(lane));
                                        m_toFind[lane] = QSet<QString>(result->cbegin(), result->cend());
                                        for (const QString &roomId : *result)
                                            m_client.access().isAccount() ? look(lane, roomId) : enter(lane, roomId);
                                    }
                                    found(lane, {});
                                });
}

// All is known only when the last of the rooms is: a process that dies before asks again.
void RoomKeeper::found(const QString &lane, const QString &roomId)
{
    const auto left = m_toFind.find(lane);
    if (left != m_toFind.end()) {
        left->remove(roomId);
        if (!left->isEmpty())
            return;
        m_toFind.erase(left);
    } else if (!roomId.isEmpty()) {
        return;
    }
    Q_EMIT rediscovered(lane);
}

} // namespace voip::effects
