// SPDX-License-Identifier: Apache-2.0
// Accepts batches durably and spreads them over the lanes. The future of a batch says Durable when its inbox rows are
// committed (or were before), and only then are the new entries handed on. Removes repeats by event id and lane, and by
// transaction (R107): the same id with other events is another transaction, since a homeserver that lost its count
// begins anew (Synapse on SQLite does at every restart). To-device messages have no id: their content says what is a
// repeat, since homeservers deliver them more than once (or never), by other ways. Waits for nothing else: what a lane
// makes of an entry is not its business (R109). Takes nothing before resume(), and no more than a bounded number of
// entries and bytes that no lane has looked at yet: what is refused comes again.
// Shared with other workers: a batch may come to any of them, and is stored by it; where its events belong is asked of
// the store. Who holds a lane reads what is there for it, in the order of acceptance, whoever accepted it: in pages,
// the next one when the lanes have looked at enough of the last. No more is taken than a bounded number of entries and
// bytes that wait in the store for any worker.
#pragma once

#include "intake/router.h"
#include "observe/metrics.h"
#include "store/store.h"

#include <voiphost/events.h>

#include <QFuture>
#include <QObject>
#include <QTimer>

#include <atomic>
#include <functional>
#include <vector>

namespace voip::intake
{

class Intake : public QObject
{
    Q_OBJECT

public:
    Intake(store::Store &store, Router &router, observe::Metrics &metrics, bool shared = false,
           QObject *parent = nullptr);

    // Lives on the core thread; may be called from any. Refused before resume(), while the store is not available,
    // while more than maxDepth entries or maxBytes of them (shared: by a look now and then, so about as many) wait for
    // the store or for their lanes, while maxAsked
    // batches have no answer, and if the intake goes away meanwhile.
    QFuture<voiphost::BatchResult> accept(const voiphost::EventBatch &batch);
    // What a lane has looked at: it may keep what it cannot open yet, but that is no backlog. Again is harmless.
    void seen(const QVector<qint64> &seqs);
    // What a lane has consumed.
    void consumed(const QVector<qint64> &seqs);
    // After a start: entries that were accepted and not consumed. Those of users who are not bridged any more stay.
    void resume(const QVector<store::InboxEntry> &pending);
    // Shared: whose lanes are here. What is there for those that are new is read and handed on, and so is what comes;
    // what was handed on for others is forgotten.
    void setServed(const QVector<int> &partitions);

Q_SIGNALS:
    // Entries of one transaction for one lane, in order. Emitted on the core thread.
    void accepted(const QString &lane, const QVector<voip::store::InboxEntry> &entries);
    // What the homeserver has left of a device's keys; not kept, since it says so again. -1: it did not say.
    void counted(const QString &lane, const QString &device, int oneTimeKeys, int fallbackUnused);
    void refused(); // a batch was not taken: what came with it may not come again
    // Shared: of what waits in the store, so much is no backlog: lanes here keep it, or it is of nobody. To be told to
    // those who count.
    void keepsAside(const voip::store::InboxDepth &aside);

private:
    struct InHand {
        int partition = 0;
        qsizetype bytes = 0;
    };
    struct Needs { // of a batch, whose lanes only the store knows
        QStringList rooms;
        QStringList users;
    };
    using Promise = std::shared_ptr<QPromise<voiphost::BatchResult>>;
    void take(const voiphost::EventBatch &batch, const Promise &promise);
    void look(std::function<void(bool)> then);
    void route(const voiphost::EventBatch &batch, const Promise &promise);
    void keep(const voiphost::EventBatch &batch, const Promise &promise);
    [[nodiscard]] static Needs needsOf(const voiphost::EventBatch &batch);
    void learn(const Needs &needs, const store::Routes &routes);
    // What is kept and in nobody's hand: intake_read.cpp
    void fetch(bool everything);
    void readOn();
    void readOnIfDue();
    void takePage(const store::InboxPage &page);
    void endReading(bool whole);
    [[nodiscard]] store::InboxBatch sort(const voiphost::EventBatch &batch);
    [[nodiscard]] bool fits(const QJsonObject &event);
    void sortKeys(const voiphost::EventBatch &batch, store::InboxBatch &inbox);
    void tellCounts(const voiphost::EventBatch &batch);
    void spread(const QVector<store::InboxEntry> &entries);
    void refuse(const Promise &promise, const char *why);
    void tellDepth();
    [[nodiscard]] bool tooDeep() const;

    static constexpr int pollMs = 250;   // shared, where nothing tells us
    static constexpr int maxAsked = 256; // batches without an answer
    static constexpr qsizetype maxDepth = 20'000;
    static constexpr qsizetype maxBytes = 32LL * 1024 * 1024; // as JSON
    static constexpr qint64 lookAfter = 500;                  // entries that were accepted since the last look
    static constexpr qint64 lookAfterBytes = 1024 * 1024;
    static constexpr int pageRows = 250; // of which each may have 64 KiB

    store::Store &m_store;
    Router &m_router;
    observe::Metrics &m_metrics;
    const bool m_shared;
    QHash<qint64, InHand> m_inHand; // by seq: what waits for its lane
    qsizetype m_inHandBytes = 0;
    QHash<qint64, qsizetype> m_waiting; // seq -> bytes of what no lane has looked at yet
    qsizetype m_waitingBytes = 0;
    std::shared_ptr<std::atomic<int>> m_asked = std::make_shared<std::atomic<int>>(0);
    qsizetype m_offered = 0; // entries on their way to the store
    qsizetype m_offeredBytes = 0;
    bool m_open = false;
    bool m_unheard = false; // notices of device lists may be kept that nobody repeats under the same id
    // Shared only, but for the reading.
    QHash<QString, QStringList> m_followers; // of the batch that is being sorted
    QVector<int> m_served;
    store::InboxDepth m_stored;      // by the last look
    store::InboxDepth m_storedSince; // by us
    std::vector<std::function<void(bool)>> m_lookers;
    QHash<qint64, InHand> m_nobodys; // rows of users who are not bridged any more, or that cannot be read
    qsizetype m_nobodysBytes = 0;
    store::InboxDepth m_aside;        // as told
    QSet<qint64> m_consumedMeanwhile; // since the page was asked for
    bool m_reading = false;           // page after page, from `m_fromStart`
    bool m_fromStart = false;
    bool m_fetching = false; // a page
    bool m_paused = false;   // until the lanes have looked at enough
    bool m_fetchAgain = false;
    bool m_fetchAll = false;
    qint64 m_cursor = 0;      // of the reading
    int m_round = 0;          // grows when what is served changes: what was read before may be another's by now
    qint64 m_floor = 0;       // seqs up to here are long committed, and were read
    qint64 m_settled = 0;     // seqs up to here are long committed
    qint64 m_settledThen = 0; // when the reading began
    qint64 m_nextFloor = 0;
    qint64 m_highest = 0;
    QTimer m_poll;
    QTimer m_raise;
};

} // namespace voip::intake
