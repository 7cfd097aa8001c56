// SPDX-License-Identifier: Apache-2.0
// When a lane's step could not be committed: nothing has happened, and what was to be decided is decided anew, or, if
// it can never be, given up alone.
#include "effects/lane.h"
#include "effects/present.h"
#include "observe/log.h"

#include <algorithm>

namespace voip::effects
{

using namespace voiphost;
using observe::callsLog;

namespace
{

constexpr qint64 brokenPause = 5000;

} // namespace

void Lane::retire(std::function<void()> then)
{
    m_retired = true;
    m_whenIdle = std::move(then);
    work();
}

void Lane::refuseWaiting()
{
    m_actions = 0;
    for (const Work &work : std::exchange(m_queue, {})) {
        if (work.action)
            work.action->reply(m_retired ? moving() : stopping());
    }
}

// Nothing was decided. Inputs that nobody waits for are kept until they can be committed.
void Lane::giveBack(std::deque<Work> works, const store::StoreError &error)
{
    if (error.kind == store::StoreError::Kind::Fenced) {
        for (auto it = works.rbegin(); it != works.rend(); ++it)
            m_queue.push_front(std::move(*it));
        m_retired = true;
        Q_EMIT fenced(m_id);
        return work();
    }
    const bool passing = error.kind == store::StoreError::Kind::Unavailable;
    if (!passing && works.size() == 1 && works.front().entries.size() > 1) { // it is one of them
        const QVector<store::InboxEntry> entries = works.front().entries;
        for (auto it = entries.crbegin(); it != entries.crend(); ++it)
            m_queue.push_front({.entries = {*it}});
        m_together = 1;
        return m_again.start(0);
    }
    if (!passing && works.size() == 1) {
        drop(works.front(), error);
        return work();
    }
    if (!passing)
        m_together = 1;
    for (auto it = works.rbegin(); it != works.rend(); ++it) {
        if (it->action && passing) {
            it->action->reply(databaseAway());
        } else {
            m_actions += it->action ? 1 : 0;
            m_queue.push_front(std::move(*it));
        }
    }
    m_again.start(passing ? 500 : 0);
}

// This one can never be committed: without it the others can.
void Lane::drop(Work &broken, const store::StoreError &error)
{
    qCCritical(callsLog).noquote() << "An input of" << m_id << "cannot be stored and is dropped:" << error.message;
    m_services.metrics.count(observe::LabelledCounter::RejectedEvents, QStringLiteral("not_storable"));
    m_together = mostTogether;
    if (broken.action)
        broken.action->reply(unavailable(QStringLiteral("NOT_STORABLE"), tr("The bridge could not store this.")));
    if (!broken.entries.isEmpty()) {
        store::Commit skip;
        skip.lane = m_id;
        skip.fence = m_services.fence ? m_services.fence(m_id) : std::nullopt;
        for (const store::InboxEntry &entry : std::as_const(broken.entries))
            skip.consumed.push_back(entry.seq);
        const QVector<qint64> seqs = skip.consumed;
        m_services.store.commit(std::move(skip), this, [this, seqs](const auto &) { Q_EMIT consumed(seqs); });
    }
    tellRoom(broken); // nobody waits for it for ever
    if (const auto *failed = broken.input ? std::get_if<call::SendFailed>(&*broken.input) : nullptr)
        m_services.outbox.discard(m_id, failed->ref);
    // It may have been the tick of a deadline: the deadline stands, but must not spin.
    setAlarm(m_services.clock.now() + brokenPause);
}

} // namespace voip::effects
