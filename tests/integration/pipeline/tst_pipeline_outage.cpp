// SPDX-License-Identifier: Apache-2.0
// What the plugin depends on goes away and comes back: the homeserver, PostgreSQL.
#include "bench.h"

using namespace bridge;
using fakehttp::Answer;
using fakehttp::Fault;

class PipelineOutage : public QObject
{
    Q_OBJECT

    storetest::Databases m_databases;
    std::unique_ptr<FakeHomeserver> m_homeserver;
    std::unique_ptr<Bench> m_bench;

    void begin(const QString &driver, const QJsonObject &settings = {})
    {
        m_homeserver = std::make_unique<FakeHomeserver>();
        m_bench = std::make_unique<Bench>(m_databases.fresh(driver), m_homeserver->http.url());
        QVERIFY(m_bench->start(settings).ok());
        QVERIFY(m_bench->meet(*m_homeserver));
    }
    QStringList sentTo(qsizetype count)
    {
        if (!QTest::qWaitFor([&] { return m_homeserver->sent().size() >= count; }, patience))
            qWarning("only %d events were sent", static_cast<int>(m_homeserver->sent().size()));
        return m_homeserver->sentTypes();
    }

private Q_SLOTS:
    void cleanup() { m_bench.reset(); }

    // Counted, and shown to the administrator; what else there is goes on.
    void rowsThatNobodyCanRead()
    {
        m_homeserver = std::make_unique<FakeHomeserver>();
        const DatabaseSettings database = m_databases.fresh(QStringLiteral("sqlite"));
        m_bench = std::make_unique<Bench>(database, m_homeserver->http.url());
        QVERIFY(m_bench->start({}).ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        QVERIFY(m_bench->plugin().metrics().contains("matrix_voip_unreadable_rows 0"));
        m_bench.reset();
        storetest::Side(database).run(QStringLiteral("UPDATE rooms SET members = '{\"@x:test\":\"sits\"}'"));
        m_bench = std::make_unique<Bench>(database, m_homeserver->http.url());
        QVERIFY(m_bench->start({}).ok());
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->plugin().metrics().contains("matrix_voip_unreadable_rows 1"), patience);
        const auto checks = m_bench->plugin().checks();
        QVERIFY(std::any_of(checks.cbegin(), checks.cend(),
                            [](const auto &check) { return check.name == u"rows" && !check.ok; }));
    }

    // A start whose clock is far ahead of the last pruning prunes a day further, and no more.
    void aWrongClockCostsADay_data()
    {
        QTest::addColumn<qint64>("prunedAgo");
        QTest::addColumn<bool>("kept");
        const qint64 hour = 60LL * 60 * 1000;
        QTest::newRow("ten days") << 240 * hour << true;
        QTest::newRow("an hour") << hour << false;
    }
    void aWrongClockCostsADay()
    {
        QFETCH(const qint64, prunedAgo);
        QFETCH(const bool, kept);
        m_homeserver = std::make_unique<FakeHomeserver>();
        const DatabaseSettings database = m_databases.fresh(QStringLiteral("sqlite"));
        m_bench = std::make_unique<Bench>(database, m_homeserver->http.url());
        QVERIFY(m_bench->start({}).ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        storetest::Side side(database);
        const auto pruned = [&side] {
            return side.value(QStringLiteral("SELECT CAST(value AS TEXT) FROM settings WHERE key = 'pruned_until'"))
                .toLongLong();
        };
        QTRY_VERIFY_WITH_TIMEOUT(pruned() > 0, patience);
        m_bench.reset();
        const qint64 before = pruned() - prunedAgo;
        side.run(
            QStringLiteral("UPDATE settings SET value = CAST('%1' AS BLOB) WHERE key = 'pruned_until'").arg(before));
        // Marks of events are kept for seven days.
        side.run(QStringLiteral("UPDATE seen_events SET at = at - 8 * 24 * 3600000"));
        const QString count = QStringLiteral("SELECT count(*) > 0 FROM seen_events WHERE at < %1")
                                  .arg(before + prunedAgo - 7LL * 24 * 3600 * 1000);
        QCOMPARE(side.value(count), QStringLiteral("1"));
        m_bench = std::make_unique<Bench>(database, m_homeserver->http.url());
        QVERIFY(m_bench->start({}).ok());
        QTRY_VERIFY_WITH_TIMEOUT(pruned() > before, patience);
        QCOMPARE(side.value(count), kept ? QStringLiteral("1") : QStringLiteral("0"));
        if (kept)
            QCOMPARE(pruned() - before, 24LL * 3600 * 1000);
    }

    // The host is told, and what waits is sent in order when the homeserver is back, each with one transaction id.
    void homeserverGone_data()
    {
        QTest::addColumn<Fault>("fault");
        QTest::newRow("refuses") << Fault::None;
        QTest::newRow("hangs") << Fault::Hang;
        QTest::newRow("closes") << Fault::Close;
    }
    void homeserverGone()
    {
        QFETCH(Fault, fault);
        begin(QStringLiteral("sqlite"));
        if (fault == Fault::None)
            m_homeserver->http.stop();
        m_homeserver->instead = [fault](const auto &, const QStringList &) -> std::optional<Answer> {
            return Answer{200, {}, {}, fault};
        };
        const auto placed = m_bench->place();
        QVERIFY(placed.ok());
        QVERIFY(m_bench->told(NoticeKind::Unavailable));
        // Not when the request at last gave up, but when patience ended.
        if (fault == Fault::Hang)
            QCOMPARE(m_bench->notice(NoticeKind::Unavailable)->data.value(QStringLiteral("reason")).toString(),
                     QStringLiteral("homeserver_slow"));
        QVERIFY(result(m_bench->calls().addCandidates(
                           alice, placed->call.id,
                           {{QStringLiteral("candidate:1 1 udp 1 127.0.0.1 5000 typ host"), QStringLiteral("0"), 0},
                            {QString(), {}, {}}}))
                    .ok());
        QVERIFY(m_bench->place().error().code == QStringLiteral("CALL_IN_PROGRESS"));
        m_homeserver->instead = {};
        if (fault == Fault::None)
            QVERIFY(m_homeserver->http.start());
        QCOMPARE(sentTo(2), QStringList({QStringLiteral("m.call.invite"), QStringLiteral("m.call.candidates")}));
        const QStringList attempts = m_homeserver->attempts();
        QCOMPARE(QSet<QString>(attempts.cbegin(), attempts.cend()).size(), 2);
        int told = 0;
        for (const CallNotice &notice : m_bench->notices())
            told += notice.kind == NoticeKind::Unavailable ? 1 : 0;
        QCOMPARE(told, 1);
        QVERIFY(result(m_bench->calls().end(alice, placed->call.id, {})).ok());
        QCOMPARE(sentTo(3).last(), QStringLiteral("m.call.hangup"));
    }

    // A call that was taken back while nobody could hear of it leaves nothing behind.
    void takenBackUnheard()
    {
        begin(QStringLiteral("sqlite"));
        m_homeserver->http.stop();
        const auto placed = m_bench->place();
        QVERIFY(placed.ok());
        QVERIFY(result(m_bench->calls().addCandidates(alice, placed->call.id, {{QString(), {}, {}}})).ok());
        QVERIFY(m_bench->told(NoticeKind::Unavailable));
        QVERIFY(result(m_bench->calls().end(alice, placed->call.id, {})).ok());
        QVERIFY(m_bench->told(NoticeKind::Ended));
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->plugin().metrics().contains("matrix_voip_outbox_depth 0"), patience);
        QVERIFY(m_homeserver->http.start());
        const auto second = m_bench->place();
        QVERIFY(second.ok());
        QCOMPARE(sentTo(1), QStringList{QStringLiteral("m.call.invite")});
    }

    // The invite's time passes while the homeserver is away: it is not sent late.
    void notSentLate()
    {
        begin(QStringLiteral("sqlite"), {{QStringLiteral("invite_lifetime_seconds"), 30}});
        m_homeserver->http.stop();
        QVERIFY(m_bench->place().ok());
        QVERIFY(QTest::qWaitFor([this] { return m_bench->notice(NoticeKind::Ended) != nullptr; }, 120'000));
        QCOMPARE(m_bench->notice(NoticeKind::Ended)->data.value(QStringLiteral("reason")).toString(),
                 QStringLiteral("invite_timeout"));
        QVERIFY(m_homeserver->http.start());
        QVERIFY(m_bench->place().ok());
        QVERIFY(sentTo(1).last() == QStringLiteral("m.call.invite"));
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->plugin().metrics().contains("matrix_voip_outbox_depth 0"), 60'000);
        QCOMPARE(m_homeserver->sentTypes().count(QStringLiteral("m.call.invite")), 1);
    }

    void ghostForgotten()
    {
        begin(QStringLiteral("sqlite"));
        m_homeserver->forgetGhosts();
        QVERIFY(m_bench->place().ok());
        QCOMPARE(sentTo(1), QStringList{QStringLiteral("m.call.invite")});
    }

    void refusedForGood()
    {
        begin(QStringLiteral("sqlite"));
        m_homeserver->instead = [](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (path.value(2) == u"send")
                return errorAnswer(403, "M_FORBIDDEN");
            return {};
        };
        QVERIFY(m_bench->place().ok());
        QVERIFY(m_bench->told(NoticeKind::Ended));
        QVERIFY(m_bench->notice(NoticeKind::Unavailable) != nullptr);
        QCOMPARE(m_homeserver->attempts().size(), 1);
    }

    // A rate limit is waited out; it is no outage.
    void rateLimited()
    {
        begin(QStringLiteral("sqlite"));
        int left = 1;
        m_homeserver->instead = [&left](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (path.value(2) != u"send" || left-- <= 0)
                return {};
            return jsonAnswer({{QStringLiteral("errcode"), QStringLiteral("M_LIMIT_EXCEEDED")},
                               {QStringLiteral("retry_after_ms"), 2500}},
                              429);
        };
        QVERIFY(m_bench->place().ok());
        QCOMPARE(sentTo(1), QStringList{QStringLiteral("m.call.invite")});
        QVERIFY(m_bench->notices().isEmpty());
    }

    void postgresGone()
    {
        begin(QStringLiteral("postgresql"));
        QVERIFY(m_bench->isOk("database"));
        QCOMPARE(m_bench->deliver({invite(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Initiated));
        const QString id = m_bench->notices().first().callId;
        m_databases.cluster().stop();
        const QVector<QJsonObject> over{hangup(room, bob, QStringLiteral("c1"))};
        QCOMPARE(m_bench->deliver(over, QStringLiteral("t9")), BatchResult::Refused);
        QTRY_VERIFY_WITH_TIMEOUT(!m_bench->isOk("database"), patience);
        const auto refused = result(m_bench->calls().answer(alice, id, sdp));
        QCOMPARE(refused.error().kind, ErrorKind::Unavailable);
        QVERIFY(!result(m_bench->plugin().setRollout({false, 0})).ok());
        QVERIFY(m_bench->plugin().rollout().enabled);
        QVERIFY(!result(m_bench->calls().history(alice, 10, {})).ok());
        QVERIFY(m_homeserver->sent().isEmpty());

        QVERIFY2(m_databases.cluster().start(), qPrintable(m_databases.cluster().error()));
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->isOk("database"), patience);
        QVERIFY(result(m_bench->calls().answer(alice, id, sdp)).ok());
        QCOMPARE(sentTo(1), QStringList{QStringLiteral("m.call.answer")});
        QCOMPARE(m_bench->deliver(over, QStringLiteral("t9")), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Ended));
    }

    // The database goes while a deadline runs out: it is kept when the database is back.
    void deadlineOutlivesTheDatabase()
    {
        begin(QStringLiteral("postgresql"));
        QCOMPARE(m_bench->deliver({invite(room, bob, QStringLiteral("c1"), 6000)}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Initiated));
        m_databases.cluster().stop();
        QTRY_VERIFY_WITH_TIMEOUT(!m_bench->isOk("database"), patience);
        QVERIFY2(m_databases.cluster().start(), qPrintable(m_databases.cluster().error()));
        QVERIFY(m_bench->told(NoticeKind::Ended));
        QCOMPARE(m_bench->notices().size(), 2);
    }
};

QTEST_GUILESS_MAIN(PipelineOutage)
#include "tst_pipeline_outage.moc"
