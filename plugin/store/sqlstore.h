// SPDX-License-Identifier: Apache-2.0
// The store over SQL: SQLite or PostgreSQL, one schema. The only folder that knows SQL. One writer thread gathers all
// writes that are waiting into one database transaction per flush (group commit) and answers each afterwards; one
// reader thread has a connection of its own, and with several workers another that listens.
#pragma once

#include "store/store.h"

#include <voiphost/settings.h>

#include <QObject>
#include <QTimer>

#include <atomic>
#include <memory>

namespace voip::store
{

class Writer;
class Reader;
class Listener;
struct Stats;

class SqlStore : public Store
{
    Q_OBJECT

public:
    // Shared: other workers may use the database at the same time; only PostgreSQL can be shared.
    enum class Use { Alone, Shared };
    explicit SqlStore(voiphost::DatabaseSettings settings, Use use = Use::Alone, QObject *parent = nullptr);
    ~SqlStore() override; // closes

    void open(const QByteArray &rootKey, QObject *context, Reply<voiphost::Done> reply) override;
    void close() override;
    [[nodiscard]] bool available() const override;
    [[nodiscard]] quint64 unreadableRows() const override { return counters().corruptRows; }

    struct Counters {
        quint64 transactions = 0; // committed by the writer
        quint64 writes = 0;       // answered well; more than `transactions` when they were grouped
        quint64 corruptRows = 0;  // skipped while reading lists; each is logged once
        quint64 reconnects = 0;
    };
    [[nodiscard]] Counters counters() const; // any thread

    void accept(InboxBatch batch, QObject *context, Reply<QVector<InboxEntry>> reply) override;
    void commit(Commit commit, QObject *context, Reply<Committed> reply) override;
    void putSetting(const QString &key, const QByteArray &value, QObject *context,
                    Reply<voiphost::Done> reply) override;
    void prune(qint64 now, const Retention &keep, QObject *context, Reply<Pruned> reply) override;

    void restoreLanes(qint64 now, const Share &share, QObject *context, Reply<QVector<LaneRecord>> reply) override;
    void pendingInbox(const Share &share, qint64 afterSeq, QObject *context, Reply<QVector<InboxEntry>> reply) override;
    void inboxPage(const Share &share, qint64 afterSeq, int limit, QObject *context, Reply<InboxPage> reply) override;
    void inboxDepth(qint64 most, QObject *context, Reply<InboxDepth> reply) override;
    void settings(QObject *context, Reply<QHash<QString, QByteArray>> reply) override;
    void findCall(const QString &lane, const QString &callId, QObject *context,
                  Reply<std::optional<call::Call>> reply) override;
    void history(const QString &lane, int limit, const QString &beforeCallId, QObject *context,
                 Reply<QVector<call::Call>> reply) override;
    void noticesAfter(const QString &lane, qint64 afterId, int limit, QObject *context,
                      Reply<QVector<Notice>> reply) override;
    void noticesOfCalls(const QString &lane, const QVector<QString> &callIds, QObject *context,
                        Reply<QVector<Notice>> reply) override;

    void lease(LeaseRequest request, QObject *context, Reply<Leases> reply) override;
    void findRoutes(const QStringList &rooms, const QStringList &users, QObject *context, Reply<Routes> reply) override;
    void liveCalls(QObject *context, Reply<QVector<OwnedCall>> reply) override;
    void liveCallsOf(const QString &lane, QObject *context, Reply<QVector<call::Call>> reply) override;
    void roomsOf(const QString &lane, QObject *context, Reply<QVector<call::Room>> reply) override;
    void noticeHeads(qint64 afterId, QObject *context, Reply<QHash<QString, qint64>> reply) override;
    void sendErrand(Errand errand, QObject *context, Reply<voiphost::Done> reply) override;
    void withdrawErrand(const QString &id, QObject *context, Reply<bool> reply) override;
    void takeErrands(const QVector<int> &partitions, QObject *context, Reply<QVector<Errand>> reply) override;
    void answerErrand(Errand answer, QObject *context, Reply<voiphost::Done> reply) override;
    void takeAnswers(const QString &worker, QObject *context, Reply<QVector<Errand>> reply) override;

    [[nodiscard]] bool hears() const override;

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

private:
    void lookForStall();

    voiphost::DatabaseSettings m_settings;
    std::shared_ptr<Stats> m_stats;
    std::unique_ptr<Writer> m_writer;
    std::unique_ptr<Reader> m_reader;
    std::unique_ptr<Listener> m_listener; // shared only
    QTimer *m_watch;                      // a server that is frozen says nothing at all: only time tells
    std::atomic<bool> m_stalled = false;
};

} // namespace voip::store
