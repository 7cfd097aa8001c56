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
    // Notes a bridged user's joining or being invited. Leaving is noted when the lane has dealt with it.
    void learn(const QJsonObject &event);
    // Empty: nobody of ours is concerned.
    [[nodiscard]] QStringList lanesFor(const QJsonObject &event) const;

private:
    QString m_prefix;
    QString m_server;
    QString m_accountUser; // empty: none
    QString m_account;
    QHash<QString, QString> m_userOf;       // Matrix id -> host's user id
    QHash<QString, QSet<QString>> m_inRoom; // room id -> lanes
};

} // namespace voip::intake
