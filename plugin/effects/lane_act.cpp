// SPDX-License-Identifier: Apache-2.0
// What a lane does once its decision is committed: sends, tells, counts, answers.
#include "effects/lane.h"
#include "effects/present.h"
#include "observe/log.h"

namespace voip::effects
{

using namespace voiphost;
using observe::callsLog;

namespace
{

constexpr qsizetype mostActions = 1024; // of the host, waiting in one lane
constexpr qsizetype mostUnsent = 2048;  // in the outbox, of one lane

} // namespace

void Lane::perform(const Decision &decision, const QVector<qint64> &noticeIds)
{
    for (const call::Room &room : decision.commit.rooms) {
        if (room.encrypted)
            keepFromClear(room.id); // before anything else is begun
    }
    for (const qint64 ref : decision.commit.settledSends)
        m_services.outbox.discard(m_id, ref); // if it is still there: taken back, or given up
    for (const qint64 ref : decision.unclear)
        m_services.outbox.release(m_id, ref);
    for (const store::OutboxEntry &entry : decision.commit.sends)
        m_services.outbox.add(entry, decision.candidates.value(entry.ref));
    for (const call::Room &room : decision.commit.rooms)
        Q_EMIT roomChanged(m_id, room);
    for (qsizetype i = 0; i < decision.commit.notices.size(); ++i) {
        store::Notice notice = decision.commit.notices.at(i);
        notice.id = noticeIds.value(i);
        qCInfo(callsLog).noquote() << "call" << notice.callId << "of" << m_userId << "seq" << notice.seq
                                   << toString(notice.kind) << notice.data.value(QLatin1String("reason")).toString();
        Q_EMIT noticed(m_id, toHost(notice, m_userId));
    }
    for (const call::Effect &effect : decision.effects) {
        if (const auto *enter = std::get_if<call::EnterRoom>(&effect))
            Q_EMIT enterRoom(m_id, enter->roomId);
        else if (const auto *dropped = std::get_if<call::Drop>(&effect))
            note(*dropped);
    }
    countNotices(decision.notices, m_services.metrics);
    for (const auto &record : decision.records)
        record();
    for (const auto &reply : decision.replies)
        reply();
    if (!decision.commit.consumed.isEmpty())
        Q_EMIT consumed(decision.commit.consumed);
}

// What nobody can keep up with is refused before it is decided. A call can always be ended.
std::optional<Error> Lane::whyNotNow(const call::Input &input) const
{
    if (std::holds_alternative<call::End>(input) || std::holds_alternative<call::Reject>(input))
        return {};
    if (m_actions >= mostActions)
        return Error{ErrorKind::RateLimited,
                     QStringLiteral("TOO_MANY_REQUESTS"),
                     tr("Too many requests of this user are waiting. Try again later."),
                     {{QStringLiteral("retry_after_ms"), 1000}}};
    if (m_services.outbox.depthOf(m_id) >= mostUnsent) {
        return unavailable(QStringLiteral("HOMESERVER_UNAVAILABLE"),
                           tr("Too much of this user waits for the homeserver. Try again later."));
    }
    return {};
}

// What the administrator's figures and the list of live calls make of the step.
void Lane::observe(const call::Line &before, const QVector<QString> &changed)
{
    for (const QString &id : changed) {
        const auto found = m_line.calls.constFind(id);
        if (found == m_line.calls.constEnd() || !found->announced)
            continue;
        countProgress(before.calls.value(id), *found, m_services.clock.now(), m_services.metrics);
        m_services.board.put(m_userId, present(*found, m_line));
    }
}

void Lane::note(const call::Drop &drop)
{
    using observe::LabelledCounter;
    if (drop.reason == QLatin1String("echo") || drop.reason == QLatin1String("duplicate"))
        m_services.metrics.count(LabelledCounter::Duplicates, drop.reason);
    else if (drop.reason == QLatin1String("undecryptable"))
        m_services.metrics.count(LabelledCounter::Undecryptable, QStringLiteral("no_root_key"));
    else
        m_services.metrics.count(LabelledCounter::RejectedEvents, drop.reason);
    qCDebug(callsLog).noquote() << "event" << drop.eventId << "for" << m_userId << "is not used:" << drop.reason;
}

Expected<FullPlaced> Lane::outcome(const call::Effect &effect, const call::Line &line) const
{
    if (const auto *accepted = std::get_if<call::Accepted>(&effect))
        return FullPlaced{present(line.calls.value(accepted->callId), line), false};
    return errorOf(std::get<call::Refused>(effect));
}

FullCall Lane::present(const call::Call &call, const call::Line &line) const
{
    return toHost(call, line.rooms.value(call.roomId).conversationId);
}

void Lane::tellRoom(const Work &work)
{
    if (!work.input)
        return;
    if (const auto *snapshot = std::get_if<call::RoomSnapshot>(&*work.input))
        Q_EMIT roomKnown(m_id, snapshot->roomId);
}

void Lane::setAlarm(qint64 notBefore)
{
    std::optional<qint64> due = m_line.nextDue();
    if (const auto keys = m_cipher ? m_cipher->nextDue() : std::nullopt)
        due = due ? std::min<qint64>(*due, *keys) : *keys;
    if (due)
        due = std::max(*due, notBefore);
    m_services.alarm.set(m_id, due);
}

} // namespace voip::effects
