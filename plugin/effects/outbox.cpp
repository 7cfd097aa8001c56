// SPDX-License-Identifier: Apache-2.0
#include "effects/outbox.h"

#include "homeserver/retry.h"
#include "observe/log.h"

#include <QRandomGenerator>

#include <algorithm>
#include <vector>

namespace voip::effects
{

using observe::outboxLog;

namespace
{

// The host is told that Matrix does not take its call when an event has waited this long (two seconds are promised).
constexpr qint64 patienceMs = 1500;

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
        for (auto it = m_queues.begin(); it != m_queues.end(); ++it) {
            if (it->items.empty() || it->items.front().limited)
                continue;
            it->items.front().notBefore = 0;
            schedule(it.key(), *it);
        }
        QMetaObject::invokeMethod(this, &Outbox::wake, Qt::QueuedConnection);
    });
}

void Outbox::add(const store::OutboxEntry &entry, int candidates)
{
    Item item;
    item.entry = entry;
    item.candidates = candidates;
    add(std::move(item));
}

void Outbox::add(Item item)
{
    const Key key{item.entry.lane, item.entry.callId};
    m_calls[key.lane].insert(item.entry.ref, key.callId);
    m_queues[key].items.push_back(std::move(item));
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

QVector<store::OutboxEntry> Outbox::keepFromClear(const QString &lane, const QString &roomId,
                                                  const std::function<void(store::OutboxEntry &)> &makeWait)
{
    QVector<store::OutboxEntry> kept;
    for (auto it = m_queues.begin(); it != m_queues.end(); ++it) {
        if (it.key().lane != lane)
            continue;
        for (Item &item : it->items) {
            // One that is there already, perhaps, goes on as it was: it is the same event to the homeserver.
            const bool begun = item.inFlight || item.givenUp || (item.maybeSeen && !item.restored);
            if (item.entry.roomId != roomId || item.entry.form != store::Form::Plain || begun)
                continue;
            makeWait(item.entry);
            kept.push_back(item.entry);
        }
        schedule(it.key(), *it);
    }
    return kept;
}

Outbox::Item *Outbox::find(const Key &key, qint64 ref)
{
    const auto queue = m_queues.find(key);
    if (queue == m_queues.end())
        return nullptr;
    const auto found = std::find_if(queue->items.begin(), queue->items.end(),
                                    [ref](const Item &item) { return item.entry.ref == ref; });
    return found == queue->items.end() ? nullptr : &*found;
}

Outbox::Item *Outbox::findByRef(const QString &lane, qint64 ref)
{
    const auto calls = m_calls.constFind(lane);
    if (calls == m_calls.constEnd() || !calls->contains(ref))
        return nullptr;
    return find({lane, calls->value(ref)}, ref);
}

// Moves one call's queue on as far as it goes now.
void Outbox::work(const Key &key)
{
    const auto found = m_queues.find(key);
    if (found == m_queues.end())
        return;
    if (found->items.empty()) {
        unschedule(key, *found);
        m_queues.erase(found);
        return arm();
    }
    Item &head = found->items.front();
    if (head.begun == 0)
        head.begun = m_clock.now();
    const qint64 now = m_clock.now();
    if (head.inFlight || head.held || head.givenUp || m_suspended)
        return schedule(key, *found);
    if (head.entry.notAfter > 0 && now > head.entry.notAfter) {
        qCInfo(outboxLog) << head.entry.type << "of call" << key.callId << "is too late to be sent";
        return giveUp(key, head, QStringLiteral("expired"));
    }
    if (head.notBefore <= now && head.entry.form != store::Form::Waiting) {
        if (m_inFlight < mostInFlight)
            attempt(key, head);
        else if (!std::exchange(found->ready, true))
            m_ready.push_back(key);
    }
    if (const auto still = m_queues.find(key); still != m_queues.end()) // an attempt may be over at once
        schedule(key, *still);
}

void Outbox::attempt(const Key &key, Item &item)
{
    item.inFlight = true;
    item.restored = false;
    ++m_inFlight;
    item.attempt = ++m_attempts;
    const qint64 ref = item.entry.ref;
    const QString type =
        item.entry.form == store::Form::Encrypted ? QStringLiteral("m.room.encrypted") : item.entry.type;
    if (!item.device)
        item.device = m_devices.value(key.lane);
    m_client.sendEvent(key.lane, *item.device, item.entry.roomId, type, item.entry.txnId, item.entry.content,
                       [this, key, ref, attempt = item.attempt](const homeserver::Result<QString> &result) {
                           --m_inFlight;
                           finished(key, ref, attempt, result);
                           next();
                       });
}

// Whose turn it is.
void Outbox::next()
{
    while (m_inFlight < mostInFlight && !m_ready.empty()) {
        const Key key = m_ready.front();
        m_ready.pop_front();
        const auto found = m_queues.find(key);
        if (found == m_queues.end())
            continue;
        found->ready = false;
        work(key);
    }
}

void Outbox::settleHead(const Key &key)
{
    auto &items = m_queues[key].items;
    const qint64 ref = items.front().entry.ref;
    items.pop_front();
    drop(key, ref);
}

void Outbox::giveUp(const Key &key, Item &item, const QString &code)
{
    item.givenUp = true;
    schedule(key, m_queues[key]);
    Q_EMIT failed(key.lane, key.callId, item.entry.ref, code, true);
}

void Outbox::drop(const Key &key, qint64 ref)
{
    const auto calls = m_calls.find(key.lane);
    calls->remove(ref);
    if (calls->isEmpty())
        m_calls.erase(calls);
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

void Outbox::finished(const Key &key, qint64 ref, quint64 attempt, const homeserver::Result<QString> &result)
{
    Item *item = find(key, ref);
    if (!item || item->attempt != attempt)
        return; // the lane went to another worker meanwhile, and may have come back
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
    if (failure.deviceMissing() && !item->device->isEmpty()) { // deleted there; the lane will make another
        item->device = QString();
        m_devices.remove(key.lane);
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
        qCWarning(outboxLog).noquote() << entry.type << "of call" << entry.callId << "was refused:" << code
                                       << failure.message;
        return giveUp(key, *item, code);
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
        if (result.ok() && queue != m_queues.end() && !queue->items.empty())
            queue->items.front().notBefore = 0;
        work(key);
    });
}

void Outbox::wake()
{
    const qint64 now = m_clock.now();
    std::vector<Key> keys;
    for (auto it = m_due.cbegin(); it != m_due.cend() && it->first <= now; ++it)
        keys.push_back(it->second);
    for (const Key &key : keys) {
        const auto found = m_queues.find(key);
        if (found == m_queues.end() || found->items.empty())
            continue;
        Item &head = found->items.front();
        const bool waits = head.entry.form == store::Form::Waiting;
        if (!head.delayTold && head.begun > 0 && now - head.begun >= patienceMs)
            tellDelay(key, head, waits ? QStringLiteral("keys_not_ready") : QStringLiteral("homeserver_slow"));
        work(key);
    }
    arm();
}

qint64 Outbox::dueOf(const Queue &queue) const
{
    qint64 next = never;
    if (queue.items.empty())
        return next;
    const Item &head = queue.items.front();
    if (head.givenUp)
        return next;
    if (!head.delayTold && head.begun > 0)
        next = std::min(next, head.begun + patienceMs);
    if (head.inFlight || head.held || m_suspended)
        return next;
    if (head.entry.form != store::Form::Waiting && !queue.ready)
        next = std::min(next, head.notBefore);
    if (head.entry.notAfter > 0)
        next = std::min(next, head.entry.notAfter + 1);
    return next;
}

void Outbox::schedule(const Key &key, Queue &queue)
{
    if (const qint64 due = dueOf(queue); due != queue.due) {
        unschedule(key, queue);
        if (due != never) {
            queue.due = due;
            m_due.emplace(due, key);
        }
    }
    arm();
}

void Outbox::unschedule(const Key &key, Queue &queue)
{
    if (queue.due != never)
        m_due.erase({queue.due, key});
    queue.due = never;
}

void Outbox::arm()
{
    if (m_due.empty())
        return m_timer.stop();
    m_timer.start(static_cast<int>(std::clamp<qint64>(m_due.cbegin()->first - m_clock.now(), 0, 60'000)));
}

} // namespace voip::effects
