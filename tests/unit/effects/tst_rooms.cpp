// SPDX-License-Identifier: Apache-2.0
// Entering rooms: each step that can fail, and what was said before the ghost came.
#include "effects/roomkeeper.h"
#include "fakehomeserver.h"

#include <QTest>

using namespace bridge;
using namespace voip;
using fakehttp::Answer;

namespace
{

constexpr int patience = 30'000;

}

class RoomsTest : public QObject
{
    Q_OBJECT

    const QString lane = QStringLiteral("@nova_alice:test");
    const QString bob = QStringLiteral("@bob:test");
    const QString room = QStringLiteral("!r:test");
    std::unique_ptr<FakeHomeserver> m_homeserver;
    std::unique_ptr<homeserver::Client> m_client;
    std::unique_ptr<homeserver::GhostDirectory> m_ghosts;
    std::unique_ptr<effects::RoomKeeper> m_rooms;
    QVector<call::RoomSnapshot> m_entered;
    QStringList m_refused;
    QVector<QVector<QJsonObject>> m_recent;
    int m_rediscovered = 0;
    bool m_commits = true; // what entered() says, at once
    QStringList m_order;

private Q_SLOTS:
    void init()
    {
        m_homeserver = std::make_unique<FakeHomeserver>();
        m_homeserver->rooms[room] = {{bob, QStringLiteral("join")}, {lane, QStringLiteral("invite")}};
        m_client = std::make_unique<homeserver::Client>(
            homeserver::Access{m_homeserver->http.url(), QStringLiteral("test"), "s3cret", QStringLiteral("novabridge"),
                               QStringLiteral("nova")});
        m_ghosts = std::make_unique<homeserver::GhostDirectory>(m_client.get());
        m_rooms = std::make_unique<effects::RoomKeeper>(
            *m_client, *m_ghosts, [](const QString &) { return QStringLiteral("Alice"); },
            [](const QString &, const auto &then) { then(); });
        m_entered.clear();
        m_refused.clear();
        m_recent.clear();
        m_rediscovered = 0;
        m_commits = true;
        m_order.clear();
        connect(m_rooms.get(), &effects::RoomKeeper::entered, this, [this](const QString &id, const auto &snapshot) {
            m_entered.push_back(snapshot);
            m_order += QStringLiteral("entered");
            if (m_commits)
                m_rooms->known(id, snapshot.roomId);
        });
        connect(m_rooms.get(), &effects::RoomKeeper::refused, this,
                [this](const QString &, const QString &id, const QString &code) { m_refused += id + u' ' + code; });
        const auto recent = [this](const QString &id, const QString &where, const auto &events) {
            m_recent.push_back(events);
            m_order += QStringLiteral("recent");
            m_rooms->kept(id, where);
        };
        connect(m_rooms.get(), &effects::RoomKeeper::recent, this, recent);
        connect(m_rooms.get(), &effects::RoomKeeper::rediscovered, this, [this] {
            ++m_rediscovered;
            m_order += QStringLiteral("rediscovered");
        });
    }
    void cleanup()
    {
        m_rooms.reset();
        m_ghosts.reset();
        m_client.reset();
    }

    void entersOnce()
    {
        QJsonObject nameless = invite(room, bob, QStringLiteral("c1"));
        nameless.remove(QStringLiteral("room_id")); // as in the answer of /messages
        m_homeserver->messages[room] = {hangup(room, bob, QStringLiteral("c1")),
                                        member(room, bob, bob, QStringLiteral("join")), nameless};
        m_rooms->enter(lane, room);
        m_rooms->enter(lane, room);
        QTRY_COMPARE_WITH_TIMEOUT(m_recent.size(), 1, patience);
        QCOMPARE(m_entered.size(), 1);
        QCOMPARE(m_entered.first().members.value(bob), call::Membership::Join);
        QCOMPARE(m_entered.first().members.value(lane), call::Membership::Join);
        QCOMPARE(m_recent.first().size(), 2); // call events only, oldest first, with their room
        QCOMPARE(m_recent.first().first().value(QStringLiteral("type")).toString(), QStringLiteral("m.call.invite"));
        QCOMPARE(m_recent.first().first().value(QStringLiteral("room_id")).toString(), room);
        QCOMPARE(m_homeserver->requestsFor("POST", QStringLiteral("join")), 1);
        QCOMPARE(m_homeserver->requestsFor("POST", QStringLiteral("register")), 1);
        QCOMPARE(m_homeserver->requestsFor("PUT", QStringLiteral("displayname")), 1);
        m_rooms->enter(lane, room); // again is harmless
        QTRY_COMPARE_WITH_TIMEOUT(m_entered.size(), 2, patience);
    }

    // An event that comes before the lane knows the room goes to no lane: it must be among what is read afterwards.
    void readsWhatWasSaidOnlyOnceTheRoomIsKnown()
    {
        m_commits = false;
        m_rooms->enter(lane, room);
        QTRY_COMPARE_WITH_TIMEOUT(m_entered.size(), 1, patience);
        QTest::qWait(100);
        QCOMPARE(m_homeserver->requestsFor("GET", QStringLiteral("messages")), 0);
        m_homeserver->messages[room] = {invite(room, bob, QStringLiteral("c1"))};
        m_rooms->known(lane, QStringLiteral("!other:test")); // nobody is entering it
        m_rooms->known(lane, room);
        QTRY_COMPARE_WITH_TIMEOUT(m_recent.size(), 1, patience);
        QCOMPARE(m_recent.first().size(), 1);
    }

    // The lane went to another worker before that, and came back.
    void forgets()
    {
        m_commits = false;
        m_rooms->enter(lane, room);
        QTRY_COMPARE_WITH_TIMEOUT(m_entered.size(), 1, patience);
        m_rooms->forget(lane);
        m_rooms->enter(lane, room);
        QTRY_COMPARE_WITH_TIMEOUT(m_entered.size(), 2, patience);
    }

    void refused()
    {
        m_rooms->enter(lane, QStringLiteral("!nobody:test"));
        QTRY_COMPARE_WITH_TIMEOUT(m_refused, QStringList{QStringLiteral("!nobody:test M_FORBIDDEN")}, patience);
        QVERIFY(m_entered.isEmpty());
    }

    void triesAgain()
    {
        int failures = 2;
        m_homeserver->instead = [&failures](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (path.last() == u"join" && failures-- > 0)
                return errorAnswer(502, "M_UNKNOWN");
            return {};
        };
        m_rooms->enter(lane, room);
        QTRY_COMPARE_WITH_TIMEOUT(m_entered.size(), 1, patience);
        QVERIFY(m_refused.isEmpty());
    }

    void rediscovers()
    {
        m_rooms->rediscover(lane); // never made: has no rooms
        QTRY_COMPARE_WITH_TIMEOUT(m_rediscovered, 1, patience);
        QVERIFY(m_entered.isEmpty());
        m_homeserver->instead = [this](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (path.value(0) == u"joined_rooms")
                return jsonAnswer({{QStringLiteral("joined_rooms"), QJsonArray{room}}});
            return {};
        };
        bool made = false;
        m_rooms->ensureGhost(lane, [&made](const auto &) { made = true; });
        QTRY_VERIFY_WITH_TIMEOUT(made, patience);
        m_homeserver->messages[room] = {invite(room, bob, QStringLiteral("c1"))};
        m_order.clear();
        m_rooms->rediscover(lane);
        QTRY_COMPARE_WITH_TIMEOUT(m_rediscovered, 2, patience);
        // what was said in the room is read before
        QCOMPARE(m_order,
                 (QStringList{QStringLiteral("entered"), QStringLiteral("recent"), QStringLiteral("rediscovered")}));
    }
};

QTEST_GUILESS_MAIN(RoomsTest)
#include "tst_rooms.moc"
