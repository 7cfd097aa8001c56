// SPDX-License-Identifier: Apache-2.0
// Sends what was decided, after the commit: in order for each call, with the transaction id of the row, so that a
// repeat is harmless (R111). Calls do not wait for each other (R116). Transient failures are repeated with back-off
// for as long as the entry is worth sending; what became of each entry goes back to its lane as an input. One that is
// given up (too late, or refused) keeps its place until that is committed, too: what comes after it must not go before,
// since another process could still send it. At most
// mostInFlight requests are under way: what waits for its turn loses none of a request's time limit.
// It never decides about a call, and holds no state that the store does not have. No step looks at all queues.
#pragma once

#include "effects/clock.h"
#include "homeserver/ghosts.h"
#include "observe/metrics.h"
#include "store/rows.h"

#include <QHash>
#include <QObject>
#include <QTimer>

#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <tuple>

namespace voip::effects
{

class Outbox : public QObject
{
    Q_OBJECT

public:
    Outbox(homeserver::Client &client, homeserver::GhostDirectory &ghosts, observe::Metrics &metrics,
           const Clock &clock, QObject *parent = nullptr);

    // The entry's row is committed. `candidates`: how many are in it, for the figures. One that waits to be encrypted
    // keeps its place until it is sealed().
    void add(const store::OutboxEntry &entry, int candidates = 0);
    // One that an earlier process left: it may have begun to send it.
    void addRestored(const store::OutboxEntry &entry);
    void sealed(const store::OutboxEntry &entry);
    // A room has become encrypted: what nobody has begun to send there waits to be encrypted from now on, as `makeWait`
    // makes it. -> these
    [[nodiscard]] QVector<store::OutboxEntry> keepFromClear(const QString &lane, const QString &roomId,
                                                            const std::function<void(store::OutboxEntry &)> &makeWait);

    // A room is about to be encrypted: nothing is begun there in the clear until release(). -> which entries wait
    [[nodiscard]] QVector<qint64> holdClear(const QString &lane, const QString &roomId);

    // An entry that nobody has begun to send, or that the homeserver surely never saw, can be taken back, with all that
    // waits behind it. hold() says which entries these are (none: it cannot) and keeps them from being sent; after the
    // commit discard() drops each, after a failed one release() lets each go on. What cannot be taken back is not
    // repeated once discarded. What was given up is discarded, too, once that is committed.
    [[nodiscard]] QVector<qint64> hold(const QString &lane, qint64 ref);
    void discard(const QString &lane, qint64 ref);
    void release(const QString &lane, qint64 ref);

    // The lane's device, which the homeserver knows: what is sent as it is known to be a repeat even after the
    // homeserver was started again (R111).
    void setDevice(const QString &lane, const QString &device) { m_devices.insert(lane, device); }
    // Nothing is begun while it may be another worker's to send.
    void setSuspended(bool suspended);
    // Another worker holds the lane: what waits is its business.
    void forget(const QString &lane);

    [[nodiscard]] qsizetype depth() const { return m_depth; }
    [[nodiscard]] qsizetype depthOf(const QString &lane) const { return m_calls.value(lane).size(); }

    static constexpr int mostInFlight = 64;

Q_SIGNALS:
    void sent(const QString &lane, const QString &callId, qint64 ref, const QString &eventId);
    // `final`: it will not be sent any more. Otherwise it waits: said once when it takes long, and once with
    // M_LIMIT_EXCEEDED when the homeserver slows it down.
    void failed(const QString &lane, const QString &callId, qint64 ref, const QString &code, bool final);

private:
    struct Item {
        store::OutboxEntry entry;
        qint64 notBefore = 0;
        qint64 begun = 0; // when it came to the head of its queue, or may go on after a rate limit
        int failures = 0;
        bool inFlight = false;
        quint64 attempt = 0;           // the last request; one of before forget() is not ours
        bool maybeSeen = false;        // the homeserver may have it already
        bool restored = false;         // and that is only a guess: this process has not begun to send it
        std::optional<QString> device; // with which it was first tried: a repeat is known by it
        bool held = false;
        bool discarded = false; // forget it as soon as its request is over
        bool givenUp = false;   // nothing is tried any more; its lane has been told
        bool delayTold = false;
        bool limited = false; // the homeserver said when to come again
        int candidates = 0;   // in it
    };
    static constexpr qint64 never = std::numeric_limits<qint64>::max();
    struct Queue { // of one call
        std::deque<Item> items;
        qint64 due = never; // under which it stands in m_due
        bool ready = false; // stands in m_ready
    };
    struct Key {
        QString lane;
        QString callId;
        bool operator==(const Key &) const = default;
        bool operator<(const Key &other) const { return std::tie(lane, callId) < std::tie(other.lane, other.callId); }
        friend size_t qHash(const Key &key, size_t seed = 0) { return qHashMulti(seed, key.lane, key.callId); }
    };

    void add(Item item);
    void work(const Key &key);
    void attempt(const Key &key, Item &item);
    void finished(const Key &key, qint64 ref, quint64 attempt, const homeserver::Result<QString> &result);
    void next();
    void settleHead(const Key &key);
    void giveUp(const Key &key, Item &item, const QString &code);
    void drop(const Key &key, qint64 ref); // it is in no queue any more
    void countSent(const Item &item);
    void tellDelay(const Key &key, Item &item, const QString &code);
    void wake();
    void schedule(const Key &key, Queue &queue);
    void unschedule(const Key &key, Queue &queue);
    void arm();
    [[nodiscard]] qint64 dueOf(const Queue &queue) const;
    [[nodiscard]] Item *find(const Key &key, qint64 ref);
    [[nodiscard]] Item *findByRef(const QString &lane, qint64 ref);
    void registerGhost(const Key &key);

    homeserver::Client &m_client;
    homeserver::GhostDirectory &m_ghosts;
    observe::Metrics &m_metrics;
    const Clock &m_clock;
    QHash<Key, Queue> m_queues;
    QHash<QString, QHash<qint64, QString>> m_calls; // lane -> ref -> call id
    QHash<QString, QString> m_devices;              // by lane
    std::set<std::pair<qint64, Key>> m_due;         // when something is due in a queue next
    std::deque<Key> m_ready;                        // may be sent once fewer are under way
    int m_inFlight = 0;
    quint64 m_attempts = 0;
    qsizetype m_depth = 0;
    bool m_suspended = false;
    QTimer m_timer; // the next repeat, expiry or delay to tell
};

} // namespace voip::effects
