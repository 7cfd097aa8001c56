// SPDX-License-Identifier: Apache-2.0
// Which lanes an event concerns.
#include "fakehomeserver.h"
#include "intake/router.h"

#include <QTest>

using namespace bridge;
using voip::intake::Router;

class RouterTest : public QObject
{
    Q_OBJECT

    const QString alice = QStringLiteral("@nova_alice:test");
    const QString carol = QStringLiteral("@nova_carol:test");
    const QString bob = QStringLiteral("@bob:test");
    const QString room = QStringLiteral("!r:test");
    Router m_router{QStringLiteral("nova_"), QStringLiteral("test")};

private Q_SLOTS:
    void init()
    {
        m_router = Router(QStringLiteral("nova_"), QStringLiteral("test"));
        m_router.setUsers({QStringLiteral("alice"), QStringLiteral("carol")});
    }

    void names()
    {
        QCOMPARE(m_router.matrixIdOf(QStringLiteral("alice")), alice);
        QCOMPARE(m_router.userOf(alice), QStringLiteral("alice"));
        QVERIFY(m_router.isBridged(carol));
        QVERIFY(!m_router.isBridged(QStringLiteral("@nova_dave:test"))); // not listed by the host
        QVERIFY(!m_router.isBridged(QStringLiteral("@nova_alice:elsewhere")));
        QCOMPARE(m_router.userOf(bob), QString());
    }

    void byRoom()
    {
        QVERIFY(m_router.lanesFor(invite(room, bob, QStringLiteral("c"))).isEmpty());
        m_router.setInRoom(carol, room, true);
        m_router.setInRoom(alice, room, true);
        QCOMPARE(m_router.lanesFor(invite(room, bob, QStringLiteral("c"))), QStringList({alice, carol}));
        m_router.setInRoom(carol, room, false);
        QCOMPARE(m_router.lanesFor(invite(room, bob, QStringLiteral("c"))), QStringList{alice});
        m_router.setInRoom(alice, room, false);
        m_router.setInRoom(alice, QStringLiteral("!never:test"), false);
        QVERIFY(m_router.lanesFor(invite(room, bob, QStringLiteral("c"))).isEmpty());
    }

    void byName()
    {
        QCOMPARE(m_router.lanesFor(member(room, bob, alice, QStringLiteral("invite"))), QStringList{alice});
        QVERIFY(m_router.lanesFor(member(room, bob, bob, QStringLiteral("join"))).isEmpty());
    }

    void learnsOfJoiningOnly()
    {
        m_router.learn(member(room, bob, alice, QStringLiteral("leave")));
        m_router.learn(member(room, bob, bob, QStringLiteral("join")));
        m_router.learn(invite(room, bob, QStringLiteral("c")));
        QVERIFY(m_router.lanesFor(invite(room, bob, QStringLiteral("c"))).isEmpty());
        m_router.learn(member(room, bob, alice, QStringLiteral("invite")));
        QCOMPARE(m_router.lanesFor(invite(room, bob, QStringLiteral("c"))), QStringList{alice});
        // The lane must see that it left before the room is forgotten.
        m_router.learn(member(room, bob, alice, QStringLiteral("leave")));
        QCOMPARE(m_router.lanesFor(invite(room, bob, QStringLiteral("c"))), QStringList{alice});
    }

    void garbage()
    {
        m_router.learn({});
        m_router.learn({{QStringLiteral("type"), 5}, {QStringLiteral("state_key"), QJsonArray()}});
        QVERIFY(m_router.lanesFor({{QStringLiteral("room_id"), 7}}).isEmpty());
    }
};

QTEST_GUILESS_MAIN(RouterTest)
#include "tst_router.moc"
