// SPDX-License-Identifier: Apache-2.0
// Virtual time: takes the place of the thread's event dispatcher. Every QTimer waits here, and what the world has in
// mind for later, too; when nothing is posted any more, time moves on to what comes next. Ten minutes pass in
// microseconds, in an order that only depends on what was done before. Knows nothing of sockets.
#pragma once

#include <QAbstractEventDispatcher>
#include <QHash>
#include <queue>

#include <functional>

namespace bridgesim
{

class TimeLoop : public QAbstractEventDispatcher
{
    Q_OBJECT

public:
    TimeLoop() = default;

    [[nodiscard]] qint64 now() const { return m_now; }
    void at(qint64 when, std::function<void()> what);
    void after(qint64 ms, std::function<void()> what) { at(m_now + ms, std::move(what)); }
    // Delivers what is posted, or else does the next thing. False: nothing is left, or not before `limit`.
    bool step(qint64 limit);
    void settle(); // all that is posted, and objects that are to be deleted
    // A new world: time is 0 and nothing is planned. Timers of objects that still live would be lost: there are none.
    void begin();

    // --- QAbstractEventDispatcher
    bool processEvents(QEventLoop::ProcessEventsFlags flags) override;
    void registerSocketNotifier(QSocketNotifier *notifier) override;
    void unregisterSocketNotifier(QSocketNotifier *notifier) override;
    void registerTimer(int timerId, qint64 interval, Qt::TimerType type, QObject *object) override;
    bool unregisterTimer(int timerId) override;
    bool unregisterTimers(QObject *object) override;
    [[nodiscard]] QList<TimerInfo> registeredTimers(QObject *object) const override;
    int remainingTime(int timerId) override;
    void wakeUp() override { m_posted = true; }
    void interrupt() override {}

private:
    struct Timer {
        QObject *object = nullptr;
        qint64 interval = 0;
        qint64 due = 0;
        quint64 turn = 0; // of the entry that rings it
    };
    struct Entry {
        qint64 due = 0;
        quint64 turn = 0; // in the order in which they were made
        int timerId = 0;  // 0: something of the world's
        std::function<void()> what = {};
    };
    struct Later {
        bool operator()(const Entry &a, const Entry &b) const
        {
            return a.due != b.due ? a.due > b.due : a.turn > b.turn;
        }
    };
    void plan(int timerId, Timer &timer);
    void ring(int timerId);
    void moveTo(qint64 when);

    qint64 m_now = 0;
    quint64 m_turn = 0;
    bool m_posted = false;
    QHash<int, Timer> m_timers;
    std::priority_queue<Entry, std::vector<Entry>, Later> m_entries;
};

} // namespace bridgesim
