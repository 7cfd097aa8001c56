// SPDX-License-Identifier: Apache-2.0
// Several workers on one PostgreSQL: a transaction and a phone may come to any of them, each call is served by one, and
// when that one is gone another goes on. Also through PgBouncer in transaction mode.
#include "bench.h"
#include "pgbouncer.h"
#include "store/sharing.h"

using namespace bridge;
using namespace voip;

class PipelineWorkers : public QObject
{
    Q_OBJECT

    storetest::Databases m_databases;
    std::unique_ptr<FakeHomeserver> m_homeserver;
    std::unique_ptr<PgBouncer> m_pooler;
    DatabaseSettings m_direct; // without a pooler: to look
    DatabaseSettings m_database;

    std::unique_ptr<Bench> worker()
    {
        auto bench = std::make_unique<Bench>(m_database, m_homeserver->http.url());
        const auto started = bench->start({{QStringLiteral("workers"), true}});
        if (!started.ok())
            qFatal("a worker does not start: %s", qPrintable(started.error().message));
        return bench;
    }
    // How many partitions each worker that holds some holds, smallest first.
    QStringList shares()
    {
        return storetest::Side(m_direct).rows(QStringLiteral("SELECT count(*) FROM partitions WHERE worker <> '' AND "
                                                             "until > extract(epoch FROM clock_timestamp()) * 1000 "
                                                             "GROUP BY worker ORDER BY 1"));
    }
    void untilShares(const QStringList &wanted)
    {
        QStringList found;
        if (!QTest::qWaitFor([&] { return (found = shares()) == wanted; }, patience))
            qFatal("partitions are held by %s, not by %s", qPrintable(found.join(u',')), qPrintable(wanted.join(u',')));
    }
    QString holder() // of Alice's lane
    {
        return storetest::Side(m_direct).value(
            QStringLiteral("SELECT worker FROM partitions WHERE part = %1").arg(store::partitionOf(aliceId)));
    }
    static QJsonObject message(const QString &roomId, const QString &sender, const QString &eventId)
    {
        return {{QStringLiteral("type"), QStringLiteral("m.room.message")},
                {QStringLiteral("room_id"), roomId},
                {QStringLiteral("sender"), sender},
                {QStringLiteral("event_id"), eventId},
                {QStringLiteral("content"), QJsonObject{{QStringLiteral("body"), QStringLiteral("hello")}}}};
    }
    int answers() { return static_cast<int>(m_homeserver->sentTypes().count(QStringLiteral("m.call.answer"))); }

private Q_SLOTS:
    void init()
    {
        m_homeserver = std::make_unique<FakeHomeserver>();
        m_direct = m_databases.fresh(QStringLiteral("postgresql"));
        m_database = m_direct;
    }
    void cleanup() { m_pooler.reset(); }

    void sqliteIsRefused()
    {
        Bench bench(m_databases.fresh(QStringLiteral("sqlite")), m_homeserver->http.url());
        const auto started = bench.start({{QStringLiteral("workers"), true}});
        QVERIFY(!started.ok());
        QVERIFY(started.error().message.contains(QStringLiteral("SQLite")));
        QVERIFY(!Pipeline::inspect(m_databases.fresh(QStringLiteral("sqlite")), true).ok);
    }

    // The lease of a worker runs out, another takes the partition: what the first one decides is refused, whole.
    void staleCommitIsFenced()
    {
        store::SqlStore first(m_direct, store::SqlStore::Use::Shared);
        store::SqlStore second(m_direct, store::SqlStore::Use::Shared);
        QVERIFY(storetest::open(first).ok());
        QVERIFY(storetest::open(second).ok());
        const auto lease = [](store::Store &store, const QString &name, int ttl, int take) {
            store::LeaseRequest request{name, ttl, {}, take, false};
            return storetest::await<store::Leases>([&](QObject *c, auto r) { store.lease(request, c, r); });
        };
        const auto one = lease(first, QStringLiteral("one"), 50, store::partitionCount);
        QCOMPARE(one->held.size(), store::partitionCount);
        store::Fence fence{store::partitionOf(aliceId), one->held.at(store::partitionOf(aliceId)).token};
        const auto commitWith = [&](store::Store &store, const store::Fence &token, const QString &txn, qint64 ref) {
            store::Commit commit;
            commit.lane = aliceId;
            commit.fence = token;
            commit.sends = {storetest::send(ref, txn)};
            return storetest::commit(store, commit);
        };
        QVERIFY(commitWith(first, fence, QStringLiteral("t1"), 1).ok());
        std::optional<store::Result<store::Leases>> two; // once the first lease has run out
        QVERIFY(QTest::qWaitFor(
            [&] {
                two = lease(second, QStringLiteral("two"), 60'000, store::partitionCount);
                return (*two)->held.size() == store::partitionCount;
            },
            patience));
        const store::Fence newer = (*two)->held.at(fence.partition);
        QVERIFY(newer.token > fence.token);
        const auto refused = commitWith(first, fence, QStringLiteral("t2"), 2);
        QVERIFY(!refused.ok());
        QVERIFY(refused.error().kind == store::StoreError::Kind::Fenced);
        QVERIFY(commitWith(second, newer, QStringLiteral("t3"), 2).ok());
        QCOMPARE(storetest::Side(m_direct).rows(QStringLiteral("SELECT txn_id FROM outbox ORDER BY ref")),
                 QStringList({QStringLiteral("t1"), QStringLiteral("t3")}));
        // And the first keeps nothing by asking again.
        QCOMPARE(lease(first, QStringLiteral("one"), 50, store::partitionCount)->held.size(), 0);
    }

    void anyWorkerTakesAnything_data()
    {
        QTest::addColumn<bool>("pooled");
        QTest::newRow("direct") << false;
        QTest::newRow("through PgBouncer") << true;
    }
    void anyWorkerTakesAnything()
    {
        QFETCH(bool, pooled);
        if (pooled) {
            m_pooler = std::make_unique<PgBouncer>(m_direct.dsn);
            QVERIFY2(m_pooler->start(), qPrintable(m_pooler->error()));
            m_database.dsn = m_pooler->dsn();
        }
        auto a = worker();
        untilShares({QStringLiteral("64")});
        auto b = worker();
        untilShares({QStringLiteral("32"), QStringLiteral("32")});
        QVERIFY(a->meet(*m_homeserver)); // whichever holds her
        QVERIFY(QTest::qWaitFor([&] { return !b->conversation().isEmpty(); }, patience));
        for (int round = 0; round < 2; ++round) {
            Bench &here = round == 0 ? *a : *b;
            Bench &there = round == 0 ? *b : *a;
            const QString id = QStringLiteral("c%1").arg(round);
            QCOMPARE(here.deliver({invite(room, bob, id)}, QStringLiteral("t") + id), BatchResult::Durable);
            // The same again, at the other: nothing.
            QCOMPARE(there.deliver({invite(room, bob, id)}, QStringLiteral("t") + id), BatchResult::Durable);
            const auto rings = [&](Bench &bench) {
                return QTest::qWaitFor(
                    [&] {
                        const auto *notice = bench.notice(NoticeKind::Initiated);
                        return notice &&
                               notice->data.value(QLatin1String("matrix")).toObject().value(QLatin1String("call_id")) ==
                                   id;
                    },
                    patience);
            };
            QVERIFY(rings(here));
            QVERIFY(rings(there));
            QCOMPARE(here.notice(NoticeKind::Initiated)->id, there.notice(NoticeKind::Initiated)->id);
            const QString call = here.notice(NoticeKind::Initiated)->callId;
            // Both answer: one answer leaves.
            auto first = here.calls().answer(alice, call, sdp);
            auto second = there.calls().answer(alice, call, sdp);
            QVERIFY(result(first).ok());
            QVERIFY(result(second).ok());
            QVERIFY(result(there.calls().setMediaState(alice, call, MediaState::Connected)).ok());
            QVERIFY(QTest::qWaitFor([&] { return answers() == round + 1; }, patience));
            QCOMPARE(there.deliver({hangup(room, bob, id)}), BatchResult::Durable);
            QVERIFY(QTest::qWaitFor([&] { return result(here.calls().liveCalls(alice))->isEmpty(); }, patience));
            QVERIFY(QTest::qWaitFor([&] { return result(there.calls().liveCalls(alice))->isEmpty(); }, patience));
            QCOMPARE(answers(), round + 1);
        }
        for (Bench *bench : {a.get(), b.get()}) { // each heard everything, once and in order
            QVERIFY(QTest::qWaitFor([bench] { return bench->notices().size() == 4; }, patience));
            qint64 last = 0;
            for (const CallNotice &notice : bench->notices()) {
                QVERIFY(notice.id > last);
                last = notice.id;
            }
            QCOMPARE(result(bench->calls().history(alice, 10, {}))->size(), 2);
        }
        if (pooled) // the bridge's own sessions at the server: none outside the pool
            QVERIFY(storetest::Side(m_direct).value(
                        QStringLiteral("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == u"0");
    }

    // The list of live calls is right wherever it is asked for, also of what nobody is told.
    void listAtEveryWorker()
    {
        auto a = worker();
        untilShares({QStringLiteral("64")});
        QVERIFY(a->meet(*m_homeserver));
        const QString first = holder();
        auto b = worker();
        untilShares({QStringLiteral("32"), QStringLiteral("32")});
        Bench &here = holder() == first ? *a : *b;
        Bench &there = holder() == first ? *b : *a;
        QVERIFY(QTest::qWaitFor([&] { return !here.conversation().isEmpty(); }, patience)); // it may be taking over
        std::optional<Expected<Placed>> placed;
        QVERIFY(QTest::qWaitFor([&] { return (placed = here.place()) && placed->ok(); }, patience));
        for (Bench *bench : {&here, &there}) {
            const auto live = result(bench->calls().liveCalls(alice));
            QVERIFY(live.ok());
            QCOMPARE(live->size(), 1);
            QCOMPARE(live->first().id, (*placed)->call.id);
            QCOMPARE(live->first().conversationId, here.conversation());
            QVERIFY(live->first().status == CallStatus::Ringing);
        }
        QVERIFY(QTest::qWaitFor([&] { return m_homeserver->sentTypes().contains(QStringLiteral("m.call.invite")); },
                                patience));
        const QString matrixId = (*placed)->call.matrixCallId;
        QCOMPARE(there.deliver({answerTo(room, bob, matrixId)}), BatchResult::Durable);
        QVERIFY(there.told(NoticeKind::Answered));
        QVERIFY(result(here.calls().setMediaState(alice, (*placed)->call.id, MediaState::Connected)).ok());
        for (Bench *bench : {&here, &there})
            QVERIFY(result(bench->calls().liveCalls(alice))->first().status == CallStatus::Connected);
        QVERIFY(result(here.calls().end(alice, (*placed)->call.id, {})).ok());
        for (Bench *bench : {&here, &there})
            QVERIFY(result(bench->calls().liveCalls(alice))->isEmpty());
    }

    // Nobody serves Alice (somebody holds her lane and does nothing): what waits for her is bounded all the same, and
    // whoever takes her over takes it in piece by piece.
    void backlogOfNobody()
    {
        auto a = worker();
        untilShares({QStringLiteral("64")});
        QVERIFY(a->meet(*m_homeserver));
        storetest::Side side(m_direct);
        const QString part = QString::number(store::partitionOf(aliceId));
        side.run(QStringLiteral("UPDATE partitions SET worker = 'stuck', token = token + 1, until = 9000000000000 "
                                "WHERE part = ") +
                 part);
        const QString renewed = QStringLiteral("SELECT max(until) FROM partitions WHERE worker <> 'stuck'");
        const QString before = side.value(renewed);
        QVERIFY(QTest::qWaitFor([&] { return side.value(renewed) != before; }, patience)); // it knows
        int stored = 0;
        const auto more = [&] {
            QVector<QJsonObject> events;
            for (int i = 0; i < 100; ++i)
                events += message(room, bob, QStringLiteral("$m%1").arg(stored + i));
            if (a->deliver(events) != BatchResult::Durable)
                return false;
            stored += 100;
            return true;
        };
        while (stored < 25'000 && more())
            ;
        QVERIFY2(stored >= 19'000 && stored < 22'000, qPrintable(QString::number(stored)));
        QVERIFY(a->plugin().metrics().contains("matrix_voip_refused_batches_total{reason=\"too_deep\"}"));
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM inbox")), QString::number(stored));
        side.run(QStringLiteral("UPDATE partitions SET worker = '', until = 0 WHERE part = ") + part);
        int deepest = 0;
        QTimer look;
        QObject::connect(&look, &QTimer::timeout, &look, [&] {
            const QByteArray text = a->plugin().metrics();
            const auto at = text.indexOf("\nmatrix_voip_inbox_depth ") + 25;
            deepest = std::max(deepest, text.mid(at, text.indexOf('\n', at) - at).toInt());
        });
        look.start(1);
        QVERIFY(QTest::qWaitFor([&] { return side.value(QStringLiteral("SELECT count(*) FROM inbox")) == u"0"; },
                                4 * patience));
        QVERIFY2(deepest > 0 && deepest < 1000, qPrintable(QString::number(deepest)));
        QCOMPARE(a->deliver({invite(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QVERIFY(a->told(NoticeKind::Initiated));
    }

    // One dies while a call rings; the other rings on, and its phone answers.
    void takeover()
    {
        auto a = worker();
        untilShares({QStringLiteral("64")});
        QVERIFY(a->meet(*m_homeserver));
        const QString first = holder();
        auto b = worker();
        untilShares({QStringLiteral("32"), QStringLiteral("32")});
        std::unique_ptr<Bench> &dying = holder() == first ? a : b;
        Bench &living = holder() == first ? *b : *a;
        QCOMPARE(dying->deliver({invite(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QVERIFY(living.told(NoticeKind::Initiated));
        const QString call = living.notice(NoticeKind::Initiated)->callId;
        dying.reset(); // says nothing to anybody: its leases run out
        QCOMPARE(living.deliver({callEvent(QStringLiteral("m.call.candidates"), room, bob, QStringLiteral("c1"),
                                           {{QStringLiteral("candidates"), QJsonArray()}})}),
                 BatchResult::Durable);
        QVERIFY(QTest::qWaitFor([&] { return shares() == QStringList{QStringLiteral("64")}; }, patience));
        QVERIFY(QTest::qWaitFor([&] { return result(living.calls().answer(alice, call, sdp)).ok(); }, patience));
        QVERIFY(QTest::qWaitFor([&] { return answers() == 1; }, patience));
        QCOMPARE(living.notices().size(), 1); // told once
        QVERIFY(result(living.calls().end(alice, call, {})).ok());
    }

    // Drained, a worker gives everything to the others at once; calls go on.
    void drain()
    {
        auto a = worker();
        untilShares({QStringLiteral("64")});
        QVERIFY(a->meet(*m_homeserver));
        auto b = worker();
        untilShares({QStringLiteral("32"), QStringLiteral("32")});
        QCOMPARE(b->deliver({invite(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QVERIFY(a->told(NoticeKind::Initiated));
        const QString call = a->notice(NoticeKind::Initiated)->callId;
        QVERIFY(result(a->calls().answer(alice, call, sdp)).ok());
        QVERIFY(QTest::qWaitFor([&] { return answers() == 1; }, patience)); // with its candidates (R50)
        QVERIFY(result(a->calls().setMediaState(alice, call, MediaState::Connected)).ok());
        result(a->plugin().drain(60'000));
        untilShares({QStringLiteral("64")});
        a.reset();
        QVERIFY(result(b->calls().end(alice, call, {})).ok());
        QVERIFY(QTest::qWaitFor([&] { return m_homeserver->sentTypes().count(QStringLiteral("m.call.hangup")) == 1; },
                                patience));
        QCOMPARE(answers(), 1);
    }
};

QTEST_GUILESS_MAIN(PipelineWorkers)
#include "tst_pipeline_workers.moc"
