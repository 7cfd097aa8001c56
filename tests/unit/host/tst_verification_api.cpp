// SPDX-License-Identifier: Apache-2.0
// The admin API's verifications over real sockets: what is shown, what the administrator's word becomes, and what a
// host without a plugin that can be verified answers.
#include "admin/verification_api.h"
#include "http/server.h"
#include "http_client.h"

#include <QJsonArray>
#include <QJsonDocument>

using namespace bridgehost;
using namespace voiphost;

class FakePlugin : public Verification
{
public:
    QList<PendingVerification> list;
    QStringList said;

    QFuture<Expected<QList<PendingVerification>>> verifications() override
    {
        return QtFuture::makeReadyFuture(Expected<QList<PendingVerification>>(list));
    }
    QFuture<Expected<Done>> confirmVerification(const QString &id) override { return judge("confirm " + id, id); }
    QFuture<Expected<Done>> cancelVerification(const QString &id) override { return judge("cancel " + id, id); }

private:
    QFuture<Expected<Done>> judge(const QString &what, const QString &id)
    {
        said.push_back(what);
        Expected<Done> answer = Done{};
        if (id == "none")
            answer = Error{ErrorKind::NotFound, "VERIFICATION_NOT_FOUND", "none", {}};
        if (id == "over")
            answer = Error{ErrorKind::Conflict, "WRONG_STATE", "over", {}};
        return QtFuture::makeReadyFuture(answer);
    }
};

class TestVerificationApi : public QObject
{
    Q_OBJECT

private:
    FakePlugin m_plugin;
    Verification *m_verification = nullptr;
    std::unique_ptr<HttpServer> m_server;
    QJsonObject m_answer;

    int ask(const QByteArray &method, const QByteArray &path)
    {
        RawClient client(m_server->port());
        client.request(method, path, {}, {});
        if (!QTest::qWaitFor([&client] { return client.answered(); }, 20'000))
            return -1;
        m_answer = QJsonDocument::fromJson(client.body()).object();
        return client.status();
    }

private Q_SLOTS:
    void init()
    {
        m_plugin = {};
        m_verification = &m_plugin;
        m_server = std::make_unique<HttpServer>("api", HttpLimits{}, [this](const ExchangePtr &exchange) {
            answerVerifications(this, exchange, exchange->request().path.mid(1), m_verification);
        });
        QVERIFY(m_server->listen({QStringLiteral("127.0.0.1"), 0}));
    }

    void what_is_shown()
    {
        m_plugin.list = {
            {"a1", "@alice:test", "OWNER", VerificationState::Compare, {{"🐶", "Dog"}}, {1000, 2, 3}, 77, {}},
            {"b2", "@alice:test", "OTHER", VerificationState::Cancelled, {}, {}, 78, "m.timeout"}};
        QCOMPARE(ask("GET", "/verifications"), 200);
        const QJsonArray shown = m_answer.value("verifications").toArray();
        QCOMPARE(shown.size(), 2);
        QCOMPARE(shown[0].toObject(), (QJsonObject{{"id", "a1"},
                                                   {"account", "@alice:test"},
                                                   {"device", "OWNER"},
                                                   {"state", "compare"},
                                                   {"emoji", QJsonArray{QJsonObject{{"emoji", "🐶"}, {"name", "Dog"}}}},
                                                   {"numbers", QJsonArray{1000, 2, 3}},
                                                   {"expires_at", 77}}));
        QCOMPARE(shown[1].toObject().value("reason").toString(), QString("m.timeout"));
    }

    void the_administrators_word()
    {
        QCOMPARE(ask("POST", "/verifications/a1/confirm"), 200);
        QCOMPARE(ask("POST", "/verifications/a1/cancel"), 200);
        QCOMPARE(m_plugin.said, (QStringList{"confirm a1", "cancel a1"}));
        QCOMPARE(ask("POST", "/verifications/none/confirm"), 404);
        QCOMPARE(m_answer.value("error").toString(), QString("VERIFICATION_NOT_FOUND"));
        QCOMPARE(ask("POST", "/verifications/over/cancel"), 409);
    }

    void what_is_not_there()
    {
        QCOMPARE(ask("POST", "/verifications"), 405);
        QCOMPARE(ask("GET", "/verifications/a1/confirm"), 405);
        QCOMPARE(ask("POST", "/verifications/a1/explode"), 404);
        QCOMPARE(ask("POST", "/verifications/a1"), 404);
        QCOMPARE(ask("POST", "/verifications/a1/confirm/more"), 404);
        QVERIFY(m_plugin.said.isEmpty());
        m_verification = nullptr;
        QCOMPARE(ask("GET", "/verifications"), 200);
        QVERIFY(m_answer.value("verifications").toArray().isEmpty());
        QCOMPARE(ask("POST", "/verifications/a1/confirm"), 404);
    }
};

QTEST_GUILESS_MAIN(TestVerificationApi)
#include "tst_verification_api.moc"
