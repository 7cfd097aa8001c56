// SPDX-License-Identifier: Apache-2.0
// What keeps state above the client: Retrier, TurnCache, GhostDirectory.
#include "await.h"

#include <QSignalSpy>

#include <homeserver/ghosts.h>
#include <homeserver/turncache.h>

using namespace voip::homeserver;
using fakehttp::Answer;
using fakehttp::FakeHttp;
using fakehttp::Fault;
using std::chrono::milliseconds;

namespace
{

const QString kAlice = QStringLiteral("@nova_alice:test");
const QString kCarol = QStringLiteral("@nova_carol:test");
constexpr qint64 kMinute = 60'000;

Answer turn(const char *user, int ttl)
{
    return json(200, QByteArray(R"({"uris":["turn:h"],"password":"p","username":")") + user + R"(","ttl":)" +
                         QByteArray::number(ttl) + "}");
}

} // namespace

class TestCaches : public QObject
{
    Q_OBJECT

    std::unique_ptr<FakeHttp> m_server;
    std::unique_ptr<Client> m_client;
    qint64 m_now = 1000;

    [[nodiscard]] int asked() const { return int(m_server->requests().size()); }
    std::unique_ptr<TurnCache> makeCache()
    {
        return std::make_unique<TurnCache>(
            m_client.get(), nullptr, [this] { return m_now; }, [] { return 0.5; });
    }
    static Result<TurnServers> get(TurnCache &cache, const QString &user = kAlice)
    {
        return await<TurnServers>([&](auto reply) { cache.get(user, reply); });
    }
    // Lets a refresh that was begun come back.
    void settle(int requests)
    {
        QVERIFY(QTest::qWaitFor([&] { return asked() == requests; }));
        // Answers come in order: this one comes after the refresh.
        (void)await<QStringList>([&](auto reply) { m_client->versions(reply); });
        (void)await<QString>([&](auto reply) { m_client->join({}, {}, reply); });
    }

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<FakeHttp>();
        m_client = std::make_unique<Client>(accessTo(m_server->url()));
        m_now = 1000;
    }
    void cleanup()
    {
        m_client.reset();
        m_server.reset();
    }

    void retrierRepeatsUntilSuccess()
    {
        m_server->answer(json(503, "{}"));
        m_server->answer(json(429, R"({"retry_after_ms":1})"));
        m_server->answer(json(200, R"({"versions":["v1"]})"));
        Retrier retrier(nullptr, {.baseMs = 1, .capMs = 2});
        const auto result = await<QStringList>([&](auto reply) {
            retrier.run<QStringList>([&](auto attempt) { m_client->versions(attempt); }, milliseconds(20'000), reply);
        });
        QCOMPARE(result.value(), QStringList{QStringLiteral("v1")});
        QCOMPARE(asked(), 3);
    }

    void retrierStopsAtPermanentFailure()
    {
        m_server->answer(json(500, "{}"));
        m_server->answer(json(403, R"({"errcode":"M_FORBIDDEN"})"));
        Retrier retrier(nullptr, {.baseMs = 1, .capMs = 2});
        const auto result = await<QStringList>([&](auto reply) {
            retrier.run<QStringList>([&](auto attempt) { m_client->versions(attempt); }, milliseconds(20'000), reply);
        });
        QCOMPARE(result.error().code, QStringLiteral("M_FORBIDDEN"));
        QCOMPARE(asked(), 2);
    }

    void retrierKeepsItsDeadline()
    {
        m_server->handle([](const auto &) { return json(429, R"({"retry_after_ms":60000})"); });
        Retrier retrier;
        const auto result = await<QStringList>([&](auto reply) { // await would give up long before the minute
            retrier.run<QStringList>([&](auto attempt) { m_client->versions(attempt); }, milliseconds(20'000), reply);
        });
        QCOMPARE(result.error().kind, FailureKind::RateLimited);
        QCOMPARE(asked(), 1);
    }

    void retrierMakesNoSecondRoom()
    {
        m_server->handle([](const auto &) { return json(504, "{}"); });
        Retrier retrier(nullptr, {.baseMs = 1, .capMs = 2, .repeatable = false});
        const auto result = await<QString>([&](auto reply) {
            retrier.run<QString>(
                [&](auto attempt) { m_client->createDirectRoom(kAlice, QStringLiteral("@bob:test"), {}, attempt); },
                milliseconds(20'000), reply);
        });
        QCOMPARE(result.error().kind, FailureKind::ServerError);
        QCOMPARE(asked(), 1);
    }

    void retrierMayGoFirst()
    {
        bool called = false;
        {
            Retrier retrier;
            retrier.run<QStringList>([&](auto attempt) { m_client->versions(attempt); }, milliseconds(1000),
                                     [&](const auto &) { called = true; });
        }
        settle(1);
        QVERIFY(!called);
    }

    void turnIsCachedByUser()
    {
        m_server->answer(turn("a", 100));
        m_server->answer(turn("c", 100));
        const auto cache = makeCache();
        QCOMPARE(get(*cache)->username, QStringLiteral("a"));
        QCOMPARE(get(*cache, kCarol)->username, QStringLiteral("c"));
        m_now += 30'000;
        QCOMPARE(get(*cache)->username, QStringLiteral("a"));
        QCOMPARE(get(*cache)->ttlSeconds, 70); // what is left of it
        QCOMPARE(asked(), 2);
    }

    void turnAsksOnceForMany()
    {
        m_server->answer(turn("a", 100));
        const auto cache = makeCache();
        int answers = 0;
        for (int i = 0; i < 5; ++i) {
            cache->get(kAlice, [&](const Result<TurnServers> &result) { answers += result.ok() ? 1 : 0; });
        }
        QVERIFY(QTest::qWaitFor([&] { return answers == 5; }));
        QCOMPARE(asked(), 1);
    }

    void turnIsRefreshedAhead()
    {
        m_server->answer(turn("one", 600));
        const auto cache = makeCache();
        (void)get(*cache);
        m_now += 479'000; // just before 80 %
        cache->refreshDue();
        m_now += 2'000;
        m_server->answer(turn("two", 600));
        cache->refreshDue();
        cache->refreshDue(); // one in flight
        settle(2);
        QCOMPARE(get(*cache)->username, QStringLiteral("two"));
        QCOMPARE(get(*cache)->ttlSeconds, 600);
    }

    void turnNobodyWantsIsLeftAlone()
    {
        m_server->answer(turn("one", 3 * 3600));
        const auto cache = makeCache();
        (void)get(*cache);
        m_now += 150 * kMinute; // beyond 80 %, asked for more than an hour ago
        cache->refreshDue();
        (void)await<QStringList>([&](auto reply) { m_client->versions(reply); });
        QCOMPARE(asked(), 2);                                   // the first fetch and our own
        QCOMPARE(get(*cache)->username, QStringLiteral("one")); // still good, and of interest again
        settle(3);
    }

    void turnSurvivesAFailedRefresh()
    {
        m_server->answer(turn("one", 600));
        const auto cache = makeCache();
        (void)get(*cache);
        m_now += 500'000;
        m_server->answer(json(500, "{}"));
        cache->refreshDue();
        settle(2);
        QCOMPARE(get(*cache)->username, QStringLiteral("one"));
        QCOMPARE(asked(), 3); // backing off: asking for it did not ask the homeserver again
        m_now += 30'000;
        m_server->answer(turn("two", 600));
        cache->refreshDue();
        settle(4);
        QCOMPARE(get(*cache)->username, QStringLiteral("two"));
    }

    void turnExpires()
    {
        m_server->answer(turn("one", 60));
        const auto cache = makeCache();
        (void)get(*cache);
        m_now += 61'000;
        m_server->answer(json(500, "{}"));
        QCOMPARE(get(*cache).error().kind, FailureKind::ServerError);
        m_server->answer(turn("two", 60));
        QCOMPARE(get(*cache)->username, QStringLiteral("two"));
    }

    void turnObeysRateLimit()
    {
        m_server->answer(json(429, R"({"retry_after_ms":5000})"));
        const auto cache = makeCache();
        QCOMPARE(get(*cache).error().kind, FailureKind::RateLimited);
        m_now += 1000;
        const auto second = get(*cache);
        QCOMPARE(second.error().kind, FailureKind::RateLimited);
        QCOMPARE(second.error().retryAfterMs, 4000);
        QCOMPARE(asked(), 1);
        m_now += 4000;
        m_server->answer(turn("one", 60));
        QCOMPARE(get(*cache)->username, QStringLiteral("one"));
    }

    void noTurnIsKnownAndTold()
    {
        m_server->answer(json(200, "{}"));
        const auto cache = makeCache();
        QSignalSpy told(cache.get(), &TurnCache::noTurn);
        const auto none = get(*cache);
        QVERIFY(none.ok() && none->uris.isEmpty());
        QCOMPARE(none->ttlSeconds, 0);
        (void)get(*cache);
        QCOMPARE(asked(), 1);
        QCOMPARE(told.size(), 1);
        QVERIFY(cache->hasNoTurn());
        m_now += 601'000;
        m_server->answer(turn("one", 60));
        QVERIFY(!get(*cache)->uris.isEmpty());
        QVERIFY(!cache->hasNoTurn());
    }

    void turnCacheMayGoFirst()
    {
        auto cache = makeCache();
        bool called = false;
        cache->get(kAlice, [&](const auto &) { called = true; });
        cache.reset();
        settle(1);
        QVERIFY(!called);
    }

    void ghostIsMadeOnceAndNamed()
    {
        m_server->handle([](const fakehttp::Request &request) {
            return request.path().endsWith("/register") ? json(200, R"({"user_id":"@nova_alice:test"})")
                                                        : json(200, "{}");
        });
        GhostDirectory ghosts(m_client.get());
        int created = 0;
        for (int i = 0; i < 3; ++i) {
            ghosts.ensure(QStringLiteral("nova_alice"), QStringLiteral("Alice"),
                          [&](const Result<bool> &result) { created += result.ok() && result.value() ? 1 : 0; });
        }
        QVERIFY(QTest::qWaitFor([&] { return created == 3; }));
        QCOMPARE(asked(), 2);
        QVERIFY(m_server->requests().last().target.contains("/displayname?user_id=%40nova_alice"));
        const auto again = await<bool>(
            [&](auto reply) { ghosts.ensure(QStringLiteral("nova_alice"), QStringLiteral("Alice"), reply); });
        QCOMPARE(again.value(), false);
        QCOMPARE(asked(), 2);
        ghosts.forget(QStringLiteral("nova_alice"));
        QVERIFY(await<bool>([&](auto reply) { ghosts.ensure(QStringLiteral("nova_alice"), {}, reply); }).ok());
        QCOMPARE(asked(), 3);
    }

    void knownGhostAsksNobody()
    {
        GhostDirectory ghosts(m_client.get());
        ghosts.markKnown(QStringLiteral("nova_alice"));
        QCOMPARE(await<bool>([&](auto reply) { ghosts.ensure(QStringLiteral("nova_alice"), {}, reply); }).value(),
                 false);
        QCOMPARE(asked(), 0);
    }

    void ghostThatCannotBeMadeIsNotRemembered()
    {
        m_server->answer(json(400, R"({"errcode":"M_EXCLUSIVE","error":"no"})"));
        m_server->answer(json(400, R"({"errcode":"M_USER_IN_USE","error":"there"})"));
        m_server->answer(json(403, R"({"errcode":"M_FORBIDDEN","error":"no names here"})"));
        GhostDirectory ghosts(m_client.get());
        const auto ensure = [&] {
            return await<bool>(
                [&](auto reply) { ghosts.ensure(QStringLiteral("nova_alice"), QStringLiteral("A"), reply); });
        };
        QCOMPARE(ensure().error().code, QStringLiteral("M_EXCLUSIVE"));
        QVERIFY(!ghosts.isKnown(QStringLiteral("nova_alice")));
        QCOMPARE(ensure().value(), false); // existed; that its name could not be set is no failure
        QVERIFY(ghosts.isKnown(QStringLiteral("nova_alice")));
        QCOMPARE(asked(), 3);
    }
};

QTEST_GUILESS_MAIN(TestCaches)
#include "tst_caches.moc"
