// SPDX-License-Identifier: Apache-2.0
// The event stream over real sockets and a store that a test can hold back: resuming loses and repeats nothing, also
// when notices come while pages are read; a fresh stream begins with live calls; slow clients are cut and come back.
#include "http/server.h"
#include "http_client.h"
#include "notice_store.h"
#include "sse/event_stream.h"

#include <QPromise>
#include <QRegularExpression>

using namespace bridgehost;
using namespace voiphost;

namespace
{

QList<qint64> idsOf(const RawClient &client)
{
    QList<qint64> ids;
    static const QRegularExpression line(QStringLiteral("^id: (\\d+)$"), QRegularExpression::MultilineOption);
    auto it = line.globalMatch(QString::fromUtf8(client.received));
    while (it.hasNext())
        ids.append(it.next().captured(1).toLongLong());
    return ids;
}

QList<qint64> range(qint64 from, qint64 to)
{
    QList<qint64> ids;
    for (qint64 id = from; id <= to; ++id)
        ids.append(id);
    return ids;
}

} // namespace

class TestEventStream : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void format();
    void freshStreamBeginsWithLiveCalls();
    void freshStreamDoesNotMissWhatComesMeanwhile();
    void resumingLosesAndRepeatsNothing();
    void headerWinsOverQuery();
    void noticesDuringCatchUpComeOnce();
    void othersHearNothing();
    void repeatedNoticeIsNotSentTwice();
    void slowClientIsCutAndResumes();
    void streamsPerUserAreLimited();
    void streamsInAllAreLimited();
    void bytesInAllAreLimited();
    void badIdIsRefused();
    void failedReadIsAnswered();
    void heartbeat();
    void endsWithTheService();

private:
    std::unique_ptr<RawClient> connectClient(const QByteArray &target, const QByteArray &headers = {});
    void limit();
    StreamLimits m_limits;
    std::unique_ptr<NoticeStore> m_store;
    std::unique_ptr<EventStreams> m_streams;
    std::unique_ptr<HttpServer> m_server;
};

void TestEventStream::init()
{
    m_limits = {};
    m_limits.pageSize = 10;
    m_store = std::make_unique<NoticeStore>();
    limit();
    m_server = std::make_unique<HttpServer>("test", HttpLimits{}, [this](const ExchangePtr &exchange) {
        m_streams->open(exchange, QStringLiteral("alice"));
    });
    QVERIFY(m_server->listen({QStringLiteral("127.0.0.1"), 0}));
}

void TestEventStream::limit()
{
    m_streams = std::make_unique<EventStreams>(m_limits);
    m_streams->setService(m_store.get());
}

void TestEventStream::cleanup()
{
    m_streams->setService(nullptr);
    m_server->close();
}

std::unique_ptr<RawClient> TestEventStream::connectClient(const QByteArray &target, const QByteArray &headers)
{
    auto client = std::make_unique<RawClient>(m_server->port());
    client->request("GET", target, headers);
    return client;
}

void TestEventStream::format()
{
    CallNotice notice;
    notice.id = 7;
    notice.seq = 2;
    notice.callId = QStringLiteral("c");
    notice.conversationId = QStringLiteral("v");
    notice.kind = NoticeKind::Initiated;
    notice.data = {{QStringLiteral("sdp"), QStringLiteral("v=0\r\nx")}};
    QCOMPARE(EventStreams::format(notice),
             QByteArray("id: 7\nevent: call.initiated\n"
                        "data: {\"call_id\":\"c\",\"conversation_id\":\"v\",\"sdp\":\"v=0\\r\\nx\",\"seq\":2}\n\n"));
}

void TestEventStream::freshStreamBeginsWithLiveCalls()
{
    m_store->tell(QStringLiteral("ended"));
    m_store->tell(QStringLiteral("live"));
    m_store->tell(QStringLiteral("ended"));
    m_store->live = {QStringLiteral("live")};
    const auto client = connectClient("/events");
    QTRY_COMPARE(idsOf(*client), (QList<qint64>{2}));
    QVERIFY(client->received.contains("Content-Type: text/event-stream\r\n"));
    m_store->tell();
    QTRY_COMPARE(idsOf(*client), (QList<qint64>{2, 4}));
}

void TestEventStream::freshStreamDoesNotMissWhatComesMeanwhile()
{
    for (int i = 0; i < 3; ++i)
        m_store->tell(QStringLiteral("ended"));
    m_store->hold = true;
    const auto client = connectClient("/events");
    QTRY_COMPARE(m_store->reads, 1);
    m_store->tell();
    m_store->tell();
    m_store->release();
    QTRY_COMPARE(idsOf(*client), (QList<qint64>{4, 5}));
    m_store->tell();
    QTRY_COMPARE(idsOf(*client), (QList<qint64>{4, 5, 6}));
}

void TestEventStream::resumingLosesAndRepeatsNothing()
{
    for (int i = 0; i < 35; ++i)
        m_store->tell();
    const auto client = connectClient("/events?last_event_id=2");
    QTRY_COMPARE(idsOf(*client), range(3, 35));
    m_store->tell();
    QTRY_COMPARE(idsOf(*client), range(3, 36));
}

void TestEventStream::headerWinsOverQuery()
{
    for (int i = 0; i < 5; ++i)
        m_store->tell();
    const auto client = connectClient("/events?last_event_id=1", "Last-Event-ID: 4\r\n");
    QTRY_COMPARE(idsOf(*client), range(5, 5));
}

void TestEventStream::noticesDuringCatchUpComeOnce()
{
    for (int i = 0; i < 15; ++i)
        m_store->tell();
    m_store->hold = true;
    const auto client = connectClient("/events?last_event_id=0");
    QTRY_COMPARE(m_store->reads, 1);
    for (int round = 2; round <= 4; ++round) {
        m_store->tell(); // after the page was read, before it arrives
        m_store->release();
        m_store->hold = true;
        QTRY_COMPARE(m_store->reads, round);
        if (round == 3)
            break;
    }
    m_store->tell();
    m_store->release();
    QTRY_COMPARE(idsOf(*client), range(1, 18));
    m_store->tell();
    QTRY_COMPARE(idsOf(*client), range(1, 19));
}

void TestEventStream::othersHearNothing()
{
    const auto client = connectClient("/events");
    QTRY_VERIFY(client->answered());
    m_store->tell(QStringLiteral("c"), 0, QStringLiteral("bob"));
    m_store->tell(QStringLiteral("mine"));
    QTRY_VERIFY(client->received.contains("\"mine\""));
    QCOMPARE(idsOf(*client).size(), 1);
}

void TestEventStream::repeatedNoticeIsNotSentTwice()
{
    for (int i = 0; i < 3; ++i)
        m_store->tell();
    const auto client = connectClient("/events?last_event_id=1");
    QTRY_COMPARE(idsOf(*client), range(2, 3));
    CallNotice again = m_store->log.at(1);
    again.repeated = true;
    Q_EMIT m_store->noticed(again);
    m_store->tell();
    QTRY_COMPARE(idsOf(*client), range(2, 4));
}

void TestEventStream::slowClientIsCutAndResumes()
{
    const auto slow = connectClient("/events");
    QTRY_VERIFY(slow->answered());
    slow->reading = false;
    slow->socket.setReadBufferSize(1);
    const auto other = connectClient("/events");
    QTRY_VERIFY(other->answered());
    for (int i = 0; i < 300 && m_streams->cutClients() == 0; ++i) {
        m_store->tell(QStringLiteral("c"), 60'000);
        QTRY_VERIFY_WITH_TIMEOUT(other->received.count("\nid: ") == i + 1 || m_streams->cutClients() > 0, 10'000);
    }
    QCOMPARE(m_streams->cutClients(), 1u);
    QTRY_COMPARE(m_streams->count(), 1);
    const qint64 last = m_store->last.value(QStringLiteral("alice"));
    const auto again = connectClient("/events?last_event_id=1");
    QTRY_COMPARE_WITH_TIMEOUT(idsOf(*again), range(2, last), 20'000);
}

void TestEventStream::streamsPerUserAreLimited()
{
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < m_limits.perUser; ++i)
        clients.push_back(connectClient("/events"));
    for (const auto &client : clients)
        QTRY_VERIFY(client->answered());
    const auto over = connectClient("/events");
    QTRY_VERIFY(over->answered());
    QCOMPARE(over->status(), 429);
}

void TestEventStream::streamsInAllAreLimited()
{
    m_limits.total = 3;
    limit();
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(connectClient("/events"));
        QTRY_COMPARE(m_streams->count(), i + 1);
    }
    const auto over = connectClient("/events");
    QTRY_VERIFY(over->answered());
    QCOMPARE(over->status(), 503);
    clients.front()->socket.abort();
    m_store->tell(QStringLiteral("c"), 60'000); // it is found out by writing
    QTRY_VERIFY_WITH_TIMEOUT((m_store->tell(QStringLiteral("c"), 100), m_streams->count() == 2), 10'000);
    const auto next = connectClient("/events");
    QTRY_VERIFY(next->answered());
    QCOMPARE(next->status(), 200);
}

// Six that do not read, each within its own limit, and one that does.
void TestEventStream::bytesInAllAreLimited()
{
    m_limits.totalBytes = 3'000'000;
    limit();
    std::vector<std::unique_ptr<RawClient>> deaf;
    for (int i = 0; i < 6; ++i) {
        deaf.push_back(connectClient("/events"));
        QTRY_VERIFY(deaf.back()->answered());
        deaf.back()->reading = false;
        deaf.back()->socket.setReadBufferSize(1);
    }
    const auto reader = connectClient("/events");
    QTRY_VERIFY(reader->answered());
    for (int i = 0; i < 300 && m_streams->cutClients() < 6; ++i) {
        m_store->tell(QStringLiteral("c"), 60'000);
        QTRY_VERIFY_WITH_TIMEOUT(reader->received.count("\nid: ") == i + 1, 10'000);
        QVERIFY(m_streams->queuedBytes() <= m_limits.totalBytes);
    }
    QVERIFY(m_streams->cutClients() > 0);
    QVERIFY(!reader->closed());
}

void TestEventStream::badIdIsRefused()
{
    for (const char *target : {"/events?last_event_id=x", "/events?last_event_id=-1"}) {
        const auto client = connectClient(target);
        QTRY_VERIFY(client->answered());
        QCOMPARE(client->status(), 400);
    }
}

void TestEventStream::failedReadIsAnswered()
{
    m_store->fail = true;
    const auto client = connectClient("/events?last_event_id=1");
    QTRY_VERIFY(client->answered());
    QCOMPARE(client->status(), 503);
    QVERIFY(client->body().contains("DATABASE_UNAVAILABLE"));
    QCOMPARE(m_streams->count(), 0);
}

void TestEventStream::heartbeat()
{
    m_limits.heartbeatMs = 20;
    m_streams = std::make_unique<EventStreams>(m_limits);
    m_streams->setService(m_store.get());
    const auto client = connectClient("/events");
    QTRY_VERIFY(client->received.count(": heartbeat\n\n") >= 2);
    client->socket.abort();
    QTRY_COMPARE(m_streams->count(), 0); // found out by the heartbeat
}

void TestEventStream::endsWithTheService()
{
    const auto client = connectClient("/events");
    QTRY_VERIFY(client->answered());
    m_streams->setService(nullptr);
    QTRY_VERIFY(client->received.endsWith("0\r\n\r\n"));
    const auto late = connectClient("/events");
    QTRY_VERIFY(late->answered());
    QCOMPARE(late->status(), 503);
}

QTEST_GUILESS_MAIN(TestEventStream)
#include "tst_event_stream.moc"
