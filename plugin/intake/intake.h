// SPDX-License-Identifier: Apache-2.0
// Accepts batches durably and spreads them over the lanes. The future of a batch says Durable when its inbox rows are
// committed (or were before), and only then are the new entries handed on. Removes repeats by event id and lane, and by
// transaction (R107): the same id with other events is another transaction, since a homeserver that lost its count
// begins anew (Synapse on SQLite does at every restart). To-device messages have no id: their content says what is a
// repeat, since homeservers deliver them more than once (or never), by other ways. Waits for nothing else: what a lane
// makes of an entry is not its business (R109). Takes nothing before resume().
#pragma once

#include "intake/router.h"
#include "observe/metrics.h"
#include "store/store.h"

#include <voiphost/events.h>

#include <QFuture>
#include <QObject>

#include <functional>

namespace voip::intake
{

class Intake : public QObject
{
    Q_OBJECT

public:
    Intake(store::Store &store, Router &router, observe::Metrics &metrics, QObject *parent = nullptr);

    // Lives on the core thread; may be called from any. Refused before resume(), while the store is not available,
    // while more than maxDepth entries wait for their lanes, and if the intake goes away meanwhile.
    QFuture<voiphost::BatchResult> accept(const voiphost::EventBatch &batch);
    // What a lane has consumed, so that the depth is known.
    void consumed(qsizetype entries);
    // After a start: entries that were accepted and not consumed. Those of users who are not bridged any more stay.
    void resume(const QVector<store::InboxEntry> &pending);

Q_SIGNALS:
    // Entries of one transaction for one lane, in order. Emitted on the core thread.
    void accepted(const QString &lane, const QVector<voip::store::InboxEntry> &entries);
    // What the homeserver has left of a device's keys; not kept, since it says so again. -1: it did not say.
    void counted(const QString &lane, const QString &device, int oneTimeKeys, int fallbackUnused);
    void refused(); // a batch was not taken: what came with it may not come again

private:
    using Promise = std::shared_ptr<QPromise<voiphost::BatchResult>>;
    void take(const voiphost::EventBatch &batch, const Promise &promise);
    [[nodiscard]] store::InboxBatch sort(const voiphost::EventBatch &batch);
    [[nodiscard]] bool fits(const QJsonObject &event);
    void sortKeys(const voiphost::EventBatch &batch, store::InboxBatch &inbox);
    void tellCounts(const voiphost::EventBatch &batch);
    void spread(const QVector<store::InboxEntry> &entries);

    static constexpr qsizetype maxDepth = 100'000;

    store::Store &m_store;
    Router &m_router;
    observe::Metrics &m_metrics;
    qsizetype m_depth = 0;
    bool m_open = false;
};

} // namespace voip::intake
