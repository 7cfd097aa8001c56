// SPDX-License-Identifier: Apache-2.0
// Reads the words of a PostgreSQL DSN ("host=... dbname=... password='it''s'"): key=value pairs between blanks,
// values with blanks in single quotes, backslash escapes as in libpq. Only known keys pass, so that a typing error
// does not silently connect somewhere else. Messages name keys, never values: one of them is a password.
#pragma once

#include "store/rows.h"

#include <QMap>

namespace voip::store
{

struct PostgresDsn {
    enum class Session { Writes, Reads, Listens };
    // How long a session may stop in the middle of a transaction: shorter than a lease lives.
    static constexpr int longestPauseMs = 3000;

    QString host; // empty: libpq's default, the local socket
    int port = 0; // 0: libpq's default
    QString dbname;
    QString user;
    QString password;
    // What goes to libpq as it is: sslmode, sslrootcert, sslcert, sslkey, connect_timeout, application_name.
    QMap<QString, QString> options;
    int statementTimeoutMs = 10 * 1000;
    // A pooler such as PgBouncer in transaction mode stands between: nothing of a session outlives a transaction.
    bool pooled = false;
    // Where to listen instead (LISTEN needs a session), if that is possible.
    QString listenHost;
    int listenPort = 0;
};

[[nodiscard]] Result<PostgresDsn> parsePostgresDsn(const QString &dsn);

// The options as QSqlDatabase::setConnectOptions() wants them, each value quoted.
[[nodiscard]] QString connectOptions(const PostgresDsn &dsn, PostgresDsn::Session session);

} // namespace voip::store
