// SPDX-License-Identifier: Apache-2.0
// The durable memory as everybody else sees it: an interface, so that the whole pipeline also runs on a simulated
// database (tests/simulation). The one that is used is SqlStore. No call here blocks; replies are posted to the thread
// of `context` and are dropped if it has been destroyed. A database that goes away makes writes fail with Unavailable
// at once while it is gone; the store reconnects by itself.
// Several workers may share one database (PostgreSQL): each holds some partitions of the lanes under fencing tokens. A
// commit that carries a token which is not the partition's any more is refused with Fenced, whole.
#pragma once

#include "store/rows.h"

#include <QObject>

namespace voip::store
{

class Store : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    // Connects, migrates (under a lock, so that two starting workers do not race), checks the root key if one is
    // given: its check value is remembered by the first start and compared by later ones. Wrong or missing then is
    // Misconfigured.
    virtual void open(const QByteArray &rootKey, QObject *context, Reply<voiphost::Done> reply) = 0;
    // Flushes what is waiting and lets go of the database. Blocks. Idempotent.
    virtual void close() = 0;

    [[nodiscard]] virtual bool available() const = 0; // any thread
    // How often a row was left out, since nobody can use it. Any thread.
    [[nodiscard]] virtual quint64 unreadableRows() const { return 0; }

    // --- writes (grouped)
    // The batch is durable when the reply comes. An event id seen before for its lane (R107: also by another
    // transaction) adds nothing. Answered is which of the batch's events wait to be consumed: the new ones, and those
    // that were kept before; the caller knows what it has in hand. Unavailable may also mean that nobody knows whether
    // it was written: the same events may be given again, in whatever transactions.
    virtual void accept(InboxBatch batch, QObject *context, Reply<QVector<InboxEntry>> reply) = 0;
    // Unavailable: it was not written. A commit of which nobody knows whether it was written is not answered before it
    // is known, or the store is closed.
    virtual void commit(Commit commit, QObject *context, Reply<Committed> reply) = 0;
    // A value under a key that begins with "sealed:" is one that was sealed with the root key (reseal.h).
    virtual void putSetting(const QString &key, const QByteArray &value, QObject *context,
                            Reply<voiphost::Done> reply) = 0;
    // A bounded piece of what is past its time: notices of ended calls older than an hour, seen events and
    // transactions older than a week, idempotency keys older than 24 h, and of ended calls what Retention says.
    virtual void prune(qint64 now, const Retention &keep, QObject *context, Reply<Pruned> reply) = 0;

    // --- reads
    virtual void restoreLanes(qint64 now, const Share &share, QObject *context, Reply<QVector<LaneRecord>> reply) = 0;
    // Accepted and not consumed, in order of seq.
    virtual void pendingInbox(const Share &share, qint64 afterSeq, QObject *context,
                              Reply<QVector<InboxEntry>> reply) = 0;
    // The same, no more than `limit` rows of it.
    virtual void inboxPage(const Share &share, qint64 afterSeq, int limit, QObject *context,
                           Reply<InboxPage> reply) = 0;
    // How much of it there is for all lanes together, but for what the workers said they keep aside (LeaseRequest);
    // counted to `most` entries or little more.
    virtual void inboxDepth(qint64 most, QObject *context, Reply<InboxDepth> reply) = 0;
    virtual void settings(QObject *context, Reply<QHash<QString, QByteArray>> reply) = 0;
    virtual void findCall(const QString &lane, const QString &callId, QObject *context,
                          Reply<std::optional<call::Call>> reply) = 0;
    // Ended calls that the host knows (announced to it or placed by it), newest first, before the call of that id.
    virtual void history(const QString &lane, int limit, const QString &beforeCallId, QObject *context,
                         Reply<QVector<call::Call>> reply) = 0;
    virtual void noticesAfter(const QString &lane, qint64 afterId, int limit, QObject *context,
                              Reply<QVector<Notice>> reply) = 0;
    // Notices of the given calls in order of id.
    virtual void noticesOfCalls(const QString &lane, const QVector<QString> &callIds, QObject *context,
                                Reply<QVector<Notice>> reply) = 0;

    // --- several workers on one database
    // Says that this worker is there, keeps what it holds, gives back, takes. The reply says what it holds from now on.
    virtual void lease(LeaseRequest request, QObject *context, Reply<Leases> reply) = 0;
    // Lanes and users of these rooms, whoever holds them: `lanes` of the rooms, and the followers of `users`.
    virtual void findRoutes(const QStringList &rooms, const QStringList &users, QObject *context,
                            Reply<Routes> reply) = 0;
    // The announced live calls of all lanes, and of one; the rooms of one; the newest notice of each lane, if above
    // `afterId`.
    virtual void liveCalls(QObject *context, Reply<QVector<OwnedCall>> reply) = 0;
    virtual void liveCallsOf(const QString &lane, QObject *context, Reply<QVector<call::Call>> reply) = 0;
    virtual void roomsOf(const QString &lane, QObject *context, Reply<QVector<call::Room>> reply) = 0;
    virtual void noticeHeads(qint64 afterId, QObject *context, Reply<QHash<QString, qint64>> reply) = 0;
    // A request for whoever holds the lane, and its answer. Each is taken once; they may be lost if a worker dies.
    virtual void sendErrand(Errand errand, QObject *context, Reply<voiphost::Done> reply) = 0;
    // True: nobody has taken it, and nobody will.
    virtual void withdrawErrand(const QString &id, QObject *context, Reply<bool> reply) = 0;
    virtual void takeErrands(const QVector<int> &partitions, QObject *context, Reply<QVector<Errand>> reply) = 0;
    virtual void answerErrand(Errand answer, QObject *context, Reply<voiphost::Done> reply) = 0;
    virtual void takeAnswers(const QString &worker, QObject *context, Reply<QVector<Errand>> reply) = 0;

    // Whether stirred() can be relied on just now, but for a moment.
    [[nodiscard]] virtual bool hears() const = 0; // any thread

Q_SIGNALS:
    void availableChanged(bool available); // queued to receivers
    // Some worker (this one, too) has committed something: a word, and whom it concerns. May be lost, and may come
    // for nothing; whoever needs it asks now and then as well.
    void stirred(voip::store::Stir what, const QString &whom);
};

} // namespace voip::store
