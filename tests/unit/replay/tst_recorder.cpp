// SPDX-License-Identifier: Apache-2.0
// A timeline that a running host exports replays as it is: the same outputs, byte for byte, from the inputs alone.
#include "protocol/read.h"
#include "protocol/streams.h"
#include "replay/engine.h"
#include "replay/recorder.h"
#include "replay/redact.h"

#include <QJsonDocument>
#include <QTest>

using namespace voip::call;
using namespace voip::replay;

namespace
{

const QString us = QStringLiteral("@us:test");
const QString sdp = QStringLiteral("v=0\r\nm=audio 9 X 1\r\na=msid:s t\r\n");
const Streams streams = voip::protocol::ourStreams(sdp, {}); // as whoever asks the core has read them

// A host's shell around the core, as small as can be.
struct Shell {
    Line line;
    Recorder recorder;
    std::uint64_t draw = 1;

    void feed(Millis at, const Input &input, const QVector<QJsonObject> &events = {})
    {
        ++draw;
        const Now now{at, {draw, draw * 3, draw * 7, ~draw}};
        const Line before = line;
        const Step step = transition(before, input, now);
        recorder.record({before, step, now, input, events, at});
        line = step.line;
    }
    void event(Millis at, const QByteArray &json)
    {
        const QJsonObject object = QJsonDocument::fromJson(json).object();
        feed(at, MatrixBatch{{*voip::protocol::readEvent(object, at)}}, {object});
    }
};

Line lineWithRooms()
{
    Line line;
    line.self = us;
    line.settings.gatherFor = 0;
    for (const QString &id : {QStringLiteral("!r:test"), QStringLiteral("!other:test")}) {
        Room room;
        room.id = id;
        room.conversationId = QStringLiteral("conversation");
        room.members = {{us, Membership::Join}, {QStringLiteral("@bob:test"), Membership::Join}};
        line.rooms.insert(id, room);
    }
    return line;
}

QByteArray outsOf(const QByteArray &timeline)
{
    QByteArray outs;
    for (const QByteArray &text : timeline.split('\n')) {
        if (QJsonDocument::fromJson(text).object().contains(QLatin1String("out")))
            outs += text + '\n';
    }
    return outs;
}

// Lines that were cut have their keys in alphabetical order.
QByteArray sorted(const QByteArray &lines)
{
    QByteArray sorted;
    for (const QByteArray &text : lines.split('\n')) {
        if (!text.isEmpty())
            sorted += QJsonDocument::fromJson(text).toJson(QJsonDocument::Compact) + '\n';
    }
    return sorted;
}

QByteArray replayed(const QByteArray &timeline)
{
    Engine engine;
    QByteArray outs;
    for (const QByteArray &text : timeline.split('\n')) {
        const auto result = engine.take(text);
        if (const auto *fault = std::get_if<Fault>(&result))
            return fault->text().toUtf8();
        for (const QByteArray &out : std::get<Lines>(result))
            outs += out + '\n';
    }
    return outs;
}

} // namespace

class RecorderTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void outgoingCallReplays();
    void incomingCallReplays();
    void sdpIsCutOutUnlessAskedFor();
    void whatIsNoSdpIsCutOutToo();
    void unknownCallHasNone();
};

void RecorderTest::outgoingCallReplays()
{
    Shell shell{lineWithRooms(), Recorder()};
    const Millis t = 1'700'000'000'000; // UTC, as in a host
    // Another call of the same user, in another room, has used up a reference.
    shell.feed(t, Place{QStringLiteral("h0"), QStringLiteral("!other:test"), sdp, {}, streams});
    shell.feed(t + 5, Place{QStringLiteral("h1"), QStringLiteral("!r:test"), sdp, {}, streams});
    shell.feed(t + 40, Sent{2, QStringLiteral("h1"), QStringLiteral("$s")});
    shell.feed(t + 100,
               AddCandidates{QStringLiteral("h1"), {Candidate{QStringLiteral("candidate:1"), QStringLiteral("0"), 0}}});
    shell.feed(t + 2005, Tick{});
    const QByteArray id = shell.line.calls.value(QStringLiteral("h1")).matrixId.toLatin1();
    shell.event(t + 3000,
                R"({"type":"m.call.answer","event_id":"$1","sender":"@bob:test","room_id":"!r:test","content":)"
                R"({"call_id":")" +
                    id + R"(","party_id":"BOB","version":"1","answer":{"sdp":"v=0"}}})");
    shell.feed(t + 3500, ReportMedia{QStringLiteral("h1"), MediaReport::Connected});
    shell.feed(t + 9000, End{QStringLiteral("h1"), EndReason::UserHangup});

    const QByteArray timeline = shell.recorder.timeline(us, QStringLiteral("h1"), true);
    QCOMPARE(outsOf(timeline).count('\n'), 6); // invite, candidates, answered, select_answer, hangup, ended
    QCOMPARE(replayed(timeline), outsOf(timeline));
}

void RecorderTest::incomingCallReplays()
{
    Shell shell{lineWithRooms(), Recorder()};
    shell.event(1000, R"({"type":"m.call.invite","event_id":"$1","sender":"@bob:test","room_id":"!r:test","content":)"
                      R"({"call_id":"c1","party_id":"BOB","version":"1","lifetime":60000,"offer":{"sdp":"v=0"}}})");
    const QString id = shell.line.calls.firstKey();
    shell.feed(2000, Restart{});
    shell.feed(3000, Answer{id, sdp, streams});
    shell.feed(3100, SendFailed{1, id, QStringLiteral("homeserver_unreachable"), true});
    shell.feed(63000, Tick{});
    const QByteArray timeline = shell.recorder.timeline(us, id, true);
    QCOMPARE(outsOf(timeline).count('\n'), 6); // initiated, again after the restart, answer, unavailable, hangup, ended
    QCOMPARE(replayed(timeline), outsOf(timeline));
}

void RecorderTest::sdpIsCutOutUnlessAskedFor()
{
    Shell shell{lineWithRooms(), Recorder()};
    shell.feed(0, Place{QStringLiteral("h1"),
                        QStringLiteral("!r:test"),
                        sdp + QStringLiteral("a=ice-pwd:secret\r\n"),
                        {},
                        streams});
    QVERIFY(shell.recorder.timeline(us, QStringLiteral("h1"), true).contains("secret"));
    const QByteArray cut = shell.recorder.timeline(us, QStringLiteral("h1"), false);
    QVERIFY(!cut.contains("secret"));
    QVERIFY(replayed(cut).contains("m.call.invite"));
    QCOMPARE(sorted(replayed(cut)), outsOf(cut)); // and it still replays, to the same lines
}

// An event in whose place for the SDP something else stands: it gives nothing away, and is dropped when it replays.
void RecorderTest::whatIsNoSdpIsCutOutToo()
{
    Shell shell{lineWithRooms(), Recorder()};
    shell.feed(0, Place{QStringLiteral("h1"), QStringLiteral("!r:test"), sdp, {}, streams});
    const QByteArray id = shell.line.calls.value(QStringLiteral("h1")).matrixId.toLatin1();
    const QByteArray head =
        R"({"type":"m.call.answer","sender":"@bob:test","room_id":"!r:test","content":{"call_id":")";
    for (const char *answer :
         {R"({"sdp":"a=ice-pwd:secret"})", R"({"sdp":["a=ice-pwd:secret"]})", R"({"sdp":{"x":"secret"}})",
          R"("v=0\r\na=ice-pwd:secret\r\n")", R"(["v=0\r\na=ice-pwd:secret\r\n"])"}) {
        const QByteArray event = head + id + R"(","party_id":"BOB","version":"1","answer":)" + answer + "}}";
        const QJsonObject object = QJsonDocument::fromJson(event).object();
        QVERIFY(!object.isEmpty());
        const QJsonObject cut = withoutSdp(object);
        QVERIFY2(!QJsonDocument(cut).toJson().contains("secret"), answer);
        QCOMPARE(withoutSdp(cut), cut);
        const auto read = voip::protocol::readEvent(cut, 0);
        QVERIFY2(read && std::holds_alternative<UnusableEvent>(*read), answer);
    }
}

void RecorderTest::unknownCallHasNone()
{
    Shell shell{lineWithRooms(), Recorder()};
    QCOMPARE(shell.recorder.timeline(us, QStringLiteral("h1"), true), QByteArray());
}

QTEST_APPLESS_MAIN(RecorderTest)
#include "tst_recorder.moc"
