// SPDX-License-Identifier: Apache-2.0
// What is done to the rows that hold a machine's state, and floods of what others send: no crash, nothing that grows
// without end, and damage costs only what was damaged.
#include "attacker.h"

#include <QElapsedTimer>
#include <QTest>

using namespace voip::crypto;
using namespace voip::crypto::test;
using How = Opened::How;

class TestAttackState : public QObject
{
    Q_OBJECT

private:
    std::unique_ptr<Ground> ground;
    [[nodiscard]] Attacker &mallory() const { return ground->mallory; }
    [[nodiscard]] Party &alice() const { return ground->alice; }
    [[nodiscard]] Outcome<std::unique_ptr<Machine>> opened(const QMap<RecordKey, QByteArray> &rows) const
    {
        QVector<SealedRecord> committed;
        for (auto it = rows.begin(); it != rows.end(); ++it)
            committed.push_back({it.key(), it.value()});
        return Machine::open({alice().user, Policy::CrossSigned, {}}, *alice().backend, alice().seal, systemRandom,
                             committed, alice().now);
    }
    // What must work after damage: what is sent new is read, in both directions. Sessions were lost; the other side
    // is told, or notices, and both begin anew.
    void works()
    {
        QString harm;
        for (int i = 0; i < 3; ++i) {
            alice().now += 3'600'001;
            ground->bob.now = alice().now;
            alice().machine->setRules(room, {1, 604'800'000}); // and with other keys
            ground->bob.machine->setRules(room, {1, 604'800'000});
            harm = ground->harm();
        }
        QCOMPARE(harm, QString());
    }
    [[nodiscard]] int rowsOf(Kind kind) const
    {
        return static_cast<int>(std::count_if(alice().rows.keyBegin(), alice().rows.keyEnd(),
                                              [kind](const RecordKey &where) { return where.kind == kind; }));
    }

private Q_SLOTS:
    void init()
    {
        ground = std::make_unique<Ground>();
        ground->letMalloryIn();
        mallory().giveKey(ground->server, alice(), mallory().roomKey());
        QCOMPARE(ground->harm(), QString());
        // One of each kind of row.
        alice().machine->toDevice({{"type", "m.room_key.withheld"},
                                   {"sender", ground->bob.user},
                                   {"content", QJsonObject{{"algorithm", megolmAlgorithm},
                                                           {"room_id", room},
                                                           {"session_id", "some"},
                                                           {"code", "m.unverified"}}}},
                                  alice().now);
        alice().commit();
    }

    void damage_costs_what_was_damaged_data()
    {
        QTest::addColumn<QString>("how");
        for (const char *how :
             {"flipped", "cut", "empty", "another place", "another lane", "another key", "junk inside"})
            QTest::newRow(how) << how;
    }
    void damage_costs_what_was_damaged()
    {
        QFETCH(QString, how);
        const auto whole = alice().rows;
        const Seal otherSeal = Seal::with(Secret(QByteArray(32, 'x'))).value();
        QSet<Kind> damaged;
        for (auto it = whole.begin(); it != whole.end(); ++it) {
            const RecordKey where = it.key();
            const QByteArray place = placeOf(alice().user, toString(where.kind), where.key);
            const Secret plain = alice().seal.open(*it, place).value();
            QVector<QByteArray> bad;
            if (how == "flipped") {
                for (qsizetype at :
                     {qsizetype(0), qsizetype(1), qsizetype(12), qsizetype(13), it->size() / 2, it->size() - 1}) {
                    bad.push_back(*it);
                    bad.last()[at] = static_cast<char>(bad.last().at(at) ^ 0x40);
                }
            }
            if (how == "cut")
                bad = {it->left(1), it->left(28), it->left(29), it->left(it->size() / 2), it->left(it->size() - 1),
                       *it + 'x'};
            if (how == "empty")
                bad = {QByteArray("\0", 1), QByteArray(29, '\0')};
            if (how == "another place") { // the row of each other place
                for (auto other = whole.begin(); other != whole.end(); ++other) {
                    if (other != it)
                        bad.push_back(*other);
                }
            }
            if (how == "another lane")
                bad = {alice()
                           .seal.close(plain, placeOf("@other:test", toString(where.kind), where.key), systemRandom)
                           .value()};
            if (how == "another key")
                bad = {otherSeal.close(plain, place, systemRandom).value()};
            if (how == "junk inside") { // sealed well, and yet not what was written
                const auto sealed = [&](const QByteArray &inside) {
                    bad.push_back(alice().seal.close(Secret(inside), place, systemRandom).value());
                };
                const QByteArray good = plain.view().toByteArray();
                for (qsizetype cut = 0; cut < good.size(); cut += std::max<qsizetype>(1, good.size() / 12))
                    sealed(good.left(cut));
                for (qsizetype at = 0; at < good.size(); at += std::max<qsizetype>(1, good.size() / 25)) {
                    QByteArray flipped = good;
                    flipped[at] = static_cast<char>(flipped.at(at) ^ 0xff);
                    if (where.kind == Kind::Device || where.kind == Kind::Withheld)
                        continue; // a seed or a text of other bytes is as good as any
                    sealed(flipped);
                }
                sealed(QByteArray(100, '\xff'));
            }
            damaged.insert(where.kind);
            for (const QByteArray &row : std::as_const(bad)) {
                auto rows = whole;
                rows[where] = row;
                const auto machine = opened(rows);
                QCOMPARE(machine.ok(), where.kind != Kind::Device);
                if (!machine)
                    continue;
                alice().rows = rows;
                alice().restart();
                // Everything is read once; none of it may crash.
                (void)alice().machine->open(mallory().event("$1"), alice().now);
                alice().machine->prepare({room, {ground->bob.user}}, alice().now);
                alice().machine->gap(alice().now);
                QVERIFY(alice().machine->changes().ok());
                (void)alice().machine->takeRequests(alice().now);
                alice().machine->revert();
            }
            if (where.kind == Kind::Device)
                continue;
            alice().restart();
            works(); // with the last of the damaged rows
            if (QTest::currentTestFailed())
                return;
            ground->server.queue.clear();
        }
        QVERIFY(damaged.size() >= 6);
    }

    void a_message_to_be_sent_that_is_damaged_has_the_key_replaced()
    {
        alice().machine->setRules(room, {1, 604'800'000});
        alice().machine->prepare({room, {ground->bob.user}}, alice().now);
        alice().commit();
        QCOMPARE(rowsOf(Kind::ToDevice), 1);
        for (auto it = alice().rows.begin(); it != alice().rows.end(); ++it) {
            if (it.key().kind == Kind::ToDevice)
                (*it)[20] = static_cast<char>(it->at(20) ^ 1);
        }
        alice().restart();
        alice().commit();
        QCOMPARE(rowsOf(Kind::ToDevice), 0);
        QVERIFY(alice().noted("record_unreadable"));
        QCOMPARE(ground->harm(), QString());
    }

    void a_state_that_went_back_is_a_new_device_E31()
    {
        const auto backup = alice().rows;
        const QString old = alice().device();
        const RoomView view{room, {ground->bob.user}};
        alice().machine->prepare(view, alice().now);
        ground->settle();
        const QJsonObject content = alice().machine->encrypt(view, "m.call.invite", {{"n", 1}}).value();
        alice().commit();
        QJsonObject echo{{"type", "m.room.encrypted"},
                         {"sender", alice().user},
                         {"room_id", room},
                         {"event_id", "$1"},
                         {"content", content}};
        alice().rows = backup;
        alice().restart();
        alice().machine->echo(edited(echo, "sender", mallory().user), alice().now); // others say nothing of us
        alice().commit();
        QCOMPARE(alice().device(), old);
        alice().machine->echo(echo, alice().now);
        ground->settle();
        QVERIFY(alice().device() != old);
        ground->bob.machine->devicesChanged({alice().user}, {});
        QCOMPARE(ground->harm(), QString());
        const QJsonObject after = alice().machine->encrypt(view, "m.call.invite", {{"n", 2}}).value();
        QVERIFY(after.value("session_id") != content.value("session_id"));
    }

    void a_device_that_was_deleted_is_replaced_whoever_says_so()
    {
        const QString old = alice().device();
        ground->server.deleteDevice(alice().user, old);
        alice().machine->counts(0, {}, alice().now); // the upload of new keys is refused
        ground->settle();
        QVERIFY(alice().device() != old);
        ground->bob.machine->devicesChanged({alice().user}, {});
        QCOMPARE(ground->harm(), QString());
    }

    void a_flood_of_nonsense_leaves_nothing()
    {
        const qsizetype rows = alice().rows.size();
        const auto flood = [&](int from, int count) {
            QElapsedTimer timer;
            timer.start();
            for (int i = from; i < from + count; ++i) {
                const OlmMessage message{
                    i % 3,
                    QString::fromLatin1(QByteArray(40 + i % 100, char(i)).toBase64(QByteArray::OmitTrailingEquals))};
                QJsonObject event = mallory().olmEvent(alice(), message);
                if (i % 5 == 0)
                    event.insert("sender", QString("@nobody%1:test").arg(i));
                if (i % 7 == 0)
                    event.insert("type", "m.room_key_request");
                alice().machine->toDevice(event, alice().now);
                const QJsonObject unknown = edited(mallory().sealedEvent(QString("$%1").arg(i), "AwgA"), "content",
                                                   QJsonObject{{"algorithm", megolmAlgorithm},
                                                               {"ciphertext", "AwgA"},
                                                               {"session_id", QString("none%1").arg(i)}});
                (void)alice().machine->open(unknown, alice().now);
                if (i % 100 == 0)
                    alice().commit();
            }
            alice().commit();
            return std::max<qint64>(1, timer.nsecsElapsed());
        };
        (void)flood(0, 200);
        const qint64 first = flood(200, 2000);
        (void)flood(2200, 5800);
        const qint64 last = flood(8000, 2000);
        QVERIFY2(last < 10 * first,
                 qPrintable(QString("%1 times").arg(last / first))); // as long at the end as at first
        QCOMPARE(alice().rows.size(), rows);
        QCOMPARE(ground->harm(), QString());
    }

    void a_flood_of_room_keys_is_bounded()
    {
        const auto flood = [&](int count) {
            QElapsedTimer timer;
            timer.start();
            for (int i = 0; i < count; ++i) {
                const auto group = mallory().backend->newOutbound(systemRandom);
                const QJsonObject message = mallory().olm(
                    ground->server, alice(), mallory().payload(alice(), "m.room_key", Attacker::roomKeyOf(**group)));
                alice().machine->toDevice(message, ++alice().now);
                if (i % 10 == 0)
                    alice().commit();
            }
            alice().commit();
            return std::max<qint64>(1, timer.nsecsElapsed());
        };
        (void)flood(100);
        const qint64 first = flood(1000);
        (void)flood(7900);
        const qint64 last = flood(1000);
        QVERIFY2(last < 10 * first, qPrintable(QString("%1 times").arg(last / first)));
        QVERIFY(rowsOf(Kind::Inbound) <= 33); // hers, and Bob's
        ground->bob.now = alice().now;
        QCOMPARE(ground->harm(), QString()); // Bob's session was not pushed out
    }

    void a_flood_of_olm_sessions_is_bounded_E21()
    {
        // One user, and a new device of theirs for each message; the fallback key serves them all.
        ground->server.dropOneTimeKeys(alice().user, alice().device());
        for (int i = 0; i < 400; ++i) {
            Attacker one(mallory().user, QString("D%1").arg(i));
            alice().machine->toDevice(one.olm(ground->server, alice(), one.payload(alice(), "m.dummy", {})),
                                      ++alice().now);
            if (i % 10 == 0)
                alice().commit();
        }
        alice().commit();
        QVERIFY2(rowsOf(Kind::Olm) <= 257, qPrintable(QString::number(rowsOf(Kind::Olm))));
        QVERIFY(rowsOf(Kind::Olm) > 200);
        ground->bob.now = alice().now;
        QCOMPARE(ground->harm(), QString());
    }
};

QTEST_GUILESS_MAIN(TestAttackState)
#include "tst_attack_state.moc"
