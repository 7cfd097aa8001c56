// SPDX-License-Identifier: Apache-2.0
// What several workers on one database ask of it.
#include "simstore.h"

namespace bridgesim
{

using namespace voip;
using store::Reply;
using store::Result;
using voiphost::Done;

// Words get lost, and come late.
void SimStore::hear(store::Stir what, const QString &whom)
{
    if (m_life->dead || away() || m_chance.percent(10))
        return;
    m_loop.after(m_chance.between(1, 15), [this, alive = QPointer(this), what, whom] {
        if (alive && !m_life->dead && m_open)
            Q_EMIT stirred(what, whom);
    });
}

void SimStore::lease(store::LeaseRequest request, QObject *context, Reply<store::Leases> reply)
{
    submit<store::Leases>(context, std::move(reply),
                          [this, request] { return Result<store::Leases>(m_database.lease(request, m_loop.now())); });
}

void SimStore::findRoutes(const QStringList &rooms, const QStringList &users, QObject *context,
                          Reply<store::Routes> reply)
{
    read<store::Routes>(context, std::move(reply), [this, rooms, users] { return m_database.routes(rooms, users); });
}

void SimStore::liveCalls(QObject *context, Reply<QVector<store::OwnedCall>> reply)
{
    read<QVector<store::OwnedCall>>(context, std::move(reply), [this] { return m_database.announcedCalls(); });
}

void SimStore::liveCallsOf(const QString &lane, QObject *context, Reply<QVector<call::Call>> reply)
{
    read<QVector<call::Call>>(context, std::move(reply), [this, lane] {
        QVector<call::Call> calls;
        for (const Database::Row &row : m_database.lane(lane).calls) {
            if (row.call.live() && row.call.announced)
                calls += row.call;
        }
        return calls;
    });
}

void SimStore::roomsOf(const QString &lane, QObject *context, Reply<QVector<call::Room>> reply)
{
    read<QVector<call::Room>>(context, std::move(reply), [this, lane] {
        const auto &rooms = m_database.lane(lane).rooms;
        return QVector<call::Room>(rooms.cbegin(), rooms.cend());
    });
}

void SimStore::noticeHeads(qint64 afterId, QObject *context, Reply<QHash<QString, qint64>> reply)
{
    read<QHash<QString, qint64>>(context, std::move(reply),
                                 [this, afterId] { return m_database.noticeHeads(afterId); });
}

void SimStore::sendErrand(store::Errand errand, QObject *context, Reply<Done> reply)
{
    submit<Done>(context, std::move(reply), [this, errand] {
        m_database.putErrand(errand, false);
        return Result<Done>(Done{});
    });
}

void SimStore::withdrawErrand(const QString &id, QObject *context, Reply<bool> reply)
{
    submit<bool>(context, std::move(reply), [this, id] { return Result<bool>(m_database.withdrawErrand(id)); });
}

void SimStore::takeErrands(const QVector<int> &partitions, QObject *context, Reply<QVector<store::Errand>> reply)
{
    submit<QVector<store::Errand>>(context, std::move(reply), [this, partitions] {
        return Result<QVector<store::Errand>>(m_database.takeErrands(partitions));
    });
}

void SimStore::answerErrand(store::Errand answer, QObject *context, Reply<Done> reply)
{
    submit<Done>(context, std::move(reply), [this, answer] {
        m_database.putErrand(answer, true);
        return Result<Done>(Done{});
    });
}

void SimStore::takeAnswers(const QString &worker, QObject *context, Reply<QVector<store::Errand>> reply)
{
    submit<QVector<store::Errand>>(context, std::move(reply), [this, worker] {
        return Result<QVector<store::Errand>>(m_database.takeAnswers(worker));
    });
}

} // namespace bridgesim
