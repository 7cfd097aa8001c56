// SPDX-License-Identifier: Apache-2.0
// Opening, the root key, versions, closing, and what happens to answers nobody waits for any more. Both databases.
#include "storetest.h"

#include <QFileInfo>
#include <QTest>

using namespace storetest;
using namespace voip;

class StoreLifecycle : public QObject
{
    Q_OBJECT

    Databases m_databases;
    int m_idle = 0; // threads: this one, what watches the test, and what a sanitizer adds

    void forEachDatabase()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }
    void refused(const voiphost::DatabaseSettings &settings, StoreError::Kind kind, const QString &word,
                 const QByteArray &key = {})
    {
        SqlStore store(settings);
        const auto result = open(store, key);
        QVERIFY(!result);
        QVERIFY2(result.error().message.contains(word), qPrintable(result.error().message));
        QCOMPARE(result.error().kind, kind);
        QVERIFY(!store.available());
    }
    static int threads()
    {
        return static_cast<int>(
            QDir(QStringLiteral("/proc/self/task")).entryList(QDir::Dirs | QDir::NoDotAndDotDot).size());
    }

private Q_SLOTS:
    void initTestCase() { m_idle = threads(); }

    void wrongSettingsAreNamed()
    {
        using Kind = StoreError::Kind;
        QTemporaryDir folder;
        refused({QStringLiteral("oracle"), QStringLiteral("x")}, Kind::Misconfigured,
                QStringLiteral("database.driver"));
        refused({QStringLiteral("sqlite"), QString()}, Kind::Misconfigured, QStringLiteral("database.dsn"));
        refused({QStringLiteral("sqlite"), QStringLiteral(":memory:")}, Kind::Misconfigured, QStringLiteral("a file"));
        refused({QStringLiteral("sqlite"), folder.filePath(QStringLiteral("no/such/db"))}, Kind::Misconfigured,
                QStringLiteral("no/such\" does not exist"));
        refused({QStringLiteral("sqlite"), folder.path()}, Kind::Misconfigured, QStringLiteral("is a folder"));
        QFile text(folder.filePath(QStringLiteral("text")));
        QVERIFY(text.open(QIODevice::WriteOnly) && text.write(QByteArray(5000, 'x')) == 5000);
        text.close();
        refused({QStringLiteral("sqlite"), text.fileName()}, Kind::Corrupt, QStringLiteral("not a database"));
        const voiphost::DatabaseSettings good = m_databases.fresh(QStringLiteral("postgresql"));
        refused({good.driver, good.dsn + QStringLiteral(" sslmod=require")}, Kind::Misconfigured,
                QStringLiteral("\"sslmod\""));
        refused({good.driver, QString(good.dsn).replace(QStringLiteral("dbname=db"), QStringLiteral("dbname=nodb"))},
                Kind::Misconfigured, QStringLiteral("does not exist"));
        const QString password = m_databases.cluster().password();
        refused({good.driver, QString(good.dsn).replace(password, QStringLiteral("wrong"))}, Kind::Misconfigured,
                QStringLiteral("password authentication failed"));
        refused({good.driver, QStringLiteral("host=127.0.0.1 port=1 dbname=x password=") + password}, Kind::Unavailable,
                QStringLiteral("cannot connect"));
    }

    void sqliteFileIsPrivate()
    {
        const voiphost::DatabaseSettings settings = m_databases.fresh(QStringLiteral("sqlite"));
        SqlStore store(settings);
        QVERIFY(open(store));
        QVERIFY(accept(store, batch(QStringLiteral("t"), QStringLiteral("@a:test"), {QStringLiteral("$1")})));
        for (const QString &suffix : {QString(), QStringLiteral("-wal"), QStringLiteral("-shm")}) {
            const QFileInfo file(settings.dsn + suffix);
            QVERIFY2(file.exists(), qPrintable(suffix));
            QCOMPARE(file.permissions() & (QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther),
                     QFile::Permissions());
        }
    }

    void rootKeyIsRemembered_data() { forEachDatabase(); }
    void rootKeyIsRemembered()
    {
        QFETCH(QString, driver);
        const voiphost::DatabaseSettings settings = m_databases.fresh(driver);
        {
            SqlStore store(settings);
            QVERIFY(open(store)); // without one at first
        }
        const QByteArray key(32, 'k');
        for (int i = 0; i < 2; ++i) {
            SqlStore store(settings);
            QVERIFY(open(store, key));
        }
        refused(settings, StoreError::Kind::Misconfigured, QStringLiteral("root_key: not the one"),
                QByteArray(32, 'x'));
        refused(settings, StoreError::Kind::Misconfigured, QStringLiteral("root_key: missing"));
        Side side(settings);
        QVERIFY(!side.value(QStringLiteral("SELECT value FROM meta")).contains(QString::fromLatin1(key)));
    }

    void newerSchemaIsRefused_data() { forEachDatabase(); }
    void newerSchemaIsRefused()
    {
        QFETCH(QString, driver);
        const voiphost::DatabaseSettings settings = m_databases.fresh(driver);
        SqlStore::Inspection look = SqlStore::inspect(settings);
        QVERIFY2(look.reachable, qPrintable(look.message));
        QCOMPARE(look.schemaVersion, 0);
        QVERIFY(look.programVersion >= 1);
        {
            SqlStore store(settings);
            QVERIFY(open(store));
        }
        look = SqlStore::inspect(settings);
        QVERIFY2(look.reachable, qPrintable(look.message));
        QCOMPARE(look.schemaVersion, look.programVersion);
        QCOMPARE(look.message, QString());
        Side side(settings);
        side.run(QStringLiteral("UPDATE meta SET value = '977' WHERE key = 'schema_version'"));
        refused(settings, StoreError::Kind::Misconfigured,
                QStringLiteral("977, newer than this program's %1").arg(look.programVersion));
        look = SqlStore::inspect(settings);
        QCOMPARE(look.schemaVersion, 977);
        QVERIFY(look.message.contains(QStringLiteral("newer")));
    }

    void inspectionChangesNothing()
    {
        const voiphost::DatabaseSettings settings = m_databases.fresh(QStringLiteral("sqlite"));
        QVERIFY(SqlStore::inspect(settings).reachable);
        QVERIFY(!QFileInfo::exists(settings.dsn));
        const SqlStore::Inspection none =
            SqlStore::inspect({QStringLiteral("postgresql"), QStringLiteral("host=127.0.0.1 port=1 dbname=x")});
        QVERIFY(!none.reachable);
        QVERIFY(!none.message.isEmpty());
    }

    void startsDoNotRace_data() { forEachDatabase(); }
    void startsDoNotRace()
    {
        QFETCH(QString, driver);
        const voiphost::DatabaseSettings settings = m_databases.fresh(driver);
        std::vector<std::unique_ptr<Store>> workers;
        QStringList answers;
        QObject context; // dies before what the replies write to
        for (int i = 0; i < 4; ++i) {
            using Use = SqlStore::Use;
            workers.push_back(std::make_unique<SqlStore>(settings, driver == u"sqlite" ? Use::Alone : Use::Shared));
            workers.back()->open(QByteArray(32, 'k'), &context, [&answers](const Result<voiphost::Done> &result) {
                answers += result ? QStringLiteral("ok") : result.error().message;
            });
        }
        waitUntil([&answers] { return answers.size() == 4; }, "four starts");
        QCOMPARE(answers, QStringList(4, QStringLiteral("ok")));
    }

    void closeWritesWhatWaitsAndJoins_data() { forEachDatabase(); }
    void closeWritesWhatWaitsAndJoins()
    {
        QFETCH(QString, driver);
        const voiphost::DatabaseSettings settings = m_databases.fresh(driver);
        waitUntil([this] { return threads() <= m_idle; }, "threads of earlier tests to be gone");
        const int before = threads();
        int good = 0;
        int refused = 0;
        QObject context;
        SqlStore store(settings);
        QVERIFY(open(store));
        QVERIFY(threads() > before);
        for (int i = 0; i < 600; ++i) {
            store.accept(batch(QStringLiteral("t%1").arg(i), QStringLiteral("@a:test"), {QStringLiteral("$%1").arg(i)}),
                         &context, [&good](const Result<QVector<InboxEntry>> &result) { good += result ? 1 : 0; });
        }
        store.close();
        // Qt's wait() returns a moment before the kernel has taken the thread away.
        waitUntil([before] { return threads() == before; }, "the threads to be gone");
        QVERIFY(!store.available());
        Side side(settings);
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM inbox")), QStringLiteral("600"));
        store.close();
        const auto late = [&refused](const auto &result) {
            if (!result && result.error().kind == StoreError::Kind::Unavailable)
                ++refused;
        };
        store.putSetting(QStringLiteral("k"), "v", &context, late);
        store.pendingInbox({}, 0, &context, late);
        store.open({}, &context, late);
        waitUntil([&] { return good == 600 && refused == 3; }, "answers after the close");
    }

    void writesBeforeOpenAreRefused()
    {
        SqlStore store(m_databases.fresh(QStringLiteral("sqlite")));
        const auto result =
            accept(store, batch(QStringLiteral("t"), QStringLiteral("@a:test"), {QStringLiteral("$1")}));
        QVERIFY(!result);
        QCOMPARE(result.error().kind, StoreError::Kind::Unavailable);
        QVERIFY(open(store));
        QVERIFY(!open(store)); // once is enough
    }

    void answersToTheDeadAreDropped_data() { forEachDatabase(); }
    void answersToTheDeadAreDropped()
    {
        QFETCH(QString, driver);
        SqlStore store(m_databases.fresh(driver));
        QVERIFY(open(store));
        int called = 0;
        for (int i = 0; i < 200; ++i) { // destroyed at all stages of the way
            auto context = std::make_unique<QObject>();
            store.accept(batch(QStringLiteral("t%1").arg(i), QStringLiteral("@a:test"), {QStringLiteral("$%1").arg(i)}),
                         context.get(), [&called](const Result<QVector<InboxEntry>> &) { ++called; });
        }
        QVERIFY(accept(store, batch(QStringLiteral("last"), QStringLiteral("@a:test"), {QStringLiteral("$last")})));
        QCOMPARE(called, 0);
        QCOMPARE(pending(store)->size(), 201);
    }
};

QTEST_GUILESS_MAIN(StoreLifecycle)
#include "tst_store_lifecycle.moc"
