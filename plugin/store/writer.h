// SPDX-License-Identifier: Apache-2.0
// The writer: one thread, one connection, one queue. Whatever waits is written in one transaction per flush and
// answered after its commit. A write that the database refuses is found by writing that group again one by one, and
// alone is answered with the refusal. A connection that is lost before COMMIT costs one immediate repeat; one lost
// during COMMIT as well, since every write changes nothing the second time (writes.h). Then, and while the database
// stays away, everything is answered Unavailable at once, and the connection is tried again with back-off. Only what
// may have been committed and must be known is kept: it is written again, before anything else, when the database is
// back.
#pragma once

#include "store/connection.h"
#include "store/stats.h"

#include <QMutex>
#include <QObject>
#include <QSet>
#include <QThread>
#include <QTimer>

#include <deque>
#include <functional>
#include <optional>

namespace voip::store
{

struct WriteJob {
    // Runs the statements and remembers the result; may be called again after a rollback. What it gives is the error.
    std::function<std::optional<StoreError>(Connection &db)> run;
    // Answers, exactly once: with the remembered result, or with this error.
    std::function<void(const std::optional<StoreError> &)> finish;
    std::optional<Fence> fence = {}; // must hold, or the job is refused with Fenced
    bool mustKnow = false;           // is not answered before it is known whether it was written
};

class Writer : public QObject
{
    Q_OBJECT

public:
    Writer(voiphost::DatabaseSettings settings, Connection::Access access, std::shared_ptr<Stats> stats);
    ~Writer() override;

    // Any thread. The job is answered in any case, also when it is refused.
    void submit(WriteJob job);
    // Connects, migrates, checks the root key; once it succeeds the writer keeps itself connected.
    void open(const QByteArray &rootKey, std::function<void(const std::optional<StoreError> &)> reply);
    // The owner's thread. Writes what waits, closes the connection, joins the thread. Blocks for so long; false: the
    // database still holds the thread, and this object must be left to it. Idempotent.
    [[nodiscard]] bool stop(int patienceMs);

    [[nodiscard]] bool available() const { return m_available; }
    // Any thread: since when the database has been at one piece of work (steady clock, ms); 0: it is not.
    [[nodiscard]] qint64 busySince() const { return m_busySince; }

Q_SIGNALS:
    void availableChanged(bool available);

private:
    enum class Outcome { Committed, Refused, Failed, LostBeforeCommit, LostInCommit };

    // All of these on the writer's thread.
    void openNow(const QByteArray &rootKey, const std::function<void(const std::optional<StoreError> &)> &reply);
    void flush();
    void write(std::deque<WriteJob> group);
    [[nodiscard]] Outcome tryTransaction(const std::deque<WriteJob> &group);
    void giveUp(std::deque<WriteJob> group, const StoreError &error, bool maybeDone);
    void finishAll(const std::deque<WriteJob> &group, const std::optional<StoreError> &error);
    [[nodiscard]] bool connectAgain();
    void retryConnection();
    void checkIdleConnection();
    [[nodiscard]] bool fileIsThere(); // always, for a server
    [[nodiscard]] bool canWrite();
    void setAvailable(bool available);
    void stopNow();

    QThread m_thread;
    std::shared_ptr<Stats> m_stats;
    std::atomic<bool> m_available = false;
    std::atomic<qint64> m_busySince = 0;

    QMutex m_mutex; // guards the next three
    std::deque<WriteJob> m_queue;
    bool m_flushPosted = false;
    bool m_stopped = false;

    Connection m_db;
    std::deque<WriteJob> m_unknown; // may be committed, and nobody was told
    QTimer m_reconnect;
    QTimer m_heartbeat;
    int m_backOffMs = 0;
    const QString m_file; // SQLite
    quint64 m_inode = 0;
    QString m_rootKeyCheck; // as it was when it was opened
    bool m_opened = false;
    StoreError m_lastError;
};

} // namespace voip::store
