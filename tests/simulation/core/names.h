// SPDX-License-Identifier: Apache-2.0
// Ids that the core draws (host call ids, call ids, party ids, references) differ when a line is left out or a batch is
// cut. Names learns from the output which id is whose, under labels that do not differ, so that a line which speaks of
// ids of one run can be translated into one of another.
#pragma once

#include "timeline.h"

#include <QHash>
#include <QMap>

namespace simulation
{

class Names
{
public:
    void learn(const QJsonObject &out);
    [[nodiscard]] const QMap<QString, QString> &ids() const { return m_ids; }
    [[nodiscard]] QString refOf(const QString &label) const { return m_refs.value(label); }
    [[nodiscard]] QString labelOfRef(const QString &ref) const { return m_refs.key(ref); }

private:
    QMap<QString, QString> m_ids; // by label; drawn ones only
    QHash<QString, QString> m_refs;
    QHash<QString, int> m_sends; // by call and type
};

// The "o=" line of a description, without the address: the world gives each offer its own, and the core passes it on.
[[nodiscard]] QString originOf(const QString &sdp);
// An input of the run that `from` was learnt in, as the run of `to` would have it.
[[nodiscard]] QByteArray translate(const QByteArray &line, const Names &from, const Names &to);
// The same output, whatever was drawn for it: grouped by what it belongs to.
[[nodiscard]] QMap<QString, timeline::Lines> grouped(const QVector<QJsonObject> &outs, const Names &names);

} // namespace simulation
