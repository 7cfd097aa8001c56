// SPDX-License-Identifier: Apache-2.0
// The loop over /sync against a homeserver that plays back: durable before it goes on, gaps, failures, tokens.
#include "await.h"

#include <QPromise>
#include <QSignalSpy>
#include <QUrlQuery>

#include <homeserver/syncloop.h>

using namespace voip::homeserver;
using fakehttp::Answer;
using fakehttp::FakeHttp;
using voiphost::BatchResult;
using voiphost::EventBatch;

namespace
{

const QString kAlice = QStringLiteral("@alice:test");
const QString kRoom = QStringLiteral("!r:test");

QByteArray call(const char *id, int age = 10)
{
    return QByteArray(R"({"event_id":")") + id +
           R"(","type":"m.call.invite","sender":"@bob:test","content":{},"unsigned":{"age":)" +
           QByteArray::number(age) + "}}";
}

QByteArray timeline(const char *next, const QByteArray &events, const char *gap = nullptr)
{
    const QByteArray limited = gap ? QByteArray(R"("limited":true,"prev_batch":")") + gap + R"(",)" : QByteArray();
    return QByteArray(R"({"next_batch":")") + next + R"(","rooms":{"join":{"!r:test":{"timeline":{)" + limited +
           R"("events":[)" + events + "]}}}}}";
}

QString queryOf(const fakehttp::Request &request, const char *key)
{
    return QUrlQuery(QUrl::fromEncoded(request.target)).queryItemValue(QLatin1String(key), QUrl::FullyDecoded);
}

} // namespace

class TestSyncLoop : public QObject
{
    Q_OBJECT

    std::unique_ptr<FakeHttp> m_server;
    std::unique_ptr<SyncLoop> m_loop;
    QVector<EventBatch> m_batches;
    BatchResult m_result = BatchResult::Durable;

    void make(int gapPages = 5, std::chrono::milliseconds gapPatience = std::chrono::seconds(30))
    {
        Access access{m_server->url(), QStringLiteral("test"), "tok", {}, {}, kAlice};
        SyncSettings settings{kAlice, {QStringLiteral("m.call.*")}};
        settings.gapPages = gapPages;
        settings.gapPatience = gapPatience;
        m_loop = std::make_unique<SyncLoop>(
            access, settings,
            [this](const EventBatch &batch) {
                m_batches.push_back(batch);
                QPromise<BatchResult> promise;
                promise.start();
                promise.addResult(m_result);
                promise.finish();
                return promise.future();
            },
            nullptr, [] { return 0.0; });
    }
    void start(const char *since) { m_loop->start(QStringLiteral("DEV"), QLatin1String(since)); }
    [[nodiscard]] QStringList ids(qsizetype batch = 0) const
    {
        QStringList list;
        for (const QJsonObject &event : m_batches.value(batch).events)
            list += event.value(QStringLiteral("event_id")).toString();
        return list;
    }
    [[nodiscard]] QList<fakehttp::Request> requests(const char *end) const
    {
        QList<fakehttp::Request> found;
        for (const fakehttp::Request &request : m_server->requests()) {
            if (request.path().endsWith(end))
                found += request;
        }
        return found;
    }

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<FakeHttp>();
        m_server->handle([](const auto &) { return Answer{200, "", {}, fakehttp::Fault::Hang}; });
        m_batches.clear();
        m_result = BatchResult::Durable;
    }
    void cleanup()
    {
        m_loop.reset();
        m_server.reset();
    }

    void oneBatchAfterTheOther()
    {
        make();
        QSignalSpy advanced(m_loop.get(), &SyncLoop::advanced);
        m_server->answer(json(200, timeline("s2", call("$a"))));
        m_server->answer(json(200, timeline("s3", call("$b"))));
        start("s1");
        QTRY_COMPARE(advanced.size(), 2);
        QTRY_COMPARE(requests("/sync").size(), 3);
        QCOMPARE(queryOf(requests("/sync").at(0), "since"), QStringLiteral("s1"));
        QCOMPARE(queryOf(requests("/sync").at(0), "timeout"), QStringLiteral("30000"));
        QCOMPARE(queryOf(requests("/sync").at(2), "since"), QStringLiteral("s3"));
        const QJsonObject filter =
            QJsonDocument::fromJson(queryOf(requests("/sync").at(0), "filter").toUtf8()).object();
        QCOMPARE(filter.value(QStringLiteral("room"))
                     .toObject()
                     .value(QStringLiteral("timeline"))
                     .toObject()
                     .value(QStringLiteral("types")),
                 QJsonValue(QJsonArray{QStringLiteral("m.call.*")}));
        QCOMPARE(ids(0), QStringList{QStringLiteral("$a")});
        QCOMPARE(ids(1), QStringList{QStringLiteral("$b")});
        QVERIFY(m_batches.at(0).transactionId != m_batches.at(1).transactionId);
        QVERIFY(!requests("/sync").at(0).target.contains("user_id="));
    }

    // The first time it only finds its place, and the invitations that wait.
    void beginsAnew()
    {
        make();
        QSignalSpy begun(m_loop.get(), &SyncLoop::begun);
        m_server->answer(json(200, R"({"next_batch":"s1"})"));
        start("");
        QTRY_COMPARE(begun.size(), 1);
        QCOMPARE(begun.first().first().toBool(), true);
        QVERIFY(queryOf(requests("/sync").at(0), "timeout").isEmpty());
        QTRY_COMPARE(requests("/sync").size(), 2);
        QCOMPARE(queryOf(requests("/sync").at(1), "since"), QStringLiteral("s1"));
    }

    // What could not be stored is offered again; the place is not left before.
    void waitsUntilItIsDurable()
    {
        make();
        m_result = BatchResult::Refused;
        QSignalSpy advanced(m_loop.get(), &SyncLoop::advanced);
        m_server->answer(json(200, timeline("s2", call("$a"))));
        start("s1");
        QTRY_COMPARE(m_batches.size(), 2);
        QCOMPARE(advanced.size(), 0);
        QCOMPARE(m_batches.at(0).transactionId, m_batches.at(1).transactionId);
        // A second has passed: the event is that much older.
        QVERIFY(m_batches.at(1)
                    .events.first()
                    .value(QStringLiteral("unsigned"))
                    .toObject()
                    .value(QStringLiteral("age"))
                    .toDouble() >= 900);
        m_result = BatchResult::Durable;
        QTRY_COMPARE(advanced.size(), 1);
    }

    void fillsAGap()
    {
        make();
        m_server->answer(json(200, timeline("s2", call("$e"), "p1")));
        m_server->answer(json(200, R"({"chunk":[)" + call("$d") + "," + call("$c") + R"(],"end":"p2"})"));
        m_server->answer(json(200, R"({"chunk":[)" + call("$b") + "," + call("$a") + "]}"));
        start("s1");
        QTRY_COMPARE(m_batches.size(), 1);
        QCOMPARE(ids(), (QStringList{QStringLiteral("$a"), QStringLiteral("$b"), QStringLiteral("$c"),
                                     QStringLiteral("$d"), QStringLiteral("$e")}));
        const auto pages = requests("/messages");
        QCOMPARE(pages.size(), 2);
        QCOMPARE(queryOf(pages.at(0), "from"), QStringLiteral("p1"));
        QCOMPARE(queryOf(pages.at(1), "from"), QStringLiteral("p2"));
        QCOMPARE(queryOf(pages.at(0), "to"), QStringLiteral("s1"));
        QCOMPARE(queryOf(pages.at(0), "dir"), QStringLiteral("b"));
    }

    void aGapIsBounded()
    {
        make(3);
        int pages = 0;
        m_server->handle([&pages](const fakehttp::Request &request) {
            if (!request.path().endsWith("/messages"))
                return Answer{200, "", {}, fakehttp::Fault::Hang};
            ++pages;
            return json(200, R"({"chunk":[)" + call(("$" + QByteArray::number(pages)).constData()) + R"(],"end":"p"})");
        });
        m_server->answer(json(200, timeline("s2", call("$e"), "p1")));
        start("s1");
        QTRY_COMPARE(m_batches.size(), 1);
        QCOMPARE(pages, 3);
        QCOMPARE(ids().size(), 4);
    }

    // The rest of the answer is worth more than what cannot be read.
    void aGapThatCannotBeRead_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::newRow("forbidden") << 403 << QByteArray(R"({"errcode":"M_FORBIDDEN"})");
        QTest::newRow("no chunk") << 200 << QByteArray("{}");
        QTest::newRow("odd chunk") << 200 << QByteArray(R"({"chunk":"x","end":7})");
        QTest::newRow("odd events") << 200 << QByteArray(R"({"chunk":[1,{"type":"m.call.invite"}]})");
    }
    void aGapThatCannotBeRead()
    {
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        make();
        m_server->answer(json(200, timeline("s2", call("$e"), "p1")));
        m_server->answer(json(status, body));
        start("s1");
        QTRY_COMPARE(m_batches.size(), 1);
        QCOMPARE(ids(), QStringList{QStringLiteral("$e")});
    }

    // Nobody tells again of what is passed over: the place is kept until it can be read.
    void aGapThatCannotBeReadNow()
    {
        make(5, std::chrono::milliseconds(50));
        QSignalSpy advanced(m_loop.get(), &SyncLoop::advanced);
        int refusals = 1;
        m_server->handle([&refusals](const fakehttp::Request &request) {
            if (request.path().endsWith("/messages"))
                return refusals-- > 0 ? json(503, "{}") : json(200, R"({"chunk":[)" + call("$a") + "]}");
            return queryOf(request, "since") == u"s1" ? json(200, timeline("s2", call("$e"), "p1"))
                                                      : Answer{200, "", {}, fakehttp::Fault::Hang};
        });
        start("s1");
        QTRY_COMPARE_WITH_TIMEOUT(m_batches.size(), 1, 20'000);
        QCOMPARE(ids(), (QStringList{QStringLiteral("$a"), QStringLiteral("$e")}));
        QTRY_COMPARE(advanced.size(), 1);
        QCOMPARE(requests("/messages").size(), 2);
    }

    void failuresAreWaitedOut()
    {
        make();
        QSignalSpy told(m_loop.get(), &SyncLoop::told);
        m_server->answer(json(503, "{}"));
        m_server->answer(json(200, R"({"next_batch":[]})")); // waits a minute by itself
        start("s1");
        QTRY_COMPARE(requests("/sync").size(), 2);
        QCOMPARE(told.size(), 1);
        QCOMPARE(told.first().first().toBool(), false);
        m_server->answer(json(200, timeline("s2", call("$a"))));
        QTest::qWait(100);
        QCOMPARE(requests("/sync").size(), 2);
        m_loop->setToken("tok2"); // whatever it was: try at once
        QTRY_COMPARE(m_batches.size(), 1);
        QCOMPARE(told.last().first().toBool(), true);
    }

    void rateLimitIsObeyed()
    {
        make();
        m_server->answer(json(429, R"({"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":700})"));
        m_server->answer(json(200, timeline("s2", call("$a"))));
        QElapsedTimer clock;
        clock.start();
        start("s1");
        QTRY_COMPARE(m_batches.size(), 1);
        QVERIFY(clock.elapsed() >= 690);
    }

    void aTokenThatIsRefused()
    {
        make();
        QSignalSpy refused(m_loop.get(), &SyncLoop::tokenRefused);
        m_server->answer(json(401, R"({"errcode":"M_UNKNOWN_TOKEN","soft_logout":true})"));
        start("s1");
        QTRY_COMPARE(refused.size(), 1);
        QCOMPARE(refused.first().first().toBool(), true);
        m_loop->setToken({});
        QTest::qWait(500);
        QCOMPARE(requests("/sync").size(), 1); // rests without one
        m_server->answer(json(200, timeline("s2", call("$a"))));
        m_loop->setToken("tok2");
        QTRY_COMPARE(m_batches.size(), 1);
        QCOMPARE(requests("/sync").last().headers.value("authorization"), QByteArray("Bearer tok2"));
    }

    void manyEventsGoInPortions()
    {
        make();
        QByteArrayList events;
        for (int i = 0; i < 2500; ++i)
            events += call(("$" + QByteArray::number(i)).constData());
        events += call("$7"); // twice in one answer
        QSignalSpy advanced(m_loop.get(), &SyncLoop::advanced);
        m_server->answer(json(200, timeline("s2", events.join(','))));
        start("s1");
        QTRY_COMPARE(advanced.size(), 1);
        QCOMPARE(m_batches.size(), 3);
        QCOMPARE(m_batches.at(0).events.size(), SyncLoop::kPortion);
        QCOMPARE(m_batches.at(2).events.size(), 500);
    }
};

QTEST_GUILESS_MAIN(TestSyncLoop)
#include "tst_syncloop.moc"
