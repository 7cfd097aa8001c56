// SPDX-License-Identifier: Apache-2.0
// An account's device and its owner's other devices: who may ask, what belongs together, how long it may take, in which
// order it goes out, and what counts as verified afterwards, also after a restart or a step that did not happen.
#include "attacker.h"
#include "sassides.h"

#include <QTest>

using namespace voip::crypto;
using namespace voip::crypto::test;
using State = Sas::State;

class TestVerifications : public QObject
{
    Q_OBJECT

    struct Bed {
        KeyServer server;
        Party us;
        Attacker owner{QStringLiteral("@alice:test"), QStringLiteral("OWNER")};
        std::unique_ptr<Sas> theirs;
        QVector<SasMessage> heard; // by the owner's device, as sent

        explicit Bed(Policy policy = Policy::CrossSigned)
            : us(QStringLiteral("@alice:test"), policy, QStringLiteral("BRIDGE"))
        {
            owner.publish(server, owner.deviceKeys());
            owner.publishIdentity(server);
            (void)server.perform(us.user, us.given, {0, MakeDevice{us.given}});
            us.machine->begin(us.now);
            settle();
        }
        void settle()
        {
            for (bool moved = true; moved;) {
                us.commit();
                moved = false;
                for (const Asked &asked : us.machine->takeRequests(us.now)) {
                    moved = true;
                    note(asked.request);
                    us.machine->answered(server.perform(us.user, us.device(), asked), us.now);
                    us.commit();
                }
            }
        }
        void note(const Request &request)
        {
            const auto *send = std::get_if<SendToDevice>(&request);
            if (!send || !isVerification(send->type))
                return;
            for (const QJsonValue ofUser : send->messages) {
                for (const QJsonValue content : ofUser.toObject())
                    heard.push_back({send->type, content.toObject()});
            }
        }
        [[nodiscard]] QJsonObject request(const QString &transaction,
                                          const QString &device = QStringLiteral("OWNER")) const
        {
            return {{"from_device", device},
                    {"methods", QJsonArray{"m.qr_code.scan.v1", "m.sas.v1"}},
                    {"timestamp", us.now},
                    {"transaction_id", transaction}};
        }
        void say(const QString &what, const QJsonObject &content, const QString &sender = QStringLiteral("@alice:test"))
        {
            us.machine->toDevice({{"type", "m.key.verification." + what}, {"sender", sender}, {"content", content}},
                                 us.now);
            settle();
        }
        // The owner's device asks, and knows our key.
        void ask(const QString &transaction = QStringLiteral("tx"))
        {
            theirs = std::make_unique<Sas>(
                transaction, SasParty{owner.user, owner.device, owner.keys().ed25519, owner.master.publicKey()},
                us.device());
            say("request", request(transaction));
            (void)theirs->meet(us.machine->device().keys().ed25519, {});
        }
        // What the owner's device says is told to us, what we say to it, until nobody speaks.
        void talk(SasMessages messages)
        {
            while (!messages.isEmpty()) {
                SasMessages answers;
                for (const SasMessage &message : messages) {
                    say(message.type.mid(19), changed(message.content, "transaction_id", theirs->transaction()));
                    for (const SasMessage &ours : std::exchange(heard, {})) {
                        if (!ours.type.endsWith("ready"))
                            answers += theirs->take(ours.type, ours.content, *us.backend, systemRandom);
                    }
                }
                messages = answers;
            }
        }
        [[nodiscard]] QStringList said() const
        {
            QStringList list;
            for (const SasMessage &message : heard)
                list.push_back((message.type.mid(19) + ' ' + message.content.value("code").toString()).trimmed());
            return list;
        }
        [[nodiscard]] SasView view() const { return us.machine->verifications().constLast(); }
        void compare()
        {
            ask();
            heard.clear();
            talk(theirs->begin(*us.backend, systemRandom));
        }
    };

private Q_SLOTS:
    void the_owner_verifies_the_session_and_its_identity_counts()
    {
        Bed bed(Policy::Verified);
        bed.compare();
        QCOMPARE(bed.view().state, State::Compared);
        QCOMPARE(bed.view().shown, bed.theirs->shown());
        QCOMPARE(bed.view().device, QString("OWNER"));
        const Device device = bed.us.machine->devices().find(bed.us.user)->devices.value("OWNER");
        QVERIFY(!bed.us.machine->devices().trusts(device));
        bed.us.machine->judgeVerification(bed.view().id, true, bed.us.now);
        bed.settle();
        bed.talk(bed.theirs->confirm());
        QCOMPARE(bed.view().state, State::Done);
        QVERIFY(bed.us.machine->devices().trusts(device));
        QCOMPARE(bed.us.machine->devices().verifiedMasterKey(bed.us.user), bed.owner.master.publicKey());
        bed.us.restart();
        QVERIFY(bed.us.machine->devices().trusts(device));
        QVERIFY(bed.us.machine->verifications().isEmpty());
        // From now on we vouch for the identity, too.
        bed.heard.clear();
        bed.compare();
        bed.us.machine->judgeVerification(bed.view().id, true, bed.us.now);
        bed.settle();
        QCOMPARE(bed.heard.last().content.value("mac").toObject().size(), 2);
    }

    void another_identity_does_not_count()
    {
        Bed bed(Policy::Verified);
        bed.compare();
        bed.us.machine->judgeVerification(bed.view().id, true, bed.us.now);
        bed.settle();
        bed.talk(bed.theirs->confirm());
        Attacker other(bed.us.user, "OWNER");
        bed.server.deleteDevice(bed.us.user, "OWNER");
        other.publish(bed.server, other.deviceKeys());
        other.publishIdentity(bed.server);
        bed.us.machine->devicesChanged({bed.us.user}, {});
        bed.settle();
        const Device device = bed.us.machine->devices().find(bed.us.user)->devices.value("OWNER");
        QVERIFY(!bed.us.machine->devices().trusts(device));
    }

    void the_signature_of_the_owner_is_seen()
    {
        Bed bed;
        QVERIFY(!bed.us.machine->isSignedByOwner());
        const QJsonObject keys = withKey(bed.owner.selfSigning, bed.us.user, bed.us.machine->device().deviceKeys());
        (void)bed.server.perform(bed.us.user, bed.us.device(), {0, UploadKeys{{{"device_keys", keys}}}});
        bed.us.machine->devicesChanged({bed.us.user}, {});
        bed.settle();
        QVERIFY(bed.us.machine->isSignedByOwner());
    }

    void we_begin_when_they_do_not()
    {
        Bed bed;
        bed.ask();
        QCOMPARE(bed.said(), QStringList{"ready"});
        bed.us.now += Verifications::beginAfter;
        QVERIFY(*bed.us.machine->nextDue() <= bed.us.now);
        bed.us.machine->tick(bed.us.now);
        bed.settle();
        QCOMPARE(bed.said(), (QStringList{"ready", "start"}));
    }

    // One after the other: `done` must not overtake the MACs.
    void messages_go_in_their_order()
    {
        Bed bed;
        bed.compare();
        bed.talk(bed.theirs->confirm());
        bed.us.machine->judgeVerification(bed.view().id, true, bed.us.now);
        for (const QString type : {"m.key.verification.mac", "m.key.verification.done"}) {
            bed.us.commit();
            const auto asked = bed.us.machine->takeRequests(bed.us.now);
            QCOMPARE(asked.size(), 1);
            QCOMPARE(std::get<SendToDevice>(asked.first().request).type, type);
            QVERIFY(bed.us.machine->takeRequests(bed.us.now).isEmpty());
            bed.us.machine->answered({asked.first().id, Answer::Kind::Ok, {}, 0}, bed.us.now);
        }
    }

    void a_step_that_is_not_committed_has_not_happened()
    {
        Bed bed;
        bed.compare();
        bed.heard.clear();
        bed.us.machine->judgeVerification(bed.view().id, true, bed.us.now);
        QCOMPARE(bed.view().state, State::Confirmed);
        bed.us.machine->revert();
        QCOMPARE(bed.view().state, State::Compared);
        bed.settle();
        QVERIFY(bed.heard.isEmpty());
        bed.us.machine->judgeVerification(bed.view().id, true, bed.us.now);
        bed.settle();
        bed.talk(bed.theirs->confirm());
        QCOMPARE(bed.view().state, State::Done);
    }

    void the_administrator_says_no()
    {
        Bed bed;
        bed.compare();
        bed.heard.clear();
        bed.us.machine->judgeVerification(bed.view().id, false, bed.us.now);
        bed.settle();
        QCOMPARE(bed.said(), QStringList{"cancel m.mismatched_sas"});
        bed.us.machine->judgeVerification(bed.view().id, true, bed.us.now);
        bed.us.machine->judgeVerification("nothing", true, bed.us.now);
        bed.settle();
        QCOMPARE(bed.said().size(), 1);
        Bed early;
        early.ask();
        early.us.machine->judgeVerification(early.view().id, false, early.us.now);
        early.settle();
        QCOMPARE(early.said(), (QStringList{"ready", "cancel m.user"}));
    }

    void it_ends_after_ten_minutes_data()
    {
        QTest::addColumn<bool>("compared");
        QTest::newRow("while signs are shown") << true;
        QTest::newRow("before anything") << false;
    }
    void it_ends_after_ten_minutes()
    {
        QFETCH(bool, compared);
        Bed bed;
        if (compared)
            bed.compare();
        else
            bed.ask();
        bed.heard.clear();
        bed.us.now += Verifications::life - 1;
        if (compared) {
            bed.us.machine->tick(bed.us.now);
            bed.settle();
            QVERIFY(bed.heard.isEmpty());
        }
        bed.us.now += 1;
        bed.us.machine->tick(bed.us.now);
        bed.settle();
        QCOMPARE(bed.said(), QStringList{"cancel m.timeout"});
        bed.us.machine->tick(bed.us.now + 1);
        QVERIFY(bed.us.machine->verifications().isEmpty());
    }

    void who_may_not_ask_data()
    {
        QTest::addColumn<QString>("sender");
        QTest::addColumn<QString>("field");
        QTest::addColumn<QJsonValue>("value");
        const QString self = "@alice:test";
        // The owner's other sessions may take these: a no of ours would end it for them.
        QTest::newRow("somebody else") << "@eve:test"
                                       << "x" << QJsonValue();
        QTest::newRow("no method of ours") << self << "methods" << QJsonValue(QJsonArray{"m.qr_code.scan.v1"});
        QTest::newRow("a device that is in no list") << self << "from_device" << QJsonValue("NONE");
        QTest::newRow("a device that is not signed") << self << "from_device" << QJsonValue("NEW");
        QTest::newRow("ourselves") << self << "from_device" << QJsonValue("BRIDGE");
        QTest::newRow("no device") << self << "from_device" << QJsonValue();
        QTest::newRow("no transaction") << self << "transaction_id" << QJsonValue(7);
        QTest::newRow("endless transaction") << self << "transaction_id" << QJsonValue(QString(300, 'x'));
        QTest::newRow("too old") << self << "timestamp" << QJsonValue(1'000'000 - 600'001);
        QTest::newRow("from the future") << self << "timestamp" << QJsonValue(1'000'000 + 300'001);
        QTest::newRow("no timestamp") << self << "timestamp" << QJsonValue();
    }
    void who_may_not_ask()
    {
        QFETCH(QString, sender);
        QFETCH(QString, field);
        QFETCH(QJsonValue, value);
        Bed bed;
        Attacker fresh(bed.us.user, "NEW");
        fresh.publish(bed.server, fresh.deviceKeys(false));
        bed.say("request", changed(bed.request("tx"), field, value), sender);
        QCOMPARE(bed.said(), QStringList());
        bed.us.now += Verifications::beginAfter;
        bed.us.machine->tick(bed.us.now);
        bed.settle();
        QCOMPARE(bed.said(), QStringList());
        bed.us.now += Verifications::life;
        bed.us.machine->tick(bed.us.now);
        bed.settle();
        QCOMPARE(bed.said(), QStringList());
    }

    // A ghost has no owner's device. Whoever asks hears so, but not as often as they like.
    void a_ghost_is_not_verified()
    {
        Ground ground;
        ground.letMalloryIn();
        for (int i = 0; i < 100; ++i) {
            ground.toAlice({{"type", "m.key.verification.request"},
                            {"sender", ground.mallory.user},
                            {"content", QJsonObject{{"from_device", "EVIL"},
                                                    {"methods", QJsonArray{"m.sas.v1"}},
                                                    {"timestamp", ground.alice.now},
                                                    {"transaction_id", "tx" + QString::number(i)}}}});
            ground.alice.now += 100;
        }
        QCOMPARE(ground.sentTo(ground.mallory.user, "EVIL").count("m.key.verification.cancel m.user"), 10);
        QVERIFY(ground.alice.machine->verifications().isEmpty());
        QVERIFY(ground.alice.noted("verification_refused"));
    }

    void several_at_once_of_one_device_all_end()
    {
        Bed bed;
        bed.ask("one");
        bed.say("request", bed.request("one")); // again, unchanged
        QCOMPARE(bed.said(), QStringList{"ready"});
        bed.say("request", bed.request("two"));
        QCOMPARE(bed.said(), (QStringList{"ready", "cancel m.unexpected_message", "cancel m.unexpected_message"}));
        QCOMPARE(bed.heard[1].content.value("transaction_id").toString(), QString("one"));
        QCOMPARE(bed.heard[2].content.value("transaction_id").toString(), QString("two"));
        QCOMPARE(bed.us.machine->verifications().size(), 1);
        QCOMPARE(bed.view().state, State::Cancelled);
    }

    void a_transaction_belongs_to_one_device()
    {
        Bed bed;
        Attacker second(bed.us.user, "SECOND");
        second.publish(bed.server,
                       withKey(bed.owner.selfSigning, bed.us.user, second.signedByDevice(second.bareDeviceKeys())));
        bed.ask("tx");
        bed.say("request", bed.request("tx", "SECOND"));
        QCOMPARE(bed.said(), (QStringList{"ready", "cancel m.unexpected_message"}));
    }

    void other_devices_may_ask_meanwhile_but_not_without_end()
    {
        Bed bed;
        for (int i = 0; i < 7; ++i) {
            Attacker one(bed.us.user, "D" + QString::number(i));
            one.publish(bed.server,
                        withKey(bed.owner.selfSigning, bed.us.user, one.signedByDevice(one.bareDeviceKeys())));
            bed.say("request", bed.request("tx" + QString::number(i), one.device));
            bed.us.now += 1000;
        }
        QCOMPARE(bed.said().count("ready"), Verifications::mostAtOnce);
        QCOMPARE(bed.said().size(), Verifications::mostAtOnce);
        for (int i = 0; i < 100; ++i)
            bed.say("request", bed.request("more" + QString::number(i)));
        QVERIFY(bed.us.machine->verifications().size() <= 16);
    }

    void what_belongs_to_no_transaction()
    {
        Bed bed;
        for (const QString what : {"key", "mac", "accept", "done", "cancel"})
            bed.say(what, {{"transaction_id", "gone"}});
        QVERIFY(bed.heard.isEmpty()); // nothing says to which device an answer would go
        bed.say("start", {{"transaction_id", "gone"}, {"from_device", "OWNER"}, {"method", "m.sas.v1"}});
        QCOMPARE(bed.said(), QStringList{"cancel m.unknown_transaction"});
        bed.compare(); // of somebody else, under the same id
        bed.heard.clear();
        bed.say("cancel", {{"transaction_id", "tx"}, {"code", "m.user"}}, "@eve:test");
        bed.say("key", {{"transaction_id", "tx"}, {"key", "x"}}, "@eve:test");
        QCOMPARE(bed.view().state, State::Compared);
        QVERIFY(bed.heard.isEmpty());
    }

    void after_a_restart_it_is_unknown() // and the other side is not left waiting
    {
        Bed bed;
        bed.ask();
        bed.us.restart();
        bed.heard.clear();
        const auto start = bed.theirs->begin(*bed.us.backend, systemRandom).first().content;
        bed.say("start", changed(start, "transaction_id", "tx"));
        QCOMPARE(bed.said(), QStringList{"cancel m.unknown_transaction"});
    }

    void a_list_that_cannot_be_had_lets_nothing_begin()
    {
        Bed bed;
        bed.server.bend = [](const Request &request, const QJsonObject &answer) {
            const QJsonObject none{{"failures", QJsonObject{{"test", QJsonObject()}}}};
            return std::holds_alternative<QueryKeys>(request) ? none : answer;
        };
        bed.say("request", bed.request("tx"));
        QVERIFY(bed.heard.isEmpty() && bed.view().state == State::Asked);
    }
};

QTEST_APPLESS_MAIN(TestVerifications)
#include "tst_verifications.moc"
