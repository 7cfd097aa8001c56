// SPDX-License-Identifier: Apache-2.0
// Families are kept in the order in which they are first seen, samples too.
#include "operations/metrics.h"

#include <QHash>

namespace bridgehost
{

namespace
{

QByteArray escaped(const QString &value)
{
    return value.toUtf8().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
}

struct Family {
    QByteArray help;
    QByteArray type;
    QList<QByteArray> order;
    QHash<QByteArray, QByteArray> samples;
};

} // namespace

void MetricsText::head(const QByteArray &name, const QByteArray &help, const char *type)
{
    m_text += "# HELP " + name + ' ' + help + "\n# TYPE " + name + ' ' + type + '\n';
}

void MetricsText::counter(const QByteArray &name, const QByteArray &help, quint64 value)
{
    head(name, help, "counter");
    m_text += name + ' ' + QByteArray::number(value) + '\n';
}

void MetricsText::gauge(const QByteArray &name, const QByteArray &help, qint64 value)
{
    head(name, help, "gauge");
    m_text += name + ' ' + QByteArray::number(value) + '\n';
}

void MetricsText::labelled(const QByteArray &name, const QByteArray &help, const QByteArray &label,
                           const QMap<QString, quint64> &values)
{
    head(name, help, "counter");
    for (auto it = values.begin(); it != values.end(); ++it)
        m_text += name + '{' + label + "=\"" + escaped(it.key()) + "\"} " + QByteArray::number(it.value()) + '\n';
}

QByteArray mergeMetrics(const QList<QByteArray> &texts)
{
    QList<QByteArray> order;
    QHash<QByteArray, Family> families;
    for (const QByteArray &text : texts) {
        QByteArray current; // samples follow the header of their family; a histogram's have longer names
        const QList<QByteArray> lines = text.split('\n');
        for (const QByteArray &line : lines) {
            if (line.trimmed().isEmpty())
                continue;
            if (line.startsWith("# HELP ") || line.startsWith("# TYPE ")) {
                const qsizetype end = line.indexOf(' ', 7);
                current = line.mid(7, end < 0 ? -1 : end - 7);
                if (!families.contains(current))
                    order.append(current);
                Family &family = families[current];
                (line.startsWith("# HELP ") ? family.help : family.type) = line;
                continue;
            }
            if (line.startsWith('#'))
                continue;
            const qsizetype labels = line.indexOf('{');
            const qsizetype space = line.indexOf(' ', labels < 0 ? 0 : line.lastIndexOf('}'));
            if (space <= 0)
                continue;
            const QByteArray key = line.left(space);
            const QByteArray value = line.mid(space + 1).trimmed();
            const QByteArray name = labels < 0 ? key : line.left(labels);
            if (current.isEmpty() || !name.startsWith(current)) {
                current = name;
                if (!families.contains(current))
                    order.append(current);
            }
            Family &family = families[current];
            if (!family.samples.contains(key)) {
                family.order.append(key);
                family.samples.insert(key, value);
            } else {
                family.samples[key] = QByteArray::number(family.samples[key].toDouble() + value.toDouble(), 'g', 17);
            }
        }
    }
    QByteArray merged;
    for (const QByteArray &name : std::as_const(order)) {
        const Family &family = families[name];
        for (const QByteArray &line : {family.help, family.type}) {
            if (!line.isEmpty())
                merged += line + '\n';
        }
        for (const QByteArray &key : family.order)
            merged += key + ' ' + family.samples.value(key) + '\n';
    }
    return merged;
}

} // namespace bridgehost
