// SPDX-License-Identifier: Apache-2.0
// What the client puts on the wire, and what it reads from well-formed answers.
#include "await.h"

#include <QJsonDocument>
#include <QSignalSpy>

using namespace voip::homeserver;
using fakehttp::FakeHttp;

namespace
{
const QString kGhost = QStringLiteral("@nova_alice:test");
const QString kRoom = QStringLiteral("!r/x:test");
} // namespace

class TestClient : public QObject
{
    Q_OBJECT

    std::unique_ptr<FakeHttp> m_server;
    std::unique_ptr<Client> m_client;

    [[nodiscard]] const fakehttp::Request &last() const { return m_server->requests().last(); }

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<FakeHttp>();
        m_client = std::make_unique<Client>(accessTo(m_server->url()));
    }
    void cleanup()
    {
        // Whatever was asked: the token is in the header and nowhere else.
        for (const fakehttp::Request &request : m_server->requests()) {
            QCOMPARE(request.headers.value("authorization"), QByteArray("Bearer s3cret_as_token"));
            QVERIFY(!request.target.contains("s3cret"));
            QVERIFY(!request.body.contains("s3cret"));
            QVERIFY(!request.headers.contains("cookie"));
        }
        m_client.reset();
        m_server.reset();
    }

    void sendEvent()
    {
        m_server->answer(json(200, R"({"event_id":"$e"})"));
        const auto result = await<QString>([&](auto reply) {
            m_client->sendEvent(kGhost, QStringLiteral("DEV"), kRoom, QStringLiteral("m.call.hangup"),
                                QStringLiteral("t#1?"), {{QStringLiteral("call_id"), QStringLiteral("c")}}, reply);
        });
        QCOMPARE(result.value(), QStringLiteral("$e"));
        QCOMPARE(last().method, QByteArray("PUT"));
        QCOMPARE(last().target, QByteArray("/_matrix/client/v3/rooms/%21r%2Fx%3Atest/send/m.call.hangup/t%231%3F"
                                           "?user_id=%40nova_alice%3Atest&device_id=DEV"
                                           "&org.matrix.msc3202.device_id=DEV"));
        QCOMPARE(last().body, QByteArray(R"({"call_id":"c"})"));
        QCOMPARE(last().headers.value("content-type"), QByteArray("application/json"));
    }

    void oddIdsSurviveTheWay()
    {
        m_server->answer(json(200, R"({"user_id":"x"})"));
        const QString odd = QStringLiteral("@nova_a+b=c/d%41ü&e:test");
        (void)await<QString>([&](auto reply) { m_client->whoami(odd, reply); });
        const QByteArray value = last().target.mid(last().target.indexOf("user_id=") + 8);
        QVERIFY2(!value.contains('+') && !value.contains('&'), value.constData());
        QCOMPARE(QUrl::fromPercentEncoding(value), odd);
    }

    void pathsOfTheirOwnAreRefusedHere()
    {
        for (const char *room : {"", ".", ".."}) {
            const auto result =
                await<QString>([&](auto reply) { m_client->join(kGhost, QString::fromLatin1(room), reply); });
            QCOMPARE(result.error().kind, FailureKind::Rejected);
        }
        QVERIFY(m_server->requests().isEmpty());
        QVERIFY(m_client->reachable());
    }

    void prefixOfTheAddressIsKept()
    {
        for (const char *prefix : {"/hs", "/hs/"}) {
            QUrl url = m_server->url();
            url.setPath(QString::fromLatin1(prefix));
            Client client(accessTo(url));
            m_server->answer(json(200, R"({"versions":["v1.1"]})"));
            const auto result = await<QStringList>([&](auto reply) { client.versions(reply); });
            QCOMPARE(result.value(), QStringList{QStringLiteral("v1.1")});
            QCOMPARE(last().target, QByteArray("/hs/_matrix/client/versions"));
        }
    }

    void registerGhost()
    {
        m_server->answer(json(200, R"({"user_id":"@nova_alice:test"})"));
        m_server->answer(json(400, R"({"errcode":"M_USER_IN_USE","error":"taken"})"));
        m_server->answer(json(400, R"({"errcode":"M_EXCLUSIVE","error":"not yours"})"));
        m_server->answer(json(200, R"({"user_id":"@nova_alice:other"})"));
        const auto once = [&] {
            return await<bool>([&](auto reply) { m_client->registerGhost(QStringLiteral("nova_alice"), reply); });
        };
        QCOMPARE(once().value(), true);
        QCOMPARE(last().target, QByteArray("/_matrix/client/v3/register"));
        QCOMPARE(last().json().value(QLatin1String("inhibit_login")), QJsonValue(true));
        QCOMPARE(last().json().value(QLatin1String("type")), QJsonValue(QLatin1String("m.login.application_service")));
        QCOMPARE(last().json().value(QLatin1String("username")), QJsonValue(QLatin1String("nova_alice")));
        QCOMPARE(once().value(), false);
        QCOMPARE(once().error().code, QStringLiteral("M_EXCLUSIVE"));
        QVERIFY(once().error().message.startsWith(QLatin1String("user_id:")));
    }

    void displayName()
    {
        QVERIFY(
            await<Done>([&](auto reply) { m_client->setDisplayName(kGhost, QStringLiteral("Alice"), reply); }).ok());
        QCOMPARE(last().target, QByteArray("/_matrix/client/v3/profile/%40nova_alice%3Atest/displayname"
                                           "?user_id=%40nova_alice%3Atest"));
        QVERIFY(await<Done>([&](auto reply) { m_client->setDisplayName({}, QStringLiteral("Bridge"), reply); }).ok());
        QCOMPARE(last().target, QByteArray("/_matrix/client/v3/profile/%40novabridge%3Atest/displayname"));
        QCOMPARE(last().body, QByteArray(R"({"displayname":"Bridge"})"));
    }

    void rooms()
    {
        m_server->handle([](const auto &) { return json(200, R"({"room_id":"!new:test"})"); });
        const QJsonArray state{QJsonObject{{QStringLiteral("type"), QStringLiteral("m.room.encryption")},
                                           {QStringLiteral("padding"), QString(200'000, u'x')}}};
        QCOMPARE(await<QString>([&](auto reply) {
                     m_client->createDirectRoom(kGhost, QStringLiteral("@bob:test"), state, reply);
                 }).value(),
                 QStringLiteral("!new:test"));
        const QJsonObject body = last().json();
        QCOMPARE(body.value(QLatin1String("preset")).toString(), QStringLiteral("trusted_private_chat"));
        QCOMPARE(body.value(QLatin1String("visibility")).toString(), QStringLiteral("private"));
        QCOMPARE(body.value(QLatin1String("is_direct")), QJsonValue(true));
        QCOMPARE(body.value(QLatin1String("invite")).toArray(), QJsonArray{QStringLiteral("@bob:test")});
        QCOMPARE(body.value(QLatin1String("initial_state")).toArray(), state);

        QCOMPARE(await<QString>([&](auto reply) { m_client->join(kGhost, kRoom, reply); }).value(),
                 QStringLiteral("!new:test"));
        QCOMPARE(last().path(), QByteArray("/_matrix/client/v3/rooms/%21r%2Fx%3Atest/join"));
        QVERIFY(await<Done>([&](auto reply) { m_client->leave(kGhost, kRoom, reply); }).ok());
        QCOMPARE(last().path(), QByteArray("/_matrix/client/v3/rooms/%21r%2Fx%3Atest/leave"));
        QCOMPARE(last().body, QByteArray("{}"));
    }

    void listsAreRead()
    {
        m_server->answer(json(200, R"({"joined_rooms":["!a:test","!b:test"]})"));
        m_server->answer(json(200, R"([{"type":"m.room.create"},{"type":"m.room.member"}])"));
        m_server->answer(json(200, R"({"chunk":[{"event_id":"$2"},{"event_id":"$1"}],"start":"s"})"));
        QCOMPARE(await<QStringList>([&](auto reply) { m_client->joinedRooms(kGhost, reply); }).value(),
                 (QStringList{QStringLiteral("!a:test"), QStringLiteral("!b:test")}));
        const auto state = await<QVector<QJsonObject>>([&](auto reply) { m_client->roomState(kGhost, kRoom, reply); });
        QCOMPARE(state->size(), 2);
        const auto recent =
            await<QVector<QJsonObject>>([&](auto reply) { m_client->recentEvents(kGhost, kRoom, 9999, reply); });
        QCOMPARE(recent->first().value(QLatin1String("event_id")).toString(), QStringLiteral("$1"));
        QVERIFY(last().target.contains("dir=b&limit=500&user_id="));
    }

    void turn_data()
    {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QString>("complaint"); // start of the message; empty: fine
        QTest::addColumn<int>("uris");
        const auto row = [](const char *name, const char *body, const char *complaint, int uris) {
            QTest::newRow(name) << QByteArray(body) << QString::fromLatin1(complaint) << uris;
        };
        row("good", R"({"uris":["turn:h:1","turns:h:2"],"username":"u","password":"p","ttl":60})", "", 2);
        row("none", "{}", "", 0);
        row("no uris", R"({"uris":[],"username":"u","password":"p","ttl":60})", "", 0);
        row("odd scheme", R"({"uris":["turn:h","ftp:h"],"username":"u","password":"p","ttl":60})", "", 1);
        row("uris", R"({"uris":"turn:h","username":"u","password":"p","ttl":60})", "uris:", 0);
        row("a uri", R"({"uris":[7],"username":"u","password":"p","ttl":60})", "uris[0]:", 0);
        row("username", R"({"uris":["turn:h"],"username":null,"password":"p","ttl":60})", "username:", 0);
        row("password", R"({"uris":["turn:h"],"username":"u","ttl":60})", "password:", 0);
        row("ttl type", R"({"uris":["turn:h"],"username":"u","password":"p","ttl":"60"})", "ttl:", 0);
        row("ttl zero", R"({"uris":["turn:h"],"username":"u","password":"p","ttl":0})", "ttl:", 0);
        row("ttl huge", R"({"uris":["turn:h"],"username":"u","password":"p","ttl":1e99})", "", 1);
    }
    void turn()
    {
        QFETCH(QByteArray, body);
        QFETCH(QString, complaint);
        m_server->answer(json(200, body));
        const auto result = await<TurnServers>([&](auto reply) { m_client->turnServers(kGhost, reply); });
        QCOMPARE(last().target, QByteArray("/_matrix/client/v3/voip/turnServer?user_id=%40nova_alice%3Atest"));
        QCOMPARE(result.ok(), complaint.isEmpty());
        if (result.ok()) {
            QTEST(int(result->uris.size()), "uris");
            QVERIFY(result->ttlSeconds >= 0 && result->ttlSeconds <= 7 * 24 * 3600);
        } else {
            QCOMPARE(result.error().kind, FailureKind::BadAnswer);
            QVERIFY2(result.error().message.startsWith(complaint), qPrintable(result.error().message));
        }
    }

    void ping()
    {
        m_server->answer(json(200, R"({"duration_ms":12})"));
        QCOMPARE(await<int>([&](auto reply) { m_client->ping(reply); }).value(), 12);
        QCOMPARE(last().target, QByteArray("/_matrix/client/v1/appservice/nova/ping")); // no user, no device
        QVERIFY(!last().json().value(QLatin1String("transaction_id")).toString().isEmpty());
    }

    void wrongShapesAreNamed()
    {
        m_server->handle([](const auto &) { return json(200, R"({"room_id":1,"joined_rooms":{},"chunk":[1]})"); });
        const auto text = [](const auto &result) { return result.error().message; };
        QVERIFY(text(await<QString>([&](auto r) { m_client->join(kGhost, kRoom, r); })).startsWith(u"room_id:"));
        QVERIFY(
            text(await<QStringList>([&](auto r) { m_client->joinedRooms(kGhost, r); })).startsWith(u"joined_rooms:"));
        QVERIFY(text(await<QVector<QJsonObject>>([&](auto r) {
                    m_client->recentEvents(kGhost, kRoom, 5, r);
                })).startsWith(u"chunk[0]:"));
        QVERIFY(text(await<QVector<QJsonObject>>([&](auto r) {
                    m_client->roomState(kGhost, kRoom, r);
                })).startsWith(u"state:"));
        QVERIFY(text(await<QString>([&](auto r) { m_client->whoami(kGhost, r); })).startsWith(u"user_id:"));
        QVERIFY(text(await<int>([&](auto r) { m_client->ping(r); })).startsWith(u"duration_ms:"));
    }

    // Or what some proxy says would mean that somebody has no devices, or that our keys are there.
    void keysAreInTheAnswerOrItIsNone()
    {
        m_server->handle([](const auto &) { return json(200, R"({"device_keys":[],"one_time_keys":7})"); });
        const auto said = [](const auto &result) {
            return result.ok() ? QString() : nameOf(result.error().kind) + u' ' + result.error().message;
        };
        QVERIFY(said(await<QJsonObject>([&](auto r) {
                    m_client->queryKeys(kGhost, {kGhost}, r);
                })).startsWith(u"bad_answer device_keys:"));
        QVERIFY(said(await<QJsonObject>([&](auto r) {
                    m_client->claimKeys(kGhost, {{kGhost, {QStringLiteral("DEV")}}}, r);
                })).startsWith(u"bad_answer one_time_keys:"));
        QVERIFY(said(await<QJsonObject>([&](auto r) {
                    m_client->uploadKeys(kGhost, QStringLiteral("DEV"), {}, r);
                })).startsWith(u"bad_answer one_time_key_counts:"));
        m_server->answer(json(200, R"({"device_keys":{}})"));
        QVERIFY(await<QJsonObject>([&](auto r) { m_client->queryKeys(kGhost, {kGhost}, r); }).ok());
    }

    void connectionIsKept()
    {
        m_server->handle([](const auto &) { return json(200, R"({"versions":[]})"); });
        for (int i = 0; i < 5; ++i) {
            QVERIFY(await<QStringList>([&](auto reply) { m_client->versions(reply); }).ok());
        }
        QCOMPARE(m_server->connections(), 1);
    }

    void nothingAfterDestruction()
    {
        m_server->handle([](const auto &) { return fakehttp::Answer{.fault = fakehttp::Fault::Hang}; });
        int called = 0;
        m_client->versions([&](const auto &) { ++called; });
        m_client->join(kGhost, {}, [&](const auto &) { ++called; }); // answered without the server
        QVERIFY(QTest::qWaitFor([&] { return called == 1 && m_server->requests().size() == 1; }));
        m_client->join(kGhost, {}, [&](const auto &) { ++called; });
        m_client.reset();
        QVERIFY(QTest::qWaitFor([&] { return m_server->openSockets() == 0; }));
        QCOMPARE(called, 1);
    }

    void callbackMayDestroyTheClient()
    {
        m_server->answer(json(200, R"({"versions":[]})"));
        bool called = false;
        m_client->versions([&](const auto &) {
            called = true;
            m_client.reset();
        });
        QVERIFY(QTest::qWaitFor([&] { return called; }));
        QVERIFY(!m_client);
    }

    void reachability()
    {
        QSignalSpy changes(m_client.get(), &Client::reachableChanged);
        const auto ask = [&](const fakehttp::Answer &answer) {
            m_server->answer(answer);
            (void)await<QStringList>([&](auto reply) { m_client->versions(reply); });
            return m_client->reachable();
        };
        QVERIFY(m_client->reachable());
        QVERIFY(!ask(json(503, "{}")));
        QVERIFY(!ask(json(200, "<html>"))); // some proxy's page proves nothing
        QVERIFY(!ask(json(404, "<html>")));
        QVERIFY(ask(json(403, R"({"errcode":"M_FORBIDDEN"})")));
        QVERIFY(ask(json(200, "{}")));
        QCOMPARE(changes.size(), 2);

        // A join fails because another server is gone: ours is fine.
        m_server->answer(json(502, R"({"errcode":"M_UNKNOWN"})"));
        (void)await<QString>([&](auto reply) { m_client->join(kGhost, kRoom, reply); });
        QVERIFY(m_client->reachable());

        m_server->stop();
        QCOMPARE(await<QString>([&](auto reply) { m_client->join(kGhost, kRoom, reply); }).error().kind,
                 FailureKind::Unreachable);
        QVERIFY(!m_client->reachable());
        QVERIFY(m_server->start());
        QVERIFY(ask(json(200, R"({"versions":[]})")));
        QCOMPARE(changes.size(), 4);
    }
};

QTEST_GUILESS_MAIN(TestClient)
#include "tst_client.moc"
