// SPDX-License-Identifier: Apache-2.0
// What the tests of the store share: fresh databases of both kinds, a side connection that looks and meddles behind
// the store's back, waiting for replies, and randomised values that a row must keep exactly.
#pragma once

#include "postgrescluster.h"
#include "store/sqlstore.h"

#include <QEventLoop>
#include <QRandomGenerator>
#include <QSqlDatabase>
#include <QTemporaryDir>
#include <QTimer>

namespace storetest
{

using namespace voip::store;

// Databases of a test program; the PostgreSQL cluster is started when the first of that kind is asked for. Where a test
// may start no process (ThreadSanitizer), VOIP_TEST_POSTGRES is the folder of a cluster that is there, whose cluster()
// cannot be had.
class Databases
{
public:
    [[nodiscard]] static QStringList drivers() { return {QStringLiteral("sqlite"), QStringLiteral("postgresql")}; }
    // A new empty database. Fatal if there cannot be one: a missing server is a failure, never a skip.
    [[nodiscard]] voiphost::DatabaseSettings fresh(const QString &driver);
    [[nodiscard]] PostgresCluster &cluster();

private:
    QTemporaryDir m_folder;
    std::unique_ptr<PostgresCluster> m_cluster;
    int m_count = 0;
};

// A connection of the test's own. Statements that fail are fatal.
class Side
{
public:
    explicit Side(const voiphost::DatabaseSettings &settings);
    ~Side();
    Q_DISABLE_COPY_MOVE(Side)

    void run(const QString &sql);
    [[nodiscard]] QStringList rows(const QString &sql); // columns parted by "|"
    [[nodiscard]] QString value(const QString &sql) { return rows(sql).join(u'\n'); }
    // Holds up every write to the table until unlock().
    void lock(const QString &table);
    void unlock() { run(QStringLiteral("COMMIT")); }

private:
    QString m_name;
    QSqlDatabase m_db;
};

constexpr int patienceMs = 40 * 1000; // far beyond anything that works

// Waits until `done` says so, looking after each turn of the event loop.
void waitUntil(const std::function<bool()> &done, const char *what);

template <typename T, typename Ask>
Result<T> await(Ask ask)
{
    QObject context;
    std::optional<Result<T>> result;
    ask(&context, [&result](Result<T> answer) { result = std::move(answer); });
    waitUntil([&result] { return result.has_value(); }, "an answer of the store");
    return *result;
}

// The store's calls, awaited.
Result<voiphost::Done> open(Store &store, const QByteArray &rootKey = {});
Result<QVector<InboxEntry>> accept(Store &store, const InboxBatch &batch);
Result<Committed> commit(Store &store, const Commit &commit);
Result<Pruned> prune(Store &store, qint64 now, const Retention &keep = {}); // until nothing is left
Result<QVector<LaneRecord>> restore(Store &store, qint64 now);
Result<QVector<InboxEntry>> pending(Store &store);
[[nodiscard]] QVector<qint64> seqs(const QVector<InboxEntry> &entries);

[[nodiscard]] InboxBatch batch(const QString &transactionId, const QString &lane, const QStringList &eventIds);
[[nodiscard]] OutboxEntry send(qint64 ref, const QString &txnId, const QString &callId = QStringLiteral("c1"));
[[nodiscard]] Notice notice(const QString &callId, qint64 seq);
[[nodiscard]] voip::call::Call simpleCall(const QString &id, voip::call::State state, qint64 createdAt);

// Any value that the types allow; an ended call has no SDP.
[[nodiscard]] voip::call::Call randomCall(QRandomGenerator &random, const QString &id);
[[nodiscard]] voip::call::Room randomRoom(QRandomGenerator &random, const QString &id, int members);

} // namespace storetest
