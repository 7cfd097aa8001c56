// SPDX-License-Identifier: Apache-2.0
// The outbox's results, the clock, and coming back after a crash. What is due fires first whatever the input is, so
// that the core's answer does not depend on how punctual the shell's timers are.
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

void Turn::on(const Sent &sent)
{
    const auto call = line().calls.find(sent.callId);
    if (call == line().calls.end() || call->inviteRef != sent.ref)
        return;
    call->inviteRef.reset();
    call->inviteSent = true;
    touch(*call);
}

void Turn::on(const SendFailed &failed)
{
    const auto found = line().calls.find(failed.callId);
    if (found == line().calls.end() || !found->live())
        return;
    Call &call = *found;
    if (call.state == State::Ringing)
        return; // nothing of it was sent yet: the failure is of the call that it replaced (R80)
    if (failed.transient && failed.code == QLatin1String("M_LIMIT_EXCEEDED"))
        return; // R58: only slower
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

void Turn::on(const Restart &)
{
    for (const Room &where : std::as_const(line().rooms)) {
        if (where.has(line().self) && !where.joined(line().self))
            give(EnterRoom{where.id});
    }
    // A phone that rang may have gone with the process: what rings is signalled again (R68). What ran out meanwhile
    // is over already.
    for (Call &call : line().calls) {
        if (call.state == State::Ringing && call.announced)
            notify(call, NoteInitiated{call.remoteSdp});
    }
    announceWaitingCalls(); // R29
}

void Turn::fireDue()
{
    while (true) {
        Call *next = nullptr;
        for (Call &call : line().calls) {
            if (const auto due = dueOf(call); due && *due <= m_now && (!next || *due < *dueOf(*next)))
                next = &call;
        }
        if (!next)
            return;
        Call &call = *next;
        if (call.live() && call.flushAt > 0 && call.flushAt <= call.deadline) {
            flush(call);
            continue;
        }
        switch (call.state) {
        case State::Ringing:
            end(call, EndReason::InviteTimeout); // R30: the callee sends nothing
            break;
        case State::Inviting:
            hangUp(call, EndReason::InviteTimeout); // R31
            break;
        case State::Connecting:
            hangUp(call, EndReason::IceFailed); // R63
            break;
        case State::Connected:
            hangUp(call, EndReason::UserHangup);
            break;
        case State::Early:
        case State::Ended:
            forget(call);
            break;
        }
    }
}

} // namespace voip::call
