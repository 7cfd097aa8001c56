// SPDX-License-Identifier: Apache-2.0
// What is read from session descriptions: kinds of media and stream ids (R84, R87), within limits.
#include "protocol/sdp.h"

#include <QTest>

using namespace voip::protocol;
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
    const QVector<Stream> expected{{QStringLiteral("cam"), true, true}, {QStringLiteral("screen"), false, true}};
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
    const QVector<Stream> expected{{QStringLiteral("s"), true, false}};
    QVERIFY(streamsOf(QStringLiteral("m=audio 9 X\na=msid:s t\n")) == expected);
    QVERIFY(streamsOf(QStringLiteral("m=audio 9 X\r\na=msid:s")) == expected);
    QVERIFY(streamsOf(QStringLiteral("\n\n\r\nm=audio 9 X\r\n\r\na=msid:s\r")) == expected);
}

QTEST_APPLESS_MAIN(Sdp)
#include "tst_sdp.moc"
