// SPDX-License-Identifier: Apache-2.0
#include "pipeline.h"

#include "crypto/olmbackend.h"
#include "crypto/seal.h"
#include "effects/present.h"
#include "observe/log.h"
#include "protocol/read.h"
#include "store/sqlstore.h"

#include <QDeadlineTimer>
#include <QUuid>

#include <algorithm>
#include <iterator>

namespace voip
{

using namespace voiphost;
using effects::Lane;

namespace
{

constexpr int recentAttempts = 600; // as many seconds: no invite is worth anything for longer
constexpr auto drainLook = std::chrono::milliseconds(50);

std::optional<crypto::Seal> sealOf(const QByteArray &rootKey)
{
    auto seal = crypto::Seal::with(crypto::Secret(rootKey));
    return seal.ok() ? std::optional(std::move(seal).value()) : std::nullopt;
}

std::optional<effects::CipherServices> cipherOf(const EncryptionSettings &settings, crypto::Backend &backend,
                                                const std::optional<crypto::Seal> &seal, const effects::Clock &clock)
{
    if (!seal)
        return {};
    return effects::CipherServices{backend, *seal, {{}, settings.recipients, settings.verifiedIdentities}, clock};
}

std::unique_ptr<store::Store> storeFor(const PipelineSettings &settings)
{
    using Use = store::SqlStore::Use;
    return std::make_unique<store::SqlStore>(settings.database, settings.workers ? Use::Shared : Use::Alone);
}

QSet<QString> peersIn(const call::Room &room, const QString &self)
{
    QSet<QString> peers;
    if (room.has(self)) {
        for (auto it = room.members.constBegin(); it != room.members.constEnd(); ++it) {
            if (it.key() != self && room.has(it.key()))
                peers.insert(it.key());
        }
    }
    return peers;
}

QStringList idsOf(const QList<HostUser> &users)
{
    QStringList ids;
    for (const HostUser &user : users)
        ids.push_back(user.id);
    return ids;
}

} // namespace

Pipeline::Pipeline(PipelineSettings settings, Shared &shared, std::unique_ptr<store::Store> store,
                   std::unique_ptr<homeserver::Transport> transport)
    : m_settings(std::move(settings)), m_shared(shared),
      m_router(m_settings.homeserver.userPrefix, m_settings.homeserver.serverName),
      m_ownedStore(store ? std::move(store) : storeFor(m_settings)), m_store(*m_ownedStore),
      m_leases(m_store, m_clock, m_settings.workers), m_intake(m_store, m_router, shared.metrics, m_settings.workers),
      m_client(accessFor(m_settings), transport ? transport.release() : new homeserver::HttpTransport),
      m_ghosts(&m_client), m_turn(&m_client), m_outbox(m_client, m_ghosts, shared.metrics, m_clock), m_alarm(m_clock),
      m_backend(crypto::olmBackend()), m_seal(sealOf(m_settings.rootKey)),
      m_cipher(cipherOf(m_settings.encryption, *m_backend, m_seal, m_clock)),
      m_rooms(
          m_client, m_ghosts, [this](const QString &lane) { return m_displayNames.value(lane); },
          [this](const QString &lane, auto then) {
              if (Lane *held = laneOf(lane))
                  m_gate.pass(*held, std::move(then));
          }),
      m_conversations(m_client, m_rooms, m_settings.encryption.encryptRooms),
      m_courier(
          m_client, protocol::eventTypes(),
          [this](const QString &lane, auto reply) { m_rooms.ensureGhost(lane, std::move(reply)); },
          [this](const QString &, auto reply) { findBackup(reply); },
          [this](EventBatch batch, auto done) {
              batch.receivedAt = m_clock.now(); // R25, as in accept()
              m_intake.accept(batch).then(this, [done](BatchResult result) { done(result == BatchResult::Durable); });
          }),
      m_laneServices{m_store,
                     m_outbox,
                     m_alarm,
                     shared.board,
                     shared.metrics,
                     m_clock,
                     &Pipeline::read,
                     m_cipher ? &*m_cipher : nullptr,
                     [this](const QString &userId) { return m_shared.gate.admits(userId); },
                     [this](const QString &lane) { return m_leases.fenceOf(lane); },
                     [this] { return m_shared.draining.load(); },
                     m_settings.call,
                     [this](const auto &...what) { record(what...); },
                     [this](const auto &...what) { m_recorder.remark(what...); }},
      m_recorder(m_settings.timelineBytes),
      m_errands(m_store, m_leases,
                [this](const QString &lane, const QJsonObject &body, auto answer) { serveErrand(lane, body, answer); }),
      m_mirror(m_store, m_leases, shared.board, [this](const QString &lane) { return m_router.userOf(lane); }),
      m_switch(shared.gate, [this](const QByteArray &value, auto saved) { saveSwitch(value, std::move(saved)); }),
      m_watch(m_client, m_turn, m_store, shared.health, shared.metrics)
{
    makeAccount();
    m_router.setUsers(idsOf(m_settings.users));
    for (const HostUser &user : m_settings.users)
        m_displayNames.insert(m_router.matrixIdOf(user.id), user.displayName);
    connectParts();
}

Pipeline *Pipeline::makeOn(QThread &thread, const PipelineSettings &settings, Shared &shared)
{
    thread.setObjectName(QStringLiteral("voip-core"));
    thread.start();
    Pipeline *made = nullptr;
    QObject there;
    there.moveToThread(&thread);
    const auto make = [&, home = QThread::currentThread()] {
        made = new Pipeline(settings, shared);
        connect(&thread, &QThread::finished, made, &QObject::deleteLater);
        connect(made, &QObject::destroyed, &crypto::leaveThread);
        there.moveToThread(home);
    };
    QMetaObject::invokeMethod(&there, make, Qt::BlockingQueuedConnection);
    return made;
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
            [this](const QString &lane, const auto &entries) { toLane(lane, entries); });

    // lane: decrypt -> parse -> transition -> one commit (see read() below and effects/lane.cpp), and then the effects:
    // the outbox sends, the host is told (laneOf() below), the alarm is set. Results come back as inputs.
    connect(&m_outbox, &effects::Outbox::sent, this,
            [this](const QString &lane, const QString &callId, qint64 ref, const QString &eventId) {
                if (Lane *held = laneOf(lane))
                    held->take(call::Sent{ref, callId, eventId});
            });
    connect(&m_outbox, &effects::Outbox::failed, this,
            [this](const QString &lane, const QString &callId, qint64 ref, const QString &code, bool final) {
                if (Lane *held = laneOf(lane))
                    held->take(call::SendFailed{ref, callId, code, !final});
            });
    connect(&m_alarm, &effects::Alarm::due, this, [this](const QString &lane) {
        if (Lane *held = laneOf(lane))
            held->take(call::Tick{});
    });

    connectKeys();
    share();

    connect(&m_rooms, &effects::RoomKeeper::rediscovered, this,
            [this](const QString &lane) { m_store.putSetting(knownLane + lane, "1", this, [](const auto &) {}); });

    // Rooms: entered when the core asks for it; what was said there before the ghost came is taken in like a batch.
    connect(&m_rooms, &effects::RoomKeeper::entered, this,
            [this](const QString &lane, const call::RoomSnapshot &snapshot) {
                if (Lane *held = laneOf(lane))
                    held->take(snapshot);
            });
    connect(&m_rooms, &effects::RoomKeeper::recent, this,
            [this](const QString &lane, const QString &roomId, const QVector<QJsonObject> &events) {
                EventBatch batch;
                batch.transactionId = QStringLiteral("recent:") + lane + QUuid::createUuid().toString(QUuid::Id128);
                batch.receivedAt = m_clock.now();
                batch.events = events;
                takeRecent(batch, 0, [this, lane, roomId] { m_rooms.kept(lane, roomId); });
            });
    connect(&m_rooms, &effects::RoomKeeper::refused, this,
            [this](const QString &lane, const QString &roomId, const QString &code) {
                m_conversations.refused(lane, roomId, code);
                Lane *held = laneOf(lane);
                if (held && code != QLatin1String("homeserver_unavailable") && held->line().rooms.contains(roomId))
                    held->take(call::RoomSnapshot{roomId, {}, call::JoinRule::Invite, false});
            });
}

QFuture<BatchResult> Pipeline::accept(EventBatch batch)
{
    // Ages are counted on the clock that judges them (R25): the host's may be set back or forth at any time.
    batch.receivedAt = m_clock.now();
    if (!batch.deviceLists.isEmpty() || !batch.oneTimeKeyCounts.isEmpty()) {
        QMetaObject::invokeMethod(this, [this] {
            if (m_cipher)
                m_cipher->told = true;
        });
    }
    return m_intake.accept(batch);
}

// While draining, invites stay in the inbox: they ring after the next start, if they are still worth it.
void Pipeline::toLane(const QString &lane, const QVector<store::InboxEntry> &entries)
{
    Lane *held = laneOf(lane);
    if (!held)
        return; // the entries stay in the inbox for whoever holds it
    if (!m_shared.draining)
        return held->deliver(entries);
    QVector<store::InboxEntry> rest;
    std::copy_if(entries.cbegin(), entries.cend(), std::back_inserter(rest), [](const store::InboxEntry &entry) {
        return entry.body.value(QLatin1String("type")).toString() != QLatin1String("m.call.invite");
    });
    if (!rest.isEmpty())
        held->deliver(rest);
}

// An event becomes an input of the core. (What was encrypted has been opened by the lane's cipher, in the same step.)
call::MatrixBatch Pipeline::read(const QVector<store::InboxEntry> &entries)
{
    call::MatrixBatch batch;
    for (const store::InboxEntry &entry : entries) {
        if (auto event = protocol::readEvent(entry.body, entry.receivedAt))
            batch.events.push_back(std::move(*event));
    }
    return batch;
}

void Pipeline::record(const call::Line &before, const call::Step &step, const call::Now &now, const call::Input &input,
                      const QVector<store::InboxEntry> &entries)
{
    replay::Recorded recorded{before, step, now, input, {}, entries.isEmpty() ? 0 : entries.first().receivedAt};
    for (const store::InboxEntry &entry : entries)
        recorded.events.push_back(entry.body);
    m_recorder.record(recorded);
}

Lane *Pipeline::laneOf(const QString &matrixId)
{
    if (m_leases.shared() && !(m_ready.contains(store::partitionOf(matrixId)) && m_leases.holds(matrixId)))
        return nullptr;
    return &makeLane(matrixId);
}

Lane &Pipeline::makeLane(const QString &matrixId)
{
    if (const auto found = m_lanes.find(matrixId); found != m_lanes.end())
        return *found->second;
    auto lane = std::make_unique<Lane>(matrixId, m_router.userOf(matrixId), m_laneServices);
    connect(lane.get(), &Lane::noticed, this, [this](const QString &id, const CallNotice &notice) {
        m_mirror.told(id, notice.id);
        Q_EMIT noticed(notice);
    });
    connect(lane.get(), &Lane::fenced, &m_leases, &effects::Leases::ask);
    connect(lane.get(), &Lane::consumed, &m_intake, &intake::Intake::consumed);
    connect(lane.get(), &Lane::seen, &m_intake, &intake::Intake::seen);
    connect(lane.get(), &Lane::enterRoom, &m_rooms, &effects::RoomKeeper::enter);
    connect(lane.get(), &Lane::roomKnown, &m_rooms, &effects::RoomKeeper::known);
    connect(lane.get(), &Lane::roomChanged, this, [this](const QString &id, const call::Room &room) {
        m_router.setInRoom(id, room.id, room.has(id));
        const QStringList fresh = m_router.setPeers(id, room.id, peersIn(room, id));
        if (Lane *held = m_serving && room.encrypted && !fresh.isEmpty() ? laneOf(id) : nullptr)
            held->takeKeys(effects::PeersChanged{fresh});
        m_conversations.roomChanged(id, room);
    });
    connect(lane.get(), &Lane::asks, &m_courier, &effects::Courier::carry);
    connect(lane.get(), &Lane::deviceIsReady, this, [this](const QString &id) {
        m_gate.open(id);
        if (m_account)
            signDevice();
    });
    if (m_account)
        connectAccountLane(*lane);
    return *m_lanes.emplace(matrixId, std::move(lane)).first->second;
}

// What was said in a room before the ghost came. Nobody repeats it for us if it cannot be stored now.
void Pipeline::takeRecent(const EventBatch &batch, int attempt, const std::function<void()> &then)
{
    m_intake.accept(batch).then(this, [this, batch, attempt, then](BatchResult result) {
        if (result == BatchResult::Durable || attempt >= recentAttempts)
            return then();
        QTimer::singleShot(std::chrono::seconds(1), this, [=, this] { takeRecent(batch, attempt + 1, then); });
    });
}

std::optional<Error> Pipeline::notServing() const
{
    if (m_serving)
        return {};
    return effects::unavailable(QStringLiteral("STARTING"), tr("The bridge is starting. Try again later."));
}

// The live calls may end; new ones of the host are refused meanwhile.
void Pipeline::drain(int timeoutMs, std::function<void(Done)> drained)
{
    m_shared.draining = true;
    if (m_leases.shared()) // others go on with them
        return m_leases.leave([drained = std::move(drained)] { drained(Done{}); });
    auto *look = new QTimer(this);
    const QDeadlineTimer deadline(timeoutMs);
    connect(look, &QTimer::timeout, this, [this, look, drained = std::move(drained), deadline] {
        if (m_shared.board.size() > 0 && !deadline.hasExpired())
            return;
        look->stop();
        look->deleteLater();
        drained(Done{});
    });
    look->start(drainLook);
}

Diagnostics::Check Pipeline::inspect(const DatabaseSettings &settings, bool workers)
{
    if (workers && settings.driver != QLatin1String("postgresql")) {
        return {QStringLiteral("database"), false, true,
                tr("SQLite cannot be shared by several workers (plugins.matrixvoip.workers)."),
                tr("Use `database: { driver: postgresql }`, or leave `workers` out.")};
    }
    const auto found = store::SqlStore::inspect(settings);
    const bool fits = found.schemaVersion <= found.programVersion;
    Diagnostics::Check check{QStringLiteral("database"), found.reachable && fits, true, found.message, {}};
    if (!found.reachable)
        check.advice = tr("Start the database, or correct `database` in the configuration.");
    else if (!fits)
        check.advice = tr("The database was written by a newer version: install that one.");
    return check;
}

} // namespace voip
