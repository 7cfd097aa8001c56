// SPDX-License-Identifier: Apache-2.0
#include "effects/mirror.h"

#include "effects/present.h"

#include <memory>

namespace voip::effects
{

using namespace std::chrono_literals;

namespace
{

constexpr int page = 500;
constexpr auto pollAlone = 250ms; // where nothing tells us
constexpr auto pollBehind = 2s;
constexpr auto settled = 15s; // longer than a transaction takes: ids are given before they are committed

} // namespace

Mirror::Mirror(store::Store &store, Leases &leases, Board &board, UserOf userOf, QObject *parent)
    : QObject(parent), m_store(store), m_leases(leases), m_board(board), m_userOf(std::move(userOf))
{
    connect(&m_store, &store::Store::stirred, this, [this](store::Stir what, const QString &whom) {
        if (!m_poll.isActive())
            return;
        if (what == store::Stir::Notice && !m_leases.holds(whom))
            read(whom);
        else if (what == store::Stir::All)
            poll();
    });
    connect(&m_poll, &QTimer::timeout, this, [this] {
        m_poll.setInterval(m_store.hears() ? pollBehind : pollAlone);
        poll();
    });
    connect(&m_raise, &QTimer::timeout, this, [this] { m_floor = std::exchange(m_nextFloor, m_highest); });
}

void Mirror::start(const std::function<void()> &then)
{
    m_store.noticeHeads(0, this, [this, then](const store::Result<QHash<QString, qint64>> &heads) {
        if (heads.ok())
            m_heads = *heads;
        for (const qint64 head : std::as_const(m_heads))
            m_highest = std::max(m_highest, head);
        m_poll.start(pollAlone);
        m_raise.start(settled);
        m_store.liveCalls(this, [this, then](const store::Result<QVector<store::OwnedCall>> &calls) {
            if (calls.ok()) {
                for (const store::OwnedCall &owned : *calls)
                    m_board.put(m_userOf(owned.lane), toHost(owned.call, {}), m_leases.holds(owned.lane));
            }
            then();
        });
    });
}

void Mirror::told(const QString &lane, qint64 noticeId)
{
    qint64 &head = m_heads[lane];
    head = std::max(head, noticeId);
    m_highest = std::max(m_highest, head);
}

void Mirror::poll()
{
    m_store.noticeHeads(m_floor, this, [this](const store::Result<QHash<QString, qint64>> &heads) {
        if (!heads.ok())
            return;
        for (auto it = heads->cbegin(); it != heads->cend(); ++it) {
            m_highest = std::max(m_highest, it.value());
            if (it.value() > m_heads.value(it.key()) && !m_leases.holds(it.key()))
                read(it.key());
        }
    });
}

void Mirror::settle(const QVector<int> &partitions, const std::function<void()> &then)
{
    m_store.noticeHeads(m_floor, this, [this, partitions, then](const store::Result<QHash<QString, qint64>> &heads) {
        if (heads.ok()) {
            for (auto it = heads->cbegin(); it != heads->cend(); ++it) {
                if (partitions.contains(store::partitionOf(it.key())) && it.value() > m_heads.value(it.key()))
                    read(it.key());
            }
        }
        // The reader answers in order: behind what was just asked for.
        m_store.noticeHeads(m_highest, this, [then](const auto &) { then(); });
    });
}

void Mirror::read(const QString &lane)
{
    const QString user = m_userOf(lane);
    if (user.isEmpty())
        return;
    if (m_reading.contains(lane)) {
        m_reading[lane] = true;
        return;
    }
    m_reading.insert(lane, false);
    m_store.noticesAfter(lane, m_heads.value(lane), page, this, [this, lane, user](const auto &notices) {
        const bool more = m_reading.take(lane) || (notices.ok() && notices->size() == page);
        if (!notices.ok())
            return; // polled again
        QHash<QString, QString> calls;
        for (const store::Notice &notice : *notices) {
            if (notice.id <= m_heads.value(lane))
                continue; // its lane is here by now, and told it
            told(lane, notice.id);
            calls.insert(notice.callId, notice.conversationId);
            Q_EMIT noticed(toHost(notice, user));
        }
        for (auto it = calls.cbegin(); it != calls.cend(); ++it)
            showCall(lane, it.key(), it.value());
        if (more)
            read(lane);
    });
}

void Mirror::showCall(const QString &lane, const QString &callId, const QString &conversationId)
{
    m_store.findCall(lane, callId, this, [this, lane, conversationId](const auto &found) {
        if (found.ok() && *found && !m_leases.holds(lane))
            m_board.put(m_userOf(lane), toHost(**found, conversationId), false);
    });
}

} // namespace voip::effects
