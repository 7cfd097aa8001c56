// SPDX-License-Identifier: Apache-2.0
// Calls through the whole plugin, on both databases.
#include "bench.h"
#include "replay/engine.h"

using namespace bridge;

class PipelineCalls : public QObject
{
    Q_OBJECT

    storetest::Databases m_databases;
    std::unique_ptr<FakeHomeserver> m_homeserver;
    DatabaseSettings m_database;
    std::unique_ptr<Bench> m_bench;

    void forEachDatabase()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : storetest::Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }
    void again() // the plugin goes and comes back over the same database
    {
        m_bench.reset();
        m_bench = std::make_unique<Bench>(m_database, m_homeserver->http.url());
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
        m_bench = std::make_unique<Bench>(m_database, m_homeserver->http.url());
    }
    void cleanup() { m_bench.reset(); }

    void incoming_data() { forEachDatabase(); }
    void incoming()
    {
        QVERIFY(m_bench->start().ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        QCOMPARE(m_homeserver->requestsFor("POST", QStringLiteral("register")), 1);
        const auto ring = invite(room, bob, QStringLiteral("c1"));
        QCOMPARE(m_bench->deliver({ring}, QStringLiteral("t1")), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Initiated));
        const CallNotice rung = *m_bench->notice(NoticeKind::Initiated);
        QCOMPARE(rung.userId, alice);
        QCOMPARE(rung.seq, 1);
        QVERIFY(!rung.repeated);
        QVERIFY(rung.callId != QStringLiteral("c1")); // never the Matrix one
        const auto live = result(m_bench->calls().liveCalls(alice));
        QCOMPARE(live->size(), 1);
        QVERIFY(live->first().status == CallStatus::Ringing);

        // The same transaction again, and the same event in another: nothing.
        QCOMPARE(m_bench->deliver({ring}, QStringLiteral("t1")), BatchResult::Durable);
        QCOMPARE(m_bench->deliver({ring}, QStringLiteral("t2")), BatchResult::Durable);
        const auto answered = result(m_bench->calls().answer(alice, rung.callId, sdp));
        QVERIFY(answered.ok());
        QVERIFY(answered->status == CallStatus::Connecting);
        QVERIFY(result(m_bench->calls().answer(alice, rung.callId, sdp)).ok());
        QCOMPARE(result(m_bench->calls().answer(alice, rung.callId, sdp + QStringLiteral("a=x\r\n"))).error().code,
                 QStringLiteral("WRONG_STATE"));
        QVERIFY(result(m_bench->calls().setMediaState(alice, rung.callId, MediaState::Connected)).ok());
        QCOMPARE(sentTo(1), QStringList{QStringLiteral("m.call.answer")}); // after a moment for candidates (R50)
        QCOMPARE(m_bench->deliver({hangup(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Ended));
        QCOMPARE(m_homeserver->sent().first().sender, aliceId);
        QCOMPARE(m_bench->notices().size(), 2);
        const auto history = result(m_bench->calls().history(alice, 10, {}));
        QCOMPARE(history->size(), 1);
        QCOMPARE(history->first().id, rung.callId);
        QVERIFY(result(m_bench->calls().liveCalls(alice))->isEmpty());
        QVERIFY(result(m_bench->calls().end(alice, rung.callId, {})).ok()); // ended: as it is
        QCOMPARE(result(m_bench->calls().call(QStringLiteral("carol"), rung.callId)).error().code,
                 QStringLiteral("CALL_NOT_FOUND"));
    }

    void outgoing_data() { forEachDatabase(); }
    void outgoing()
    {
        QVERIFY(m_bench->start().ok());
        const auto opened = result(m_bench->calls().openConversation(alice, {bob, {}}));
        QVERIFY(opened.ok());
        QVERIFY(opened->created);
        QVERIFY(!result(m_bench->calls().openConversation(alice, {bob, {}}))->created);
        QCOMPARE(m_homeserver->requestsFor("POST", QStringLiteral("createRoom")), 1);
        const QString where = opened->roomId;
        const auto placed = m_bench->place(QStringLiteral("key"));
        QVERIFY(placed.ok());
        QVERIFY(!placed->repeated);
        const auto same = m_bench->place(QStringLiteral("key"));
        QVERIFY(same.ok() && same->repeated);
        QCOMPARE(same->call.id, placed->call.id);
        QCOMPARE(m_bench->place(QStringLiteral("other")).error().code, QStringLiteral("CALL_IN_PROGRESS"));
        QCOMPARE(sentTo(1), QStringList{QStringLiteral("m.call.invite")});
        const QString matrixId = m_homeserver->sent().first().content.value(QStringLiteral("call_id")).toString();
        QVERIFY(!matrixId.isEmpty() && matrixId != placed->call.id);
        QCOMPARE(m_bench->deliver({member(where, bob, bob, QStringLiteral("join")), answerTo(where, bob, matrixId)}),
                 BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Answered));
        QVERIFY(result(m_bench->calls().addCandidates(alice, placed->call.id, {{QString(), {}, 0}})).ok());
        QVERIFY(result(m_bench->calls().end(alice, placed->call.id, {})).ok());
        QCOMPARE(sentTo(4), QStringList({QStringLiteral("m.call.invite"), QStringLiteral("m.call.select_answer"),
                                         QStringLiteral("m.call.candidates"), QStringLiteral("m.call.hangup")}));
        QVERIFY(m_bench->told(NoticeKind::Ended));
        // The key still names the call, although it is over; also after a restart.
        QCOMPARE(m_bench->place(QStringLiteral("key"))->call.id, placed->call.id);
        again();
        QVERIFY(m_bench->start().ok());
        QCOMPARE(m_bench->place(QStringLiteral("key"))->call.id, placed->call.id);
        QCOMPARE(sentTo(4).size(), 4);
    }

    void concurrentAsksMakeOneRoom_data() { forEachDatabase(); }
    void concurrentAsksMakeOneRoom()
    {
        QVERIFY(m_bench->start().ok());
        auto first = m_bench->calls().openConversation(alice, {bob, {}});
        auto second = m_bench->calls().openConversation(alice, {bob, {}});
        const auto one = result(first);
        const auto two = result(second);
        QVERIFY(one.ok() && two.ok());
        QCOMPARE(one->roomId, two->roomId);
        QVERIFY(one->created && !two->created);
        QCOMPARE(m_homeserver->requestsFor("POST", QStringLiteral("createRoom")), 1);
        QCOMPARE(result(m_bench->calls().openConversation(alice, {aliceId, {}})).error().code,
                 QStringLiteral("INVALID_USER"));
        QCOMPARE(result(m_bench->calls().openConversation(alice, {{}, QStringLiteral("!nobody:test")})).error().code,
                 QStringLiteral("ROOM_NOT_FOUND"));
    }

    // What a homeserver that lost its count sends under an old id is new (Synapse on SQLite after a restart).
    void transactionIdsBeginAnew_data() { forEachDatabase(); }
    void transactionIdsBeginAnew()
    {
        QVERIFY(m_bench->start().ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        QCOMPARE(m_bench->deliver({callEvent(QStringLiteral("m.call.reject"), room, bob, QStringLiteral("x"))},
                                  QStringLiteral("1")),
                 BatchResult::Durable);
        QCOMPARE(m_bench->deliver({invite(room, bob, QStringLiteral("c1"))}, QStringLiteral("1")),
                 BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Initiated));
    }

    // A call placed between the invitation and the join is found in the room.
    void calledWhileEntering_data() { forEachDatabase(); }
    void calledWhileEntering()
    {
        QVERIFY(m_bench->start().ok());
        m_homeserver->messages[room] = {invite(room, bob, QStringLiteral("c1"))};
        QVERIFY(m_bench->meet(*m_homeserver));
        QVERIFY(m_bench->told(NoticeKind::Initiated));
    }

    // R28, and what the store cannot hold does not keep the rest out.
    void batches_data() { forEachDatabase(); }
    void batches()
    {
        QVERIFY(m_bench->start().ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        QJsonObject broken = invite(room, bob, QStringLiteral("c0"));
        broken.insert(QStringLiteral("event_id"), QStringLiteral("$a") + QChar(u'\0'));
        QCOMPARE(m_bench->deliver({broken, invite(room, bob, QStringLiteral("c1")),
                                   hangup(room, bob, QStringLiteral("c1")), invite(room, bob, QStringLiteral("c2"))}),
                 BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Initiated));
        QCOMPARE(m_bench->notices().size(), 1);
        QCOMPARE(m_bench->notices()
                     .first()
                     .data.value(QStringLiteral("matrix"))
                     .toObject()
                     .value(QStringLiteral("call_id"))
                     .toString(),
                 QStringLiteral("c2"));
        QVERIFY(m_bench->plugin().metrics().contains("matrix_voip_rejected_events_total{reason=\"bad_event_id\"} 1"));
    }

    void switchedOff_data() { forEachDatabase(); }
    void switchedOff()
    {
        QVERIFY(m_bench->start().ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        QCOMPARE(*result(m_bench->plugin().setRollout({false, 100})), (Rollout{false, 100}));
        QCOMPARE(m_bench->place().error().code, QStringLiteral("FALLBACK"));
        QCOMPARE(m_bench->deliver({invite(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QCOMPARE(sentTo(1), QStringList{QStringLiteral("m.call.reject")});
        QVERIFY(m_bench->notices().isEmpty());
        QVERIFY(m_bench->plugin().metrics().contains("matrix_voip_rollout_percent 0"));
        QVERIFY(result(m_bench->calls().history(alice, 10, {}))->isEmpty());

        again(); // goes before what the configuration says
        QVERIFY(m_bench->start({{QStringLiteral("enabled"), true}}).ok());
        QCOMPARE(m_bench->plugin().rollout(), (Rollout{false, 100}));
        QCOMPARE(m_bench->place().error().code, QStringLiteral("FALLBACK"));
        QCOMPARE(*result(m_bench->plugin().rollBack()), (Rollout{true, 100}));
        QVERIFY(m_bench->place().ok());
        QVERIFY(!result(m_bench->plugin().setRollout({true, 101})).ok());
    }

    // R25: a host's clock that is set neither makes an invite old nor keeps one young.
    void hostClockIsSet_data() { forEachDatabase(); }
    void hostClockIsSet()
    {
        QVERIFY(m_bench->start().ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        m_bench->hostClockAhead = -120'000;
        QCOMPARE(m_bench->deliver({invite(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Initiated));
        QCOMPARE(m_bench->deliver({hangup(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Ended));
        m_bench->hostClockAhead = 3'600'000;
        QJsonObject old = invite(room, bob, QStringLiteral("c2"));
        old.insert(QStringLiteral("unsigned"), QJsonObject{{QStringLiteral("age"), 3'000'000}});
        QCOMPARE(m_bench->deliver({old}), BatchResult::Durable);
        QTRY_VERIFY_WITH_TIMEOUT(m_bench->plugin().metrics().contains("reason=\"expired\"} 1"), bridge::patience);
        QCOMPARE(result(m_bench->calls().liveCalls(alice))->size(), 0);
    }

    void drain_data() { forEachDatabase(); }
    void drain()
    {
        QVERIFY(m_bench->start().ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        const auto placed = m_bench->place();
        QVERIFY(placed.ok());
        auto drained = m_bench->plugin().drain(patience);
        QCOMPARE(m_bench->place().error().code, QStringLiteral("STOPPING"));
        QVERIFY(!drained.isFinished());
        // What comes from Matrix now is kept for the next start, and keeps nobody waiting.
        QCOMPARE(m_bench->deliver({invite(room, bob, QStringLiteral("late"))}), BatchResult::Durable);
        QVERIFY(result(m_bench->calls().end(alice, placed->call.id, {})).ok());
        result(drained);
        QVERIFY(m_bench->notice(NoticeKind::Initiated) == nullptr);
    }

    // The exported timeline replays to the lines it holds.
    void timeline_data() { forEachDatabase(); }
    void timeline()
    {
        QVERIFY(m_bench->start().ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        QCOMPARE(m_bench->deliver({invite(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Initiated));
        const QString id = m_bench->notices().first().callId;
        QVERIFY(result(m_bench->calls().answer(alice, id, sdp)).ok());
        QCOMPARE(m_bench->deliver({hangup(room, bob, QStringLiteral("c1"))}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Ended));
        const auto text = result(m_bench->calls().timeline(alice, id, true));
        QVERIFY(text.ok());
        voip::replay::Engine engine;
        voip::replay::Lines want;
        voip::replay::Lines got;
        for (const QByteArray &line : text->split('\n')) {
            if (line.contains("\"out\":"))
                want.push_back(line);
            const auto out = engine.take(line);
            QVERIFY2(std::holds_alternative<voip::replay::Lines>(out), line.constData());
            got += std::get<voip::replay::Lines>(out);
        }
        QCOMPARE(got, want);
        const auto shown = result(m_bench->calls().timeline(alice, id, false));
        QVERIFY(shown->contains("s=redacted"));
        QVERIFY(!shown->contains("o=-"));
    }
};

QTEST_GUILESS_MAIN(PipelineCalls)
#include "tst_pipeline_calls.moc"
