// SPDX-License-Identifier: Apache-2.0
// What the store promises when a process or the database dies at a bad moment: nothing answered is lost, nothing is
// doubled, nobody waits for a dead server, and it comes back by itself.
#include "pgproxy.h"
#include "storetest.h"

#include <QProcess>
#include <QSignalSpy>
#include <QTest>

#include <csignal>
#include <sys/resource.h>

using namespace storetest;
using namespace voip;

namespace
{

const QString alice = QStringLiteral("@nova_alice:test");

Commit numbered(int number)
{
    Commit c;
    c.lane = QStringLiteral("@lane%1:test").arg(number % 7);
    c.sends = {send(number, QStringLiteral("x%1").arg(number))};
    c.notices = {notice(QStringLiteral("c"), number)};
    return c;
}

} // namespace

class StoreOutage : public QObject
{
    Q_OBJECT

    Databases m_databases;

private Q_SLOTS:
    void killedProcessLosesNothing_data()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }
    void killedProcessLosesNothing()
    {
        QFETCH(QString, driver);
        const voiphost::DatabaseSettings settings = m_databases.fresh(driver);
        QProcess victim;
        victim.start(QStringLiteral(STORE_VICTIM), {settings.driver, settings.dsn});
        QByteArray printed;
        waitUntil(
            [&] {
                printed += victim.readAllStandardOutput();
                return printed.count('\n') >= 200 || victim.state() == QProcess::NotRunning;
            },
            "the victim's work");
        QCOMPARE(victim.state(), QProcess::Running);
        victim.kill();
        QVERIFY(victim.waitForFinished());
        QCOMPARE(victim.exitStatus(), QProcess::CrashExit);
        printed += victim.readAllStandardOutput();
        const int answered = printed.left(printed.lastIndexOf('\n')).split('\n').last().toInt();
        QVERIFY(answered >= 200);

        SqlStore store(settings);
        QVERIFY(open(store));
        const auto lanes = restore(store, 0);
        const qsizetype sends = lanes->at(0).outbox.size();
        QVERIFY(sends == answered || sends == answered + 1); // the last may have been committed and not printed
        for (qsizetype i = 0; i < sends; ++i)
            QCOMPARE(lanes->at(0).outbox.at(i).ref, i + 1);
        const auto notices =
            await<QVector<Notice>>([&](QObject *c, auto r) { store.noticesAfter(alice, 0, 100000, c, r); });
        QCOMPARE(notices->size(), sends); // all of a commit or nothing
        const qsizetype waiting = pending(store)->size();
        // The homeserver repeats all of it, and changes nothing.
        qsizetype stillWaiting = 0;
        for (int i = 1; i <= answered; ++i) {
            const QString text = QString::number(i);
            stillWaiting +=
                accept(store, batch(QStringLiteral("t") + text, alice, {QStringLiteral("$") + text}))->size();
        }
        QVERIFY(stillWaiting == waiting || stillWaiting + 1 == waiting); // the last was not answered
        QCOMPARE(pending(store)->size(), waiting);
        QVERIFY(waiting >= answered / 2);
    }

    void serverKilledUnderLoad()
    {
        const voiphost::DatabaseSettings settings = m_databases.fresh(QStringLiteral("postgresql"));
        SqlStore store(settings);
        QVERIFY(open(store));
        QSignalSpy changes(&store, &Store::availableChanged);
        constexpr int count = 3000;
        constexpr int atOnce = 40;
        QMap<int, qint64> noticeIds;
        QVector<int> refused; // to be repeated as they are, once it is back
        int started = 0;
        int open = 0;
        QObject context; // dies before what the replies write to
        std::function<void(int)> write = [&](int number) {
            ++open;
            store.commit(numbered(number), &context, [&, number](const Result<Committed> &result) {
                --open;
                if (result) {
                    noticeIds.insert(number, result->noticeIds.at(0));
                } else {
                    QCOMPARE(result.error().kind, StoreError::Kind::Unavailable);
                    refused += number;
                }
            });
        };
        const auto keepBusy = [&](int until) {
            while (open < atOnce && started < until)
                write(++started);
        };
        waitUntil(
            [&] {
                keepBusy(count);
                return noticeIds.size() >= count / 3;
            },
            "a third of the load");
        m_databases.cluster().kill();
        waitUntil(
            [&] {
                keepBusy(started + 1);
                return !store.available();
            },
            "the store to notice");
        waitUntil([&] { return open == 0; }, "every write to be answered without a server");
        const int before = static_cast<int>(refused.size());
        write(++started);
        waitUntil([&] { return open == 0; }, "a refusal while the server is gone");
        QCOMPARE(refused.size(), before + 1);
        QVERIFY(!await<QVector<InboxEntry>>([&](QObject *c, auto r) { store.pendingInbox({}, 0, c, r); }));
        QVERIFY(m_databases.cluster().start());
        waitUntil([&] { return store.available(); }, "the store to come back by itself");
        while (!refused.isEmpty() || open > 0) {
            for (const int number : std::exchange(refused, {}))
                write(number);
            waitUntil([&] { return open == 0; }, "the repeated writes");
        }
        QCOMPARE(noticeIds.size(), started);
        Side side(settings);
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM outbox")), QString::number(started));
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM notices")), QString::number(started));
        for (auto it = noticeIds.cbegin(); it != noticeIds.cend(); ++it) {
            QCOMPARE(side.value(QStringLiteral("SELECT seq FROM notices WHERE id = %1").arg(it.value())),
                     QString::number(it.key()));
            if (it.key() > 50)
                break; // the counts above vouch for the rest
        }
        QCOMPARE(changes.size(), 2);
        QCOMPARE(changes.at(0).at(0).toBool(), false);
        QCOMPARE(changes.at(1).at(0).toBool(), true);
        waitUntil([&] { return bool(pending(store)); }, "the reader to come back");
    }

    void anIdleStoreNoticesToo()
    {
        SqlStore store(m_databases.fresh(QStringLiteral("postgresql")));
        QVERIFY(open(store));
        m_databases.cluster().stop();
        waitUntil([&] { return !store.available(); }, "the heartbeat");
        QVERIFY(m_databases.cluster().start());
        waitUntil([&] { return store.available(); }, "the store to come back");
    }

    void restartBetweenWritesIsNotNoticed()
    {
        SqlStore store(m_databases.fresh(QStringLiteral("postgresql")));
        QVERIFY(open(store));
        QVERIFY(commit(store, numbered(1)));
        QVERIFY(pending(store));
        m_databases.cluster().stop();
        QVERIFY(m_databases.cluster().start());
        // The connection is dead, the server is there: one immediate repeat on a fresh one, with fresh statements.
        if (store.available())
            QVERIFY(commit(store, numbered(2)));
        waitUntil([&] { return store.available(); }, "the store");
        QVERIFY(commit(store, numbered(3)));
        QVERIFY(pending(store));
        QVERIFY(store.counters().reconnects >= 1);
    }

    void connectionLostAroundCommit_data()
    {
        QTest::addColumn<PgProxy::Cut>("cut");
        QTest::addColumn<bool>("serverStaysAway");
        QTest::newRow("before, back at once") << PgProxy::Cut::BeforeCommit << false;
        QTest::newRow("before, stays away") << PgProxy::Cut::BeforeCommit << true;
        QTest::newRow("after, back at once") << PgProxy::Cut::AfterCommit << false;
        QTest::newRow("after, stays away") << PgProxy::Cut::AfterCommit << true;
    }
    void connectionLostAroundCommit()
    {
        QFETCH(PgProxy::Cut, cut);
        QFETCH(bool, serverStaysAway);
        const voiphost::DatabaseSettings settings = m_databases.fresh(QStringLiteral("postgresql"));
        PgProxy proxy(settings.dsn);
        SqlStore store({settings.driver, proxy.dsn()});
        QVERIFY(open(store));

        // The batch: its events are kept once, and whichever attempt is answered well says which they are.
        const InboxBatch events = batch(QStringLiteral("t1"), alice, {QStringLiteral("$1"), QStringLiteral("$2")});
        proxy.cut(cut, serverStaysAway);
        auto entries = accept(store, events);
        QCOMPARE(proxy.cuts(), 1);
        QCOMPARE(entries.ok(), !serverStaysAway);
        if (serverStaysAway) {
            QCOMPARE(entries.error().kind, StoreError::Kind::Unavailable);
            proxy.allow();
            waitUntil([&] { return store.available(); }, "the store to come back");
            entries = accept(store, events); // as the homeserver does
            QVERIFY(entries);
        }
        QCOMPARE(entries->size(), 2);
        QCOMPARE(entries->at(0).body, events.events.at(0).body);
        QVERIFY(entries->at(0).seq < entries->at(1).seq);
        QCOMPARE(seqs(*accept(store, events)), seqs(*entries));
        QCOMPARE(pending(store)->size(), 2);

        // The commit.
        Commit c = numbered(1);
        c.lane = alice;
        c.consumed = {entries->at(0).seq, entries->at(1).seq};
        proxy.cut(cut, serverStaysAway);
        QObject context;
        std::optional<Result<Committed>> done;
        store.commit(c, &context, [&done](Result<Committed> answer) { done = std::move(answer); });
        if (serverStaysAway) {
            waitUntil([&] { return proxy.cuts() == 2 && !store.available(); }, "the connection to be lost");
            QVERIFY(!done); // nobody knows whether it was written: "no" would have it decided twice
            proxy.allow();
        }
        waitUntil([&] { return done.has_value(); }, "the commit's answer");
        QCOMPARE(proxy.cuts(), 2);
        QVERIFY(done->ok());
        Side side(settings);
        QCOMPARE(side.rows(QStringLiteral("SELECT id FROM notices")),
                 QStringList(QString::number((*done)->noticeIds.at(0))));
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM outbox")), QStringLiteral("1"));
        QCOMPARE(pending(store)->size(), 0);
    }

    void fileThatIsDeleted()
    {
        const auto settings = m_databases.fresh(QStringLiteral("sqlite"));
        SqlStore store(settings);
        QVERIFY(open(store));
        QVERIFY(commit(store, numbered(1)));
        const QString aside = settings.dsn + QStringLiteral(".aside");
        QVERIFY(QFile::rename(settings.dsn, aside));
        const auto refused = commit(store, numbered(2));
        QVERIFY(!refused); // SQLite itself would have taken it, and lost it
        QCOMPARE(refused.error().kind, StoreError::Kind::Unavailable);
        QVERIFY(!store.available());
        QVERIFY(QFile::rename(aside, settings.dsn));
        QTRY_VERIFY_WITH_TIMEOUT(store.available(), 20000);
        QVERIFY(commit(store, numbered(2)));
    }

    void fileThatCannotGrow()
    {
        SqlStore store(m_databases.fresh(QStringLiteral("sqlite")));
        QVERIFY(open(store));
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit original{};
        QCOMPARE(::getrlimit(RLIMIT_FSIZE, &original), 0);
        rlimit tight = original;
        tight.rlim_cur = 1024 * 1024;
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &tight), 0);
        int number = 0;
        std::optional<StoreError> error;
        while (!error && number < 2000) {
            Commit c = numbered(++number);
            c.sends[0].content.insert(QStringLiteral("filler"), QString(20000, u'x'));
            if (const auto result = commit(store, c); !result)
                error = result.error();
        }
        const bool availableThen = store.available();
        const auto reading = restore(store, 0);
        QCOMPARE(::setrlimit(RLIMIT_FSIZE, &original), 0);
        QVERIFY(!availableThen); // health must say it
        QVERIFY(error);
        QCOMPARE(error->kind, StoreError::Kind::Unavailable);
        QVERIFY2(!error->message.contains(QStringLiteral("xxx")), qPrintable(error->message));
        QVERIFY(reading);                                   // what is there can still be read
        QTRY_VERIFY_WITH_TIMEOUT(store.available(), 20000); // by itself, once a write succeeds again
        QVERIFY(commit(store, numbered(number)));
        qsizetype sends = 0;
        const auto afterwards = restore(store, 0);
        for (const LaneRecord &lane : *afterwards)
            sends += lane.outbox.size();
        QCOMPARE(sends, number);
    }
};

QTEST_GUILESS_MAIN(StoreOutage)
#include "tst_store_outage.moc"
