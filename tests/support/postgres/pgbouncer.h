// SPDX-License-Identifier: Apache-2.0
// PgBouncer in transaction mode before a database of a PostgresCluster, on a free port, in a folder of its own; stopped
// with this object. Runs as "postgres" when the test runs as root. Use: `PgBouncer pooler(dsn);
// QVERIFY2(pooler.start(), qPrintable(pooler.error()));` and then dsn().
#pragma once

#include <QProcess>
#include <QTemporaryDir>

class PgBouncer
{
public:
    explicit PgBouncer(const QString &dsn); // host=... port=... dbname=... user=... password=...
    ~PgBouncer();
    Q_DISABLE_COPY_MOVE(PgBouncer)

    [[nodiscard]] bool start(); // returns when it takes connections
    [[nodiscard]] QString dsn() const;
    [[nodiscard]] QString error() const { return m_error; }

private:
    [[nodiscard]] QString word(const QString &key) const;

    const QString m_server;
    QTemporaryDir m_folder;
    QProcess m_process;
    QString m_error;
    int m_port = 0;
};
