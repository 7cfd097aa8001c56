// SPDX-License-Identifier: Apache-2.0
// Performs EnterRoom: makes the ghost if need be, joins, reads the room's state for the lane, and then what was said
// there lately, so that a call placed between the invitation and the join is not lost. One run at a time for each
// ghost and room. Repeats what fails in passing for as long as an invite could still be valid, and then once more when
// the homeserver is back.
#pragma once

#include "call/input.h"
#include "homeserver/ghosts.h"

#include <QObject>
#include <QSet>

#include <functional>

namespace voip::effects
{

class RoomKeeper : public QObject
{
    Q_OBJECT

public:
    using DisplayName = std::function<QString(const QString &lane)>;
    // Calls `then` once others can encrypt for the ghost, or when that takes too long: a room that is entered before
    // may be called from with keys that we do not get.
    using DeviceGate = std::function<void(const QString &lane, std::function<void()> then)>;
    RoomKeeper(homeserver::Client &client, homeserver::GhostDirectory &ghosts, DisplayName displayName, DeviceGate gate,
               QObject *parent = nullptr);

    void enter(const QString &lane, const QString &roomId);
    // What entered() said is committed, so that from now on the room's events come to the lane: only now what was said
    // before is read. Earlier, what came in between would be lost.
    void known(const QString &lane, const QString &roomId);
    // What recent() said is kept, or nobody could keep it.
    void kept(const QString &lane, const QString &roomId) { found(lane, roomId); }
    // The lane comes from another worker: what was begun for it when it was here before is void.
    void forget(const QString &lane);
    // The rooms a ghost is in already: for a ghost that is older than our memory.
    void rediscover(const QString &lane);
    void ensureGhost(const QString &lane, homeserver::Reply<bool> reply);
    // The ghost exists, and others can encrypt for it.
    void ensureReady(const QString &lane, homeserver::Reply<bool> reply);

Q_SIGNALS:
    void encryption(const QString &lane, const QString &roomId, const QJsonObject &content); // before entered()
    void entered(const QString &lane, const voip::call::RoomSnapshot &snapshot);
    void refused(const QString &lane, const QString &roomId, const QString &code);
    // Oldest first, call events only.
    void recent(const QString &lane, const QString &roomId, const QVector<QJsonObject> &events);
    void rediscovered(const QString &lane); // all its rooms are entered and what was said there is kept, or cannot be

private:
    void look(const QString &lane, const QString &roomId);
    void join(const QString &lane, const QString &roomId);
    void readState(const QString &lane, const QString &roomId);
    void readRecent(const QString &lane, const QString &roomId);
    void tryAgain();
    void found(const QString &lane, const QString &roomId); // a room of a rediscovery is dealt with; none: the list
    void putOff(const QString &lane, const QString &roomId, const homeserver::Failure &failure);
    void giveUp(const QString &lane, const QString &roomId, const homeserver::Failure &failure);

    homeserver::Client &m_client;
    homeserver::GhostDirectory &m_ghosts;
    DisplayName m_displayName;
    DeviceGate m_gate;
    homeserver::Retrier *m_retrier;
    QSet<std::pair<QString, QString>> m_running;
    QHash<QString, QSet<QString>> m_toFind;      // by lane: of a rediscovery
    QSet<std::pair<QString, QString>> m_givenUp; // (lane, room) because the homeserver was away; no room: rediscover
};

[[nodiscard]] QString localpartOf(const QString &matrixId);

} // namespace voip::effects
