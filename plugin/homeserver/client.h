// SPDX-License-Identifier: Apache-2.0
// The Matrix client-server API as an application service uses it, or an ordinary account (then nobody else is acted
// as, and the token changes while it runs). Every call takes the user to act as and a callback;
// the callback is called later, once, on the client's thread, and never after the Client is gone (what is under way is
// then dropped). One call is one attempt: repeating is the business of retry.h and of effects/ (Qt itself repeats a GET
// or PUT, never a POST, if its connection breaks before the answer). Decides nothing, stores nothing, logs no token, no
// content and no answer. Not thread-safe: lives on the core thread.
#pragma once

#include "transport.h"

#include <QJsonArray>
#include <QUrlQuery>

namespace voip::homeserver
{

struct TurnServers {
    QStringList uris; // turn:, turns:, stun:, stuns:; empty: the homeserver offers none (R97)
    QString username;
    QString password;   // secret: never logged (R98)
    int ttlSeconds = 0; // from now; 0 only without uris

    bool operator==(const TurnServers &) const = default;
};

class Client : public QObject
{
    Q_OBJECT

public:
    static constexpr std::chrono::milliseconds kTimeLimit{10'000};
    // Joining, leaving and inviting may make the homeserver talk to others first.
    static constexpr std::chrono::milliseconds kFederatedTimeLimit{60'000};

    explicit Client(Access access, QObject *parent = nullptr); // over HTTP
    // `transport` becomes the client's.
    Client(Access access, Transport *transport, QObject *parent = nullptr);

    // For tests and for impatient hosts. Applies to requests made from now on.
    void setTimeLimits(std::chrono::milliseconds usual, std::chrono::milliseconds federated);
    void setMaxAnswerBytes(qint64 bytes) { m_transport->setMaxAnswerBytes(bytes); }

    [[nodiscard]] const Access &access() const { return m_access; }
    [[nodiscard]] QString userId(const QString &localpart) const; // "@localpart:serverName"
    [[nodiscard]] QString ownUserId() const
    {
        return m_access.isAccount() ? m_access.account : userId(m_access.senderLocalpart);
    }

    // An account's token, for requests made from now on; empty: its session is over. While there is one, an answer
    // that it is unknown counts as passing (Failure::transient): whoever holds the session is told and renews it.
    void setToken(const QByteArray &token) { m_access.asToken = token; }

    // False after a request found no homeserver, timed out or got a 5xx; true again after any JSON answer below 500.
    // Assumed true until something has failed. The Client does not probe: somebody has to ask (ping, versions).
    // Time-outs and 5xx of requests that depend on other servers (join, leave, create) do not count.
    [[nodiscard]] bool reachable() const { return m_reachable; }

    // `asUser`: a ghost's full Matrix id, or empty for the bridge's own user.
    // `txnId` must be unique over all ghosts: the homeserver keeps one set for the whole appservice (R111). Synapse
    // keeps that set in its memory for half an hour, and only what a `device` (one that it knows, or empty) sends for
    // longer than it runs.
    void sendEvent(const QString &asUser, const QString &device, const QString &roomId, const QString &type,
                   const QString &txnId, const QJsonObject &content, Reply<QString> reply); // -> event id
    void registerGhost(const QString &localpart, Reply<bool> reply); // -> true: created; false: it existed
    void setDisplayName(const QString &asUser, const QString &name, Reply<Done> reply);
    // Must not be repeated blindly: a failure with maybeDone may have made a room.
    void createDirectRoom(const QString &asUser, const QString &invitee, const QJsonArray &initialState,
                          Reply<QString> reply); // -> room id
    void join(const QString &asUser, const QString &roomId, Reply<QString> reply);
    void leave(const QString &asUser, const QString &roomId, Reply<Done> reply);
    void joinedRooms(const QString &asUser, Reply<QStringList> reply);
    void roomState(const QString &asUser, const QString &roomId, Reply<QVector<QJsonObject>> reply);
    // Oldest first; `limit` 1..500.
    void recentEvents(const QString &asUser, const QString &roomId, int limit, Reply<QVector<QJsonObject>> reply);
    void turnServers(const QString &asUser, Reply<TurnServers> reply);
    // Asks the homeserver to call us back; never as a ghost and never with a device (R113, E30). -> milliseconds
    void ping(Reply<int> reply);
    void versions(Reply<QStringList> reply);
    void whoami(const QString &asUser, Reply<QString> reply); // -> user id

    // --- keys and devices (keyendpoints.cpp); `device`: act as that device of the user. Answers are as they come:
    // crypto/ believes nothing of them.
    void makeDevice(const QString &asUser, const QString &device, const QString &name, Reply<Done> reply);
    void dropDevice(const QString &asUser, const QString &device, Reply<Done> reply);
    void uploadKeys(const QString &asUser, const QString &device, const QJsonObject &body, Reply<QJsonObject> reply);
    void uploadIdentity(const QString &asUser, const QJsonObject &body, Reply<Done> reply);
    void queryKeys(const QString &asUser, const QStringList &users, Reply<QJsonObject> reply);
    void claimKeys(const QString &asUser, const QHash<QString, QStringList> &devices, Reply<QJsonObject> reply);
    // Megolm sessions into the acting user's key backup, which must be that version.
    void backUpKeys(const QString &asUser, const QString &version, const QJsonObject &body, Reply<Done> reply);
    void sendToDevice(const QString &asUser, const QString &type, const QString &txnId, const QJsonObject &messages,
                      Reply<Done> reply);
    // What there is for a device since then, and what was said in its rooms (`types`, at most the last 50 of each
    // room); empty `since`: all that waits for the device, and nothing of the rooms. Returns at once.
    void syncDevice(const QString &asUser, const QString &device, const QString &since, const QStringList &types,
                    Reply<QJsonObject> reply);
    // A request that the homeserver answers only after some seconds, with a place to go on from: when it breaks, the
    // homeserver was stopped, or is gone. Empty `since`: answered at once. Synapse fails it for the bridge's own user.
    void holdLine(const QString &asUser, const QString &since, Reply<QString> reply);

    struct Options {
        QString device = {};    // the acting user's device
        bool federated = false; // may depend on other servers: longer limit, does not speak about reachability
        bool anonymous = false; // goes without a token: logging in
    };

    // All of the above goes through here. `path` holds unencoded segments; an empty one, "." or ".." is Rejected
    // without a request. The answer must be a JSON object.
    void request(const QString &asUser, Method method, const QStringList &path, const QUrlQuery &query,
                 const QJsonObject &body, Reply<QJsonObject> reply, Options options);
    void request(const QString &asUser, Method method, const QStringList &path, const QUrlQuery &query,
                 const QJsonObject &body, Reply<QJsonObject> reply)
    {
        request(asUser, method, path, query, body, std::move(reply), Options());
    }

Q_SIGNALS:
    void reachableChanged(bool reachable);
    // An account's present token is not accepted any more.
    void tokenRefused(bool softLogout);

private:
    void exchange(const QString &asUser, Method method, const QStringList &path, const QUrlQuery &query,
                  const QJsonObject &body, Reply<QJsonDocument> reply, Options options);
    void finish(Result<QJsonDocument> result, const Reply<QJsonDocument> &reply, Options options,
                const QByteArray &bearer);
    [[nodiscard]] bool lookAtToken(Failure &failure, const QByteArray &bearer);
    [[nodiscard]] QUrl address(const QString &asUser, const QString &device, const QStringList &path,
                               const QUrlQuery &query) const;

    Access m_access;
    Transport *m_transport;
    std::chrono::milliseconds m_timeLimit = kTimeLimit;
    std::chrono::milliseconds m_federatedTimeLimit = kFederatedTimeLimit;
    bool m_reachable = true;
};

} // namespace voip::homeserver
