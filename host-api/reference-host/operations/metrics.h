// SPDX-License-Identifier: Apache-2.0
// Prometheus text (0.0.4): writing the host's own families, and merging them with the plugins', because a family may
// be stated only once in an answer. Samples of the same name and labels are added up.
#pragma once

#include <QByteArray>
#include <QList>
#include <QMap>
#include <QString>

namespace bridgehost
{

class MetricsText
{
public:
    void counter(const QByteArray &name, const QByteArray &help, quint64 value);
    void gauge(const QByteArray &name, const QByteArray &help, qint64 value);
    void labelled(const QByteArray &name, const QByteArray &help, const QByteArray &label,
                  const QMap<QString, quint64> &values);
    [[nodiscard]] QByteArray text() const { return m_text; }

private:
    void head(const QByteArray &name, const QByteArray &help, const char *type);
    QByteArray m_text;
};

[[nodiscard]] QByteArray mergeMetrics(const QList<QByteArray> &texts);

} // namespace bridgehost
