// SPDX-License-Identifier: Apache-2.0
// The outbox's results, the clock, and coming back after a crash. What is due fires first whatever the input is, so
// that the core's answer does not depend on how punctual the shell's timers are.
#include "call/turn.h"

#include <algorithm>
#include <limits>

namespace voip::call
{

void Turn::on(const Sent &sent)
{
    const auto call = line().calls.find(sent.callId);
    if (call == line().calls.end())
        return;
    if (call->limited && call->candidatesRef == sent.ref) {
        call->limited = false;
        touch(*call);
        if (call->live())
            scheduleFlush(*call); // R58: in one event, what was gathered meanwhile
    }
    if (call->inviteRef != sent.ref)
        return;
    call->inviteRef.reset();
    call->inviteSent = true;
    touch(*call);
}

// What was given up does not end an answered call: a negotiation (R73), what is only told, and what was just too late
// but for the answer itself.
bool Turn::isMinor(const Call &call, const SendFailed &failed)
{
    const bool late = failed.code == QLatin1String("expired") && call.answered() && failed.ref != call.answerRef;
    return late || call.minorRefs.contains(failed.ref);
}

void Turn::on(const SendFailed &failed)
{
    const auto found = line().calls.find(failed.callId);
    if (found == line().calls.end() || !found->live())
        return;
    Call &call = *found;
    if (call.state == State::Ringing || failed.ref < call.firstRef)
        return; // the failure is of the call that it replaced (R80)
    if (failed.transient && failed.code == QLatin1String("M_LIMIT_EXCEEDED")) { // R58: only slower
        if (failed.ref <= call.candidatesRef) { // they wait behind it, if they are not it
            call.limited = true;
            call.flushAt = 0;
            touch(call);
        }
        return;
    }
    if (!failed.transient && isMinor(call, failed)) {
        if (call.candidatesRef == failed.ref && std::exchange(call.limited, false)) {
            touch(call);
            scheduleFlush(call); // they were given up, those that came after them were not
        }
        // Our offer is void, or our answer did not get there: the host must know that nothing was agreed.
        if (call.negotiation.ref == failed.ref && call.negotiation.offer != Offer::Theirs)
            failNegotiation(call, failed.code);
        return;
    }
    if (!call.unavailableTold) {
        call.unavailableTold = true;
        notify(call, NoteUnavailable{failed.code});
    }
    if (failed.transient)
        return; // the outbox goes on trying; the deadline stands
    if (call.inviteRef == failed.ref)
        end(call, EndReason::Unavailable); // nobody heard of it
    else
        hangUp(call, EndReason::Unavailable); // R58: the other side has the call and shall not wait for the rest
}

void Turn::on(const Tick &)
{
    // What is due fires before every input.
}

// The wall clock was set back while nobody was there, or that of the worker before was ahead: what is due keeps its
// distance, or a call would live on for as long as the clock was wrong.
void Turn::followClock()
{
    for (Call &call : line().calls) {
        const Millis ahead = std::max(call.createdAt, call.answeredAt.value_or(0)) - m_now;
        if (!call.live() || ahead <= 0)
            continue;
        call.createdAt -= ahead;
        if (call.answeredAt)
            *call.answeredAt -= ahead;
        Millis none = 0;
        for (Millis *due : {&call.deadline, &call.expiresAt, &call.gatherUntil, &call.foldUntil, &call.flushAt,
                            &call.resumeBy, &call.negotiation.until, call.transfer ? &call.transfer->until : &none}) {
            if (*due > 0)
                *due = std::max<Millis>(1, *due - ahead);
        }
        touch(call);
    }
}

void Turn::on(const Restart &restart)
{
    const QVector<QString> fired = m_step.changedCalls;
    followClock();
    for (const Room &where : std::as_const(line().rooms)) {
        if (where.has(line().self) && !where.joined(line().self))
            give(EnterRoom{where.id});
    }
    // A phone that rang may have gone with the process: what rings is signalled again (R68). What ran out meanwhile
    // is over already.
    for (Call &call : line().calls) {
        if (restart.hostLives)
            continue;
        const bool told = fired.contains(call.id); // just now: it was kept back until now
        if (call.state == State::Ringing && call.announced && call.fold == Fold::None && !told)
            notify(call, NoteInitiated{call.remoteSdp, call.remoteStreams, call.peerCan, {}, call.replaces});
        // Media goes on without us. Whether it does only the host can say; a call of which nobody says it is not kept.
        if (call.answered() && call.resumeBy == 0 && line().settings.resumeTimeout > 0) {
            call.resumeBy = m_now + line().settings.resumeTimeout;
            touch(call);
        }
    }
    announceWaitingCalls(); // R29
}

void Turn::fireDue()
{
    while (m_now >= line().quietUntil.at) {
        const Call *next = nullptr;
        Millis earliest = std::numeric_limits<Millis>::max();
        for (const Call &call : std::as_const(line().calls)) {
            if (const Millis due = dueOf(call); due < earliest) {
                next = &call;
                earliest = due;
            }
        }
        if (!next || earliest > m_now) {
            line().quietUntil.at = earliest;
            return;
        }
        fire(line().calls[next->id], earliest);
    }
}

// What this input changed may be due earlier than all else.
Step Turn::finish() &&
{
    for (const QString &id : std::as_const(m_step.changedCalls)) {
        if (const auto call = line().calls.constFind(id); call != line().calls.constEnd())
            line().quietUntil.at = std::min(line().quietUntil.at, dueOf(*call));
    }
    return std::move(m_step);
}

void Turn::fire(Call &call, Millis due)
{
    if (call.live() && call.deadline <= m_now)
        return fireDeadline(call); // late, after a restart: what was to be done before its end is void
    if (call.gatherUntil == due)
        return sendDescription(call);
    if (call.flushAt == due)
        return flush(call);
    if (call.foldUntil == due)
        return unfold(call);
    if (call.negotiation.until == due) {
        const bool untold = call.fold == Fold::NegotiatedOffer;
        if (untold) {
            call.fold = Fold::None;
            call.foldUntil = 0;
        }
        // The host's own offer may be void because of theirs (R76), and that was not told, either.
        if (untold && !std::exchange(call.negotiation.rollback, false))
            return settle(call);
        return failNegotiation(call, QStringLiteral("timeout")); // R73: ours or theirs; the call itself goes on
    }
    if (call.transfer && call.transfer->until == due) {
        const bool asked = call.transfer->kind != Transfer::Kind::WeAsk;
        if (asked && call.live())
            sendMinor(call, OutRejectReplacement{call.transfer->replacementId}); // R103
        return failTransfer(call, QStringLiteral("timeout"));
    }
    if (call.resumeBy == due)
        return hangUp(call, EndReason::UnknownError); // R68
    fireDeadline(call);
}

void Turn::fireDeadline(Call &call)
{
    switch (call.state) {
    case State::Ringing:
        return end(call, EndReason::InviteTimeout); // R30: the callee sends nothing
    case State::Inviting:
        return hangUp(call, EndReason::InviteTimeout); // R31
    case State::Connecting:
        return hangUp(call, EndReason::IceFailed); // R63
    case State::Connected:
        return hangUp(call, call.interrupted ? EndReason::IceTimeout : EndReason::UserHangup); // R63
    case State::Early:
    case State::Ended:
        return forget(call);
    }
}

} // namespace voip::call
