// SPDX-License-Identifier: Apache-2.0
// One connection to the database, used on one thread only: opening it with the right options, statements that are
// prepared once and used again, transactions, and what a driver's error means for the caller. A connection that the
// server dropped is closed here; open() makes a fresh one with fresh statements. Messages hold no row's values.
#pragma once

#include "store/rows.h"

#include <voiphost/settings.h>

#include <QHash>
#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlQuery>
#include <QVariant>

#include <functional>
#include <memory>

namespace voip::store
{

enum class Dialect { Sqlite, Postgresql };

class Connection
{
public:
    // Serving: reads and writes for a bridge that shares the database with no other. (SQLite: the listeners of a second
    // one on the same machine are taken anyway.)
    // ReadWrite: as one of several workers.
    // Alone: reads and writes, and is refused while another process has the database open to write, as others are
    // meanwhile.
    // Listen: hears what is told on a channel, and does nothing else.
    enum class Access { Serving, ReadWrite, ReadOnly, Alone, Listen };

    Connection(voiphost::DatabaseSettings settings, Access access);
    ~Connection();
    Q_DISABLE_COPY_MOVE(Connection)

    // Blocks; for PostgreSQL at most for connect_timeout. Closes first what is open.
    [[nodiscard]] std::optional<StoreError> open();
    void close();
    [[nodiscard]] QStringList statements() const { return m_statements.keys(); } // that were run with values
    [[nodiscard]] bool isOpen() const { return m_db.isOpen(); }
    [[nodiscard]] Dialect dialect() const { return m_dialect; }

    // Runs a prepared statement. The rows belong to the connection and end with the next run(). Null: it failed, and
    // error() says why.
    [[nodiscard]] QSqlQuery *run(const QString &sql, const QVariantList &values = {});
    // One statement that is not worth preparing.
    [[nodiscard]] bool runOnce(const QString &sql);

    // Write transactions take SQLite's write lock at once; read ones see one state of the database.
    [[nodiscard]] bool begin();
    [[nodiscard]] bool beginReading();
    // False: the outcome is unknown unless the connection is still open.
    [[nodiscard]] bool commit();
    void rollback();

    // PostgreSQL: `heard` is called on this thread with the payload of each notification, until the connection closes.
    [[nodiscard]] bool listen(const QString &channel, std::function<void(const QString &payload)> heard);

    [[nodiscard]] const StoreError &error() const { return m_error; }
    // Since the transaction began, or since it was last asked: a statement that failed, or rows that ended before their
    // end, also if nobody looked. What was read is not the whole then, and a COMMIT would silently be a ROLLBACK.
    [[nodiscard]] std::optional<StoreError> takeUnnoticed();
    // The server is gone, or said that it goes: whatever was not committed has not happened.
    [[nodiscard]] bool lost() const { return m_lost; }

private:
    [[nodiscard]] std::optional<StoreError> openSqlite();
    [[nodiscard]] std::optional<StoreError> openPostgresql();
    [[nodiscard]] std::optional<StoreError> takePlace();
    [[nodiscard]] std::optional<StoreError> takeLock(const QString &sql, const QString &otherwise);
    [[nodiscard]] QString literal(const QString &sql, const QVariantList &values) const;
    void fail(const QSqlError &error);
    void finishRows();

    voiphost::DatabaseSettings m_settings;
    Access m_access;
    Dialect m_dialect = Dialect::Sqlite;
    bool m_pooled = false; // prepared statements and settings of a session are lost after each transaction
    int m_statementTimeoutMs = 0;
    QString m_name;
    QSqlDatabase m_db;
    QHash<QString, std::shared_ptr<QSqlQuery>> m_statements;
    QSqlQuery *m_rows = nullptr; // the last statement run
    StoreError m_error;
    std::optional<StoreError> m_unnoticed;
    bool m_lost = false;
};

// Text for a NOT NULL column: a null QString would be bound as NULL.
[[nodiscard]] inline QVariant bound(const QString &text)
{
    return text.isNull() ? QStringLiteral("") : text;
}

} // namespace voip::store
