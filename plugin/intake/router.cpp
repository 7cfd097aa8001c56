// SPDX-License-Identifier: Apache-2.0
#include "intake/router.h"

#include <algorithm>

namespace voip::intake
{

QString Router::matrixIdOf(const QString &userId) const
{
    if (!m_account.isEmpty() && userId == m_accountUser)
        return m_account;
    return QLatin1Char('@') + m_prefix + userId + QLatin1Char(':') + m_server;
}

void Router::setUsers(const QStringList &userIds)
{
    m_userOf.clear();
    for (const QString &user : userIds)
        m_userOf.insert(matrixIdOf(user), user);
}

void Router::setInRoom(const QString &lane, const QString &roomId, bool in)
{
    if (in) {
        m_inRoom[roomId].insert(lane);
        return;
    }
    const auto found = m_inRoom.find(roomId);
    if (found == m_inRoom.end())
        return;
    found->remove(lane);
    if (found->isEmpty())
        m_inRoom.erase(found);
}

QStringList Router::setPeers(const QString &lane, const QString &roomId, const QSet<QString> &peers)
{
    const QSet<QString> before = m_peers.value({lane, roomId});
    QStringList fresh;
    for (const QString &user : peers - before) {
        if (++m_followers[user][lane] == 1)
            fresh.push_back(user);
    }
    for (const QString &user : before - peers) {
        auto &lanes = m_followers[user];
        if (--lanes[lane] == 0)
            lanes.remove(lane);
        if (lanes.isEmpty())
            m_followers.remove(user);
    }
    if (peers.isEmpty())
        m_peers.remove({lane, roomId});
    else
        m_peers.insert({lane, roomId}, peers);
    return fresh;
}

QStringList Router::followersOf(const QString &user) const
{
    QStringList lanes = m_followers.value(user).keys();
    if (isBridged(user) && !lanes.contains(user))
        lanes.push_back(user);
    return lanes;
}

void Router::setLanesOf(const QString &roomId, const QStringList &lanes)
{
    m_inRoom.remove(roomId);
    for (const QString &lane : lanes) {
        if (isBridged(lane))
            setInRoom(lane, roomId, true);
    }
}

QString Router::learn(const QJsonObject &event)
{
    if (event.value(QLatin1String("type")).toString() != QLatin1String("m.room.member"))
        return {};
    const QString who = event.value(QLatin1String("state_key")).toString();
    const QString membership =
        event.value(QLatin1String("content")).toObject().value(QLatin1String("membership")).toString();
    if (!isBridged(who) || (membership != QLatin1String("join") && membership != QLatin1String("invite")))
        return {};
    setInRoom(who, event.value(QLatin1String("room_id")).toString(), true);
    return who;
}

QStringList Router::lanesFor(const QJsonObject &event) const
{
    const QString roomId = event.value(QLatin1String("room_id")).toString();
    QSet<QString> lanes = m_inRoom.value(roomId);
    // A membership event reaches the one it is about before the room is known.
    QString named;
    if (event.value(QLatin1String("type")).toString() == QLatin1String("m.room.member"))
        named = event.value(QLatin1String("state_key")).toString();
    if (isBridged(named))
        lanes.insert(named);
    QStringList sorted(lanes.cbegin(), lanes.cend());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}

} // namespace voip::intake
