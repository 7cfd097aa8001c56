// SPDX-License-Identifier: Apache-2.0
#include "store/sqlstore.h"

#include "store/listener.h"
#include "store/log.h"
#include "store/migrations.h"
#include "store/reader.h"
#include "store/reads.h"
#include "store/relay.h"
#include "store/sharing.h"
#include "store/stats.h"
#include "store/writer.h"
#include "store/writes.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFileInfo>

#include <algorithm>
#include <chrono>
#include <vector>

namespace voip::store
{

Q_LOGGING_CATEGORY(lcStore, "matrixvoip.store")

namespace
{

constexpr int watchMs = 1000;
constexpr qint64 stallMs = 3000;
constexpr qint64 closeWithinMs = 15'000; // a statement takes ten seconds at most, if the server answers

using voiphost::Done;

// Turns a function over a connection into a job whose result is remembered until it is answered.
template <typename T, typename Function>
WriteJob writeJob(QObject *context, Reply<T> reply, Function function)
{
    const auto result = std::make_shared<std::optional<T>>();
    WriteJob job;
    job.run = [result, function = std::move(function)](Connection &db) -> std::optional<StoreError> {
        Result<T> outcome = function(db);
        if (!outcome)
            return outcome.error();
        *result = std::move(outcome).value();
        return std::nullopt;
    };
    job.finish = [result, answer = Answer<T>(context, std::move(reply))](const std::optional<StoreError> &error) {
        answer.give(error ? Result<T>(*error) : Result<T>(std::move(**result)));
    };
    return job;
}

template <typename T, typename Function>
ReadJob readJob(QObject *context, Reply<T> reply, Function function)
{
    const auto result = std::make_shared<std::optional<T>>();
    ReadJob job;
    job.run = [result, function = std::move(function)](Connection &db) -> std::optional<StoreError> {
        Result<T> outcome = function(db);
        if (!outcome)
            return outcome.error();
        *result = std::move(outcome).value();
        return std::nullopt;
    };
    job.finish = [result, answer = Answer<T>(context, std::move(reply))](const std::optional<StoreError> &error) {
        answer.give(error ? Result<T>(*error) : Result<T>(std::move(**result)));
    };
    return job;
}

} // namespace

int partitionOf(const QString &lane)
{
    std::uint32_t hash = 2166136261; // FNV-1a: the same on every machine and in every version
    for (const char byte : lane.toUtf8())
        hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619;
    return static_cast<int>(hash % partitionCount);
}

SqlStore::SqlStore(voiphost::DatabaseSettings settings, Use use, QObject *parent)
    : Store(parent), m_settings(std::move(settings)), m_stats(std::make_shared<Stats>()),
      m_writer(std::make_unique<Writer>(
          m_settings, use == Use::Shared ? Connection::Access::ReadWrite : Connection::Access::Serving, m_stats)),
      m_reader(std::make_unique<Reader>(m_settings))
{
    connect(m_writer.get(), &Writer::availableChanged, this, &Store::availableChanged);
    if (use == Use::Shared) {
        m_listener = std::make_unique<Listener>(m_settings);
        connect(m_listener.get(), &Listener::stirred, this, &Store::stirred);
    }
    m_watch = new QTimer(this);
    connect(m_watch, &QTimer::timeout, this, &SqlStore::lookForStall);
    m_watch->start(watchMs);
}

SqlStore::~SqlStore()
{
    close();
    // A thread that a server holds which does not answer: the process must end all the same.
    if (!m_listener || m_listener->stop(0))
        m_listener.reset();
    if (m_writer->stop(0))
        m_writer.reset();
    if (m_reader->stop(0))
        m_reader.reset();
    if (m_listener || m_writer || m_reader)
        qCCritical(lcStore) << "the database does not answer: what holds its connections is left behind";
    static auto *const leftBehind = new std::vector<QObject *>; // found from here: nobody takes them for leaks
    leftBehind->insert(leftBehind->end(), {m_listener.release(), m_writer.release(), m_reader.release()});
}

void SqlStore::open(const QByteArray &rootKey, QObject *context, Reply<Done> reply)
{
    if (m_listener && m_settings.driver != u"postgresql") {
        const Answer<Done> refused(context, std::move(reply));
        return refused.give(
            StoreError{StoreError::Kind::Misconfigured,
                       QStringLiteral("database.driver: SQLite cannot be shared by several workers: use "
                                      "postgresql, or leave plugins.matrixvoip.workers out")});
    }
    if (m_listener)
        m_listener->start();
    m_writer->open(rootKey, [answer = Answer<Done>(context, std::move(reply))](const std::optional<StoreError> &error) {
        answer.give(error ? Result<Done>(*error) : Result<Done>(Done{}));
    });
}

void SqlStore::close()
{
    QElapsedTimer since;
    since.start();
    const auto left = [&since] { return static_cast<int>(std::max<qint64>(0, closeWithinMs - since.elapsed())); };
    if (m_listener)
        (void)m_listener->stop(left());
    (void)m_writer->stop(left());
    (void)m_reader->stop(left());
}

bool SqlStore::available() const
{
    return m_writer->available() && !m_stalled;
}

bool SqlStore::hears() const
{
    return m_listener && m_listener->hears();
}

void SqlStore::lookForStall()
{
    using namespace std::chrono;
    const qint64 since = m_writer->busySince();
    const qint64 now = duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
    const bool stalled = since > 0 && now - since > stallMs;
    if (m_stalled.exchange(stalled) == stalled)
        return;
    if (stalled)
        qCWarning(lcStore) << "the database does not answer: what is waiting for it takes longer than" << stallMs
                           << "ms";
    Q_EMIT availableChanged(available());
}

SqlStore::Counters SqlStore::counters() const
{
    return {m_stats->transactions, m_stats->writes, m_stats->corruptRows, m_stats->reconnects};
}

void SqlStore::accept(InboxBatch batch, QObject *context, Reply<QVector<InboxEntry>> reply)
{
    m_writer->submit(writeJob<QVector<InboxEntry>>(
        context, std::move(reply), [batch = std::move(batch)](Connection &db) { return writeBatch(db, batch); }));
}

void SqlStore::commit(Commit commit, QObject *context, Reply<Committed> reply)
{
    const auto fence = commit.fence;
    WriteJob job = writeJob<Committed>(
        context, std::move(reply), [commit = std::move(commit)](Connection &db) { return writeCommit(db, commit); });
    job.fence = fence;
    job.mustKnow = true;
    m_writer->submit(std::move(job));
}

void SqlStore::putSetting(const QString &key, const QByteArray &value, QObject *context, Reply<Done> reply)
{
    m_writer->submit(writeJob<Done>(context, std::move(reply),
                                    [key, value](Connection &db) { return writeSetting(db, key, value); }));
}

void SqlStore::prune(qint64 now, const Retention &keep, QObject *context, Reply<Pruned> reply)
{
    m_writer->submit(
        writeJob<Pruned>(context, std::move(reply), [now, keep](Connection &db) { return writePrune(db, now, keep); }));
}

void SqlStore::restoreLanes(qint64 now, const Share &share, QObject *context, Reply<QVector<LaneRecord>> reply)
{
    m_reader->submit(
        readJob<QVector<LaneRecord>>(context, std::move(reply), [now, share, stats = m_stats](Connection &db) {
            return readLanes(db, *stats, now, share);
        }));
}

void SqlStore::pendingInbox(const Share &share, qint64 afterSeq, QObject *context, Reply<QVector<InboxEntry>> reply)
{
    inboxPage(share, afterSeq, 0, context, [reply = std::move(reply)](const Result<InboxPage> &page) {
        reply(page.ok() ? Result<QVector<InboxEntry>>(page->entries) : Result<QVector<InboxEntry>>(page.error()));
    });
}

void SqlStore::inboxPage(const Share &share, qint64 afterSeq, int limit, QObject *context, Reply<InboxPage> reply)
{
    m_reader->submit(
        readJob<InboxPage>(context, std::move(reply), [share, afterSeq, limit, stats = m_stats](Connection &db) {
            return readInbox(db, *stats, share, afterSeq, limit);
        }));
}

void SqlStore::inboxDepth(qint64 most, QObject *context, Reply<InboxDepth> reply)
{
    m_reader->submit(
        readJob<InboxDepth>(context, std::move(reply), [most](Connection &db) { return readInboxDepth(db, most); }));
}

void SqlStore::settings(QObject *context, Reply<QHash<QString, QByteArray>> reply)
{
    m_reader->submit(readJob<QHash<QString, QByteArray>>(
        context, std::move(reply), [stats = m_stats](Connection &db) { return readSettings(db, *stats); }));
}

void SqlStore::findCall(const QString &lane, const QString &callId, QObject *context,
                        Reply<std::optional<call::Call>> reply)
{
    m_reader->submit(readJob<std::optional<call::Call>>(
        context, std::move(reply), [lane, callId](Connection &db) { return readCall(db, lane, callId); }));
}

void SqlStore::history(const QString &lane, int limit, const QString &beforeCallId, QObject *context,
                       Reply<QVector<call::Call>> reply)
{
    m_reader->submit(readJob<QVector<call::Call>>(context, std::move(reply),
                                                  [lane, limit, beforeCallId, stats = m_stats](Connection &db) {
                                                      return readHistory(db, *stats, lane, limit, beforeCallId);
                                                  }));
}

void SqlStore::noticesAfter(const QString &lane, qint64 afterId, int limit, QObject *context,
                            Reply<QVector<Notice>> reply)
{
    m_reader->submit(
        readJob<QVector<Notice>>(context, std::move(reply), [lane, afterId, limit, stats = m_stats](Connection &db) {
            return readNoticesAfter(db, *stats, lane, afterId, limit);
        }));
}

void SqlStore::noticesOfCalls(const QString &lane, const QVector<QString> &callIds, QObject *context,
                              Reply<QVector<Notice>> reply)
{
    m_reader->submit(
        readJob<QVector<Notice>>(context, std::move(reply), [lane, callIds, stats = m_stats](Connection &db) {
            return readNoticesOfCalls(db, *stats, lane, callIds);
        }));
}

void SqlStore::lease(LeaseRequest request, QObject *context, Reply<Leases> reply)
{
    m_writer->submit(writeJob<Leases>(
        context, std::move(reply), [request = std::move(request)](Connection &db) { return writeLease(db, request); }));
}

void SqlStore::findRoutes(const QStringList &rooms, const QStringList &users, QObject *context, Reply<Routes> reply)
{
    m_reader->submit(readJob<Routes>(context, std::move(reply),
                                     [rooms, users](Connection &db) { return readRoutes(db, rooms, users); }));
}

void SqlStore::liveCalls(QObject *context, Reply<QVector<OwnedCall>> reply)
{
    m_reader->submit(readJob<QVector<OwnedCall>>(
        context, std::move(reply), [stats = m_stats](Connection &db) { return readLiveCalls(db, *stats); }));
}

void SqlStore::liveCallsOf(const QString &lane, QObject *context, Reply<QVector<call::Call>> reply)
{
    m_reader->submit(readJob<QVector<call::Call>>(context, std::move(reply), [lane, stats = m_stats](Connection &db) {
        return readLiveCallsOf(db, *stats, lane);
    }));
}

void SqlStore::roomsOf(const QString &lane, QObject *context, Reply<QVector<call::Room>> reply)
{
    m_reader->submit(readJob<QVector<call::Room>>(
        context, std::move(reply), [lane, stats = m_stats](Connection &db) { return readRooms(db, *stats, lane); }));
}

void SqlStore::noticeHeads(qint64 afterId, QObject *context, Reply<QHash<QString, qint64>> reply)
{
    m_reader->submit(readJob<QHash<QString, qint64>>(
        context, std::move(reply), [afterId](Connection &db) { return readNoticeHeads(db, afterId); }));
}

void SqlStore::sendErrand(Errand errand, QObject *context, Reply<Done> reply)
{
    m_writer->submit(writeJob<Done>(context, std::move(reply), [errand = std::move(errand)](Connection &db) {
        return writeErrand(db, errand, false);
    }));
}

void SqlStore::withdrawErrand(const QString &id, QObject *context, Reply<bool> reply)
{
    m_writer->submit(
        writeJob<bool>(context, std::move(reply), [id](Connection &db) { return withdrawErrandOf(db, id); }));
}

void SqlStore::takeErrands(const QVector<int> &partitions, QObject *context, Reply<QVector<Errand>> reply)
{
    m_writer->submit(writeJob<QVector<Errand>>(context, std::move(reply),
                                               [partitions](Connection &db) { return takeErrandsOf(db, partitions); }));
}

void SqlStore::answerErrand(Errand answer, QObject *context, Reply<Done> reply)
{
    m_writer->submit(writeJob<Done>(context, std::move(reply), [answer = std::move(answer)](Connection &db) {
        return writeErrand(db, answer, true);
    }));
}

void SqlStore::takeAnswers(const QString &worker, QObject *context, Reply<QVector<Errand>> reply)
{
    m_writer->submit(writeJob<QVector<Errand>>(context, std::move(reply),
                                               [worker](Connection &db) { return takeAnswersFor(db, worker); }));
}

bool SqlStore::Inspection::fits(const QByteArray &rootKey) const
{
    return !rootKey.isEmpty() && rootKeyCheck == store::rootKeyCheck(rootKey);
}

SqlStore::Inspection SqlStore::inspect(const voiphost::DatabaseSettings &settings)
{
    Inspection result;
    Connection db(settings, Connection::Access::ReadOnly);
    const Result<QVector<Migration>> all = migrations(db.dialect());
    if (!all) {
        result.message = all.error().message;
        return result;
    }
    result.programVersion = static_cast<int>(all->size());
    if (db.dialect() == Dialect::Sqlite && !settings.dsn.isEmpty()) {
        const QFileInfo file(settings.dsn);
        if (file.absoluteDir().exists() && !file.exists()) {
            result.reachable = true;
            result.message = QStringLiteral("\"%1\" does not exist yet and will be made").arg(settings.dsn);
            return result;
        }
    }
    if (const std::optional<StoreError> error = db.open()) {
        result.message = error->message;
        return result;
    }
    const Result<int> version = schemaVersion(db);
    if (!version) {
        result.message = version.error().message;
        return result;
    }
    result.reachable = true;
    result.schemaVersion = *version;
    if (*version > 0) {
        const Result<QString> check = readRootKeyCheck(db);
        if (!check) {
            result.reachable = false;
            result.message = check.error().message;
            return result;
        }
        result.rootKeyCheck = *check;
    }
    if (*version > result.programVersion) {
        result.message = QStringLiteral("the database has schema version %1, newer than this program's %2")
                             .arg(*version)
                             .arg(result.programVersion);
    }
    return result;
}

} // namespace voip::store
