// SPDX-License-Identifier: Apache-2.0
#include "effects/outbox.h"

#include "homeserver/retry.h"
#include "observe/log.h"

#include <QRandomGenerator>

#include <algorithm>

namespace voip::effects
{

using observe::outboxLog;

namespace
{

// The host is told that Matrix does not take its call when an event has waited this long (two seconds are promised).
constexpr qint64 patienceMs = 1500;
constexpr qint64 never = std::numeric_limits<qint64>::max();

QString codeOf(const homeserver::Failure &failure)
{
    switch (failure.kind) {
    case homeserver::FailureKind::Unreachable:
        return QStringLiteral("homeserver_unreachable");
    case homeserver::FailureKind::Timeout:
        return QStringLiteral("homeserver_timeout");
    case homeserver::FailureKind::RateLimited:
    case homeserver::FailureKind::ServerError:
    case homeserver::FailureKind::Rejected:
    case homeserver::FailureKind::BadAnswer:
        break;
    }
    if (failure.kind == homeserver::FailureKind::BadAnswer)
        return QStringLiteral("homeserver_bad_answer");
    return failure.code.isEmpty() ? QStringLiteral("http_%1").arg(failure.status) : failure.code;
}

// A proxy's error page and a token that is being changed pass; what was decided must not be lost to them. A repeat is
// harmless, it has the same transaction id.
homeserver::Failure worthRepeating(homeserver::Failure failure)
{
    const bool passing = failure.kind == homeserver::FailureKind::BadAnswer || failure.status == 401;
    if (passing)
        failure.kind = homeserver::FailureKind::ServerError;
    return failure;
}

} // namespace

Outbox::Outbox(homeserver::Client &client, homeserver::GhostDirectory &ghosts, observe::Metrics &metrics,
               const Clock &clock, QObject *parent)
    : QObject(parent), m_client(client), m_ghosts(ghosts), m_metrics(metrics), m_clock(clock)
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &Outbox::wake);
    // Do not sit out a long back-off when the homeserver is there again.
    connect(&m_client, &homeserver::Client::reachableChanged, this, [this](bool reachable) {
        if (!reachable)
            return;
        for (Queue &queue : m_queues) {
            if (!queue.empty() && !queue.front().limited)
                queue.front().notBefore = 0;
        }
        QMetaObject::invokeMethod(this, &Outbox::wake, Qt::QueuedConnection);
    });
}

void Outbox::add(const store::OutboxEntry &entry, int candidates)
{
    const Key key{entry.lane, entry.callId};
    Item item;
    item.entry = entry;
    item.candidates = candidates;
    m_queues[key].push_back(std::move(item));
    m_metrics.set(observe::Gauge::OutboxDepth, ++m_depth);
    work(key);
}

void Outbox::sealed(const store::OutboxEntry &entry)
{
    const Key key{entry.lane, entry.callId};
    if (Item *item = find(key, entry.ref)) {
        item->entry = entry;
        item->begun = m_clock.now(); // patience with the homeserver begins now
        work(key);
    }
}

QVector<store::OutboxEntry> Outbox::keepFromClear(const QString &lane, const QString &roomId)
{
    QVector<store::OutboxEntry> kept;
    for (auto it = m_queues.begin(); it != m_queues.end(); ++it) {
        if (it.key().lane != lane)
            continue;
        for (Item &item : *it) {
            // One that may be there already goes on as it was: it is the same event to the homeserver.
            if (item.entry.roomId != roomId || item.entry.form != store::Form::Plain || item.inFlight || item.maybeSeen)
                continue;
            item.entry.form = store::Form::Waiting;
            kept.push_back(item.entry);
        }
    }
    return kept;
}

void Outbox::setSuspended(bool suspended)
{
    m_suspended = suspended;
    if (!suspended)
        wake();
}

void Outbox::forget(const QString &lane)
{
    for (auto it = m_queues.begin(); it != m_queues.end();) {
        if (it.key().lane != lane) {
            ++it;
            continue;
        }
        m_depth -= static_cast<qsizetype>(it->size());
        it = m_queues.erase(it);
    }
    m_metrics.set(observe::Gauge::OutboxDepth, m_depth);
    arm();
}

Outbox::Item *Outbox::find(const Key &key, qint64 ref)
{
    const auto queue = m_queues.find(key);
    if (queue == m_queues.end())
        return nullptr;
    const auto found =
        std::find_if(queue->begin(), queue->end(), [ref](const Item &item) { return item.entry.ref == ref; });
    return found == queue->end() ? nullptr : &*found;
}

Outbox::Item *Outbox::findByRef(const QString &lane, qint64 ref)
{
    for (auto it = m_queues.begin(); it != m_queues.end(); ++it) {
        if (it.key().lane != lane)
            continue;
        if (Item *item = find(it.key(), ref))
            return item;
    }
    return nullptr;
}

QVector<qint64> Outbox::hold(const QString &lane, qint64 ref)
{
    Item *item = findByRef(lane, ref);
    if (!item)
        return {}; // it is sent, and the lane will hear of it
    item->held = true;
    QVector<qint64> held;
    if (item->inFlight || item->maybeSeen)
        return held;
    for (Item &behind : m_queues[{lane, item->entry.callId}]) {
        if (behind.entry.ref < ref)
            continue;
        behind.held = true;
        held.push_back(behind.entry.ref);
    }
    return held;
}

void Outbox::release(const QString &lane, qint64 ref)
{
    if (Item *item = findByRef(lane, ref)) {
        item->held = false;
        work({lane, item->entry.callId});
    }
}

void Outbox::discard(const QString &lane, qint64 ref)
{
    Item *item = findByRef(lane, ref);
    if (!item)
        return;
    const Key key{lane, item->entry.callId};
    if (item->inFlight) {
        item->discarded = true;
        return;
    }
    Queue &queue = m_queues[key];
    queue.erase(std::find_if(queue.begin(), queue.end(), [ref](const Item &i) { return i.entry.ref == ref; }));
    m_metrics.set(observe::Gauge::OutboxDepth, --m_depth);
    work(key);
}

// Moves one call's queue on as far as it goes now.
void Outbox::work(const Key &key)
{
    const auto found = m_queues.find(key);
    if (found == m_queues.end())
        return;
    if (found->empty()) {
        m_queues.erase(found);
        return arm();
    }
    Item &head = found->front();
    if (head.begun == 0)
        head.begun = m_clock.now();
    const qint64 now = m_clock.now();
    if (head.inFlight || head.held || m_suspended)
        return arm();
    if (head.entry.notAfter > 0 && now > head.entry.notAfter) {
        const store::OutboxEntry entry = head.entry;
        settleHead(key);
        qCInfo(outboxLog) << entry.type << "of call" << entry.callId << "is too late to be sent";
        Q_EMIT failed(key.lane, key.callId, entry.ref, QStringLiteral("expired"), true);
        return work(key);
    }
    if (head.notBefore <= now && head.entry.form != store::Form::Waiting)
        attempt(key, head);
    arm();
}

void Outbox::attempt(const Key &key, Item &item)
{
    item.inFlight = true;
    const qint64 ref = item.entry.ref;
    const QString type =
        item.entry.form == store::Form::Encrypted ? QStringLiteral("m.room.encrypted") : item.entry.type;
    m_client.sendEvent(key.lane, item.entry.roomId, type, item.entry.txnId, item.entry.content,
                       [this, key, ref](const homeserver::Result<QString> &result) { finished(key, ref, result); });
}

void Outbox::settleHead(const Key &key)
{
    m_queues[key].pop_front();
    m_metrics.set(observe::Gauge::OutboxDepth, --m_depth);
}

void Outbox::countSent(const Item &item)
{
    const store::OutboxEntry &entry = item.entry;
    if (entry.type == QLatin1String("m.call.hangup"))
        m_metrics.count(observe::Counter::HangupSent);
    else if (entry.type == QLatin1String("m.call.candidates"))
        m_metrics.count(observe::Counter::IceCandidatesSent, static_cast<std::uint64_t>(item.candidates));
}

void Outbox::tellDelay(const Key &key, Item &item, const QString &code)
{
    if (std::exchange(item.delayTold, true))
        return;
    Q_EMIT failed(key.lane, key.callId, item.entry.ref, code, false);
}

void Outbox::finished(const Key &key, qint64 ref, const homeserver::Result<QString> &result)
{
    Item *item = find(key, ref);
    if (!item)
        return;
    item->inFlight = false;
    const store::OutboxEntry entry = item->entry;
    const Item done = *item;
    if (result.ok()) {
        m_metrics.observe(observe::Histogram::EventSend, static_cast<double>(m_clock.now() - entry.createdAt) / 1000.0);
        settleHead(key);
        countSent(done);
        qCDebug(outboxLog) << entry.type << "of call" << entry.callId << "is sent as" << *result;
        Q_EMIT sent(key.lane, key.callId, ref, *result);
        return work(key);
    }

    const homeserver::Failure &failure = result.error();
    const QString code = codeOf(failure);
    m_metrics.count(observe::LabelledCounter::SendErrors, code);
    item->maybeSeen = item->maybeSeen || failure.maybeDone;
    if (item->discarded) {
        settleHead(key);
        return work(key);
    }
    item->limited = failure.kind == homeserver::FailureKind::RateLimited;
    if (failure.ghostMissing()) {
        item->notBefore = m_clock.now() + 30'000; // or as soon as the ghost is there
        return registerGhost(key);
    }
    const auto delay = homeserver::RetryPolicy{}.nextDelayMs(++item->failures, worthRepeating(failure),
                                                             QRandomGenerator::system()->generateDouble());
    if (!delay) {
        settleHead(key);
        qCWarning(outboxLog).noquote() << entry.type << "of call" << entry.callId << "was refused:" << code
                                       << failure.message;
        Q_EMIT failed(key.lane, key.callId, ref, code, true);
        return work(key);
    }
    if (item->failures == 1)
        qCWarning(outboxLog).noquote() << entry.type << "of call" << entry.callId << "waits:" << code;
    item->notBefore = m_clock.now() + *delay;
    // A rate limit passes by itself (R58), and patience begins anew; that Matrix is away the host must know at once.
    if (item->limited) {
        item->begun = item->notBefore;
        if (item->failures == 1)
            Q_EMIT failed(key.lane, key.callId, ref, code, false); // what is decided meanwhile is merged
    } else {
        tellDelay(key, *item, code);
    }
    work(key);
}

void Outbox::registerGhost(const Key &key)
{
    const QString localpart = key.lane.mid(1, key.lane.indexOf(QLatin1Char(':')) - 1);
    m_ghosts.forget(localpart);
    m_ghosts.ensure(localpart, {}, [this, key](const auto &result) {
        const auto queue = m_queues.find(key);
        if (result.ok() && queue != m_queues.end() && !queue->empty())
            queue->front().notBefore = 0;
        work(key);
    });
}

void Outbox::wake()
{
    const qint64 now = m_clock.now();
    const auto keys = m_queues.keys();
    for (const Key &key : keys) {
        const auto found = m_queues.find(key);
        if (found == m_queues.end() || found->empty())
            continue;
        Item &head = found->front();
        const bool waits = head.entry.form == store::Form::Waiting;
        if (!head.delayTold && head.begun > 0 && now - head.begun >= patienceMs)
            tellDelay(key, head, waits ? QStringLiteral("keys_not_ready") : QStringLiteral("homeserver_slow"));
        work(key);
    }
    arm();
}

void Outbox::arm()
{
    qint64 next = never;
    for (const Queue &queue : std::as_const(m_queues)) {
        if (queue.empty())
            continue;
        const Item &head = queue.front();
        if (!head.delayTold && head.begun > 0)
            next = std::min(next, head.begun + patienceMs);
        if (head.inFlight || head.held || m_suspended)
            continue;
        if (head.entry.form != store::Form::Waiting)
            next = std::min(next, head.notBefore);
        if (head.entry.notAfter > 0)
            next = std::min(next, head.entry.notAfter + 1);
    }
    if (next == never)
        return m_timer.stop();
    m_timer.start(static_cast<int>(std::clamp<qint64>(next - m_clock.now(), 0, 60'000)));
}

} // namespace voip::effects
