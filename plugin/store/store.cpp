// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include "store/log.h"
#include "store/migrations.h"
#include "store/reader.h"
#include "store/reads.h"
#include "store/relay.h"
#include "store/stats.h"
#include "store/writer.h"
#include "store/writes.h"

#include <QDir>
#include <QFileInfo>

#include <chrono>

namespace voip::store
{

Q_LOGGING_CATEGORY(lcStore, "matrixvoip.store")

namespace
{

constexpr int watchMs = 1000;
constexpr qint64 stallMs = 3000;

using voiphost::Done;

// Turns a function over a connection into a job whose result is remembered until it is answered.
template <typename T, typename Function>
WriteJob writeJob(QObject *context, Reply<T> reply, Function function, const QString &transactionId = {})
{
    const auto result = std::make_shared<std::optional<T>>();
    WriteJob job;
    job.run = [result, function = std::move(function)](Connection &db, bool doubtful) -> std::optional<StoreError> {
        Result<T> outcome = function(db, doubtful);
        if (!outcome)
            return outcome.error();
        *result = std::move(outcome).value();
        return std::nullopt;
    };
    job.finish = [result, answer = Answer<T>(context, std::move(reply))](const std::optional<StoreError> &error) {
        answer.give(error ? Result<T>(*error) : Result<T>(std::move(**result)));
    };
    job.transactionId = transactionId;
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

Store::Store(voiphost::DatabaseSettings settings, QObject *parent)
    : QObject(parent), m_settings(std::move(settings)), m_stats(std::make_shared<Stats>()),
      m_writer(std::make_unique<Writer>(m_settings, m_stats)), m_reader(std::make_unique<Reader>(m_settings))
{
    connect(m_writer.get(), &Writer::availableChanged, this, &Store::availableChanged);
    m_watch = new QTimer(this);
    connect(m_watch, &QTimer::timeout, this, &Store::lookForStall);
    m_watch->start(watchMs);
}

Store::~Store()
{
    close();
}

void Store::open(const QByteArray &rootKey, QObject *context, Reply<Done> reply)
{
    m_writer->open(rootKey, [answer = Answer<Done>(context, std::move(reply))](const std::optional<StoreError> &error) {
        answer.give(error ? Result<Done>(*error) : Result<Done>(Done{}));
    });
}

void Store::close()
{
    m_writer->stop();
    m_reader->stop();
}

bool Store::available() const
{
    return m_writer->available() && !m_stalled;
}

void Store::lookForStall()
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

Store::Counters Store::counters() const
{
    return {m_stats->transactions, m_stats->writes, m_stats->corruptRows, m_stats->reconnects};
}

void Store::accept(InboxBatch batch, QObject *context, Reply<QVector<InboxEntry>> reply)
{
    const QString id = batch.transactionId;
    m_writer->submit(writeJob<QVector<InboxEntry>>(
        context, std::move(reply),
        [batch = std::move(batch)](Connection &db, bool doubtful) { return writeBatch(db, batch, doubtful); }, id));
}

void Store::commit(Commit commit, QObject *context, Reply<Committed> reply)
{
    m_writer->submit(writeJob<Committed>(context, std::move(reply), [commit = std::move(commit)](Connection &db, bool) {
        return writeCommit(db, commit);
    }));
}

void Store::putSetting(const QString &key, const QByteArray &value, QObject *context, Reply<Done> reply)
{
    m_writer->submit(writeJob<Done>(context, std::move(reply),
                                    [key, value](Connection &db, bool) { return writeSetting(db, key, value); }));
}

void Store::prune(qint64 now, QObject *context, Reply<Done> reply)
{
    m_writer->submit(
        writeJob<Done>(context, std::move(reply), [now](Connection &db, bool) { return writePrune(db, now); }));
}

void Store::restoreLanes(qint64 now, QObject *context, Reply<QVector<LaneRecord>> reply)
{
    m_reader->submit(readJob<QVector<LaneRecord>>(
        context, std::move(reply), [now, stats = m_stats](Connection &db) { return readLanes(db, *stats, now); }));
}

void Store::pendingInbox(QObject *context, Reply<QVector<InboxEntry>> reply)
{
    m_reader->submit(readJob<QVector<InboxEntry>>(context, std::move(reply),
                                                  [stats = m_stats](Connection &db) { return readInbox(db, *stats); }));
}

void Store::settings(QObject *context, Reply<QHash<QString, QByteArray>> reply)
{
    m_reader->submit(readJob<QHash<QString, QByteArray>>(
        context, std::move(reply), [stats = m_stats](Connection &db) { return readSettings(db, *stats); }));
}

void Store::findCall(const QString &lane, const QString &callId, QObject *context,
                     Reply<std::optional<call::Call>> reply)
{
    m_reader->submit(readJob<std::optional<call::Call>>(
        context, std::move(reply), [lane, callId](Connection &db) { return readCall(db, lane, callId); }));
}

void Store::history(const QString &lane, int limit, const QString &beforeCallId, QObject *context,
                    Reply<QVector<call::Call>> reply)
{
    m_reader->submit(readJob<QVector<call::Call>>(context, std::move(reply),
                                                  [lane, limit, beforeCallId, stats = m_stats](Connection &db) {
                                                      return readHistory(db, *stats, lane, limit, beforeCallId);
                                                  }));
}

void Store::noticesAfter(const QString &lane, qint64 afterId, int limit, QObject *context, Reply<QVector<Notice>> reply)
{
    m_reader->submit(
        readJob<QVector<Notice>>(context, std::move(reply), [lane, afterId, limit, stats = m_stats](Connection &db) {
            return readNoticesAfter(db, *stats, lane, afterId, limit);
        }));
}

void Store::noticesOfCalls(const QString &lane, const QVector<QString> &callIds, QObject *context,
                           Reply<QVector<Notice>> reply)
{
    m_reader->submit(
        readJob<QVector<Notice>>(context, std::move(reply), [lane, callIds, stats = m_stats](Connection &db) {
            return readNoticesOfCalls(db, *stats, lane, callIds);
        }));
}

bool Store::Inspection::fits(const QByteArray &rootKey) const
{
    return !rootKey.isEmpty() && rootKeyCheck == store::rootKeyCheck(rootKey);
}

Store::Inspection Store::inspect(const voiphost::DatabaseSettings &settings)
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
