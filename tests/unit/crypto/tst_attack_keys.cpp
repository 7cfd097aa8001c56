// SPDX-License-Identifier: Apache-2.0
// What others, and a homeserver, try with lists of devices and with claimed keys. Each attack is refused, and nothing
// that worked before is harmed.
#include "attacker.h"

#include <QTest>

using namespace voip::crypto;
using namespace voip::crypto::test;
using How = Opened::How;

class TestAttackKeys : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<Ground> ground;
    [[nodiscard]] Attacker &mallory() const { return ground->mallory; }
    [[nodiscard]] Party &alice() const { return ground->alice; }
    void learn(const QString &user) { ground->learn(user); }
    [[nodiscard]] const Device *known(const QString &user, const QString &id) const { return ground->known(user, id); }
    [[nodiscard]] int count(std::size_t kind) const { return ground->count(kind); }
    [[nodiscard]] QStringList sentTo(const QString &user, const QString &device) const
    {
        return ground->sentTo(user, device);
    }

private Q_SLOTS:
    void init()
    {
        ground = std::make_unique<Ground>();
        QCOMPARE(ground->harm(), QString());
    }
    void cleanup()
    {
        ground->server.bend = {};
        alice().now += 3'600'000; // what was gone without is asked for again
        ground->bob.now = alice().now;
        alice().machine->devicesChanged({ground->bob.user}, {});
        ground->bob.machine->devicesChanged({alice().user}, {});
        QCOMPARE(ground->harm(), QString());
    }

    void a_forged_device_is_not_believed_E6_data()
    {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("word");
        QTest::newRow("signed by nobody") << "none"
                                          << "device_signature_forged";
        QTest::newRow("signed by another") << "other"
                                           << "device_signature_forged";
        QTest::newRow("changed after") << "changed"
                                       << "device_signature_forged";
        QTest::newRow("another user") << "user"
                                      << "device_of_another";
        QTest::newRow("another id") << "id"
                                    << "device_of_another";
        QTest::newRow("no keys") << "keys"
                                 << "device_without_keys";
        QTest::newRow("half a key") << "short"
                                    << "device_without_keys";
    }
    void a_forged_device_is_not_believed_E6()
    {
        QFETCH(QString, what);
        QFETCH(QString, word);
        Attacker &m = mallory();
        QJsonObject keys = m.deviceKeys();
        if (what == "none")
            keys = withKey(m.selfSigning, m.user, m.bareDeviceKeys());
        if (what == "other")
            keys.insert(
                "signatures",
                QJsonObject{{m.user, QJsonObject{{"ed25519:EVIL", ground->bob.machine->device().keys().ed25519}}}});
        if (what == "changed")
            keys.insert("algorithms", QJsonArray());
        if (what == "user")
            keys.insert("user_id", "@bob:test");
        if (what == "id")
            keys.insert("device_id", "OTHER");
        if (what == "keys")
            keys = m.signedByDevice(edited(m.bareDeviceKeys(), "keys", QJsonObject()));
        if (what == "short")
            keys =
                m.signedByDevice(edited(m.bareDeviceKeys(), "keys",
                                        QJsonObject{{"curve25519:EVIL", "AAAA"}, {"ed25519:EVIL", m.keys().ed25519}}));
        m.publish(ground->server, keys);
        m.publishIdentity(ground->server);
        learn(m.user);
        QVERIFY(alice().noted(word));
        QVERIFY(!known(m.user, "EVIL"));
        m.giveKey(ground->server, alice(), m.roomKey());
        QCOMPARE(ground->open(m.event("$1")).reason, "unknown_device");
        m.publish(ground->server, m.deviceKeys()); // the honest one is taken
        learn(m.user);
        QCOMPARE(ground->open(m.event("$1")).reason, QString());
    }

    void a_device_id_that_is_an_identity_key_is_refused_E7()
    {
        for (const bool master : {true, false}) {
            Attacker honest("@carol:test");
            const QString id = (master ? honest.master : honest.selfSigning).publicKey();
            Attacker evil(honest.user, id);
            evil.publish(ground->server,
                         withKey(honest.selfSigning, honest.user, evil.signedByDevice(evil.bareDeviceKeys())));
            honest.publish(ground->server, honest.deviceKeys());
            honest.publishIdentity(ground->server);
            alice().notes.clear();
            learn(honest.user);
            QVERIFY(alice().noted("device_id_is_identity_key"));
            QVERIFY(!known(honest.user, id));
            QVERIFY(known(honest.user, "EVIL")->crossSigned);
        }
    }

    void a_key_that_changes_is_not_believed_E6()
    {
        mallory().publish(ground->server, mallory().deviceKeys());
        mallory().publishIdentity(ground->server);
        learn(mallory().user);
        mallory().giveKey(ground->server, alice(), mallory().roomKey());
        Attacker twin(mallory().user, mallory().device); // another key under the same name, signed by the same identity
        twin.publish(ground->server,
                     withKey(mallory().selfSigning, twin.user, twin.signedByDevice(twin.bareDeviceKeys())));
        learn(mallory().user);
        QVERIFY(alice().noted("device_key_changed"));
        QCOMPARE(known(mallory().user, "EVIL")->ed25519, mallory().keys().ed25519);
        twin.giveKey(ground->server, alice(), twin.roomKey());
        QCOMPARE(ground->open(twin.event("$1")).reason, "unknown_device");
        QCOMPARE(ground->open(mallory().event("$2")).reason, QString());
        alice().restart();
        learn(mallory().user);
        QCOMPARE(known(mallory().user, "EVIL")->ed25519, mallory().keys().ed25519);
    }

    void a_forged_identity_signs_nothing_E24_data()
    {
        QTest::addColumn<QString>("what");
        for (const char *what : {"not signed by the master key", "signed by another master key", "of another user",
                                 "for another use", "two keys", "no master key", "another's master key"})
            QTest::newRow(what) << what;
    }
    void a_forged_identity_signs_nothing_E24()
    {
        QFETCH(QString, what);
        Attacker &m = mallory();
        m.publish(ground->server, m.deviceKeys());
        QJsonObject selfSigning = m.selfSigningKey();
        QJsonValue master = m.masterKey();
        Attacker other(m.user);
        if (what == "not signed by the master key")
            selfSigning.remove("signatures");
        if (what == "signed by another master key")
            master = other.masterKey();
        if (what == "of another user")
            selfSigning = withKey(m.master, m.user, edited(selfSigning, "user_id", "@bob:test"));
        if (what == "for another use")
            selfSigning = withKey(m.master, m.user, edited(selfSigning, "usage", QJsonArray{"user_signing"}));
        if (what == "two keys") {
            QJsonObject keys = selfSigning.value("keys").toObject();
            keys.insert(other.selfSigning.keyId(), other.selfSigning.publicKey());
            selfSigning = withKey(m.master, m.user, edited(selfSigning, "keys", keys));
        }
        if (what == "no master key")
            master = QJsonValue();
        if (what == "another's master key")
            master = edited(m.masterKey(), "user_id", "@bob:test");
        (void)ground->server.perform(m.user, m.device,
                                     {0, UploadIdentity{{{"master_key", master}, {"self_signing_key", selfSigning}}}});
        learn(m.user);
        QVERIFY(known(m.user, "EVIL"));
        QVERIFY(!known(m.user, "EVIL")->crossSigned);
        m.giveKey(ground->server, alice(), m.roomKey());
        QCOMPARE(ground->open(m.event("$1")).reason, "unsigned_device");
        m.publishIdentity(ground->server);
        learn(m.user);
        QCOMPARE(ground->open(m.event("$1")).reason, QString());
    }

    void an_unsigned_device_gets_no_keys_and_is_not_believed_E18_E24()
    {
        Attacker &m = mallory();
        m.publish(ground->server, m.deviceKeys(false));
        m.publishIdentity(ground->server);
        const QStringList both{ground->bob.user, m.user};
        for (int i = 0; i < 3; ++i)
            QCOMPARE(ground->say(alice(), ground->bob, both), QString());
        QCOMPARE(sentTo(m.user, m.device), QStringList{"m.room_key.withheld m.unverified"});
        alice().restart();
        QCOMPARE(ground->say(alice(), ground->bob, both), QString());
        QCOMPARE(sentTo(m.user, m.device), QStringList{"m.room_key.withheld m.unverified"}); // once
        m.giveKey(ground->server, alice(), m.roomKey());
        QCOMPARE(ground->open(m.event("$1")).reason, "unsigned_device");
        // Its owner signs it: from now on it has the keys, and what it said counts.
        m.publish(ground->server, m.deviceKeys());
        learn(m.user);
        QCOMPARE(ground->say(alice(), ground->bob, both), QString());
        QCOMPARE(sentTo(m.user, m.device).last(), "m.room.encrypted ");
        QCOMPARE(ground->open(m.event("$1")).reason, QString());
    }

    void an_overtaken_answer_is_asked_for_again_E5()
    {
        for (const bool reverted : {false, true}) {
            alice().machine->devicesChanged({ground->bob.user}, {});
            alice().commit();
            const auto asked = alice().machine->takeRequests(alice().now);
            QCOMPARE(asked.size(), 1);
            const Answer answer = ground->server.perform(alice().user, alice().device(), asked.first());
            alice().machine->devicesChanged({ground->bob.user}, {}); // meanwhile
            alice().commit();
            if (reverted) {
                alice().machine->counts(50, {}, alice().now);
                alice().machine->revert();
            }
            alice().machine->answered(answer, alice().now);
            alice().commit();
            QVERIFY(!alice().machine->devices().upToDate(ground->bob.user));
            ground->settle();
            QVERIFY(alice().machine->devices().upToDate(ground->bob.user));
        }
    }

    void hostile_claims_begin_no_session_data()
    {
        QTest::addColumn<QString>("what");
        for (const char *what : {"nothing", "odd", "unsigned", "another's signature", "another algorithm", "two keys",
                                 "huge", "no key", "changed"})
            QTest::newRow(what) << what;
    }
    void hostile_claims_begin_no_session()
    {
        QFETCH(QString, what);
        Attacker &m = mallory();
        m.publish(ground->server, m.deviceKeys());
        m.publishIdentity(ground->server);
        const QString curve = ground->bob.machine->device().keys().curve25519;
        const QString id = "signed_curve25519:AAAA";
        QJsonValue keys = QJsonObject();
        if (what == "odd")
            keys = QJsonArray{7};
        if (what == "unsigned")
            keys = QJsonObject{{id, QJsonObject{{"key", curve}}}};
        if (what == "another's signature")
            keys = QJsonObject{{id, Attacker(m.user).oneTimeKey(curve)}};
        if (what == "another algorithm")
            keys = QJsonObject{{"curve25519:AAAA", m.oneTimeKey(curve)}};
        if (what == "two keys")
            keys = QJsonObject{{id, m.oneTimeKey(curve)}, {id + "B", m.oneTimeKey(curve)}};
        if (what == "huge")
            keys = QJsonObject{{id, m.oneTimeKey(QString(1'000'000, 'A'))}};
        if (what == "no key")
            keys = QJsonObject{{id, m.signedByDevice({})}};
        if (what == "changed")
            keys = QJsonObject{{id, edited(m.oneTimeKey(curve), "key", m.keys().curve25519)}};
        ground->server.bend = [&](const Request &request, const QJsonObject &answer) {
            if (!std::holds_alternative<ClaimKeys>(request))
                return answer;
            // Beside it, keys of devices for which nobody asked.
            return QJsonObject{{"one_time_keys", QJsonObject{{m.user, QJsonObject{{m.device, keys}, {"OTHER", keys}}},
                                                             {"@carol:test", QJsonObject{{"X", keys}}}}}};
        };
        const int before = count(5);
        const QStringList both{ground->bob.user, m.user};
        QCOMPARE(ground->say(alice(), ground->bob, both), QString());
        QVERIFY(alice().noted("one_time_key_forged") || alice().noted("one_time_key_missing") ||
                alice().noted("one_time_key_repeated"));
        QCOMPARE(sentTo(m.user, m.device), QStringList{"m.room_key.withheld m.no_olm"});
        QCOMPARE(ground->say(alice(), ground->bob, both), QString());
        QCOMPARE(count(5), before + 1); // not again at once
        ground->server.bend = {};
        alice().now += 600'001;
        ground->bob.now = alice().now;
        QCOMPARE(ground->say(alice(), ground->bob, both), QString());
        QCOMPARE(sentTo(m.user, m.device).last(), "m.room.encrypted ");
    }

    void a_one_time_key_that_comes_again_is_refused()
    {
        // The homeserver gives the same key for each claim; a new one is claimed because the session seems broken.
        QJsonObject first;
        ground->server.bend = [&](const Request &request, const QJsonObject &answer) {
            if (!std::holds_alternative<ClaimKeys>(request))
                return answer;
            if (first.isEmpty())
                first = answer;
            return first;
        };
        for (int i = 0; i < 2; ++i) {
            alice().notes.clear();
            ground->toAlice({{"type", "m.room_key.withheld"},
                             {"sender", ground->bob.user},
                             {"content", QJsonObject{{"algorithm", megolmAlgorithm},
                                                     {"sender_key", ground->bob.machine->device().keys().curve25519},
                                                     {"code", "m.no_olm"}}}});
            QCOMPARE(alice().noted("one_time_key_repeated"), i == 1);
            QCOMPARE(alice().noted("unwedged"), i == 0);
            alice().now += 3'600'001;
            ground->bob.now = alice().now;
        }
    }
};

QTEST_GUILESS_MAIN(TestAttackKeys)
#include "tst_attack_keys.moc"
