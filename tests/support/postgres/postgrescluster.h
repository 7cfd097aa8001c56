// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL cluster of a test's own, in a temporary folder that belongs to the user who runs it: the current one,
// or "postgres" when the test runs as root (initdb refuses root). It listens on a free port of 127.0.0.1 (password)
// and on a socket in its folder (trust), and is stopped and deleted with this object; if the test dies, the kernel
// stops the server. Use: `PostgresCluster cluster; QVERIFY2(cluster.start(), qPrintable(cluster.error()));`
// then createDatabase() and dsn(). Link voip_test_postgres. Not for production: fsync is off unless asked for.
#pragma once

#include <QProcess>
#include <QTemporaryDir>

#include <memory>

class PostgresCluster
{
public:
    enum class Durability { None, Fsync };

    explicit PostgresCluster(Durability durability = Durability::None);
    ~PostgresCluster();
    Q_DISABLE_COPY_MOVE(PostgresCluster)

    // initdb at the first time, then the server; returns when it takes connections. False: error() says why.
    [[nodiscard]] bool start();
    void stop(); // as an administrator would, but without waiting for clients ("fast")
    void kill(); // kill -9: no process gets to say goodbye

    [[nodiscard]] bool createDatabase(const QString &name);
    [[nodiscard]] bool runSql(const QString &database, const QString &sql); // by psql, as superuser
    // One row per line, columns parted by "|".
    [[nodiscard]] QString query(const QString &database, const QString &sql);

    [[nodiscard]] QString dsn(const QString &database) const;       // TCP and password
    [[nodiscard]] QString socketDsn(const QString &database) const; // unix socket
    [[nodiscard]] QString password() const { return m_password; }
    [[nodiscard]] QString error() const { return m_error; }

private:
    [[nodiscard]] bool prepare();
    [[nodiscard]] bool run(const QString &program, const QStringList &arguments, QByteArray *output = nullptr);
    void asServerUser(QProcess &process, bool dieWithParent) const;
    void waitForEnd();

    Durability m_durability;
    QTemporaryDir m_folder;
    QString m_binaries;
    QString m_password;
    QString m_error;
    int m_port = 0;
    unsigned m_uid = 0;
    unsigned m_gid = 0;
    std::unique_ptr<QProcess> m_server;
};
