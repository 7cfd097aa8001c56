// SPDX-License-Identifier: Apache-2.0
// One verification by short authentication string: both ways of beginning, both at once, and everything that a
// homeserver or another client can do to it. What is refused is refused with the specification's code, and nothing is
// verified.
#include "sassides.h"

#include <QJsonArray>
#include <QTest>

#include <algorithm>

using namespace voip::crypto;
using namespace voip::crypto::test;
using State = Sas::State;

class TestSas : public QObject
{
    Q_OBJECT

private:
    // Until both show the signs.
    static void compared(SasSides &sides, bool weBegin)
    {
        if (weBegin)
            sides.weBegin();
        else
            sides.theyBegin();
        sides.run();
    }

private Q_SLOTS:
    void both_ways_of_beginning_end_verified_data()
    {
        QTest::addColumn<bool>("weBegin");
        QTest::addColumn<bool>("theyConfirmFirst");
        for (const bool begin : {false, true}) {
            for (const bool first : {false, true})
                QTest::addRow("%s, %s", begin ? "we begin" : "they begin", first ? "they confirm first" : "we do")
                    << begin << first;
        }
    }
    void both_ways_of_beginning_end_verified()
    {
        QFETCH(bool, weBegin);
        QFETCH(bool, theyConfirmFirst);
        SasSides sides;
        compared(sides, weBegin);
        QCOMPARE(sides.ours.state(), State::Compared);
        QCOMPARE(sides.theirs.state(), State::Compared);
        QVERIFY(sides.ours.shown() && sides.ours.shown()->hasEmoji);
        QCOMPARE(*sides.ours.shown(), *sides.theirs.shown());
        for (const quint16 number : sides.ours.shown()->decimals)
            QVERIFY(number >= 1000 && number <= 9191);
        QVERIFY(sides.ours.verifiedMasterKey().isEmpty());
        if (theyConfirmFirst)
            sides.theySay(sides.theirs.confirm());
        else
            sides.weSay(sides.ours.confirm());
        sides.run();
        QVERIFY(!sides.ours.isOver()); // not by one side alone
        sides.bothConfirm();
        QCOMPARE(sides.ours.state(), State::Done);
        QCOMPARE(sides.theirs.state(), State::Done);
        QCOMPARE(sides.ours.verifiedMasterKey(), sides.them.masterKey);
        QVERIFY(sides.codes.isEmpty());
        sides.weHear("cancel", {{"code", "m.user"}}); // too late
        QCOMPARE(sides.ours.state(), State::Done);
    }

    // Both sides come to the same, whichever message overtakes the other.
    void both_begin_data()
    {
        QTest::addColumn<QString>("our");
        QTest::addColumn<QString>("their");
        QTest::newRow("ours is the lesser") << "AAA"
                                            << "BBB";
        QTest::newRow("theirs is the lesser") << "BBB"
                                              << "AAA";
    }
    void both_begin()
    {
        QFETCH(QString, our);
        QFETCH(QString, their);
        SasSides sides(our, their);
        sides.weBegin();
        sides.theyBegin();
        QCOMPARE(sides.ours.state(), State::Begun);
        sides.run();
        QCOMPARE(sides.ours.state(), State::Compared);
        QCOMPARE(*sides.ours.shown(), *sides.theirs.shown());
        sides.bothConfirm();
        QCOMPARE(sides.ours.state(), State::Done);
        QCOMPARE(sides.theirs.state(), State::Done);
    }

    void where_the_other_side_has_no_emoji_numbers_are_shown()
    {
        SasSides sides;
        const auto hand = std::move(sides.backend->newSas(systemRandom)).value();
        const QJsonObject start = sides.theirs.begin(*sides.backend, systemRandom).first().content;
        sides.weHear("start", changed(start, "short_authentication_string", QJsonArray{"decimal"}));
        QCOMPARE(sides.toThem.back().content.value("short_authentication_string").toArray(), QJsonArray{"decimal"});
        sides.weHear("key", {{"key", hand->publicKey()}});
        QVERIFY(sides.ours.shown() && !sides.ours.shown()->hasEmoji);
    }

    void what_we_vouch_for()
    {
        SasSides sides;
        sides.us.masterKey = keyOf('m');
        sides.meet();
        compared(sides, false);
        const SasMessages said = sides.ours.confirm();
        const QStringList keys = said.first().content.value("mac").toObject().keys();
        QCOMPARE(keys, (QStringList{"ed25519:BRIDGE", "ed25519:" + keyOf('m')}));
    }

    // Somebody in the middle who speaks to each side with keys of their own: the signs differ.
    void somebody_in_the_middle_is_seen()
    {
        SasSides left;
        SasSides right;
        compared(left, false);  // bridge <-> attacker
        compared(right, false); // attacker <-> owner
        QVERIFY(*left.ours.shown() != *right.theirs.shown());
        const SasMessages said = left.ours.cancel("m.mismatched_sas");
        QCOMPARE(said.first().content.value("code").toString(), QString("m.mismatched_sas"));
        QCOMPARE(left.ours.state(), State::Cancelled);
        QVERIFY(left.ours.confirm().isEmpty());
        left.theySay(left.theirs.confirm());
        left.run();
        QCOMPARE(left.ours.state(), State::Cancelled);
        QVERIFY(left.ours.verifiedMasterKey().isEmpty());
    }

    // The homeserver gives us another key than theirs: the signs agree, the MACs tell.
    void a_list_with_other_keys_is_seen()
    {
        SasSides sides;
        sides.meet(keyOf('x'));
        compared(sides, false);
        QCOMPARE(*sides.ours.shown(), *sides.theirs.shown());
        sides.bothConfirm();
        QCOMPARE(sides.codes, QStringList{"m.key_mismatch"});
        SasSides other;
        other.meet({}, keyOf('x'));
        compared(other, false);
        other.bothConfirm();
        QCOMPARE(other.ours.state(), State::Done);
        QVERIFY(other.ours.verifiedMasterKey().isEmpty()); // they vouched for one that we do not see
    }

    void what_of_a_message_is_refused_data()
    {
        QTest::addColumn<bool>("weBegin");
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("field");
        QTest::addColumn<QJsonValue>("value");
        QTest::addColumn<QString>("code");
        const auto row = [](const char *name, bool weBegin, const char *what, const char *field,
                            const QJsonValue &value,
                            const char *code) { QTest::newRow(name) << weBegin << what << field << value << code; };
        row("start: method", false, "start", "method", "m.reciprocate.v1", "m.unknown_method");
        row("start: no method", false, "start", "method", {}, "m.unknown_method");
        row("start: agreement", false, "start", "key_agreement_protocols", QJsonArray{"curve25519"},
            "m.unknown_method");
        row("start: hash", false, "start", "hashes", QJsonArray{"md5"}, "m.unknown_method");
        row("start: old MAC", false, "start", "message_authentication_codes", QJsonArray{"hkdf-hmac-sha256"},
            "m.unknown_method");
        row("start: emoji only", false, "start", "short_authentication_string", QJsonArray{"emoji"},
            "m.unknown_method");
        row("start: not a list", false, "start", "hashes", "sha256", "m.unknown_method");
        row("start: another device", false, "start", "from_device", "ELSE", "m.key_mismatch");
        row("start: no canonical JSON", false, "start", "more", 0.5, "m.invalid_message");
        row("accept: agreement", true, "accept", "key_agreement_protocol", "curve25519", "m.unknown_method");
        row("accept: hash", true, "accept", "hash", "md5", "m.unknown_method");
        row("accept: MAC", true, "accept", "message_authentication_code", "hkdf-hmac-sha256", "m.unknown_method");
        row("accept: nothing to show", true, "accept", "short_authentication_string", QJsonArray{}, "m.unknown_method");
        row("accept: no commitment", true, "accept", "commitment", {}, "m.invalid_message");
        row("accept: short commitment", true, "accept", "commitment", "AAAA", "m.invalid_message");
        row("accept: other commitment", true, "accept", "commitment", keyOf('c'), "m.mismatched_commitment");
        row("key after commitment", true, "key", "key", keyOf('\x09'), "m.mismatched_commitment");
        for (const bool begin : {false, true}) {
            row(begin ? "key: none, we began" : "key: none", begin, "key", "key", {}, "m.invalid_message");
            row(begin ? "key: short, we began" : "key: short", begin, "key", "key", "AAAA", "m.invalid_message");
        }
        // With these, everybody agrees on zero.
        row("key: zero", false, "key", "key", keyOf('\0'), "m.invalid_message");
        row("key: one", false, "key", "key", QString::fromLatin1(toBase64(QByteArray(1, '\1') + QByteArray(31, '\0'))),
            "m.invalid_message");
        row("MAC: none", false, "mac", "mac", {}, "m.invalid_message");
        row("MAC: not of the ids", false, "mac", "keys", keyOf('k'), "m.key_mismatch");
        row("MAC: no ids", false, "mac", "keys", {}, "m.invalid_message");
        row("MAC: other", false, "mac", "mac", QJsonObject{{"ed25519:OWNER", keyOf('k')}}, "m.key_mismatch");
    }
    void what_of_a_message_is_refused()
    {
        QFETCH(bool, weBegin);
        QFETCH(QString, what);
        QFETCH(QString, field);
        QFETCH(QJsonValue, value);
        QFETCH(QString, code);
        SasSides sides;
        sides.bend = [&](const QString &type, const QJsonObject &content) {
            return type == "m.key.verification." + what ? changed(content, field, value) : content;
        };
        compared(sides, weBegin);
        sides.bothConfirm();
        QCOMPARE(sides.codes, QStringList{code});
        QCOMPARE(sides.ours.state(), State::Cancelled);
        QCOMPARE(sides.ours.code(), code);
        QVERIFY(sides.ours.verifiedMasterKey().isEmpty());
        QVERIFY(what == "mac" || sides.theirs.state() != State::Done); // ours were right
    }

    // Made with the right secret, and yet not what must be there.
    void which_macs_are_enough_data()
    {
        QTest::addColumn<QStringList>("ids");
        QTest::addColumn<QString>("wrong"); // the one whose MAC is not right
        QTest::addColumn<bool>("enough");
        QTest::addColumn<bool>("vouched");
        const QString device = "ed25519:OWNER";
        const QString master = "ed25519:" + keyOf('m');
        const QString unknown = "ed25519:" + keyOf('z');
        QTest::newRow("device and master") << QStringList{device, master} << QString() << true << true;
        QTest::newRow("device") << QStringList{device} << QString() << true << false;
        QTest::newRow("device and unknown ones") << QStringList{device, unknown, "x:y"} << QString() << true << false;
        QTest::newRow("unknown, and not right") << QStringList{device, unknown} << unknown << true << false;
        QTest::newRow("master only") << QStringList{master} << QString() << false << false;
        QTest::newRow("unknown only") << QStringList{unknown} << QString() << false << false;
        QTest::newRow("master's is not right") << QStringList{device, master} << master << false << false;
        QTest::newRow("device's is not right") << QStringList{device, master} << device << false << false;
        QStringList many{device};
        for (int i = 0; i < 40; ++i)
            many.push_back("ed25519:" + QString::number(i));
        QTest::newRow("too many") << many << QString() << false << false;
    }
    void which_macs_are_enough()
    {
        QFETCH(QStringList, ids);
        QFETCH(QString, wrong);
        QFETCH(bool, enough);
        QFETCH(bool, vouched);
        SasSides sides;
        const auto hand = std::move(sides.backend->newSas(systemRandom)).value();
        sides.theyBegin();
        (void)sides.step();
        sides.weHear("key", {{"key", hand->publicKey()}});
        QVERIFY(hand->agree(sides.toThem.back().content.value("key").toString()).ok());
        const QByteArray info = "MATRIX_KEY_VERIFICATION_MAC@alice:testOWNER@alice:testBRIDGEtx";
        std::sort(ids.begin(), ids.end());
        QJsonObject macs;
        for (const QString &id : ids) {
            const QString key = id == "ed25519:OWNER" ? sides.them.ed25519 : id.mid(8);
            macs.insert(id, id == wrong ? keyOf('w') : *hand->mac(key.toUtf8(), info + id.toUtf8()));
        }
        const QString keys = *hand->mac(ids.join(',').toUtf8(), info + "KEY_IDS");
        sides.weSay(sides.ours.confirm());
        sides.weHear("mac", {{"mac", macs}, {"keys", keys}});
        QCOMPARE(sides.ours.state(), enough ? State::Done : State::Cancelled);
        QCOMPARE(sides.ours.verifiedMasterKey(), vouched ? keyOf('m') : QString());
        QCOMPARE(sides.codes.size(), enough ? 0 : 1);
    }

    void out_of_order_is_refused_data()
    {
        QTest::addColumn<int>("steps"); // after they began
        QTest::addColumn<QString>("what");
        for (const QString what : {"ready", "accept", "mac", "done", "nonsense"})
            QTest::addRow("%s first", qPrintable(what)) << 0 << what;
        QTest::newRow("key first") << 0 << "key";
        for (const QString what : {"ready", "accept", "mac", "done"})
            QTest::addRow("%s after the start", qPrintable(what)) << 1 << what;
        for (const QString what : {"ready", "accept", "done"})
            QTest::addRow("%s while signs are shown", qPrintable(what)) << 9 << what;
    }
    void out_of_order_is_refused()
    {
        QFETCH(int, steps);
        QFETCH(QString, what);
        SasSides sides;
        if (steps > 0)
            sides.theyBegin();
        for (int i = 0; i < steps; ++i)
            (void)sides.step();
        sides.weHear(what, {{"key", keyOf('k')}, {"mac", QJsonObject{{"ed25519:OWNER", keyOf('k')}}}, {"keys", "x"}});
        QCOMPARE(sides.codes, QStringList{"m.unexpected_message"});
    }

    void what_comes_again_is_passed_over_and_what_comes_changed_is_not()
    {
        for (const QString again : {"start", "key", "mac"}) {
            SasSides same;
            SasMessages seen;
            same.bend = [&](const QString &type, const QJsonObject &content) {
                if (type.endsWith(again))
                    seen.push_back({type, content});
                return content;
            };
            compared(same, false);
            same.theySay(same.theirs.confirm());
            same.run();
            QCOMPARE(seen.size(), 1);
            SasSides &sides = same;
            const auto state = sides.ours.state();
            sides.weHear(again, seen.first().content);
            QVERIFY(sides.codes.isEmpty());
            QCOMPARE(sides.ours.state(), state);
            sides.weHear(again, changed(seen.first().content, "more", 1));
            QCOMPARE(sides.codes, QStringList{"m.unexpected_message"});
        }
    }

    void our_own_key_shown_back_is_refused()
    {
        SasSides sides;
        sides.weBegin();
        while (sides.ours.state() != State::Keyed && sides.step()) {
        }
        const QJsonObject key = sides.toThem.back().content;
        sides.weHear("key", key);
        QCOMPARE(sides.codes, QStringList{"m.mismatched_commitment"});
    }

    void another_transaction_shows_other_signs()
    {
        SasSides sides;
        sides.theirs = Sas("other", sides.them, sides.us.device);
        (void)sides.theirs.meet(sides.us.ed25519, {});
        compared(sides, false);
        QCOMPARE(sides.ours.state(), State::Compared);
        QVERIFY(*sides.ours.shown() != *sides.theirs.shown());
    }

    void their_cancel_ends_it_without_an_answer()
    {
        SasSides sides;
        compared(sides, true);
        sides.theySay(sides.theirs.cancel("m.mismatched_sas"));
        sides.run();
        QCOMPARE(sides.ours.state(), State::Cancelled);
        QCOMPARE(sides.ours.code(), QString("m.mismatched_sas"));
        QVERIFY(sides.codes.isEmpty());
        QVERIFY(sides.ours.cancel("m.user").isEmpty());
    }

    void without_randomness_it_is_given_up()
    {
        SasSides sides;
        const auto none = [](std::span<char>) { return false; };
        QCOMPARE(sides.ours.begin(*sides.backend, none).first().content.value("code").toString(), QString("m.user"));
    }
};

QTEST_APPLESS_MAIN(TestSas)
#include "tst_sas.moc"
