// SPDX-License-Identifier: Apache-2.0
#include "pipeline.h"

#include "effects/present.h"
#include "observe/log.h"
#include "protocol/read.h"

#include <QCryptographicHash>
#include <QUuid>

namespace voip
{

using namespace voiphost;
using effects::Lane;

namespace
{

constexpr auto pruneEvery = std::chrono::hours(1);
constexpr auto watchEvery = std::chrono::seconds(5);     // only while the homeserver is away
const QString knownLane = QStringLiteral("known_lane:"); // setting: this ghost's rooms have been asked for

QStringList idsOf(const QList<HostUser> &users)
{
    QStringList ids;
    for (const HostUser &user : users)
        ids.push_back(user.id);
    return ids;
}

} // namespace

Pipeline::Pipeline(PipelineSettings settings, Shared &shared)
    : m_settings(std::move(settings)), m_shared(shared),
      m_router(m_settings.homeserver.userPrefix, m_settings.homeserver.serverName), m_store(m_settings.database),
      m_intake(m_store, m_router, shared.metrics),
      m_client({m_settings.homeserver.url, m_settings.homeserver.serverName, m_settings.homeserver.asToken,
                m_settings.homeserver.senderLocalpart, m_settings.homeserver.appserviceId}),
      m_ghosts(&m_client), m_turn(&m_client), m_outbox(m_client, m_ghosts, shared.metrics, m_clock), m_alarm(m_clock),
      m_rooms(m_client, m_ghosts, [this](const QString &lane) { return m_displayNames.value(lane); }),
      m_conversations(m_client, m_rooms),
      m_laneServices{m_store,
                     m_outbox,
                     m_alarm,
                     shared.board,
                     shared.metrics,
                     m_clock,
                     [this](const QString &lane, const auto &entries) { return read(lane, entries); },
                     [this](const QString &userId) { return m_shared.gate.admits(userId); },
                     [this] { return m_shared.draining.load(); },
                     m_settings.call,
                     [this](const auto &...what) { record(what...); }}
{
    m_router.setUsers(idsOf(m_settings.users));
    for (const HostUser &user : m_settings.users)
        m_displayNames.insert(m_router.matrixIdOf(user.id), user.displayName);
    connectParts();
}

Pipeline::~Pipeline()
{
    m_lanes.clear(); // they answer who still waits, and refer to everything else
    m_store.close();
}

// --- the way of the data -------------------------------------------------------------------------------------------

void Pipeline::connectParts()
{
    // homeserver --transaction--> host --EventBatch--> intake --(inbox row committed)--> lane of the bridged user
    connect(&m_intake, &intake::Intake::accepted, this,
            [this](const QString &lane, const auto &entries) { laneOf(lane).deliver(entries); });

    // lane: decrypt -> parse -> transition -> one commit (see read() below and effects/lane.cpp), and then the effects:
    // the outbox sends, the host is told (laneOf() below), the alarm is set. Results come back as inputs.
    connect(&m_outbox, &effects::Outbox::sent, this,
            [this](const QString &lane, const QString &callId, qint64 ref, const QString &eventId) {
                laneOf(lane).take(call::Sent{ref, callId, eventId});
            });
    connect(&m_outbox, &effects::Outbox::failed, this,
            [this](const QString &lane, const QString &callId, qint64 ref, const QString &code, bool final) {
                laneOf(lane).take(call::SendFailed{ref, callId, code, !final});
            });
    connect(&m_alarm, &effects::Alarm::due, this, [this](const QString &lane) { laneOf(lane).take(call::Tick{}); });

    // Rooms: entered when the core asks for it; what was said there before the ghost came is taken in like a batch.
    connect(&m_rooms, &effects::RoomKeeper::entered, this,
            [this](const QString &lane, const call::RoomSnapshot &snapshot) { laneOf(lane).take(snapshot); });
    connect(&m_rooms, &effects::RoomKeeper::recent, this,
            [this](const QString &lane, const QVector<QJsonObject> &events) {
                EventBatch batch;
                batch.transactionId = QStringLiteral("recent:") + lane + QUuid::createUuid().toString(QUuid::Id128);
                batch.receivedAt = m_clock.now();
                batch.events = events;
                m_intake.accept(batch);
            });
    connect(&m_rooms, &effects::RoomKeeper::refused, this,
            [this](const QString &lane, const QString &roomId, const QString &code) {
                m_conversations.refused(lane, roomId, code);
                if (code != QLatin1String("homeserver_unavailable") && laneOf(lane).line().rooms.contains(roomId))
                    laneOf(lane).take(call::RoomSnapshot{roomId, {}, call::JoinRule::Invite, false});
            });
}

// An event as it lies in the inbox becomes an input of the core.
call::MatrixBatch Pipeline::read(const QString &lane, const QVector<store::InboxEntry> &entries)
{
    call::MatrixBatch batch;
    const QVector<QJsonObject> events = decrypt(lane, entries);
    for (qsizetype i = 0; i < events.size(); ++i) {
        if (auto event = protocol::readEvent(events.at(i), entries.at(i).receivedAt))
            batch.events.push_back(std::move(*event));
    }
    return batch;
}

// Where the crypto machine takes its place. Without one an encrypted event stays as it is, and the parser calls it
// undecryptable.
QVector<QJsonObject> Pipeline::decrypt(const QString &, const QVector<store::InboxEntry> &entries)
{
    QVector<QJsonObject> events;
    events.reserve(entries.size());
    for (const store::InboxEntry &entry : entries)
        events.push_back(entry.body);
    return events;
}

void Pipeline::record(const call::Line &before, const call::Step &step, const call::Now &now, const call::Input &input,
                      const QVector<store::InboxEntry> &entries)
{
    replay::Recorded recorded{before, step, now, input, {}, entries.isEmpty() ? 0 : entries.first().receivedAt};
    for (const store::InboxEntry &entry : entries)
        recorded.events.push_back(entry.body);
    m_recorder.record(recorded);
}

Lane &Pipeline::laneOf(const QString &matrixId)
{
    if (const auto found = m_lanes.find(matrixId); found != m_lanes.end())
        return *found->second;
    auto lane = std::make_unique<Lane>(matrixId, m_router.userOf(matrixId), m_laneServices);
    connect(lane.get(), &Lane::noticed, this, &Switchboard::noticed);
    connect(lane.get(), &Lane::consumed, &m_intake, &intake::Intake::consumed);
    connect(lane.get(), &Lane::enterRoom, &m_rooms, &effects::RoomKeeper::enter);
    connect(lane.get(), &Lane::roomChanged, this, [this](const QString &id, const call::Room &room) {
        m_router.setInRoom(id, room.id, room.has(id));
        m_conversations.roomChanged(id, room);
    });
    return *m_lanes.emplace(matrixId, std::move(lane)).first->second;
}

// --- start: everything as it was committed --------------------------------------------------------------------------

void Pipeline::start(Started started)
{
    const auto orFail = [started](const store::StoreError &error) {
        started(Error{ErrorKind::Unavailable, QStringLiteral("DATABASE_UNAVAILABLE"), error.message, {}});
    };
    m_store.open(m_settings.rootKey, this, [this, started, orFail](const auto &opened) {
        if (!opened.ok())
            return orFail(opened.error());
        m_store.settings(this, [this, started, orFail](const auto &settings) {
            if (!settings.ok())
                return orFail(settings.error());
            Q_EMIT settingsRestored(*settings);
            m_store.restoreLanes(m_clock.now(), this, [this, started, orFail, settings](const auto &records) {
                if (!records.ok())
                    return orFail(records.error());
                restore(*records, *settings);
                m_store.pendingInbox(this, [this, started, orFail](const auto &pending) {
                    if (!pending.ok())
                        return orFail(pending.error());
                    m_intake.resume(*pending);
                    watch();
                    started(Done{});
                });
            });
        });
    });
}

void Pipeline::restore(const QVector<store::LaneRecord> &records, const QHash<QString, QByteArray> &known)
{
    QSet<QString> restored;
    for (const store::LaneRecord &record : records) {
        if (!m_router.isBridged(record.lane))
            continue; // a user whom the host no longer lists: kept, not served
        restored.insert(record.lane);
        laneOf(record.lane).restore(record);
        repeatNotices(laneOf(record.lane));
    }
    // Ghosts may be older than this database: their rooms are asked for once.
    connect(&m_rooms, &effects::RoomKeeper::rediscovered, this,
            [this](const QString &lane) { m_store.putSetting(knownLane + lane, "1", this, [](const auto &) {}); });
    for (const QString &lane : m_router.lanes()) {
        if (!restored.contains(lane) && !known.contains(knownLane + lane))
            m_rooms.rediscover(lane);
    }
}

// The host hears again of calls that are still live: it may have died with the last process.
void Pipeline::repeatNotices(Lane &lane)
{
    QVector<QString> live;
    for (const call::Call &call : lane.line().calls) {
        if (call.live() && call.announced)
            live.push_back(call.id);
    }
    if (live.isEmpty())
        return;
    m_store.noticesOfCalls(lane.line().self, live, this, [this, userId = lane.userId()](const auto &notices) {
        if (!notices.ok())
            return;
        for (const store::Notice &notice : *notices) {
            CallNotice again = effects::toHost(notice, userId);
            again.repeated = true;
            Q_EMIT noticed(again);
        }
    });
}

// --- health ----------------------------------------------------------------------------------------------------------

void Pipeline::watch()
{
    const auto database = [this](bool available) {
        m_shared.health.set({QStringLiteral("database"), available, true,
                             available ? tr("The database answers.") : tr("The database does not answer."),
                             available ? QString() : tr("Start it, or correct `database` in the configuration.")});
    };
    database(m_store.available());
    connect(&m_store, &store::Store::availableChanged, this, database);

    connect(&m_watch, &QTimer::timeout, this, &Pipeline::pingHomeserver);
    connect(&m_client, &homeserver::Client::reachableChanged, this, [this](bool reachable) {
        if (reachable)
            m_watch.stop();
        else
            m_watch.start(watchEvery);
        pingHomeserver();
    });
    pingHomeserver();

    connect(&m_prune, &QTimer::timeout, this, [this] { m_store.prune(m_clock.now(), this, [](const auto &) {}); });
    m_prune.start(pruneEvery);
}

// R113: asks the homeserver to call us back, which shows both ways and makes it try again if it had given us up.
void Pipeline::pingHomeserver()
{
    m_client.ping([this](const homeserver::Result<int> &result) {
        Diagnostics::Check check{QStringLiteral("homeserver"), result.ok(), false, {}, {}};
        if (result.ok()) {
            check.message = tr("The homeserver answers, and reaches us in %1 ms.").arg(*result);
        } else {
            check.message = tr("The homeserver does not answer as it should: %1 %2")
                                .arg(result.error().code, result.error().message);
            check.advice = tr("Look whether it runs, whether `homeserver.url` is right, and whether the registration "
                              "file it has read is the one that bridge-host made.");
        }
        m_shared.health.set(check);
        if (m_turn.hasNoTurn()) {
            m_shared.health.set({QStringLiteral("turn"), false, false, tr("The homeserver offers no TURN server."),
                                 tr("Calls between different networks may fail: set turn_uris at the homeserver.")});
        }
    });
}

void Pipeline::saveSetting(const QString &key, const QByteArray &value, Started saved)
{
    QMetaObject::invokeMethod(this, [this, key, value, saved = std::move(saved)] {
        m_store.putSetting(key, value, this, [saved](const auto &result) {
            if (result.ok())
                return saved(Done{});
            saved(effects::unavailable(QStringLiteral("DATABASE_UNAVAILABLE"), result.error().message));
        });
    });
}

// --- what the host asks for
// -------------------------------------------------------------------------------------------

void Pipeline::open(const QString &userId, const ConversationTarget &target,
                    std::function<void(Expected<Conversation>)> reply)
{
    m_conversations.open(laneOfUser(userId), target, std::move(reply));
}

QList<Conversation> Pipeline::conversations(const QString &userId)
{
    return effects::Conversations::list(laneOfUser(userId).line());
}

void Pipeline::place(const QString &userId, const QString &conversationId, const PlaceRequest &request, CallReply reply)
{
    Lane &lane = laneOfUser(userId);
    call::Place place{QUuid::createUuid().toString(QUuid::WithoutBraces),
                      {},
                      request.sdp,
                      {request.media.audio, request.media.video}};
    for (const call::Room &room : lane.line().rooms) {
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
        action.key =
            store::IdempotencyKey{lane.line().self, request.idempotencyKey, hash.result(), place.callId, m_clock.now()};
        // The first call may be over and forgotten by the line; the store remembers it.
        action.reply = [this, userId, reply](const Expected<Placed> &outcome) {
            if (outcome.ok() || outcome.error().code != QLatin1String("CALL_NOT_FOUND"))
                return reply(outcome);
            findCall(userId, outcome.error().message, [reply](const Expected<Call> &found) {
                reply(found.ok() ? Expected<Placed>(Placed{*found, true}) : Expected<Placed>(found.error()));
            });
        };
    }
    lane.act(std::move(action));
}

void Pipeline::act(const QString &userId, const QString &callId, const call::Input &input, CallReply reply)
{
    const bool ending = std::holds_alternative<call::End>(input) || std::holds_alternative<call::Reject>(input);
    effects::HostAction action{input, callId, {}, {}};
    // A call that ended long ago is not in the line any more.
    action.reply = [this, userId, callId, ending, reply](const Expected<Placed> &outcome) {
        if (outcome.ok() || outcome.error().code != QLatin1String("CALL_NOT_FOUND"))
            return reply(outcome);
        findCall(userId, callId, [ending, callId, reply](const Expected<Call> &found) {
            if (!found.ok())
                return reply(found.error());
            if (ending)
                return reply(Placed{*found, true});
            reply(effects::errorOf({call::Refusal::WrongState, callId, call::State::Ended}));
        });
    };
    laneOfUser(userId).act(std::move(action));
}

void Pipeline::iceServers(const QString &userId, std::function<void(Expected<IceServers>)> reply)
{
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

void Pipeline::findCall(const QString &userId, const QString &callId, std::function<void(Expected<Call>)> reply)
{
    const QString lane = m_router.matrixIdOf(userId);
    const call::Line &line = laneOf(lane).line();
    if (const auto live = line.calls.constFind(callId); live != line.calls.constEnd() && live->announced)
        return reply(present(*live, lane));
    m_store.findCall(lane, callId, this, [this, lane, reply](const auto &found) {
        if (!found.ok())
            return reply(effects::unavailable(QStringLiteral("DATABASE_UNAVAILABLE"), found.error().message));
        if (!*found || !(*found)->announced)
            return reply(effects::errorOf({call::Refusal::UnknownCall, {}, call::State::Ended}));
        reply(present(**found, lane));
    });
}

void Pipeline::history(const QString &userId, int limit, const QString &before,
                       std::function<void(Expected<QList<Call>>)> reply)
{
    const QString lane = m_router.matrixIdOf(userId);
    m_store.history(lane, limit, before, this, [this, lane, reply](const auto &calls) {
        if (!calls.ok())
            return reply(effects::unavailable(QStringLiteral("DATABASE_UNAVAILABLE"), calls.error().message));
        QList<Call> list;
        for (const call::Call &call : *calls)
            list.push_back(present(call, lane));
        reply(list);
    });
}

void Pipeline::timeline(const QString &userId, const QString &callId, bool withSdp,
                        std::function<void(Expected<QByteArray>)> reply)
{
    const QByteArray lines = m_recorder.timeline(m_router.matrixIdOf(userId), callId, withSdp);
    if (!lines.isEmpty())
        return reply(lines);
    reply(Error{ErrorKind::NotFound, QStringLiteral("TIMELINE_NOT_KEPT"), tr("No timeline is kept of this call."), {}});
}

void Pipeline::notices(const QString &userId, std::optional<qint64> afterId, int limit,
                       std::function<void(Expected<QList<CallNotice>>)> reply)
{
    const QString lane = m_router.matrixIdOf(userId);
    const auto give = [userId, reply](const store::Result<QVector<store::Notice>> &notices) {
        if (!notices.ok())
            return reply(effects::unavailable(QStringLiteral("DATABASE_UNAVAILABLE"), notices.error().message));
        QList<CallNotice> list;
        for (const store::Notice &notice : *notices)
            list.push_back(effects::toHost(notice, userId));
        reply(list);
    };
    if (afterId)
        return m_store.noticesAfter(lane, *afterId, limit, this, give);
    QVector<QString> live;
    for (const call::Call &call : laneOf(lane).line().calls) {
        if (call.live() && call.announced)
            live.push_back(call.id);
    }
    m_store.noticesOfCalls(lane, live, this, give);
}

Call Pipeline::present(const call::Call &call, const QString &lane) const
{
    const auto found = m_lanes.find(lane);
    const QString conversation =
        found == m_lanes.end() ? QString() : found->second->line().rooms.value(call.roomId).conversationId;
    return effects::toHost(call, conversation);
}

} // namespace voip
