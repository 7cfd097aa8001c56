// SPDX-License-Identifier: Apache-2.0
// Replays every scenario of this folder and compares what happens with the file's own "out" lines, byte for byte and
// in place: the file must be exactly its header and inputs, each followed by what it brought about. With `--update`
// it writes the files so instead; look at the difference before you commit it. `--table` prints which rule is shown by
// what, and runs all of that.
#include "profiles.h"
#include "rules.h"
#include "sent.h"
#include "timeline.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTest>

using timeline::Lines;
using timeline::Played;

namespace
{

QDir folder()
{
    return QDir(QStringLiteral(SCENARIO_DIR));
}

QStringList names()
{
    return folder().entryList({QStringLiteral("*.jsonl")}, QDir::Files, QDir::Name);
}

Lines linesOf(const QString &name)
{
    return timeline::read(folder().filePath(name));
}

rules::Table table()
{
    QFile file(folder().filePath(QStringLiteral("rules.tsv")));
    return file.open(QIODevice::ReadOnly) ? rules::read(QString::fromUtf8(file.readAll())) : rules::Table();
}

// Empty, or in what way the scenario does not happen as it is written.
QByteArray wrongWith(const QString &name)
{
    const Lines lines = linesOf(name);
    const Played played = timeline::play(lines);
    if (!played.fault.isEmpty())
        return played.fault.toUtf8();
    return timeline::difference(lines, played.lines);
}

int update()
{
    int result = 0;
    for (const QString &name : names()) {
        const Lines lines = linesOf(name);
        const Played played = timeline::play(lines);
        if (!played.fault.isEmpty()) {
            qWarning("%s: %s", qPrintable(name), qPrintable(played.fault));
            result = 2; // the others can be written all the same
            continue;
        }
        if (lines == played.lines)
            continue;
        if (!timeline::write(folder().filePath(name), played.lines)) {
            qWarning("%s: cannot be written", qPrintable(name));
            return 2;
        }
        qInfo("updated %s", qPrintable(name));
    }
    return result;
}

int printTable()
{
    const bool good = rules::print(table(), names(), QCoreApplication::applicationDirPath(),
                                   [](const QString &name) { return wrongWith(name).isEmpty(); });
    return good ? 0 : 1;
}

} // namespace

class Scenarios : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void play_data() { eachScenario(); }
    void play();
    void program_data() { eachScenario(); }
    void program();
    void profile_data();
    void profile();
    void profilesDiffer();
    void saysWhatItShows();
    void everyRuleIsShown();
    void namedTestsExist();
    void gapsAreFound_data();
    void gapsAreFound();
    void sentEnvelope() { allSent({}); }
    void sentInvite() { allSent(QStringLiteral("m.call.invite")); }
    void sentAnswer() { allSent(QStringLiteral("m.call.answer")); }
    void sentSelectAnswer() { allSent(QStringLiteral("m.call.select_answer")); }
    void sentReject() { allSent(QStringLiteral("m.call.reject")); }
    void sentHangup() { allSent(QStringLiteral("m.call.hangup")); }
    void sentCandidates() { allSent(QStringLiteral("m.call.candidates")); }
    void sentNegotiate() { allSent(QStringLiteral("m.call.negotiate")); }
    void sentDefectsAreFound_data();
    void sentDefectsAreFound();

private:
    static void eachScenario();
    static void allSent(const QString &type);
};

void Scenarios::eachScenario()
{
    QTest::addColumn<QString>("name");
    QVERIFY2(!names().isEmpty(), "no scenarios in " SCENARIO_DIR);
    for (const QString &name : names())
        QTest::newRow(qPrintable(name)) << name;
}

void Scenarios::play()
{
    QFETCH(QString, name);
    const QByteArray wrong = wrongWith(name);
    QVERIFY2(wrong.isEmpty(), ('\n' + wrong).constData());
    const Lines lines = linesOf(name);
    QCOMPARE(timeline::play(lines).lines.join('\n'), timeline::play(lines).lines.join('\n'));
}

// The program itself, twice: the same bytes, and they are the file's output lines.
void Scenarios::program()
{
    QFETCH(QString, name);
    Lines outs = linesOf(name);
    outs.removeIf([](const QByteArray &line) { return !timeline::isOut(line); });
    const QByteArray wanted = outs.isEmpty() ? QByteArray() : outs.join('\n') + '\n';
    for (int run = 0; run < 2; ++run) {
        QProcess process;
        process.start(QStringLiteral(VOIP_REPLAY), {folder().filePath(name)});
        QVERIFY2(process.waitForFinished(60'000), qPrintable(process.errorString()));
        QCOMPARE(process.readAllStandardError(), QByteArray());
        QCOMPARE(process.exitCode(), 0);
        QCOMPARE(process.readAllStandardOutput(), wanted);
    }
}

void Scenarios::profile_data()
{
    QTest::addColumn<QString>("client");
    QTest::addColumn<QString>("name");
    for (const QString &client : profiles::names()) {
        for (const QString &name : names()) {
            if (profiles::notFor(linesOf(name), client).isEmpty())
                QTest::addRow("%s/%s", qPrintable(client), qPrintable(name)) << client << name;
        }
    }
}

// The same scenario as another client would have sent it comes to the same.
void Scenarios::profile()
{
    QFETCH(QString, client);
    QFETCH(QString, name);
    const profiles::Client which = profiles::client(client);
    const Lines scenario = linesOf(name);
    const Played wanted = timeline::play(scenario);
    const Played got = timeline::play(profiles::as(which, scenario));
    QVERIFY2(got.fault.isEmpty(), qPrintable(got.fault));
    const QStringList wantedGist = profiles::gist(which, wanted, true);
    const QStringList gotGist = profiles::gist(which, got, false);
    if (wantedGist != gotGist)
        qWarning().noquote() << "wanted" << wantedGist.join(u'\n') << "\ngot" << gotGist.join(u'\n');
    QVERIFY(wantedGist == gotGist);
    if (which == profiles::Client::V0)
        QCOMPARE(profiles::foreignToV0(got), QStringList());
}

// Each profile changes what it is for, and what is compared tells a difference.
void Scenarios::profilesDiffer()
{
    const Lines scenario = linesOf(QStringLiteral("R18-incoming-call.jsonl"));
    QVERIFY(!scenario.isEmpty());
    QSet<QByteArray> ways{timeline::inputsOf(scenario).join('\n')};
    for (const QString &name : profiles::names())
        ways += profiles::as(profiles::client(name), scenario).join('\n');
    QCOMPARE(ways.size(), 4);
    const auto text = [&scenario](profiles::Client client) { return profiles::as(client, scenario).join('\n'); };
    QVERIFY(text(profiles::Client::JsSdk).contains(R"("m.call.transferee":false)"));
    QVERIFY(!text(profiles::Client::JsSdk).contains("invitee"));
    QVERIFY(text(profiles::Client::Nheko).contains(R"("lifetime":120000)"));
    QVERIFY(!text(profiles::Client::Nheko).contains(R"({"candidate":""}],"party_id":"BOBDEV")"));
    QVERIFY(!text(profiles::Client::V0).contains("BOBDEV"));

    const auto gist = [](const char *name, profiles::Client client) {
        return profiles::gist(client, timeline::play(linesOf(QString::fromLatin1(name))), true);
    };
    QVERIFY(gist("R42-reject.jsonl", profiles::Client::JsSdk) != gist("R46-busy.jsonl", profiles::Client::JsSdk));
    QVERIFY(!profiles::foreignToV0(timeline::play(linesOf(QStringLiteral("R42-reject.jsonl")))).isEmpty());
}

void Scenarios::saysWhatItShows()
{
    for (const QString &name : names()) {
        const Lines lines = linesOf(name);
        QVERIFY2(!lines.isEmpty(), qPrintable(name));
        const QString note = timeline::object(lines.first()).value(QLatin1String("note")).toString();
        QVERIFY2(note.size() > 20 && note.endsWith(u'.'), qPrintable(name + QStringLiteral(": \"note\" is missing")));
        QVERIFY2(std::any_of(lines.begin(), lines.end(), timeline::isOut),
                 qPrintable(name + QStringLiteral(": nothing comes out")));
    }
}

void Scenarios::everyRuleIsShown()
{
    const QStringList gaps = rules::gaps(table(), names());
    for (const QString &gap : gaps)
        qWarning("%s", qPrintable(gap));
    QCOMPARE(gaps.size(), 0);
}

void Scenarios::namedTestsExist()
{
    const QStringList missing = rules::missingTests(table(), QCoreApplication::applicationDirPath());
    for (const QString &name : missing)
        qWarning("%s", qPrintable(name));
    QCOMPARE(missing.size(), 0);
}

// Each way in which the table can be wrong is tried: lines to leave out or to add, and scenarios besides the real ones.
void Scenarios::gapsAreFound_data()
{
    QTest::addColumn<QString>("from");
    QTest::addColumn<QString>("to");
    QTest::addColumn<QString>("scenario");
    QTest::addColumn<QString>("complaint");
    const QString none;
    const QString title = QStringLiteral("\tthe first answer or rejection decides\t");
    const QString line = QStringLiteral("R36\tMUST") + title + QStringLiteral("scenario");
    QTest::newRow("no line") << line << none << none << QStringLiteral("R36: has no line");
    QTest::newRow("no scenario") << line << line + QStringLiteral("\nR999\tMUST\tx\tscenario") << none
                                 << QStringLiteral("R999: no scenario shows it");
    QTest::newRow("not said") << line << QStringLiteral("R36\tMUST") + title + QStringLiteral("test scenarios::play")
                              << none << QStringLiteral("R36: scenarios show it, and the table does not say so");
    QTest::newRow("twice") << line << line + u'\n' + line << none << QStringLiteral("R36: stands there twice");
    QTest::newRow("odd word") << line << QStringLiteral("R36\tMUST") + title + QStringLiteral("trust me") << none
                              << QStringLiteral("R36: cannot be shown by \"trust me\"");
    QTest::newRow("no force") << line << QStringLiteral("R36\t") + title + QStringLiteral("scenario") << none
                              << QStringLiteral("R36: is not rule, force, title, shown by");
    QTest::newRow("no why") << line << QStringLiteral("R36\tMUST") + title + QStringLiteral("not ours: no") << none
                            << QStringLiteral("R36: does not say why it is not ours");
    QTest::newRow("no rule") << none << none << QStringLiteral("limit-x.jsonl")
                             << QStringLiteral("limit-x.jsonl: begins with no rule");
    QTest::newRow("unknown rule") << none << none << QStringLiteral("R36-R998-x.jsonl")
                                  << QStringLiteral("R998: scenarios name it, and the table does not");
    QTest::newRow("no test") << line << line + QStringLiteral("; test scenarios::nothing") << none
                             << QStringLiteral("R36: there is no test scenarios::nothing");
    QTest::newRow("no program") << line << line + QStringLiteral("; test nothing::play") << none
                                << QStringLiteral("R36: there is no test nothing::play");
}

void Scenarios::gapsAreFound()
{
    QFETCH(QString, from);
    QFETCH(QString, to);
    QFETCH(QString, scenario);
    QFETCH(QString, complaint);
    QFile file(folder().filePath(QStringLiteral("rules.tsv")));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QString text = QString::fromUtf8(file.readAll());
    QVERIFY(text.contains(from));
    if (!from.isEmpty())
        text.replace(from, to);
    const rules::Table changed = rules::read(text);
    const QStringList all = scenario.isEmpty() ? names() : names() + QStringList{scenario};
    const QStringList found =
        rules::gaps(changed, all) + rules::missingTests(changed, QCoreApplication::applicationDirPath());
    QVERIFY2(found.contains(complaint) || found.contains(QStringLiteral("rules.tsv: ") + complaint),
             qPrintable(found.join(u'\n')));
}

void Scenarios::allSent(const QString &type)
{
    int seen = 0;
    for (const QString &name : names()) {
        const QString wrong = sent::check(linesOf(name), type, seen);
        QVERIFY2(wrong.isEmpty(), qPrintable(name + QStringLiteral(": ") + wrong));
    }
    QVERIFY2(seen > 0, "no scenario sends one");
}

void Scenarios::sentDefectsAreFound_data()
{
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("rest"); // of the content
    const auto row = [](const char *name, const char *type, const char *rest) {
        QTest::newRow(name) << QByteArray(type) << QByteArray(rest);
    };
    row("number version", "m.call.reject", R"("call_id":"c","party_id":"PPPPPPPP","version":1)");
    row("bad call id", "m.call.reject", R"("call_id":"c c","party_id":"PPPPPPPP","version":"1")");
    row("no party", "m.call.reject", R"("call_id":"c","version":"1")");
    row("short party", "m.call.reject", R"("call_id":"c","party_id":"P","version":"1")");
#define HEAD R"("call_id":"c","party_id":"PPPPPPPP","version":"1")"
    row("reject with a reason", "m.call.reject", HEAD R"(,"reason":"user_hangup")");
    row("hangup without", "m.call.hangup", HEAD);
    row("hangup of ours", "m.call.hangup", HEAD R"(,"reason":"peer_left")");
    row("short lifetime", "m.call.invite",
        HEAD R"(,"invitee":"@b:t","lifetime":60000,"offer":{"type":"offer","sdp":"v=0"})");
    row("no invitee", "m.call.invite", HEAD R"(,"lifetime":90000,"offer":{"type":"offer","sdp":"v=0"})");
    row("no offer", "m.call.invite", HEAD R"(,"invitee":"@b:t","lifetime":90000)");
    row("answer of type offer", "m.call.answer", HEAD R"(,"answer":{"type":"offer","sdp":"v=0"})");
    row("no candidates", "m.call.candidates", HEAD R"(,"candidates":[])");
    row("candidate of no line", "m.call.candidates", HEAD R"(,"candidates":[{"candidate":"c"}])");
    row("after the end", "m.call.candidates",
        HEAD R"(,"candidates":[{"candidate":""},{"candidate":"c","sdpMid":"0"}])");
    row("nobody selected", "m.call.select_answer", HEAD);
    row("no purpose", "m.call.answer",
        HEAD R"(,"answer":{"type":"answer","sdp":"v=0"},"sdp_stream_metadata":{"s":{"audio_muted":false}})");
    row("negotiate without lifetime", "m.call.negotiate", HEAD R"(,"description":{"type":"offer","sdp":"v=0"})");
    row("odd description", "m.call.negotiate", HEAD R"(,"lifetime":1,"description":{"type":"pranswer","sdp":"v=0"})");
#undef HEAD
}

void Scenarios::sentDefectsAreFound()
{
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, rest);
    const Lines lines{R"({"replay":1})", R"({"t":0,"out":"matrix","type":")" + type + R"(","content":{)" + rest + "}}"};
    int seen = 0;
    QVERIFY(!sent::check(lines, {}, seen).isEmpty());
    QCOMPARE(seen, 1);
}

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    if (argc == 2 && qstrcmp(argv[1], "--update") == 0)
        return update();
    if (argc == 2 && qstrcmp(argv[1], "--table") == 0)
        return printTable();
    Scenarios scenarios;
    return QTest::qExec(&scenarios, argc, argv);
}

#include "runner.moc"
