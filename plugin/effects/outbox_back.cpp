// SPDX-License-Identifier: Apache-2.0
// What the outbox does not send after all: taken back by its lane, or another worker's by now.
#include "effects/outbox.h"

#include <algorithm>
#include <utility>

namespace voip::effects
{

void Outbox::addRestored(const store::OutboxEntry &entry)
{
    Item item;
    item.entry = entry;
    item.maybeSeen = entry.form != store::Form::Waiting;
    item.restored = item.maybeSeen;
    add(std::move(item));
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
    const Key key{lane, item->entry.callId};
    Queue &queue = m_queues[key];
    for (Item &behind : queue.items) {
        if (behind.entry.ref < ref)
            continue;
        behind.held = true;
        held.push_back(behind.entry.ref);
    }
    schedule(key, queue);
    return held;
}

QVector<qint64> Outbox::holdClear(const QString &lane, const QString &roomId)
{
    QVector<qint64> held;
    for (auto it = m_queues.begin(); it != m_queues.end(); ++it) {
        if (it.key().lane != lane)
            continue;
        for (Item &item : it->items) {
            if (item.entry.roomId != roomId || item.entry.form != store::Form::Plain || item.held)
                continue;
            item.held = true;
            held.push_back(item.entry.ref);
        }
        schedule(it.key(), *it);
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
    auto &items = m_queues[key].items;
    items.erase(std::find_if(items.begin(), items.end(), [ref](const Item &i) { return i.entry.ref == ref; }));
    drop(key, ref);
    work(key);
}

void Outbox::setSuspended(bool suspended)
{
    m_suspended = suspended;
    const auto keys = m_queues.keys();
    for (const Key &key : keys)
        work(key);
}

void Outbox::forget(const QString &lane)
{
    for (auto it = m_queues.begin(); it != m_queues.end();) {
        if (it.key().lane != lane) {
            ++it;
            continue;
        }
        m_depth -= static_cast<qsizetype>(it->items.size());
        unschedule(it.key(), *it);
        it = m_queues.erase(it);
    }
    m_calls.remove(lane);
    m_devices.remove(lane);
    m_metrics.set(observe::Gauge::OutboxDepth, m_depth);
    arm();
}

} // namespace voip::effects
