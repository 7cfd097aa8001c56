// SPDX-License-Identifier: Apache-2.0
// The start of the pipeline: everything as it was committed, and then on from there.
#include "effects/present.h"
#include "observe/log.h"
#include "pipeline.h"

namespace voip
{

using namespace voiphost;
using effects::Lane;

namespace
{

constexpr auto pruneEvery = std::chrono::minutes(10);
constexpr auto pruneOn = std::chrono::milliseconds(200); // while there is more: calls go first
constexpr qint64 pruneAtMost = 24LL * 60 * 60 * 1000;    // further in one round: a wrong clock costs no more

} // namespace

void Pipeline::start(const Started &started)
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
            m_switch.restore(settings->value(switchKey));
            m_prunedUntil = settings->value(prunedKey).toLongLong();
            m_shared.enforce(m_shared.gate.cohort());
            if (!m_leases.shared())
                return enter(*settings, started, [this, started, settings] { restoreLanes(*settings, started); });
            m_mirror.start([this, started] { // lanes come with their partitions
                serve({});
                started(Done{});
            });
        });
    });
}

void Pipeline::restoreLanes(const QHash<QString, QByteArray> &known, const Started &started)
{
    const auto orFail = [started](const store::StoreError &error) {
        started(Error{ErrorKind::Unavailable, QStringLiteral("DATABASE_UNAVAILABLE"), error.message, {}});
    };
    m_store.restoreLanes(m_clock.now(), {}, this, [this, started, orFail, known](const auto &records) {
        if (!records.ok())
            return orFail(records.error());
        restore(*records, known, false);
        // The reader answers in order: the notices to repeat come before this, and new ones after.
        m_store.pendingInbox({}, 0, this, [this, started, orFail](const auto &pending) {
            if (!pending.ok())
                return orFail(pending.error());
            serve(*pending);
            qCInfo(observe::lifecycleLog) << "matrixvoip is running";
            started(Done{});
        });
    });
}

void Pipeline::restore(const QVector<store::LaneRecord> &records, const QHash<QString, QByteArray> &known,
                       bool hostLives)
{
    for (const store::LaneRecord &record : records) {
        if (!m_router.isBridged(record.lane))
            continue; // a user whom the host no longer lists: kept, not served
        makeLane(record.lane).restore(record);
        if (!hostLives)
            repeatNotices(makeLane(record.lane));
    }
    // Ghosts may be older than this database: their rooms are asked for once, until that has succeeded.
    for (const QString &lane : m_router.lanes()) {
        if (laneOf(lane) && !known.contains(knownLane + lane) && !(m_account && m_account->beginsAnew()))
            m_rooms.rediscover(lane);
    }
}

// The host hears again of calls that are still live: it may have died with the last process.
void Pipeline::repeatNotices(const Lane &lane)
{
    const QVector<QString> live = lane.announcedCalls();
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

// R29: a call that was hung up meanwhile does not ring, so what was accepted is taken in before the lanes go on.
void Pipeline::serve(const QVector<store::InboxEntry> &pending)
{
    m_serving = true;
    m_intake.resume(pending);
    m_leases.start();
    m_errands.start();
    for (const auto &[id, lane] : m_lanes)
        lane->resume();
    m_watch.start([this] { // as some ghost that is there
        for (const auto &[id, lane] : m_lanes) {
            if (!lane->line().rooms.isEmpty() || (lane->encrypts() && lane->deviceReady()))
                return id;
        }
        return QString();
    });
    makeDevices();
    catchUp(); // we were away
    if (m_account)
        m_account->serve();
    m_prune.setSingleShot(true);
    connect(&m_prune, &QTimer::timeout, this, &Pipeline::prune);
    prune();
}

void Pipeline::prune()
{
    if (m_pruningUntil == 0) {
        const qint64 now = m_clock.now();
        m_pruningUntil = m_prunedUntil > 0 ? std::min(now, m_prunedUntil + pruneAtMost) : now;
    }
    m_store.prune(m_pruningUntil, m_settings.retention, this, [this](const auto &pruned) {
        if (pruned.ok() && pruned->more)
            return m_prune.start(pruneOn);
        const qint64 until = std::exchange(m_pruningUntil, 0);
        if (pruned.ok() && until > m_prunedUntil) {
            m_prunedUntil = until;
            m_store.putSetting(prunedKey, QByteArray::number(until), this, [](const auto &) {});
        }
        m_prune.start(pruneEvery);
    });
}

} // namespace voip
