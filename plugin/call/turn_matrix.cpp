// SPDX-License-Identifier: Apache-2.0
// Call events from Matrix. Each handler first finds out whether the event is for this line and from the right party,
// and says so with a Drop if not; then it moves the call.
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

void Turn::on(const MatrixBatch &batch)
{
    m_batch = &batch;
    for (const MatrixEvent &event : batch.events)
        std::visit([this](const auto &what) { take(what); }, event);
    m_batch = nullptr;
    announceRung(std::exchange(m_rung, {})); // R28: only now that the whole batch is seen
}

// --- events of a call that should be known -------------------------------------------------------------------------

Call *Turn::dealWith(const CallHead &event)
{
    const Call *known = line().find(event.roomId, event.callId, event.sender);
    if (!known) {
        drop(event, "unknown_call");
        return nullptr;
    }
    if (event.sender == line().self && event.partyId == known->ourParty) {
        drop(event, "echo"); // R10
        return nullptr;
    }
    if (known->state == State::Ended) {
        drop(event, "ended"); // R66
        return nullptr;
    }
    if (known->preparing()) {
        drop(event, "not_sent_yet"); // its id is known from a transfer only
        return nullptr;
    }
    return &line().calls[known->id];
}

// R41: another device of our own user dealt with a call that we have not answered.
bool Turn::takenElsewhere(const Call &call, const CallHead &event) const
{
    return event.sender == line().self && call.state == State::Ringing;
}

void Turn::take(const AnswerEvent &event)
{
    if (event.sender == line().self && !line().find(event.roomId, event.callId, event.sender))
        return entomb(event); // R41, before its invite
    Call *call = dealWith(event);
    if (!call)
        return;
    if (call->side == Side::Theirs) {
        if (takenElsewhere(*call, event))
            return end(*call, EndReason::AnsweredElsewhere); // R41
        return drop(event, "not_party");
    }
    if (call->state != State::Inviting)
        return drop(event, "late_answer"); // R36
    if (event.sender != call->peer)
        return drop(event, "not_invitee");
    call->opponent = event.party();
    call->version = std::min(call->version, event.version);
    call->remoteSdp = event.sdp;
    call->remoteStreams = renewedBy({}, event.streams);
    call->peerCan = event.can;
    const Streams invited = withMute(call->localStreams, call->invitedMute);
    connecting(*call);
    if (event.version > 0 && !event.partyId.isEmpty())
        send(*call, OutSelectAnswer{event.partyId}); // R37, R48
    holdBack(*call, Fold::Answer);
    if (!(call->muted == call->invitedMute))
        sendStreams(*call, invited); // muted while it rang
    tookOver(*call);
}

void Turn::takeRejection(Call &call, const Party &party, int version, EndReason reason)
{
    call.opponent = party;
    if (version > 0 && !party.id.isEmpty())
        send(call, OutSelectAnswer{party.id}); // R37: for a reject too
    bury(call, reason);
    notify(call, NoteRejected{reason});
}

void Turn::take(const RejectEvent &event)
{
    if (!line().find(event.roomId, event.callId, event.sender))
        return entomb(event); // R67
    Call *call = dealWith(event);
    if (!call)
        return;
    if (call->side == Side::Theirs) {
        if (takenElsewhere(*call, event))
            return end(*call, EndReason::AnsweredElsewhere); // R41
        return drop(event, "not_party");
    }
    if (call->state != State::Inviting)
        return drop(event, "late_reject"); // R43
    if (event.sender != call->peer)
        return drop(event, "not_invitee");
    takeRejection(*call, event.party(), event.version, EndReason::Rejected);
}

// The peer whom we have asked to talk to somebody else hangs up: that is what we wanted.
EndReason Turn::endReasonOf(const Call &call, EndReason said) const
{
    const bool asked = call.transfer && call.transfer->kind == Transfer::Kind::WeAsk;
    return asked && !isFailure(said) ? EndReason::Transferred : said;
}

void Turn::take(const HangupEvent &event)
{
    if (!line().find(event.roomId, event.callId, event.sender))
        return entomb(event); // R67
    if (event.sender == line().self)
        seeOwnHangup(event);
    Call *call = dealWith(event);
    if (!call)
        return;
    switch (call->state) {
    case State::Early:
        call->opponent = event.party();
        return bury(*call, event.reason);
    case State::Inviting:
        // Before an answer there is no opponent to hang up; v0 says reject so (R65), and "busy" is said so (R46).
        if (event.sender == call->peer && (event.version == 0 || event.reason == EndReason::UserBusy))
            return takeRejection(*call, event.party(), 0,
                                 event.version == 0 ? EndReason::Rejected : EndReason::UserBusy);
        return drop(event, "not_party");
    case State::Ringing:
        if (event.version == 0 && takenElsewhere(*call, event))
            return end(*call, EndReason::AnsweredElsewhere); // R41, R65: how v0 rejects
        [[fallthrough]];
    case State::Connecting:
    case State::Connected:
        if (!call->isOpponent(event.party()))
            return drop(event, "not_party"); // R65
        return end(*call, endReasonOf(*call, event.reason));
    case State::Ended:
        return;
    }
}

void Turn::take(const SelectAnswerEvent &event)
{
    const bool known = line().find(event.roomId, event.callId, event.sender) != nullptr;
    if (!known && !event.selectedPartyId.isEmpty())
        return entomb(event); // somebody else has answered, and its invite is late
    Call *call = dealWith(event);
    if (!call)
        return;
    if (call->side == Side::Ours || event.selectedPartyId.isEmpty())
        return drop(event, "not_callee"); // R45
    if (!call->isOpponent(event.party()))
        return drop(event, "not_party");
    if (event.selectedPartyId == call->ourParty)
        return;                               // as it should be
    end(*call, EndReason::AnsweredElsewhere); // R38, R39
}

// --- what is told only when the whole batch is seen -----------------------------------------------------------------

// A room is known now: calls that waited for it may ring.
void Turn::announceWaitingCalls()
{
    QVector<QString> ids;
    for (const Call &call : std::as_const(line().calls)) {
        if (call.state == State::Ringing && !call.announced)
            ids.push_back(call.id);
    }
    announceRung(ids);
}

// Tells the host of calls that ring and that it has not heard of, once their room is known; and of those that took the
// place of its own (R80).
void Turn::announceRung(const QVector<QString> &ids)
{
    for (const QString &id : ids) {
        Call &call = line().calls[id];
        if (call.state != State::Ringing || call.announced || call.fold != Fold::None)
            continue;
        const Room room = line().rooms.value(call.roomId);
        if (!room.joined(line().self))
            continue; // EnterRoom is under way
        if (room.joinRule == JoinRule::Public)
            bury(call, EndReason::Unavailable); // R19
        else if (call.deadline - m_now < line().settings.leastTimeToRing)
            bury(call, EndReason::InviteTimeout); // R27: entering the room took too long
        else
            holdBack(call, Fold::Offer);
    }
    for (const QString &id : std::exchange(m_yielded, {})) {
        Call &call = line().calls[id];
        if (call.state == State::Ringing)
            holdBack(call, Fold::Offer);
    }
}

void Turn::announce(Call &call)
{
    if (std::exchange(call.announced, true))
        notify(call, NoteGlare{call.remoteSdp, call.remoteStreams, call.peerCan, foldedFor(call)});
    else
        notify(call, NoteInitiated{call.remoteSdp, call.remoteStreams, call.peerCan, foldedFor(call), call.replaces});
    deliverWaiting(call);
}

void Turn::take(const UnusableEvent &event)
{
    drop(event, event.reason);
}

} // namespace voip::call
