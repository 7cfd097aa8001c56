// SPDX-License-Identifier: Apache-2.0
#include "store/writer.h"

#include "store/limits.h"
#include "store/log.h"
#include "store/migrations.h"
#include "store/sharing.h"
#include "store/writes.h"

#include <QDateTime>
#include <QDeadlineTimer>
#include <QFile>

#include <chrono>
#include <sys/stat.h>

namespace voip::store
{

namespace
{

constexpr int firstBackOffMs = 100;
constexpr int longestBackOffMs = 5000;
constexpr int heartbeatMs = 2000; // how long a server may be gone before an idle writer notices

StoreError unavailable(const QString &message)
{
    return {StoreError::Kind::Unavailable, message};
}

// Marks the time that is spent in the database, for those who watch whether it ends.
class Busy
{
public:
    explicit Busy(std::atomic<qint64> &since) : m_since(since)
    {
        using namespace std::chrono;
        m_since = duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
    }
    ~Busy() { m_since = 0; }
    Q_DISABLE_COPY_MOVE(Busy)

private:
    std::atomic<qint64> &m_since;
};

} // namespace

Writer::Writer(voiphost::DatabaseSettings settings, Connection::Access access, std::shared_ptr<Stats> stats)
    : m_stats(std::move(stats)), m_db(settings, access), m_reconnect(this), m_heartbeat(this),
      m_file(std::move(settings.dsn))
{
    m_reconnect.setSingleShot(true);
    m_heartbeat.setInterval(heartbeatMs);
    connect(&m_reconnect, &QTimer::timeout, this, &Writer::retryConnection);
    connect(&m_heartbeat, &QTimer::timeout, this, &Writer::checkIdleConnection);
    m_thread.setObjectName(QStringLiteral("store-writer"));
    moveToThread(&m_thread);
    m_thread.start();
}

Writer::~Writer()
{
    (void)stop(-1);
}

void Writer::submit(WriteJob job)
{
    QString refusal;
    {
        const QMutexLocker lock(&m_mutex);
        if (m_stopped)
            refusal = QStringLiteral("the store is closed");
        else if (!m_available)
            refusal = QStringLiteral("the database is not available");
        else if (m_queue.size() >= maxWaitingJobs)
            refusal = QStringLiteral("too many writes are waiting");
        if (refusal.isEmpty()) {
            m_queue.push_back(std::move(job));
            if (!m_flushPosted) {
                m_flushPosted = true;
                QMetaObject::invokeMethod(this, &Writer::flush, Qt::QueuedConnection);
            }
            return;
        }
    }
    job.finish(unavailable(refusal));
}

void Writer::open(const QByteArray &rootKey, std::function<void(const std::optional<StoreError> &)> reply)
{
    {
        const QMutexLocker lock(&m_mutex);
        if (!m_stopped) {
            QMetaObject::invokeMethod(
                this, [this, rootKey, reply = std::move(reply)] { openNow(rootKey, reply); }, Qt::QueuedConnection);
            return;
        }
    }
    reply(unavailable(QStringLiteral("the store is closed")));
}

bool Writer::stop(int patienceMs)
{
    {
        const QMutexLocker lock(&m_mutex);
        if (m_stopped)
            return m_thread.isFinished();
        m_stopped = true;
    }
    // Behind every flush and open that is posted already.
    QMetaObject::invokeMethod(this, &Writer::stopNow, Qt::QueuedConnection);
    return m_thread.wait(QDeadlineTimer(patienceMs));
}

void Writer::stopNow()
{
    flush();
    m_reconnect.stop();
    m_heartbeat.stop();
    m_opened = false;
    finishAll(std::exchange(m_unknown, {}), unavailable(QStringLiteral("the store is closed")));
    setAvailable(false);
    m_db.close();
    m_thread.quit();
}

void Writer::openNow(const QByteArray &rootKey, const std::function<void(const std::optional<StoreError> &)> &reply)
{
    if (m_opened) {
        reply(StoreError{StoreError::Kind::Conflict, QStringLiteral("the store is open")});
        return;
    }
    std::optional<StoreError> error = m_db.open();
    if (!error) {
        const Result<int> version = migrate(m_db);
        if (!version)
            error = version.error();
    }
    if (!error) {
        if (!m_db.begin()) {
            error = m_db.error();
        } else if ((error = fillPartitions(m_db))) {
            m_db.rollback();
        } else if (const Result<voiphost::Done> key = checkRootKey(m_db, rootKey); !key) {
            error = key.error();
            m_db.rollback();
        } else if (const Result<QString> check = readRootKeyCheck(m_db); !check) {
            error = check.error();
            m_db.rollback();
        } else if (!m_db.commit()) {
            error = m_db.error();
        } else {
            m_rootKeyCheck = *check;
        }
    }
    if (error) {
        m_db.close();
    } else {
        m_opened = true;
        m_heartbeat.start();
        setAvailable(true);
    }
    reply(error);
}

void Writer::flush()
{
    for (;;) {
        std::deque<WriteJob> group;
        {
            const QMutexLocker lock(&m_mutex);
            if (m_queue.empty()) {
                m_flushPosted = false;
                return;
            }
            while (!m_queue.empty() && group.size() < maxGroup) {
                group.push_back(std::move(m_queue.front()));
                m_queue.pop_front();
            }
        }
        write(std::move(group));
    }
}

void Writer::write(std::deque<WriteJob> group)
{
    const Busy busy(m_busySince);
    bool maybeDone = false;
    for (int attempt = 0; attempt < 2 && m_opened && m_available; ++attempt) {
        if (!fileIsThere() || (!m_db.isOpen() && !connectAgain()))
            break;
        switch (tryTransaction(group)) {
        case Outcome::Committed:
            finishAll(group, std::nullopt);
            return;
        case Outcome::Refused:
            m_db.rollback();
            if (group.size() == 1) {
                finishAll(group, m_lastError);
                return;
            }
            for (WriteJob &job : group) {
                std::deque<WriteJob> alone;
                alone.push_back(std::move(job));
                write(std::move(alone));
            }
            return;
        case Outcome::Failed: // disk full, time-out: each of the others would meet the same
            m_db.rollback();
            setAvailable(false); // until a write succeeds again
            return giveUp(std::move(group), m_lastError, maybeDone);
        case Outcome::LostInCommit:
            maybeDone = true;
            m_db.close();
            break;
        case Outcome::LostBeforeCommit:
            m_db.close();
            break;
        }
    }
    setAvailable(false);
    giveUp(std::move(group), unavailable(QStringLiteral("the database is not available")), maybeDone);
}

// A lane that is told "not written" decides anew; if it was written all the same, it would decide twice.
void Writer::giveUp(std::deque<WriteJob> group, const StoreError &error, bool maybeDone)
{
    std::deque<WriteJob> answered;
    for (WriteJob &job : group) {
        if (maybeDone && job.mustKnow)
            m_unknown.push_back(std::move(job));
        else
            answered.push_back(std::move(job));
    }
    finishAll(answered, error);
}

Writer::Outcome Writer::tryTransaction(const std::deque<WriteJob> &group)
{
    const auto failed = [this](const StoreError &error) {
        m_lastError = error;
        if (m_db.lost())
            return Outcome::LostBeforeCommit;
        return error.kind == StoreError::Kind::Unavailable ? Outcome::Failed : Outcome::Refused;
    };
    if (!m_db.begin())
        return failed(m_db.error());
    QHash<int, qint64> held;
    for (const WriteJob &job : group) {
        if (job.fence && !held.contains(job.fence->partition)) {
            if (const std::optional<StoreError> error = checkFence(m_db, *job.fence))
                return failed(*error);
            held.insert(job.fence->partition, job.fence->token);
        }
        if (job.fence && held.value(job.fence->partition) != job.fence->token)
            return failed({StoreError::Kind::Fenced, QStringLiteral("a token that was given back")});
        if (const std::optional<StoreError> error = job.run(m_db))
            return failed(*error);
        if (const std::optional<StoreError> error = m_db.takeUnnoticed())
            return failed(*error);
    }
    if (!m_db.commit()) {
        m_lastError = m_db.error();
        return m_db.lost() ? Outcome::LostInCommit : Outcome::Failed;
    }
    ++m_stats->transactions;
    return Outcome::Committed;
}

void Writer::finishAll(const std::deque<WriteJob> &group, const std::optional<StoreError> &error)
{
    if (!error) // before the answers: who has one may look
        m_stats->writes += group.size();
    for (const WriteJob &job : group)
        job.finish(error);
}

bool Writer::connectAgain()
{
    if (const std::optional<StoreError> error = m_db.open()) {
        m_lastError = *error;
        return false;
    }
    // While it was away another root key may have come: what is sealed with ours could never be read again.
    const Result<QString> check = readRootKeyCheck(m_db);
    if (!check || *check != m_rootKeyCheck) {
        m_lastError = check ? unavailable(QStringLiteral("the root key of the database was changed: start again"))
                            : check.error();
        m_db.close();
        return false;
    }
    ++m_stats->reconnects;
    return true;
}

void Writer::retryConnection()
{
    if (!m_opened || m_available)
        return;
    const Busy busy(m_busySince);
    if (fileIsThere() && (m_db.isOpen() || connectAgain()) && canWrite()) {
        setAvailable(true);
        if (!m_unknown.empty()) // what is submitted from now on comes later: it is flushed by this thread, too
            write(std::exchange(m_unknown, {}));
        return;
    }
    m_backOffMs = std::min(m_backOffMs * 2, longestBackOffMs);
    m_reconnect.start(m_backOffMs);
}

void Writer::checkIdleConnection()
{
    // A write notices by itself; this is for health while nothing is written.
    if (!m_opened || !m_available)
        return;
    if (!fileIsThere())
        return setAvailable(false);
    if (m_db.dialect() == Dialect::Sqlite)
        return;
    const Busy busy(m_busySince);
    if (m_db.isOpen() && m_db.run(QStringLiteral("SELECT 1")) != nullptr)
        return;
    m_db.close();
    if (!connectAgain())
        setAvailable(false);
}

// SQLite goes on writing into a file that was deleted or replaced, and all of it would be lost.
bool Writer::fileIsThere()
{
    if (m_db.dialect() != Dialect::Sqlite)
        return true;
    struct stat now {
    };
    const bool there = ::stat(QFile::encodeName(m_file).constData(), &now) == 0;
    if (there && m_db.isOpen() && m_inode != 0 && now.st_ino != m_inode)
        m_db.close(); // another file has come in its place
    m_inode = there ? now.st_ino : 0;
    if (!there) {
        m_db.close();
        m_lastError = unavailable(QStringLiteral("the database file %1 is gone: put it back").arg(m_file));
    }
    return there;
}

// A full disk lets us connect and read; only a write tells.
bool Writer::canWrite()
{
    const bool written = m_db.begin() &&
                         m_db.run(QStringLiteral("INSERT INTO meta (key, value) VALUES ('write_probe', ?) "
                                                 "ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
                                  {QString::number(QDateTime::currentMSecsSinceEpoch())}) != nullptr &&
                         m_db.commit();
    if (!written) {
        m_lastError = m_db.error();
        m_db.rollback();
        if (m_db.lost())
            m_db.close();
    }
    return written;
}

void Writer::setAvailable(bool available)
{
    if (!available && m_opened && !m_reconnect.isActive()) {
        m_backOffMs = firstBackOffMs;
        m_reconnect.start(m_backOffMs);
    }
    if (m_available.exchange(available) == available)
        return;
    if (available)
        qCInfo(lcStore) << "database is available";
    else if (m_opened)
        qCWarning(lcStore).noquote() << "database is not available:" << m_lastError.message;
    Q_EMIT availableChanged(available);
}

} // namespace voip::store
