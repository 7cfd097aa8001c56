// SPDX-License-Identifier: Apache-2.0
// What becomes of an HTTP answer, and when it is worth another try. Pure: no server.
#include <QTest>

#include <homeserver/answer.h>
#include <homeserver/retry.h>

using namespace voip::homeserver;

namespace
{

Failure failureOf(int status, const QByteArray &body, const QByteArray &retryAfter = {})
{
    return judge({status, retryAfter, body}, "tok").error();
}

} // namespace

class TestAnswer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void kinds_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("kind");
        QTest::addColumn<QString>("code");
        QTest::addColumn<bool>("transient");
        const auto row = [](const char *name, int status, const QByteArray &body, FailureKind kind, const char *code,
                            bool transient) {
            QTest::newRow(name) << status << body << int(kind) << QString::fromLatin1(code) << transient;
        };
        row("403", 403, R"({"errcode":"M_FORBIDDEN","error":"no"})", FailureKind::Rejected, "M_FORBIDDEN", false);
        row("unknown token", 401, R"({"errcode":"M_UNKNOWN_TOKEN","error":"no"})", FailureKind::Rejected,
            "M_UNKNOWN_TOKEN", false);
        row("404 of a proxy", 404, "<html>", FailureKind::Rejected, "", false);
        row("429", 429, "{}", FailureKind::RateLimited, "", true);
        row("limit by code", 400, R"({"errcode":"M_LIMIT_EXCEEDED"})", FailureKind::RateLimited, "M_LIMIT_EXCEEDED",
            true);
        row("500", 500, R"({"errcode":"M_UNKNOWN","error":"oops"})", FailureKind::ServerError, "M_UNKNOWN", true);
        row("502 of a proxy", 502, "<html>", FailureKind::ServerError, "", true);
        row("408", 408, "", FailureKind::ServerError, "", true);
        row("redirect", 302, "", FailureKind::BadAnswer, "", false);
        row("200 with HTML", 200, "<html>", FailureKind::BadAnswer, "", false);
        row("200 with nothing", 200, "", FailureKind::BadAnswer, "", false);
        row("100", 100, "{}", FailureKind::BadAnswer, "", false);
        row("wrong types", 400, R"({"errcode":7,"error":[]})", FailureKind::Rejected, "", false);
        row("array", 400, "[1]", FailureKind::Rejected, "", false);
        row("hostile code", 400, R"({"errcode":"M_X\nfake log line"})", FailureKind::Rejected, "M_UNKNOWN", false);
        row("long code", 400, QByteArray(R"({"errcode":")") + QByteArray(65, 'A') + "\"}", FailureKind::Rejected,
            "M_UNKNOWN", false);
        row("namespaced", 400, R"({"errcode":"ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE"})", FailureKind::Rejected,
            "ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE", false);
    }
    void kinds()
    {
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        const Failure failure = failureOf(status, body);
        QTEST(int(failure.kind), "kind");
        QTEST(failure.code, "code");
        QTEST(failure.transient(), "transient");
        QCOMPARE(failure.status, status);
        QVERIFY(!failure.message.isEmpty());
    }

    void rateLimits_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QByteArray>("header");
        QTest::addColumn<int>("expected");
        QTest::newRow("body") << QByteArray(R"({"retry_after_ms":2500})") << QByteArray("7") << 2500;
        QTest::newRow("header") << QByteArray("{}") << QByteArray("7") << 7000;
        QTest::newRow("neither") << QByteArray("<html>") << QByteArray() << 1000;
        QTest::newRow("too long") << QByteArray(R"({"retry_after_ms":1e300})") << QByteArray() << 60'000;
        QTest::newRow("negative") << QByteArray(R"({"retry_after_ms":-5})") << QByteArray() << 0;
        QTest::newRow("a string") << QByteArray(R"({"retry_after_ms":"9"})") << QByteArray() << 1000;
        QTest::newRow("a date") << QByteArray("{}") << QByteArray("Wed, 21 Oct 2026 07:28:00 GMT") << 1000;
        QTest::newRow("nan") << QByteArray("{}") << QByteArray("nan") << 1000;
        QTest::newRow("inf") << QByteArray("{}") << QByteArray("inf") << 60'000;
    }
    void rateLimits()
    {
        QFETCH(QByteArray, body);
        QFETCH(QByteArray, header);
        QTEST(failureOf(429, body, header).retryAfterMs, "expected");
    }

    void textsAreCleaned()
    {
        const QString text = QStringLiteral("bad tok") + QChar(0) + QChar(27) + QStringLiteral("[31m\n");
        const QJsonObject body{{QStringLiteral("error"), text + QString(500, u'x')}};
        const Failure failure = failureOf(400, QJsonDocument(body).toJson());
        QVERIFY(failure.message.startsWith(QLatin1String("bad <token>")));
        QVERIFY(failure.message.size() <= 256);
        for (QChar c : failure.message) {
            QVERIFY(c.isPrint());
        }
    }

    void ghostMissing()
    {
        const char *text = R"({"errcode":"M_FORBIDDEN","error":"Application service has not registered this user"})";
        QVERIFY(failureOf(403, text).ghostMissing());
        QVERIFY(!failureOf(500, text).ghostMissing());
        QVERIFY(!failureOf(403, R"({"errcode":"M_FORBIDDEN","error":"User not in room"})").ghostMissing());
    }

    void fieldsAreChecked()
    {
        const QJsonObject object =
            QJsonDocument::fromJson(R"({"n":5,"s":"x","empty":"","a":["x",1],"big":1e300,"neg":-1})").object();
        QCOMPARE(readString(object, "s").value(), QStringLiteral("x"));
        QVERIFY(readString(object, "n").error().message.startsWith(QLatin1String("n:")));
        QVERIFY(!readString(object, "empty").ok());
        QVERIFY(!readString(object, "none").ok());
        QVERIFY(readStrings(object, "a").error().message.startsWith(QLatin1String("a[1]:")));
        QVERIFY(readObjects(object.value(QLatin1String("a")), "a").error().message.startsWith(QLatin1String("a[0]:")));
        QCOMPARE(readCount(object, "n").value(), 5);
        QCOMPARE(readCount(object, "big").value(), std::numeric_limits<int>::max());
        QVERIFY(!readCount(object, "neg").ok());
        QVERIFY(!readCount(object, "s").ok());
        QCOMPARE(readCount(object, "s").error().kind, FailureKind::BadAnswer);
    }

    void delaysGrowWithinBounds()
    {
        const RetryPolicy policy;
        const Failure failure{FailureKind::ServerError, 503};
        int lastCeiling = 0;
        for (int attempt = 1; attempt < 50; ++attempt) {
            const int floor = *policy.nextDelayMs(attempt, failure, 0.0);
            const int ceiling = *policy.nextDelayMs(attempt, failure, 0.999999);
            QCOMPARE(floor, 200);
            QVERIFY(ceiling >= lastCeiling);
            QVERIFY(ceiling <= 30'000);
            lastCeiling = ceiling;
        }
        QVERIFY(lastCeiling > 29'000);
        QVERIFY(*policy.nextDelayMs(1, failure, 0.999999) < 500);
    }

    void rateLimitIsWaitedOut()
    {
        const RetryPolicy policy;
        Failure failure{FailureKind::RateLimited, 429};
        failure.retryAfterMs = 45'000;
        QCOMPARE(*policy.nextDelayMs(1, failure, 0.0), 45'000);
        QVERIFY(*policy.nextDelayMs(1, failure, 0.9) > 45'000);
        failure.retryAfterMs = 0;
        QVERIFY(*policy.nextDelayMs(8, failure, 0.5) > 10'000);
    }

    void whatIsNotRepeated()
    {
        RetryPolicy policy;
        QVERIFY(!policy.nextDelayMs(1, {FailureKind::Rejected, 403}, 0.5));
        QVERIFY(!policy.nextDelayMs(1, {FailureKind::BadAnswer, 200}, 0.5));
        QVERIFY(policy.nextDelayMs(1, failureOf(500, "{}"), 0.5));
        policy.repeatable = false;
        QVERIFY(!policy.nextDelayMs(1, failureOf(500, "{}"), 0.5));
        QVERIFY(policy.nextDelayMs(1, failureOf(429, "{}"), 0.5));
        QVERIFY(policy.nextDelayMs(1, {FailureKind::Unreachable}, 0.5));
    }
};

QTEST_GUILESS_MAIN(TestAnswer)
#include "tst_answer.moc"
