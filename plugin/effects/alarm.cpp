// SPDX-License-Identifier: Apache-2.0
#include "effects/alarm.h"

#include <algorithm>

namespace voip::effects
{

Alarm::Alarm(const Clock &clock, QObject *parent) : QObject(parent), m_clock(clock)
{
    m_timer.setSingleShot(true);
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, &Alarm::fire);
}

void Alarm::set(const QString &lane, std::optional<qint64> due)
{
    if (const auto found = m_entries.find(lane); found != m_entries.end()) {
        m_queue.erase(found.value());
        m_entries.erase(found);
    }
    if (due)
        m_entries.insert(lane, m_queue.emplace(*due, lane));
    arm();
}

void Alarm::arm()
{
    if (m_queue.empty())
        return m_timer.stop();
    const qint64 wait = std::clamp<qint64>(m_queue.begin()->first - m_clock.now(), 0, 60LL * 60 * 1000);
    m_timer.start(static_cast<int>(wait));
}

void Alarm::fire()
{
    const qint64 now = m_clock.now();
    while (!m_queue.empty() && m_queue.begin()->first <= now) {
        const QString lane = m_queue.begin()->second;
        m_queue.erase(m_queue.begin());
        m_entries.remove(lane);
        Q_EMIT due(lane); // the lane sets its next time when it has dealt with this one
    }
    arm();
}

} // namespace voip::effects
