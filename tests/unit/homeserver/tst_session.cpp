// SPDX-License-Identifier: Apache-2.0
// An account's session against a homeserver that plays back: every way in, renewal, every way out, hostile answers.
#include "await.h"

#include <QSignalSpy>

#include <homeserver/session.h>

using namespace voip::homeserver;
using fakehttp::Answer;
using fakehttp::FakeHttp;
using Standing = SessionRecord::Standing;
using By = LoginSettings::By;

namespace
{

const QString kAlice = QStringLiteral("@alice:test");
const QByteArray kFlows = R"({"flows":[{"type":"m.login.password"},{"type":"m.login.sso"},{"type":"m.login.token"}]})";
const QByteArray kUnknown = R"({"errcode":"M_UNKNOWN_TOKEN","error":"gone"})";
const QByteArray kSoft = R"({"errcode":"M_UNKNOWN_TOKEN","error":"expired","soft_logout":true})";

QByteArray loggedIn(const char *token = "tok1", const QByteArray &rest = {})
{
    return QByteArray(R"({"user_id":"@alice:test","device_id":"DEV","access_token":")") + token + "\"" + rest + "}";
}

} // namespace

class TestSession : public QObject
{
    Q_OBJECT

    std::unique_ptr<FakeHttp> m_server;
    std::unique_ptr<Client> m_client;
    std::unique_ptr<Session> m_session;
    QByteArray m_kept;
    int m_saves = 0;
    qint64 m_now = 1'000'000;

    Session &make(By by, const QByteArray &secret = {})
    {
        LoginSettings settings{kAlice, by, by == By::Token ? secret : QByteArray(),
                               by == By::Password ? secret : QByteArray(), QStringLiteral("bridge")};
        const auto save = [this](const QByteArray &record, const auto &saved) {
            m_kept = record;
            ++m_saves;
            saved(true);
        };
        m_session = std::make_unique<Session>(*m_client, settings, save, nullptr, [this] { return m_now; });
        m_session->setPatience(std::chrono::milliseconds(0));
        return *m_session;
    }
    static Session::Outcome wait(const std::function<void(Session::Told)> &call)
    {
        std::optional<Session::Outcome> outcome;
        call([&outcome](const Session::Outcome &given) { outcome = given; });
        if (!QTest::qWaitFor([&outcome] { return outcome.has_value(); }, 30'000))
            qFatal("no answer came");
        return *outcome;
    }
    Session::Outcome open(const std::optional<SessionRecord> &kept = {})
    {
        return wait([&](auto done) { m_session->open(kept, done); });
    }
    [[nodiscard]] SessionRecord kept() const { return sessionRecordOf(m_kept).value_or(SessionRecord()); }
    [[nodiscard]] const fakehttp::Request &last() const { return m_server->requests().last(); }
    static SessionRecord record(const QByteArray &refresh = {}, qint64 expiresAt = 0)
    {
        return {kAlice, QStringLiteral("DEV"), Standing::LoggedIn, "tok0", refresh, expiresAt, QStringLiteral("s9")};
    }

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<FakeHttp>();
        m_client = std::make_unique<Client>(Access{m_server->url(), QStringLiteral("test"), {}, {}, {}, kAlice});
        m_kept.clear();
        m_saves = 0;
        m_now = 1'000'000;
    }
    void cleanup()
    {
        m_session.reset();
        m_client.reset();
        m_server.reset();
    }

    void byPassword()
    {
        make(By::Password, "pass");
        m_server->answer(json(200, kFlows));
        m_server->answer(json(200, loggedIn("tok1", R"(,"refresh_token":"ref1","expires_in_ms":60000)")));
        QVERIFY(open().ok());
        const QJsonObject body = last().json();
        QCOMPARE(body.value(QStringLiteral("refresh_token")), QJsonValue(true));
        QCOMPARE(body.value(QStringLiteral("device_id")).toString().size(), 10);
        QVERIFY(!last().headers.contains("authorization"));
        QCOMPARE(kept().accessToken, QByteArray("tok1"));
        QCOMPARE(kept().refreshToken, QByteArray("ref1"));
        QCOMPARE(kept().expiresAt, m_now + 60'000);
        QCOMPARE(m_client->access().asToken, QByteArray("tok1"));
    }

    void aWrongPasswordIsNotRepeated()
    {
        make(By::Password, "s3cret-pass");
        m_server->answer(json(200, kFlows));
        m_server->answer(json(403, R"({"errcode":"M_FORBIDDEN","error":"s3cret-pass is wrong"})"));
        const auto outcome = open();
        QCOMPARE(outcome.error().code, QStringLiteral("LOGIN_REFUSED"));
        QVERIFY(!outcome.error().message.contains(QStringLiteral("s3cret-pass")));
        QCOMPARE(m_server->requests().size(), 2);
        QVERIFY(m_kept.isEmpty());
    }

    void whatIsNotOfferedIsNamed()
    {
        make(By::Password, "pass");
        m_server->answer(json(200, R"({"flows":[{"type":"m.login.sso"}]})"));
        const auto outcome = open();
        QVERIFY(outcome.error().message.contains(QStringLiteral("m.login.sso")));
    }

    void byToken()
    {
        make(By::Token, "given");
        m_server->answer(json(200, R"({"user_id":"@alice:test","device_id":"DEV"})"));
        QVERIFY(open().ok());
        QCOMPARE(last().headers.value("authorization"), QByteArray("Bearer given"));
        QCOMPARE(kept().accessToken, QByteArray("given"));
        // And again after a restart: without a question.
        make(By::Token, "given");
        QVERIFY(open(kept()).ok());
        QCOMPARE(m_server->requests().size(), 1);
    }

    void aTokenOfSomebodyElse()
    {
        make(By::Token, "given");
        m_server->answer(json(200, R"({"user_id":"@mallory:test","device_id":"DEV"})"));
        QVERIFY(open().error().message.contains(QStringLiteral("@mallory:test")));
        QVERIFY(m_client->access().asToken.isEmpty());
    }

    void aDeadTokenIsNotRepeated()
    {
        make(By::Token, "given").setPatience(std::chrono::seconds(5));
        m_server->answer(json(401, kUnknown));
        QCOMPARE(open().error().code, QStringLiteral("LOGIN_REFUSED"));
        QCOMPARE(m_server->requests().size(), 1);
    }

    void bySso()
    {
        make(By::Sso);
        QCOMPARE(open().error().code, QStringLiteral("LOGIN_NEEDED"));
        m_server->answer(json(200, kFlows));
        std::optional<voiphost::Expected<QUrl>> address;
        m_session->begin({}, QUrl(QStringLiteral("http://127.0.0.1:5/callback?state=a%26b")),
                         [&address](const auto &given) { address = given; });
        QTRY_VERIFY(address);
        QVERIFY(address->ok());
        QVERIFY(address->value().toEncoded().endsWith("/_matrix/client/v3/login/sso/redirect?redirectUrl="
                                                      "http%3A%2F%2F127.0.0.1%3A5%2Fcallback%3Fstate%3Da%2526b"));
        m_server->answer(json(200, loggedIn()));
        QVERIFY(wait([this](auto done) { m_session->finish("once", done); }).ok());
        QCOMPARE(last().json().value(QStringLiteral("token")).toString(), QStringLiteral("once"));
        QVERIFY(!wait([this](auto done) { m_session->finish("not a token", done); }).ok());
    }

    void hostileAnswers_data()
    {
        QTest::addColumn<QByteArray>("answer");
        QTest::addColumn<QString>("field");
        const auto row = [](const QByteArray &answer, const char *field) {
            QTest::newRow((field + QByteArray::number(answer.size())).constData())
                << answer << QString::fromLatin1(field);
        };
        row("{}", "user_id");
        row(R"({"user_id":7})", "user_id");
        row(R"({"user_id":")" + QByteArray(300, 'u') + R"("})", "user_id");
        row(R"({"user_id":"@alice:test","device_id":[]})", "device_id");
        row(R"({"user_id":"@alice:test","device_id":"D\u0000"})", "device_id");
        row(R"({"user_id":"@alice:test","device_id":"D"})", "access_token");
        row(R"({"user_id":"@alice:test","device_id":"D","access_token":"a b"})", "access_token");
        row(R"({"user_id":"@alice:test","device_id":"D","access_token":")" + QByteArray(5000, 't') + R"("})",
            "access_token");
        row(loggedIn("t", R"(,"refresh_token":{})"), "refresh_token");
        row(loggedIn("t", R"(,"expires_in_ms":"soon")"), "expires_in_ms");
        row(loggedIn("t", R"(,"expires_in_ms":-1)"), "expires_in_ms");
    }
    void hostileAnswers()
    {
        QFETCH(QByteArray, answer);
        QFETCH(QString, field);
        make(By::Password, "pass");
        m_server->answer(json(200, kFlows));
        m_server->answer(json(200, answer));
        const auto outcome = open();
        QVERIFY(!outcome.ok());
        QVERIFY2(outcome.error().message.contains(field), qPrintable(outcome.error().message));
        QVERIFY(m_kept.isEmpty());
    }

    void renewsAheadOfTheEnd()
    {
        make(By::Password, "pass");
        QSignalSpy changed(m_session.get(), &Session::tokenChanged);
        m_server->answer(json(503, "{}"));
        m_server->answer(json(200, R"({"access_token":"tok2","refresh_token":"ref2","expires_in_ms":3600000})"));
        QVERIFY(open(record("ref1", m_now + 500)).ok()); // due after 400 ms
        QTRY_COMPARE(changed.size(), 2);
        QCOMPARE(last().json().value(QStringLiteral("refresh_token")).toString(), QStringLiteral("ref1"));
        QCOMPARE(m_client->access().asToken, QByteArray("tok2"));
        QCOMPARE(kept().refreshToken, QByteArray("ref2"));
        QCOMPARE(kept().nextBatch, QStringLiteral("s9"));
    }

    void aSoftLogoutIsRenewed()
    {
        make(By::Sso);
        QVERIFY(open(record("ref1")).ok());
        m_server->answer(json(401, kSoft));
        m_server->answer(json(200, R"({"access_token":"tok2"})"));
        const auto answer = await<QString>([this](auto reply) { m_client->whoami({}, reply); });
        QVERIFY(answer.error().transient()); // the same will do with the next token
        QTRY_COMPARE(m_client->access().asToken, QByteArray("tok2"));
        QVERIFY(kept().refreshToken.isEmpty()); // it gave none: neither an end
    }

    void aSoftLogoutWithThePassword()
    {
        make(By::Password, "pass");
        QVERIFY(open(record()).ok());
        m_server->answer(json(401, kSoft));
        m_server->answer(json(200, loggedIn("tok2")));
        (void)await<QString>([this](auto reply) { m_client->whoami({}, reply); });
        QTRY_COMPARE(m_client->access().asToken, QByteArray("tok2"));
        QCOMPARE(last().json().value(QStringLiteral("device_id")).toString(), QStringLiteral("DEV"));
    }

    void aSoftLogoutThatNobodyMends()
    {
        make(By::Sso);
        QSignalSpy told(m_session.get(), &Session::told);
        QVERIFY(open(record("ref1")).ok());
        m_server->answer(json(401, kSoft));
        m_server->answer(json(401, kUnknown)); // the refresh token is dead, too
        (void)await<QString>([this](auto reply) { m_client->whoami({}, reply); });
        QTRY_COMPARE(kept().standing, Standing::LoggedOut);
        QCOMPARE(told.last().at(0).toBool(), false);
        QVERIFY(told.last().at(2).toString().contains(QStringLiteral("--login")));
        QVERIFY(m_client->access().asToken.isEmpty());
        // The next start says the same without asking, and a login goes on as the device.
        const SessionRecord before = kept();
        make(By::Sso);
        QCOMPARE(open(before).error().code, QStringLiteral("SESSION_ENDED"));
        m_server->answer(json(200, kFlows));
        m_session->begin(before, QUrl(QStringLiteral("http://127.0.0.1:5/")), [](const auto &) {});
        m_server->answer(json(200, loggedIn("tok3")));
        QTRY_COMPARE(m_server->requests().size(), 3);
        QVERIFY(wait([this](auto done) { m_session->finish("once", done); }).ok());
        QCOMPARE(last().json().value(QStringLiteral("device_id")).toString(), QStringLiteral("DEV"));
        QCOMPARE(kept().nextBatch, QStringLiteral("s9"));
    }

    void aHardLogoutIsTheEnd()
    {
        make(By::Password, "pass");
        QVERIFY(open(record("ref1")).ok());
        m_server->answer(json(401, kUnknown));
        (void)await<QString>([this](auto reply) { m_client->whoami({}, reply); });
        QTRY_COMPARE(kept().standing, Standing::Ended);
        QTest::qWait(300);
        QCOMPARE(m_server->requests().size(), 1); // no refresh, no login
        const SessionRecord before = kept();
        make(By::Password, "pass");
        QCOMPARE(open(before).error().code, QStringLiteral("SESSION_ENDED"));
        QCOMPARE(m_server->requests().size(), 1);
    }

    // An answer to what was sent with the token before is no news of this one.
    void aLateRefusalOfTheOldToken()
    {
        make(By::Sso);
        QVERIFY(open(record("ref1")).ok());
        m_server->answer(json(401, kUnknown));
        std::optional<Result<QString>> answer;
        m_client->whoami({}, [&answer](const auto &given) { answer = given; });
        m_client->setToken("tok1");
        QTRY_VERIFY(answer);
        QVERIFY(answer->error().transient());
        QCOMPARE(m_session->record().standing, Standing::LoggedIn);
    }

    void logsOut()
    {
        make(By::Sso);
        m_server->answer(json(503, "{}"));
        QVERIFY(!wait([this](auto done) { m_session->close(record(), done); }).ok());
        QCOMPARE(m_saves, 0); // nothing changes without the homeserver
        m_server->answer(json(401, kSoft));
        m_server->answer(json(200, R"({"access_token":"tok2"})"));
        m_server->answer(json(200, "{}"));
        QVERIFY(wait([this](auto done) { m_session->close(record("ref1"), done); }).ok());
        QCOMPARE(last().path(), QByteArray("/_matrix/client/v3/logout"));
        QCOMPARE(last().headers.value("authorization"), QByteArray("Bearer tok2"));
        QCOMPARE(m_saves, 1);
        QVERIFY(m_kept.isEmpty());
        QCOMPARE(wait([this](auto done) { m_session->close({}, done); }).error().code, QStringLiteral("NO_SESSION"));
    }

    void recordsAreReadBack()
    {
        const SessionRecord full = record("ref", 5);
        QVERIFY(sessionRecordOf(toBytes(full)) == full);
        for (const QByteArray &bytes : {QByteArray(), QByteArray("x"), QByteArray("[]"),
                                        QByteArray(R"({"version":"1"})"), toBytes(full).replace("logged_in", "dancing"),
                                        toBytes(full).replace(R"("version":"1")", R"("version":"2")")})
            QVERIFY(!sessionRecordOf(bytes));
    }
};

QTEST_GUILESS_MAIN(TestSession)
#include "tst_session.moc"
