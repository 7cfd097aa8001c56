// SPDX-License-Identifier: Apache-2.0
// The durable memory: repositories over one SQL schema (SQLite or PostgreSQL). The only folder that knows SQL.
// One writer thread gathers all writes that are waiting into one database transaction per flush (group commit) and
// answers each afterwards; one reader thread has a connection of its own. No call here blocks; replies are posted to
// the thread of `context` and are dropped if it has been destroyed. A database that goes away makes writes fail with
// Unavailable at once while it is gone; the store reconnects by itself with back-off.
#pragma once

#include "store/rows.h"

#include <voiphost/settings.h>

#include <QObject>
#include <QTimer>

#include <atomic>
#include <memory>

namespace voip::store
{

class Writer;
class Reader;
struct Stats;

class Store : public QObject
{
    Q_OBJECT

public:
    explicit Store(voiphost::DatabaseSettings settings, QObject *parent = nullptr);
    ~Store() override; // closes

    // Connects, migrates (under a lock, so that two starting workers do not race), checks the root key if one is
    // given: its check value is remembered by the first start and compared by later ones. Wrong or missing then is
    // Misconfigured.
    void open(const QByteArray &rootKey, QObject *context, Reply<voiphost::Done> reply);
    // Flushes what is waiting, joins both threads, closes the connections. Blocks. Idempotent.
    void close();

    [[nodiscard]] bool available() const; // any thread

    struct Counters {
        quint64 transactions = 0; // committed by the writer
        quint64 writes = 0;       // answered well; more than `transactions` when they were grouped
        quint64 corruptRows = 0;  // skipped while reading lists; each is logged once
        quint64 reconnects = 0;
    };
    [[nodiscard]] Counters counters() const; // any thread

    // --- writes (writer thread, grouped) ---
    // Unavailable may also mean that nobody knows whether it was written: the same write may be repeated as it is,
    // and then changes nothing that was done already.
    // The batch is durable when the reply comes. Entries that are new are answered; an event id seen before for its
    // lane (R107: also by another transaction) or a transaction seen before adds none.
    void accept(InboxBatch batch, QObject *context, Reply<QVector<InboxEntry>> reply);
    void commit(Commit commit, QObject *context, Reply<Committed> reply);
    // A value under a key that begins with "sealed:" is one that was sealed with the root key (reseal.h).
    void putSetting(const QString &key, const QByteArray &value, QObject *context, Reply<voiphost::Done> reply);
    // Bodies and ids that are past their time: notices of ended calls older than an hour, seen events and
    // transactions older than a week, idempotency keys older than 24 h.
    void prune(qint64 now, QObject *context, Reply<voiphost::Done> reply);

    // --- reads (reader thread) ---
    void restoreLanes(qint64 now, QObject *context, Reply<QVector<LaneRecord>> reply);
    void pendingInbox(QObject *context, Reply<QVector<InboxEntry>> reply); // in order of seq
    void settings(QObject *context, Reply<QHash<QString, QByteArray>> reply);
    void findCall(const QString &lane, const QString &callId, QObject *context, Reply<std::optional<call::Call>> reply);
    // Ended calls that the host knows (announced to it or placed by it), newest first, before the call of that id.
    void history(const QString &lane, int limit, const QString &beforeCallId, QObject *context,
                 Reply<QVector<call::Call>> reply);
    void noticesAfter(const QString &lane, qint64 afterId, int limit, QObject *context, Reply<QVector<Notice>> reply);
    // Notices of the given calls in order of id.
    void noticesOfCalls(const QString &lane, const QVector<QString> &callIds, QObject *context,
                        Reply<QVector<Notice>> reply);

    // For `--check`, blocking: connects and looks at the schema version without changing anything.
    struct Inspection {
        bool reachable = false;
        int schemaVersion = 0; // 0: empty database
        int programVersion = 0;
        QString rootKeyCheck; // of the key it was opened with before; empty: with none
        [[nodiscard]] bool hasRootKey() const { return !rootKeyCheck.isEmpty(); }
        [[nodiscard]] bool fits(const QByteArray &rootKey) const;
        QString message;
    };
    [[nodiscard]] static Inspection inspect(const voiphost::DatabaseSettings &settings);

Q_SIGNALS:
    void availableChanged(bool available); // from the writer thread's point of view; queued to receivers

private:
    void lookForStall();

    voiphost::DatabaseSettings m_settings;
    std::shared_ptr<Stats> m_stats;
    std::unique_ptr<Writer> m_writer;
    std::unique_ptr<Reader> m_reader;
    QTimer *m_watch; // a server that is frozen says nothing at all: only time tells
    std::atomic<bool> m_stalled = false;
};

} // namespace voip::store
