// SPDX-License-Identifier: Apache-2.0
// Replays every scenario of this folder and compares what happens with the file's own "out" lines, byte for byte and
// in place: the file must be exactly its header and inputs, each followed by what it brought about. With `--update`
// it writes the files so instead; look at the difference before you commit it.
#include "replay/engine.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QTest>

using namespace voip::replay;

namespace
{

struct Played {
    Lines lines; // header and inputs, with what they bring about interleaved
    QString fault;
};

Lines linesOf(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    Lines lines = file.readAll().split('\n');
    if (!lines.isEmpty() && lines.last().isEmpty())
        lines.removeLast();
    return lines;
}

Played play(const Lines &scenario)
{
    Played played;
    Engine engine;
    for (const QByteArray &line : scenario) {
        const auto result = engine.take(line);
        if (const auto *fault = std::get_if<Fault>(&result)) {
            played.fault = fault->text();
            return played;
        }
        const QJsonObject object = QJsonDocument::fromJson(line).object();
        if (object.contains(QLatin1String("out")))
            continue;
        // What fell due on the way to this line stands before it.
        const Lines &outs = std::get<Lines>(result);
        const auto earlier = [&object](const QByteArray &out) {
            return QJsonDocument::fromJson(out).object().value(QLatin1String("t")).toDouble() <
                   object.value(QLatin1String("t")).toDouble();
        };
        const auto own = std::find_if_not(outs.begin(), outs.end(), earlier);
        played.lines += Lines(outs.begin(), own);
        played.lines += line;
        played.lines += Lines(own, outs.end());
    }
    if (const auto fault = engine.finish())
        played.fault = fault->text();
    return played;
}

// The lines around the first difference, wanted ones with "-", others with "+".
QByteArray difference(const Lines &wanted, const Lines &got)
{
    qsizetype same = 0;
    while (same < wanted.size() && same < got.size() && wanted[same] == got[same])
        ++same;
    if (same == wanted.size() && same == got.size())
        return {};
    QByteArray text = "first difference at line " + QByteArray::number(same + 1) + '\n';
    for (qsizetype i = std::max<qsizetype>(0, same - 2); i < same; ++i)
        text += "  " + wanted[i] + '\n';
    for (qsizetype i = same; i < std::min(same + 6, wanted.size()); ++i)
        text += "- " + wanted[i] + '\n';
    for (qsizetype i = same; i < std::min(same + 6, got.size()); ++i)
        text += "+ " + got[i] + '\n';
    return text;
}

QDir folder()
{
    return QDir(QStringLiteral(SCENARIO_DIR));
}

QStringList names()
{
    return folder().entryList({QStringLiteral("*.jsonl")}, QDir::Files, QDir::Name);
}

int update()
{
    for (const QString &name : names()) {
        const Lines lines = linesOf(folder().filePath(name));
        const Played played = play(lines);
        if (!played.fault.isEmpty()) {
            qWarning("%s: %s", qPrintable(name), qPrintable(played.fault));
            return 2;
        }
        if (lines == played.lines)
            continue;
        QFile file(folder().filePath(name));
        if (!file.open(QIODevice::WriteOnly) || file.write(played.lines.join('\n') + '\n') < 0) {
            qWarning("%s: %s", qPrintable(name), qPrintable(file.errorString()));
            return 2;
        }
        qInfo("updated %s", qPrintable(name));
    }
    return 0;
}

} // namespace

class Scenarios : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void play_data();
    void play();
    void saysWhatItShows();
};

void Scenarios::play_data()
{
    QTest::addColumn<QString>("path");
    QVERIFY2(!names().isEmpty(), "no scenarios in " SCENARIO_DIR);
    for (const QString &name : names())
        QTest::newRow(qPrintable(name)) << folder().filePath(name);
}

void Scenarios::play()
{
    QFETCH(QString, path);
    const Lines lines = linesOf(path);
    const Played played = ::play(lines);
    QVERIFY2(played.fault.isEmpty(), qPrintable(played.fault));
    const QByteArray different = difference(lines, played.lines);
    QVERIFY2(different.isEmpty(), ('\n' + different).constData());
    QCOMPARE(::play(lines).lines.join('\n'), played.lines.join('\n'));
}

void Scenarios::saysWhatItShows()
{
    for (const QString &name : names()) {
        const Lines lines = linesOf(folder().filePath(name));
        QVERIFY2(!lines.isEmpty(), qPrintable(name));
        const QJsonObject header = QJsonDocument::fromJson(lines.first()).object();
        const QString note = header.value(QLatin1String("note")).toString();
        QVERIFY2(note.size() > 20 && note.endsWith(u'.'), qPrintable(name + QStringLiteral(": \"note\" is missing")));
        const bool shows = std::any_of(lines.begin(), lines.end(), [](const QByteArray &line) {
            return QJsonDocument::fromJson(line).object().contains(QLatin1String("out"));
        });
        QVERIFY2(shows, qPrintable(name + QStringLiteral(": nothing comes out")));
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && qstrcmp(argv[1], "--update") == 0)
        return update();
    Scenarios scenarios;
    return QTest::qExec(&scenarios, argc, argv);
}

#include "runner.moc"
