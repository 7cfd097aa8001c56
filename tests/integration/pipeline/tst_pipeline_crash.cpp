// SPDX-License-Identifier: Apache-2.0
// kill -9 of the process that runs the plugin, at moments that matter, and a start over the same database.
#include "bench.h"

#include <QElapsedTimer>
#include <QJsonDocument>
#include <QProcess>

using namespace bridge;
using fakehttp::Answer;
using fakehttp::Fault;

class PipelineCrash : public QObject
{
    Q_OBJECT

    storetest::Databases m_databases;
    std::unique_ptr<FakeHomeserver> m_homeserver;
    DatabaseSettings m_database;
    std::unique_ptr<QProcess> m_victim;
    QByteArray m_said;
    std::unique_ptr<Bench> m_bench;

    void forEachDatabase()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : storetest::Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }
    [[nodiscard]] bool says(const char *text)
    {
        return QTest::qWaitFor(
                   [this, text] {
                       m_said += m_victim->readAllStandardOutput();
                       return m_said.contains(text) || m_victim->state() == QProcess::NotRunning;
                   },
                   60'000) &&
               m_said.contains(text);
    }
    [[nodiscard]] bool startVictim()
    {
        m_said.clear();
        m_victim = std::make_unique<QProcess>();
        m_victim->setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_victim->start(QStringLiteral(VICTIM_PROGRAM),
                        {m_database.driver, m_database.dsn, m_homeserver->http.url().toString()});
        return says("running\n");
    }
    void order(const QJsonObject &what)
    {
        m_said.clear();
        m_victim->write(QJsonDocument(what).toJson(QJsonDocument::Compact) + '\n');
    }
    void give(const char *transaction, const QVector<QJsonObject> &events)
    {
        QJsonArray list;
        for (const QJsonObject &event : events)
            list.append(event);
        order({{QStringLiteral("transaction"), QLatin1String(transaction)}, {QStringLiteral("events"), list}});
    }
    void killVictim()
    {
        m_victim->kill(); // SIGKILL
        QVERIFY(m_victim->waitForFinished());
    }
    [[nodiscard]] bool met()
    {
        m_homeserver->rooms[room] = {{bob, QStringLiteral("join")}, {aliceId, QStringLiteral("invite")}};
        give("t0", {member(room, bob, aliceId, QStringLiteral("invite"))});
        if (!says("durable\n"))
            return false;
        return QTest::qWaitFor([this] { return m_homeserver->requestsFor("GET", QStringLiteral("messages")) > 0; },
                               patience);
    }
    // The room is known a moment after its history was read: until then the call is refused.
    [[nodiscard]] bool places()
    {
        QElapsedTimer since;
        for (since.start(); since.elapsed() < patience;) {
            order({{QStringLiteral("place"), true}});
            if (!says("\n"))
                return false;
            if (m_said.startsWith("placed "))
                return true;
            QTest::qWait(20);
        }
        qWarning("the call was refused: %s", m_said.constData());
        return false;
    }
    [[nodiscard]] bool revive()
    {
        m_bench = std::make_unique<Bench>(m_database, m_homeserver->http.url());
        return m_bench->start().ok();
    }
    QStringList sentTo(qsizetype count)
    {
        if (!QTest::qWaitFor([&] { return m_homeserver->sent().size() >= count; }, patience))
            qWarning("only %d events were sent", static_cast<int>(m_homeserver->sent().size()));
        return m_homeserver->sentTypes();
    }

private Q_SLOTS:
    void init()
    {
        QFETCH(QString, driver);
        m_homeserver = std::make_unique<FakeHomeserver>();
        m_database = m_databases.fresh(driver);
        QVERIFY(startVictim());
        QVERIFY(met());
    }
    void cleanup()
    {
        m_bench.reset();
        m_victim.reset();
    }

    void whileItRings_data() { forEachDatabase(); }
    void whileItRings()
    {
        const QVector<QJsonObject> ring{invite(room, bob, QStringLiteral("c1"))};
        give("t1", ring);
        QVERIFY(says("notice "));
        killVictim();
        QVERIFY(revive());
        // What was told comes again, and it rings anew under a number of its own.
        QTRY_COMPARE_WITH_TIMEOUT(m_bench->notices().size(), 2, patience);
        const CallNotice again = m_bench->notices().first();
        QVERIFY(again.repeated && again.kind == NoticeKind::Initiated);
        QCOMPARE(again.seq, 1);
        const CallNotice anew = m_bench->notices().last();
        QVERIFY(!anew.repeated && anew.kind == NoticeKind::Initiated);
        QCOMPARE(anew.callId, again.callId);
        QCOMPARE(anew.seq, 2);
        QVERIFY(anew.id > again.id);
        QCOMPARE(again.callId, QString::fromLatin1(m_said.mid(m_said.indexOf("notice ")).split(' ').value(1)));
        // The homeserver repeats what was answered or not: nothing changes.
        QCOMPARE(m_bench->deliver(ring, QStringLiteral("t1")), BatchResult::Durable);
        QCOMPARE(m_bench->deliver({hangup(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Ended));
        QCOMPARE(m_bench->notices().size(), 3);
        QCOMPARE(m_bench->notices().last().seq, 3);
        QVERIFY(m_bench->notices().last().id > anew.id);
    }

    // What runs out while nobody is there has ended after the start.
    void runsOutMeanwhile_data() { forEachDatabase(); }
    void runsOutMeanwhile()
    {
        give("t1", {invite(room, bob, QStringLiteral("c1"), 5000)});
        QVERIFY(says("notice "));
        const qint64 over = QDateTime::currentMSecsSinceEpoch() + 5000;
        killVictim();
        QVERIFY(QTest::qWaitFor([over] { return QDateTime::currentMSecsSinceEpoch() > over; }, patience));
        QVERIFY(revive());
        QVERIFY(m_bench->told(NoticeKind::Ended));
        QVERIFY(result(m_bench->calls().liveCalls(alice))->isEmpty());
    }

    // Decided and committed, not known to be sent: sent once, with the transaction id it had.
    void betweenCommitAndSend_data() { forEachDatabase(); }
    void betweenCommitAndSend()
    {
        m_homeserver->instead = [](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (path.value(2) == u"send")
                return Answer{200, {}, {}, Fault::Hang};
            return {};
        };
        QVERIFY(places());
        QVERIFY(QTest::qWaitFor([this] { return !m_homeserver->attempts().isEmpty(); }, patience));
        killVictim();
        m_homeserver->instead = {};
        QVERIFY(revive());
        QCOMPARE(sentTo(1), QStringList{QStringLiteral("m.call.invite")});
        const QStringList attempts = m_homeserver->attempts();
        QVERIFY(attempts.size() >= 2);
        QCOMPARE(QSet<QString>(attempts.cbegin(), attempts.cend()).size(), 1);
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->plugin().metrics().contains("matrix_voip_outbox_depth 0"), patience);
    }

    // The homeserver has it, we were not told: asked again under the same id, it changes nothing.
    void betweenSendAndSent_data() { forEachDatabase(); }
    void betweenSendAndSent()
    {
        bool killed = false;
        m_homeserver->instead = [this, &killed](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (path.value(2) == u"send" && !std::exchange(killed, true))
                m_victim->kill(); // the homeserver goes on to take the event
            return {};
        };
        [[maybe_unused]] const bool lived = places(); // it may die before it can say so
        QVERIFY(QTest::qWaitFor([this] { return m_victim->state() == QProcess::NotRunning; }, patience));
        QCOMPARE(m_homeserver->sent().size(), 1);
        QVERIFY(revive());
        QTRY_COMPARE_WITH_TIMEOUT(m_homeserver->attempts().size(), 2, patience);
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->plugin().metrics().contains("matrix_voip_outbox_depth 0"), patience);
        QCOMPARE(m_homeserver->attempts().first(), m_homeserver->attempts().last());
        QCOMPARE(m_homeserver->sent().size(), 1);
    }

    // Killed in the midst of taking a batch that ends with a hangup: whatever was durable is not lost, nothing rings.
    void inTheMidstOfABatch_data() { forEachDatabase(); }
    void inTheMidstOfABatch()
    {
        const QVector<QJsonObject> batch{invite(room, bob, QStringLiteral("c1")),
                                         hangup(room, bob, QStringLiteral("c1")),
                                         invite(room, bob, QStringLiteral("c2"))};
        give("t1", batch);
        m_victim->waitForBytesWritten();
        killVictim();
        QVERIFY(revive());
        QCOMPARE(m_bench->deliver(batch, QStringLiteral("t1")), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Initiated));
        for (const CallNotice &notice : m_bench->notices()) { // more than one if it rang before the end
            const QJsonObject matrix = notice.data.value(QStringLiteral("matrix")).toObject();
            QCOMPARE(matrix.value(QStringLiteral("call_id")).toString(), QStringLiteral("c2"));
            QCOMPARE(notice.callId, m_bench->notices().first().callId);
        }
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->plugin().metrics().contains("matrix_voip_inbox_depth 0"), patience);
    }
};

QTEST_GUILESS_MAIN(PipelineCrash)
#include "tst_pipeline_crash.moc"
