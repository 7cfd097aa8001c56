// SPDX-License-Identifier: Apache-2.0
// The table of rules (rules.tsv): which rule is shown by what. A rule is shown by the scenarios whose names begin with
// its number ("R36-first-answer-wins.jsonl", "R84-R86-streams.jsonl") and by test functions ("test ctest::function").
// Rules of other products stand in it as "not ours: why".
#pragma once

#include <QHash>
#include <QStringList>

#include <functional>

namespace rules
{

struct TestName {
    QString program;
    QString function;

    [[nodiscard]] QString text() const { return program + QLatin1String("::") + function; }
    bool operator==(const TestName &) const = default;
};

struct Rule {
    QString id; // "R36", "P6"
    QString force;
    QString title;
    bool scenarios = false; // there must be some
    QVector<TestName> tests;
    QString notOurs; // why
};

struct Table {
    QVector<Rule> rules;
    QStringList wrong; // lines that cannot be read
};

[[nodiscard]] Table read(const QString &text);
// "R84-R86-streams.jsonl" names R84 and R86; empty: it names none.
[[nodiscard]] QStringList namedBy(const QString &scenario);
// What does not fit: rules without a line, without a scenario or test; scenarios that name no rule.
[[nodiscard]] QStringList gaps(const Table &table, const QStringList &scenarios);
// Tests that the built programs in `folder` do not have.
[[nodiscard]] QStringList missingTests(const Table &table, const QString &folder);

// Prints rule, what shows it, and whether that passes; true if all do.
[[nodiscard]] bool print(const Table &table, const QStringList &scenarios, const QString &folder,
                         const std::function<bool(const QString &scenario)> &passes);

} // namespace rules
