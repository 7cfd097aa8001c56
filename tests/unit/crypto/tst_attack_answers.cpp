// SPDX-License-Identifier: Apache-2.0
// What a homeserver tries with its answers to keys/query, and a room with its rules. Nothing that worked before is
// harmed.
#include "attacker.h"

#include <QTest>

using namespace voip::crypto;
using namespace voip::crypto::test;
using How = Opened::How;

namespace
{

const QJsonArray oddValues{QJsonValue(), true, 7, "text", QJsonArray{1, 2}, QJsonObject{{"x", 1}}};

} // namespace

class TestAttackAnswers : public QObject
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

    void odd_answers_to_queries_break_nothing()
    {
        const QString own = alice().device();
        mallory().publish(ground->server, mallory().deviceKeys());
        mallory().publishIdentity(ground->server);
        const auto ask = [&](const std::function<QJsonObject(QJsonObject)> &bend) {
            ground->server.bend = [&bend](const Request &request, const QJsonObject &answer) {
                return std::holds_alternative<QueryKeys>(request) ? bend(answer) : answer;
            };
            learn(mallory().user);
            alice().machine->devicesChanged({alice().user}, {});
            ground->settle();
            ground->server.bend = {};
        };
        for (const QJsonValue &odd : oddValues) {
            for (const QString &field :
                 {QString("device_keys"), QString("master_keys"), QString("self_signing_keys"), QString("failures")}) {
                ask([&](const QJsonObject &answer) { return edited(answer, field, odd); });
                ask([&](const QJsonObject &answer) {
                    return edited(answer, field, edited(answer.value(field).toObject(), mallory().user, odd));
                });
                ask([&](const QJsonObject &answer) {
                    const QJsonObject all = answer.value(field).toObject();
                    QJsonObject ofUser = all.value(mallory().user).toObject();
                    for (const QString &key : ofUser.keys())
                        ofUser.insert(key, odd);
                    return edited(answer, field, edited(all, mallory().user, ofUser));
                });
            }
            ask([&](const QJsonObject &answer) {
                const QJsonObject all = answer.value("device_keys").toObject();
                QJsonObject ofUser = all.value(mallory().user).toObject();
                QJsonObject device = ofUser.value("EVIL").toObject();
                for (const QString &key : device.keys())
                    device.insert(key, odd);
                ofUser.insert("EVIL", device);
                return edited(answer, "device_keys", edited(all, mallory().user, ofUser));
            });
        }
        QCOMPARE(alice().device(), own); // no device was given up for an answer that says nothing
    }

    void what_was_not_asked_for_is_not_read()
    {
        learn(mallory().user);
        mallory().publish(ground->server, mallory().deviceKeys());
        mallory().publishIdentity(ground->server);
        ground->server.bend = [&](const Request &request, const QJsonObject &answer) {
            if (!std::holds_alternative<QueryKeys>(request))
                return answer;
            QJsonObject bent = answer;
            for (const QString &user : {mallory().user, QString("@carol:test"), ground->bob.user}) {
                if (!std::get<QueryKeys>(request).users.contains(user))
                    bent.insert("device_keys", edited(bent.value("device_keys").toObject(), user,
                                                      QJsonObject{{"EVIL", mallory().deviceKeys()}}));
            }
            return bent;
        };
        alice().machine->devicesChanged({alice().user}, {});
        ground->settle();
        QVERIFY(!known(mallory().user, "EVIL"));
        QVERIFY(!alice().machine->devices().find("@carol:test"));
        QVERIFY(!known(ground->bob.user, "EVIL"));
    }

    void a_hundred_thousand_devices_are_not_kept()
    {
        mallory().publish(ground->server, mallory().deviceKeys());
        // As text: an object of that size is made quickly only by parsing.
        const QByteArray forged = QJsonDocument(mallory().deviceKeys()).toJson(QJsonDocument::Compact);
        QByteArray text = "{";
        for (int i = 0; i < 100'000; ++i)
            text += (i > 0 ? ",\"D" : "\"D") + QByteArray::number(i) +
                    "\":" + QByteArray(forged).replace("\"EVIL\"", "\"D" + QByteArray::number(i) + '"');
        const QJsonObject many = QJsonDocument::fromJson(text + '}').object();
        QCOMPARE(many.size(), 100'000);
        ground->server.bend = [&](const Request &request, const QJsonObject &answer) {
            if (!std::holds_alternative<QueryKeys>(request))
                return answer;
            return edited(answer, "device_keys", edited(answer.value("device_keys").toObject(), mallory().user, many));
        };
        learn(mallory().user);
        QVERIFY(alice().machine->devices().find(mallory().user)->devices.size() <= 256);
        QVERIFY2(alice().notes.size() <= 2000, qPrintable(QString::number(alice().notes.size())));
        QVERIFY(alice().rows.value({Kind::User, mallory().user}).size() < 100'000);
    }

    void a_list_without_us_makes_no_endless_new_devices()
    {
        ground->server.bend = [&](const Request &request, const QJsonObject &answer) {
            if (!std::holds_alternative<QueryKeys>(request))
                return answer;
            return edited(answer, "device_keys",
                          edited(answer.value("device_keys").toObject(), alice().user, QJsonObject()));
        };
        alice().machine->devicesChanged({alice().user}, {});
        const int before = count(0);
        for (int i = 0; i < 200; ++i) {
            alice().machine->devicesChanged({alice().user}, {}); // as a homeserver says after each upload
            alice().commit();
            for (const Asked &one : alice().machine->takeRequests(alice().now))
                alice().machine->answered(ground->server.perform(alice().user, alice().device(), one), alice().now);
            alice().now += 100;
        }
        ground->bob.now = alice().now;
        QVERIFY2(count(0) - before <= 2, qPrintable(QString::number(count(0) - before)));
    }

    void a_crowd_of_devices_is_served()
    {
        // Each of them may have its 256 devices; a key for all is more than one message, or one record, holds.
        QStringList members{ground->bob.user};
        for (const QString &user : {QString("@carol:test"), QString("@dave:test")}) {
            members.push_back(user);
            const Attacker owner(user);
            for (int i = 0; i < 256; ++i) {
                Attacker one(user, QString("DEVICE%1").arg(i));
                one.publish(ground->server, withKey(owner.selfSigning, user, one.signedByDevice(one.bareDeviceKeys())));
            }
            Attacker(user).publishIdentity(ground->server);
            (void)ground->server.perform(
                user, "x",
                {0, UploadIdentity{{{"master_key", owner.masterKey()}, {"self_signing_key", owner.selfSigningKey()}}}});
        }
        alice().machine->prepare({room, members}, alice().now);
        QVERIFY(alice().machine->changes().ok());
        for (int i = 0; i < 10; ++i) {
            for (const Asked &one : alice().machine->takeRequests(alice().now))
                alice().machine->answered(ground->server.perform(alice().user, alice().device(), one), alice().now);
            const auto changes = alice().machine->changes();
            QVERIFY2(changes.ok(), qPrintable(changes ? QString() : toString(changes.error())));
            alice().commit();
        }
        QCOMPARE(ground->say(alice(), ground->bob, members), QString());
        QCOMPARE(sentTo("@dave:test", "DEVICE255"), QStringList{"m.room.encrypted "});
    }

    void odd_rules_of_a_room_keep_nobody_silent_E15()
    {
        for (const RoomRules &rules :
             {RoomRules{0, 0}, RoomRules{-1, -1},
              RoomRules{std::numeric_limits<qint64>::max(), std::numeric_limits<qint64>::max()},
              RoomRules{std::numeric_limits<qint64>::min(), std::numeric_limits<qint64>::min()}}) {
            alice().machine->setRules(room, rules);
            for (int i = 0; i < 3; ++i)
                QCOMPARE(ground->harm(), QString());
        }
    }

    // What was true before the upload is said again: keys that are still to be handed out must not be pushed out.
    void counts_that_come_late_push_no_keys_out()
    {
        KeyServer server;
        Party alice("@nova_alice:test");
        Party bob("@bob:test");
        alice.machine->begin(alice.now);
        bob.machine->begin(bob.now);
        settle(server, {&alice, &bob});
        for (int late = 0; late < 4; ++late) {
            alice.machine->counts(0, {}, alice.now);
            settle(server, {&alice, &bob});
        }
        QCOMPARE(server.oneTimeKeys(alice.user, alice.device()), 50);
    }

    void a_list_that_is_older_than_the_device_says_nothing_of_it()
    {
        KeyServer server;
        Party fresh("@carol:test");
        fresh.machine->begin(fresh.now);
        std::optional<Answer> late; // to the question for its own devices, from before its keys were there
        for (int round = 0; round < 10; ++round) {
            fresh.commit();
            const auto requests = fresh.machine->takeRequests(fresh.now);
            for (const Asked &asked : requests) {
                if (!late && std::holds_alternative<QueryKeys>(asked.request))
                    late = server.perform(fresh.user, fresh.device(), asked);
            }
            for (const Asked &asked : requests) {
                if (!late || asked.id != late->id)
                    fresh.machine->answered(server.perform(fresh.user, fresh.device(), asked), fresh.now);
            }
        }
        QCOMPARE(fresh.machine->device().stage(), OwnDevice::Stage::Complete);
        const QString device = fresh.device();
        QVERIFY(late && late->body.value("device_keys").toObject().contains(fresh.user));
        fresh.machine->answered(*late, fresh.now);
        fresh.commit();
        QCOMPARE(fresh.device(), device);
        settle(server, {&fresh});
        QCOMPARE(fresh.device(), device);
        server.deleteDevice(fresh.user, device);
        fresh.machine->devicesChanged({fresh.user}, {});
        settle(server, {&fresh});
        QVERIFY(fresh.device() != device);
    }
};

QTEST_GUILESS_MAIN(TestAttackAnswers)
#include "tst_attack_answers.moc"
