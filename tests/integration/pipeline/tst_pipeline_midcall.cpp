// SPDX-License-Identifier: Apache-2.0
// What goes on in the middle of a call, through the whole plugin: negotiation and mute to Matrix and back, transfers of
// the peer with the room that the bridge makes for them; and what is left of it after a restart.
#include "bench.h"

#include <voiphost/midcall.h>

using namespace bridge;

namespace
{

const QString carol = QStringLiteral("@carol:test");
const QString matrixId = QStringLiteral("c1");

QJsonObject replaces(bool create)
{
    const QString how = create ? QStringLiteral("create_call") : QStringLiteral("await_call");
    return callEvent(
        QStringLiteral("m.call.replaces"), room, bob, matrixId,
        {{QStringLiteral("replacement_id"), QStringLiteral("r1")},
         {QStringLiteral("lifetime"), 60'000},
         {QStringLiteral("target_user"),
          QJsonObject{{QStringLiteral("id"), carol}, {QStringLiteral("display_name"), QStringLiteral("Carol")}}},
         {how, QStringLiteral("n1")}});
}

} // namespace

class PipelineMidCall : public QObject
{
    Q_OBJECT

    storetest::Databases m_databases;
    std::unique_ptr<FakeHomeserver> m_homeserver;
    DatabaseSettings m_database;
    std::unique_ptr<Bench> m_bench;
    QString m_call; // Bob's, answered

    MidCall &midCall() { return *qobject_cast<MidCall *>(m_bench->plugin().calls()); }
    // How often Alice's ghost has sent this, once it is `count` times.
    bool sent(const char *type, qsizetype count = 1)
    {
        return QTest::qWaitFor([&] { return m_homeserver->sentTypes().count(QLatin1String(type)) >= count; }, patience);
    }
    QJsonObject lastSent(const char *type)
    {
        QJsonObject content;
        for (const SentEvent &event : m_homeserver->sent()) {
            if (event.type == QLatin1String(type))
                content = event.content;
        }
        return content;
    }

private Q_SLOTS:
    void init()
    {
        m_homeserver = std::make_unique<FakeHomeserver>();
        m_database = m_databases.fresh(QStringLiteral("sqlite"));
        m_bench = std::make_unique<Bench>(m_database, m_homeserver->http.url());
        QVERIFY(m_bench->start().ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        QCOMPARE(m_bench->deliver({invite(room, bob, matrixId)}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Initiated));
        m_call = m_bench->notice(NoticeKind::Initiated)->callId;
        QVERIFY(result(midCall().answer(alice, m_call, {sdp, {}, {true, true}})).ok());
        QVERIFY(result(m_bench->calls().setMediaState(alice, m_call, MediaState::Connected)).ok());
        QVERIFY(sent("m.call.answer"));
    }
    void cleanup() { m_bench.reset(); }

    void capabilitiesAreSaid()
    {
        const QJsonObject said = lastSent("m.call.answer").value(QStringLiteral("capabilities")).toObject();
        QCOMPARE(said.value(QStringLiteral("m.call.transferee")), QJsonValue(true));
        QCOMPARE(said.value(QStringLiteral("m.call.dtmf")), QJsonValue(true));
    }

    void negotiation()
    {
        const QString again = sdp + QStringLiteral("a=sendonly\r\n");
        QVERIFY(result(midCall().negotiate(alice, m_call, {SdpType::Offer, again, {}})).ok());
        QVERIFY(result(midCall().negotiate(alice, m_call, {SdpType::Offer, again, {}})).ok()); // nothing new
        QVERIFY(sent("m.call.negotiate"));
        QCOMPARE(
            lastSent("m.call.negotiate").value(QStringLiteral("description")).toObject().value(QStringLiteral("sdp")),
            QJsonValue(again));
        QCOMPARE(m_bench->deliver({callEvent(
                     QStringLiteral("m.call.negotiate"), room, bob, matrixId,
                     {{QStringLiteral("lifetime"), 60'000},
                      {QStringLiteral("description"), QJsonObject{{QStringLiteral("type"), QStringLiteral("answer")},
                                                                  {QStringLiteral("sdp"), sdp}}}})}),
                 BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Negotiate));
        QCOMPARE(m_bench->notice(NoticeKind::Negotiate)->data.value(QStringLiteral("type")).toString(),
                 QStringLiteral("answer"));
        QCOMPARE(result(midCall().negotiate(alice, m_call, {SdpType::Answer, again + again, {}})).error().code,
                 QStringLiteral("NO_OFFER"));
        QCOMPARE(m_homeserver->sentTypes().count(QStringLiteral("m.call.negotiate")), 1);
    }

    void muteSurvivesARestart()
    {
        const auto muted = result(midCall().setMuted(alice, m_call, true, {}));
        QVERIFY(muted.ok());
        QCOMPARE(muted->muted, (Mute{true, false}));
        QCOMPARE(result(midCall().fullLiveCalls(alice))->first().muted, (Mute{true, false}));
        m_bench.reset();
        m_bench = std::make_unique<Bench>(m_database, m_homeserver->http.url());
        QVERIFY(m_bench->start().ok());
        QCOMPARE(result(midCall().fullCall(alice, m_call))->muted, (Mute{true, false}));
    }

    void acceptedTransferMakesRoomAndCall()
    {
        QCOMPARE(m_bench->deliver({replaces(true)}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::TransferRequested));
        const QJsonObject asked = m_bench->notice(NoticeKind::TransferRequested)->data;
        QCOMPARE(asked.value(QStringLiteral("mode")).toString(), QStringLiteral("create"));
        QCOMPARE(asked.value(QStringLiteral("target")).toObject().value(QStringLiteral("id")).toString(), carol);
        QCOMPARE(result(midCall().acceptTransfer(alice, m_call, {})).error().code, QStringLiteral("INVALID_SDP"));
        QCOMPARE(m_homeserver->requestsFor("POST", QStringLiteral("createRoom")), 0);

        const auto placed = result(midCall().acceptTransfer(alice, m_call, {{sdp, {true, false}, {}}, {}, {}}));
        QVERIFY2(placed.ok(), placed.ok() ? "" : qPrintable(placed.error().code));
        QVERIFY(placed->id != m_call);
        QCOMPARE(placed->replaces, m_call);
        QCOMPARE(placed->peer, carol);
        QCOMPARE(placed->matrixCallId, QStringLiteral("n1"));
        QCOMPARE(m_homeserver->requestsFor("POST", QStringLiteral("createRoom")), 1);
        QVERIFY(sent("m.call.invite"));
        QCOMPARE(lastSent("m.call.invite").value(QStringLiteral("invitee")).toString(), carol);
        QCOMPARE(lastSent("m.call.invite").value(QStringLiteral("call_id")).toString(), QStringLiteral("n1"));
        // R102: the old call goes only now.
        QVERIFY(!m_homeserver->sentTypes().contains(QStringLiteral("m.call.hangup")));
        QCOMPARE(m_bench->deliver({member(placed->roomId, carol, carol, QStringLiteral("join")),
                                   answerTo(placed->roomId, carol, QStringLiteral("n1"))}),
                 BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::Ended));
        QCOMPARE(m_bench->notice(NoticeKind::Ended)->callId, m_call);
        QCOMPARE(m_bench->notice(NoticeKind::Ended)->data.value(QStringLiteral("reason")).toString(),
                 QStringLiteral("transferred"));
        QVERIFY(sent("m.call.hangup"));
        QCOMPARE(result(midCall().acceptTransfer(alice, placed->id, {})).error().code, QStringLiteral("NO_TRANSFER"));
    }

    void awaitedTransferPlacesNothing()
    {
        QCOMPARE(m_bench->deliver({replaces(false)}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::TransferRequested));
        const auto awaiting = result(midCall().acceptTransfer(alice, m_call, {}));
        QVERIFY(awaiting.ok());
        QCOMPARE(awaiting->id, m_call);
        QCOMPARE(m_homeserver->requestsFor("POST", QStringLiteral("createRoom")), 0);
    }

    void transfersThatAreNot()
    {
        const FullPlaceRequest request{{sdp, {}, {}}, {}, {}};
        QCOMPARE(result(midCall().acceptTransfer(alice, m_call, request)).error().code, QStringLiteral("NO_TRANSFER"));
        QCOMPARE(result(midCall().acceptTransfer(alice, QStringLiteral("none"), request)).error().code,
                 QStringLiteral("CALL_NOT_FOUND"));
        QCOMPARE(result(midCall().rejectTransfer(alice, m_call)).error().code, QStringLiteral("NO_TRANSFER"));
        QCOMPARE(result(midCall().transfer(alice, m_call, {carol, {}})).error().code,
                 QStringLiteral("NOT_SUPPORTED_BY_PEER"));
        QCOMPARE(m_bench->deliver({replaces(true)}), BatchResult::Durable);
        QVERIFY(m_bench->told(NoticeKind::TransferRequested));
        QVERIFY(result(midCall().rejectTransfer(alice, m_call)).ok());
        QVERIFY(sent("m.call.reject_replacement"));
        QCOMPARE(result(midCall().acceptTransfer(alice, m_call, request)).error().code, QStringLiteral("NO_TRANSFER"));
        QCOMPARE(m_homeserver->requestsFor("POST", QStringLiteral("createRoom")), 0);
    }
};

QTEST_GUILESS_MAIN(PipelineMidCall)
#include "tst_pipeline_midcall.moc"
