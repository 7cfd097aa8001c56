// SPDX-License-Identifier: Apache-2.0
#include "store/connection.h"

#include "store/dberror.h"
#include "store/dsn.h"

#include <QDir>
#include <QFileInfo>
#include <QSqlDriver>
#include <QSqlField>
#include <QThread>

#include <atomic>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace voip::store
{

namespace
{

using Kind = StoreError::Kind;

StoreError misconfigured(const QString &message)
{
    return {Kind::Misconfigured, message};
}

StoreError inUse(const QString &detail)
{
    return {Kind::Unavailable, QStringLiteral("the database is in use by another process: %1").arg(detail)};
}

} // namespace

Connection::Connection(voiphost::DatabaseSettings settings, Access access)
    : m_settings(std::move(settings)), m_access(access),
      m_dialect(m_settings.driver == u"postgresql" ? Dialect::Postgresql : Dialect::Sqlite)
{
}

Connection::~Connection()
{
    close();
}

void Connection::close()
{
    m_rows = nullptr;
    // SQLite: statements first, they keep the file open. PostgreSQL: the driver first, because a statement
    // whose driver lives is taken back at the server: a round trip each, or a warning each if the server is gone.
    if (m_dialect == Dialect::Sqlite)
        m_statements.clear();
    if (!m_name.isEmpty()) {
        m_db.close();
        m_db = {};
        QSqlDatabase::removeDatabase(m_name);
        m_name.clear();
    }
    m_statements.clear();
}

std::optional<StoreError> Connection::open()
{
    static std::atomic<int> opened = 0;
    close();
    m_lost = false;
    m_unnoticed.reset();
    if (m_settings.driver != u"sqlite" && m_settings.driver != u"postgresql") {
        return misconfigured(
            QStringLiteral("database.driver: \"%1\" is neither \"sqlite\" nor \"postgresql\"").arg(m_settings.driver));
    }
    const QString driver = m_dialect == Dialect::Sqlite ? QStringLiteral("QSQLITE") : QStringLiteral("QPSQL");
    if (!QSqlDatabase::isDriverAvailable(driver))
        return misconfigured(QStringLiteral("Qt's database driver %1 is not installed").arg(driver));
    m_name = QStringLiteral("matrixvoip-%1").arg(++opened);
    m_db = QSqlDatabase::addDatabase(driver, m_name);
    std::optional<StoreError> error = m_dialect == Dialect::Sqlite ? openSqlite() : openPostgresql();
    if (error)
        close();
    return error;
}

std::optional<StoreError> Connection::openSqlite()
{
    const QString file = m_settings.dsn;
    if (file.isEmpty() || file.startsWith(u":memory:"))
        return misconfigured(QStringLiteral("database.dsn: must name a file"));
    const QFileInfo info(file);
    if (!info.absoluteDir().exists()) {
        return misconfigured(QStringLiteral("database.dsn: the folder \"%1\" does not exist").arg(info.absolutePath()));
    }
    if (info.isDir())
        return misconfigured(QStringLiteral("database.dsn: \"%1\" is a folder").arg(file));
    const bool readOnly = m_access == Access::ReadOnly;
    if (!readOnly && !info.exists()) {
        // Created here so that nobody else can read it at any moment; WAL and index files inherit the mode.
        const int fd = ::open(QFile::encodeName(file).constData(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST) {
            return misconfigured(
                QStringLiteral("database.dsn: cannot create \"%1\": %2").arg(file, qt_error_string(errno)));
        }
        if (fd >= 0)
            ::close(fd);
    }
    m_db.setDatabaseName(file);
    m_db.setConnectOptions(readOnly ? QStringLiteral("QSQLITE_BUSY_TIMEOUT=5000;QSQLITE_OPEN_READONLY")
                                    : QStringLiteral("QSQLITE_BUSY_TIMEOUT=5000"));
    if (!m_db.open()) {
        return StoreError{Kind::Unavailable, QStringLiteral("database.dsn: cannot open \"%1\": %2")
                                                 .arg(file, firstLine(m_db.lastError().databaseText()))};
    }
    if (readOnly)
        return std::nullopt;
    // A lock on the file that SQLite keeps as long as the connection: a reader or writer in WAL mode holds its
    // opposite, also while it is idle. Before anything that opens the WAL.
    const bool alone = m_access == Access::Alone;
    if (alone && !runOnce(QStringLiteral("PRAGMA locking_mode = EXCLUSIVE")))
        return m_error;
    // FULL: what was answered survives a power cut too; group commit spreads the price of the flush.
    for (const QString &pragma :
         {QStringLiteral("PRAGMA journal_mode = WAL"), QStringLiteral("PRAGMA synchronous = FULL"),
          QStringLiteral("PRAGMA foreign_keys = ON")}) {
        if (!runOnce(pragma))
            return alone ? inUse(m_error.message) : m_error;
    }
    if (alone && (!begin() || !commit()))
        return inUse(m_error.message);
    return std::nullopt;
}

std::optional<StoreError> Connection::openPostgresql()
{
    const Result<PostgresDsn> dsn = parsePostgresDsn(m_settings.dsn);
    if (!dsn)
        return dsn.error();
    const bool listening = m_access == Access::Listen;
    const int port = listening && dsn->listenPort > 0 ? dsn->listenPort : dsn->port;
    m_pooled = dsn->pooled && !(listening && (dsn->listenPort > 0 || !dsn->listenHost.isEmpty()));
    m_statementTimeoutMs = dsn->statementTimeoutMs;
    if (m_pooled && (listening || m_access == Access::Alone)) {
        return misconfigured(
            QStringLiteral("database.dsn: this needs a session of its own, which \"pooler=transaction\" "
                           "does not give: name the server itself"));
    }
    m_db.setHostName(listening && !dsn->listenHost.isEmpty() ? dsn->listenHost : dsn->host);
    m_db.setPort(port == 0 ? -1 : port);
    m_db.setDatabaseName(dsn->dbname);
    m_db.setUserName(dsn->user);
    m_db.setPassword(dsn->password);
    PostgresDsn options = *dsn;
    options.pooled = m_pooled;
    using enum PostgresDsn::Session;
    m_db.setConnectOptions(connectOptions(options, m_access == Access::ReadOnly ? Reads
                                                   : listening                  ? Listens
                                                                                : Writes));
    if (!m_db.open()) {
        const QString text = m_db.lastError().databaseText();
        // libpq gives no SQLSTATE for a refused start; the words of these two are the only sign that waiting will not
        // help.
        const bool hopeless =
            text.contains(u"authentication failed") || (text.contains(u"does not exist") && text.contains(u"FATAL"));
        return StoreError{hopeless ? Kind::Misconfigured : Kind::Unavailable,
                          QStringLiteral("PostgreSQL: cannot connect: %1").arg(firstLine(text))};
    }
    // Behind a pooler no lock of a session holds; who must be alone is refused there.
    return m_access == Access::ReadOnly || listening || m_pooled ? std::nullopt : takePlace();
}

// PostgreSQL: writers share a lock of the session, and who must be alone takes it whole; so it is with another lock of
// those who serve. The numbers are arbitrary and ours.
std::optional<StoreError> Connection::takePlace()
{
    const bool alone = m_access == Access::Alone;
    const auto lock = [](bool whole, const char *number) {
        return QStringLiteral("SELECT pg_try_advisory_lock%1(%2)")
            .arg(whole ? QString() : QStringLiteral("_shared"), QLatin1String(number));
    };
    const auto refused =
        takeLock(lock(alone, "7239457138022"), alone ? QStringLiteral("its sessions at the server are open")
                                                     : QStringLiteral("it holds the database for itself"));
    if (refused || alone)
        return refused;
    return takeLock(lock(m_access == Access::Serving, "7239457138023"),
                    QStringLiteral("another bridge-host serves from it; several need plugins.matrixvoip.workers, "
                                   "each of them"));
}

// The session of a process that was just killed may live a moment longer: that long it is tried again.
std::optional<StoreError> Connection::takeLock(const QString &sql, const QString &otherwise)
{
    constexpr int attempts = 20;
    constexpr unsigned long pauseMs = 250;
    for (int i = 0; i < attempts; ++i) {
        QSqlQuery *row = run(sql);
        if (row == nullptr)
            return m_error;
        if (row->next() && row->value(0).toBool())
            return std::nullopt;
        QThread::msleep(pauseMs);
    }
    return inUse(otherwise);
}

QSqlQuery *Connection::run(const QString &sql, const QVariantList &values)
{
    finishRows();
    constexpr qsizetype maxStatements = 256; // a few name partitions, and there are many sets of those
    if (m_statements.size() >= maxStatements && !m_statements.contains(sql))
        m_statements.clear();
    std::shared_ptr<QSqlQuery> &query = m_statements[m_pooled ? QString() : sql];
    if (m_pooled) {
        query = std::make_shared<QSqlQuery>(m_db);
        query->setForwardOnly(true);
        if (query->exec(literal(sql, values))) {
            m_rows = query.get();
            return m_rows;
        }
        fail(query->lastError());
        return nullptr;
    }
    if (!query) {
        query = std::make_shared<QSqlQuery>(m_db);
        query->setForwardOnly(true);
        if (!query->prepare(sql)) {
            const QSqlError error = query->lastError();
            m_statements.remove(sql);
            fail(error);
            return nullptr;
        }
    }
    for (qsizetype i = 0; i < values.size(); ++i)
        query->bindValue(static_cast<int>(i), values.at(i));
    if (!query->exec()) { // the return value counts: a dropped connection may leave lastError() empty
        const QSqlError error = query->lastError();
        query->finish();
        fail(error);
        return nullptr;
    }
    m_rows = query.get();
    return m_rows;
}

// A statement with its values in it, each quoted by Qt's driver. None of our statements has another "?".
QString Connection::literal(const QString &sql, const QVariantList &values) const
{
    QString text;
    qsizetype from = 0;
    for (const QVariant &value : values) {
        const qsizetype at = sql.indexOf(u'?', from);
        QSqlField field(QString(), value.metaType());
        field.setValue(value);
        text += QStringView(sql).mid(from, at - from);
        text += m_db.driver()->formatValue(field);
        from = at + 1;
    }
    text += QStringView(sql).mid(from);
    return text;
}

bool Connection::listen(const QString &channel, std::function<void(const QString &)> heard)
{
    QObject::connect(m_db.driver(), &QSqlDriver::notification, m_db.driver(),
                     [heard = std::move(heard)](const QString &, QSqlDriver::NotificationSource,
                                                const QVariant &payload) { heard(payload.toString()); });
    if (m_db.driver()->subscribeToNotification(channel))
        return true;
    fail(m_db.driver()->lastError());
    return false;
}

bool Connection::runOnce(const QString &sql)
{
    finishRows();
    QSqlQuery query(m_db);
    if (query.exec(sql))
        return true;
    fail(query.lastError());
    return false;
}

bool Connection::begin()
{
    m_unnoticed.reset();
    if (!runOnce(m_dialect == Dialect::Sqlite ? QStringLiteral("BEGIN IMMEDIATE") : QStringLiteral("BEGIN")))
        return false;
    return !m_pooled ||
           runOnce(
               QStringLiteral("SET LOCAL statement_timeout = %1; SET LOCAL idle_in_transaction_session_timeout = %2")
                   .arg(m_statementTimeoutMs)
                   .arg(PostgresDsn::longestPauseMs));
}

bool Connection::beginReading()
{
    m_unnoticed.reset();
    return runOnce(m_dialect == Dialect::Sqlite ? QStringLiteral("BEGIN")
                                                : QStringLiteral("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
}

bool Connection::commit()
{
    if (const std::optional<StoreError> error = takeUnnoticed()) {
        m_error = *error;
        return false;
    }
    return runOnce(QStringLiteral("COMMIT"));
}

void Connection::rollback()
{
    if (!isOpen())
        return;
    const StoreError first = m_error; // what led here matters more than what the rollback says
    const bool ok = runOnce(QStringLiteral("ROLLBACK"));
    // SQLite has rolled back by itself after some errors (disk full); then there is nothing left to do.
    if (!ok && m_dialect == Dialect::Postgresql)
        m_lost = true;
    m_error = first;
}

void Connection::finishRows()
{
    if (m_rows != nullptr) {
        if (const QSqlError error = m_rows->lastError(); error.isValid())
            fail(error);
        m_rows->finish();
    }
    m_rows = nullptr;
}

std::optional<StoreError> Connection::takeUnnoticed()
{
    finishRows();
    return std::exchange(m_unnoticed, std::nullopt);
}

void Connection::fail(const QSqlError &error)
{
    if (m_dialect == Dialect::Sqlite) {
        m_error = fromSqlite(error);
        m_unnoticed = m_error;
        return;
    }
    const QString state = error.nativeErrorCode();
    // 57P0x: shut down, crash of another backend, starting up. 25P03: idle in transaction for too long. 25006: it only
    // reads, as a server that is not the leader any more; another session may find the leader.
    m_lost = m_lost || !m_db.isOpen() || state.startsWith(u"08") || state.startsWith(u"57P0") || state == u"25P03" ||
             state == u"25006";
    m_error = m_lost ? StoreError{Kind::Unavailable, QStringLiteral("PostgreSQL: the connection was lost")}
                     : fromPostgresql(error);
    m_unnoticed = m_error;
}

} // namespace voip::store
