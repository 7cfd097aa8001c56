// SPDX-License-Identifier: Apache-2.0
// The call service: what the host's own call service asks of Matrix, and what it is told.
// Owned by the plugin, lives on the host's thread, valid from a successful initialise() until stop() returns.
// Every method is called on the host's thread, returns at once and never blocks; its future finishes on any thread
// when the decision is durable (not when the homeserver has it). `userId` is always the host's own user id, and a
// call or conversation of another user is answered as NotFound.
// The signal is emitted on the host's thread, after the commit that decided it.
#pragma once

#include <voiphost/export.h>
#include <voiphost/types.h>

#include <QFuture>
#include <QObject>

namespace voiphost
{

struct ConversationTarget { // exactly one is set
    QString matrixUser;
    QString roomId;
};

class VOIPHOST_EXPORT CallService : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    // Makes a direct room as the user's ghost and invites, or finds the one that is there. Fails with Unavailable
    // when the homeserver does not answer. Codes: INVALID_USER, ROOM_NOT_FOUND, HOMESERVER_UNAVAILABLE.
    virtual QFuture<Expected<Conversation>> openConversation(const QString &userId,
                                                             const ConversationTarget &target) = 0;
    virtual QFuture<Expected<QList<Conversation>>> conversations(const QString &userId) = 0;

    // Codes: CONVERSATION_NOT_FOUND, CALL_RINGING (details.call_id), CALL_IN_PROGRESS (details.call_id),
    // IDEMPOTENCY_CONFLICT, INVALID_SDP, and Unavailable FALLBACK when Matrix calls are off for this user.
    virtual QFuture<Expected<Placed>> place(const QString &userId, const QString &conversationId,
                                            const PlaceRequest &request) = 0;
    // Codes of all below: CALL_NOT_FOUND, WRONG_STATE (the message names the state), INVALID_SDP.
    virtual QFuture<Expected<Call>> answer(const QString &userId, const QString &callId, const QString &sdp) = 0;
    virtual QFuture<Expected<Call>> addCandidates(const QString &userId, const QString &callId,
                                                  const QList<IceCandidate> &candidates) = 0;
    virtual QFuture<Expected<Call>> setMediaState(const QString &userId, const QString &callId, MediaState state) = 0;
    // An ended call is not an error: it is answered as it is.
    virtual QFuture<Expected<Call>> reject(const QString &userId, const QString &callId, const QString &reason) = 0;
    virtual QFuture<Expected<Call>> end(const QString &userId, const QString &callId, const QString &reason) = 0;

    virtual QFuture<Expected<IceServers>> iceServers(const QString &userId) = 0;

    virtual QFuture<Expected<Call>> call(const QString &userId, const QString &callId) = 0;
    virtual QFuture<Expected<QList<Call>>> liveCalls(const QString &userId) = 0;
    // Ended calls, newest first; `before` is a call id of an earlier page or empty; limit 1..200.
    virtual QFuture<Expected<QList<Call>>> history(const QString &userId, int limit, const QString &before) = 0;
    // The call as `voip-replay` input, JSON lines; SDP is cut out unless asked for.
    virtual QFuture<Expected<QByteArray>> timeline(const QString &userId, const QString &callId, bool withSdp) = 0;
    // Live calls of all users, for administrators. Answered from memory.
    [[nodiscard]] virtual QList<std::pair<QString, Call>> allLiveCalls() const = 0;

    // What was told to this user after `afterId`, oldest first, at most `limit` (1..1000). Kept for an hour at least.
    virtual QFuture<Expected<QList<CallNotice>>> noticesAfter(const QString &userId, qint64 afterId, int limit) = 0;
    // What was told about calls that are still live, oldest first: a fresh event stream starts with these.
    virtual QFuture<Expected<QList<CallNotice>>> noticesOfLiveCalls(const QString &userId) = 0;

Q_SIGNALS:
    // For each call in the order of `seq`; for each user in the order of `id`. After a start, what was told about
    // calls that are still live comes again with `repeated` set.
    void noticed(const voiphost::CallNotice &notice);
};

} // namespace voiphost
