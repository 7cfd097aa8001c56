// SPDX-License-Identifier: Apache-2.0
// A homeserver that is down, slow, mad or false: every request ends once, with the right kind, and leaks nothing.
#include "await.h"

#include <QFile>
#include <QProcess>
#include <QSslCertificate>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslServer>
#include <QTcpServer>
#include <QTemporaryDir>

using namespace voip::homeserver;
using fakehttp::Answer;
using fakehttp::FakeHttp;
using fakehttp::Fault;

namespace
{

QStringList g_log;

void keepLog(QtMsgType /*type*/, const QMessageLogContext & /*context*/, const QString &text)
{
    g_log.append(text);
}

} // namespace

class TestFaults : public QObject
{
    Q_OBJECT

    std::unique_ptr<FakeHttp> m_server;
    std::unique_ptr<Client> m_client;

    Failure ask()
    {
        const auto result = await<QStringList>([&](auto reply) { m_client->versions(reply); });
        return result.ok() ? Failure{} : result.error();
    }

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<FakeHttp>();
        m_client = std::make_unique<Client>(accessTo(m_server->url()));
        g_log.clear();
    }
    void cleanup()
    {
        m_client.reset();
        m_server.reset();
    }

    void refused()
    {
        m_server->stop();
        const Failure failure = ask();
        QCOMPARE(failure.kind, FailureKind::Unreachable);
        QCOMPARE(failure.status, 0);
        QVERIFY(!failure.maybeDone);
        QVERIFY(failure.transient());
    }

    void unknownHost()
    {
        Access access = accessTo(QUrl(QStringLiteral("http://homeserver.invalid")));
        m_client = std::make_unique<Client>(access);
        m_client->setTimeLimits(std::chrono::milliseconds(5000), std::chrono::milliseconds(5000));
        const Failure failure = ask();
        QVERIFY(failure.kind == FailureKind::Unreachable || failure.kind == FailureKind::Timeout);
    }

    void unusableAddresses()
    {
        for (const char *address : {"ftp://h", "127.0.0.1:8008", "", "http://"}) {
            m_client = std::make_unique<Client>(accessTo(QUrl(QString::fromLatin1(address))));
            QCOMPARE(ask().kind, FailureKind::Unreachable);
        }
        Access access = accessTo(m_server->url());
        access.asToken = "a\r\nX-Evil: 1";
        m_client = std::make_unique<Client>(access);
        const Failure failure = ask();
        QCOMPARE(failure.kind, FailureKind::Unreachable);
        QVERIFY(!failure.message.contains(QLatin1String("Evil")));
        QVERIFY(m_server->requests().isEmpty());
    }

    void silent_data()
    {
        QTest::addColumn<int>("fault");
        QTest::newRow("no answer") << int(Fault::Hang);
        QTest::newRow("half an answer") << int(Fault::StallBody);
    }
    void silent()
    {
        QFETCH(int, fault);
        m_client->setTimeLimits(std::chrono::milliseconds(150), std::chrono::milliseconds(150));
        m_server->answer({.fault = Fault(fault)});
        const Failure failure = ask();
        QCOMPARE(failure.kind, FailureKind::Timeout);
        QVERIFY(failure.maybeDone);
        QVERIFY(!m_client->reachable());
        QVERIFY(QTest::qWaitFor([&] { return m_server->openSockets() == 0; })); // the connection is given up
    }

    void closedWithoutAnswer()
    {
        m_server->handle([](const auto &) { return Answer{.fault = Fault::Close}; });
        const Failure failure = ask();
        QCOMPARE(failure.kind, FailureKind::Unreachable);
        QVERIFY(failure.maybeDone);
    }

    void oneAttemptIsOneRequest()
    {
        // createRoom must not be sent again behind our back when the connection breaks.
        m_server->handle([](const auto &) { return Answer{.fault = Fault::Close}; });
        (void)await<QString>(
            [&](auto reply) { m_client->createDirectRoom({}, QStringLiteral("@bob:test"), {}, reply); });
        QCOMPARE(m_server->requests().size(), 1);
    }

    void keptConnectionMayBeClosed()
    {
        // The server closes an idle connection just as the next request is on its way.
        m_server->answer(json(200, R"({"versions":[]})"));
        m_server->answer({.fault = Fault::Close});
        m_server->answer(json(200, R"({"versions":[]})"));
        m_server->answer({.fault = Fault::Close});
        m_server->answer({.fault = Fault::Close});
        QVERIFY(await<QStringList>([&](auto reply) { m_client->versions(reply); }).ok());
        QVERIFY(await<QStringList>([&](auto reply) { m_client->versions(reply); }).ok());
        QCOMPARE(m_server->requests().size(), 3);
        QCOMPARE(m_server->connections(), 2);
        const auto post = await<int>([&](auto reply) { m_client->ping(reply); });
        QCOMPARE(post.error().kind, FailureKind::Unreachable);
        QVERIFY(post.error().maybeDone);
        QCOMPARE(m_server->requests().size(), 4);
    }

    void manyAtOnce()
    {
        m_server->handle([](const auto &) { return json(200, R"({"versions":[]})"); });
        int good = 0;
        for (int i = 0; i < 200; ++i) {
            m_client->versions([&](const auto &result) { good += result.ok() ? 1 : 0; });
        }
        QVERIFY(QTest::qWaitFor([&] { return good == 200; }));
        QVERIFY(m_server->connections() < 20);
    }

    void waitingOnesTimeOutToo()
    {
        m_client->setTimeLimits(std::chrono::milliseconds(150), std::chrono::milliseconds(150));
        m_server->handle([](const auto &) { return Answer{.fault = Fault::Hang}; });
        int late = 0;
        for (int i = 0; i < 40; ++i) {
            m_client->versions([&](const Result<QStringList> &result) {
                late += result.error().kind == FailureKind::Timeout ? 1 : 0;
            });
        }
        QVERIFY(QTest::qWaitFor([&] { return late == 40; }));
        m_client->setTimeLimits(Client::kTimeLimit, Client::kFederatedTimeLimit);
        m_server->handle([](const auto &) { return json(200, R"({"versions":[]})"); });
        QVERIFY(await<QStringList>([&](auto reply) { m_client->versions(reply); }).ok());
    }

    void slowJoinsDoNotHoldUpEvents()
    {
        m_server->handle([](const fakehttp::Request &request) {
            return request.path().endsWith("/join") ? Answer{.fault = Fault::Hang} : json(200, R"({"versions":[]})");
        });
        for (int i = 0; i < 30; ++i) {
            m_client->join({}, QStringLiteral("!far:away"), [](const auto &) {});
        }
        QVERIFY(await<QStringList>([&](auto reply) { m_client->versions(reply); }).ok());
    }

    void largeAnswerWithinTheLimit()
    {
        const QByteArray body = "{\"versions\":[\"" + QByteArray(3'000'000, 'x') + "\"]}";
        m_server->answer(json(200, body));
        m_server->answer({.body = "HTTP/1.1 200 OK\r\n\r\n" + body, .fault = Fault::Raw}); // length by the end
        for (int i = 0; i < 2; ++i) {
            const auto result = await<QStringList>([&](auto reply) { m_client->versions(reply); });
            QVERIFY(result.ok());
            QCOMPARE(result->first().size(), 3'000'000);
        }
    }

    void cutAnswer()
    {
        m_server->handle([](const auto &) { return Answer{.body = R"({"versions":[]})", .fault = Fault::CutBody}; });
        const Failure failure = ask();
        QCOMPARE(failure.kind, FailureKind::Unreachable);
        QVERIFY(failure.maybeDone);
    }

    void garbage_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("other protocol") << QByteArray("SSH-2.0-OpenSSH_9.2\r\n");
        QTest::newRow("zeros") << QByteArray(4096, '\0');
        QTest::newRow("bad status") << QByteArray("HTTP/1.1 abc\r\n\r\n{}");
        QTest::newRow("HTML") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>");
        QTest::newRow("half JSON") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"versions\":[");
        QTest::newRow("gzip") << QByteArray(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x08");
        QTest::newRow("deep JSON") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n") +
                                          QByteArray(100'000, '[');
    }
    void garbage()
    {
        QFETCH(QByteArray, bytes);
        m_server->handle([bytes](const auto &) { return Answer{.body = bytes, .fault = Fault::Raw}; });
        const Failure failure = ask();
        QVERIFY2(failure.kind == FailureKind::BadAnswer || failure.kind == FailureKind::Unreachable,
                 qPrintable(nameOf(failure.kind)));
        QVERIFY(!failure.message.isEmpty());
    }

    void endlessAnswerIsCut()
    {
        m_client->setMaxAnswerBytes(100'000);
        m_server->answer({.body = QByteArray(10'000, ' '), .fault = Fault::Endless});
        const Failure failure = ask();
        QCOMPARE(failure.kind, FailureKind::BadAnswer);
        QVERIFY(failure.message.contains(QLatin1String("100000")));
        QVERIFY(QTest::qWaitFor([&] { return m_server->openSockets() == 0; }));
        QVERIFY(m_server->endlessBytes() < 50'000'000);
    }

    void announcedSizeIsRefusedAtOnce()
    {
        m_server->answer({.body = "{", .fault = Fault::AnnounceHuge});
        QCOMPARE(ask().kind, FailureKind::BadAnswer); // well before the time limit, or await gives up
        QVERIFY(QTest::qWaitFor([&] { return m_server->openSockets() == 0; }));
    }

    void redirectsAreNotFollowed()
    {
        FakeHttp elsewhere;
        m_server->answer({.status = 302, .headers = {{"Location", elsewhere.url().toEncoded() + "/x"}}});
        QCOMPARE(ask().kind, FailureKind::BadAnswer);
        QVERIFY(elsewhere.requests().isEmpty());
        QCOMPARE(elsewhere.connections(), 0);
    }

    void statusesArriveWithTheirBodies()
    {
        m_server->answer({.status = 401,
                          .body = R"({"errcode":"M_UNKNOWN_TOKEN","error":"who"})",
                          .headers = {{"WWW-Authenticate", "Bearer"}}});
        m_server->answer({.status = 429, .body = "{}", .headers = {{"Retry-After", "3"}}});
        m_server->answer(json(500, R"({"errcode":"M_UNKNOWN","error":"Internal"})"));
        m_server->answer(json(404, R"({"errcode":"M_NOT_FOUND","error":"no such"})"));
        QCOMPARE(ask().code, QStringLiteral("M_UNKNOWN_TOKEN"));
        QCOMPARE(ask().retryAfterMs, 3000);
        QCOMPARE(ask().message, QStringLiteral("Internal"));
        QCOMPARE(ask().code, QStringLiteral("M_NOT_FOUND"));
        QCOMPARE(m_server->requests().size(), 4);
    }

    void cookiesAreIgnored()
    {
        m_server->handle([](const auto &) {
            return Answer{.body = R"({"versions":[]})", .headers = {{"Set-Cookie", "a=b; Path=/"}}};
        });
        (void)ask();
        (void)ask();
        QVERIFY(!m_server->requests().last().headers.contains("cookie"));
    }

    void certificates()
    {
        QTemporaryDir dir;
        const QString key = dir.filePath(QStringLiteral("key.pem"));
        const QString cert = dir.filePath(QStringLiteral("cert.pem"));
        QProcess openssl;
        openssl.start(QStringLiteral("openssl"),
                      {QStringLiteral("req"), QStringLiteral("-x509"), QStringLiteral("-newkey"),
                       QStringLiteral("rsa:2048"), QStringLiteral("-nodes"), QStringLiteral("-subj"),
                       QStringLiteral("/CN=homeserver"), QStringLiteral("-addext"),
                       QStringLiteral("subjectAltName=IP:127.0.0.1"), QStringLiteral("-keyout"), key,
                       QStringLiteral("-out"), cert});
        QVERIFY2(openssl.waitForFinished() && openssl.exitCode() == 0, openssl.readAllStandardError().constData());
        QFile keyFile(key);
        QVERIFY(keyFile.open(QIODevice::ReadOnly));
        QSslConfiguration configuration = QSslConfiguration::defaultConfiguration();
        const QSslCertificate certificate = QSslCertificate::fromPath(cert).value(0);
        configuration.setLocalCertificate(certificate);
        configuration.setPrivateKey(QSslKey(&keyFile, QSsl::Rsa));
        auto tls = std::make_unique<QSslServer>();
        tls->setSslConfiguration(configuration);
        QVERIFY(tls->listen(QHostAddress::LocalHost));
        FakeHttp server(std::move(tls), QStringLiteral("https"));
        server.handle([](const auto &) { return json(200, R"({"versions":[]})"); });

        m_client = std::make_unique<Client>(accessTo(server.url()));
        const Failure failure = ask();
        QCOMPARE(failure.kind, FailureKind::Unreachable);
        QVERIFY2(failure.message.contains(QLatin1String("certificate was refused")), qPrintable(failure.message));
        QVERIFY(!failure.maybeDone);
        QVERIFY(server.requests().isEmpty()); // no token left for a stranger

        const QSslConfiguration before = QSslConfiguration::defaultConfiguration();
        QSslConfiguration trusting = before;
        trusting.addCaCertificate(certificate);
        QSslConfiguration::setDefaultConfiguration(trusting);
        m_client = std::make_unique<Client>(accessTo(server.url()));
        const auto byAddress = await<QStringList>([&](auto reply) { m_client->versions(reply); });
        QUrl otherName = server.url(); // the same server under a name that its certificate does not have
        otherName.setHost(QStringLiteral("localhost"));
        m_client = std::make_unique<Client>(accessTo(otherName));
        const Failure wrongName = ask();
        QSslConfiguration::setDefaultConfiguration(before);
        QVERIFY2(byAddress.ok(), byAddress.ok() ? "" : qPrintable(byAddress.error().message));
        QCOMPARE(server.requests().size(), 1);
        QVERIFY2(wrongName.message.contains(QLatin1String("certificate was refused")), qPrintable(wrongName.message));
    }

    void noSecretIsLogged()
    {
        const auto before = qInstallMessageHandler(keepLog);
        m_server->answer(json(500, R"({"errcode":"M_UNKNOWN","error":"bad token s3cret_as_token"})"));
        m_server->answer(json(200, R"({"uris":["turn:h"],"username":"turnuser","password":"turnpass","ttl":60})"));
        const Failure failure = ask();
        const auto turn = await<TurnServers>([&](auto reply) { m_client->turnServers({}, reply); });
        m_server->stop();
        (void)ask();
        qInstallMessageHandler(before);
        QVERIFY(turn.ok());
        QVERIFY(!failure.message.contains(QLatin1String("s3cret")));
        QVERIFY(!g_log.isEmpty()); // or this test would prove nothing
        const QString all = g_log.join(QLatin1Char('\n'));
        for (const char *secret : {"s3cret", "turnuser", "turnpass"}) {
            QVERIFY2(!all.contains(QLatin1String(secret)), secret);
        }
    }
};

QTEST_GUILESS_MAIN(TestFaults)
#include "tst_faults.moc"
