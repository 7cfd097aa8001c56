// SPDX-License-Identifier: Apache-2.0
// The call API's JSON: each limit from both sides, each error naming its field; tokens and request targets too.
#include "http/tokens.h"
#include "rest/shapes.h"

#include <QJsonArray>
#include <QTest>

using namespace bridgehost;
using namespace voiphost;

namespace
{

QJsonObject object(const char *json)
{
    const auto body = readBody(json);
    return body ? *body : QJsonObject{{QStringLiteral("broken"), true}};
}

} // namespace

class TestShapes : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void bodies();
    void sdp();
    void candidates_data();
    void candidates();
    void place_data();
    void place();
    void callObject();
    void tooManyAtATime();
    void iceServers();
    void tokens();
    void targets();
};

void TestShapes::bodies()
{
    QVERIFY(readBody("  ")->isEmpty());
    QCOMPARE(readBody("[]").error().code, QStringLiteral("INVALID_JSON"));
    QCOMPARE(readBody("{").error().code, QStringLiteral("INVALID_JSON"));
}

void TestShapes::sdp()
{
    const QString field = QStringLiteral("answer_sdp");
    const QString longest = QStringLiteral("v=0") + QString(kMaxSdp - 3, u'x');
    QCOMPARE(readSdp({{field, longest}}, field).value(), longest);
    for (const QJsonObject &bad : {QJsonObject{}, QJsonObject{{field, 1}},
                                   QJsonObject{{field, QStringLiteral("hello")}}, QJsonObject{{field, longest + u'x'}},
                                   QJsonObject{{field, QStringLiteral("v=0") + QString(kMaxSdp / 2, u'ü')}}}) {
        const auto read = readSdp(bad, field);
        QVERIFY(!read);
        QCOMPARE(read.error().code, QStringLiteral("INVALID_SDP"));
        QVERIFY(read.error().message.contains(field));
        QCOMPARE(toReply(read.error()).status, 400);
    }
}

void TestShapes::candidates_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QString>("named"); // empty: it is good
    const auto row = [](const char *name, const QByteArray &json, const char *named) {
        QTest::newRow(name) << json << QString::fromLatin1(named);
    };
    row("mid", R"({"candidates":[{"candidate":"c","sdpMid":"0"}]})", "");
    row("index", R"({"candidates":[{"candidate":"c","sdpMLineIndex":0}]})", "");
    row("end", R"({"candidates":[{"candidate":""}]})", "");
    row("null mid", R"({"candidates":[{"candidate":"c","sdpMid":null,"sdpMLineIndex":1}]})", "");
    row("none", R"({})", "'candidates' is missing");
    row("object", R"({"candidates":{}})", "'candidates' must be an array");
    row("empty", R"({"candidates":[]})", "'candidates' must hold 1 to 64");
    row("text", R"({"candidates":["x"]})", "'candidates[0]' must be an object");
    row("neither", R"({"candidates":[{"candidate":""},{"candidate":"c"}]})", "'candidates[1]' needs");
    row("mid type", R"({"candidates":[{"candidate":"c","sdpMid":1}]})", "'candidates[0].sdpMid'");
    row("index type", R"({"candidates":[{"candidate":"c","sdpMLineIndex":"0"}]})", "'candidates[0].sdpMLineIndex'");
    row("index half", R"({"candidates":[{"candidate":"c","sdpMLineIndex":0.5}]})", "'candidates[0].sdpMLineIndex'");
    row("index range", R"({"candidates":[{"candidate":"c","sdpMLineIndex":256}]})", "'candidates[0].sdpMLineIndex'");
    row("long", "{\"candidates\":[{\"candidate\":\"" + QByteArray(2049, 'c') + "\",\"sdpMid\":\"0\"}]}",
        "'candidates[0].candidate'");
    row("many", "{\"candidates\":[" + QByteArray("{\"candidate\":\"\"},").repeated(64) + "{\"candidate\":\"\"}]}",
        "1 to 64");
}

void TestShapes::candidates()
{
    QFETCH(QByteArray, json);
    QFETCH(QString, named);
    const auto read = readCandidates(object(json.constData()));
    QCOMPARE(read.ok(), named.isEmpty());
    if (!read)
        QVERIFY2(read.error().message.contains(named), qPrintable(read.error().message));
}

void TestShapes::place_data()
{
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QString>("named");
    const auto row = [](const char *name, const char *json, const char *named) {
        QTest::newRow(name) << QByteArray(json) << QString::fromLatin1(named);
    };
    row("least", R"({"initiator_sdp":"v=0"})", "");
    row("full",
        R"({"initiator_sdp":"v=0","call_type":"direct","media":{"audio":true,"video":true},"idempotency_key":"k"})",
        "");
    row("type", R"({"initiator_sdp":"v=0","call_type":"group"})", "'call_type' must be direct");
    row("media", R"({"initiator_sdp":"v=0","media":true})", "'media' must be an object");
    row("audio", R"({"initiator_sdp":"v=0","media":{"audio":"yes"}})", "'media.audio' must be true or false");
    row("nothing", R"({"initiator_sdp":"v=0","media":{"audio":false}})", "'media' must have audio or video");
    row("key", R"({"initiator_sdp":"v=0","idempotency_key":7})", "'idempotency_key' must be text");
    row("empty key", R"({"initiator_sdp":"v=0","idempotency_key":""})", "'idempotency_key' must have 1 to 255");
}

void TestShapes::place()
{
    QFETCH(QByteArray, json);
    QFETCH(QString, named);
    const auto read = readPlace(object(json.constData()));
    QCOMPARE(read.ok(), named.isEmpty());
    if (!read)
        QVERIFY2(read.error().message.contains(named), qPrintable(read.error().message));
}

void TestShapes::tooManyAtATime()
{
    const QJsonObject details{{QStringLiteral("retry_after_ms"), 1500}};
    const Reply reply =
        toReply({ErrorKind::RateLimited, QStringLiteral("TOO_MANY_CALLS"), QStringLiteral("later"), details});
    QCOMPARE(reply.status, 429);
    QCOMPARE(object(reply.body.constData()).value(QStringLiteral("retry_after_ms")).toInt(), 1500);
    QVERIFY(reply.headers.contains(std::pair<QByteArray, QByteArray>("Retry-After", "2")));
    QVERIFY(toReply({ErrorKind::Conflict, QStringLiteral("X"), {}, details}).headers.isEmpty());
}

void TestShapes::callObject()
{
    Call call;
    call.id = QStringLiteral("c");
    call.direction = Direction::Outgoing;
    call.status = CallStatus::Ended;
    call.createdAt = 0;
    call.endedAt = 1500;
    call.reason = QStringLiteral("user_hangup");
    const QJsonObject json = toJson(call);
    QCOMPARE(json.value(QStringLiteral("direction")).toString(), QStringLiteral("outgoing"));
    QCOMPARE(json.value(QStringLiteral("created_at")).toString(), QStringLiteral("1970-01-01T00:00:00.000Z"));
    QCOMPARE(json.value(QStringLiteral("ended_at")).toString(), QStringLiteral("1970-01-01T00:00:01.500Z"));
    QVERIFY(!json.contains(QStringLiteral("answered_at")));
    QCOMPARE(json.value(QStringLiteral("media")).toObject().value(QStringLiteral("audio")), QJsonValue(true));
    QVERIFY(json.value(QStringLiteral("matrix")).toObject().contains(QStringLiteral("party_id")));
}

void TestShapes::iceServers()
{
    QVERIFY(toJson(IceServers{}).value(QStringLiteral("ice_servers")).toArray().isEmpty());
    const QJsonObject json =
        toJson(IceServers{{QStringLiteral("turn:t")}, QStringLiteral("u"), QStringLiteral("p"), 60});
    QCOMPARE(json.value(QStringLiteral("ttl")), QJsonValue(60));
    QCOMPARE(json.value(QStringLiteral("ice_servers")).toArray().at(0).toObject().value(QStringLiteral("username")),
             QJsonValue(QStringLiteral("u")));
}

void TestShapes::tokens()
{
    QVERIFY(TokenDigest("abc").matches("abc"));
    QVERIFY(!TokenDigest("abc").matches("abd"));
    QVERIFY(!TokenDigest("abc").matches(""));
    QVERIFY(!TokenDigest().matches("abc"));
    QVERIFY(!TokenDigest("").matches(""));
    UserTokens users;
    users.add(QStringLiteral("a"), "1");
    users.add(QStringLiteral("b"), "2");
    QCOMPARE(users.userOf("2"), QStringLiteral("b"));
    QVERIFY(!users.userOf("3"));
    QVERIFY(!users.userOf(""));
}

void TestShapes::targets()
{
    Request request;
    QVERIFY(parseTarget("/calls/a%2Fb/answer?x=1&access_token=p%26q+r&flag", &request));
    QCOMPARE(request.rawPath, QByteArray("/calls/a%2Fb/answer"));
    QCOMPARE(request.path, (QStringList{QStringLiteral("calls"), QStringLiteral("a/b"), QStringLiteral("answer")}));
    QCOMPARE(request.queryValue(QStringLiteral("access_token")), QStringLiteral("p&q r"));
    QCOMPARE(request.queryValue(QStringLiteral("flag")), QString());
    QVERIFY(!request.queryValue(QStringLiteral("none")));
    Request other;
    QVERIFY(!parseTarget("/a%00b", &other));
    QVERIFY(!parseTarget("/a%ff", &other));
    QVERIFY(!parseTarget("http://x/", &other));
}

QTEST_GUILESS_MAIN(TestShapes)
#include "tst_shapes.moc"
