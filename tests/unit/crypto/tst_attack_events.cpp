// SPDX-License-Identifier: Apache-2.0
// What others try with events and room keys. Each attack is refused, and nothing that worked before is harmed.
#include "attacker.h"

#include <QTest>

using namespace voip::crypto;
using namespace voip::crypto::test;
using How = Opened::How;

class TestAttackEvents : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<Ground> ground;
    [[nodiscard]] Attacker &mallory() const { return ground->mallory; }
    [[nodiscard]] Party &alice() const { return ground->alice; }

private Q_SLOTS:
    void init()
    {
        ground = std::make_unique<Ground>();
        ground->letMalloryIn();
        mallory().giveKey(ground->server, alice(), mallory().roomKey());
        QCOMPARE(ground->harm(), QString());
    }
    void cleanup()
    {
        QCOMPARE(ground->harm(), QString());
        QCOMPARE(ground->open(mallory().event("$last")).reason, QString()); // her honest events are read, too
    }

    void an_event_of_another_sender_is_refused_E11()
    {
        QJsonObject event = mallory().event("$1");
        event.insert("sender", ground->bob.user);
        QCOMPARE(ground->open(event).reason, "owner_mismatch");
        event.insert("sender", 7);
        QCOMPARE(ground->open(event).how, How::Refused);
    }

    void an_event_of_another_room_is_refused_E11()
    {
        // The key is for this room; the event was written for another.
        const Opened opened = ground->open(mallory().event("$1", "!other:test"));
        QCOMPARE(opened.reason, "room_mismatch");
        QCOMPARE(opened.event, QJsonObject());
        // Carried into another room, the session is not known there (E12).
        QJsonObject carried = mallory().event("$2");
        carried.insert("room_id", "!other:test");
        QCOMPARE(ground->open(carried).reason, "no_key");
    }

    void a_key_given_for_two_rooms_serves_each_for_its_own_E11_E12()
    {
        mallory().giveKey(ground->server, alice(), mallory().roomKey("!other:test"));
        QJsonObject carried = mallory().event("$1");
        carried.insert("room_id", "!other:test");
        QCOMPARE(ground->open(carried).reason, "room_mismatch");
    }

    void a_device_and_a_key_that_an_event_names_say_nothing_E12()
    {
        QJsonObject event = mallory().event("$1");
        QJsonObject content = event.value("content").toObject();
        content.insert("device_id", ground->bob.device());
        content.insert("sender_key", ground->bob.machine->device().keys().curve25519);
        event.insert("content", content);
        QCOMPARE(ground->open(event).how, How::Opened);
    }

    void an_index_is_used_once_E14()
    {
        const QJsonObject event = mallory().event("$1");
        QCOMPARE(ground->open(event).how, How::Opened);
        QJsonObject again = event;
        again.insert("event_id", "$2");
        QCOMPARE(ground->open(again).reason, "replayed");
        QCOMPARE(ground->open(event).how, How::Opened); // the same event comes again: nothing is wrong with it
        alice().restart();
        QCOMPARE(ground->open(again).reason, "replayed");
        QCOMPARE(ground->open(event).how, How::Opened);
    }

    void an_index_is_used_once_however_long_ago_E14()
    {
        const QJsonObject first = mallory().event("$0");
        QCOMPARE(ground->open(first).how, How::Opened);
        for (int i = 1; i <= 1100; ++i)
            QCOMPARE(alice().machine->open(mallory().event(QString("$%1").arg(i)), alice().now).how, How::Opened);
        alice().commit();
        alice().restart();
        QJsonObject again = first;
        again.insert("event_id", "$x");
        QCOMPARE(ground->open(again).reason, "replayed");
    }

    void an_index_that_was_decided_and_not_committed_is_free_E14()
    {
        const QJsonObject event = mallory().event("$1");
        QCOMPARE(ground->open(event).how, How::Opened);
        const QJsonObject second = mallory().event("$2");
        QCOMPARE(alice().machine->open(second, alice().now).how, How::Opened);
        alice().machine->revert();
        QCOMPARE(alice().machine->open(second, alice().now).how, How::Opened);
    }

    void indices_out_of_order_are_read_E14()
    {
        QVector<QJsonObject> events;
        for (int i = 0; i < 40; ++i)
            events.push_back(mallory().event(QString("$%1").arg(i)));
        for (qsizetype i = events.size() - 1; i >= 0; --i)
            QCOMPARE(ground->open(events.at(i)).how, How::Opened);
    }

    void a_forwarded_key_is_not_taken_E19()
    {
        const auto other = mallory().backend->newOutbound(systemRandom);
        QJsonObject content = Attacker::roomKeyOf(**other);
        content.insert("sender_key", ground->bob.machine->device().keys().curve25519);
        content.insert("sender_claimed_ed25519_key", ground->bob.machine->device().keys().ed25519);
        content.insert("forwarding_curve25519_key_chain", QJsonArray());
        ground->toAlice(
            mallory().olm(ground->server, alice(), mallory().payload(alice(), "m.forwarded_room_key", content)));
        QVERIFY(alice().noted("forwarded_key_refused"));
        QVERIFY(!alice().rows.contains({Kind::Inbound, content.value("session_id").toString() + ' ' + room}));
        ground->toAlice({{"type", "m.forwarded_room_key"}, {"sender", mallory().user}, {"content", content}});
        QVERIFY(alice().noted("room_key_outside_olm"));
    }

    void a_key_request_is_not_answered_E19()
    {
        QCOMPARE(ground->harm(), QString());
        const int before = ground->server.requests;
        for (const QString &sender : {mallory().user, ground->bob.user})
            ground->toAlice({{"type", "m.room_key_request"},
                             {"sender", sender},
                             {"content", QJsonObject{{"action", "request"},
                                                     {"request_id", "1"},
                                                     {"requesting_device_id", ground->bob.device()}}}});
        QVERIFY(alice().noted("key_request_refused"));
        QCOMPARE(ground->server.requests, before);
    }

    void a_room_key_outside_olm_is_not_taken_E10()
    {
        const auto other = mallory().backend->newOutbound(systemRandom);
        const QJsonObject content = Attacker::roomKeyOf(**other);
        const qsizetype before = alice().rows.size();
        ground->toAlice({{"type", "m.room_key"}, {"sender", mallory().user}, {"content", content}});
        QVERIFY(alice().noted("room_key_outside_olm"));
        QCOMPARE(alice().rows.size(), before);
        // Nor is one that comes as an event of a room, however well encrypted.
        QCOMPARE(ground->open(mallory().event("$1", room, "m.room_key", content)).how, How::Opened);
        QVERIFY(!alice().rows.contains({Kind::Inbound, content.value("session_id").toString() + ' ' + room}));
    }

    void a_session_of_another_cannot_be_claimed_E13()
    {
        // Carol got Mallory's key, and gives it to Alice as her own.
        const QJsonObject stolen = mallory().roomKey();
        Attacker carol("@carol:test");
        carol.publish(ground->server, carol.deviceKeys());
        carol.publishIdentity(ground->server);
        carol.giveKey(ground->server, alice(), stolen);
        QVERIFY(alice().noted("session_of_another"));
        QJsonObject event = mallory().event("$1");
        QCOMPARE(ground->open(event).how, How::Opened);
        event.insert("sender", carol.user);
        QCOMPARE(ground->open(event).reason, "owner_mismatch");
    }

    void only_the_owner_can_reach_further_back_E13()
    {
        const auto other = mallory().backend->newOutbound(systemRandom);
        OutboundGroup &group = **other;
        const QJsonObject early = Attacker::roomKeyOf(group);
        const QByteArray plain =
            QJsonDocument(QJsonObject{{"type", "m.call.invite"}, {"content", QJsonObject{{"n", 1}}}, {"room_id", room}})
                .toJson();
        const QString first = group.encrypt(plain).value();
        const QString second = group.encrypt(plain).value();
        const QJsonObject late = Attacker::roomKeyOf(group);
        const QString third = group.encrypt(plain).value();
        const auto eventOf = [&](const QString &id, const QString &text) {
            QJsonObject event = mallory().sealedEvent(id, text);
            QJsonObject content = event.value("content").toObject();
            content.insert("session_id", group.id());
            event.insert("content", content);
            return event;
        };
        mallory().giveKey(ground->server, alice(), late);
        QCOMPARE(ground->open(eventOf("$3", third)).how, How::Opened);
        QCOMPARE(ground->open(eventOf("$1", first)).reason, "unknown_index");
        QCOMPARE(ground->open(eventOf("$1", first)).how, How::Waits);

        Attacker carol("@carol:test");
        carol.giveKey(ground->server, alice(), early);
        QVERIFY(alice().noted("session_of_another"));
        QCOMPARE(ground->open(eventOf("$1", first)).reason, "unknown_index");

        mallory().giveKey(ground->server, alice(), early);
        QCOMPARE(ground->open(eventOf("$1", first)).how, How::Opened);
        QCOMPARE(ground->open(eventOf("$2", second)).how, How::Opened);
        QCOMPARE(ground->open(eventOf("$4", third)).reason, "replayed"); // what was seen stays seen
        QCOMPARE(ground->open(eventOf("$3", third)).how, How::Opened);

        mallory().giveKey(ground->server, alice(), late); // a later one takes nothing away
        alice().restart();
        QCOMPARE(ground->open(eventOf("$1", first)).how, How::Opened);
    }

    void a_key_of_another_session_is_not_taken()
    {
        const auto other = mallory().backend->newOutbound(systemRandom);
        QJsonObject content = Attacker::roomKeyOf(**other);
        content.insert("session_id", mallory().group->id());
        mallory().giveKey(ground->server, alice(), content);
        QVERIFY(alice().noted("room_key_bad_key"));
        // Text that is no base64, a key that is cut off, a blank in the name, no room.
        const QString key = Attacker::roomKeyOf(**other).value("session_key").toString();
        for (const QString &bad : {QString("*"), key.left(40), QString(), key + "====", key.left(key.size() - 4)}) {
            content = Attacker::roomKeyOf(**other);
            content.insert("session_key", bad);
            mallory().giveKey(ground->server, alice(), content);
            QVERIFY(!alice().rows.contains({Kind::Inbound, (**other).id() + ' ' + room}));
        }
        content = Attacker::roomKeyOf(**other);
        content.insert("session_id", (**other).id() + ' ' + room);
        mallory().giveKey(ground->server, alice(), content);
        content = Attacker::roomKeyOf(**other, "r:test");
        mallory().giveKey(ground->server, alice(), content);
        content.insert("algorithm", "m.megolm.v2");
        mallory().giveKey(ground->server, alice(), content);
        QVERIFY(alice().noted("room_key_unusable"));
    }

    void broken_ciphertexts_are_refused()
    {
        const QJsonObject good = mallory().event("$1");
        const QString text = good.value("content").toObject().value("ciphertext").toString();
        QCOMPARE(ground->open(mallory().event("$0")).how, How::Opened);
        QVector<QString> bad{QString(), "*", "AA", "AwgA", text + "=", text + " ", QString(200'000, 'A')};
        for (qsizetype i = 0; i < text.size(); i += 3) {
            QString flipped = text;
            flipped[i] = flipped[i] == QLatin1Char('A') ? QLatin1Char('B') : QLatin1Char('A');
            bad.push_back(flipped);
            bad.push_back(text.left(i));
        }
        for (const QString &one : std::as_const(bad))
            QVERIFY(ground->open(mallory().sealedEvent("$1", one)).how != How::Opened);
        QCOMPARE(ground->open(good).how, How::Opened); // the broken ones used up no index
    }

    void odd_contents_are_refused()
    {
        const auto encrypted = [&](const QByteArray &plain) {
            return ground->open(mallory().sealedEvent("$1", mallory().group->encrypt(plain).value()));
        };
        const QByteArray inRoom = R"(,"room_id":"!r:test"})";
        for (const QByteArray &plain :
             {QByteArray(), QByteArray("[]"), QByteArray("7"), QByteArray(60'000, '['), QByteArray("{}"),
              R"({"type":7,"content":{})" + inRoom, R"({"type":"m.room.encrypted","content":{})" + inRoom,
              R"({"type":"m.call.invite","content":[])" + inRoom, R"({"type":"m.call.invite")" + inRoom,
              QByteArray(R"({"type":"m.call.invite","content":{}})")})
            QCOMPARE(encrypted(plain).how, How::Refused);
        QJsonObject event = mallory().event("$2");
        for (const QJsonValue &odd : {QJsonValue(), QJsonValue(7), QJsonValue(QJsonArray()), QJsonValue("x")}) {
            for (const QString &field : {QString("algorithm"), QString("session_id"), QString("ciphertext")}) {
                QJsonObject content = event.value("content").toObject();
                content.insert(field, odd);
                QJsonObject bent = event;
                bent.insert("content", content);
                QVERIFY(ground->open(bent).how != How::Opened);
            }
            QJsonObject bent = event;
            bent.insert("content", odd);
            QCOMPARE(ground->open(bent).how, How::Refused);
        }
    }
};

QTEST_GUILESS_MAIN(TestAttackEvents)
#include "tst_attack_events.moc"
