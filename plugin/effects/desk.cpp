// SPDX-License-Identifier: Apache-2.0
#include "effects/desk.h"

#include "effects/answer.h"
#include "effects/present.h"
#include "protocol/sdp.h"
#include "protocol/streams.h"

#include <algorithm>
#include <memory>

namespace voip::effects
{

using namespace voiphost;

namespace
{

constexpr int maxIdempotencyKey = 128;
constexpr int maxText = 255;

Error badField(const QString &message)
{
    return {ErrorKind::Invalid, QStringLiteral("INVALID_FIELD"), message, {}};
}

std::optional<Error> badStreams(const StreamsJson &streams)
{
    if (streams.size() <= maxStreams)
        return {};
    return badField(Desk::tr("streams must hold at most %1 streams.").arg(maxStreams));
}

std::optional<Error> badOffer(const FullPlaceRequest &request)
{
    if (!protocol::looksLikeSdp(request.sdp))
        return badSdp();
    const QString &key = request.idempotencyKey;
    if (key.size() > maxIdempotencyKey || !std::all_of(key.cbegin(), key.cend(), [](QChar c) { return c.isPrint(); })) {
        const QString message =
            Desk::tr("idempotency_key must have at most %1 characters, and only ones that can be printed.");
        return badField(message.arg(maxIdempotencyKey));
    }
    return badStreams(request.streams);
}

// One of the two, and a user that can be one; whether somebody is there only the homeserver knows.
std::optional<Error> badTarget(const TransferTarget &target)
{
    const QString &user = target.matrixUser;
    if (user.isEmpty() == target.callId.isEmpty())
        return badField(Desk::tr("Exactly one of target_user and target_call is needed."));
    const auto colon = user.indexOf(u':');
    if (!user.isEmpty() && (!user.startsWith(u'@') || colon < 2 || colon == user.size() - 1 || user.size() > maxText)) {
        return Error{
            ErrorKind::Invalid, QStringLiteral("INVALID_USER"), Desk::tr("target_user is not a Matrix id."), {}};
    }
    return {};
}

QList<Call> plain(const QList<FullCall> &calls)
{
    return {calls.cbegin(), calls.cend()};
}

call::Decline toCore(Decline how)
{
    switch (how) {
    case Decline::Reject:
        return call::Decline::Reject;
    case Decline::Busy:
        return call::Decline::Busy;
    case Decline::Ignore:
        return call::Decline::Ignore;
    }
    return call::Decline::Reject;
}

call::Answer toCore(const QString &callId, const AnswerRequest &request)
{
    return {callId,
            request.sdp,
            protocol::ourStreams(request.sdp, request.streams),
            {request.capabilities.transferee, request.capabilities.dtmf}};
}

// What was given, as much of it as is asked for: a FullCall holds a Call.
template <typename To, typename From>
Expected<To> as(const Expected<From> &outcome)
{
    return outcome.ok() ? Expected<To>(To(outcome.value())) : Expected<To>(outcome.error());
}

} // namespace

Error badSdp()
{
    return {ErrorKind::Invalid,
            QStringLiteral("INVALID_SDP"),
            Desk::tr("The SDP must start with v=0 and have at most %1 characters.").arg(protocol::maxSdp),
            {}};
}

Desk::Desk(const Board &board, QSet<QString> users, QObject *parent)
    : CallService(parent), m_board(board), m_users(std::move(users))
{
}

void Desk::attach(Switchboard *core, bool shared)
{
    m_core = core;
    m_shared = shared;
    connect(core, &Switchboard::noticed, this, &CallService::noticed, Qt::QueuedConnection);
}

template <typename T, typename Work>
Desk::Answer<T> Desk::ask(const QString &userId, Work work)
{
    auto answer = std::make_shared<effects::Answer<Expected<T>>>(stopping());
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
    return ask<QList<Conversation>>(userId, [=](Switchboard &core, auto give) { core.conversations(userId, give); });
}

QFuture<Expected<Placed>> Desk::place(const QString &userId, const QString &conversationId, const PlaceRequest &request)
{
    const FullPlaceRequest full{request, {}, {}};
    if (const auto error = badOffer(full))
        return ready<Expected<Placed>>(*error);
    return ask<Placed>(userId, [=](Switchboard &core, auto give) {
        core.place(userId, conversationId, full, [give](const Expected<FullPlaced> &outcome) {
            give(outcome.ok() ? Expected<Placed>(Placed{outcome->call, outcome->repeated})
                              : Expected<Placed>(outcome.error()));
        });
    });
}

template <typename T>
Desk::Answer<T> Desk::act(const QString &userId, const QString &callId, const call::Input &input)
{
    return ask<T>(userId, [=](Switchboard &core, auto give) {
        core.act(userId, callId, input, [give](const Expected<FullPlaced> &outcome) {
            give(outcome.ok() ? Expected<T>(outcome->call) : Expected<T>(outcome.error()));
        });
    });
}

QFuture<Expected<Call>> Desk::answer(const QString &userId, const QString &callId, const QString &sdp)
{
    if (!protocol::looksLikeSdp(sdp))
        return ready<Expected<Call>>(badSdp());
    return act<Call>(userId, callId, toCore(callId, {sdp, {}, {}}));
}

QFuture<Expected<Call>> Desk::addCandidates(const QString &userId, const QString &callId,
                                            const QList<IceCandidate> &candidates)
{
    call::AddCandidates added{callId, {}};
    for (const IceCandidate &candidate : candidates)
        added.candidates.push_back({candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex});
    return act<Call>(userId, callId, added);
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
    return act<Call>(userId, callId, call::ReportMedia{callId, report});
}

QFuture<Expected<Call>> Desk::reject(const QString &userId, const QString &callId, const QString &reason)
{
    auto how = call::Decline::Reject;
    if (reason == QLatin1String("user_busy"))
        how = call::Decline::Busy;
    else if (reason == QLatin1String("ignore"))
        how = call::Decline::Ignore;
    return act<Call>(userId, callId, call::Reject{callId, how});
}

QFuture<Expected<Call>> Desk::end(const QString &userId, const QString &callId, const QString &reason)
{
    return act<Call>(userId, callId, call::End{callId, call::endReasonFromMatrix(reason)});
}

QFuture<Expected<IceServers>> Desk::iceServers(const QString &userId)
{
    return ask<IceServers>(userId, [=](Switchboard &core, auto give) { core.iceServers(userId, give); });
}

QFuture<Expected<Call>> Desk::call(const QString &userId, const QString &callId)
{
    return ask<Call>(userId, [=](Switchboard &core, auto give) {
        core.findCall(userId, callId, [give](const Expected<FullCall> &found) { give(as<Call>(found)); });
    });
}

QFuture<Expected<QList<Call>>> Desk::liveCalls(const QString &userId)
{
    if (!m_core || !m_shared)
        return ready<Expected<QList<Call>>>(plain(m_board.live(userId)));
    return ask<QList<Call>>(userId, [=](Switchboard &core, auto give) {
        core.liveCalls(userId, [give](const Expected<QList<FullCall>> &calls) {
            give(calls.ok() ? Expected<QList<Call>>(plain(*calls)) : Expected<QList<Call>>(calls.error()));
        });
    });
}

QFuture<Expected<QList<Call>>> Desk::history(const QString &userId, int limit, const QString &before)
{
    return ask<QList<Call>>(userId, [=](Switchboard &core, auto give) {
        core.history(userId, limit, before, [give](const Expected<QList<FullCall>> &calls) {
            give(calls.ok() ? Expected<QList<Call>>(plain(*calls)) : Expected<QList<Call>>(calls.error()));
        });
    });
}

QFuture<Expected<QByteArray>> Desk::timeline(const QString &userId, const QString &callId, bool withSdp)
{
    return ask<QByteArray>(userId, [=](Switchboard &core, auto give) { core.timeline(userId, callId, withSdp, give); });
}

QList<std::pair<QString, Call>> Desk::allLiveCalls() const
{
    QList<std::pair<QString, Call>> calls;
    for (const auto &[user, call] : m_board.all())
        calls.push_back({user, call});
    return calls;
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

// --- MidCall -------------------------------------------------------------------------------------------------------

Desk::Answer<FullPlaced> Desk::place(const QString &userId, const QString &conversationId,
                                     const FullPlaceRequest &request)
{
    if (const auto error = badOffer(request))
        return ready<Expected<FullPlaced>>(*error);
    return ask<FullPlaced>(userId,
                           [=](Switchboard &core, auto give) { core.place(userId, conversationId, request, give); });
}

Desk::Answer<FullCall> Desk::answer(const QString &userId, const QString &callId, const AnswerRequest &request)
{
    if (!protocol::looksLikeSdp(request.sdp))
        return ready<Expected<FullCall>>(badSdp());
    if (const auto error = badStreams(request.streams))
        return ready<Expected<FullCall>>(*error);
    return act<FullCall>(userId, callId, toCore(callId, request));
}

Desk::Answer<FullCall> Desk::decline(const QString &userId, const QString &callId, Decline how)
{
    return act<FullCall>(userId, callId, call::Reject{callId, toCore(how)});
}

Desk::Answer<FullCall> Desk::fullCall(const QString &userId, const QString &callId)
{
    return ask<FullCall>(userId, [=](Switchboard &core, auto give) { core.findCall(userId, callId, give); });
}

Desk::Answer<QList<FullCall>> Desk::fullLiveCalls(const QString &userId)
{
    if (!m_core || !m_shared)
        return ready<Expected<QList<FullCall>>>(m_board.live(userId));
    return ask<QList<FullCall>>(userId, [=](Switchboard &core, auto give) { core.liveCalls(userId, give); });
}

Desk::Answer<QList<FullCall>> Desk::fullHistory(const QString &userId, int limit, const QString &before)
{
    return ask<QList<FullCall>>(userId,
                                [=](Switchboard &core, auto give) { core.history(userId, limit, before, give); });
}

Desk::Answer<FullCall> Desk::negotiate(const QString &userId, const QString &callId,
                                       const SessionDescription &description)
{
    if (!protocol::looksLikeSdp(description.sdp))
        return ready<Expected<FullCall>>(badSdp());
    if (const auto error = badStreams(description.streams))
        return ready<Expected<FullCall>>(*error);
    const auto type = description.type == SdpType::Offer ? call::SdpType::Offer : call::SdpType::Answer;
    return act<FullCall>(userId, callId,
                         call::Negotiate{callId, type, description.sdp, protocol::activeMediaOf(description.sdp),
                                         protocol::ourStreams(description.sdp, description.streams)});
}

Desk::Answer<FullCall> Desk::setMuted(const QString &userId, const QString &callId, std::optional<bool> audio,
                                      std::optional<bool> video)
{
    if (!audio && !video)
        return ready<Expected<FullCall>>(badField(tr("At least one of audio_muted and video_muted is needed.")));
    return act<FullCall>(userId, callId, call::SetMute{callId, audio, video});
}

Desk::Answer<FullCall> Desk::transfer(const QString &userId, const QString &callId, const TransferTarget &target)
{
    if (const auto error = badTarget(target))
        return ready<Expected<FullCall>>(*error);
    return act<FullCall>(userId, callId, call::TransferCall{callId, target.matrixUser, target.callId});
}

Desk::Answer<FullCall> Desk::acceptTransfer(const QString &userId, const QString &callId,
                                            const FullPlaceRequest &request)
{
    if (!request.sdp.isEmpty()) { // to a call that is awaited there is nothing to place
        if (const auto error = badOffer(request))
            return ready<Expected<FullCall>>(*error);
    }
    return ask<FullCall>(userId, [=](Switchboard &core, auto give) {
        core.acceptTransfer(userId, callId, request, [give](const Expected<FullPlaced> &outcome) {
            give(outcome.ok() ? Expected<FullCall>(outcome->call) : Expected<FullCall>(outcome.error()));
        });
    });
}

Desk::Answer<FullCall> Desk::rejectTransfer(const QString &userId, const QString &callId)
{
    return act<FullCall>(userId, callId, call::RejectTransfer{callId});
}

Desk::Answer<FullCall> Desk::assertIdentity(const QString &userId, const QString &callId,
                                            const std::optional<Identity> &identity)
{
    if (!identity)
        return act<FullCall>(userId, callId, call::AssertIdentity{callId, {}});
    for (const QString &text : {identity->id, identity->displayName, identity->avatarUrl}) {
        if (text.size() > maxText)
            return ready<Expected<FullCall>>(
                badField(tr("Each text of identity must have at most %1 characters.").arg(maxText)));
    }
    return act<FullCall>(
        userId, callId,
        call::AssertIdentity{callId, call::Identity{identity->id, identity->displayName, identity->avatarUrl}});
}

} // namespace voip::effects
