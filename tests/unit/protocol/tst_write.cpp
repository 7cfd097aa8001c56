// SPDX-License-Identifier: Apache-2.0
// What is written: the envelope of every event (R1, R2), reasons in the protocol's words only (R61), and what the host
// is told.
#include "events.h"
#include "protocol/streams.h"
#include "protocol/write.h"

#include <QSet>
#include <QTest>

using namespace voip::call;
using namespace voip::protocol;

namespace
{

QByteArray compact(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

Send send(OutContent content)
{
    Send send;
    send.matrixCallId = QStringLiteral("c1");
    send.partyId = QStringLiteral("US");
    send.content = std::move(content);
    return send;
}

Notify notify(NoteContent content)
{
    Notify notify;
    notify.peer = QStringLiteral("@bob:test");
    notify.roomId = QStringLiteral("!r:test");
    notify.matrixCallId = QStringLiteral("c1");
    notify.partyId = QStringLiteral("US");
    notify.content = std::move(content);
    return notify;
}

} // namespace

class Write : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void contents_data();
    void contents();
    void reasonsAreTheProtocols();
    void versionIsOneForAnOldPeerToo();
    void notices_data();
    void notices();
};

void Write::contents_data()
{
    const QString screenSdp = QStringLiteral("v=0\r\nm=video 9 X\r\na=msid:s t\r\n");
    QTest::addColumn<QByteArray>("written");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char *name, OutContent content, const char *expected) {
        QTest::newRow(name) << eventType(content).toLatin1() + ' ' + compact(eventContent(send(content)))
                            << QByteArray(expected);
    };
    row("invite", OutInvite{screenSdp, 90000, QStringLiteral("@bob:test"), ourStreams(screenSdp, {}), {}, {}},
        R"(m.call.invite {"call_id":"c1","capabilities":{"m.call.dtmf":false,"m.call.transferee":false},"invitee":"@bob:test","lifetime":90000,"offer":{"sdp":"v=0\r\nm=video 9 X\r\na=msid:s t\r\n","type":"offer"},"party_id":"US","sdp_stream_metadata":{"s":{"audio_muted":true,"purpose":"m.usermedia","video_muted":false}},"version":"1"})");
    row("answer", OutAnswer{QStringLiteral("v=0")},
        R"(m.call.answer {"answer":{"sdp":"v=0","type":"answer"},"call_id":"c1","capabilities":{"m.call.dtmf":false,"m.call.transferee":false},"party_id":"US","version":"1"})");
    row("candidates",
        OutCandidates{{Candidate{QStringLiteral("candidate:1"), QStringLiteral("0"), {}},
                       Candidate{QStringLiteral("candidate:2"), {}, 1}, Candidate{QStringLiteral(""), {}, {}}}},
        R"(m.call.candidates {"call_id":"c1","candidates":[{"candidate":"candidate:1","sdpMid":"0"},{"candidate":"candidate:2","sdpMLineIndex":1},{"candidate":""}],"party_id":"US","version":"1"})");
    row("hangup", OutHangup{EndReason::IceFailed},
        R"(m.call.hangup {"call_id":"c1","party_id":"US","reason":"ice_failed","version":"1"})");
    row("reject", OutReject{}, R"(m.call.reject {"call_id":"c1","party_id":"US","version":"1"})");
    row("reject, busy", OutReject{true},
        R"(m.call.reject {"call_id":"c1","party_id":"US","reason":"user_busy","version":"1"})");
    row("answer with a candidate folded in",
        OutAnswer{QStringLiteral("v=0\r\nm=audio 9 X\r\n"),
                  {},
                  {true, true},
                  {Candidate{QStringLiteral("candidate:1 1 udp 1 1.2.3.4 5 typ host"), {}, 0}}},
        R"(m.call.answer {"answer":{"sdp":"v=0\r\nm=audio 9 X\r\na=candidate:1 1 udp 1 1.2.3.4 5 typ host\r\n","type":"answer"},"call_id":"c1","capabilities":{"m.call.dtmf":true,"m.call.transferee":true},"party_id":"US","version":"1"})");
    row("negotiate", OutNegotiate{SdpType::Answer, QStringLiteral("v=0"), 60000, {}, {}},
        R"(m.call.negotiate {"call_id":"c1","capabilities":{"m.call.dtmf":false,"m.call.transferee":false},"description":{"sdp":"v=0","type":"answer"},"lifetime":60000,"party_id":"US","version":"1"})");
    row("streams", OutStreams{{{QStringLiteral("s"), Purpose::Screenshare, true, true, false, true}}},
        R"(m.call.sdp_stream_metadata_changed {"call_id":"c1","party_id":"US","sdp_stream_metadata":{"s":{"audio_muted":false,"purpose":"m.screenshare","video_muted":true}},"version":"1"})");
    row("identity", OutIdentity{Identity{QStringLiteral("@d:test"), {}, {}}},
        R"(org.matrix.call.asserted_identity {"asserted_identity":{"id":"@d:test"},"call_id":"c1","party_id":"US","version":"1"})");
    row("identity, back", OutIdentity{},
        R"(org.matrix.call.asserted_identity {"asserted_identity":null,"call_id":"c1","party_id":"US","version":"1"})");
    row("replaces",
        OutReplaces{QStringLiteral("r1"), QStringLiteral("n1"), false,
                    Identity{QStringLiteral("@d:test"), QStringLiteral("D"), {}}, 60000},
        R"(m.call.replaces {"await_call":"n1","call_id":"c1","lifetime":60000,"party_id":"US","replacement_id":"r1","target_user":{"display_name":"D","id":"@d:test"},"version":"1"})");
    row("reject_replacement", OutRejectReplacement{QStringLiteral("r1")},
        R"(m.call.reject_replacement {"call_id":"c1","party_id":"US","replacement_id":"r1","version":"1"})");
    row("select_answer", OutSelectAnswer{QStringLiteral("BOB")},
        R"(m.call.select_answer {"call_id":"c1","party_id":"US","selected_party_id":"BOB","version":"1"})");
}

void Write::contents()
{
    QFETCH(QByteArray, written);
    QFETCH(QByteArray, expected);
    QCOMPARE(written, expected);
}

void Write::reasonsAreTheProtocols()
{
    const QSet<QString> known{QStringLiteral("ice_failed"),        QStringLiteral("ice_timeout"),
                              QStringLiteral("invite_timeout"),    QStringLiteral("user_hangup"),
                              QStringLiteral("user_media_failed"), QStringLiteral("user_busy"),
                              QStringLiteral("unknown_error")};
    for (int i = 0; i <= static_cast<int>(EndReason::Transferred); ++i) {
        const QJsonObject content = eventContent(send(OutHangup{static_cast<EndReason>(i)}));
        const QString reason = content.value(QLatin1String("reason")).toString();
        QVERIFY2(known.contains(reason), qPrintable(reason)); // R61
    }
}

void Write::versionIsOneForAnOldPeerToo()
{
    Send old = send(OutHangup{EndReason::UserHangup});
    old.version = 0;
    QCOMPARE(eventContent(old).value(QLatin1String("version")), QJsonValue(QStringLiteral("1"))); // R2
}

void Write::notices_data()
{
    QTest::addColumn<QByteArray>("written");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](NoteContent content, const char *expected) {
        const QByteArray name = noticeName(content).toLatin1();
        QTest::newRow(name.constData()) << name + ' ' + compact(noticeData(notify(content))) << QByteArray(expected);
    };
    row(NoteInitiated{QStringLiteral("v=0")},
        R"(call.initiated {"capabilities":{"dtmf":false,"transferee":false},"matrix":{"call_id":"c1","party_id":"US","room_id":"!r:test"},"media":{"audio":true,"video":false},"peer":"@bob:test","sdp":"v=0","streams":[]})");
    row(NoteAnswered{QStringLiteral("v=0")},
        R"(call.answered {"answer_sdp":"v=0","capabilities":{"dtmf":false,"transferee":false},"streams":[]})");
    row(NoteCandidates{{Candidate{QStringLiteral("candidate:1"), {}, 0}}},
        R"(call.ice_candidate {"candidates":[{"candidate":"candidate:1","sdpMLineIndex":0}]})");
    row(NoteGlare{QStringLiteral("v=0")},
        R"(call.glare {"capabilities":{"dtmf":false,"transferee":false},"matrix":{"call_id":"c1","party_id":"US","room_id":"!r:test"},"media":{"audio":true,"video":false},"sdp":"v=0","streams":[]})");
    row(NoteRejected{EndReason::UserBusy}, R"(call.rejected {"reason":"user_busy"})");
    row(NoteEnded{EndReason::PeerLeft}, R"(call.ended {"reason":"peer_left"})");
    row(NoteNegotiate{SdpType::Offer, QStringLiteral("v=0"), {}, true, true, {}},
        R"(call.negotiate {"held":true,"rollback":true,"sdp":"v=0","streams":[],"type":"offer"})");
    row(NoteNegotiationFailed{QStringLiteral("timeout")}, R"(call.negotiation_failed {"reason":"timeout"})");
    row(NoteMediaChanged{{{QStringLiteral("gone"), Purpose::Usermedia, false, false, false, false},
                          {QStringLiteral("s"), Purpose::Usermedia, true, false, true, true}}},
        R"(call.media_changed {"audio_muted":true,"streams":[{"audio_muted":true,"id":"s","purpose":"m.usermedia","video_muted":true}],"video_muted":true})");
    row(NoteIdentity{}, R"(call.identity_changed {"identity":null})");
    row(NoteTransferRequested{Identity{QStringLiteral("@d:test"), {}, {}}, true, 60000},
        R"(call.transfer_requested {"expires_in_ms":60000,"mode":"create","target":{"id":"@d:test"}})");
    row(NoteTransferFailed{QStringLiteral("rejected")}, R"(call.transfer_failed {"reason":"rejected"})");
    row(NoteRejectedLocally{LocalReason::NeedsMatrixRtc}, R"(call.rejected_locally {"reason":"needs_matrixrtc"})");
    row(NoteUnavailable{QStringLiteral("M_FORBIDDEN")}, R"(call.unavailable {"reason":"M_FORBIDDEN"})");
}

void Write::notices()
{
    QFETCH(QByteArray, written);
    QFETCH(QByteArray, expected);
    QCOMPARE(written, expected);
}

QTEST_APPLESS_MAIN(Write)
#include "tst_write.moc"
