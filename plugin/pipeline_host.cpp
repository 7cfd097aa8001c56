// SPDX-License-Identifier: Apache-2.0
// What the host asks for: the Switchboard of pipeline.h, and the administrator's switch.
#include "effects/present.h"
#include "errandcodec.h"
#include "observe/log.h"
#include "pipeline.h"
#include "protocol/streams.h"
#include "replay/timeline.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QUuid>

#include <algorithm>

namespace voip
{

using namespace voiphost;
using effects::Lane;

namespace
{

constexpr int maxHistory = 200;
constexpr int maxNotices = 1000;
constexpr int icePatienceMs = 1000;

call::Place toCore(const FullPlaceRequest &request, const QString &roomId)
{
    return {QUuid::createUuid().toString(QUuid::WithoutBraces),
            roomId,
            request.sdp,
            {request.media.audio, request.media.video},
            protocol::ourStreams(request.sdp, request.streams),
            {request.capabilities.transferee, request.capabilities.dtmf}};
}

} // namespace

void Pipeline::open(const QString &userId, const ConversationTarget &target,
                    std::function<void(Expected<Conversation>)> reply)
{
    if (const auto error = notServing())
        return reply(*error);
    if (m_shared.draining)
        return reply(effects::stopping());
    if (Lane *lane = laneOfUser(userId))
        return m_conversations.open(*lane, target, std::move(reply));
    m_errands.send(m_router.matrixIdOf(userId), openErrand(target),
                   [reply](const std::optional<QJsonObject> &answer) { reply(openedOf(answer)); });
}

void Pipeline::conversations(const QString &userId, std::function<void(Expected<QList<Conversation>>)> reply)
{
    if (!m_serving)
        return reply(QList<Conversation>{});
    if (const Lane *lane = laneOfUser(userId))
        return reply(effects::Conversations::list(lane->line()));
    const QString id = m_router.matrixIdOf(userId);
    m_store.roomsOf(id, this, [id, reply](const auto &rooms) {
        if (!rooms.ok())
            return reply(effects::databaseAway());
        call::Line line;
        line.self = id;
        for (const call::Room &room : *rooms)
            line.rooms.insert(room.id, room);
        reply(effects::Conversations::list(line));
    });
}

void Pipeline::place(const QString &userId, const QString &conversationId, const FullPlaceRequest &request,
                     CallReply reply)
{
    if (const auto error = notServing())
        return reply(*error);
    Lane *lane = laneOfUser(userId);
    if (!lane) {
        return sendErrand(userId,
                          {{QStringLiteral("do"), QStringLiteral("place-in")},
                           {QStringLiteral("conversation"), conversationId},
                           {QStringLiteral("request"), requestJson(request)}},
                          reply);
    }
    call::Place place = toCore(request, {});
    for (const call::Room &room : lane->line().rooms) {
        if (room.conversationId == conversationId)
            place.roomId = room.id;
    }
    if (place.roomId.isEmpty()) {
        m_shared.metrics.count(observe::Counter::RoomNotFound);
        return reply(effects::errorOf({call::Refusal::UnknownRoom, {}, call::State::Ended}));
    }
    effects::HostAction action{place, place.callId, {}, reply};
    if (!request.idempotencyKey.isEmpty()) {
        QCryptographicHash hash(QCryptographicHash::Sha256);
        const QString flags =
            QStringLiteral("%1|%2|%3|").arg(conversationId).arg(place.media.audio).arg(place.media.video);
        hash.addData(flags.toUtf8());
        hash.addData(request.sdp.toUtf8());
        // Only where they are said: a key of a request without them means the same after an update.
        if (!request.streams.isEmpty())
            hash.addData(QJsonDocument(request.streams).toJson(QJsonDocument::Compact));
        if (request.capabilities != Capabilities())
            hash.addData(QByteArray::number((place.can.transferee ? 1 : 0) + (place.can.dtmf ? 2 : 0)));
        action.key = store::IdempotencyKey{lane->line().self, request.idempotencyKey, hash.result(), place.callId,
                                           m_clock.now()};
        // The first call may be over and forgotten by the line; the store remembers it.
        action.reply = [this, userId, reply](const Expected<FullPlaced> &outcome) {
            if (outcome.ok() || outcome.error().code != QLatin1String("CALL_NOT_FOUND"))
                return reply(outcome);
            findCall(userId, outcome.error().message, [reply](const Expected<FullCall> &found) {
                reply(found.ok() ? Expected<FullPlaced>(FullPlaced{*found, true})
                                 : Expected<FullPlaced>(found.error()));
            });
        };
    }
    lane->act(std::move(action));
}

void Pipeline::act(const QString &userId, const QString &callId, const call::Input &input, CallReply reply)
{
    if (const auto error = notServing())
        return reply(*error);
    Lane *lane = laneOfUser(userId);
    if (!lane)
        return sendErrand(userId, replay::hostAction(input), reply);
    const bool ending = std::holds_alternative<call::End>(input) || std::holds_alternative<call::Reject>(input);
    effects::HostAction action{input, callId, {}, {}};
    // A call that ended long ago is not in the line any more.
    action.reply = [this, userId, callId, ending, reply](const Expected<FullPlaced> &outcome) {
        if (outcome.ok() || outcome.error().code != QLatin1String("CALL_NOT_FOUND"))
            return reply(outcome);
        findCall(userId, callId, [ending, callId, reply](const Expected<FullCall> &found) {
            if (!found.ok())
                return reply(found.error());
            if (ending)
                return reply(FullPlaced{*found, true});
            reply(effects::errorOf({call::Refusal::WrongState, callId, call::State::Ended}));
        });
    };
    lane->act(std::move(action));
}

void Pipeline::acceptTransfer(const QString &userId, const QString &callId, const FullPlaceRequest &request,
                              CallReply reply)
{
    if (const auto error = notServing())
        return reply(*error);
    const Lane *lane = laneOfUser(userId);
    if (!lane) {
        return sendErrand(userId,
                          {{QStringLiteral("do"), QStringLiteral("accept-transfer")},
                           {QStringLiteral("call"), callId},
                           {QStringLiteral("request"), requestJson(request)}},
                          reply);
    }
    const auto calls = lane->line().calls;
    const auto found = calls.constFind(callId);
    const bool toBePlaced = found != calls.constEnd() && found->announced && found->transfer &&
                            found->transfer->kind == call::Transfer::Kind::TheyAskUsToCall &&
                            found->transfer->until > 0;
    if (!toBePlaced) // there is nothing to call: the core takes it, or says why not
        return act(userId, callId, call::AcceptTransfer{callId, {}}, std::move(reply));
    if (request.sdp.isEmpty())
        return reply(effects::badSdp());
    open(userId, {found->transfer->target.id, {}},
         [this, userId, callId, request, reply](const Expected<Conversation> &conversation) {
             if (!conversation.ok())
                 return reply(conversation.error());
             act(userId, callId, call::AcceptTransfer{callId, toCore(request, conversation->roomId)}, reply);
         });
}

void Pipeline::iceServers(const QString &userId, std::function<void(Expected<IceServers>)> give)
{
    if (const auto error = notServing())
        return give(*error);
    // A phone asks in the middle of setting up a call (R95): what is not at hand soon is not waited for.
    const auto reply = [give, given = std::make_shared<bool>(false)](const Expected<IceServers> &outcome) {
        if (!std::exchange(*given, true))
            give(outcome);
    };
    QTimer::singleShot(icePatienceMs, this, [reply] {
        reply(effects::unavailable(QStringLiteral("HOMESERVER_UNAVAILABLE"),
                                   tr("The homeserver did not answer in time. Calls inside one network still work.")));
    });
    const QString lane = m_router.matrixIdOf(userId);
    m_rooms.ensureGhost(lane, [this, lane, reply](const auto &ghost) {
        const auto failed = [reply](const homeserver::Failure &failure) {
            reply(effects::unavailable(QStringLiteral("HOMESERVER_UNAVAILABLE"),
                                       tr("The homeserver gave no TURN servers (%1).").arg(failure.message)));
        };
        if (!ghost.ok())
            return failed(ghost.error());
        m_turn.get(lane, [reply, failed](const homeserver::Result<homeserver::TurnServers> &servers) {
            if (!servers.ok())
                return failed(servers.error());
            reply(IceServers{servers->uris, servers->username, servers->password, servers->ttlSeconds});
        });
    });
}

void Pipeline::findCall(const QString &userId, const QString &callId, std::function<void(Expected<FullCall>)> reply)
{
    if (const auto error = notServing())
        return reply(*error);
    const QString lane = m_router.matrixIdOf(userId);
    if (const Lane *held = laneOf(lane)) {
        const auto live = held->line().calls.constFind(callId);
        if (live != held->line().calls.constEnd() && live->announced)
            return reply(present(*live, lane));
    }
    m_store.findCall(lane, callId, this, [this, lane, reply](const auto &found) {
        if (!found.ok())
            return reply(effects::databaseAway());
        if (!*found || !(*found)->announced)
            return reply(effects::errorOf({call::Refusal::UnknownCall, {}, call::State::Ended}));
        presentStored(lane, {**found}, [reply](const QList<FullCall> &calls) { reply(calls.first()); });
    });
}

void Pipeline::history(const QString &userId, int limit, const QString &before,
                       std::function<void(Expected<QList<FullCall>>)> reply)
{
    if (const auto error = notServing())
        return reply(*error);
    const QString lane = m_router.matrixIdOf(userId);
    m_store.history(lane, std::clamp(limit, 1, maxHistory), before, this, [this, lane, reply](const auto &calls) {
        if (!calls.ok())
            return reply(effects::databaseAway());
        presentStored(lane, *calls, [reply](const QList<FullCall> &list) { reply(list); });
    });
}

// What another worker has committed, told or not: its notices alone do not say how a call stands.
void Pipeline::liveCalls(const QString &userId, std::function<void(Expected<QList<FullCall>>)> reply)
{
    const QString lane = m_router.matrixIdOf(userId);
    if (!m_serving || laneOf(lane))
        return reply(m_shared.board.live(userId));
    m_store.liveCallsOf(lane, this, [this, lane, reply](const auto &calls) {
        if (!calls.ok())
            return reply(effects::databaseAway());
        presentStored(lane, *calls, [reply](const QList<FullCall> &list) { reply(list); });
    });
}

void Pipeline::timeline(const QString &userId, const QString &callId, bool withSdp,
                        std::function<void(Expected<QByteArray>)> reply)
{
    if (!laneOfUser(userId)) {
        return m_errands.send(m_router.matrixIdOf(userId),
                              {{QStringLiteral("do"), QStringLiteral("timeline")},
                               {QStringLiteral("call"), callId},
                               {QStringLiteral("sdp"), withSdp}},
                              [reply](const std::optional<QJsonObject> &answer) { reply(timelineOf(answer)); });
    }
    const QByteArray lines = m_recorder.timeline(m_router.matrixIdOf(userId), callId, withSdp);
    if (!lines.isEmpty())
        return reply(lines);
    reply(Error{ErrorKind::NotFound, QStringLiteral("TIMELINE_NOT_KEPT"), tr("No timeline is kept of this call."), {}});
}

void Pipeline::notices(const QString &userId, std::optional<qint64> afterId, int limit,
                       std::function<void(Expected<QList<CallNotice>>)> reply)
{
    if (const auto error = notServing())
        return reply(*error);
    const QString lane = m_router.matrixIdOf(userId);
    const auto give = [userId, reply](const store::Result<QVector<store::Notice>> &notices) {
        if (!notices.ok())
            return reply(effects::databaseAway());
        QList<CallNotice> list;
        for (const store::Notice &notice : *notices)
            list.push_back(effects::toHost(notice, userId));
        reply(list);
    };
    if (afterId)
        return m_store.noticesAfter(lane, *afterId, std::clamp(limit, 1, maxNotices), this, give);
    QVector<QString> live;
    for (const FullCall &call : m_shared.board.live(userId))
        live.push_back(call.id);
    m_store.noticesOfCalls(lane, live, this, give);
}

FullCall Pipeline::present(const call::Call &call, const QString &lane) const
{
    const auto found = m_lanes.find(lane);
    const QString conversation =
        found == m_lanes.end() ? QString() : found->second->line().rooms.value(call.roomId).conversationId;
    return effects::toHost(call, conversation);
}

// --- the switch ------------------------------------------------------------------------------------------------------

void Shared::enforce(const rollout::Cohort &cohort)
{
    gate.set(cohort);
    metrics.set(observe::Gauge::RolloutPercent, cohort.enabled ? cohort.percent : 0);
}

Rollout Shared::rollout() const
{
    const rollout::Cohort cohort = gate.cohort();
    return {cohort.enabled, cohort.percent};
}

void Pipeline::saveSwitch(const QByteArray &value, const std::function<void(bool)> &saved)
{
    m_store.putSetting(switchKey, value, this, [saved](const auto &result) { saved(result.ok()); });
}

namespace
{

rollout::Switch::Reply replyOf(Shared &shared, const Pipeline::RolloutReply &reply)
{
    return [&shared, reply](std::optional<rollout::Switch::Position> now) {
        if (!now) {
            return reply(
                effects::unavailable(QStringLiteral("DATABASE_UNAVAILABLE"),
                                     Pipeline::tr("The change could not be stored and is not in force. Try again.")));
        }
        shared.enforce(shared.gate.cohort());
        qCInfo(observe::lifecycleLog) << "rollout is" << (now->enabled ? "on," : "off,") << now->percent << "percent";
        reply(Rollout{now->enabled, now->percent});
    };
}

} // namespace

void Pipeline::setRollout(const Rollout &wanted, const RolloutReply &reply)
{
    if (wanted.percent < 0 || wanted.percent > 100) {
        return reply(Error{ErrorKind::Invalid,
                           QStringLiteral("INVALID_FIELD"),
                           tr("percent must be a whole number from 0 to 100."),
                           {}});
    }
    if (const auto error = notServing())
        return reply(*error);
    m_switch.change({wanted.enabled, wanted.percent}, replyOf(m_shared, [this, reply](const auto &outcome) {
                        if (outcome.ok())
                            makeDevices(); // for who is in now
                        reply(outcome);
                    }));
}

void Pipeline::rollBack(const RolloutReply &reply)
{
    if (const auto error = notServing())
        return reply(*error);
    m_switch.rollBack(replyOf(m_shared, reply));
}

} // namespace voip
