// SPDX-License-Identifier: Apache-2.0
// Which lanes an event concerns: the bridged users (in account mode the account) who are in its room, and the one it
// names. Knows nothing but rooms and names; a party is never guessed.
#pragma once

#include <QHash>
#include <QJsonObject>
#include <QSet>
#include <QString>
#include <QStringList>

namespace voip::intake
{

class Router
{
public:
    // Bridged users are "@<prefix><user>:<server>" for the users the host lists.
    Router(QString prefix, QString serverName) : m_prefix(std::move(prefix)), m_server(std::move(serverName)) {}

    // The one user of account mode is this account, whatever prefix and server.
    void setAccount(const QString &userId, const QString &matrixId)
    {
        m_accountUser = userId;
        m_account = matrixId;
    }
    void setUsers(const QStringList &userIds);
    [[nodiscard]] bool isBridged(const QString &matrixId) const { return m_userOf.contains(matrixId); }
    [[nodiscard]] QString matrixIdOf(const QString &userId) const; // of any user id
    [[nodiscard]] QString userOf(const QString &matrixId) const { return m_userOf.value(matrixId); }
    [[nodiscard]] QStringList lanes() const { return m_userOf.keys(); }

    void setInRoom(const QString &lane, const QString &roomId, bool in);
    // With whom a lane is in this room: whose devices it follows. -> who is new to it.
    QStringList setPeers(const QString &lane, const QString &roomId, const QSet<QString> &peers);
    // Lanes that follow the devices of this user (of a bridged one: its own as well).
    [[nodiscard]] QStringList followersOf(const QString &user) const;
    // These lanes are in the room, and no others.
    void setLanesOf(const QString &roomId, const QStringList &lanes);
    // Notes a bridged user's joining or being invited. Leaving is noted when the lane has dealt with it. -> the user
    QString learn(const QJsonObject &event);
    // Empty: nobody of ours is concerned.
    [[nodiscard]] QStringList lanesFor(const QJsonObject &event) const;

private:
    QString m_prefix;
    QString m_server;
    QString m_accountUser; // empty: none
    QString m_account;
    QHash<QString, QString> m_userOf;                          // Matrix id -> host's user id
    QHash<QString, QSet<QString>> m_inRoom;                    // room id -> lanes
    QHash<std::pair<QString, QString>, QSet<QString>> m_peers; // (lane, room id) -> users
    QHash<QString, QHash<QString, int>> m_followers;           // user -> lane -> in how many rooms
};

} // namespace voip::intake
