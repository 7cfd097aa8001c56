// SPDX-License-Identifier: Apache-2.0
// Base64 and canonical JSON: the examples of the Matrix specification's appendices, and what must be refused (E32).
#include "crypto/encoding.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace voip::crypto;

class Encoding : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void base64_data();
    void base64();
    void longTextIsRefused();
    void keys();
    void canonical_data();
    void canonical();
    void codePointsDecideTheOrder();
    void numbers_data();
    void numbers();
    void brokenUnicodeIsRefused();
    void depthIsBounded();
};

void Encoding::base64_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("good");
    for (const char *good : {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy", "+/+/"})
        QTest::newRow(*good ? good : "empty") << QByteArray(good) << true;
    const QHash<QByteArray, QByteArray> bad = {
        {"padded", "Zg=="},        {"url alphabet", "-_-_"}, {"space", "Zm9v Zg"},          {"new line", "Zm9v\n"},
        {"one too many", "Zm9vY"}, {"stray bits", "Zh"},     {"not ASCII", "Zm9v\xc3\xa4"},
    };
    for (auto it = bad.begin(); it != bad.end(); ++it)
        QTest::newRow(it.key().constData()) << *it << false;
    QTest::newRow("zero byte") << QByteArray("Zm\0v", 4) << false;
}

void Encoding::base64()
{
    QFETCH(QByteArray, text);
    QFETCH(bool, good);
    const auto bytes = fromBase64(text);
    QCOMPARE(bytes.ok(), good);
    if (good)
        QCOMPARE(toBase64(*bytes), text);
    else
        QVERIFY(bytes.error() == Fault::BadBase64);
}

void Encoding::longTextIsRefused()
{
    QCOMPARE(fromBase64(QByteArray(maxBase64, 'A')).ok(), true);
    QVERIFY(fromBase64(QByteArray(maxBase64 + 4, 'A')).error() == Fault::TooLarge);
}

void Encoding::keys()
{
    QVERIFY(isKey(QString(43, u'A')));
    QVERIFY(!isKey(QString(42, u'A')));
    QVERIFY(!isKey(QString(44, u'A')));
    QVERIFY(!isKey(QString(42, u'A') + u'B'));          // bits that mean nothing
    QVERIFY(!isKey(QString(42, u'A') + QChar(0x0141))); // is "A" in its lower byte
    QVERIFY(!isKey({}));
}

void Encoding::canonical_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QByteArray>("wanted");
    // Matrix specification, appendices, "Canonical JSON", examples.
    QTest::newRow("empty") << QByteArray("{}") << QByteArray("{}");
    QTest::newRow("sorted") << QByteArray(R"({"one": 1, "two": "Two"})") << QByteArray(R"({"one":1,"two":"Two"})");
    QTest::newRow("unsorted") << QByteArray(R"({"b": "2", "a": "1"})") << QByteArray(R"({"a":"1","b":"2"})");
    QTest::newRow("nested")
        << QByteArray(
               R"({"auth":{"success":true,"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"medium":"email","address":"john.doe@example.org"},{"medium":"msisdn","address":"123456789"}]}}})")
        << QByteArray(
               R"({"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}})");
    QTest::newRow("not ASCII") << QByteArray(R"({"a": "日本語"})") << QByteArray(R"({"a":"日本語"})");
    QTest::newRow("keys") << QByteArray(R"({"本": 2, "日": 1})") << QByteArray(R"({"日":1,"本":2})");
    QTest::newRow("escaped") << QByteArray(R"({"a": "\u65E5"})") << QByteArray(R"({"a":"日"})");
    QTest::newRow("null") << QByteArray(R"({"a": null})") << QByteArray(R"({"a":null})");
    QTest::newRow("numbers") << QByteArray(R"({"a": -0, "b": 1e10})") << QByteArray(R"({"a":0,"b":10000000000})");
    QTest::newRow("control") << QByteArray(R"({"a": "\u0001\b\f\n\r\t\"\\/\u007f"})")
                             << QByteArray("{\"a\":\"\\u0001\\b\\f\\n\\r\\t\\\"\\\\/\x7f\"}");
}

void Encoding::canonical()
{
    QFETCH(QByteArray, json);
    QFETCH(QByteArray, wanted);
    const auto got = canonicalJson(QJsonDocument::fromJson(json).object());
    QVERIFY(got.ok());
    QCOMPARE(*got, wanted);
}

void Encoding::codePointsDecideTheOrder()
{
    // U+1F600 comes after U+FF5E, though its first UTF-16 unit is the lesser one.
    const QJsonObject object{{QString::fromUtf8("😀"), 1}, {QString::fromUtf8("～"), 2}};
    QCOMPARE(*canonicalJson(object), QByteArray(R"({"～":2,"😀":1})"));
}

void Encoding::numbers_data()
{
    QTest::addColumn<double>("number");
    QTest::addColumn<bool>("good");
    QTest::newRow("largest") << 9007199254740991.0 << true;
    QTest::newRow("smallest") << -9007199254740991.0 << true;
    QTest::newRow("too large") << 9007199254740992.0 << false;
    QTest::newRow("a fraction") << 1.5 << false;
    QTest::newRow("huge") << 1e300 << false;
}

void Encoding::numbers()
{
    QFETCH(double, number);
    QFETCH(bool, good);
    QCOMPARE(canonicalJson(QJsonObject{{QStringLiteral("n"), number}}).ok(), good);
}

void Encoding::brokenUnicodeIsRefused()
{
    for (const QString &text : {QString(QChar(0xd800)), QString(QChar(0xdc00)), QString(QChar(0xd800)) + u'a'}) {
        QVERIFY(!canonicalJson(QJsonObject{{QStringLiteral("a"), text}}).ok());
        QVERIFY(!canonicalJson(QJsonObject{{text, 1}}).ok());
    }
}

void Encoding::depthIsBounded()
{
    QJsonObject object;
    for (int i = 0; i < 90; ++i)
        object = QJsonObject{{QStringLiteral("a"), object}};
    QVERIFY(canonicalJson(object).ok());
    for (int i = 0; i < 20; ++i)
        object = QJsonObject{{QStringLiteral("a"), object}};
    QVERIFY(canonicalJson(object).error() == Fault::BadJson);
}

QTEST_GUILESS_MAIN(Encoding)
#include "tst_encoding.moc"
