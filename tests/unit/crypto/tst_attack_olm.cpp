// SPDX-License-Identifier: Apache-2.0
// What others try with to-device messages: payloads that lie, sessions that are used twice or broken, keys that are
// somebody else's. Each attack is refused, and nothing that worked before is harmed.
#include "attacker.h"

#include <QTest>

using namespace voip::crypto;
using namespace voip::crypto::test;
using How = Opened::How;

Q_DECLARE_METATYPE(std::function<void(QJsonObject &)>)

namespace
{

using Change = std::function<void(QJsonObject &)>;

} // namespace

class TestAttackOlm : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<Ground> ground;
    [[nodiscard]] Attacker &mallory() const { return ground->mallory; }
    [[nodiscard]] Party &alice() const { return ground->alice; }
    [[nodiscard]] bool has(const OutboundGroup &group) const
    {
        return alice().rows.contains({Kind::Inbound, group.id() + ' ' + room});
    }
    [[nodiscard]] int claims() const
    {
        return static_cast<int>(std::count_if(ground->server.asked.begin(), ground->server.asked.end(),
                                              [](const auto &one) { return std::holds_alternative<ClaimKeys>(one); }));
    }
    // A to-device message that only the sender of `key` could have meant, and that nobody can decrypt.
    [[nodiscard]] QJsonObject junk(const Party &from, int n) const
    {
        const QJsonObject sealed{
            {"type", 1},
            {"body", QString::fromLatin1(QByteArray(60 + n % 50, 'x').toBase64(QByteArray::OmitTrailingEquals))}};
        return {{"type", "m.room.encrypted"},
                {"sender", from.user},
                {"content",
                 QJsonObject{{"algorithm", olmAlgorithm},
                             {"sender_key", from.machine->device().keys().curve25519},
                             {"ciphertext", QJsonObject{{alice().machine->device().keys().curve25519, sealed}}}}}};
    }

private Q_SLOTS:
    void init()
    {
        ground = std::make_unique<Ground>();
        ground->letMalloryIn();
    }
    void cleanup() { QCOMPARE(ground->harm(), QString()); }

    void a_payload_that_lies_is_refused_E8_data()
    {
        QTest::addColumn<Change>("change");
        QTest::addColumn<QString>("word");
        const auto row = [](const char *name, const Change &change, const QString &word) {
            QTest::newRow(name) << change << word;
        };
        const QString other = QString::fromLatin1(QByteArray(32, 'z').toBase64(QByteArray::OmitTrailingEquals));
        const auto set = [](const QString &field, const QJsonValue &value) -> Change {
            return [=](QJsonObject &payload) { payload.insert(field, value); };
        };
        row("sender", set("sender", "@bob:test"), "olm_sender_mismatch");
        row("no sender", set("sender", QJsonValue()), "olm_sender_mismatch");
        row("recipient", set("recipient", "@bob:test"), "olm_recipient_mismatch");
        row("recipients", set("recipient", QJsonArray{"@nova_alice:test"}), "olm_recipient_mismatch");
        row("recipient's key", set("recipient_keys", QJsonObject{{"ed25519", other}}), "olm_recipient_key_mismatch");
        row("no recipient's key", set("recipient_keys", QJsonValue()), "olm_recipient_key_mismatch");
        row("no keys", set("keys", QJsonValue()), "olm_sender_key_missing");
        row("odd keys", set("keys", QJsonObject{{"ed25519", "short"}}), "olm_sender_key_missing");
        row("another's keys", set("keys", QJsonObject{{"ed25519", other}}), "olm_sender_device_mismatch");
        row("null device", set("sender_device_keys", QJsonValue()), "olm_sender_device_mismatch");
        row("odd device", set("sender_device_keys", QJsonArray()), "olm_sender_device_mismatch");
        const auto device = [](const QString &field, const QJsonValue &value) -> Change {
            return [=](QJsonObject &payload) {
                payload.insert("sender_device_keys",
                               edited(payload.value("sender_device_keys").toObject(), field, value));
            };
        };
        row("device of another user", device("user_id", "@bob:test"), "olm_sender_device_mismatch");
        row("device of another id", device("device_id", "OTHER"), "olm_sender_device_mismatch");
        row("device without keys", device("keys", QJsonObject()), "olm_sender_device_mismatch");
        row("device without signature", device("signatures", QJsonObject()), "olm_sender_device_mismatch");
        row("device with one word more", device("display", "x"), "olm_sender_device_mismatch");
    }
    void a_payload_that_lies_is_refused_E8()
    {
        QFETCH(Change, change);
        QFETCH(QString, word);
        QJsonObject payload = mallory().payload(alice(), "m.room_key", mallory().roomKey());
        const QJsonObject honest = payload;
        change(payload);
        ground->toAlice(mallory().olm(ground->server, alice(), payload));
        QVERIFY2(alice().noted(word), qPrintable(alice().notes.isEmpty() ? QString() : alice().notes.last().word));
        QVERIFY(!has(*mallory().group));
        ground->toAlice(mallory().olm(ground->server, alice(), honest)); // the Olm session itself is good
        QVERIFY(has(*mallory().group));
        QCOMPARE(ground->open(mallory().event("$1")).reason, QString());
    }

    void another_sender_on_the_outside_is_refused_E8()
    {
        const QJsonObject payload = mallory().payload(alice(), "m.room_key", mallory().roomKey());
        ground->toAlice(edited(mallory().olm(ground->server, alice(), payload), "sender", ground->bob.user));
        QVERIFY(alice().noted("olm_sender_mismatch"));
        QVERIFY(!has(*mallory().group));
    }

    void what_an_olm_message_claims_must_be_in_the_list_E9()
    {
        // Her message says another Ed25519 key than her list: nobody has signed that these two belong together.
        QJsonObject payload = mallory().payload(alice(), "m.room_key", mallory().roomKey());
        payload.insert("keys", QJsonObject{{"ed25519", ground->bob.machine->device().keys().ed25519}});
        payload.remove("sender_device_keys");
        ground->toAlice(mallory().olm(ground->server, alice(), payload));
        QCOMPARE(ground->open(mallory().event("$1")).reason, "device_mismatch");

        // A device that is in no list, with sender_device_keys all in order.
        Attacker hidden(mallory().user, "HIDDEN");
        hidden.giveKey(ground->server, alice(), hidden.roomKey());
        QCOMPARE(ground->open(hidden.event("$2")).reason, "unknown_device");
    }

    void a_device_with_the_curve_key_of_another_takes_nothing_from_it_data()
    {
        QTest::addColumn<bool>("gives");
        QTest::addRow("its one-time keys are of no use") << true;
        QTest::addRow("it has no one-time keys") << false;
    }
    void a_device_with_the_curve_key_of_another_takes_nothing_from_it()
    {
        QFETCH(bool, gives);
        Party &bob = ground->bob;
        Attacker carol("@carol:test", "COPY");
        QJsonObject keys = carol.bareDeviceKeys();
        keys.insert("keys", QJsonObject{{"curve25519:COPY", bob.machine->device().keys().curve25519},
                                        {"ed25519:COPY", carol.keys().ed25519}});
        carol.publish(ground->server, withKey(carol.selfSigning, carol.user, carol.signedByDevice(keys)));
        carol.publishIdentity(ground->server);
        if (!gives) {
            ground->server.dropOneTimeKeys(carol.user, "COPY");
            ground->server.dropFallback(carol.user, "COPY");
        }
        // First alone with her, then with both: whatever is made for her must not be used for Bob.
        alice().machine->prepare({"!other:test", {carol.user}}, alice().now);
        ground->settle();
        QCOMPARE(ground->say(alice(), bob, {bob.user, carol.user}), QString());
        QCOMPARE(ground->say(alice(), bob, {carol.user, bob.user}), QString());
    }

    void an_unsigned_copy_of_a_device_does_not_hide_it_E9()
    {
        QCOMPARE(ground->harm(), QString());
        Party &bob = ground->bob;
        Attacker copy(bob.user, "AAA"); // before his in every order, and added by his homeserver
        QJsonObject keys = copy.bareDeviceKeys();
        keys.insert("keys", QJsonObject{{"curve25519:AAA", bob.machine->device().keys().curve25519},
                                        {"ed25519:AAA", copy.keys().ed25519}});
        copy.publish(ground->server, copy.signedByDevice(keys));
        alice().machine->devicesChanged({bob.user}, {});
        ground->settle();
        QVERIFY(alice().machine->devices().find(bob.user)->devices.contains("AAA"));
        QCOMPARE(ground->harm(), QString());
    }

    void nonsense_changes_nothing()
    {
        QCOMPARE(ground->harm(), QString());
        const qsizetype rows = alice().rows.size();
        const QString ours = alice().machine->device().keys().curve25519;
        const QJsonObject good = mallory().olm(ground->server, alice(), mallory().payload(alice(), "m.dummy", {}));
        const QString body = good.value("content")
                                 .toObject()
                                 .value("ciphertext")
                                 .toObject()
                                 .value(ours)
                                 .toObject()
                                 .value("body")
                                 .toString();
        const auto send = [&](const QJsonValue &type, const QJsonValue &text) {
            QJsonObject content = good.value("content").toObject();
            content.insert("ciphertext", QJsonObject{{ours, QJsonObject{{"type", type}, {"body", text}}}});
            ground->toAlice(edited(good, "content", content));
        };
        for (const QJsonValue &type : {QJsonValue(0), QJsonValue(1), QJsonValue(-1), QJsonValue(2), QJsonValue("0"),
                                       QJsonValue(), QJsonValue(1e18)}) {
            for (const QJsonValue &text : {QJsonValue(), QJsonValue(""), QJsonValue("*"), QJsonValue("A"),
                                           QJsonValue(body + "="), QJsonValue(QString(200'000, 'A')),
                                           QJsonValue(QString(3000, 'A')), QJsonValue(body.left(body.size() / 2))})
                send(type, text);
        }
        for (qsizetype i = 0; i < body.size(); i += 7) { // each place wrong
            QString flipped = body;
            flipped[i] = flipped[i] == QLatin1Char('A') ? QLatin1Char('B') : QLatin1Char('A');
            send(0, flipped);
        }
        for (const QString &field : {QString("type"), QString("sender"), QString("content")}) {
            for (const QJsonValue &odd : {QJsonValue(), QJsonValue(7), QJsonValue(QJsonArray{1}), QJsonValue("")})
                ground->toAlice(edited(good, field, odd));
        }
        for (const QString &field : {QString("algorithm"), QString("sender_key"), QString("ciphertext")}) {
            for (const QJsonValue &odd : {QJsonValue(), QJsonValue(7), QJsonValue(QJsonArray{1}), QJsonValue("x")})
                ground->toAlice(edited(good, "content", edited(good.value("content").toObject(), field, odd)));
        }
        // Nothing was kept of what could not be decrypted (E21), and its one-time key was not used up.
        QCOMPARE(alice().rows.size(), rows);
        ground->toAlice(good);
        QVERIFY(alice().machine->changes()->isEmpty());
        QCOMPARE(alice().rows.size(), rows + 1); // her Olm session
        ground->toAlice(
            mallory().olmEvent(alice(), mallory().sessions[alice().user]->encrypt("no JSON", systemRandom).value()));
        QVERIFY(alice().noted("olm_bad_json"));
    }

    void a_one_time_key_begins_one_session_E21()
    {
        // Mallory keeps the one-time key that she got and begins with it again.
        mallory().beginSession(ground->server, alice());
        const auto first = std::move(mallory().sessions[alice().user]);
        mallory().sessions.clear();
        Attacker twin(mallory().user, "TWIN");
        const Answer claimed =
            ground->server.perform(twin.user, twin.device, {0, ClaimKeys{{{alice().user, {alice().device()}}}}});
        const QString key = claimed.body.value("one_time_keys")
                                .toObject()
                                .value(alice().user)
                                .toObject()
                                .value(alice().device())
                                .toObject()
                                .begin()
                                .value()
                                .toObject()
                                .value("key")
                                .toString();
        const QString ours = alice().machine->device().keys().curve25519;
        for (int i = 0; i < 2; ++i) {
            twin.sessions[alice().user] = std::move(twin.account->outbound(ours, key, systemRandom)).value();
            twin.giveKey(ground->server, alice(), twin.roomKey(QString("!%1:test").arg(i)));
        }
        QVERIFY(alice().rows.contains({Kind::Inbound, twin.group->id() + " !0:test"}));
        QVERIFY(!alice().rows.contains({Kind::Inbound, twin.group->id() + " !1:test"}));
        QVERIFY(alice().noted("olm_unknown_one_time_key"));
    }

    void a_message_that_comes_again_is_not_read_again()
    {
        const QJsonObject message =
            mallory().olm(ground->server, alice(), mallory().payload(alice(), "m.room_key", mallory().roomKey()));
        ground->toAlice(message);
        QVERIFY(has(*mallory().group));
        alice().rows.remove({Kind::Inbound, mallory().group->id() + ' ' + room});
        alice().restart();
        ground->toAlice(message);
        QVERIFY(!has(*mallory().group));
    }

    void a_broken_session_costs_one_claim_an_hour_E20()
    {
        QCOMPARE(ground->harm(), QString());
        for (int i = 0; i < 50; ++i)
            ground->toAlice(junk(ground->bob, i));
        QCOMPARE(claims(), 1 + claimsOfHarm());
    }

    void a_broken_session_that_cannot_be_mended_costs_one_claim_an_hour_E20()
    {
        QCOMPARE(ground->harm(), QString());
        ground->server.dropOneTimeKeys(ground->bob.user, ground->bob.device());
        ground->server.dropFallback(ground->bob.user, ground->bob.device());
        for (int i = 0; i < 50; ++i)
            ground->toAlice(junk(ground->bob, i));
        QCOMPARE(claims(), 1 + claimsOfHarm());
        alice().now += 3'600'001;
        ground->bob.now = alice().now;
        for (int i = 0; i < 50; ++i)
            ground->toAlice(junk(ground->bob, i));
        QCOMPARE(claims(), 2 + claimsOfHarm());
    }

    void a_broken_device_that_goes_away_is_let_go_E20()
    {
        Attacker second(mallory().user, "SECOND");
        second.publish(ground->server, second.deviceKeys());
        mallory().giveKey(ground->server, alice(), mallory().roomKey()); // so that Alice follows her
        ground->settle();
        QVERIFY(alice().machine->devices().find(mallory().user)->devices.contains("SECOND"));
        // Wedged, and gone before the claim is answered.
        const OlmMessage message{1, QString::fromLatin1(QByteArray(60, 'x').toBase64())};
        alice().machine->toDevice(second.olmEvent(alice(), message), alice().now);
        alice().machine->devicesChanged({mallory().user}, {});
        ground->server.deleteDevice(mallory().user, "SECOND");
        alice().commit();
        const int before = claims();
        for (int i = 0; i < 20; ++i) {
            alice().commit();
            QVector<Asked> asked = alice().machine->takeRequests(alice().now);
            std::sort(asked.begin(), asked.end(), [](const Asked &one, const Asked &other) {
                return one.request.index() < other.request.index(); // the list first
            });
            for (const Asked &one : std::as_const(asked))
                alice().machine->answered(ground->server.perform(alice().user, alice().device(), one), alice().now);
        }
        QVERIFY2(claims() - before <= 1, qPrintable(QString::number(claims() - before)));
    }

    void a_code_that_another_says_does_not_replace_the_senders_E18()
    {
        Attacker bobs(ground->bob.user, "BOBS");
        const QString session = bobs.group->id();
        const auto withheld = [&](const QString &sender, const QJsonValue &code) {
            ground->toAlice({{"type", "m.room_key.withheld"},
                             {"sender", sender},
                             {"content", QJsonObject{{"algorithm", megolmAlgorithm},
                                                     {"room_id", room},
                                                     {"session_id", session},
                                                     {"sender_key", bobs.keys().curve25519},
                                                     {"code", code}}}});
        };
        withheld(ground->bob.user, "m.unverified");
        QCOMPARE(ground->open(bobs.event("$1")).reason, "m.unverified");
        withheld(mallory().user, "m.blacklisted");
        QCOMPARE(ground->open(bobs.event("$1")).reason, "m.unverified");
        QCOMPARE(ground->open(edited(bobs.event("$1"), "sender", mallory().user)).reason, "m.blacklisted");
        QCOMPARE(ground->open(edited(bobs.event("$1"), "sender", "@carol:test")).reason, "no_key");
        withheld(ground->bob.user, "x.unheard of");
        QCOMPARE(ground->open(bobs.event("$1")).reason, "unknown_code");
        for (int i = 0; i < 1000; ++i) {
            alice().machine->toDevice({{"type", "m.room_key.withheld"},
                                       {"sender", mallory().user},
                                       {"content", QJsonObject{{"algorithm", megolmAlgorithm},
                                                               {"room_id", room},
                                                               {"session_id", QString("session%1").arg(i)},
                                                               {"code", "m.unverified"}}}},
                                      alice().now);
        }
        alice().commit();
        // No row can hold U+0000: what brought it into one would take down whatever came with it.
        alice().machine->toDevice({{"type", "m.room_key.withheld"},
                                   {"sender", mallory().user},
                                   {"content", QJsonObject{{"algorithm", megolmAlgorithm},
                                                           {"room_id", QString("!r") + QChar(u'\0')},
                                                           {"session_id", "s"},
                                                           {"code", "m.unverified"}}}},
                                  alice().now);
        QVERIFY(alice().machine->changes()->isEmpty());
        int rows = 0;
        for (auto it = alice().rows.begin(); it != alice().rows.end(); ++it)
            rows += it.key().kind == Kind::Withheld ? 1 : 0;
        QVERIFY(rows <= 256);
    }

private:
    // harm() before the test: Alice claimed Bob's key once.
    static int claimsOfHarm() { return 1; }
};

QTEST_GUILESS_MAIN(TestAttackOlm)
#include "tst_attack_olm.moc"
