// SPDX-License-Identifier: Apache-2.0
// What the listeners stand against clients that mean ill: guessed tokens, bodies of strangers, requests of two lengths,
// answers and streams that nobody reads. Over real sockets, with limits scaled down; others are served meanwhile.
#include "http/guesses.h"
#include "http/server.h"
#include "http_client.h"

#include <QFile>
#include <QTimer>

#include <netinet/in.h>

using namespace bridgehost;

namespace
{

ClientAddress v4(const char *text)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(quint32(QByteArray(text).toULong(nullptr, 16)));
    return clientAddress(reinterpret_cast<const sockaddr *>(&address));
}

ClientAddress v6(const QByteArray &bytes)
{
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    std::copy(bytes.begin(), bytes.end(), address.sin6_addr.s6_addr);
    return clientAddress(reinterpret_cast<const sockaddr *>(&address));
}

} // namespace

class TestLimits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void addresses();
    void slotsOfAnAddress();
    void tableIsBounded();
    void paceOfAnAsker();
    void tooManyRequestsAreRefused();
    void wrongTokenWaits();
    void guessingIsNotLookedAt();
    void leavingEarlyFreesNoSlot();
    void askingBeforeSendingDoesNotHelp();
    void closingAnswersWhatWaits();
    void strangersBodyIsNotKept();
    void twoLengths_data();
    void twoLengths();
    void answersAreNobodyElses();
    void answerThatNobodyReads();
    void streamThatDrips();

private:
    void serve(const HttpLimits &limits = {});
    [[nodiscard]] bool served();
    HttpServer::Handler m_handler;
    std::unique_ptr<HttpServer> m_server;
    int m_looked = 0; // tokens
};

void TestLimits::init()
{
    m_server.reset();
    m_looked = 0;
    m_handler = [this](const ExchangePtr &exchange) {
        const QByteArray token = bearerToken(exchange->request());
        m_looked += token.isEmpty() ? 0 : 1;
        if (!token.isEmpty() && token != "right")
            exchange->reply(wrongToken(errorReply(401, QStringLiteral("UNAUTHORIZED"), QStringLiteral("wrong"))));
        else
            exchange->reply(jsonReply(200, {{QStringLiteral("size"), exchange->request().body.size()}}));
    };
}

void TestLimits::serve(const HttpLimits &limits)
{
    m_server = std::make_unique<HttpServer>("test", limits, [this](const ExchangePtr &e) { m_handler(e); });
    QVERIFY(m_server->listen({QStringLiteral("127.0.0.1"), 0}));
}

// Somebody else is answered.
bool TestLimits::served()
{
    RawClient other(m_server->port());
    other.request("GET", "/other");
    return QTest::qWaitFor([&] { return other.answered(); }) && other.status() == 200;
}

void TestLimits::addresses()
{
    QVERIFY(v4("7f000001").thisMachine && v4("7f123456").thisMachine);
    QVERIFY(!v4("0a000001").thisMachine);
    QVERIFY(v6(QByteArray(15, '\0') + '\1').thisMachine);
    const QByteArray network("\x20\x01\x0d\xb8\x00\x00\x00\x01", 8);
    QCOMPARE(v6(network + QByteArray(8, 'a')).bytes, v6(network + QByteArray(8, 'b')).bytes); // one neighbourhood
    QVERIFY(!v6(network + QByteArray(8, 'a')).thisMachine);
    const QByteArray mapped = QByteArray(10, '\0') + "\xff\xff";
    QCOMPARE(v6(mapped + "\x0a\x01\x02\x03").bytes, v4("0a010203").bytes);
    QVERIFY(v6(mapped + QByteArray("\x7f\0\0\1", 4)).thisMachine);
    QVERIFY(clientAddress(nullptr).bytes.isEmpty() && !clientAddress(nullptr).thisMachine);
}

void TestLimits::slotsOfAnAddress()
{
    Guesses guesses({.holdMs = 100, .slots = 2});
    const ClientAddress one = v4("0a000001");
    QVERIFY(guesses.mayTry(one, 0));
    QCOMPARE(guesses.wrong(one, 0), 100);
    QCOMPARE(guesses.wrong(one, 50), 100);
    QVERIFY(!guesses.mayTry(one, 99));
    QVERIFY(guesses.mayTry(v4("0a000002"), 99)); // nobody else suffers
    QVERIFY(guesses.mayTry(one, 100));
    static_cast<void>(guesses.wrong(one, 100));
    QVERIFY(!guesses.mayTry(one, 149));
    QVERIFY(guesses.mayTry(one, 150));
    QCOMPARE(guesses.wrongOnes(), 3u);
    QCOMPARE(guesses.unheard(), 2u);

    const ClientAddress proxy = v4("7f000001");
    for (int i = 0; i < 100; ++i)
        static_cast<void>(guesses.wrong(proxy, 200));
    QVERIFY(guesses.mayTry(proxy, 200));
}

void TestLimits::tableIsBounded()
{
    Guesses guesses({.holdMs = 100, .slots = 1, .addresses = 10});
    for (quint32 i = 0; i < 1000; ++i)
        static_cast<void>(guesses.wrong(v4(QByteArray::number(0x0a000000 + i, 16).constData()), 0));
    QCOMPARE(guesses.addresses(), 10);
    QVERIFY(!guesses.mayTry(v4("0b000001"), 50)); // full: of new ones nothing can be remembered
    QVERIFY(guesses.mayTry(v4("0b000001"), 100));
    QCOMPARE(guesses.addresses(), 0);
}

void TestLimits::paceOfAnAsker()
{
    Pace pace({.atOnce = 3, .perSecond = 10, .askers = 2});
    for (int i = 0; i < 3; ++i)
        QVERIFY(pace.may("one", 1000));
    QVERIFY(!pace.may("one", 1000));
    QVERIFY(!pace.may("one", 1099)); // and asking in vain costs nothing
    QVERIFY(pace.may("one", 1100));
    QVERIFY(!pace.may("one", 1199));
    QVERIFY(pace.may("two", 1199)); // nobody else suffers
    // Of too many the new ones share a measure; who has rested is forgotten.
    for (int i = 0; i < 3; ++i)
        QVERIFY(pace.may(QByteArray::number(i), 1199));
    QVERIFY(!pace.may("another", 1199));
    QVERIFY(pace.askers() <= 3);
    QVERIFY(pace.may("another", 60'000));
    QCOMPARE(pace.askers(), 1);
}

void TestLimits::tooManyRequestsAreRefused()
{
    HttpLimits limits;
    limits.pace = {.atOnce = 5, .perSecond = 1};
    serve(limits);
    m_handler = [](const ExchangePtr &exchange) { exchange->reply(jsonReply(200, {})); };
    const auto statusOf = [this](const QByteArray &token) {
        RawClient client(m_server->port());
        client.request("GET", "/x", token.isEmpty() ? QByteArray() : "Authorization: Bearer " + token + "\r\n");
        return QTest::qWaitFor([&] { return client.answered(); }) ? client.status() : 0;
    };
    for (int i = 0; i < 5; ++i)
        QCOMPARE(statusOf("one"), 200);
    QCOMPARE(statusOf("one"), 429);
    QCOMPARE(statusOf("two"), 200);
    for (int i = 0; i < 20; ++i) // of this machine, without a token: the proxy counts
        QCOMPARE(statusOf({}), 200);
}

void TestLimits::wrongTokenWaits()
{
    HttpLimits limits;
    limits.guesses.holdMs = 400;
    serve(limits);
    QElapsedTimer clock;
    clock.start();
    RawClient guesser(m_server->port());
    RawClient user(m_server->port());
    guesser.request("GET", "/x", "Authorization: Bearer guess\r\n");
    user.request("GET", "/x", "Authorization: Bearer right\r\n");
    QTRY_VERIFY(user.answered());
    QCOMPARE(user.status(), 200);
    QVERIFY(!guesser.answered()); // the right one of the same address did not wait
    QTRY_VERIFY(guesser.answered());
    QCOMPARE(guesser.status(), 401);
    QVERIFY(clock.elapsed() >= limits.guesses.holdMs);
    guesser.received.clear();
    guesser.request("GET", "/x", "Authorization: Bearer right\r\n"); // the connection is of use
    QTRY_VERIFY(guesser.answered());
    QCOMPARE(guesser.status(), 200);
}

void TestLimits::guessingIsNotLookedAt()
{
    HttpLimits limits;
    limits.guesses = {.holdMs = 60'000, .slots = 3, .sparesThisMachine = false};
    serve(limits);
    std::vector<std::unique_ptr<RawClient>> guessers;
    for (int i = 0; i < 40; ++i) {
        guessers.push_back(std::make_unique<RawClient>(m_server->port()));
        guessers.back()->request("GET", i % 2 ? "/x" : "/x?access_token=y",
                                 "Authorization: Bearer guess" + QByteArray::number(i) + "\r\n");
    }
    const auto refused = [&] {
        return std::count_if(guessers.cbegin(), guessers.cend(), [](const auto &g) { return g->status() == 429; });
    };
    QTRY_COMPARE(refused(), 37);
    QCOMPARE(m_looked, 3);
    QVERIFY(served()); // who has no token has nothing to guess
    RawClient query(m_server->port());
    query.request("GET", "/x?access_token=guess");
    QTRY_VERIFY(query.answered());
    QCOMPARE(query.status(), 429);
    QVERIFY(query.received.contains("Retry-After: 1\r\n"));
}

void TestLimits::leavingEarlyFreesNoSlot()
{
    HttpLimits limits;
    limits.guesses = {.holdMs = 60'000, .slots = 3, .sparesThisMachine = false};
    serve(limits);
    for (int i = 0; i < 3; ++i) {
        RawClient guesser(m_server->port());
        guesser.request("GET", "/x", "Authorization: Bearer guess\r\n");
        QTRY_COMPARE(m_looked, i + 1);
        guesser.socket.abort();
    }
    RawClient fourth(m_server->port());
    fourth.request("GET", "/x", "Authorization: Bearer right\r\n");
    QTRY_VERIFY(fourth.answered());
    QCOMPARE(fourth.status(), 429);
    QCOMPARE(m_looked, 3);
}

void TestLimits::askingBeforeSendingDoesNotHelp()
{
    HttpLimits limits;
    limits.guesses.holdMs = 400;
    serve(limits);
    m_server->setAdmission(
        [](const Request &) { return wrongToken(errorReply(403, QStringLiteral("NO"), QStringLiteral("no"))); });
    QElapsedTimer clock;
    clock.start();
    RawClient client(m_server->port());
    client.send("PUT /x HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    QTRY_VERIFY(client.received.startsWith("HTTP/1.1 100"));
    client.received.clear();
    client.send("12345");
    QTRY_VERIFY(client.answered());
    QCOMPARE(client.status(), 403);
    QVERIFY(clock.elapsed() >= limits.guesses.holdMs);
}

void TestLimits::closingAnswersWhatWaits()
{
    HttpLimits limits;
    limits.guesses.holdMs = 60'000;
    serve(limits);
    RawClient guesser(m_server->port());
    guesser.request("GET", "/x", "Authorization: Bearer guess\r\n");
    QTRY_COMPARE(m_looked, 1);
    QCOMPARE(m_server->waiting(), 0); // it is nobody to wait for
    m_server->close();
    QTRY_VERIFY(guesser.closed());
    QCOMPARE(guesser.status(), 503);
}

void TestLimits::strangersBodyIsNotKept()
{
    serve();
    m_server->setBodyRule([](const Request &request) { return bearerToken(request) == "right"; });
    for (const auto &[token, size] : {std::pair("right", "{\"size\":200000}"), std::pair("", "{\"size\":0}")}) {
        RawClient client(m_server->port());
        client.request("PUT", "/x", "Authorization: Bearer " + QByteArray(token) + "\r\n", QByteArray(200'000, 'x'));
        QTRY_VERIFY(client.answered());
        QCOMPARE(client.body(), QByteArray(size));
    }
}

void TestLimits::twoLengths_data()
{
    QTest::addColumn<QByteArray>("headers");
    QTest::newRow("lengths") << QByteArray("Content-Length: 5\r\nContent-Length: 30\r\n");
    QTest::newRow("length and chunks") << QByteArray("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
    QTest::newRow("chunks twice") << QByteArray("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n");
}

void TestLimits::twoLengths()
{
    QFETCH(QByteArray, headers);
    QStringList seen;
    m_handler = [&seen](const ExchangePtr &exchange) {
        seen.append(QString::fromLatin1(exchange->request().rawPath));
        exchange->reply(jsonReply(200, {}));
    };
    serve();
    RawClient client(m_server->port());
    client.send("POST /x HTTP/1.1\r\nHost: t\r\n" + headers + "\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n");
    QTRY_VERIFY(client.answered() || client.closed());
    QVERIFY(client.received.isEmpty() || client.status() == 400);
    QVERIFY2(!seen.contains(QStringLiteral("/x")), "a request of two lengths was believed");
}

void TestLimits::answersAreNobodyElses()
{
    serve();
    RawClient client(m_server->port());
    client.request("GET", "/x");
    QTRY_VERIFY(client.answered());
    for (const char *header :
         {"Cache-Control: no-store", "X-Content-Type-Options: nosniff", "X-Frame-Options: DENY",
          "Referrer-Policy: no-referrer", "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'"})
        QVERIFY2(client.received.contains(header + QByteArray("\r\n")), header);
}

void TestLimits::answerThatNobodyReads()
{
    HttpLimits limits;
    limits.readMs = 600;
    const QByteArray large(30'000'000, 'x'); // more than any socket buffer holds
    m_handler = [&large](const ExchangePtr &exchange) {
        if (exchange->request().path.first() == QLatin1String("large"))
            exchange->reply({200, large, QByteArrayLiteral("text/plain"), {}});
        else
            exchange->reply(jsonReply(200, {}));
    };
    serve(limits);
    RawClient reader(m_server->port());
    reader.reading = false;
    reader.socket.setReadBufferSize(10);
    reader.request("GET", "/large");
    // It drips: each time something moves, so that no stall is seen.
    QTimer drip;
    connect(&drip, &QTimer::timeout, &drip, [&reader] { static_cast<void>(reader.socket.read(10)); });
    drip.start(20);
    QTRY_VERIFY(reader.socket.bytesAvailable() > 0);
    QVERIFY(served());
    QTRY_VERIFY_WITH_TIMEOUT(m_server->slowClients() == 1, 20'000);
    QVERIFY(served());
}

void TestLimits::streamThatDrips()
{
    HttpLimits limits;
    limits.readMs = 2000;
    QList<ExchangePtr> streams;
    int closed = 0;
    m_handler = [&](const ExchangePtr &exchange) {
        if (exchange->request().path.first() != QLatin1String("events"))
            return exchange->reply(jsonReply(200, {}));
        streams.append(exchange);
        exchange->startStream(
            "text/event-stream", [] {}, [&] { ++closed; });
    };
    serve(limits);
    RawClient dripping(m_server->port());
    dripping.reading = false;
    dripping.socket.setReadBufferSize(10);
    dripping.request("GET", "/events");
    QTRY_COMPARE(streams.size(), 1);
    RawClient steady(m_server->port());
    steady.request("GET", "/events");
    QTRY_COMPARE(streams.size(), 2);
    QTimer writer;
    connect(&writer, &QTimer::timeout, &writer, [&] {
        for (const ExchangePtr &stream : std::as_const(streams))
            stream->write(QByteArray(200'000, 'x'));
        static_cast<void>(dripping.socket.read(10));
    });
    writer.start(20);
    QTRY_COMPARE_WITH_TIMEOUT(closed, 1, 20'000);
    QVERIFY(streams.first()->gone() && !streams.last()->gone()); // it is busy all the time, and never behind
    QCOMPARE(m_server->slowClients(), 1u);
    QVERIFY(served());
}

QTEST_GUILESS_MAIN(TestLimits)
#include "tst_limits.moc"
