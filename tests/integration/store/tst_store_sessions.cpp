// SPDX-License-Identifier: Apache-2.0
// What a session at the server may do to others and they to it: one that stops holds nobody up, one that only reads is
// left, two that do not share do not serve together, one that does not answer keeps no process from ending; and what
// breaks without being looked at is noticed all the same.
#include "store/connection.h"
#include "storetest.h"

#include <QElapsedTimer>
#include <QTest>

#include <csignal>

using namespace storetest;
using namespace voip;

class StoreSessions : public QObject
{
    Q_OBJECT

    using Access = Connection::Access;
    Databases m_databases;

    [[nodiscard]] voiphost::DatabaseSettings made() // with a schema
    {
        const voiphost::DatabaseSettings settings = m_databases.fresh(QStringLiteral("postgresql"));
        SqlStore store(settings);
        if (!open(store).ok())
            qFatal("no schema");
        return settings;
    }
    [[nodiscard]] static bool put(Connection &db, const QString &value)
    {
        return db.run(QStringLiteral("INSERT INTO meta (key, value) VALUES ('held', ?) "
                                     "ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
                      {value}) != nullptr;
    }
    static void forEachDatabase()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }

private Q_SLOTS:
    // As a process does that is frozen, or whose machine is gone: the rows it holds are free again before leases end.
    void aSessionThatStopsHoldsNobodyUp()
    {
        const voiphost::DatabaseSettings settings = made();
        Connection frozen(settings, Access::ReadWrite);
        QVERIFY(!frozen.open());
        QVERIFY(frozen.begin());
        QVERIFY(put(frozen, QStringLiteral("frozen")));
        Connection other(settings, Access::ReadWrite);
        QVERIFY(!other.open());
        QVERIFY(other.begin());
        QVERIFY2(put(other, QStringLiteral("other")), qPrintable(other.error().message)); // waits, but not for ever
        QVERIFY(other.commit());
        QVERIFY(!frozen.commit());
        QVERIFY(frozen.lost());
        QCOMPARE(Side(settings).value(QStringLiteral("SELECT value FROM meta WHERE key = 'held'")),
                 QStringLiteral("other"));
    }

    void aServerThatOnlyReadsIsLeft()
    {
        const voiphost::DatabaseSettings settings = made();
        SqlStore store(settings);
        QVERIFY(open(store));
        Side side(settings);
        const QString name = side.value(QStringLiteral("SELECT current_database()"));
        const auto readOnly = [&side, &name](const char *how) {
            side.run(QStringLiteral("ALTER DATABASE %1 SET default_transaction_read_only = %2")
                         .arg(name, QLatin1String(how)));
        };
        const auto endSessions = [&side] {
            side.run(QStringLiteral("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                                    "current_database() AND pid <> pg_backend_pid()"));
        };
        int count = 0;
        const auto takes = [&store, &count] {
            const QString number = QString::number(++count);
            return accept(store, batch(u't' + number, QStringLiteral("@a:test"), {u'$' + number})).ok();
        };
        readOnly("on");
        endSessions();
        waitUntil([&] { return !takes(); }, "the database to be read-only");
        side.run(QStringLiteral("SET default_transaction_read_only = off"));
        readOnly("off");
        waitUntil([&] { return takes(); }, "the database to be written again");
    }

    // What could make two of them answer one call.
    void whoDoesNotShareServesAlone()
    {
        const voiphost::DatabaseSettings settings = made();
        const auto refusal = [&settings](SqlStore::Use use) {
            SqlStore second(settings, use);
            const auto opened = open(second);
            return opened.ok() ? QString() : opened.error().message;
        };
        {
            SqlStore alone(settings);
            QVERIFY(open(alone));
            QVERIFY(refusal(SqlStore::Use::Alone).contains(QStringLiteral("another bridge-host")));
            QVERIFY(refusal(SqlStore::Use::Shared).contains(QStringLiteral("another bridge-host")));
        }
        SqlStore shared(settings, SqlStore::Use::Shared);
        QVERIFY(open(shared));
        QCOMPARE(refusal(SqlStore::Use::Shared), QString());
        QVERIFY(refusal(SqlStore::Use::Alone).contains(QStringLiteral("plugins.matrixvoip.workers")));
    }

    // The process ends, though what it waits for never comes.
    void aServerThatDoesNotAnswerKeepsNobody()
    {
        const voiphost::DatabaseSettings settings = made();
        Side side(settings);
        qint64 pid = 0;
        {
            SqlStore store(settings);
            QVERIFY(open(store));
            pid =
                side.value(QStringLiteral("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT "
                                          "oid FROM pg_database WHERE datname = current_database()) LIMIT 1"))
                    .toLongLong();
            QVERIFY(pid > 1);
            QCOMPARE(::kill(static_cast<pid_t>(pid), SIGSTOP), 0);
            store.accept(batch(QStringLiteral("t"), QStringLiteral("@a:test"), {QStringLiteral("$1")}), this,
                         [](const auto &) {});
            store.close();
        }
        ::kill(static_cast<pid_t>(pid), SIGCONT);
        QTest::qWait(1000); // what was left behind ends by itself
    }

    void rowsThatBreakOffAreNoAnswer_data() { forEachDatabase(); }
    void rowsThatBreakOffAreNoAnswer()
    {
        QFETCH(QString, driver);
        voiphost::DatabaseSettings settings = m_databases.fresh(driver);
        if (driver == u"postgresql")
            settings.dsn += QStringLiteral(" pooler=transaction"); // its rows come one by one
        Connection db(settings, Access::ReadWrite);
        QVERIFY(!db.open());
        QSqlQuery *rows =
            db.run(driver == u"sqlite" ? QStringLiteral("SELECT CASE WHEN value = 5 THEN json('{') ELSE value END FROM "
                                                        "json_each('[1,2,3,4,5,6]')")
                                       : QStringLiteral("SELECT 10 / (50000 - n) FROM generate_series(1, 60000) AS n"));
        QVERIFY2(rows != nullptr, qPrintable(db.error().message));
        int count = 0;
        while (rows->next())
            ++count;
        QCOMPARE(count, driver == u"sqlite" ? 4 : 49999);
        QVERIFY(db.takeUnnoticed().has_value());
        QVERIFY(!db.takeUnnoticed().has_value());
        QVERIFY(db.run(QStringLiteral("SELECT 1")) != nullptr);
        QVERIFY(!db.takeUnnoticed().has_value());
    }

    // PostgreSQL answers the COMMIT of a transaction that failed with a ROLLBACK, and no error.
    void whatFailedIsNotCommitted_data() { forEachDatabase(); }
    void whatFailedIsNotCommitted()
    {
        QFETCH(QString, driver);
        Connection db(m_databases.fresh(driver), Access::ReadWrite);
        QVERIFY(!db.open());
        QVERIFY(db.begin());
        QVERIFY(db.runOnce(QStringLiteral("CREATE TABLE there (n INTEGER)")));
        QVERIFY(db.run(QStringLiteral("SELECT * FROM nowhere")) == nullptr); // and nobody looks
        QVERIFY(!db.commit());
        db.rollback();
        QVERIFY(db.begin());
        QVERIFY(db.commit());
    }
};

QTEST_GUILESS_MAIN(StoreSessions)
#include "tst_store_sessions.moc"
