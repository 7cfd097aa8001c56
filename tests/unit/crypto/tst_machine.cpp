// SPDX-License-Identifier: Apache-2.0
// Two machines of ours that talk through a key server in memory: what must work. What others try is in tst_attacks.cpp;
// what other implementations say to us is in tests/integration/crypto.
#include "keyserver.h"

#include <QTest>

using namespace voip::crypto;
using namespace voip::crypto::test;
using How = Opened::How;

namespace
{

const QString room = QStringLiteral("!r:test");

QJsonObject eventOf(const Party &from, const QJsonObject &content, const QString &id)
{
    return {{"type", "m.room.encrypted"}, {"sender", from.user},  {"room_id", room}, {"event_id", id},
            {"content", content},         {"origin_server_ts", 5}};
}

} // namespace

class TestMachine : public QObject
{
    Q_OBJECT

private:
    KeyServer server;
    std::unique_ptr<Party> alice;
    std::unique_ptr<Party> bob;

    [[nodiscard]] RoomView viewOf(const Party &party) const
    {
        return {room, {party.user == alice->user ? bob->user : alice->user}};
    }
    void settleAll() { settle(server, {alice.get(), bob.get()}); }
    QJsonObject say(Party &from, const QString &id, int n = 1)
    {
        const auto content = from.machine->encrypt(viewOf(from), "m.call.invite", {{"n", n}});
        if (!content.ok())
            return {};
        from.commit();
        return eventOf(from, *content, id);
    }

private Q_SLOTS:
    void init()
    {
        server = {};
        alice = std::make_unique<Party>("@nova_alice:test");
        bob = std::make_unique<Party>("@bob:test");
        alice->machine->begin(alice->now);
        bob->machine->begin(bob->now);
        settleAll();
    }

    void a_device_is_brought_up_in_order()
    {
        QCOMPARE(alice->machine->device().stage(), OwnDevice::Stage::Complete);
        QCOMPARE(server.oneTimeKeys(alice->user, alice->device()), 50);
        QCOMPARE(alice->machine->device().id().size(), 10);
        KeyServer other;
        Party fresh("@carol:test");
        fresh.machine->begin(fresh.now);
        fresh.commit();
        QStringList order;
        for (;;) {
            const auto asked = fresh.machine->takeRequests(fresh.now);
            if (asked.isEmpty())
                break;
            for (const Asked &one : asked) {
                order += QString::number(one.request.index());
                fresh.machine->answered(other.perform(fresh.user, fresh.device(), one), fresh.now);
                fresh.commit();
            }
            if (order.size() > 10)
                break;
        }
        QCOMPARE(order.mid(0, 1), QStringList{"0"});      // MakeDevice
        QVERIFY(order.indexOf("2") < order.indexOf("3")); // keys before identity
    }

    void events_go_both_ways()
    {
        for (Party *from : {alice.get(), bob.get()}) {
            Party *to = from == alice.get() ? bob.get() : alice.get();
            QVERIFY(!from->machine->ready(viewOf(*from), from->now));
            from->machine->prepare(viewOf(*from), from->now);
            settleAll();
            QCOMPARE(from->machine->obstacle(viewOf(*from), from->now), QString());
            for (int i = 0; i < 5; ++i) {
                const QJsonObject event = say(*from, QString("$%1%2").arg(from->user).arg(i), i);
                QVERIFY(!QJsonDocument(event).toJson().contains("m.call.invite"));
                Opened opened = to->machine->open(event, to->now);
                if (opened.how == How::Waits) { // the sender's device is not known yet
                    settleAll();
                    opened = to->machine->open(event, to->now);
                }
                QCOMPARE(opened.reason, QString());
                QCOMPARE(opened.how, How::Opened);
                QCOMPARE(opened.event.value("type").toString(), "m.call.invite");
                QCOMPARE(opened.event.value("content").toObject().value("n").toInt(), i);
                QCOMPARE(opened.event.value("origin_server_ts").toInt(), 5);
                to->commit();
            }
        }
        QCOMPARE(alice->notes, Notes());
        QCOMPARE(bob->notes, Notes());
    }

    void all_survives_a_restart_after_every_step()
    {
        alice->machine->prepare(viewOf(*alice), alice->now);
        settleAll();
        for (int i = 0; i < 5; ++i) {
            const QJsonObject event = say(*alice, QString("$%1").arg(i), i);
            alice->restart();
            bob->restart();
            QCOMPARE(bob->machine->open(event, bob->now).how, How::Opened);
            bob->commit();
            settleAll();
            QVERIFY(alice->machine->ready(viewOf(*alice), alice->now));
        }
    }

    void a_step_that_is_not_committed_has_not_happened()
    {
        alice->machine->prepare(viewOf(*alice), alice->now);
        settleAll();
        const QJsonObject first = say(*alice, "$1", 1);
        const auto lost = alice->machine->encrypt(viewOf(*alice), "m.call.invite", {{"n", 2}});
        QVERIFY(alice->machine->changes().ok());
        alice->machine->revert();
        const auto again = alice->machine->encrypt(viewOf(*alice), "m.call.invite", {{"n", 2}});
        QCOMPARE(*again, *lost); // the same index again: nobody saw the first
        alice->commit();
        QCOMPARE(bob->machine->open(first, bob->now).how, How::Opened);
        bob->machine->revert();
        QCOMPARE(bob->machine->open(first, bob->now).how, How::Opened);
    }

    void a_message_on_its_way_is_the_same_after_a_crash()
    {
        alice->machine->prepare(viewOf(*alice), alice->now);
        QVector<Asked> sends;
        for (int i = 0; i < 10 && sends.isEmpty(); ++i) {
            alice->commit();
            for (const Asked &asked : alice->machine->takeRequests(alice->now)) {
                if (std::holds_alternative<SendToDevice>(asked.request))
                    sends.push_back(asked);
                else
                    alice->machine->answered(server.perform(alice->user, alice->device(), asked), alice->now);
            }
        }
        QCOMPARE(sends.size(), 1);
        alice->commit();
        QVERIFY(!alice->machine->ready(viewOf(*alice), alice->now));
        alice->restart();
        QVERIFY(!alice->machine->ready(viewOf(*alice), alice->now));
        bool found = false;
        for (const Asked &asked : alice->machine->takeRequests(alice->now)) {
            if (const auto *send = std::get_if<SendToDevice>(&asked.request)) {
                QCOMPARE(*send, std::get<SendToDevice>(sends.first().request));
                found = true;
            }
        }
        QVERIFY(found);
    }

    void the_key_is_rotated_when_it_must_be()
    {
        alice->machine->setRules(room, {3, 604'800'000});
        QStringList sessions;
        for (int i = 0; i < 7; ++i) {
            if (!alice->machine->ready(viewOf(*alice), alice->now)) {
                alice->machine->prepare(viewOf(*alice), alice->now);
                settleAll();
            }
            const QJsonObject event = say(*alice, QString("$%1").arg(i), i);
            sessions.push_back(event.value("content").toObject().value("session_id").toString());
            QCOMPARE(bob->machine->open(event, bob->now).how, How::Opened);
        }
        QCOMPARE(QSet<QString>(sessions.begin(), sessions.end()).size(), 3);
    }

    void who_leaves_does_not_read_on()
    {
        alice->machine->prepare(viewOf(*alice), alice->now);
        settleAll();
        const QString before = say(*alice, "$1").value("content").toObject().value("session_id").toString();
        Party carol("@carol:test");
        carol.machine->begin(carol.now);
        settle(server, {alice.get(), bob.get(), &carol});
        const RoomView both{room, {bob->user, carol.user}};
        QVERIFY(!alice->machine->ready(both, alice->now));
        alice->machine->prepare(both, alice->now);
        settle(server, {alice.get(), bob.get(), &carol});
        // Who comes gets the session from here on.
        const QJsonObject second = *alice->machine->encrypt(both, "m.call.invite", {});
        QCOMPARE(second.value("session_id").toString(), before);
        const RoomView alone{room, {carol.user}};
        QVERIFY(!alice->machine->ready(alone, alice->now));
        alice->machine->prepare(alone, alice->now);
        settle(server, {alice.get(), bob.get(), &carol});
        const QJsonObject third = *alice->machine->encrypt(alone, "m.call.invite", {});
        QVERIFY(third.value("session_id").toString() != before);
        QCOMPARE(bob->machine->open(eventOf(*alice, third, "$3"), bob->now).reason, "no_key");
    }

    void a_new_device_gets_the_key_before_the_next_event()
    {
        alice->machine->prepare(viewOf(*alice), alice->now);
        settleAll();
        say(*alice, "$1");
        Party second(bob->user); // another identity: unsigned by bob's, so policy all
        second.policy = Policy::All;
        alice->policy = Policy::All;
        alice->restart();
        second.machine->begin(second.now);
        settle(server, {alice.get(), bob.get(), &second});
        alice->machine->devicesChanged({bob->user}, {});
        QVERIFY(!alice->machine->ready(viewOf(*alice), alice->now));
        alice->machine->prepare(viewOf(*alice), alice->now);
        settle(server, {alice.get(), bob.get(), &second});
        const QJsonObject event = say(*alice, "$2");
        second.restart();
        QVERIFY(second.machine->open(event, second.now).how != How::Refused);
        settle(server, {alice.get(), bob.get(), &second});
        QCOMPARE(second.machine->open(event, second.now).reason, QString());
    }

    void supply_is_kept_and_keys_are_handed_out_once()
    {
        server.dropOneTimeKeys(alice->user, alice->device());
        alice->machine->counts(0, true, alice->now);
        settleAll();
        QCOMPARE(server.oneTimeKeys(alice->user, alice->device()), 50);
        alice->machine->counts(30, {}, alice->now);
        settleAll();
        QCOMPARE(server.oneTimeKeys(alice->user, alice->device()), 50);
        for (const int times : std::as_const(server.handedOut))
            QCOMPARE(times, 1);
    }

    void without_one_time_keys_the_fallback_key_serves()
    {
        server.dropOneTimeKeys(bob->user, bob->device());
        alice->machine->prepare(viewOf(*alice), alice->now);
        settleAll();
        const QJsonObject event = say(*alice, "$1");
        QCOMPARE(bob->machine->open(event, bob->now).how, How::Opened);
        // It is replaced once the homeserver says that it was used (E4).
        bob->machine->counts({}, false, bob->now);
        bob->commit();
        bool uploads = false;
        for (const Asked &asked : bob->machine->takeRequests(bob->now)) {
            if (const auto *upload = std::get_if<UploadKeys>(&asked.request))
                uploads = upload->body.value("fallback_keys").toObject().size() == 1;
        }
        QVERIFY(uploads);
    }

    void what_cannot_be_had_is_gone_without()
    {
        server.dropOneTimeKeys(bob->user, bob->device());
        server.dropFallback(bob->user, bob->device());
        alice->machine->prepare(viewOf(*alice), alice->now);
        settleAll();
        QCOMPARE(alice->machine->obstacle(viewOf(*alice), alice->now), "no_device");
        QVERIFY(bob->machine->device().stage() == OwnDevice::Stage::Complete);
        // He was told m.no_olm, begins a session himself, and then it works.
        alice->now += 1000;
        bob->now += 1000;
        bob->machine->prepare(viewOf(*bob), bob->now);
        settleAll();
        alice->machine->tick(alice->now);
        settleAll();
        QCOMPARE(alice->machine->obstacle(viewOf(*alice), alice->now), QString());
    }

    void a_broken_session_is_mended_once_an_hour()
    {
        alice->machine->prepare(viewOf(*alice), alice->now);
        bob->machine->prepare(viewOf(*bob), bob->now);
        settleAll();
        const auto junk = [&](int n) {
            const QJsonObject sealed{
                {"type", 1},
                {"body", QString::fromLatin1(QByteArray(60 + n, 'x').toBase64(QByteArray::OmitTrailingEquals))}};
            const QJsonObject content{
                {"algorithm", "m.olm.v1.curve25519-aes-sha2"},
                {"sender_key", bob->machine->device().keys().curve25519},
                {"ciphertext", QJsonObject{{alice->machine->device().keys().curve25519, sealed}}}};
            alice->machine->toDevice({{"type", "m.room.encrypted"}, {"sender", bob->user}, {"content", content}},
                                     alice->now);
        };
        junk(1);
        settleAll();
        QVERIFY(alice->noted("unwedged"));
        alice->notes.clear();
        junk(2);
        settleAll();
        QVERIFY(!alice->noted("unwedged"));
        alice->now += 3'600'001;
        junk(3);
        settleAll();
        QVERIFY(alice->noted("unwedged"));
    }

    void a_device_deleted_on_the_server_is_replaced()
    {
        const QString old = alice->device();
        const QString master = alice->machine->device().masterKey();
        alice->machine->prepare(viewOf(*alice), alice->now);
        settleAll();
        server.deleteDevice(alice->user, old);
        alice->machine->devicesChanged({alice->user}, {});
        settleAll();
        QVERIFY(alice->device() != old);
        QCOMPARE(alice->machine->device().masterKey(), master);
        QCOMPARE(alice->machine->device().stage(), OwnDevice::Stage::Complete);
        QVERIFY(alice->noted("device_gone"));
        bob->machine->devicesChanged({alice->user}, {});
        alice->machine->prepare(viewOf(*alice), alice->now);
        settleAll();
        const QJsonObject event = say(*alice, "$new");
        QCOMPARE(bob->machine->open(event, bob->now).how, How::Opened);
    }

    void an_old_backup_is_noticed_by_our_own_events()
    {
        alice->machine->prepare(viewOf(*alice), alice->now);
        settleAll();
        const auto backup = alice->rows;
        const QJsonObject event = say(*alice, "$1");
        const QString old = alice->device();
        alice->machine->echo(event, alice->now);
        QCOMPARE(alice->device(), old);
        alice->rows = backup;
        alice->restart();
        alice->machine->echo(event, alice->now);
        QVERIFY(alice->device() != old);
        settleAll();
        QCOMPARE(server.devicesOf(alice->user), QStringList{alice->device()}); // the old one was deleted
    }

    void an_old_backup_is_noticed_by_a_session_of_ours_that_it_does_not_know()
    {
        alice->machine->setRules(room, {2, 604'800'000});
        alice->machine->prepare(viewOf(*alice), alice->now);
        settleAll();
        const auto backup = alice->rows;
        QVector<QJsonObject> events;
        for (int i = 0; i < 5; ++i) { // three sessions
            alice->machine->prepare(viewOf(*alice), alice->now);
            settleAll();
            events.push_back(say(*alice, QString("$%1").arg(i)));
        }
        const QString old = alice->device();
        for (const QJsonObject &event : std::as_const(events))
            alice->machine->echo(event, alice->now);
        QCOMPARE(alice->device(), old); // all of them are known
        alice->rows = backup;
        alice->restart();
        alice->machine->echo(events.last(), alice->now);
        QVERIFY(alice->device() != old);
    }

    void an_old_backup_is_noticed_by_keys_that_exist()
    {
        const auto backup = alice->rows;
        const QString old = alice->device();
        server.dropOneTimeKeys(alice->user, alice->device());
        alice->machine->counts(0, {}, alice->now);
        settleAll();
        server.keepOneTimeKeys(alice->user, alice->device(), 10);
        alice->rows = backup;
        alice->restart();
        alice->machine->counts(0, {}, alice->now); // makes other keys under the same ids
        settleAll();
        QVERIFY(alice->device() != old);
        QVERIFY(alice->noted("state_went_back"));
    }
};

QTEST_GUILESS_MAIN(TestMachine)
#include "tst_machine.moc"
