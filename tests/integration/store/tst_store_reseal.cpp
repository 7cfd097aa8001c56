// SPDX-License-Identifier: Apache-2.0
// New seals for everything under one key, all or nothing, and only while nobody else is at the database. Both
// databases.
#include "store/reseal.h"
#include "storetest.h"

#include <QFileInfo>
#include <QTest>

using namespace storetest;
using namespace voip;

namespace
{

const QString alice = QStringLiteral("@nova_alice:test");
const QByteArray oldKey(32, 'o');
const QByteArray newKey(32, 'n');

// A seal that says by what it was made, and for which place.
QByteArray sealed(const QByteArray &key, const SealedAt &at, const QByteArray &plain)
{
    return key.left(1) + '|' + (at.lane + u'|' + at.kind + u'|' + at.key).toUtf8() + '|' + plain;
}

std::optional<QByteArray> anew(const SealedAt &at, const QByteArray &value)
{
    const QByteArray head = sealed(oldKey, at, {});
    if (!value.startsWith(head))
        return std::nullopt;
    return sealed(newKey, at, value.mid(head.size()));
}

} // namespace

class StoreReseal : public QObject
{
    Q_OBJECT

    Databases m_databases;
    voiphost::DatabaseSettings m_settings;

    void forEachDatabase()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }
    // Some rows and settings of each kind, under the old key.
    void fill(int rows)
    {
        SqlStore store(m_settings);
        QVERIFY(open(store, oldKey));
        Commit c;
        c.lane = alice;
        for (int i = 0; i < rows; ++i) {
            const SealedAt at{alice, QStringLiteral("session"), QStringLiteral("k%1'").arg(i, 4, 10, QLatin1Char('0'))};
            c.state += StateRow{at.kind, at.key, QStringLiteral("olm"), 1, sealed(oldKey, at, QByteArray("\0\xff", 2))};
        }
        QVERIFY(commit(store, c));
        const auto put = [&store](const QString &key, const QByteArray &value) {
            QVERIFY(await<voiphost::Done>([&](QObject *o, auto r) { store.putSetting(key, value, o, r); }));
        };
        put(QStringLiteral("sealed:a"), sealed(oldKey, {{}, {}, QStringLiteral("sealed:a")}, "secret"));
        put(QStringLiteral("SEALED:b"), "another kind of setting");
        put(QStringLiteral("rollout"), "plain");
    }
    QStringList everything()
    {
        Side side(m_settings);
        return side.rows(QStringLiteral("SELECT lane, kind, key, backend, format, sealed FROM crypto_state ORDER BY "
                                        "lane, kind, key")) +
               side.rows(QStringLiteral("SELECT key, value FROM settings ORDER BY key")) +
               side.rows(QStringLiteral("SELECT key, value FROM meta ORDER BY key"));
    }

private Q_SLOTS:
    void init()
    {
        QFETCH(QString, driver);
        m_settings = m_databases.fresh(driver);
    }

    void allOfIt_data() { forEachDatabase(); }
    void allOfIt()
    {
        fill(1500);
        QStringList expected = everything();
        {
            Resealer resealer(m_settings);
            const auto error = resealer.open();
            QVERIFY2(!error, error ? qPrintable(error->message) : "");
            QVERIFY(resealer.hasRootKey() && resealer.fits(oldKey) && !resealer.fits(newKey));
            QVERIFY(!resealer.reseal(newKey, oldKey, anew)); // the wrong way round
            const auto count = resealer.reseal(oldKey, newKey, anew);
            QVERIFY2(count, count ? "" : qPrintable(count.error().message));
            QCOMPARE(*count, 1501);
            QVERIFY(resealer.fits(newKey) && !resealer.fits(oldKey));
        }
        const QStringList found = everything();
        QCOMPARE(found.size(), expected.size());
        for (qsizetype i = 0; i < found.size(); ++i) {
            if (found.at(i).startsWith(QLatin1String("root_key_check")))
                QVERIFY(found.at(i) != expected.at(i));
            else
                QCOMPARE(found.at(i), expected[i].replace(QLatin1String("|o|"), QLatin1String("|n|")));
        }
        SqlStore store(m_settings);
        const auto refused = open(store, oldKey);
        QVERIFY(!refused);
        QVERIFY(refused.error().message.contains(QLatin1String("root_key: not the one")));
        QVERIFY(open(store, newKey));
        const SqlStore::Inspection look = SqlStore::inspect(m_settings);
        QVERIFY2(look.fits(newKey) && !look.fits(oldKey), qPrintable(look.message));
    }

    void oneThatDoesNotOpenStopsIt_data() { forEachDatabase(); }
    void oneThatDoesNotOpenStopsIt()
    {
        fill(3);
        const QStringList before = everything();
        auto holder = std::make_unique<Resealer>(m_settings);
        Resealer &resealer = *holder;
        QVERIFY(!resealer.open());
        int calls = 0;
        const auto refuse = [&](const SealedAt &bad, const QString &words) {
            const auto count = resealer.reseal(
                oldKey, newKey, [&](const SealedAt &at, const QByteArray &value) -> std::optional<QByteArray> {
                    ++calls;
                    return at.kind == bad.kind && at.key == bad.key ? std::nullopt : anew(at, value);
                });
            QVERIFY(!count);
            QCOMPARE(count.error().kind, StoreError::Kind::Corrupt);
            QVERIFY2(count.error().message.contains(words), qPrintable(count.error().message));
        };
        refuse({alice, QStringLiteral("session"), QStringLiteral("k0001'")},
               QStringLiteral("table crypto_state, key @nova_alice:test session k0001': column sealed cannot be"));
        refuse({{}, {}, QStringLiteral("sealed:a")}, QStringLiteral("table settings, key sealed:a: column value"));
        QCOMPARE(calls, 2 + 4);
        QVERIFY(resealer.fits(oldKey));
        QVERIFY(!resealer.reseal(oldKey, newKey, [](auto &, auto &) { return QByteArray(5 * 1024 * 1024, 'x'); }));
        holder.reset(); // while it is there nobody looks in
        QCOMPARE(everything(), before);
        holder = std::make_unique<Resealer>(m_settings);
        QVERIFY(!holder->open());
        QCOMPARE(*holder->reseal(oldKey, newKey, anew), 4);
    }

    void onlyWhileNobodyElseIsThere_data() { forEachDatabase(); }
    void onlyWhileNobodyElseIsThere()
    {
        fill(1);
        auto store = std::make_unique<SqlStore>(m_settings);
        QVERIFY(open(*store, oldKey)); // and idle
        {
            Resealer resealer(m_settings);
            const auto error = resealer.open();
            QVERIFY(error);
            QCOMPARE(error->kind, StoreError::Kind::Unavailable);
            QVERIFY2(error->message.contains(QLatin1String("in use by another process")), qPrintable(error->message));
        }
        QVERIFY(store->available());
        QVERIFY(commit(*store, Commit{alice, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}));
        store.reset();
        auto resealer = std::make_unique<Resealer>(m_settings);
        QVERIFY(!resealer->open());
        SqlStore late(m_settings);
        const auto refused = open(late, oldKey);
        QVERIFY(!refused);
        QCOMPARE(refused.error().kind, StoreError::Kind::Unavailable);
        Resealer second(m_settings);
        QVERIFY(second.open());
        resealer.reset();
        QVERIFY(open(late, oldKey));
    }

    void whatDoesNotFitIsRefused_data() { forEachDatabase(); }
    void whatDoesNotFitIsRefused()
    {
        if (m_settings.driver == u"sqlite") {
            Resealer none(m_settings);
            const auto error = none.open();
            QVERIFY(error && error->message.contains(QLatin1String("does not exist yet")));
            QVERIFY(!QFileInfo::exists(m_settings.dsn));
        } else {
            Resealer empty(m_settings);
            const auto error = empty.open();
            QVERIFY(error && error->message.contains(QLatin1String("schema version 0")));
        }
        {
            SqlStore store(m_settings);
            QVERIFY(open(store)); // without a key
        }
        {
            Resealer keyless(m_settings);
            QVERIFY(!keyless.open());
            QVERIFY(!keyless.hasRootKey() && !keyless.fits({}) && !keyless.fits(oldKey));
            QVERIFY(!keyless.reseal({}, newKey, anew));
        }
        Side(m_settings).run(QStringLiteral("UPDATE meta SET value = '1' WHERE key = 'schema_version'"));
        Resealer older(m_settings);
        const auto error = older.open();
        QVERIFY(error);
        QCOMPARE(error->kind, StoreError::Kind::Misconfigured);
        QVERIFY2(error->message.contains(QLatin1String("start it once")), qPrintable(error->message));
    }

    // A store that lost its connection must not come back to a database that has another key by now.
    void aStoreDoesNotComeBackToAnotherKey_data()
    {
        QTest::addColumn<QString>("driver");
        QTest::newRow("postgresql") << QStringLiteral("postgresql");
    }
    void aStoreDoesNotComeBackToAnotherKey()
    {
        fill(1);
        SqlStore store(m_settings);
        QVERIFY(open(store, oldKey));
        Side side(m_settings);
        const QString ours = side.value(QStringLiteral("SELECT value FROM meta WHERE key = 'root_key_check'"));
        side.run(QStringLiteral("UPDATE meta SET value = 'another' WHERE key = 'root_key_check'"));
        side.run(QStringLiteral("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                                "current_database() AND pid <> pg_backend_pid()"));
        const Commit c{alice, {}, {}, {}, {}, {}, {}, {}, {}, {}, {{QStringLiteral("k"), {}, {}, 1, "s"}}, {}};
        QVERIFY(!commit(store, c));
        QVERIFY(!store.available());
        QTest::qWait(500); // it goes on trying
        QVERIFY(!commit(store, c));
        side.run(QStringLiteral("UPDATE meta SET value = '%1' WHERE key = 'root_key_check'").arg(ours));
        waitUntil([&store] { return store.available(); }, "the store to come back");
        QVERIFY(commit(store, c));
    }
};

QTEST_GUILESS_MAIN(StoreReseal)
#include "tst_store_reseal.moc"
