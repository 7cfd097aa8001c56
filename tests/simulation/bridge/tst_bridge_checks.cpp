// SPDX-License-Identifier: Apache-2.0
// The simulation of the bridge is what it says: the same seed is the same world, to the last note; every planted defect
// is found by the check that is for it; what fails can be made smaller.
#include "machine.h"
#include "shrink.h"
#include "world.h"

#include <QLoggingCategory>
#include <QTest>

using namespace bridgesim;

namespace
{

TimeLoop *loop = nullptr;

Options with(quint64 seed, Defect defect = Defect::None)
{
    Options options;
    options.seed = seed;
    options.calls = 20;
    options.defect = defect;
    return options;
}

// The first complaint of some worlds.
Outcome complaintWith(Defect defect)
{
    Outcome outcome;
    for (quint64 seed = 1; seed <= 200; ++seed) { // a stale worker's commit harms in about 3 worlds of 100
        Options options = with(seed, defect);
        options.workers = defect == Defect::BlindTokens ? 2 : 1;
        options.calls = 40;
        options.encrypted = defect >= Defect::LosesRatchets;
        options.faults = defect != Defect::DropsKeys; // where that must not be anybody's
        outcome = play(*loop, options);
        if (!outcome.kind.isEmpty())
            break;
    }
    return outcome;
}

} // namespace

class TestBridgeChecks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSeedIsAWorld_data()
    {
        QTest::addColumn<int>("workers");
        QTest::addColumn<bool>("encrypted");
        QTest::newRow("one worker") << 1 << false;
        QTest::newRow("two workers") << 2 << false;
        QTest::newRow("one worker, encrypted") << 1 << true;
        QTest::newRow("two workers, encrypted") << 2 << true;
    }
    void aSeedIsAWorld()
    {
        QFETCH(const int, workers);
        QFETCH(const bool, encrypted);
        const auto played = [workers, encrypted](quint64 seed) {
            Options options = with(seed);
            options.workers = workers;
            options.encrypted = encrypted;
            return play(*loop, options);
        };
        const Outcome first = played(3);
        const Outcome other = played(4);
        const Outcome again = played(3);
        QVERIFY(first.notes > 200);
        QCOMPARE(again.notes, first.notes);
        QCOMPARE(again.hash, first.hash);
        QVERIFY(other.hash != first.hash);
    }

    void timeIsVirtual()
    {
        const qint64 begun = machine::realNow();
        const Outcome outcome = play(*loop, with(5));
        QVERIFY(outcome.lasted > 60'000);
        QVERIFY(machine::realNow() - begun < outcome.lasted);
    }

    void aDefectIsFound_data()
    {
        QTest::addColumn<int>("defect");
        QTest::addColumn<QStringList>("kinds");
        const auto row = [](const char *name, Defect defect, const QStringList &kinds) {
            QTest::newRow(name) << static_cast<int>(defect) << kinds;
        };
        row("answers before it commits", Defect::AnswersBeforeCommit,
            {"sent_undecided", "told_undecided", "accepted_undecided", "notice_id"});
        row("sends twice", Defect::SendsTwice, {"sent_undecided"});
        row("no deduplication", Defect::NoDeduplication, {"sent_twice"});
        row("loses the inbox", Defect::LosesInbox, {"not_consumed"});
        row("loses deadlines", Defect::LosesDeadlines, {"no_deadline", "left"});
        row("loses a notice", Defect::LosesNotice, {"heard", "not_heard"});
        row("accepts repeats", Defect::AcceptsRepeats, {"taken_twice"});
        row("settles what was never sent", Defect::SwallowsSends, {"never_sent"});
        row("sends in another order", Defect::Reorders, {"order", "never_sent"}); // it answers before it sends, too
        row("takes a stale worker's commit", Defect::BlindTokens,
            {"conflict", "reference_again", "seq", "consumed_twice", "consumed_unknown", "came_back"});
        row("leaves somebody ringing", Defect::LosesHangups, {"left"});
        row("loses ratchets", Defect::LosesRatchets, {"index_again", "device_replaced"});
        row("seals anew", Defect::SealsAnew, {"sent_otherwise"});
        row("sends in the clear", Defect::SendsInClear, {"in_clear"});
        row("drops keys", Defect::DropsKeys, {"deaf"});
        row("rescues no keys", Defect::NoRescue, {"never_opened", "left"});
    }
    void aDefectIsFound()
    {
        QFETCH(const int, defect);
        QFETCH(const QStringList, kinds);
        const Outcome outcome = complaintWith(static_cast<Defect>(defect));
        QVERIFY2(kinds.contains(outcome.kind), qPrintable(outcome.kind + u' ' + outcome.detail));
    }

    void twoAnswersAreSeen()
    {
        Trace trace(*loop, false);
        Judge judge(trace);
        const auto decide = [&judge](qint64 ref, const QString &txn) {
            voip::store::Commit commit;
            commit.lane = QStringLiteral("@nova_a:test");
            commit.sends.push_back({commit.lane,
                                    ref,
                                    QStringLiteral("h1"),
                                    QStringLiteral("!r:test"),
                                    QStringLiteral("m.call.answer"),
                                    {{QStringLiteral("call_id"), QStringLiteral("c")}},
                                    txn});
            judge.committed(commit, {}, 1);
            judge.arrived(commit.lane, txn, QStringLiteral("$") + txn);
        };
        decide(1, QStringLiteral("t1"));
        QCOMPARE(judge.kind(), QString());
        decide(2, QStringLiteral("t2"));
        QCOMPARE(judge.kind(), QStringLiteral("two_answers"));
    }

    void anotherOrderAndClearTextAreSeen()
    {
        Trace trace(*loop, false);
        Judge order(trace);
        voip::store::Commit commit;
        commit.lane = QStringLiteral("@nova_a:test");
        for (const qint64 ref : {1, 2}) {
            commit.sends.push_back({commit.lane,
                                    ref,
                                    QStringLiteral("h1"),
                                    QStringLiteral("!r:test"),
                                    QStringLiteral("m.call.candidates"),
                                    {},
                                    QString::number(ref)});
        }
        order.committed(commit, {}, 1);
        order.arrived(commit.lane, QStringLiteral("2"), QStringLiteral("$2"));
        QCOMPARE(order.kind(), QString());
        order.arrived(commit.lane, QStringLiteral("1"), QStringLiteral("$1"));
        QCOMPARE(order.kind(), QStringLiteral("order"));

        Judge clear(trace);
        voip::store::Commit room;
        room.lane = commit.lane;
        room.rooms.push_back({});
        room.rooms.last().id = QStringLiteral("!r:test");
        room.rooms.last().encrypted = true;
        clear.committed(room, {}, 1);
        QCOMPARE(clear.kind(), QString());
        clear.committed(commit, {}, 1);
        QCOMPARE(clear.kind(), QStringLiteral("in_clear"));
    }

    void whatFailsIsMadeSmaller()
    {
        const Options options = with(1, Defect::SendsTwice);
        const Outcome outcome = play(*loop, options);
        QVERIFY(!outcome.kind.isEmpty());
        const Shrunk shrunk = shrink(*loop, options, outcome, 60);
        QCOMPARE(shrunk.outcome.kind, outcome.kind);
        QVERIFY(shrunk.outcome.parts.size() <= 2);
        QVERIFY(commandOf(shrunk.options).contains(QLatin1String("--keep")));
        QCOMPARE(play(*loop, shrunk.options).hash, shrunk.outcome.hash);
    }
};

int main(int argc, char **argv)
{
    machine::prepare();
    qputenv("QTEST_FUNCTION_TIMEOUT", "2000000000"); // its watchdog reads our clock, on which hours pass
    loop = new TimeLoop;                             // becomes the application's
    QCoreApplication::setEventDispatcher(loop);
    QCoreApplication application(argc, argv);
    QLoggingCategory::setFilterRules(QStringLiteral("*=false"));
    TestBridgeChecks test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_bridge_checks.moc"
