// SPDX-License-Identifier: Apache-2.0
// What the intake reads of the store: what is kept and in no lane's hands, page by page in the order of acceptance. A
// reading goes from the floor (or the start) to a page that is not full; what comes meanwhile is read by the next one.
#include "intake/intake.h"
#include "intake/size.h"

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
        if (m_served.contains(entry.value().partition))
            return false;
        m_waitingBytes -= m_waiting.take(entry.key());
        m_inHandBytes -= entry.value().bytes;
        return true;
    });
    m_nobodys.clear(); // everything is read anew
    m_nobodysBytes = 0;
    tellDepth();
    if (!m_fetching) // a page that comes sees the round
        m_reading = m_paused = false;
    fetch(true);
}

void Intake::fetch(bool everything)
{
    m_fetchAll = m_fetchAll || everything;
    if (m_reading || !m_open || (m_shared && m_served.isEmpty())) {
        m_fetchAgain = m_reading;
        return;
    }
    m_reading = true;
    m_fetchAgain = false;
    m_fromStart = std::exchange(m_fetchAll, false);
    m_cursor = m_fromStart ? 0 : m_floor;
    m_settledThen = m_settled;
    readOn();
}

void Intake::readOn()
{
    m_fetching = true;
    m_paused = false;
    m_consumedMeanwhile.clear();
    const store::Share share = m_shared ? store::Share(m_served) : store::Share();
    m_store.inboxPage(share, m_cursor, pageRows, this, [this, round = m_round](const auto &page) {
        m_fetching = false;
        if (round == m_round && page.ok()) {
            takePage(*page);
        } else {
            m_fetchAgain = m_fetchAgain || round != m_round;
            endReading(false);
        }
    });
}

void Intake::takePage(const store::InboxPage &page)
{
    auto end = page.entries.cend();
    if (page.more) { // a transaction that may go on in the next page is left to it (R28), unless it fills this one
        while (end != page.entries.cbegin() && (end - 1)->transactionId == page.entries.last().transactionId)
            --end;
        if (end == page.entries.cbegin())
            end = page.entries.cend();
    }
    m_cursor = end == page.entries.cend() ? page.last : (end - 1)->seq;
    m_highest = std::max(m_highest, m_cursor);
    const auto setAside = [this](qint64 seq, int partition, qsizetype bytes) {
        if (!m_nobodys.contains(seq))
            m_nobodysBytes += bytes;
        m_nobodys.insert(seq, {partition, bytes});
    };
    QVector<store::InboxEntry> fresh;
    for (auto it = page.entries.cbegin(); it != end; ++it) {
        if (!m_router.isBridged(it->lane))
            setAside(it->seq, store::partitionOf(it->lane), bytesOf(it->body));
        else if (!m_inHand.contains(it->seq) && !m_consumedMeanwhile.contains(it->seq))
            fresh.push_back(*it);
    }
    for (const qint64 seq : page.unreadable)
        setAside(seq, -1, 0);
    spread(fresh);
    if (!page.more)
        return endReading(true);
    m_paused = true;
    readOnIfDue();
}

void Intake::readOnIfDue()
{
    if (m_paused && m_waiting.size() <= pageRows / 2)
        readOn();
}

// Only a reading that began after seqs were settled, and got to the end, has seen all of them.
void Intake::endReading(bool whole)
{
    m_reading = m_paused = false;
    if (whole) {
        m_floor = std::max(m_floor, m_settledThen);
    } else if (m_fromStart) { // read anew, or asked again by the poll
        m_fetchAll = true;
        m_unheard = !m_shared;
    }
    if (m_fetchAgain)
        fetch(false);
}

} // namespace voip::intake
