// SPDX-License-Identifier: Apache-2.0
// In-memory calls, with the states and error codes that a host must be able to pass on.
#include "echo_calls.h"

#include <QDateTime>
#include <QJsonDocument>

using namespace voiphost;

namespace
{

template <typename T>
QFuture<Expected<T>> ready(T value)
{
    return QtFuture::makeReadyFuture(Expected<T>(std::move(value)));
}

template <typename T>
QFuture<Expected<T>> error(ErrorKind kind, const char *code, const QString &message, const QJsonObject &details = {})
{
    return QtFuture::makeReadyFuture(Expected<T>(Error{kind, QString::fromLatin1(code), message, details}));
}

template <typename T>
QFuture<Expected<T>> noCall()
{
    return error<T>(ErrorKind::NotFound, "CALL_NOT_FOUND", QStringLiteral("There is no such call"));
}

bool isLive(const Call &call)
{
    return call.status != CallStatus::Ended && call.status != CallStatus::Failed;
}

} // namespace

EchoCalls::EchoCalls(const QList<HostUser> &users)
{
    for (const HostUser &user : users)
        m_conversations.insert(user.id, {});
}

EchoCalls::Entry *EchoCalls::find(const QString &userId, const QString &callId)
{
    for (Entry &entry : m_entries) {
        if (entry.user == userId && entry.call.id == callId)
            return &entry;
    }
    return nullptr;
}

void EchoCalls::tell(Entry &entry, NoticeKind kind, const QJsonObject &data)
{
    QList<CallNotice> &log = m_notices[entry.user];
    CallNotice notice;
    notice.id = log.size() + 1;
    notice.seq = ++entry.seq;
    notice.userId = entry.user;
    notice.callId = entry.call.id;
    notice.conversationId = entry.call.conversationId;
    notice.kind = kind;
    notice.data = data;
    notice.at = QDateTime::currentMSecsSinceEpoch();
    log.append(notice);
    Q_EMIT noticed(notice);
}

QFuture<Expected<Conversation>> EchoCalls::openConversation(const QString &userId, const ConversationTarget &target)
{
    QList<Conversation> &mine = m_conversations[userId];
    for (Conversation known : mine) {
        if (known.peer == target.matrixUser || known.roomId == target.roomId) {
            known.created = false;
            return ready(known);
        }
    }
    if (target.matrixUser.isEmpty())
        return error<Conversation>(ErrorKind::NotFound, "ROOM_NOT_FOUND", QStringLiteral("There is no such room"));
    const QString id = QStringLiteral("%1-c%2").arg(userId).arg(mine.size() + 1);
    const Conversation made{id, QStringLiteral("!%1:echo").arg(id), target.matrixUser, false, true};
    mine.append(made);
    return ready(made);
}

QFuture<Expected<QList<Conversation>>> EchoCalls::conversations(const QString &userId)
{
    return ready(m_conversations.value(userId));
}

QFuture<Expected<Placed>> EchoCalls::place(const QString &userId, const QString &conversationId,
                                           const PlaceRequest &request)
{
    if (m_refuseNew)
        return error<Placed>(ErrorKind::Unavailable, "FALLBACK", QStringLiteral("The bridge is stopping"));
    for (const Entry &entry : std::as_const(m_entries)) {
        if (entry.user == userId && !request.idempotencyKey.isEmpty() && entry.idempotencyKey == request.idempotencyKey)
            return ready(Placed{entry.call, true});
        if (entry.user == userId && entry.call.conversationId == conversationId && isLive(entry.call))
            return error<Placed>(ErrorKind::Conflict, "CALL_IN_PROGRESS", QStringLiteral("A call is in progress"),
                                 {{QStringLiteral("call_id"), entry.call.id}});
    }
    const auto known = m_conversations.value(userId);
    for (const Conversation &conversation : known) {
        if (conversation.id != conversationId)
            continue;
        Entry entry;
        entry.user = userId;
        entry.idempotencyKey = request.idempotencyKey;
        entry.call.id = QStringLiteral("call%1").arg(m_nextCall++);
        entry.call.conversationId = conversationId;
        entry.call.direction = Direction::Outgoing;
        entry.call.peer = conversation.peer;
        entry.call.roomId = conversation.roomId;
        entry.call.matrixCallId = entry.call.id + QStringLiteral("m");
        entry.call.partyId = QStringLiteral("echo");
        entry.call.createdAt = QDateTime::currentMSecsSinceEpoch();
        entry.call.media = request.media;
        m_entries.append(entry);
        return ready(Placed{entry.call, false});
    }
    return error<Placed>(ErrorKind::NotFound, "CONVERSATION_NOT_FOUND",
                         QStringLiteral("There is no such conversation"));
}

void EchoCalls::incoming(const QString &userId, const QJsonObject &invite)
{
    if (!m_conversations.contains(userId))
        return;
    const QJsonObject content = invite.value(QStringLiteral("content")).toObject();
    Entry entry;
    entry.user = userId;
    entry.call.id = QStringLiteral("call%1").arg(m_nextCall++);
    entry.call.conversationId = userId + QStringLiteral("-in");
    entry.call.peer = invite.value(QStringLiteral("sender")).toString();
    entry.call.roomId = invite.value(QStringLiteral("room_id")).toString();
    entry.call.matrixCallId = content.value(QStringLiteral("call_id")).toString();
    entry.call.partyId = QStringLiteral("echo");
    entry.call.createdAt = QDateTime::currentMSecsSinceEpoch();
    m_entries.append(entry);
    const QString sdp = content.value(QStringLiteral("offer")).toObject().value(QStringLiteral("sdp")).toString();
    tell(m_entries.last(), NoticeKind::Initiated,
         {{QStringLiteral("peer"), entry.call.peer}, {QStringLiteral("sdp"), sdp}});
}

QFuture<Expected<Call>> EchoCalls::answer(const QString &userId, const QString &callId, const QString &sdp)
{
    Entry *entry = find(userId, callId);
    if (!entry)
        return noCall<Call>();
    if (entry->answerSdp == sdp)
        return ready(entry->call);
    if (entry->call.status != CallStatus::Ringing)
        return error<Call>(ErrorKind::Conflict, "WRONG_STATE",
                           QStringLiteral("The call is %1").arg(toString(entry->call.status)));
    entry->answerSdp = sdp;
    entry->call.status = CallStatus::Connecting;
    entry->call.answeredAt = QDateTime::currentMSecsSinceEpoch();
    return ready(entry->call);
}

QFuture<Expected<Call>> EchoCalls::addCandidates(const QString &userId, const QString &callId,
                                                 const QList<IceCandidate> &)
{
    return call(userId, callId);
}

QFuture<Expected<Call>> EchoCalls::setMediaState(const QString &userId, const QString &callId, MediaState state)
{
    Entry *entry = find(userId, callId);
    if (!entry)
        return noCall<Call>();
    if (state == MediaState::Connected && isLive(entry->call))
        entry->call.status = CallStatus::Connected;
    return ready(entry->call);
}

QFuture<Expected<Call>> EchoCalls::finish(const QString &userId, const QString &callId, const QString &reason)
{
    Entry *entry = find(userId, callId);
    if (!entry)
        return noCall<Call>();
    if (!isLive(entry->call))
        return ready(entry->call);
    entry->call.status = CallStatus::Ended;
    entry->call.endedAt = QDateTime::currentMSecsSinceEpoch();
    entry->call.reason = reason;
    const Call ended = entry->call;
    tell(*entry, NoticeKind::Ended, {{QStringLiteral("reason"), reason}});
    return ready(ended);
}

QFuture<Expected<Call>> EchoCalls::reject(const QString &userId, const QString &callId, const QString &reason)
{
    return finish(userId, callId, reason.isEmpty() ? QStringLiteral("rejected") : reason);
}

QFuture<Expected<Call>> EchoCalls::end(const QString &userId, const QString &callId, const QString &reason)
{
    return finish(userId, callId, reason.isEmpty() ? QStringLiteral("user_hangup") : reason);
}

QFuture<Expected<IceServers>> EchoCalls::iceServers(const QString &)
{
    return ready(IceServers{{QStringLiteral("turn:127.0.0.1:3478")}, QStringLiteral("echo"), QStringLiteral("pw"), 60});
}

QFuture<Expected<Call>> EchoCalls::call(const QString &userId, const QString &callId)
{
    const Entry *entry = find(userId, callId);
    return entry ? ready(entry->call) : noCall<Call>();
}

QFuture<Expected<QList<Call>>> EchoCalls::liveCalls(const QString &userId)
{
    QList<Call> live;
    for (const Entry &entry : std::as_const(m_entries)) {
        if (entry.user == userId && isLive(entry.call))
            live.append(entry.call);
    }
    return ready(live);
}

QFuture<Expected<QList<Call>>> EchoCalls::history(const QString &userId, int limit, const QString &)
{
    QList<Call> ended;
    for (auto it = m_entries.crbegin(); it != m_entries.crend() && ended.size() < limit; ++it) {
        if (it->user == userId && !isLive(it->call))
            ended.append(it->call);
    }
    return ready(ended);
}

QFuture<Expected<QByteArray>> EchoCalls::timeline(const QString &userId, const QString &callId, bool withSdp)
{
    if (!find(userId, callId))
        return noCall<QByteArray>();
    QByteArray lines = "{\"replay\":1,\"seed\":1}\n";
    const auto notices = m_notices.value(userId);
    for (const CallNotice &notice : notices) {
        QJsonObject data = notice.data;
        if (!withSdp && data.contains(QStringLiteral("sdp")))
            data[QStringLiteral("sdp")] = QStringLiteral("[redacted]");
        if (notice.callId == callId)
            lines += QJsonDocument(data).toJson(QJsonDocument::Compact) + '\n';
    }
    return ready(lines);
}

QList<std::pair<QString, Call>> EchoCalls::allLiveCalls() const
{
    QList<std::pair<QString, Call>> live;
    for (const Entry &entry : m_entries) {
        if (isLive(entry.call))
            live.append({entry.user, entry.call});
    }
    return live;
}

QFuture<Expected<QList<CallNotice>>> EchoCalls::noticesAfter(const QString &userId, qint64 afterId, int limit)
{
    QList<CallNotice> found;
    const auto log = m_notices.value(userId);
    for (const CallNotice &notice : log) {
        if (notice.id > afterId && found.size() < limit)
            found.append(notice);
    }
    return ready(found);
}

QFuture<Expected<QList<CallNotice>>> EchoCalls::noticesOfLiveCalls(const QString &userId)
{
    QList<CallNotice> found;
    const auto log = m_notices.value(userId);
    for (const CallNotice &notice : log) {
        const Entry *entry = find(userId, notice.callId);
        if (entry && isLive(entry->call))
            found.append(notice);
    }
    return ready(found);
}
