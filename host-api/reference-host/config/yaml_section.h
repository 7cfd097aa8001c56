// SPDX-License-Identifier: Apache-2.0
// A map of the configuration file, read key by key: each getter notes the key as known, lets the environment override
// it, checks type and range, and reports a problem with key and line instead of failing. done() reports what is left.
// The only files that know yaml-cpp are this one, its source and config.cpp.
#pragma once

#include "config/config.h"

#include <QCoreApplication>
#include <QJsonValue>
#include <QSet>

#include <functional>
#include <yaml-cpp/yaml.h>

namespace bridgehost
{

struct ReadState {
    Environment environment;
    QSet<QString> usedVariables;
    QList<ConfigProblem> problems;
    QMap<QString, int> lines;

    void add(const QString &key, int line, const QString &message) { problems.append({key, line, message}); }
};

class YamlSection
{
    Q_DECLARE_TR_FUNCTIONS(Config)

public:
    enum class Need { Required, Optional };
    using Check = std::function<QString(const QString &)>; // what is wrong with a value; empty: nothing

    // `node` may be undefined: then only the environment can give values.
    YamlSection(const YAML::Node &node, QString path, int line, ReadState *state);

    QString text(const QString &key, Need need, const QString &fallback = {}, const Check &check = {});
    int number(const QString &key, int low, int high, int fallback);
    QStringList texts(const QString &key, const Check &check = {});
    YamlSection section(const QString &key);
    // A list of maps: `users`.
    QList<YamlSection> sections(const QString &key);
    // Keys nobody asked for, each a map of any content: the plugins' sections.
    QMap<QString, QJsonObject> others();
    void done(); // reports keys nobody asked for

    [[nodiscard]] int line() const { return m_line; }
    [[nodiscard]] int lineOf(const QString &key) const;
    [[nodiscard]] QString pathOf(const QString &key) const;
    [[nodiscard]] bool has(const QString &key) const;
    void problem(const QString &key, const QString &message);

private:
    [[nodiscard]] YAML::Node node(const QString &key);
    [[nodiscard]] std::optional<QString> fromEnvironment(const QString &key);
    void missing(const QString &key);

    YAML::Node m_node;
    QString m_path;
    int m_line = 0;
    ReadState *m_state;
    QSet<QString> m_known;
};

[[nodiscard]] QString variableFor(const QString &path); // "database.dsn" -> "BRIDGE_DATABASE_DSN"
[[nodiscard]] int lineOf(const YAML::Node &node);
[[nodiscard]] QJsonValue toJson(const YAML::Node &node); // plain scalars by YAML's core schema
// Parses a value as it would stand in the file; never throws.
[[nodiscard]] std::optional<YAML::Node> parseYaml(const QByteArray &text, ConfigProblem *problem);

} // namespace bridgehost
