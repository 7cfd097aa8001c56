// SPDX-License-Identifier: Apache-2.0
#include "database.h"

#include "machine.h"
#include "store/limits.h"

namespace bridgesim
{

using namespace voip;
using store::StoreError;

namespace
{

bool isOf(const store::Share &share, const QString &lane)
{
    return !share || share->contains(store::partitionOf(lane));
}

bool contains(const QVector<store::InboxEntry> &entries, qint64 seq)
{
    return std::any_of(entries.cbegin(), entries.cend(), [seq](const auto &entry) { return entry.seq == seq; });
}

} // namespace

// --- writes --------------------------------------------------------------------------------------------------------

store::Result<QVector<store::InboxEntry>> Database::accept(const store::InboxBatch &batch)
{
    QVector<store::InboxEntry> added;
    for (const auto &[lane, room] : batch.joins)
        m_lanesIn[room].insert(lane);
    for (const store::InboxEvent &event : batch.events) {
        if (m_seen.contains({event.lane, event.eventId}) && m_defect != Defect::AcceptsRepeats) {
            const auto row = m_inbox.find(m_seen.value({event.lane, event.eventId})); // waits still
            if (row != m_inbox.end() && !contains(added, row->first))
                added += row->second;
            continue;
        }
        m_seen.insert({event.lane, event.eventId}, m_lastSeq + 1);
        const store::InboxEntry entry{++m_lastSeq, event.lane, batch.receivedAt, batch.transactionId, event.body};
        m_inbox.emplace(entry.seq, entry);
        added += entry;
        m_judge.kept(entry, event.eventId);
        if (batch.shared)
            stir(store::Stir::Inbox, event.lane);
    }
    m_trace.note("db.accept", batch.transactionId.left(8), {}, added.size());
    return added;
}

std::optional<StoreError> Database::refusalOf(const store::Commit &commit) const
{
    if (commit.fence && m_defect != Defect::BlindTokens &&
        m_partitions[static_cast<std::size_t>(commit.fence->partition)].token != commit.fence->token)
        return StoreError{StoreError::Kind::Fenced, QStringLiteral("partition %1").arg(commit.fence->partition)};
    const auto found = m_lanes.find(commit.lane);
    if (found == m_lanes.end())
        return {};
    for (const store::OutboxEntry &entry : commit.sends) {
        const auto row = found->second.outbox.find(entry.ref);
        if (row != found->second.outbox.end() && row->second.txnId != entry.txnId)
            return StoreError{StoreError::Kind::Conflict, QStringLiteral("outbox.ref %1").arg(entry.ref)};
    }
    for (const store::Notice &notice : commit.notices) {
        const Lane &lane = found->second;
        const auto known = lane.noticeOf.constFind({notice.callId, notice.seq});
        const bool gone = notice.kind == voiphost::NoticeKind::Undecryptable && known != lane.noticeOf.constEnd() &&
                          !lane.notices.contains(*known); // the clock leapt, and it is told anew
        if (known != lane.noticeOf.constEnd() && !gone && !isKnown(lane, notice))
            return StoreError{StoreError::Kind::Conflict, QStringLiteral("notices.seq %1").arg(notice.seq)};
    }
    return {};
}

// An event that could not be opened is told of again after a restart: the same notice.
bool Database::isKnown(const Lane &lane, const store::Notice &notice)
{
    const auto row = lane.notices.find(lane.noticeOf.value({notice.callId, notice.seq}));
    return notice.kind == voiphost::NoticeKind::Undecryptable && row != lane.notices.end() &&
           row->second.data == notice.data;
}

store::Result<store::Committed> Database::commit(const store::Commit &commit, qint64 wallNow)
{
    if (const auto refusal = refusalOf(commit)) {
        m_trace.note("db.refuses", commit.lane, refusal->message);
        if (refusal->kind != StoreError::Kind::Fenced)
            m_judge.complain("conflict", commit.lane + u' ' + refusal->message);
        return *refusal;
    }
    Lane &lane = m_lanes[commit.lane];
    QHash<QString, call::Call> before;
    for (const call::Call &call : commit.calls)
        before.insert(call.id, lane.calls.value(call.id).call);
    store::Committed committed;
    store::Commit shown = commit;
    for (store::Notice &notice : shown.notices) {
        notice.id = isKnown(lane, notice) ? lane.noticeOf.value({notice.callId, notice.seq}) : ++m_lastNotice;
        notice.lane = commit.lane;
        committed.noticeIds += notice.id;
    }
    shown.notices.removeIf([&lane](const store::Notice &notice) { return isKnown(lane, notice); });
    m_trace.note("db.commit", commit.lane, {},
                 commit.consumed.size() * 10'000 + commit.settledSends.size() * 100 + commit.sends.size());
    m_judge.committed(shown, before, wallNow);
    addRows(lane, shown);
    if (commit.fence && !commit.notices.isEmpty())
        stir(store::Stir::Notice, commit.lane);
    return committed;
}

void Database::addRows(Lane &lane, const store::Commit &commit)
{
    for (const qint64 seq : commit.consumed)
        m_inbox.erase(seq);
    for (const call::Room &room : commit.rooms) {
        lane.rooms.insert(room.id, room);
        if (room.members.contains(commit.lane))
            m_lanesIn[room.id].insert(commit.lane);
        else
            m_lanesIn[room.id].remove(commit.lane);
    }
    for (const call::Call &call : commit.calls) {
        Row &row = lane.calls[call.id];
        row = {call, false};
        if (m_defect == Defect::LosesDeadlines && call.live() && mayFail(5))
            row.call.deadline = std::numeric_limits<qint64>::max() / 2;
    }
    for (const QString &id : commit.forgottenCalls) {
        const auto row = lane.calls.find(id);
        if (row == lane.calls.end())
            continue;
        if (row->call.state == call::State::Early || !row->call.announced)
            lane.calls.erase(row);
        else
            row->forgotten = true;
    }
    for (const store::OutboxEntry &entry : commit.sends) {
        lane.outbox.emplace(entry.ref, entry);
        lane.lastRef = std::max(lane.lastRef, entry.ref);
    }
    for (const store::OutboxEntry &entry : commit.encrypted) {
        if (const auto row = lane.outbox.find(entry.ref); row != lane.outbox.end()) {
            row->second.content = entry.content;
            row->second.form = entry.form;
        }
    }
    for (const qint64 ref : commit.settledSends)
        lane.outbox.erase(ref);
    for (const store::Notice &notice : commit.notices) {
        if (m_defect == Defect::LosesNotice && mayFail(7))
            continue;
        lane.notices.emplace(notice.id, notice);
        lane.noticeOf.insert({notice.callId, notice.seq}, notice.id);
    }
    for (const store::IdempotencyKey &key : commit.keys)
        lane.keys.insert(key.key, key);
    addState(lane, commit);
}

void Database::addState(Lane &lane, const store::Commit &commit)
{
    for (const store::StateRow &row : commit.state) {
        if (m_defect == Defect::LosesRatchets && row.kind == QLatin1String("outbound") && mayFail(3))
            continue;
        if (row.sealed.isEmpty())
            lane.state.erase({row.kind, row.key});
        else
            lane.state.insert_or_assign({row.kind, row.key}, row);
    }
}

void Database::prune(qint64 now)
{
    for (auto &[name, lane] : m_lanes) {
        std::erase_if(lane.notices, [this, &calls = lane.calls, now](const auto &entry) {
            const auto call = calls.constFind(entry.second.callId);
            const bool live = call != calls.constEnd() && call->call.state != call::State::Ended;
            const bool old = entry.second.at < now - store::noticeLife && !live;
            if (old)
                m_pruned.insert({entry.second.callId, entry.second.seq});
            return old;
        });
        lane.keys.removeIf([now](const auto &key) { return key.value().at < now - store::keyLife; });
        lane.calls.removeIf([now](const auto &row) {
            const call::Call &call = row.value().call;
            return call.forgetAt < now && !call.announced && !call.live();
        });
    }
}

void Database::crashed()
{
    if (m_defect == Defect::LosesInbox)
        m_inbox.clear();
}

// --- reads ---------------------------------------------------------------------------------------------------------

QVector<store::LaneRecord> Database::lanes(qint64 now, const store::Share &share) const
{
    QVector<store::LaneRecord> records;
    for (const auto &[name, lane] : m_lanes) {
        if (!isOf(share, name))
            continue;
        store::LaneRecord record;
        record.lane = name;
        record.rooms = QVector<call::Room>(lane.rooms.cbegin(), lane.rooms.cend());
        for (const Row &row : lane.calls) {
            if (!row.forgotten && (row.call.live() || row.call.forgetAt > now))
                record.calls += row.call;
        }
        for (const auto &[ref, entry] : lane.outbox)
            record.outbox += entry;
        record.keys = QVector<store::IdempotencyKey>(lane.keys.cbegin(), lane.keys.cend());
        record.lastRef = lane.lastRef;
        for (const auto &[where, row] : lane.state)
            record.state += row;
        records += record;
    }
    return records;
}

QVector<store::InboxEntry> Database::pending(const store::Share &share, qint64 after) const
{
    QVector<store::InboxEntry> entries;
    for (auto it = m_inbox.upper_bound(after); it != m_inbox.end(); ++it) {
        if (isOf(share, it->second.lane))
            entries += it->second;
    }
    return entries;
}

store::InboxPage Database::page(const store::Share &share, qint64 after, int limit) const
{
    store::InboxPage page;
    page.entries = pending(share, after);
    if (limit > 0 && page.entries.size() > limit)
        page.entries.resize(limit);
    page.last = page.entries.isEmpty() ? after : page.entries.last().seq;
    page.more = limit > 0 && page.entries.size() == limit;
    return page;
}

const Database::Lane &Database::lane(const QString &lane) const
{
    static const Lane none;
    const auto found = m_lanes.find(lane);
    return found == m_lanes.end() ? none : found->second;
}

int Database::liveCalls() const
{
    int live = 0;
    for (const auto &[name, lane] : m_lanes) {
        for (const Row &row : lane.calls)
            live += row.call.live() ? 1 : 0;
    }
    return live;
}

qsizetype Database::outboxSize() const
{
    qsizetype size = 0;
    for (const auto &[name, lane] : m_lanes)
        size += static_cast<qsizetype>(lane.outbox.size());
    return size;
}

QString Database::leftOver() const
{
    QString said;
    for (const auto &[name, lane] : m_lanes) {
        for (const Row &row : lane.calls) {
            if (row.call.live())
                said += QStringLiteral("%1 has call %2 %3; ").arg(name, row.call.id, call::toString(row.call.state));
        }
        for (const auto &[ref, entry] : lane.outbox)
            said += QStringLiteral("%1 has %2 %3 of %4 unsent; ").arg(name).arg(ref).arg(entry.type, entry.callId);
        for (const auto &[where, row] : lane.state) {
            if (row.kind == QLatin1String("to_device"))
                said += QStringLiteral("%1 has keys for others; ").arg(name);
        }
    }
    if (!m_inbox.empty())
        said += QStringLiteral("%1 entries in the inbox; ").arg(m_inbox.size());
    return said;
}

} // namespace bridgesim
