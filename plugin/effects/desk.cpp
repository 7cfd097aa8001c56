// SPDX-License-Identifier: Apache-2.0
#include "effects/desk.h"

#include "effects/answer.h"
#include "effects/present.h"
#include "protocol/sdp.h"

#include <algorithm>
#include <memory>

namespace voip::effects
{

using namespace voiphost;

namespace
{

constexpr int maxIdempotencyKey = 128;

Error badSdp()
{
    return {ErrorKind::Invalid,
            QStringLiteral("INVALID_SDP"),
            Desk::tr("The SDP must start with v=0 and have at most %1 characters.").arg(protocol::maxSdp),
            {}};
}

} // namespace

Desk::Desk(const Board &board, QSet<QString> users, QObject *parent)
    : CallService(parent), m_board(board), m_users(std::move(users))
{
}

void Desk::attach(Switchboard *core)
{
    m_core = core;
    connect(core, &Switchboard::noticed, this, &CallService::noticed, Qt::QueuedConnection);
}

template <typename T, typename Work>
QFuture<Expected<T>> Desk::ask(const QString &userId, Work work)
{
    auto answer = std::make_shared<Answer<Expected<T>>>(stopping());
    auto future = answer->future();
    if (!m_users.contains(userId))
        answer->give(Error{ErrorKind::NotFound, QStringLiteral("USER_NOT_FOUND"), tr("There is no such user."), {}});
    else if (m_core) {
        QMetaObject::invokeMethod(
            m_core.data(),
            [core = m_core.data(), work = std::move(work), answer] {
                work(*core, [answer](Expected<T> value) { answer->give(std::move(value)); });
            },
            Qt::QueuedConnection);
    }
    return future;
}

QFuture<Expected<Conversation>> Desk::openConversation(const QString &userId, const ConversationTarget &target)
{
    return ask<Conversation>(userId, [=](Switchboard &core, auto give) { core.open(userId, target, give); });
}

QFuture<Expected<QList<Conversation>>> Desk::conversations(const QString &userId)
{
    return ask<QList<Conversation>>(userId, [=](Switchboard &core, auto give) { give(core.conversations(userId)); });
}

QFuture<Expected<Placed>> Desk::place(const QString &userId, const QString &conversationId, const PlaceRequest &request)
{
    if (!protocol::looksLikeSdp(request.sdp))
        return ready<Expected<Placed>>(badSdp());
    const QString &key = request.idempotencyKey;
    if (key.size() > maxIdempotencyKey || !std::all_of(key.cbegin(), key.cend(), [](QChar c) { return c.isPrint(); })) {
        const QString message =
            tr("idempotency_key must have at most %1 characters, and only ones that can be printed.");
        return ready<Expected<Placed>>(
            Error{ErrorKind::Invalid, QStringLiteral("INVALID_FIELD"), message.arg(maxIdempotencyKey), {}});
    }
    return ask<Placed>(userId,
                       [=](Switchboard &core, auto give) { core.place(userId, conversationId, request, give); });
}

QFuture<Expected<Call>> Desk::act(const QString &userId, const QString &callId, const call::Input &input)
{
    return ask<Call>(userId, [=](Switchboard &core, auto give) {
        core.act(userId, callId, input, [give](const Expected<Placed> &outcome) {
            give(outcome.ok() ? Expected<Call>(outcome->call) : Expected<Call>(outcome.error()));
        });
    });
}

QFuture<Expected<Call>> Desk::answer(const QString &userId, const QString &callId, const QString &sdp)
{
    if (!protocol::looksLikeSdp(sdp))
        return ready<Expected<Call>>(badSdp());
    return act(userId, callId, call::Answer{callId, sdp});
}

QFuture<Expected<Call>> Desk::addCandidates(const QString &userId, const QString &callId,
                                            const QList<IceCandidate> &candidates)
{
    call::AddCandidates added{callId, {}};
    for (const IceCandidate &candidate : candidates)
        added.candidates.push_back({candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex});
    return act(userId, callId, added);
}

QFuture<Expected<Call>> Desk::setMediaState(const QString &userId, const QString &callId, MediaState state)
{
    auto report = call::MediaReport::Connected;
    switch (state) {
    case MediaState::Connected:
        report = call::MediaReport::Connected;
        break;
    case MediaState::Disconnected:
        report = call::MediaReport::Disconnected;
        break;
    case MediaState::Failed:
        report = call::MediaReport::Failed;
        break;
    }
    return act(userId, callId, call::ReportMedia{callId, report});
}

QFuture<Expected<Call>> Desk::reject(const QString &userId, const QString &callId, const QString &)
{
    return act(userId, callId, call::Reject{callId});
}

QFuture<Expected<Call>> Desk::end(const QString &userId, const QString &callId, const QString &reason)
{
    return act(userId, callId, call::End{callId, call::endReasonFromMatrix(reason)});
}

QFuture<Expected<IceServers>> Desk::iceServers(const QString &userId)
{
    return ask<IceServers>(userId, [=](Switchboard &core, auto give) { core.iceServers(userId, give); });
}

QFuture<Expected<Call>> Desk::call(const QString &userId, const QString &callId)
{
    return ask<Call>(userId, [=](Switchboard &core, auto give) { core.findCall(userId, callId, give); });
}

QFuture<Expected<QList<Call>>> Desk::liveCalls(const QString &userId)
{
    return ready<Expected<QList<Call>>>(m_board.live(userId));
}

QFuture<Expected<QList<Call>>> Desk::history(const QString &userId, int limit, const QString &before)
{
    return ask<QList<Call>>(userId, [=](Switchboard &core, auto give) { core.history(userId, limit, before, give); });
}

QFuture<Expected<QByteArray>> Desk::timeline(const QString &userId, const QString &callId, bool withSdp)
{
    return ask<QByteArray>(userId, [=](Switchboard &core, auto give) { core.timeline(userId, callId, withSdp, give); });
}

QList<std::pair<QString, Call>> Desk::allLiveCalls() const
{
    return m_board.all();
}

QFuture<Expected<QList<CallNotice>>> Desk::noticesAfter(const QString &userId, qint64 afterId, int limit)
{
    return ask<QList<CallNotice>>(userId,
                                  [=](Switchboard &core, auto give) { core.notices(userId, afterId, limit, give); });
}

QFuture<Expected<QList<CallNotice>>> Desk::noticesOfLiveCalls(const QString &userId)
{
    return ask<QList<CallNotice>>(userId, [=](Switchboard &core, auto give) { core.notices(userId, {}, 1000, give); });
}

} // namespace voip::effects
