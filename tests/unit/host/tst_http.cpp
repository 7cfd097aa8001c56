// SPDX-License-Identifier: Apache-2.0
// The HTTP server over real sockets: answers now and later, limits while reading, stalled and dripping clients,
// streams that are fed, finished, cut, and closing with requests open.
#include "http/server.h"
#include "http_client.h"

#include <QTimer>

using namespace bridgehost;

class TestHttp : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void answersAtOnce();
    void answersLaterFromAnotherThread();
    void keepsTheConnection();
    void refusesLargeBodies_data();
    void refusesLargeBodies();
    void bodiesOfAllAreLimited();
    void refusedByAdmissionKeepsNoByte();
    void answersBeforeTheBodyWhenAsked();
    void hugeHeadersAreRefused();
    void unreadablePathIsRefused();
    void stalledClientIsCut();
    void drippingClientIsCut();
    void connectionsPerAddressAreLimited();
    void streams();
    void slowStreamCanBeCut();
    void clientThatLeavesClosesItsStream();
    void closingAnswersWhatIsOpen();
    void portInUseIsAnError();

private:
    void serve(HttpLimits limits = {});
    HttpServer::Handler m_handler;
    std::unique_ptr<HttpServer> m_server;
    int m_handled = 0;
};

void TestHttp::init()
{
    m_server.reset();
    m_handled = 0;
    m_handler = [this](const ExchangePtr &exchange) {
        ++m_handled;
        exchange->reply(jsonReply(200, {{QStringLiteral("size"), exchange->request().body.size()}}));
    };
}

void TestHttp::serve(HttpLimits limits)
{
    m_server = std::make_unique<HttpServer>("test", limits, [this](const ExchangePtr &e) { m_handler(e); });
    QVERIFY(m_server->listen({QStringLiteral("127.0.0.1"), 0}));
    QVERIFY(m_server->port() > 0);
}

void TestHttp::answersAtOnce()
{
    serve();
    RawClient client(m_server->port());
    client.request("POST", "/x?token=1", "X-Some: y\r\n", "hello");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 200);
    QCOMPARE(client.body(), QByteArray("{\"size\":5}"));
    QVERIFY(client.received.contains("X-Request-Id: 1\r\n"));
}

void TestHttp::answersLaterFromAnotherThread()
{
    ExchangePtr open;
    m_handler = [&open](const ExchangePtr &exchange) { open = exchange; };
    serve();
    RawClient client(m_server->port());
    client.request("GET", "/later");
    QTRY_VERIFY(open);
    QVERIFY(!client.answered());
    std::unique_ptr<QThread> thread(QThread::create([&] {
        QMetaObject::invokeMethod(
            m_server.get(), [&open] { open->reply(jsonReply(201, {})); }, Qt::QueuedConnection);
    }));
    thread->start();
    QTRY_VERIFY(client.answered());
    thread->wait();
    QCOMPARE(client.status(), 201);
    open->reply(jsonReply(500, {})); // the second answer goes nowhere
    QTRY_VERIFY(open->gone());
}

void TestHttp::keepsTheConnection()
{
    serve();
    RawClient client(m_server->port());
    for (int i = 1; i <= 3; ++i) {
        client.received.clear();
        client.request("PUT", "/x", {}, QByteArray(100000, 'x'));
        QTRY_VERIFY(client.answered());
        QCOMPARE(client.body(), QByteArray("{\"size\":100000}"));
        QCOMPARE(m_handled, i);
    }
}

void TestHttp::refusesLargeBodies_data()
{
    QTest::addColumn<bool>("chunked");
    QTest::newRow("declared") << false;
    QTest::newRow("chunked") << true;
}

void TestHttp::refusesLargeBodies()
{
    QFETCH(bool, chunked);
    HttpLimits limits;
    limits.body = 1000;
    serve(limits);
    RawClient client(m_server->port());
    const QByteArray body(5'000'000, 'x');
    if (chunked)
        client.send("PUT /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    QByteArray::number(body.size(), 16) + "\r\n" + body + "\r\n0\r\n\r\n");
    else
        client.request("PUT", "/x", {}, body);
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 413);
    QVERIFY(client.body().contains("TOO_LARGE"));
    QCOMPARE(m_handled, 0);
}

void TestHttp::bodiesOfAllAreLimited()
{
    HttpLimits limits;
    limits.bodies = 1500;
    serve(limits);
    // The first stops before its end, so that what it has sent is kept.
    RawClient first(m_server->port());
    first.send("POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n" + QByteArray(1000, 'x'));
    RawClient second(m_server->port());
    QTRY_VERIFY([&] {
        RawClient probe(m_server->port());
        probe.request("POST", "/x", {}, QByteArray(1000, 'x'));
        return QTest::qWaitFor([&] { return probe.answered(); }) && probe.status() == 503 &&
               probe.received.contains("Retry-After: 1\r\n");
    }());
    first.send("x");
    QTRY_VERIFY(first.answered());
    QCOMPARE(first.status(), 200);
    second.request("POST", "/x", {}, QByteArray(1000, 'x')); // what was held is free again
    QTRY_VERIFY(second.answered());
    QCOMPARE(second.status(), 200);
}

void TestHttp::refusedByAdmissionKeepsNoByte()
{
    serve();
    m_server->setAdmission([](const Request &) { return errorReply(403, QStringLiteral("NO"), QStringLiteral("no")); });
    RawClient client(m_server->port());
    client.request("PUT", "/x", {}, QByteArray(200'000, 'x'));
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 403);
    QCOMPARE(m_handled, 0);
}

void TestHttp::answersBeforeTheBodyWhenAsked()
{
    HttpLimits limits;
    limits.body = 1000;
    serve(limits);
    RawClient client(m_server->port());
    client.send("PUT /x HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 50000000\r\n\r\n");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 413);
}

void TestHttp::hugeHeadersAreRefused()
{
    serve();
    RawClient client(m_server->port());
    client.request("GET", "/x", "X-Big: " + QByteArray(100'000, 'h') + "\r\n");
    QTRY_VERIFY(client.answered() || client.closed());
    QVERIFY(client.received.isEmpty() || client.status() == 431 || client.status() == 413);
    QCOMPARE(m_handled, 0);
}

void TestHttp::unreadablePathIsRefused()
{
    serve();
    RawClient client(m_server->port());
    client.request("GET", "/a%00b");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 400);
    QCOMPARE(m_handled, 0);
}

void TestHttp::stalledClientIsCut()
{
    HttpLimits limits;
    limits.stallMs = 1000;
    serve(limits);
    RawClient client(m_server->port());
    client.send("PUT /x HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhal");
    QTRY_VERIFY(client.socket.state() == QAbstractSocket::ConnectedState);
    QTRY_VERIFY_WITH_TIMEOUT(client.closed(), 20'000);
    QCOMPARE(m_handled, 0);
}

void TestHttp::drippingClientIsCut()
{
    HttpLimits limits;
    limits.requestMs = 600;
    serve(limits);
    RawClient client(m_server->port());
    client.send("GET /x HTTP/1.1\r\nX-Drip: ");
    QTimer drip;
    QObject::connect(&drip, &QTimer::timeout, &drip, [&client] { client.send("d"); });
    drip.start(50);
    QTRY_VERIFY_WITH_TIMEOUT(client.closed(), 20'000);
    QCOMPARE(m_handled, 0);
}

void TestHttp::connectionsPerAddressAreLimited()
{
    HttpLimits limits;
    limits.perAddress = 2;
    ExchangePtr first;
    ExchangePtr second;
    m_handler = [&](const ExchangePtr &exchange) { (first ? second : first) = exchange; };
    serve(limits);
    RawClient one(m_server->port());
    RawClient two(m_server->port());
    one.request("GET", "/1");
    two.request("GET", "/2");
    QTRY_VERIFY(first && second);
    RawClient three(m_server->port());
    three.request("GET", "/3");
    QTRY_VERIFY(three.closed());
    QVERIFY(three.received.isEmpty());
    first->reply(jsonReply(200, {}));
    second->reply(jsonReply(200, {}));
    QTRY_VERIFY(one.answered() && two.answered());
}

void TestHttp::streams()
{
    ExchangePtr stream;
    int drained = 0;
    bool closed = false;
    m_handler = [&](const ExchangePtr &exchange) {
        stream = exchange;
        exchange->startStream(
            "text/event-stream", [&] { ++drained; }, [&] { closed = true; });
        exchange->write("first;");
    };
    serve();
    RawClient client(m_server->port());
    client.request("GET", "/events");
    QTRY_VERIFY(client.received.contains("first;"));
    QTRY_COMPARE(drained, 1);
    stream->write("second;");
    stream->write("third;");
    QTRY_VERIFY(client.received.contains("third;"));
    QCOMPARE(stream->queuedBytes(), 0);
    stream->finish();
    QTRY_VERIFY(client.received.endsWith("0\r\n\r\n"));
    QTRY_VERIFY(closed);
    QVERIFY(stream->gone());
}

void TestHttp::slowStreamCanBeCut()
{
    ExchangePtr stream;
    bool closed = false;
    m_handler = [&](const ExchangePtr &exchange) {
        stream = exchange;
        exchange->startStream(
            "text/event-stream", [] {}, [&] { closed = true; });
    };
    serve();
    RawClient client(m_server->port());
    client.reading = false;
    client.socket.setReadBufferSize(1);
    client.request("GET", "/events");
    QTRY_VERIFY(stream);
    for (int i = 0; i < 200; ++i)
        stream->write(QByteArray(100'000, 'x')); // more than any socket buffer holds
    QTRY_VERIFY(stream->queuedBytes() < 20'000'000);
    QVERIFY(stream->queuedBytes() > 0);
    QVERIFY(!closed);
    stream->cut();
    QCOMPARE(stream->queuedBytes(), 0);
    QTRY_VERIFY(closed);
}

void TestHttp::clientThatLeavesClosesItsStream()
{
    ExchangePtr stream;
    bool closed = false;
    m_handler = [&](const ExchangePtr &exchange) {
        stream = exchange;
        exchange->startStream(
            "text/event-stream", [] {}, [&] { closed = true; });
        exchange->write("hello");
    };
    serve();
    {
        RawClient client(m_server->port());
        client.request("GET", "/events");
        QTRY_VERIFY(client.received.contains("hello"));
        client.socket.abort();
    }
    // Found out by writing, as by the heartbeat.
    QTRY_VERIFY((stream->write("x"), closed));
}

void TestHttp::closingAnswersWhatIsOpen()
{
    QList<ExchangePtr> open;
    m_handler = [&](const ExchangePtr &exchange) {
        open.append(exchange);
        if (exchange->request().path.first() == QLatin1String("events"))
            exchange->startStream(
                "text/event-stream", [] {}, [] {});
    };
    serve();
    RawClient waiting(m_server->port());
    waiting.request("GET", "/wait");
    RawClient stream(m_server->port());
    stream.request("GET", "/events");
    RawClient half(m_server->port());
    half.send("PUT /x HTTP/1.1\r\nContent-Le");
    QTRY_COMPARE(open.size(), 2);
    QTRY_VERIFY(stream.answered());
    m_server->close();
    m_server->close();
    QTRY_VERIFY(waiting.closed() && stream.closed() && half.closed());
    QCOMPARE(waiting.status(), 503);
    QVERIFY(stream.received.endsWith("0\r\n\r\n"));
    open.first()->reply(jsonReply(200, {})); // goes nowhere
}

void TestHttp::portInUseIsAnError()
{
    serve();
    HttpServer second("second", {}, [](const ExchangePtr &) {});
    const auto done = second.listen({QStringLiteral("127.0.0.1"), m_server->port()});
    QVERIFY(!done);
    QCOMPARE(done.error().message, QStringLiteral("Address already in use"));
}

QTEST_GUILESS_MAIN(TestHttp)
#include "tst_http.moc"
