// SPDX-License-Identifier: Apache-2.0
// What several workers share: partitions under tokens, by the database's clock; where an event belongs; errands; and a
// word to all when something was committed. As in plugin/store/sharing.cpp.
#include "database.h"

namespace bridgesim
{

using namespace voip;
using store::Stir;

void Database::stir(Stir what, const QString &whom) const
{
    for (const auto &[who, ear] : m_ears)
        ear(what, whom);
}

store::Leases Database::lease(const store::LeaseRequest &request, qint64 now)
{
    const auto of = [this](int part) -> Partition & { return m_partitions[static_cast<std::size_t>(part)]; };
    for (const store::Fence &fence : request.released) {
        if (of(fence.partition).token == fence.token && of(fence.partition).worker == request.worker)
            of(fence.partition) = {fence.token, {}, 0};
    }
    std::erase_if(m_workers, [now](const auto &worker) { return worker.second < now; });
    if (request.leaving)
        m_workers.erase(request.worker);
    else
        m_workers[request.worker] = now + request.ttlMs;
    store::Leases leases;
    leases.workers = std::max(1, static_cast<int>(m_workers.size()));
    leases.share = (store::partitionCount + leases.workers - 1) / leases.workers;
    for (int part = 0; part < store::partitionCount; ++part) {
        if (of(part).worker == request.worker) {
            of(part).until = now + request.ttlMs;
            leases.held += store::Fence{part, of(part).token};
        }
    }
    int wanted = request.leaving ? 0 : std::min(request.take, leases.share) - static_cast<int>(leases.held.size());
    for (int part = 0; part < store::partitionCount && wanted > 0; ++part) {
        if (of(part).until >= now)
            continue;
        of(part) = {of(part).token + 1, request.worker, now + request.ttlMs};
        leases.held += store::Fence{part, of(part).token};
        --wanted;
    }
    std::sort(leases.held.begin(), leases.held.end(),
              [](const store::Fence &a, const store::Fence &b) { return a.partition < b.partition; });
    if (!request.released.isEmpty())
        stir(Stir::Lease, {});
    m_trace.note("db.lease", QString::number(leases.workers), {}, leases.held.size());
    return leases;
}

store::Routes Database::routes(const QStringList &rooms, const QStringList &users) const
{
    store::Routes routes;
    for (const QString &room : rooms) {
        QStringList lanes(m_lanesIn.value(room).cbegin(), m_lanesIn.value(room).cend());
        lanes.sort();
        if (!lanes.isEmpty())
            routes.lanesOfRoom.insert(room, lanes);
    }
    for (const auto &[name, lane] : m_lanes) {
        for (const call::Room &room : lane.rooms) {
            for (const QString &user : users) {
                if (user != name && room.members.contains(user) && !routes.followersOfUser.value(user).contains(name))
                    routes.followersOfUser[user].push_back(name);
            }
        }
    }
    return routes;
}

QVector<store::OwnedCall> Database::announcedCalls() const
{
    QVector<store::OwnedCall> calls;
    for (const auto &[name, lane] : m_lanes) {
        for (const Row &row : lane.calls) {
            if (row.call.live() && row.call.announced)
                calls += store::OwnedCall{name, row.call};
        }
    }
    return calls;
}

QHash<QString, qint64> Database::noticeHeads(qint64 after) const
{
    QHash<QString, qint64> heads;
    for (const auto &[name, lane] : m_lanes) {
        if (!lane.notices.empty() && lane.notices.rbegin()->first > after)
            heads.insert(name, lane.notices.rbegin()->first);
    }
    return heads;
}

void Database::putErrand(const store::Errand &errand, bool answer)
{
    m_errands += Waiting{errand, answer};
    stir(answer ? Stir::Answer : Stir::Errand, answer ? errand.worker : errand.lane);
}

bool Database::withdrawErrand(const QString &id)
{
    return m_errands.removeIf([&id](const Waiting &one) { return !one.answer && one.errand.id == id; }) > 0;
}

QVector<store::Errand> Database::takeErrands(const QVector<int> &partitions)
{
    QVector<store::Errand> taken;
    m_errands.removeIf([&](const Waiting &waiting) {
        const bool ours = !waiting.answer && partitions.contains(store::partitionOf(waiting.errand.lane));
        if (ours)
            taken += waiting.errand;
        return ours;
    });
    return taken;
}

QVector<store::Errand> Database::takeAnswers(const QString &worker)
{
    QVector<store::Errand> taken;
    m_errands.removeIf([&](const Waiting &waiting) {
        const bool ours = waiting.answer && waiting.errand.worker == worker;
        if (ours)
            taken += waiting.errand;
        return ours;
    });
    return taken;
}

} // namespace bridgesim
