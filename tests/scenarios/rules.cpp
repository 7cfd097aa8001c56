// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

#include <QFileInfo>
#include <QProcess>
#include <QRegularExpression>
#include <QSet>
#include <QTextStream>

#include <algorithm>

namespace rules
{

namespace
{

constexpr int lastRule = 116;
constexpr int mostNotOurs = 5; // or the table would show little

const QString notOursMark = QStringLiteral("not ours: ");

QString lineOf(const QString &id)
{
    return QStringLiteral("rules.tsv: ") + id + QStringLiteral(": ");
}

// Empty, or what is wrong with it.
QString readShown(const QString &text, Rule &rule)
{
    if (text.startsWith(notOursMark)) {
        rule.notOurs = text.sliced(notOursMark.size()).trimmed();
        return rule.notOurs.size() < 10 ? QStringLiteral("does not say why it is not ours") : QString();
    }
    static const QRegularExpression test(QStringLiteral("^test ([a-z0-9_]+)::([A-Za-z0-9_]+)$"));
    for (const QString &part : text.split(QStringLiteral("; "))) {
        if (part == QLatin1String("scenario"))
            rule.scenarios = true;
        else if (const auto match = test.match(part); match.hasMatch())
            rule.tests.push_back({match.captured(1), match.captured(2)});
        else
            return QStringLiteral("cannot be shown by \"%1\"").arg(part);
    }
    return {};
}

struct Outcome {
    bool finished = false;
    int code = -1;
    QByteArray out;
};

Outcome run(const QString &program, const QStringList &arguments)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(program, arguments);
    Outcome outcome;
    outcome.finished = process.waitForFinished(300'000) && process.exitStatus() == QProcess::NormalExit;
    outcome.code = process.exitCode();
    outcome.out = process.readAll();
    return outcome;
}

QStringList functionsOf(const QString &program)
{
    const Outcome outcome = run(program, {QStringLiteral("-functions")});
    QStringList names;
    for (const QByteArray &line : outcome.out.split('\n')) {
        if (line.endsWith("()"))
            names += QString::fromLatin1(line.chopped(2));
    }
    return names;
}

} // namespace

Table read(const QString &text)
{
    static const QSet<QString> forces{QStringLiteral("MUST"),   QStringLiteral("SHOULD"), QStringLiteral("MAY"),
                                      QStringLiteral("MSC"),    QStringLiteral("OURS"),   QStringLiteral("QUIRK"),
                                      QStringLiteral("PROMISE")};
    Table table;
    QSet<QString> seen;
    const QStringList lines = text.split(u'\n');
    for (qsizetype i = 1; i < lines.size(); ++i) { // the first names the columns
        if (lines[i].isEmpty())
            continue;
        const QStringList cells = lines[i].split(u'\t');
        Rule rule;
        rule.id = cells.first();
        if (cells.size() != 4 || !forces.contains(cells.value(1)) || cells.value(2).isEmpty())
            table.wrong += lineOf(rule.id) + QStringLiteral("is not rule, force, title, shown by");
        else if (seen.contains(rule.id))
            table.wrong += lineOf(rule.id) + QStringLiteral("stands there twice");
        else if (const QString wrong = readShown(cells[3], rule); !wrong.isEmpty())
            table.wrong += lineOf(rule.id) + wrong;
        rule.force = cells.value(1);
        rule.title = cells.value(2);
        seen.insert(rule.id);
        table.rules.push_back(rule);
    }
    return table;
}

QStringList namedBy(const QString &scenario)
{
    static const QRegularExpression id(QStringLiteral("^[RP][1-9][0-9]*$"));
    QStringList named;
    for (const QString &part : scenario.split(u'-')) {
        if (!id.match(part).hasMatch())
            break;
        named += part;
    }
    return named;
}

QStringList gaps(const Table &table, const QStringList &scenarios)
{
    QStringList gaps = table.wrong;
    QHash<QString, int> shown;
    for (const QString &scenario : scenarios) {
        const QStringList named = namedBy(scenario);
        if (named.isEmpty())
            gaps += scenario + QStringLiteral(": begins with no rule");
        for (const QString &id : named)
            ++shown[id];
    }
    QSet<QString> known;
    for (const Rule &rule : table.rules) {
        known.insert(rule.id);
        if (rule.scenarios && !shown.contains(rule.id))
            gaps += lineOf(rule.id) + QStringLiteral("no scenario shows it");
        if (!rule.scenarios && shown.contains(rule.id))
            gaps += lineOf(rule.id) + QStringLiteral("scenarios show it, and the table does not say so");
    }
    for (const QString &id : shown.keys()) {
        if (!known.contains(id))
            gaps += id + QStringLiteral(": scenarios name it, and the table does not");
    }
    for (int number = 1; number <= lastRule; ++number) {
        const QString id = u'R' + QString::number(number);
        if (!known.contains(id))
            gaps += lineOf(id) + QStringLiteral("has no line");
    }
    const auto passedOver =
        std::count_if(table.rules.begin(), table.rules.end(), [](const Rule &rule) { return !rule.notOurs.isEmpty(); });
    if (passedOver > mostNotOurs)
        gaps += QStringLiteral("rules.tsv: %1 rules are said to be not ours").arg(passedOver);
    return gaps;
}

QStringList missingTests(const Table &table, const QString &folder)
{
    QStringList missing;
    QHash<QString, QStringList> functions;
    for (const Rule &rule : table.rules) {
        for (const TestName &test : rule.tests) {
            const QString path = folder + u'/' + test.program;
            if (!functions.contains(test.program))
                functions.insert(test.program, QFileInfo(path).isExecutable() ? functionsOf(path) : QStringList());
            if (!functions[test.program].contains(test.function))
                missing += lineOf(rule.id) + QStringLiteral("there is no test ") + test.text();
        }
    }
    return missing;
}

bool print(const Table &table, const QStringList &scenarios, const QString &folder,
           const std::function<bool(const QString &scenario)> &passes)
{
    QTextStream out(stdout);
    QHash<QString, bool> results;
    const auto once = [&results](const QString &name, const std::function<bool()> &find) {
        if (!results.contains(name))
            results.insert(name, find());
        return results.value(name);
    };
    const QStringList wrong = gaps(table, scenarios) + missingTests(table, folder);
    bool good = wrong.isEmpty();
    for (const Rule &rule : table.rules) {
        out << rule.id.leftJustified(5) << rule.force.leftJustified(8) << rule.title << '\n';
        if (!rule.notOurs.isEmpty())
            out << "       -    not ours: " << rule.notOurs << '\n';
        const auto row = [&](const QString &name, bool passed) {
            out << (passed ? "       pass " : "       FAIL ") << name << '\n';
            out.flush();
            good = good && passed;
        };
        for (const QString &scenario : scenarios) {
            if (namedBy(scenario).contains(rule.id))
                row(scenario, once(scenario, [&] { return passes(scenario); }));
        }
        for (const TestName &test : rule.tests) {
            row(test.text(), once(test.text(), [&] {
                    const Outcome outcome = run(folder + u'/' + test.program, {test.function});
                    return outcome.finished && outcome.code == 0;
                }));
        }
    }
    for (const QString &text : wrong)
        out << text << '\n';
    const auto passed = std::count(results.cbegin(), results.cend(), true);
    out << table.rules.size() << " rules and promises, " << passed << " of " << results.size()
        << " scenarios and tests pass\n";
    return good;
}

} // namespace rules
