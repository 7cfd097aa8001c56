// SPDX-License-Identifier: Apache-2.0
// The appservice endpoints over real sockets: tokens, paths old and new, splitting by event type, and 200 only when
// every handler has said Durable.
#include "appservice/appservice_api.h"
#include "http/server.h"
#include "http_client.h"

#include <QPromise>

using namespace bridgehost;
using namespace voiphost;

namespace
{

class Handler : public EventHandler
{
public:
    QFuture<BatchResult> deliver(const EventBatch &batch) override
    {
        batches.append(batch);
        promise = std::make_unique<QPromise<BatchResult>>();
        promise->start();
        if (answer)
            finish(*answer);
        return promise->future();
    }
    void finish(BatchResult result)
    {
        promise->addResult(result);
        promise->finish();
    }
    std::optional<BatchResult> answer = BatchResult::Durable;
    QList<EventBatch> batches;
    std::unique_ptr<QPromise<BatchResult>> promise;
};

QByteArray matrixEvent(const QByteArray &type, const QByteArray &id)
{
    return "{\"type\":\"" + type + "\",\"event_id\":\"$" + id +
           "\",\"room_id\":\"!r:t\",\"sender\":\"@b:t\",\"content\":{}}";
}

} // namespace

class TestAppservice : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void endpoints_data();
    void endpoints();
    void deliversByType();
    void answersOnlyWhenDurable();
    void refusedIsNotCounted();
    void oneRefusalRefusesAll();
    void withoutHandlersNothingIsAccepted();
    void handlerThatNeverAnswers();
    void badTransactionNamesTheField();
    void uninterestingTransactionIsAccepted();

private:
    QByteArray put(RawClient &client, const QByteArray &body, const QByteArray &id = "1");
    std::unique_ptr<EventRouter> m_router;
    std::unique_ptr<AppserviceApi> m_api;
    std::unique_ptr<HttpServer> m_server;
};

void TestAppservice::init()
{
    m_server.reset();
    Config config;
    config.hsToken = "hs";
    config.serverName = QStringLiteral("t");
    config.userPrefix = QStringLiteral("nova_");
    config.users = {{{QStringLiteral("alice"), QStringLiteral("Alice")}, "tok"}};
    m_router = std::make_unique<EventRouter>();
    m_api = std::make_unique<AppserviceApi>(config, m_router.get());
    m_server = std::make_unique<HttpServer>("as", HttpLimits{}, [this](const ExchangePtr &e) { m_api->handle(e); });
    m_server->setAdmission([this](const Request &request) { return m_api->admit(request); });
    QVERIFY(m_server->listen({QStringLiteral("127.0.0.1"), 0}));
}

QByteArray TestAppservice::put(RawClient &client, const QByteArray &body, const QByteArray &id)
{
    client.received.clear();
    client.request("PUT", "/_matrix/app/v1/transactions/" + id, "Authorization: Bearer hs\r\n", body);
    return body;
}

void TestAppservice::endpoints_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("token");
    QTest::addColumn<int>("status");
    const auto row = [](const char *name, const char *method, const char *target, const char *token, int status) {
        QTest::newRow(name) << QByteArray(method) << QByteArray(target) << QByteArray(token) << status;
    };
    row("ping", "POST", "/_matrix/app/v1/ping", "hs", 200);
    row("ping old", "POST", "/ping", "hs", 200);
    row("no token", "POST", "/_matrix/app/v1/ping", "", 401);
    row("wrong token", "POST", "/_matrix/app/v1/ping", "hs2", 403);
    row("query token", "POST", "/_matrix/app/v1/ping?access_token=hs", "", 200);
    row("wrong query token", "POST", "/_matrix/app/v1/ping?access_token=as", "", 403);
    row("header wins", "POST", "/_matrix/app/v1/ping?access_token=hs", "x", 403);
    row("ghost", "GET", "/_matrix/app/v1/users/%40nova_alice%3At", "hs", 200);
    row("ghost old", "GET", "/users/@nova_alice:t", "hs", 200);
    row("other ghost", "GET", "/_matrix/app/v1/users/%40nova_bob%3At", "hs", 404);
    row("room", "GET", "/_matrix/app/v1/rooms/%23a%3At", "hs", 404);
    row("wrong method", "GET", "/_matrix/app/v1/transactions/1", "hs", 405);
    row("unknown", "GET", "/_matrix/app/v1/nothing", "hs", 404);
    row("no id", "PUT", "/_matrix/app/v1/transactions/", "hs", 404);
}

void TestAppservice::endpoints()
{
    QFETCH(QByteArray, method);
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, token);
    RawClient client(m_server->port());
    client.request(method, target, token.isEmpty() ? QByteArray() : "Authorization: Bearer " + token + "\r\n");
    QTRY_VERIFY(client.answered());
    QTEST(client.status(), "status");
    if (client.status() != 200)
        QVERIFY(client.body().contains("\"errcode\":\"M_"));
}

void TestAppservice::deliversByType()
{
    Handler calls;
    Handler members;
    m_router->registerHandler(&calls, {QStringLiteral("m.call.*"), QStringLiteral("m.room.encrypted")});
    m_router->registerHandler(&members, {QStringLiteral("m.room.member")});
    RawClient client(m_server->port());
    put(client,
        "{\"events\":[" + matrixEvent("m.call.invite", "1") + ',' + matrixEvent("m.room.member", "2") + ',' +
            matrixEvent("m.callous", "3") + ',' + matrixEvent("m.call.hangup", "4") + "]}",
        "txn%2F7");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 200);
    QCOMPARE(client.body(), QByteArray("{}"));
    QCOMPARE(calls.batches.size(), 1);
    QCOMPARE(calls.batches.first().transactionId, QStringLiteral("txn/7"));
    QCOMPARE(calls.batches.first().events.size(), 2);
    QVERIFY(calls.batches.first().receivedAt > 0);
    QCOMPARE(members.batches.first().events.size(), 1);

    put(client, "{\"events\":[],\"device_one_time_keys_count\":{\"@u:t\":{}}}");
    QTRY_VERIFY(client.answered());
    QCOMPARE(calls.batches.size(), 2);
    QCOMPARE(members.batches.size(), 2);
    m_router->unregisterHandler(&members);
}

void TestAppservice::answersOnlyWhenDurable()
{
    Handler handler;
    handler.answer.reset();
    m_router->registerHandler(&handler, {QStringLiteral("m.call.*")});
    RawClient client(m_server->port());
    put(client, "{\"events\":[" + matrixEvent("m.call.invite", "1") + ",{}]}");
    QTRY_COMPARE(handler.batches.size(), 1);
    QVERIFY(!client.answered());
    QVERIFY(m_api->rejectedEvents().isEmpty());
    handler.finish(BatchResult::Durable);
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 200);
    QCOMPARE(m_api->rejectedEvents().value(QStringLiteral("bad_type")), 1u);
    QCOMPARE(m_api->transactions().value(QStringLiteral("durable")), 1u);
}

void TestAppservice::refusedIsNotCounted()
{
    Handler handler;
    handler.answer = BatchResult::Refused;
    m_router->registerHandler(&handler, {QStringLiteral("m.call.*")});
    RawClient client(m_server->port());
    put(client, "{\"events\":[" + matrixEvent("m.call.invite", "1") + ",{}]}");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 503);
    QVERIFY(client.received.contains("Retry-After: 1\r\n"));
    QVERIFY(m_api->rejectedEvents().isEmpty());
}

void TestAppservice::oneRefusalRefusesAll()
{
    Handler good;
    Handler full;
    full.answer = BatchResult::Refused;
    m_router->registerHandler(&good, {QStringLiteral("m.call.*")});
    m_router->registerHandler(&full, {QStringLiteral("m.call.*")});
    RawClient client(m_server->port());
    put(client, "{\"events\":[" + matrixEvent("m.call.invite", "1") + "]}");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 503);
}

void TestAppservice::withoutHandlersNothingIsAccepted()
{
    RawClient client(m_server->port());
    put(client, "{\"events\":[]}");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 503);
}

void TestAppservice::handlerThatNeverAnswers()
{
    Handler handler;
    handler.answer.reset();
    m_router->registerHandler(&handler, {QStringLiteral("m.call.*")});
    m_api->setPatience(50);
    RawClient client(m_server->port());
    put(client, "{\"events\":[" + matrixEvent("m.call.invite", "1") + "]}");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 503);
    handler.finish(BatchResult::Durable); // too late: it was refused, and comes again
    QTRY_COMPARE(m_api->transactions().value(QStringLiteral("refused")), 1u);
    QCOMPARE(m_api->transactions().value(QStringLiteral("durable")), 0u);
}

void TestAppservice::badTransactionNamesTheField()
{
    Handler handler;
    m_router->registerHandler(&handler, {QStringLiteral("*")});
    RawClient client(m_server->port());
    put(client, "{\"events\":5}");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 400);
    QVERIFY(client.body().contains("'events' must be an array"));
    QVERIFY(handler.batches.isEmpty());
}

void TestAppservice::uninterestingTransactionIsAccepted()
{
    Handler handler;
    m_router->registerHandler(&handler, {QStringLiteral("m.call.*")});
    RawClient client(m_server->port());
    put(client, "{\"events\":[" + matrixEvent("m.room.message", "1") + "],\"ephemeral\":[]}");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 200);
    QVERIFY(handler.batches.isEmpty());
}

QTEST_GUILESS_MAIN(TestAppservice)
#include "tst_appservice.moc"
