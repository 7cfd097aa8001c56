// SPDX-License-Identifier: Apache-2.0
// What the intake reads of the store: what is kept and in no lane's hands.
#include "intake/intake.h"

#include <algorithm>

namespace voip::intake
{

namespace
{

constexpr int settledMs = 15'000; // longer than a transaction takes: seqs are given before they are committed

} // namespace

void Intake::resume(const QVector<store::InboxEntry> &pending)
{
    m_open = true;
    if (m_shared) {
        m_poll.start(pollMs);
        m_raise.start(settledMs);
    }
    QVector<store::InboxEntry> ours;
    std::copy_if(pending.cbegin(), pending.cend(), std::back_inserter(ours),
                 [this](const store::InboxEntry &entry) { return m_router.isBridged(entry.lane); });
    spread(ours);
}

void Intake::setServed(const QVector<int> &partitions)
{
    m_served = partitions;
    ++m_round;
    m_inHand.removeIf([this](const auto &entry) {
        if (m_served.contains(entry.value()))
            return false;
        m_waitingBytes -= m_waiting.take(entry.key());
        return true;
    });
    tellDepth();
    fetch(true);
}

void Intake::fetch(bool everything)
{
    m_fetchAll = m_fetchAll || everything;
    if (m_fetching || !m_open || (m_shared && m_served.isEmpty())) {
        m_fetchAgain = m_fetching;
        return;
    }
    m_fetching = true;
    m_fetchAgain = false;
    m_consumedMeanwhile.clear();
    const qint64 after = std::exchange(m_fetchAll, false) ? 0 : m_floor;
    const store::Share share = m_shared ? store::Share(m_served) : store::Share();
    m_store.pendingInbox(share, after, this, [this, after, round = m_round](const auto &pending) {
        m_fetching = false;
        if (round == m_round && pending.ok()) {
            QVector<store::InboxEntry> fresh;
            for (const store::InboxEntry &entry : *pending) {
                m_highest = std::max(m_highest, entry.seq);
                if (!m_inHand.contains(entry.seq) && !m_consumedMeanwhile.contains(entry.seq) &&
                    m_router.isBridged(entry.lane))
                    fresh.push_back(entry);
            }
            spread(fresh);
        } else if (after == 0) {
            m_fetchAll = true; // read anew, or asked again by the poll
            m_unheard = !m_shared;
        }
        if (m_fetchAgain || round != m_round)
            fetch(false);
    });
}

} // namespace voip::intake
