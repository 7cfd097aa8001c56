// SPDX-License-Identifier: Apache-2.0
#include "effects/leases.h"

#include "observe/log.h"

#include <QCoreApplication>
#include <QSysInfo>
#include <QUuid>

#include <algorithm>

namespace voip::effects
{

namespace
{

QString newWorker()
{
    return QStringLiteral("%1:%2:%3")
        .arg(QSysInfo::machineHostName().left(64))
        .arg(QCoreApplication::applicationPid())
        .arg(QUuid::createUuid().toString(QUuid::Id128));
}

} // namespace

Leases::Leases(store::Store &store, const Clock &clock, bool shared, QObject *parent)
    : QObject(parent), m_store(store), m_clock(clock), m_shared(shared), m_worker(shared ? newWorker() : QString())
{
    m_staleAt.setSingleShot(true);
    connect(&m_renew, &QTimer::timeout, this, &Leases::ask);
    connect(&m_staleAt, &QTimer::timeout, this, [this] { setStale(true); });
    connect(&m_store, &store::Store::availableChanged, this, [this](bool available) {
        if (available && m_renew.isActive())
            ask();
    });
    connect(&m_store, &store::Store::stirred, this, [this](store::Stir what) {
        if ((what == store::Stir::Lease || what == store::Stir::All) && m_renew.isActive())
            ask();
    });
}

void Leases::start()
{
    if (!m_shared)
        return;
    m_renew.start(renewEveryMs);
    ask();
}

bool Leases::holds(const QString &lane) const
{
    if (!m_shared)
        return true;
    const int part = store::partitionOf(lane);
    return m_held.contains(part) && !m_closing.contains(part);
}

std::optional<store::Fence> Leases::fenceOf(const QString &lane) const
{
    if (!m_shared)
        return {};
    const int part = store::partitionOf(lane);
    return store::Fence{part, m_held.value(part, -1)}; // -1: never a token, so that it is refused
}

QVector<int> Leases::partitions() const
{
    return m_held.keys();
}

void Leases::ask()
{
    if (m_asking) {
        m_again = true;
        return;
    }
    m_asking = true;
    m_again = false;
    store::LeaseRequest request;
    request.worker = m_worker;
    request.ttlMs = ttlMs;
    request.released = m_toRelease;
    request.leaving = m_leaving;
    request.aside = m_aside;
    const qint64 askedAt = m_clock.now();
    m_store.lease(request, this, [this, askedAt, released = m_toRelease](const store::Result<store::Leases> &result) {
        m_asking = false;
        if (result.ok())
            heard(askedAt, *result, released);
        else if (m_leaving && m_held.isEmpty())
            return finishLeaving(); // they expire by themselves
        if (m_again)
            ask();
    });
}

void Leases::heard(qint64 askedAt, const store::Leases &leases, const QVector<store::Fence> &released)
{
    m_toRelease.removeIf([&released](const store::Fence &fence) { return released.contains(fence); });
    m_workers = leases.workers;
    const qint64 knownFor = askedAt + staleAfterMs - m_clock.now(); // an answer that took long says little of now
    m_staleAt.start(static_cast<int>(std::max<qint64>(0, knownFor)));
    QMap<int, qint64> now;
    for (const store::Fence &fence : leases.held) {
        if (!m_toRelease.contains(fence)) // closed while this was asked
            now.insert(fence.partition, fence.token);
    }
    QVector<int> gone;
    QVector<int> fresh;
    for (auto it = m_held.cbegin(); it != m_held.cend(); ++it) {
        if (now.value(it.key(), -1) != it.value())
            gone += it.key();
    }
    for (auto it = now.cbegin(); it != now.cend(); ++it) {
        if (m_held.value(it.key(), -1) != it.value())
            fresh += it.key();
    }
    m_held = now;
    for (const int part : std::as_const(gone))
        m_closing.remove(part);
    if (!gone.isEmpty()) {
        qCWarning(observe::lifecycleLog) << gone.size() << "partitions were taken over by another worker";
        Q_EMIT lost(gone);
    }
    setStale(knownFor <= 0); // not before what is lost is said
    if (!fresh.isEmpty()) {
        qCInfo(observe::lifecycleLog) << "takes" << fresh.size() << "partitions, holds" << m_held.size() << "of"
                                      << store::partitionCount << "beside" << leases.workers - 1 << "other workers";
        Q_EMIT taken(fresh);
    }
    giveSurplus(m_leaving ? 0 : leases.share);
    if (m_leaving && m_held.isEmpty() && m_toRelease.isEmpty())
        finishLeaving();
}

void Leases::giveSurplus(int share)
{
    QVector<int> extra;
    auto left = m_held.size() - m_closing.size();
    for (auto it = m_held.cend(); it != m_held.cbegin() && left > share;) {
        --it;
        if (m_closing.contains(it.key()))
            continue;
        extra += it.key();
        --left;
    }
    if (extra.isEmpty())
        return;
    for (const int part : std::as_const(extra))
        m_closing.insert(part);
    Q_EMIT surplus(extra);
}

void Leases::release(const QVector<int> &partitions)
{
    for (const int part : partitions) {
        if (!m_closing.remove(part) || !m_held.contains(part))
            continue;
        m_toRelease += store::Fence{part, m_held.take(part)};
    }
    ask();
}

void Leases::leave(std::function<void()> left)
{
    if (!m_shared || !m_renew.isActive())
        return left();
    m_left = std::move(left);
    m_leaving = true;
    giveSurplus(0);
    ask();
}

void Leases::finishLeaving()
{
    m_renew.stop();
    m_staleAt.stop();
    if (m_left)
        std::exchange(m_left, {})();
}

void Leases::setStale(bool stale)
{
    if (std::exchange(m_stale, stale) == stale)
        return;
    if (stale)
        qCWarning(observe::lifecycleLog)
            << "does not know any more what it holds: nothing is sent until the database answers";
    Q_EMIT staleChanged(stale);
}

} // namespace voip::effects
