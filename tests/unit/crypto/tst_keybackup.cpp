// SPDX-License-Identifier: Apache-2.0
// An account's sessions on their way into its key backup: what is uploaded, in which batches, what a crash leaves, what
// makes it stop and begin anew, and that nothing of it happens unless it is wanted.
#include "attacker.h"
#include "backupreader.h"

#include <QTest>

using namespace voip::crypto;
using namespace voip::crypto::test;

class TestKeyBackup : public QObject
{
    Q_OBJECT

    static constexpr qint64 hour = 3'600'000;

    struct Bed {
        KeyServer server;
        BackupReader reader{QByteArray(32, 'p')};
        Party us;
        Attacker owner{QStringLiteral("@alice:test"), QStringLiteral("OWNER")};
        Attacker bob{QStringLiteral("@bob:test"), QStringLiteral("BOB")};

        explicit Bed(bool on = true, const QString &version = QStringLiteral("1"),
                     const QString &device = QStringLiteral("BRIDGE"))
            : us(QStringLiteral("@alice:test"), Policy::CrossSigned, device)
        {
            server.backup.version = version;
            server.backup.publicKey = reader.publicKey();
            for (Attacker *other : {&owner, &bob}) {
                other->publish(server, other->deviceKeys());
                other->publishIdentity(server);
            }
            if (!device.isEmpty())
                (void)server.perform(us.user, us.given, {0, MakeDevice{us.given}});
            restart(on);
            us.machine->begin(us.now);
            settle();
        }
        void settle() { test::settle(server, {&us}); }
        void restart(bool on = true)
        {
            us.keyBackup = on;
            us.restart();
            us.machine->tick(us.now);
        }
        void wait(qint64 ms)
        {
            us.now += ms;
            us.machine->tick(us.now);
            settle();
        }
        // Bob gives keys of fresh sessions; committed, and nothing is asked of the homeserver yet.
        QStringList give(int count)
        {
            QStringList names;
            for (int i = 0; i < count; ++i) {
                const auto group = std::move(bob.backend->newOutbound(systemRandom)).value();
                bob.giveKey(server, us, Attacker::roomKeyOf(*group));
                names.push_back(SessionName{room, group->id()}.key());
            }
            return names;
        }
        // Ours in a room with Bob; its name.
        QString own(const QString &where = room)
        {
            us.machine->prepare({where, {bob.user}}, us.now);
            settle();
            const auto content = us.machine->encrypt({where, {bob.user}}, "m.call.invite", {{"n", 1}});
            us.commit();
            return SessionName{where, content->value("session_id").toString()}.key();
        }
        [[nodiscard]] QStringList saved() const { return server.backup.sessions.keys(); }
        [[nodiscard]] bool hasAll(const QStringList &names) const
        {
            return std::all_of(names.begin(), names.end(),
                               [this](const QString &name) { return server.backup.sessions.contains(name); });
        }
        [[nodiscard]] int rowsOf(Kind kind) const
        {
            return static_cast<int>(std::count_if(us.rows.keyBegin(), us.rows.keyEnd(),
                                                  [kind](const RecordKey &where) { return where.kind == kind; }));
        }
        template <typename T>
        [[nodiscard]] int asked() const
        {
            return static_cast<int>(std::count_if(server.asked.begin(), server.asked.end(),
                                                  [](const Request &one) { return std::holds_alternative<T>(one); }));
        }
    };

private Q_SLOTS:
    void what_is_received_and_what_is_ours_can_be_read_from_it()
    {
        Bed bed;
        const QJsonObject event = bed.bob.event("$1");
        bed.bob.giveKey(bed.server, bed.us, bed.bob.roomKey()); // it reaches back to the next event only
        const QJsonObject later = bed.bob.event("$2");
        const QString ours = bed.own();
        bed.settle();
        const QString theirs = SessionName{room, bed.bob.group->id()}.key();
        QVERIFY(bed.hasAll({ours, theirs}));
        QCOMPARE(bed.rowsOf(Kind::ToBackUp), 0);

        const QJsonObject row = bed.server.backup.sessions.value(theirs);
        QCOMPARE(row.keys(), (QStringList{"first_message_index", "forwarded_count", "is_verified", "session_data"}));
        QCOMPARE(row.value("first_message_index").toInteger(-1), 1);
        QCOMPARE(row.value("forwarded_count").toInteger(-1), 0);
        QCOMPARE(row.value("is_verified"), QJsonValue(false));
        const QJsonObject data = bed.reader.read(row.value("session_data").toObject());
        QCOMPARE(data.value("algorithm").toString(), megolmAlgorithm);
        QCOMPARE(data.value("forwarding_curve25519_key_chain"), QJsonValue(QJsonArray()));
        QCOMPARE(data.value("sender_key").toString(), bed.bob.keys().curve25519);
        QCOMPARE(data.value("sender_claimed_keys"), QJsonValue(QJsonObject{{"ed25519", bed.bob.keys().ed25519}}));
        const auto group = bed.us.backend->imported(Secret(data.value("session_key").toString().toUtf8()));
        QVERIFY(group.ok());
        const auto cipherOf = [](const QJsonObject &one) {
            return one.value("content").toObject().value("ciphertext").toString();
        };
        QVERIFY(group.value()->decrypt(cipherOf(later)).ok());
        QVERIFY(group.value()->decrypt(cipherOf(event)).error() == Fault::UnknownIndex);

        const QJsonObject own = bed.server.backup.sessions.value(ours);
        QCOMPARE(own.value("first_message_index").toInteger(-1), 0);
        QCOMPARE(own.value("is_verified"), QJsonValue(true));
        const QJsonObject ownData = bed.reader.read(own.value("session_data").toObject());
        QCOMPARE(ownData.value("sender_key").toString(), bed.us.machine->device().keys().curve25519);
        const auto twin = bed.us.backend->imported(Secret(ownData.value("session_key").toString().toUtf8()));
        const auto sent = bed.us.machine->encrypt({room, {bed.bob.user}}, "m.call.hangup", {{"n", 2}});
        const auto plain = twin.value()->decrypt(sent->value("ciphertext").toString());
        QVERIFY(plain.ok());
        QVERIFY(plain->plaintext.view().toByteArray().contains("m.call.hangup"));
    }

    void nothing_of_it_unless_it_is_wanted_data()
    {
        QTest::addColumn<QString>("device");
        QTest::newRow("an account, switched off") << QStringLiteral("BRIDGE");
        QTest::newRow("a bridged user's own device") << QString();
    }
    void nothing_of_it_unless_it_is_wanted()
    {
        QFETCH(QString, device);
        Bed bed(device.isEmpty(), "1", device); // for a bridged user not even when it is on
        (void)bed.give(3);
        (void)bed.own();
        bed.wait(hour);
        QCOMPARE(bed.asked<FindBackup>() + bed.asked<BackUpKeys>(), 0);
        QCOMPARE(bed.rowsOf(Kind::ToBackUp) + bed.rowsOf(Kind::Backup), 0);
    }

    void a_hundred_at_most_at_once()
    {
        Bed bed(true, {});
        const QStringList names = bed.give(250);
        bed.settle();
        QCOMPARE(bed.rowsOf(Kind::ToBackUp), 250); // the device itself holds 32 of one user
        bed.server.backup.version = "1";
        bed.wait(hour);
        QVERIFY(bed.hasAll(names));
        QCOMPARE(bed.server.backup.uploads.mid(0, 3), (QVector<qsizetype>{100, 100, 50}));
        QCOMPARE(bed.rowsOf(Kind::ToBackUp), 0);
    }

    void a_thousand_wait_at_most()
    {
        Bed bed(true, {});
        const QStringList names = bed.give(1001);
        QCOMPARE(bed.rowsOf(Kind::ToBackUp), 1000);
        QVERIFY(bed.us.noted("backup_full"));
        bed.server.backup.version = "1";
        bed.wait(hour);
        QVERIFY(bed.hasAll(names.last(1)));
        QVERIFY(bed.saved().size() >= 1000);
    }

    // Switched on after the sessions were made.
    void what_was_there_before_goes_there_too()
    {
        Bed bed(false);
        const QString ours = bed.own();
        QStringList names = bed.give(32); // of whom no more are held
        for (int n = 0; n < 4; ++n) {
            Attacker other("@carol" + QString::number(n) + ":test", "CAROL");
            other.publish(bed.server, other.deviceKeys());
            for (int i = 0; i < 32; ++i) {
                const auto group = std::move(other.backend->newOutbound(systemRandom)).value();
                other.giveKey(bed.server, bed.us, Attacker::roomKeyOf(*group));
                names.push_back(SessionName{room, group->id()}.key());
            }
        }
        bed.restart();
        bed.settle();
        QVERIFY(bed.hasAll(names));
        QVERIFY(bed.hasAll({ours}));
        QCOMPARE(bed.server.backup.sessions.value(ours).value("first_message_index").toInteger(-1), 1);
        // A homeserver would take a verified one for better than one that reaches further back.
        QCOMPARE(bed.server.backup.sessions.value(ours).value("is_verified"), QJsonValue(false));
        QVERIFY(std::all_of(bed.server.backup.uploads.begin(), bed.server.backup.uploads.end(),
                            [](qsizetype count) { return count <= 100; }));
        const auto uploads = bed.server.backup.uploads.size();
        bed.restart();
        bed.wait(hour);
        QCOMPARE(bed.server.backup.uploads.size(), uploads); // once
    }

    void killed_between_commit_and_upload()
    {
        Bed bed;
        const QStringList names = bed.give(3);
        bed.restart(); // committed, not asked
        QCOMPARE(bed.rowsOf(Kind::ToBackUp), 3);
        bed.settle();
        QVERIFY(bed.hasAll(names));

        const QStringList more = bed.give(2);
        const auto asked = bed.us.machine->takeRequests(bed.us.now);
        for (const Asked &one : asked)
            (void)bed.server.perform(bed.us.user, bed.us.device(), one);
        QVERIFY(bed.hasAll(more));
        bed.restart(); // the homeserver has them, and we do not know
        QCOMPARE(bed.rowsOf(Kind::ToBackUp), 2);
        bed.server.backup.sessions.clear();
        bed.settle();
        QVERIFY(bed.hasAll(more));
        QCOMPARE(bed.saved().size(), more.size());
        QCOMPARE(bed.rowsOf(Kind::ToBackUp), 0);
    }

    void a_step_that_was_not_committed_leaves_no_mark()
    {
        Bed bed;
        const auto group = std::move(bed.bob.backend->newOutbound(systemRandom)).value();
        const QJsonObject message =
            bed.bob.olm(bed.server, bed.us, bed.bob.payload(bed.us, "m.room_key", Attacker::roomKeyOf(*group)));
        bed.us.machine->toDevice(message, bed.us.now);
        bed.us.machine->revert();
        bed.settle();
        QVERIFY(!bed.saved().contains(SessionName{room, group->id()}.key()));
        bed.us.machine->toDevice(message, bed.us.now);
        bed.settle();
        QVERIFY(bed.hasAll({SessionName{room, group->id()}.key()}));
    }

    void one_that_becomes_better_on_the_way_is_uploaded_again()
    {
        Bed bed;
        const auto group = std::move(bed.bob.backend->newOutbound(systemRandom)).value();
        const QJsonObject whole = Attacker::roomKeyOf(*group);
        (void)group->encrypt("x");
        bed.bob.giveKey(bed.server, bed.us, Attacker::roomKeyOf(*group));
        const auto asked = bed.us.machine->takeRequests(bed.us.now);
        bed.bob.giveKey(bed.server, bed.us, whole);
        for (const Asked &one : asked) {
            bed.us.machine->answered(bed.server.perform(bed.us.user, bed.us.device(), one), bed.us.now);
            bed.us.commit();
        }
        const QString name = SessionName{room, group->id()}.key();
        QCOMPARE(bed.server.backup.sessions.value(name).value("first_message_index").toInteger(-1), 1);
        bed.settle();
        QCOMPARE(bed.server.backup.sessions.value(name).value("first_message_index").toInteger(-1), 0);
    }

    // Ours goes on while it waits: what is uploaded is still all of it.
    void one_that_waits_is_not_replaced_by_less()
    {
        Bed bed(true, {});
        const QString ours = bed.own();
        bed.server.backup.version = "1";
        bed.wait(hour);
        QCOMPARE(bed.server.backup.sessions.value(ours).value("first_message_index").toInteger(-1), 0);
    }

    void a_new_version_gets_all_and_is_looked_for_once_an_hour()
    {
        Bed bed;
        const QStringList names = bed.give(3);
        bed.settle();
        const int looked = bed.asked<FindBackup>();
        const BackupReader another(QByteArray(32, 'q'));
        bed.server.backup = {"2", another.publicKey(), {}, {}, {}};
        const QStringList more = bed.give(1);
        bed.settle();
        QVERIFY(bed.us.noted("backup_refused"));
        bed.wait(hour / 2);
        QCOMPARE(bed.asked<FindBackup>(), looked);
        QVERIFY(bed.saved().isEmpty());
        QVERIFY(bed.us.machine->nextDue().has_value());
        bed.wait(hour / 2);
        QCOMPARE(bed.asked<FindBackup>(), looked + 1);
        QVERIFY(bed.hasAll(names + more));
        const QJsonObject data = bed.server.backup.sessions.value(names.first()).value("session_data").toObject();
        QVERIFY(!another.read(data).isEmpty());
        QVERIFY(bed.reader.read(data).isEmpty());
    }

    // Its version is always the wrong one: one try an hour, for ever.
    void a_homeserver_that_contradicts_itself_is_not_asked_more_often()
    {
        Bed bed;
        bed.server.backup.answer = {};
        bed.server.bend = [](const Request &request, QJsonObject answer) {
            return std::holds_alternative<FindBackup>(request) ? edited(answer, "version", "7") : answer;
        };
        bed.wait(hour);
        bed.restart();
        (void)bed.give(1);
        bed.settle();
        const int before = bed.asked<FindBackup>() + bed.asked<BackUpKeys>();
        for (int minute = 0; minute < 180; ++minute)
            bed.wait(hour / 60);
        QVERIFY(bed.asked<FindBackup>() + bed.asked<BackUpKeys>() <= before + 6);
        QVERIFY(bed.rowsOf(Kind::ToBackUp) > 0);
    }

    void what_is_refused_stops_it_and_what_fails_delays_it()
    {
        Bed bed;
        bed.server.backup.answer = Answer::Kind::Failed;
        const QStringList names = bed.give(1);
        bed.settle();
        const int uploads = bed.asked<BackUpKeys>();
        bed.wait(100);
        QCOMPARE(bed.asked<BackUpKeys>(), uploads); // not at once
        bed.server.backup.answer.reset();
        bed.wait(60'000);
        QVERIFY(bed.hasAll(names));

        bed.server.backup.answer = Answer::Kind::Refused;
        const QStringList more = bed.give(1);
        bed.settle();
        bed.server.backup.answer.reset();
        bed.wait(hour - 1000);
        QVERIFY(!bed.hasAll(more));
        bed.wait(1000);
        QVERIFY(bed.hasAll(more));
    }

    void no_backup_or_one_that_may_not_be_used_data()
    {
        QTest::addColumn<QJsonObject>("found");
        const QString key = BackupReader(QByteArray(32, 'p')).publicKey();
        QTest::newRow("empty") << QJsonObject();
        QTest::newRow("no version") << QJsonObject{{"public_key", key}};
        QTest::newRow("version is a number") << QJsonObject{{"version", 1}, {"public_key", key}};
        QTest::newRow("version without end") << QJsonObject{{"version", QString(256, 'v')}, {"public_key", key}};
        QTest::newRow("no key") << QJsonObject{{"version", "1"}};
        QTest::newRow("short key") << QJsonObject{{"version", "1"}, {"public_key", key.chopped(1)}};
        QTest::newRow("padded key") << QJsonObject{{"version", "1"}, {"public_key", key + '='}};
    }
    void no_backup_or_one_that_may_not_be_used()
    {
        QFETCH(QJsonObject, found);
        Bed bed(true, {});
        bed.server.backup.version = "1";
        bed.server.bend = [&found](const Request &request, const QJsonObject &answer) {
            return std::holds_alternative<FindBackup>(request) ? found : answer;
        };
        (void)bed.give(2);
        bed.wait(hour);
        QCOMPARE(bed.asked<FindBackup>(), 2);
        QCOMPARE(bed.asked<BackUpKeys>(), 0);
        QCOMPARE(bed.us.machine->obstacle({room, {bed.bob.user}}, bed.us.now), QStringLiteral("keys")); // as ever
        (void)bed.own(); // and calls go on
    }

    void switched_off_it_is_forgotten_and_on_again_begins_anew()
    {
        Bed bed;
        const QStringList names = bed.give(2);
        bed.settle();
        bed.restart(false);
        bed.us.commit();
        QCOMPARE(bed.rowsOf(Kind::ToBackUp) + bed.rowsOf(Kind::Backup), 0);
        const QStringList meanwhile = bed.give(2);
        bed.settle();
        QVERIFY(!bed.hasAll(meanwhile));
        bed.restart();
        bed.settle();
        QVERIFY(bed.hasAll(names + meanwhile));
    }

    void a_damaged_mark_costs_nothing()
    {
        Bed bed;
        bed.settle();
        const QStringList names = bed.give(3);
        bed.us.rows[{Kind::ToBackUp, names.at(1)}] = "no seal";
        bed.restart();
        bed.settle();
        QVERIFY(bed.hasAll(names)); // the session itself is there
        QCOMPARE(bed.rowsOf(Kind::ToBackUp), 0);
    }
};

QTEST_GUILESS_MAIN(TestKeyBackup)
#include "tst_keybackup.moc"
