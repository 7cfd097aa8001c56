// SPDX-License-Identifier: Apache-2.0
// What is read from session descriptions: kinds of media and stream ids (R84, R87), within limits.
#include "protocol/sdp.h"

#include <QTest>

using namespace voip::protocol;
using voip::call::Candidate;
using voip::call::Media;

class Sdp : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void looksLikeSdp_data();
    void looksLikeSdp();
    void media_data();
    void media();
    void streams();
    void streamsAreBounded();
    void lineEndsDoNotMatter();
    void whoHolds_data();
    void whoHolds();
    void activeMedia();
    void candidatesAreFoldedIn();
    void privateAddressesAreTakenOut();
    void whatIsRedactedOnceStaysSo();
};

void Sdp::looksLikeSdp_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("good");
    QTest::newRow("sdp") << QStringLiteral("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n") << true;
    QTest::newRow("empty") << QString() << false;
    QTest::newRow("text") << QStringLiteral("hello") << false;
    QTest::newRow("JSON") << QStringLiteral("{\"sdp\":\"v=0\"}") << false;
    QTest::newRow("not at the start") << QStringLiteral("\r\nv=0") << false;
    QTest::newRow("at the limit") << QString(QStringLiteral("v=0") + QString(maxSdp - 3, u'a')) << true;
    QTest::newRow("over the limit") << QString(QStringLiteral("v=0") + QString(maxSdp - 2, u'a')) << false;
}

void Sdp::looksLikeSdp()
{
    QFETCH(QString, text);
    QFETCH(bool, good);
    QCOMPARE(voip::protocol::looksLikeSdp(text), good);
}

void Sdp::media_data()
{
    QTest::addColumn<QString>("sdp");
    QTest::addColumn<bool>("audio");
    QTest::addColumn<bool>("video");
    QTest::newRow("audio") << QStringLiteral("v=0\r\nm=audio 9 X 1\r\n") << true << false;
    QTest::newRow("video") << QStringLiteral("v=0\r\nm=video 9 X 1\r\n") << false << true;
    QTest::newRow("both") << QStringLiteral("v=0\nm=video 9 X 1\nm=audio 9 X 1") << true << true;
    QTest::newRow("data only") << QStringLiteral("v=0\r\nm=application 9 X 1\r\n") << false << false;
    QTest::newRow("nothing") << QStringLiteral("v=0") << false << false;
    QTest::newRow("in the middle of a line") << QStringLiteral("v=0\r\na=x m=audio 9\r\n") << false << false;
    QTest::newRow("a longer word") << QStringLiteral("v=0\r\nm=audiobook 9 X 1\r\n") << false << false;
}

void Sdp::media()
{
    QFETCH(QString, sdp);
    QFETCH(bool, audio);
    QFETCH(bool, video);
    QVERIFY(mediaOf(sdp) == (Media{audio, video}));
}

void Sdp::streams()
{
    const QString sdp = QStringLiteral("v=0\r\na=msid-semantic: WMS cam\r\n"
                                       "m=audio 9 X 1\r\na=msid:cam mic\r\na=ssrc:1 msid:other track\r\n"
                                       "m=video 9 X 1\r\na=msid:cam lens\r\n"
                                       "m=video 9 X 1\r\na=msid:screen\r\n"
                                       "m=audio 9 X 1\r\na=msid:- loose\r\na=msid: \r\n");
    const QVector<SdpStream> expected{{QStringLiteral("cam"), true, true}, {QStringLiteral("screen"), false, true}};
    QVERIFY(streamsOf(sdp) == expected);
    QVERIFY(streamsOf(QString()).isEmpty());
}

void Sdp::streamsAreBounded()
{
    QString sdp = QStringLiteral("v=0\r\n");
    for (int i = 0; i < 100; ++i)
        sdp += QStringLiteral("m=audio 9 X 1\r\na=msid:s%1 t\r\n").arg(i);
    QCOMPARE(streamsOf(sdp).size(), 8);
}

void Sdp::lineEndsDoNotMatter()
{
    const QVector<SdpStream> expected{{QStringLiteral("s"), true, false}};
    QVERIFY(streamsOf(QStringLiteral("m=audio 9 X\na=msid:s t\n")) == expected);
    QVERIFY(streamsOf(QStringLiteral("m=audio 9 X\r\na=msid:s")) == expected);
    QVERIFY(streamsOf(QStringLiteral("\n\n\r\nm=audio 9 X\r\n\r\na=msid:s\r")) == expected);
}

void Sdp::whoHolds_data() // R77
{
    QTest::addColumn<QString>("directions"); // of an audio and a video section
    QTest::addColumn<bool>("offer");
    QTest::addColumn<int>("answer"); // -1: does not say
    QTest::newRow("both ways") << QStringLiteral("sendrecv sendrecv") << false << 0;
    QTest::newRow("not said") << QStringLiteral("x x") << false << 0;
    QTest::newRow("held") << QStringLiteral("sendonly sendonly") << true << 1;
    QTest::newRow("held, no picture") << QStringLiteral("sendonly inactive") << true << 1;
    QTest::newRow("a screen beside") << QStringLiteral("sendrecv sendonly") << false << 0;
    QTest::newRow("we hold") << QStringLiteral("recvonly recvonly") << false << 0;
    QTest::newRow("nothing") << QStringLiteral("inactive inactive") << true << -1;
}

void Sdp::whoHolds()
{
    QFETCH(QString, directions);
    const QStringList words = directions.split(u' ');
    const QString sdp = QStringLiteral("v=0\r\nm=audio 9 X\r\na=%1\r\nm=video 9 X\r\na=%2\r\n"
                                       "m=video 0 X\r\na=sendrecv\r\nm=application 9 X\r\n")
                            .arg(words[0], words[1]);
    QTEST(offerHolds(sdp), "offer");
    const auto answer = answerHolds(sdp);
    QTEST(answer ? static_cast<int>(*answer) : -1, "answer");
    QVERIFY(offerHolds(QStringLiteral("v=0\r\na=sendonly\r\nm=audio 9 X\r\n"))); // said once for all
    QVERIFY(!offerHolds(QStringLiteral("v=0\r\n")));
}

void Sdp::activeMedia()
{
    const auto active = [](const char *video) {
        return activeMediaOf(QStringLiteral("v=0\r\nm=audio 9 X\r\na=inactive\r\n") + QLatin1String(video));
    };
    QVERIFY(active("") == (Media{true, false}));
    QVERIFY(active("m=video 9 X\r\na=recvonly\r\n") == (Media{true, true}));
    QVERIFY(active("m=video 9 X\r\na=inactive\r\n") == (Media{true, false}));
    QVERIFY(active("m=video 0 X\r\n") == (Media{true, false}));
    QVERIFY(active("m=video 0 X\r\na=bundle-only\r\n") == (Media{true, true})); // port 0 means something else then
}

void Sdp::candidatesAreFoldedIn()
{
    const auto candidate = [](int n) { return QStringLiteral("candidate:%1 1 udp 1 1.2.3.4 %1 typ host").arg(n); };
    const QString sdp = QStringLiteral("v=0\r\nm=audio 9 X\r\na=mid:a\r\na=") + candidate(1) +
                        QStringLiteral("\r\nm=video 9 X\r\na=mid:b\r\n");
    const QVector<Candidate> said{{candidate(1), QStringLiteral("a"), 0}, // is there
                                  {candidate(2), {}, 0},
                                  {candidate(3), QStringLiteral("b"), {}},
                                  {candidate(4), QStringLiteral("nowhere"), {}},
                                  {candidate(5), {}, 7},
                                  {QStringLiteral("x\r\nm=audio 1 X"), {}, 0},
                                  {{}, {}, {}}};
    QCOMPARE(withCandidates(sdp, said), QStringLiteral("v=0\r\nm=audio 9 X\r\na=mid:a\r\na=") + candidate(1) +
                                            QStringLiteral("\r\na=") + candidate(2) +
                                            QStringLiteral("\r\nm=video 9 X\r\na=mid:b\r\na=") + candidate(3) +
                                            QStringLiteral("\r\n"));
    QCOMPARE(withCandidates(sdp, {}), sdp);
    QCOMPARE(withCandidates(QStringLiteral("v=0\r\n"), said), QStringLiteral("v=0\r\n"));
}

void Sdp::privateAddressesAreTakenOut() // R60
{
    const QString sdp = QStringLiteral("v=0\r\nm=audio 9 X\r\na=candidate:1 1 udp 1 192.168.1.2 5 typ host\r\n"
                                       "a=candidate:2 1 udp 1 9.9.9.9 5 typ srflx raddr 10.0.0.1 rport 77\r\n");
    QCOMPARE(withoutPrivateAddresses(sdp),
             QStringLiteral("v=0\r\nm=audio 9 X\r\n"
                            "a=candidate:2 1 udp 1 9.9.9.9 5 typ srflx raddr 0.0.0.0 rport 9\r\n"));
}

void Sdp::whatIsRedactedOnceStaysSo()
{
    const QString secret = QStringLiteral("v=0\r\no=- 77 2 IN IP4 10.1.1.1\r\na=sendonly\r\nm=audio 9 X\r\n"
                                          "a=ice-ufrag:uuuu\r\na=ice-pwd:pppp\r\na=fingerprint:sha-256 AA\r\n"
                                          "a=crypto:1 kkkk\r\na=msid:s t\r\na=mid:0\r\na=end-of-candidates\r\n");
    const QString cut = redacted(secret);
    QStringList lines = cut.split(QStringLiteral("\r\n"));
    QCOMPARE(lines.takeAt(1).left(26), QStringLiteral("s=redacted, 85 characters "));
    QCOMPARE(lines.join(u'\n'), QStringLiteral("v=0\na=sendonly\nm=audio 9 X\na=msid:s t\na=mid:0\n"
                                               "a=end-of-candidates\n"));
    QString other = secret;
    QVERIFY(redacted(other.replace(QStringLiteral("pppp"), QStringLiteral("qqqq"))) != cut);
    other = secret;
    QVERIFY(redacted(other.replace(QStringLiteral("- 77 2"), QStringLiteral("- 77 3"))) != cut); // said anew
    QCOMPARE(redacted(withoutPrivateAddresses(secret)), cut);
    QCOMPARE(redacted(cut), cut);
}

QTEST_APPLESS_MAIN(Sdp)
#include "tst_sdp.moc"
