// SPDX-License-Identifier: Apache-2.0
// Reading typed values out of yaml-cpp. yaml-cpp throws; nothing it throws leaves this file.
#include "config/yaml_section.h"

#include <QJsonArray>
#include <QRegularExpression>

namespace bridgehost
{

namespace
{

QString scalar(const YAML::Node &node)
{
    return QString::fromStdString(node.Scalar());
}

// YAML's core schema: an unquoted 12, true or null is no text.
bool isText(const YAML::Node &node)
{
    return node.IsScalar() && (node.Tag() == "!" || toJson(node).isString());
}

// What a file of 1 MiB can hold without aliases is far below. An alias may refer to what it stands in, and aliases of
// aliases to more than there is memory for.
constexpr int kMaxDepth = 64;
constexpr int kMaxNodes = 1'000'000;

bool withinReason(const YAML::Node &node, int depth, int *left)
{
    if (depth > kMaxDepth || --*left < 0)
        return false;
    if (node.IsSequence()) {
        for (const auto &item : node) {
            if (!withinReason(item, depth + 1, left))
                return false;
        }
    } else if (node.IsMap()) {
        for (const auto &pair : node) {
            if (!withinReason(pair.first, depth + 1, left) || !withinReason(pair.second, depth + 1, left))
                return false;
        }
    }
    return true;
}

} // namespace

QString variableFor(const QString &path)
{
    QString name = QStringLiteral("BRIDGE_") + path.toUpper();
    return name.replace(u'.', u'_');
}

int lineOf(const YAML::Node &node)
{
    return node.IsDefined() && !node.Mark().is_null() ? node.Mark().line + 1 : 0;
}

QJsonValue toJson(const YAML::Node &node)
{
    switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
        return QJsonValue::Null;
    case YAML::NodeType::Sequence: {
        QJsonArray array;
        for (const auto &item : node)
            array.append(toJson(item));
        return array;
    }
    case YAML::NodeType::Map: {
        QJsonObject object;
        for (const auto &pair : node)
            object[QString::fromStdString(pair.first.as<std::string>(""))] = toJson(pair.second);
        return object;
    }
    case YAML::NodeType::Scalar:
        break;
    }
    const QString text = scalar(node);
    if (node.Tag() == "!") // quoted
        return text;
    static const QRegularExpression integer(QStringLiteral("^[-+]?[0-9]+$"));
    static const QRegularExpression real(QStringLiteral("^[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?$"));
    static const QRegularExpression yes(QStringLiteral("^(true|True|TRUE)$"));
    static const QRegularExpression no(QStringLiteral("^(false|False|FALSE)$"));
    static const QRegularExpression none(QStringLiteral("^(null|Null|NULL|~|)$"));
    if (yes.match(text).hasMatch())
        return true;
    if (no.match(text).hasMatch())
        return false;
    if (none.match(text).hasMatch())
        return QJsonValue::Null;
    if (integer.match(text).hasMatch()) {
        bool ok = false;
        const qint64 value = text.toLongLong(&ok);
        if (ok)
            return value;
    }
    if (real.match(text).hasMatch())
        return text.toDouble();
    return text;
}

std::optional<YAML::Node> parseYaml(const QByteArray &text, ConfigProblem *problem)
{
    try {
        YAML::Node node = YAML::Load(text.toStdString());
        int left = kMaxNodes;
        if (withinReason(node, 0, &left))
            return node;
        *problem = {QString(), 0, QStringLiteral("nested too deeply, or too many aliases")};
    } catch (const YAML::Exception &error) {
        *problem = {QString(), error.mark.is_null() ? 0 : error.mark.line + 1, QString::fromStdString(error.msg)};
    } catch (const std::exception &error) { // of the standard library, from inside
        *problem = {QString(), 0, QString::fromLocal8Bit(error.what())};
    }
    return std::nullopt;
}

YamlSection::YamlSection(const YAML::Node &node, QString path, int line, ReadState *state)
    : m_node(node), m_path(std::move(path)), m_line(line), m_state(state)
{
    if (!m_node.IsMap())
        return;
    QSet<QString> seen;
    for (const auto &pair : m_node) {
        const QString key = pair.first.IsScalar() ? scalar(pair.first) : QStringLiteral("?");
        m_state->lines.insert(pathOf(key), bridgehost::lineOf(pair.first));
        if (seen.contains(key))
            m_state->add(pathOf(key), bridgehost::lineOf(pair.first), tr("is given twice"));
        seen.insert(key);
    }
}

QString YamlSection::pathOf(const QString &key) const
{
    return m_path.isEmpty() ? key : m_path + u'.' + key;
}

int YamlSection::lineOf(const QString &key) const
{
    return m_state->lines.value(pathOf(key), m_line);
}

void YamlSection::problem(const QString &key, const QString &message)
{
    m_state->add(pathOf(key), lineOf(key), message);
}

void YamlSection::missing(const QString &key)
{
    m_state->add(pathOf(key), m_line,
                 tr("is missing (the environment may give it as %1)").arg(variableFor(pathOf(key))));
}

YAML::Node YamlSection::node(const QString &key)
{
    m_known.insert(key);
    const std::string wanted = key.toStdString();
    if (m_node.IsMap()) {
        for (const auto &pair : m_node) {
            if (pair.first.IsScalar() && pair.first.Scalar() == wanted)
                return pair.second;
        }
    }
    return YAML::Node(YAML::NodeType::Undefined);
}

bool YamlSection::has(const QString &key) const
{
    return m_state->lines.contains(pathOf(key)) || m_state->environment.contains(variableFor(pathOf(key)));
}

std::optional<QString> YamlSection::fromEnvironment(const QString &key)
{
    const QString name = variableFor(pathOf(key));
    m_known.insert(key);
    if (!m_state->environment.contains(name))
        return std::nullopt;
    m_state->usedVariables.insert(name);
    return m_state->environment.value(name);
}

QString YamlSection::text(const QString &key, Need need, const QString &fallback, const Check &check)
{
    QString value = fallback;
    const YAML::Node item = node(key);
    if (const auto given = fromEnvironment(key)) {
        value = *given;
    } else if (!item.IsDefined()) {
        if (need == Need::Required)
            missing(key);
        return fallback;
    } else if (!isText(item)) {
        problem(key, item.IsScalar() ? tr("must be text; put it in quotes") : tr("must be text"));
        return fallback;
    } else {
        value = scalar(item);
    }
    if (value.isEmpty() && need == Need::Required) {
        problem(key, tr("is empty"));
        return fallback;
    }
    if (check && !value.isEmpty()) {
        const QString wrong = check(value);
        if (!wrong.isEmpty())
            problem(key, wrong);
    }
    return value;
}

int YamlSection::number(const QString &key, int low, int high, int fallback)
{
    const YAML::Node item = node(key);
    QJsonValue value;
    if (const auto given = fromEnvironment(key)) {
        bool ok = false;
        const int parsed = given->toInt(&ok);
        value = ok ? QJsonValue(parsed) : QJsonValue(*given);
    } else if (!item.IsDefined()) {
        return fallback;
    } else {
        value = toJson(item);
    }
    if (!value.isDouble() || value.toDouble() != double(value.toInteger())) {
        problem(key, tr("must be a whole number"));
        return fallback;
    }
    if (value.toInteger() < low || value.toInteger() > high) {
        problem(key, tr("must be between %1 and %2").arg(low).arg(high));
        return fallback;
    }
    return value.toInt();
}

QStringList YamlSection::texts(const QString &key, const Check &check)
{
    YAML::Node item = node(key);
    if (const auto given = fromEnvironment(key)) {
        if (given->trimmed().startsWith(u'[')) {
            ConfigProblem broken;
            const auto parsed = parseYaml(given->toUtf8(), &broken);
            if (!parsed) {
                problem(key, tr("cannot be read: %1").arg(broken.message));
                return {};
            }
            item = *parsed;
        } else {
            item = YAML::Node(YAML::NodeType::Sequence);
            const auto parts = given->split(u',', Qt::SkipEmptyParts);
            for (const QString &part : parts) {
                YAML::Node entry(part.trimmed().toStdString());
                entry.SetTag("!");
                item.push_back(entry);
            }
        }
    }
    if (!item.IsDefined())
        return {};
    if (!item.IsSequence()) {
        problem(key, tr("must be a list of texts"));
        return {};
    }
    QStringList list;
    for (const auto &entry : item) {
        if (!isText(entry)) {
            problem(key, tr("must be a list of texts"));
            return {};
        }
        const QString value = scalar(entry);
        const QString wrong = check ? check(value) : QString();
        if (!wrong.isEmpty())
            problem(key, wrong);
        list.append(value);
    }
    return list;
}

YamlSection YamlSection::section(const QString &key)
{
    const YAML::Node item = node(key);
    if (item.IsDefined() && !item.IsMap() && !item.IsNull())
        problem(key, tr("must be a map of keys and values"));
    return YamlSection(item, pathOf(key), item.IsDefined() ? lineOf(key) : m_line, m_state);
}

QList<YamlSection> YamlSection::sections(const QString &key)
{
    YAML::Node item = node(key);
    if (const auto given = fromEnvironment(key)) {
        ConfigProblem broken;
        const auto parsed = parseYaml(given->toUtf8(), &broken);
        if (!parsed) {
            problem(key, tr("cannot be read: %1").arg(broken.message));
            return {};
        }
        item = *parsed;
    }
    QList<YamlSection> list;
    if (!item.IsDefined())
        return list;
    if (!item.IsSequence()) {
        problem(key, tr("must be a list of maps"));
        return list;
    }
    int index = 0;
    for (const auto &entry : item) {
        const QString name = QStringLiteral("%1[%2]").arg(key).arg(index++);
        if (!entry.IsMap())
            m_state->add(pathOf(name), bridgehost::lineOf(entry), tr("must be a map of keys and values"));
        else
            list.append(YamlSection(entry, pathOf(name), bridgehost::lineOf(entry), m_state));
    }
    return list;
}

QMap<QString, QJsonObject> YamlSection::others()
{
    QMap<QString, QJsonObject> found;
    if (!m_node.IsMap())
        return found;
    for (const auto &pair : m_node) {
        const QString key = pair.first.IsScalar() ? scalar(pair.first) : QStringLiteral("?");
        if (m_known.contains(key))
            continue;
        m_known.insert(key);
        // Constructed only for its side effect: it notes the lines of the keys and finds those given twice.
        const YamlSection inner(pair.second, pathOf(key), lineOf(key), m_state);
        if (!pair.second.IsMap() && !pair.second.IsNull())
            problem(key, tr("must be a map of keys and values"));
        found.insert(key, toJson(pair.second).toObject());
    }
    return found;
}

void YamlSection::done()
{
    if (!m_node.IsMap())
        return;
    for (const auto &pair : m_node) {
        const QString key = pair.first.IsScalar() ? scalar(pair.first) : QStringLiteral("?");
        if (!m_known.contains(key))
            problem(key, tr("is not a known key"));
    }
}

} // namespace bridgehost
