// SPDX-License-Identifier: Apache-2.0
#include "rollout/switch.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace voip::rollout
{

namespace
{

using Position = Switch::Position;

QJsonObject toJson(const Position &position)
{
    return {{QStringLiteral("enabled"), position.enabled}, {QStringLiteral("percent"), position.percent}};
}

std::optional<Position> fromJson(const QJsonObject &object)
{
    const int percent = object.value(QLatin1String("percent")).toInt(-1);
    if (!object.value(QLatin1String("enabled")).isBool() || percent < 0 || percent > 100)
        return {};
    return Position{object.value(QLatin1String("enabled")).toBool(), percent};
}

} // namespace

Switch::Switch(Gate &gate, Save save) : m_gate(gate), m_save(std::move(save)), m_previous(now())
{
}

Position Switch::now() const
{
    const Cohort cohort = m_gate.cohort();
    return {cohort.enabled, cohort.percent};
}

void Switch::enforce(const Position &position)
{
    m_gate.set({position.enabled, position.percent, m_gate.cohort().allowUsers});
}

void Switch::restore(const QByteArray &saved)
{
    const QJsonObject object = QJsonDocument::fromJson(saved).object();
    const auto position = fromJson(object);
    if (!position)
        return;
    enforce(*position);
    m_previous = fromJson(object.value(QLatin1String("previous")).toObject()).value_or(*position);
}

void Switch::change(const Position &wanted, Reply reply)
{
    m_changes.push_back({wanted, std::move(reply)});
    if (m_changes.size() == 1)
        next();
}

void Switch::rollBack(Reply reply)
{
    m_changes.push_back({{}, std::move(reply)});
    if (m_changes.size() == 1)
        next();
}

void Switch::next()
{
    const Position before = now();
    const Position wanted = m_changes.front().wanted.value_or(m_previous);
    const Position previous = wanted == before ? m_previous : before; // setting the same again is no change
    QJsonObject value = toJson(wanted);
    value.insert(QLatin1String("previous"), toJson(previous));
    m_save(QJsonDocument(value).toJson(QJsonDocument::Compact), [this, wanted, previous](bool durable) {
        if (durable) {
            m_previous = previous;
            enforce(wanted);
        }
        const Change done = std::move(m_changes.front());
        m_changes.pop_front();
        if (!m_changes.empty())
            next(); // before the reply, which may ask for another change
        done.reply(durable ? std::optional(wanted) : std::nullopt);
    });
}

} // namespace voip::rollout
