// SPDX-License-Identifier: Apache-2.0
#include "timeloop.h"

#include "machine.h"

#include <QCoreApplication>
#include <QTimerEvent>

namespace bridgesim
{

void TimeLoop::begin()
{
    settle();
    m_entries = {};
    m_now = 0;
    m_turn = 0;
    machine::setNow(0);
}

void TimeLoop::at(qint64 when, std::function<void()> what)
{
    m_entries.push({std::max(when, m_now), ++m_turn, 0, std::move(what)});
}

void TimeLoop::settle()
{
    while (std::exchange(m_posted, false)) {
        QCoreApplication::sendPostedEvents();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }
}

void TimeLoop::moveTo(qint64 when)
{
    if (when <= m_now)
        return;
    m_now = when;
    machine::setNow(when);
}

bool TimeLoop::step(qint64 limit)
{
    if (m_posted) {
        settle();
        return true;
    }
    while (!m_entries.empty()) {
        const Entry &next = m_entries.top();
        if (next.timerId != 0) {
            const auto timer = m_timers.constFind(next.timerId);
            if (timer == m_timers.constEnd() || timer->turn != next.turn) { // stopped, or started anew
                m_entries.pop();
                continue;
            }
        }
        if (next.due > limit)
            return false;
        moveTo(next.due);
        const int timerId = next.timerId;
        const auto what = std::move(const_cast<Entry &>(next).what);
        m_entries.pop();
        if (timerId != 0)
            ring(timerId);
        else
            what();
        return true;
    }
    return false;
}

void TimeLoop::plan(int timerId, Timer &timer)
{
    timer.due = m_now + timer.interval;
    timer.turn = ++m_turn;
    m_entries.push({timer.due, timer.turn, timerId});
}

void TimeLoop::ring(int timerId)
{
    Timer &timer = m_timers[timerId];
    QObject *object = timer.object;
    timer.interval = std::max<qint64>(timer.interval, 1); // or time would stand still
    plan(timerId, timer);
    QTimerEvent event(timerId);
    QCoreApplication::sendEvent(object, &event);
}

bool TimeLoop::processEvents(QEventLoop::ProcessEventsFlags /*flags*/)
{
    return step(std::numeric_limits<qint64>::max());
}

void TimeLoop::registerSocketNotifier(QSocketNotifier * /*notifier*/)
{
    qFatal("a simulated world has no sockets");
}

void TimeLoop::unregisterSocketNotifier(QSocketNotifier * /*notifier*/)
{
}

void TimeLoop::registerTimer(int timerId, qint64 interval, Qt::TimerType /*type*/, QObject *object)
{
    Timer &timer = m_timers[timerId];
    timer.object = object;
    timer.interval = interval;
    plan(timerId, timer);
}

bool TimeLoop::unregisterTimer(int timerId)
{
    return m_timers.remove(timerId) > 0;
}

bool TimeLoop::unregisterTimers(QObject *object)
{
    return m_timers.removeIf([object](const auto &timer) { return timer.value().object == object; }) > 0;
}

QList<QAbstractEventDispatcher::TimerInfo> TimeLoop::registeredTimers(QObject *object) const
{
    QList<TimerInfo> timers;
    for (auto it = m_timers.constBegin(); it != m_timers.constEnd(); ++it) {
        if (it->object == object)
            timers.append({it.key(), static_cast<int>(it->interval), Qt::PreciseTimer});
    }
    return timers;
}

int TimeLoop::remainingTime(int timerId)
{
    const auto timer = m_timers.constFind(timerId);
    return timer == m_timers.constEnd() ? -1 : static_cast<int>(std::max<qint64>(0, timer->due - m_now));
}

} // namespace bridgesim
