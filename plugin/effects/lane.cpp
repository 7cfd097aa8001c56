// SPDX-License-Identifier: Apache-2.0
#include "effects/lane.h"

#include "effects/present.h"
#include "observe/log.h"
#include "protocol/write.h"

#include <QJsonArray>
#include <QRandomGenerator>
#include <QUuid>

#include <algorithm>

namespace voip::effects
{

using namespace voiphost;
using observe::callsLog;

namespace
{

constexpr qint64 keyLife = 24LL * 60 * 60 * 1000;

std::array<std::uint64_t, 4> freshEntropy()
{
    std::array<std::uint64_t, 4> words{};
    for (auto &word : words)
        word = QRandomGenerator::system()->generate64();
    return words;
}

} // namespace

Lane::Lane(QString matrixId, QString userId, LaneServices &services, QObject *parent)
    : QObject(parent), m_id(std::move(matrixId)), m_userId(std::move(userId)), m_services(services)
{
    m_line.self = m_id;
    m_line.settings = services.settings;
    if (services.cipher)
        m_cipher = std::make_unique<Cipher>(*services.cipher, m_id);
    if (m_cipher && !m_cipher->restore({}))
        m_cipher.reset();
    m_again.setSingleShot(true);
    connect(&m_again, &QTimer::timeout, this, &Lane::work);
    connect(&m_services.store, &store::Store::availableChanged, this, [this](bool available) {
        if (available)
            work();
    });
}

Lane::~Lane()
{
    refuseWaiting();
}

void Lane::restore(const store::LaneRecord &record)
{
    for (const call::Room &room : record.rooms)
        m_line.rooms.insert(room.id, room);
    for (const call::Call &call : record.calls) {
        m_line.calls.insert(call.id, call);
        if (call.live() && call.announced)
            m_services.board.put(m_userId, present(call, m_line));
    }
    for (const store::IdempotencyKey &key : record.keys)
        m_keys.insert(key.key, key);
    m_line.nextRef = record.lastRef + 1;
    m_unsent = record.outbox;
    for (store::OutboxEntry &entry : m_unsent) {
        // Decided before the room was encrypted: never in the clear any more.
        if (entry.form == store::Form::Plain && m_line.rooms.value(entry.roomId).encrypted)
            makeWait(entry);
        if (entry.form == store::Form::Waiting)
            m_waiting.insert(entry.ref, entry);
    }
    if (m_cipher && (record.stateDamaged || !m_cipher->restore(record.state))) {
        qCCritical(observe::cryptoLog).noquote()
            << m_id << "cannot read its device and serves no encrypted room: restore the root key, or the database";
        m_cipher.reset();
    }
    for (const call::Room &room : record.rooms)
        Q_EMIT roomChanged(m_id, room); // who waited for it may act at once: last
}

void Lane::resume(bool hostLives)
{
    if (m_cipher && m_cipher->deviceReady())
        m_services.outbox.setDevice(m_id, m_cipher->deviceId());
    const auto unsent = std::exchange(m_unsent, {});
    for (const store::OutboxEntry &entry : unsent)
        m_services.outbox.addRestored(entry);
    take(call::Restart{hostLives});
    takeKeys(LookAgain{});
}

QVector<QString> Lane::announcedCalls() const
{
    QVector<QString> live;
    for (const call::Call &call : m_line.calls) {
        if (call.live() && call.announced)
            live.push_back(call.id);
    }
    return live;
}

void Lane::deliver(const QVector<store::InboxEntry> &entries)
{
    m_queue.push_back({.entries = entries});
    work();
}

void Lane::act(HostAction action)
{
    if (!m_services.store.available()) {
        return action.reply(databaseAway());
    }
    if (const auto busy = whyNotNow(action.input))
        return action.reply(*busy);
    ++m_actions;
    m_queue.push_back({.action = std::move(action)});
    work();
}

void Lane::take(const call::Input &input)
{
    m_queue.push_back({.input = input});
    work();
}

void Lane::takeKeys(const CipherInput &input)
{
    if (!m_cipher)
        return;
    m_queue.push_back({.keys = input});
    work();
}

// --- decide --------------------------------------------------------------------------------------------------------

void Lane::work()
{
    if (m_retired && !m_committing) {
        refuseWaiting();
        if (m_whenIdle)
            std::exchange(m_whenIdle, {})();
        return;
    }
    if (m_committing || m_queue.empty() || m_again.isActive())
        return;
    m_committing = true;
    auto decision = std::make_shared<Decision>();
    decision->line = m_line;
    decision->line.settings.accepting = m_services.accepting(m_userId);
    decision->commit.lane = m_id;
    decision->commit.fence = m_services.fence ? m_services.fence(m_id) : std::nullopt;
    std::deque<Work> works;
    qsizetype entries = 0;
    while (!m_queue.empty() && static_cast<int>(works.size()) < m_together && entries < mostEntries) {
        works.push_back(std::move(m_queue.front()));
        m_queue.pop_front();
        entries += works.back().entries.size();
        m_actions -= works.back().action ? 1 : 0;
        decide(works.back(), *decision);
    }
    for (const QString &id : std::as_const(decision->calls)) {
        const auto found = decision->line.calls.constFind(id);
        if (found != decision->line.calls.constEnd())
            decision->commit.calls.push_back(*found);
        else
            decision->commit.forgottenCalls.push_back(id);
    }
    keepFromClear(*decision);
    if (m_cipher && !sealInto(*decision))
        return finish(decision, std::move(works),
                      store::StoreError{store::StoreError::Kind::Unavailable, QStringLiteral("state not sealed")});
    store::Commit commit = decision->commit;
    m_services.store.commit(std::move(commit), this,
                            [this, decision, works = std::move(works)](const auto &result) mutable {
                                finish(decision, std::move(works), result);
                            });
}

void Lane::decide(const Work &work, Decision &decision)
{
    if (!work.entries.isEmpty()) {
        const QVector<store::InboxEntry> entries = readable(work.entries, decision);
        if (!entries.isEmpty())
            fold(step(m_services.read(entries), entries, decision), decision);
        return;
    }
    if (work.keys)
        return m_cipher->take(*work.keys, decision.line);
    if (work.input) {
        if (const auto *sent = std::get_if<call::Sent>(&*work.input))
            decision.commit.settledSends.push_back(sent->ref);
        if (const auto *failed = std::get_if<call::SendFailed>(&*work.input); failed && !failed->transient)
            decision.commit.settledSends.push_back(failed->ref);
        if (m_cipher && std::holds_alternative<call::Tick>(*work.input))
            m_cipher->take(LookAgain{}, decision.line);
        return fold(step(*work.input, {}, decision), decision);
    }
    const HostAction &action = *work.action;
    if (auto answer = answerWithoutCore(action, decision)) {
        decision.replies.emplace_back([reply = action.reply, answer = std::move(*answer)] { reply(answer); });
        return;
    }
    const call::Step taken = step(action.input, {}, decision);
    for (const call::Effect &effect : taken.effects) {
        if (!std::holds_alternative<call::Accepted>(effect) && !std::holds_alternative<call::Refused>(effect))
            continue;
        decision.replies.emplace_back([reply = action.reply, answer = outcome(effect, taken.line)] { reply(answer); });
        if (action.key && std::holds_alternative<call::Accepted>(effect))
            decision.commit.keys.push_back(*action.key);
    }
    fold(taken, decision);
}

call::Step Lane::step(const call::Input &input, const QVector<store::InboxEntry> &entries, Decision &decision) const
{
    const call::Now now{m_services.clock.now(), freshEntropy()};
    const call::Line before = decision.line;
    call::Step taken = call::transition(decision.line, input, now);
    decision.records.emplace_back(
        [this, before, taken, now, input, entries] { m_services.record(before, taken, now, input, entries); });
    return taken;
}

std::optional<Expected<FullPlaced>> Lane::answerWithoutCore(const HostAction &action, Decision &decision) const
{
    // Accepting a transfer places a call, unless the target is to call us.
    const auto *accept = std::get_if<call::AcceptTransfer>(&action.input);
    const auto *place = accept ? &accept->place : std::get_if<call::Place>(&action.input);
    if (!place || (accept && place->roomId.isEmpty()))
        return {};
    if (action.key) {
        const auto &fresh = decision.commit.keys; // of an action that is decided in the same commit
        const auto same = std::find_if(fresh.cbegin(), fresh.cend(),
                                       [&action](const auto &entry) { return entry.key == action.key->key; });
        const auto found = m_keys.constFind(action.key->key);
        const store::IdempotencyKey *known = same != fresh.cend()         ? &*same
                                             : found != m_keys.constEnd() ? &*found
                                                                          : nullptr;
        if (known && m_services.clock.now() - known->at < keyLife) {
            if (known->requestHash != action.key->requestHash) {
                return Error{ErrorKind::Conflict,
                             QStringLiteral("IDEMPOTENCY_CONFLICT"),
                             tr("This idempotency_key was used for another request."),
                             {}};
            }
            const auto call = decision.line.calls.constFind(known->callId);
            if (call != decision.line.calls.constEnd())
                return FullPlaced{present(*call, decision.line), true};
            return Error{
                ErrorKind::NotFound, QStringLiteral("CALL_NOT_FOUND"), known->callId, {}}; // asked of the store
        }
    }
    if (m_services.draining())
        return stopping();
    if (!decision.line.settings.accepting) {
        m_services.metrics.count(observe::LabelledCounter::Fallback, QStringLiteral("rollout"));
        return unavailable(QStringLiteral("FALLBACK"), tr("Matrix calls are switched off for this user."));
    }
    if (decision.line.rooms.value(place->roomId).encrypted) {
        if (!m_cipher) {
            m_services.metrics.count(observe::LabelledCounter::Fallback, QStringLiteral("encrypted_room"));
            return unavailable(QStringLiteral("FALLBACK"),
                               tr("This room is encrypted, and the bridge has no root key to keep keys with."));
        }
        decision.toPrepare.push_back(place->roomId); // while candidates are gathered (E17)
    }
    return {};
}

void Lane::fold(const call::Step &step, Decision &decision)
{
    decision.line = step.line;
    for (const QString &id : step.changedCalls) {
        if (!decision.calls.contains(id))
            decision.calls.push_back(id);
    }
    for (const QString &id : step.changedRooms)
        decision.commit.rooms.push_back(step.line.rooms.value(id));
    QStringList silent; // calls whose invite was taken back before anybody saw it: nothing more is to be said of them
    for (const call::Effect &effect : step.effects) {
        decision.effects.push_back(effect);
        if (const auto *unsend = std::get_if<call::Unsend>(&effect)) {
            if (withdraw(*unsend, decision))
                silent.push_back(unsend->callId);
        } else if (const auto *send = std::get_if<call::Send>(&effect)) {
            if (!silent.contains(send->callId))
                addSend(*send, decision);
        } else if (const auto *notify = std::get_if<call::Notify>(&effect)) {
            addNotice(*notify, decision);
        }
    }
}

// Takes back an invite and, if nobody can have seen it, all of its call that waits behind it. Says whether nobody has.
bool Lane::withdraw(const call::Unsend &unsend, Decision &decision)
{
    auto &fresh = decision.commit.sends; // decided in the same commit: not even in the outbox
    const bool unborn =
        std::any_of(fresh.cbegin(), fresh.cend(), [&unsend](const auto &entry) { return entry.ref == unsend.ref; });
    QVector<qint64> unseen = unborn ? QVector<qint64>() : m_services.outbox.hold(m_id, unsend.ref);
    if (unborn || !unseen.isEmpty())
        fresh.removeIf([&unsend](const auto &e) { return e.callId == unsend.callId && e.ref >= unsend.ref; });
    if (unborn)
        return true;
    const bool silent = !unseen.isEmpty();
    if (!silent)
        unseen.push_back(unsend.ref); // it may be there already, but it is not sent again
    decision.withdrawn += unseen;
    decision.commit.settledSends += unseen;
    return silent;
}

void Lane::addSend(const call::Send &send, Decision &decision) const
{
    store::OutboxEntry entry;
    entry.lane = m_id;
    entry.ref = send.ref;
    entry.callId = send.callId;
    entry.roomId = send.roomId;
    entry.type = protocol::eventType(send.content);
    entry.content = protocol::eventContent(send);
    entry.txnId = QUuid::createUuid().toString(QUuid::WithoutBraces); // one space for all ghosts (R111)
    entry.createdAt = m_services.clock.now();
    entry.notAfter = send.notAfter;
    if (const auto candidates = entry.content.value(QLatin1String("candidates")).toArray(); !candidates.isEmpty())
        decision.candidates.insert(entry.ref, static_cast<int>(candidates.size()));
    if (decision.line.rooms.value(send.roomId).encrypted) {
        entry.form = store::Form::Waiting; // until the end of the step, if all keys are there
        if (!m_cipher)
            makeWait(entry);
    }
    decision.commit.sends.push_back(entry);
}

void Lane::addNotice(const call::Notify &notify, Decision &decision) const
{
    store::Notice notice;
    notice.lane = m_id;
    notice.callId = notify.callId;
    notice.conversationId = notify.conversationId;
    notice.seq = notify.seq;
    notice.kind = kindOf(notify.content);
    notice.data = protocol::noticeData(notify);
    notice.at = m_services.clock.now();
    decision.notices.push_back(notify);
    decision.commit.notices.push_back(notice);
}

// --- commit --------------------------------------------------------------------------------------------------------

void Lane::finish(const std::shared_ptr<Decision> &decision, std::deque<Work> works,
                  const store::Result<store::Committed> &result)
{
    if (!result.ok()) {
        for (const qint64 ref : decision->withdrawn + decision->unclear)
            m_services.outbox.release(m_id, ref);
        if (m_cipher)
            m_cipher->revert();
        m_committing = false;
        return giveBack(std::move(works), result.error());
    }
    m_together = mostTogether;
    const call::Line before = std::exchange(m_line, decision->line);
    remember(decision->commit.keys);
    observe(before, decision->calls);
    if (m_cipher)
        concludeKeys(*decision);
    perform(*decision, result->noticeIds);
    QVector<qint64> lookedAt;
    for (const Work &work : works) {
        for (const store::InboxEntry &entry : work.entries)
            lookedAt.push_back(entry.seq);
        tellRoom(work);
    }
    if (!lookedAt.isEmpty())
        Q_EMIT seen(lookedAt);
    if (m_cipher)
        performKeys(*decision);
    setAlarm();
    m_committing = false; // only now: what comes in meanwhile must not be decided in the middle of this
    work();
}

void Lane::remember(const QVector<store::IdempotencyKey> &keys)
{
    if (keys.isEmpty())
        return;
    m_keys.removeIf([now = m_services.clock.now()](const auto &entry) { return now - entry.value().at >= keyLife; });
    for (const store::IdempotencyKey &key : keys)
        m_keys.insert(key.key, key);
}

} // namespace voip::effects
