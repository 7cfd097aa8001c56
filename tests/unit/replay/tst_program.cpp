// SPDX-License-Identifier: Apache-2.0
// `voip-replay` as it is run: file or standard input, exit codes, messages, and the same bytes each time.
#include <QDir>
#include <QProcess>
#include <QTest>

namespace
{

struct Run {
    int code = -1;
    QByteArray out;
    QByteArray err;
};

Run run(const QStringList &arguments, const QByteArray &input = {})
{
    QProcess process;
    process.start(QStringLiteral(VOIP_REPLAY), arguments);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(60000) || process.exitStatus() != QProcess::NormalExit)
        return {};
    return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}

const QByteArray header = R"({"replay":1,"seed":1,"local_user":"@us:test"})"
                          "\n";

} // namespace

class Program : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void fileAndStandardInput();
    void badLine();
    void whatCameBeforeABadLineIsPrinted();
    void tooLongLine();
    void missingFile();
    void usage();
};

void Program::fileAndStandardInput()
{
    const QString path = QStringLiteral(SCENARIO_DIR "/R14-R16-R34-outgoing-call.jsonl");
    const Run fromFile = run({path});
    QCOMPARE(fromFile.code, 0);
    QCOMPARE(fromFile.err, QByteArray());
    QVERIFY(fromFile.out.contains("m.call.select_answer"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray text = file.readAll();
    QCOMPARE(run({}, text).out, fromFile.out);
    QCOMPARE(run({QStringLiteral("-")}, text).out, fromFile.out);
    // The outputs are the scenario's own lines.
    QByteArray expected;
    for (const QByteArray &line : text.split('\n')) {
        if (line.contains("\"out\":"))
            expected += line + '\n';
    }
    QCOMPARE(fromFile.out, expected);
}

void Program::badLine()
{
    const Run bad = run({}, header + "\n{\"t\":0,\"in\":\"dance\"}\n");
    QCOMPARE(bad.code, 2);
    QCOMPARE(bad.err, QByteArray("voip-replay: line 3: \"in\": is no input\n"));
    QCOMPARE(bad.out, QByteArray());
}

void Program::whatCameBeforeABadLineIsPrinted()
{
    const Run bad = run({}, header + R"({"t":0,"in":"host","do":"end","call":"h"})"
                                     "\nnonsense");
    QCOMPARE(bad.code, 2);
    QCOMPARE(bad.out, QByteArray(R"({"t":0,"out":"refused","why":"unknown_call","do":"end","call":"h"})"
                                 "\n"));
    QVERIFY(bad.err.startsWith("voip-replay: line 3: is not JSON"));
}

void Program::tooLongLine()
{
    const Run bad = run({}, header + QByteArray(2 * 1024 * 1024, ' '));
    QCOMPARE(bad.code, 2);
    QVERIFY(bad.err.contains("line 2: is longer than 1048576 bytes"));
}

void Program::missingFile()
{
    const Run bad = run({QStringLiteral("/nonexistent/timeline")});
    QCOMPARE(bad.code, 2);
    QVERIFY(bad.err.contains("/nonexistent/timeline"));
}

void Program::usage()
{
    QCOMPARE(run({QStringLiteral("--help")}).code, 0);
    QCOMPARE(run({QStringLiteral("a"), QStringLiteral("b")}).code, 2);
}

QTEST_GUILESS_MAIN(Program)
#include "tst_program.moc"
