// SPDX-License-Identifier: Apache-2.0
// What the replay engine accepts and what it refuses: every defect of a line names the line and the field.
#include "replay/engine.h"

#include <QTest>

using namespace voip::replay;

namespace
{

const QByteArray header = R"({"replay":1,"seed":1,"local_user":"@us:test","room":{"room_id":"!r:test",)"
                          R"("members":["@us:test","@bob:test"],"join_rule":"invite"},"settings":{"gather_for":0}})";

// The lines that come out, or the fault as the only line.
Lines run(const Lines &input)
{
    Engine engine;
    Lines out;
    for (const QByteArray &line : input) {
        const auto result = engine.take(line);
        if (const auto *fault = std::get_if<Fault>(&result))
            return {fault->text().toUtf8()};
        out += std::get<Lines>(result);
    }
    if (const auto fault = engine.finish())
        return {fault->text().toUtf8()};
    return out;
}

QByteArray place(const char *more = "")
{
    return QByteArray(R"({"t":0,"in":"host","do":"place","call":"h1","sdp":"v=0")") + more + '}';
}

} // namespace

class EngineTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void fault_data();
    void fault();
    void headerFault_data();
    void headerFault();
    void limits();
    void outputLinesArePassedOver();
    void seedsAndEntropy();
    void settingsAreTaken();
    void membersWithMemberships();
    void whatFellDueComesFirst();
};

void EngineTest::fault_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QByteArray>("message");
    const auto row = [](const char *line, const char *message) {
        QTest::newRow(line) << QByteArray(line) << QByteArray(message);
    };
    row("{", "line 2: is not JSON: unterminated object");
    row("[]", "line 2: is not a JSON object");
    row("{}", "line 2: \"t\": is missing");
    row(R"({"t":-1,"in":"clock"})", "line 2: \"t\": must be a whole number from 0 to 2^53");
    row(R"({"t":0.5,"in":"clock"})", "line 2: \"t\": must be a whole number from 0 to 2^53");
    row(R"({"t":"0","in":"clock"})", "line 2: \"t\": must be a whole number from 0 to 2^53");
    row(R"({"t":0})", "line 2: \"in\": is missing");
    row(R"({"t":0,"in":"dance"})", "line 2: \"in\": is no input");
    row(R"({"t":0,"in":"clock","entropy":"12"})", "line 2: \"entropy\": must be 64 hexadecimal digits");
    row(R"({"t":0,"in":"matrix"})", "line 2: \"event\": is missing");
    row(R"({"t":0,"in":"matrix","event":[]})", "line 2: \"event\": must be an object");
    row(R"({"t":0,"in":"matrix","events":{}})", "line 2: \"events\": must be a list");
    row(R"({"t":0,"in":"matrix","events":[1]})", "line 2: \"events\": must hold objects");
    row(R"({"t":0,"in":"host","call":"h"})", "line 2: \"do\": is missing");
    row(R"({"t":0,"in":"host","do":"sing","call":"h"})", "line 2: \"do\": is no action of the host");
    row(R"({"t":0,"in":"host","do":"end"})", "line 2: \"call\": is missing");
    row(R"({"t":0,"in":"host","do":"place","call":"h"})", "line 2: \"sdp\": is missing");
    row(R"({"t":0,"in":"host","do":"place","call":"h","sdp":1})", "line 2: \"sdp\": must be a string");
    row(R"({"t":0,"in":"host","do":"place","call":"h","sdp":"v=0","media":{"audio":1}})",
        "line 2: \"media.audio\": must be true or false");
    row(R"({"t":0,"in":"host","do":"candidates","call":"h"})", "line 2: \"candidates\": is missing");
    row(R"({"t":0,"in":"host","do":"candidates","call":"h","candidates":[{}]})",
        "line 2: \"candidates\": must hold objects with a string \"candidate\"");
    row(R"({"t":0,"in":"host","do":"media-state","call":"h","state":"x"})",
        "line 2: \"state\": must be connected, disconnected or failed");
    row(R"({"t":0,"in":"sent","ref":"1"})", "line 2: \"ref\": must be \"o\" and a number");
    row(R"({"t":0,"in":"sent","ref":"o1","event_id":"$x"})", "line 2: \"ref\": names nothing that was sent");
    row(R"({"t":0,"in":"send_failed","ref":"o1"})", "line 2: \"code\": is missing");
    row(R"({"t":0,"in":"member","user":"@a:test","membership":"guest"})",
        "line 2: \"membership\": must be join, invite, knock, leave or ban");
    row(R"({"t":0,"in":"snapshot"})", "line 2: \"members\": is missing");
    row(R"({"t":0,"in":"snapshot","members":{"@a:test":"x"}})",
        "line 2: \"members\": must hold memberships: join, invite, knock, leave or ban");
}

void EngineTest::fault()
{
    QFETCH(QByteArray, line);
    QFETCH(QByteArray, message);
    QCOMPARE(run({header, line}), Lines{message});
}

void EngineTest::headerFault_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QByteArray>("message");
    const auto row = [](const char *line, const char *message) {
        QTest::newRow(line) << QByteArray(line) << QByteArray(message);
    };
    row("", "line 2: there is no header line");
    row(R"({"t":0,"in":"clock"})", "line 1: \"replay\": is missing");
    row(R"({"replay":2,"local_user":"@u:test"})", "line 1: \"replay\": must be 1");
    row(R"({"replay":1})", "line 1: \"local_user\": is missing");
    row(R"({"replay":1,"local_user":"@u:test","seed":-4})", "line 1: \"seed\": must be a whole number from 0 to 2^53");
    row(R"({"replay":1,"local_user":"@u:test","settings":[]})", "line 1: \"settings\": must be an object");
    row(R"({"replay":1,"local_user":"@u:test","settings":{"invite_life":1}})",
        "line 1: \"settings.invite_life\": is no setting");
    row(R"({"replay":1,"local_user":"@u:test","settings":{"flush_every":"x"}})",
        "line 1: \"settings.flush_every\": must be milliseconds, 0 to 10^12");
    row(R"({"replay":1,"local_user":"@u:test","room":{}})", "line 1: \"room.room_id\": is missing");
    row(R"({"replay":1,"local_user":"@u:test","room":{"room_id":"!r:test","members":[1]}})",
        "line 1: \"room.members\": must hold user ids");
}

void EngineTest::headerFault()
{
    QFETCH(QByteArray, line);
    QFETCH(QByteArray, message);
    QCOMPARE(run({line}), Lines{message});
}

void EngineTest::limits()
{
    const QByteArray longLine(maxLineLength + 1, ' ');
    QCOMPARE(run({header, longLine}), Lines{"line 2: is longer than 1048576 bytes"});
    QCOMPARE(run({header, R"({"t":5,"in":"clock"})", R"({"t":4,"in":"clock"})"}),
             Lines{"line 3: \"t\": goes back from 5 to 4"});
}

void EngineTest::outputLinesArePassedOver()
{
    const Lines plain = run({header, R"({"t":0,"in":"clock"})", place()});
    QVERIFY(!plain.isEmpty());
    // Neither they nor empty lines count, so a timeline with its outputs gives the same ids.
    QCOMPARE(run({header, "", R"({"t":0,"in":"clock"})", R"({"t":9,"out":"host"})", place()}), plain);
}

void EngineTest::seedsAndEntropy()
{
    const Lines plain = run({header, place()});
    QCOMPARE(run({header, place()}), plain);
    QByteArray other = header;
    other.replace("\"seed\":1", "\"seed\":2");
    QVERIFY(run({other, place()}) != plain);
    QVERIFY(run({header, R"({"t":0,"in":"clock"})", place()}) != plain);
    const QByteArray fixed = place(R"(,"entropy":"0123456789abcdef0123456789ABCDEF0000000000000000ffffffffffffffff")");
    QCOMPARE(run({header, fixed}), run({other, R"({"t":0,"in":"clock"})", fixed}));
}

void EngineTest::settingsAreTaken()
{
    QByteArray quick = header;
    quick.replace("\"gather_for\":0", "\"gather_for\":0,\"invite_lifetime\":7000");
    const Lines out = run({quick, place(), R"({"t":7000,"in":"clock"})"});
    QVERIFY(out.first().contains("\"lifetime\":7000"));
    QVERIFY(out.last().startsWith(R"({"t":7000,"out":"host","signal":"call.ended","call":"h1")"));
}

void EngineTest::membersWithMemberships()
{
    QByteArray pending = header;
    pending.replace(R"(["@us:test","@bob:test"])", R"({"@us:test":"invite","@bob:test":"join"})");
    QCOMPARE(run({pending, place()}), Lines{R"({"t":0,"out":"refused","why":"not_joined","do":"place","call":"h1"})"});
}

void EngineTest::whatFellDueComesFirst()
{
    const Lines out = run({header, place(), R"({"t":200000,"in":"host","do":"end","call":"h1"})"});
    QVERIFY(out.last().startsWith(R"({"t":90000,"out":"host","signal":"call.ended")"));
    QVERIFY(out.last().contains(R"("reason":"invite_timeout")"));
}

QTEST_APPLESS_MAIN(EngineTest)
#include "tst_engine.moc"
