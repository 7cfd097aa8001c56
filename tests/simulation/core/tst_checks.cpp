// SPDX-License-Identifier: Apache-2.0
// The checks of the simulation find what they are for: each planted defect is seen, and the shrinker leaves little of a
// long timeline that fails. And a few hundred sequences, for who runs only this.
#include "shrink.h"
#include "world.h"

#include <QTest>

using namespace simulation;

namespace
{

const QByteArray header =
    R"({"replay":1,"local_user":"@a:t","room":{"room_id":"!r:t","members":["@a:t","@b:t"],"join_rule":"invite"}})";

QByteArray inviteLine(const QByteArray &t, const QByteArray &rest, const QByteArray &sender = "@b:t",
                      const QByteArray &age = "0")
{
    return R"({"t":)" + t + R"(,"in":"matrix","event":{"type":"m.call.invite","sender":")" + sender +
           R"(","room_id":"!r:t","unsigned":{"age":)" + age +
           R"(},"content":{"call_id":"c","lifetime":60000,"version":"1")" + rest + "}}}";
}

QByteArray ring(const QByteArray &t, const QByteArray &seq = "1")
{
    return R"({"t":)" + t + R"(,"out":"host","signal":"call.initiated","call":"H","seq":)" + seq +
           R"(,"peer":"@b:t","matrix":{"call_id":"c","party_id":"PPPPPPPP","room_id":"!r:t"}})";
}

QByteArray send(const QByteArray &ref, const QByteArray &type, const QByteArray &rest = {},
                const QByteArray &call = "c")
{
    return R"({"t":9,"out":"matrix","ref":"o)" + ref + R"(","type":"m.call.)" + type +
           R"(","room_id":"!r:t","content":{"call_id":")" + call + R"(","party_id":"PPPPPPPP","version":"1")" + rest +
           "}}";
}

const QByteArray answer = R"(,"answer":{"type":"answer","sdp":"v=0"})";
const QByteArray hangup = R"(,"reason":"user_hangup")";

// Inputs and outputs as they stand, seen by a watcher.
Complaint watched(const timeline::Lines &lines)
{
    Watcher watcher(timeline::object(lines.first()));
    Complaint complaint;
    for (qsizetype i = 1; i < lines.size() && !complaint; ++i) {
        QVector<QJsonObject> outs;
        const QJsonObject input = timeline::object(lines[i]);
        while (i + 1 < lines.size() && timeline::isOut(lines[i + 1]))
            outs += timeline::object(lines[++i]);
        complaint = watcher.see(input, outs);
    }
    return complaint ? complaint : watcher.finish();
}

} // namespace

class Checks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void watcherFinds_data();
    void watcherFinds();
    void runFindsAFault();
    void shrinkerLeavesLittle();
    void sequences();
};

void Checks::watcherFinds_data()
{
    QTest::addColumn<timeline::Lines>("lines");
    QTest::addColumn<QString>("kind");
    const auto row = [](const char *kind, const timeline::Lines &lines) {
        QTest::newRow(kind) << (timeline::Lines{header} + lines) << QString::fromLatin1(kind);
    };
    const QByteArray rung = inviteLine("0", R"(,"invitee":"@a:t")");
    const QByteArray over = R"({"t":9,"out":"host","signal":"call.ended","call":"H","seq":2,"reason":"user_hangup"})";
    const QByteArray act = R"({"t":9,"in":"host","do":"x","call":"H"})";
    const QByteArray place = R"({"t":1,"in":"host","do":"place","call":"h1","sdp":"v=0\r\no=- 1 2 IN\r\n"})";
    const QByteArray offer =
        R"(,"lifetime":90000,"invitee":"@b:t","offer":{"type":"offer","sdp":"v=0\r\no=- 1 2 IN\r\n"})";
    row("", {rung, ring("0"), over}); // nothing is wrong with this one
    row("two answers", {rung, ring("0"), send("1", "answer", answer), send("2", "answer", answer)});
    row("sent after the end", {rung, ring("0"), act, send("1", "hangup", hangup), send("2", "answer", answer)});
    row("told after the end", {rung, ring("0"), over, ring("9", "3")});
    row("seq does not grow by one", {rung, ring("0", "2")});
    row("refs do not grow", {rung, ring("0"), send("2", "answer", answer), send("2", "hangup", hangup)});
    row("sent for a call without invite", {act, send("1", "hangup", hangup)});
    row("two invites with one call id", {place, send("1", "invite", offer, "m"), send("2", "invite", offer, "m")});
    row("version 1 event to a version 0 peer", {inviteLine("0", R"(,"version":0)"), ring("0"), send("1", "reject")});
    row("unsend of what is no unsent invite", {act, R"({"t":9,"out":"unsend","ref":"o1"})"});
    row("refused what nobody asked for", {rung, R"({"t":0,"out":"refused","why":"x"})"});
    row("never ended", {rung, ring("0")});
    row("rings in a public room",
        {R"({"t":0,"in":"snapshot","room_id":"!r:t","join_rule":"public","members":[]})", rung, ring("0"), over});
    row("malformed: reason is not the protocol's", {});
    const char *const noRing = "rings for no valid invite of ours";
    const auto ringRow = [noRing](const char *name, const timeline::Lines &lines) {
        QTest::newRow(name) << (timeline::Lines{header} + lines) << QString::fromLatin1(noRing);
    };
    ringRow("stranger", {inviteLine("0", {}, "@e:t"), ring("0")});
    ringRow("own", {inviteLine("0", {}, "@a:t"), ring("0")});
    ringRow("not the invitee", {inviteLine("0", R"(,"invitee":"@e:t")"), ring("0")});
    ringRow("expired", {inviteLine("0", {}, "@b:t", "60000"), ring("0")});
    ringRow("hardly any time", {inviteLine("0", {}, "@b:t", "57001"), ring("0")});
    ringRow("late", {inviteLine("0", {}), R"({"t":60000,"in":"clock"})", ring("60000")});
    ringRow("out of nothing", {act, ring("9")});
    QTest::newRow("rings after its end") << timeline::Lines{header,
                                                            rung,
                                                            ring("0"),
                                                            over,
                                                            inviteLine("9", {}),
                                                            QByteArray(ring("9")).replace("\"H\"", "\"H2\"")}
                                         << QStringLiteral("rings after its end");
}

void Checks::watcherFinds()
{
    QFETCH(timeline::Lines, lines);
    QFETCH(QString, kind);
    if (kind.startsWith(QLatin1String("malformed"))) {
        lines = {header, inviteLine("0", {}), ring("0"), send("1", "hangup", R"(,"reason":"peer_left")")};
        QVERIFY(watched(lines).kind.startsWith(QLatin1String("malformed: ")));
        return;
    }
    QCOMPARE(watched(lines).kind, kind);
}

void Checks::runFindsAFault()
{
    Run run(header);
    run.take(R"({"t":0,"in":"nothing"})");
    QCOMPARE(run.complaint().kind, QStringLiteral("fault"));
}

// A defect is planted far into a sequence: a line that the engine cannot read.
void Checks::shrinkerLeavesLittle()
{
    Run run = World(7).play();
    QVERIFY(!run.complaint());
    timeline::Lines inputs = run.inputs();
    inputs.insert(inputs.size() / 2, R"({"t":)" + QByteArray::number(0) + R"(,"in":"nothing"})");
    const Complaint complaint = check(inputs, Names());
    QCOMPARE(complaint.kind, QStringLiteral("fault"));
    const Shrunk shrunk = shrink(inputs, complaint);
    QCOMPARE(shrunk.inputs.size(), 2);
    QCOMPARE(shrunk.complaint.kind, QStringLiteral("fault"));
}

void Checks::sequences()
{
    for (std::uint64_t seed = 1'000'001; seed <= 1'000'200; ++seed) {
        Run run = World(seed).play();
        if (!run.complaint())
            run.finish();
        QVERIFY2(
            !run.complaint(),
            qPrintable(QStringLiteral("seed %1: %2: %3").arg(seed).arg(run.complaint().kind, run.complaint().detail)));
        for (const auto &holds : {replaysAlike, replaysWithoutSdp, cutsAlike}) {
            const Complaint wrong = holds(run);
            QVERIFY2(!wrong, qPrintable(QStringLiteral("seed %1: %2: %3").arg(seed).arg(wrong.kind, wrong.detail)));
        }
    }
}

QTEST_APPLESS_MAIN(Checks)
#include "tst_checks.moc"
