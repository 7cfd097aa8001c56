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

// Something that the host does with H, or that it is told of H.
QByteArray host(const QByteArray &t, const QByteArray &act, const QByteArray &rest = {}, const QByteArray &call = "H")
{
    return R"({"t":)" + t + R"(,"in":"host","do":")" + act + R"(","call":")" + call + "\"" + rest + '}';
}

QByteArray told(const QByteArray &t, const QByteArray &seq, const QByteArray &signal, const QByteArray &rest = {})
{
    return R"({"t":)" + t + R"(,"out":"host","signal":"call.)" + signal + R"(","call":"H","seq":)" + seq + rest + '}';
}

// From somebody, about a call.
QByteArray says(const QByteArray &type, const QByteArray &call, const QByteArray &rest,
                const QByteArray &sender = "@b:t")
{
    return R"({"t":9,"in":"matrix","event":{"type":"m.call.)" + type + R"(","sender":")" + sender +
           R"(","room_id":"!r:t","content":{"call_id":")" + call + R"(","version":"1")" + rest + "}}}";
}

QByteArray at(const QByteArray &t, QByteArray line)
{
    return line.replace(R"({"t":9,)", R"({"t":)" + t + ',');
}

const QByteArray sdp = R"(,"sdp":"v=0\r\no=- 1 2 IN IP4 1.1.1.1\r\nm=audio 9 X\r\na=mid:0\r\n")";
const QByteArray offer = R"(,"lifetime":90000,"invitee":"@b:t","offer":{"type":"offer")" + sdp + '}';
const QByteArray later = R"(,"lifetime":9,"description":{"type":"offer")" + sdp + '}';

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
    void talkIsWatched_data();
    void talkIsWatched();
    void candidatesAreWatched_data();
    void candidatesAreWatched();
    void watcherFinds_data();
    void watcherFinds();
    void runFindsAFault();
    void shrinkerLeavesLittle();
    void sequences();
};

void Checks::talkIsWatched_data()
{
    QTest::addColumn<timeline::Lines>("lines");
    QTest::addColumn<QString>("kind");
    const auto row = [](const char *name, const char *kind, const timeline::Lines &lines) {
        QTest::newRow(name) << (timeline::Lines{header} + lines) << QString::fromUtf8(kind);
    };
    const auto ended = [](const QByteArray &t, const QByteArray &seq, const QByteArray &why) {
        return told(t, seq, "ended", R"(,"reason":")" + why + "\"");
    };
    const QByteArray place = host("1", "place", sdp);
    const QByteArray invite = send("1", "invite", offer, "m");
    const QByteArray clock = R"({"t":9,"in":"clock"})";
    const QByteArray answered = says("answer", "m", R"(,"answer":{"sdp":"v=0"})");
    const QByteArray offers = host("20", "negotiate", R"(,"type":"offer")" + sdp);
    const QByteArray end = ended("99999", "2", "user_hangup");

    const char *const early = "in-call event before the answer";
    row("their call, early", early, {inviteLine("0", {}), ring("0"), clock, send("1", "negotiate", later)});
    for (const char *type : {"negotiate", "sdp_stream_metadata_changed", "replaces", "reject_replacement"})
        row(type, early, {place, invite, clock, send("2", type, later, "m")});
    row("identity", early,
        {place, invite, clock, send("2", "", {}, "m").replace("\"m.call.\"", "\"org.matrix.call.asserted_identity\"")});
    row("a stranger's answer", early,
        {place, invite, says("answer", "m", R"(,"answer":{"sdp":"v=0"})", "@e:t"), send("2", "negotiate", later, "m")});
    row("after the answer", "",
        {place, invite, answered, send("2", "negotiate", later, "m"), clock, ended("9", "1", "")});

    const char *const nothing = "an offer of the host ends in nothing";
    const timeline::Lines inCall{place, invite, answered, offers};
    row("an offer, and nothing", nothing, inCall + timeline::Lines{at("60021", clock)});
    row("theirs is told, ours is forgotten", nothing,
        inCall + timeline::Lines{told("20", "1", "negotiate", R"(,"type":"offer")"), at("60021", clock)});
    row("answered", "",
        inCall + timeline::Lines{told("20", "1", "negotiate", R"(,"type":"answer")"), at("99999", clock), end});
    row("failed", "", inCall + timeline::Lines{told("20", "1", "negotiation_failed"), at("99999", clock), end});
    row("rolled back", "",
        inCall + timeline::Lines{told("20", "1", "negotiate", R"(,"type":"offer","rollback":true)"), at("99999", clock),
                                 end});
    row("answers nothing", "answers an offer that was not told",
        {place, invite, answered, host("20", "negotiate", R"(,"type":"answer")" + sdp)});

    const QByteArray glare =
        told("9", "1", "glare", R"(,"matrix":{"call_id":"c","party_id":"PPPPPPPP","room_id":"!r:t"})");
    const QByteArray refused = R"({"t":9,"in":"send_failed","ref":"o1","code":"M_FORBIDDEN"})";
    row("fails after glare", "a refused send ends another call",
        {place, invite, inviteLine("9", {}), glare, refused, ended("9", "2", "unavailable")});
    row("fails", "", {place, invite, refused, ended("9", "1", "unavailable")});

    row("late invite", "invite goes out late", {place, at("300", clock), at("202", invite)});
    row("invite after a restart", "",
        {place, R"({"t":900,"in":"restart"})", at("900", invite), at("999", clock), ended("999", "1", "")});
    row("worthless invite", "invite is worth nothing any more",
        {place, R"({"t":90001,"in":"restart"})", at("90001", invite)});

    const QByteArray flows = host("10", "media-state", R"(,"state":"connected")");
    const timeline::Lines up{place, invite, answered};
    row("fails after it flowed", "ice_failed after media flowed",
        up + timeline::Lines{flows, clock, send("2", "hangup", R"(,"reason":"ice_failed")", "m")});
    row("is told to", "ice_failed after media flowed",
        up + timeline::Lines{flows, clock, ended("9", "1", "ice_failed")});
    row("never flowed", "ice_timeout without media",
        up + timeline::Lines{clock, send("2", "hangup", R"(,"reason":"ice_timeout")", "m")});
    row("so they say", "",
        up + timeline::Lines{says("hangup", "m", R"(,"reason":"ice_timeout")"), ended("9", "1", "ice_timeout")});
}

void Checks::talkIsWatched()
{
    QFETCH(timeline::Lines, lines);
    QFETCH(QString, kind);
    QCOMPARE(watched(lines).kind, kind);
}

void Checks::candidatesAreWatched_data()
{
    QTest::addColumn<timeline::Lines>("lines");
    QTest::addColumn<QString>("kind");
    const QByteArray hides =
        QByteArray(header).replace("\"room\"", R"("settings":{"private_addresses":"hide"},"room")");
    const timeline::Lines ringing{inviteLine("0", {}), ring("0")};
    const QByteArray answers = host("1", "answer", sdp);
    const QByteArray clock = R"({"t":9,"in":"clock"})";
    const QByteArray end = told("99999", "2", "ended", R"(,"reason":"user_hangup")");
    const auto answerOut = [](const QByteArray &more = {}) {
        return send("1", "answer",
                    R"(,"answer":{"type":"answer")" +
                        QByteArray(sdp).replace("mid:0\\r\\n\"", "mid:0\\r\\n" + more + "\"") + '}');
    };
    const auto words = [](const QByteArray &port) { return "candidate:1 1 udp 100 192.168.0.7 " + port + " typ host"; };
    const auto list = [](const timeline::Lines &lines) {
        QByteArray all;
        for (const QByteArray &one : lines)
            all += (all.isEmpty() ? "" : ",") + (R"({"sdpMid":"0","candidate":")" + one + "\"}");
        return R"(,"candidates":[)" + all + ']';
    };
    const auto row = [&](const char *name, const char *kind, const timeline::Lines &lines,
                         const QByteArray &head = header) {
        QTest::newRow(name) << (timeline::Lines{head} + ringing + lines) << QString::fromUtf8(kind);
    };
    const QByteArray gives = host("10", "candidates", list({words("7")}));
    const auto sends = [&](const QByteArray &ref, const QByteArray &port) {
        return at("10", send(ref, "candidates", list({words(port)})));
    };
    const QByteArray late = R"({"t":2711,"in":"clock"})";
    const timeline::Lines answered{answers, answerOut()};
    const timeline::Lines over{at("99999", clock), end};

    row("sent", "", answered + timeline::Lines{gives, sends("2", "7")} + over);
    row("folded", "",
        timeline::Lines{at("0", host("9", "candidates", list({words("7")}))), answers,
                        answerOut("a=" + words("7") + "\\r\\n")} +
            over);
    row("not sent", "a candidate is not sent", answered + timeline::Lines{gives, late});
    row("not folded", "a candidate is lost",
        {at("0", host("9", "candidates", list({words("7")}))), answers, answerOut()});
    row("not sent before the end", "a candidate is not sent", answered + timeline::Lines{gives} + over);
    row("end in time", "",
        answered + timeline::Lines{gives, at("500", clock), QByteArray(end).replace("99999", "500")});
    row("twice", "a candidate is sent twice", answered + timeline::Lines{gives, sends("2", "7"), sends("3", "7")});
    row("folded and sent", "a candidate is sent twice",
        {at("0", host("9", "candidates", list({words("7")}))), answers, answerOut("a=" + words("7") + "\\r\\n"), gives,
         sends("2", "7")});
    row("out of nothing", "a candidate that nobody gave", answered + timeline::Lines{gives, sends("2", "8")});
    row("two ends", "the end of candidates is said twice",
        answered + timeline::Lines{host("10", "candidates", list({""})), at("10", send("2", "candidates", list({""}))),
                                   at("10", send("3", "candidates", list({""})))});
    row("no end", "a candidate is not sent", answered + timeline::Lines{host("10", "candidates", list({""})), late});
    row("after the end", "",
        answered +
            timeline::Lines{host("10", "candidates", list({"", words("7")})),
                            at("10", send("2", "candidates", list({""})))} +
            over);
    const QByteArray slow = R"({"t":10,"in":"send_failed","ref":"o2","code":"M_LIMIT_EXCEEDED"})";
    const QByteArray more = host("10", "candidates", list({words("8")}));
    const timeline::Lines slowed = answered + timeline::Lines{gives, sends("2", "7"), slow, more, late};
    row("slowed down", "", slowed + over);
    row("stays slow", "a candidate is not sent",
        slowed + timeline::Lines{R"({"t":2800,"in":"sent","ref":"o2"})", at("9000", clock)});
    const QByteArray offers =
        host("20", "negotiate", R"(,"type":"answer")" + QByteArray(sdp).replace("- 1 2", "- 1 3"));
    const QByteArray asks = told("10", "2", "negotiate", R"(,"type":"offer")");
    const timeline::Lines anew = answered + timeline::Lines{gives,
                                                            sends("2", "7"),
                                                            asks,
                                                            offers,
                                                            at("20", send("3", "negotiate", later)),
                                                            at("20", gives).replace("\"t\":10", "\"t\":20")};
    row("again", "",
        anew + timeline::Lines{at("20", send("4", "candidates", list({words("7")}))), at("99999", clock),
                               QByteArray(end).replace(":2,", ":3,")});
    const QByteArray had =
        R"(,"type":"offer")" + QByteArray(sdp).replace("mid:0\\r\\n\"", "mid:0\\r\\na=" + words("7") + "\\r\\n\"");
    const timeline::Lines voided =
        answered +
        timeline::Lines{
            at("5", host("9", "negotiate", had)),
            at("5", send("2", "negotiate", R"(,"lifetime":9,"description":{"type":"offer")" + had.sliced(15) + '}')),
            R"({"t":6,"in":"send_failed","ref":"o2","code":"M_FORBIDDEN"})", told("6", "2", "negotiation_failed"),
            gives};
    row("void", "",
        voided + timeline::Lines{sends("3", "7"), at("99999", clock), QByteArray(end).replace(":2,", ":3,")});
    row("void, and not sent", "a candidate is not sent", voided + timeline::Lines{late});
    row("not again", "a candidate is not sent", anew + timeline::Lines{QByteArray(late).replace("2711", "2800")});
    row("private", "a private address is given away", answered + timeline::Lines{gives, sends("2", "7")}, hides);
    row("private, in the SDP", "a private address is given away", {answers, answerOut("a=" + words("7") + "\\r\\n")},
        hides);
    row("hidden", "", answered + timeline::Lines{gives} + over, hides);
}

void Checks::candidatesAreWatched()
{
    talkIsWatched();
}

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
