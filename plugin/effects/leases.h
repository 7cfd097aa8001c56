// SPDX-License-Identifier: Apache-2.0
// Which lanes are ours when several workers share one database (design.md: partitions, fencing tokens). Takes, keeps
// and gives back partitions by asking the store now and then, and says what changed. A worker that cannot reach the
// database does not know what it still holds: after a while it is `stale` and must not act, until it knows. Alone,
// everything is ours and nothing is asked. Decides nothing about calls. Lives on the core thread.
#pragma once

#include "effects/clock.h"
#include "store/store.h"

#include <QMap>
#include <QObject>
#include <QSet>
#include <QTimer>

#include <functional>

namespace voip::effects
{

class Leases : public QObject
{
    Q_OBJECT

public:
    static constexpr int ttlMs = 6000; // after that long without a word others take over
    static constexpr int renewEveryMs = 1500;
    static constexpr int staleAfterMs = 4500; // of our own clock, from before the last request that was answered

    Leases(store::Store &store, const Clock &clock, bool shared, QObject *parent = nullptr);

    void start();
    [[nodiscard]] bool shared() const { return m_shared; }
    [[nodiscard]] const QString &worker() const { return m_worker; }
    [[nodiscard]] int workers() const { return m_workers; } // alive, by the last answer
    // Alone: true. Otherwise whether the lane's partition is held and not on its way back.
    [[nodiscard]] bool holds(const QString &lane) const;
    [[nodiscard]] qint64 tokenOf(int partition) const { return m_held.value(partition, -1); } // -1: it is not held
    [[nodiscard]] std::optional<store::Fence> fenceOf(const QString &lane) const;             // for a commit
    [[nodiscard]] QVector<int> partitions() const;

    // The lanes of a partition that was said to be surplus are closed.
    void release(const QVector<int> &partitions);
    // Everything is given back; `left` is called when that is known or the database cannot be told.
    void leave(std::function<void()> left);
    void ask();                                                        // now, instead of soon
    void setAside(const store::InboxDepth &aside) { m_aside = aside; } // to be said with the next

Q_SIGNALS:
    void taken(const QVector<int> &partitions);
    void lost(const QVector<int> &partitions);    // another worker's by now: nothing of it may be done any more
    void surplus(const QVector<int> &partitions); // to be closed, and then released
    void staleChanged(bool stale);

private:
    void heard(qint64 askedAt, const store::Leases &leases, const QVector<store::Fence> &released);
    void giveSurplus(int share);
    void setStale(bool stale);
    void finishLeaving();

    store::Store &m_store;
    const Clock &m_clock;
    const bool m_shared;
    const QString m_worker;
    QMap<int, qint64> m_held;          // tokens
    QSet<int> m_closing;               // said to be surplus
    QVector<store::Fence> m_toRelease; // closed, and not told yet
    store::InboxDepth m_aside;
    QTimer m_renew;
    QTimer m_staleAt;
    bool m_asking = false;
    bool m_again = false;
    bool m_stale = false;
    bool m_leaving = false;
    int m_workers = 1;
    std::function<void()> m_left;
};

} // namespace voip::effects
