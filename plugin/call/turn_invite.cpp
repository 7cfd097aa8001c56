// SPDX-License-Identifier: Apache-2.0
// Invites from Matrix: which of them ring, which are passed over and why, and what becomes of two that cross (glare).
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

namespace
{

constexpr int maxHearsay = 512; // early calls and tombstones of calls that never rang
constexpr int maxHearsayOfRoom = 64;

} // namespace

QString Turn::whyNotRing(const InviteEvent &event, const Call *known) const
{
    const auto because = [](const char *reason) { return QString::fromLatin1(reason); };
    if (event.sender == line().self)
        return because(known && known->ourParty == event.partyId ? "echo" : "own_user"); // R10, R17
    const auto room = line().rooms.constFind(event.roomId);
    if (room == line().rooms.constEnd() || !room->has(line().self))
        return because("unknown_room");
    if (room->joinRule == JoinRule::Public)
        return because("public_room"); // R19
    if (event.invitee && *event.invitee != line().self)
        return because("not_invitee"); // R18, R20
    if (known) {
        if (known->state == State::Ended)
            return because("ended"); // R66
        if (known->live())
            return because(known->side == Side::Theirs && known->isOpponent(event.party()) ? "duplicate" : "not_party");
    }
    const Millis left = std::min(event.lifetime, longestLifetime) - event.age - (m_now - event.receivedAt);
    if (left < line().settings.leastTimeToRing)
        return because("expired"); // R25, R27
    if (!mayRing())
        return because("too_many_calls");
    return {};
}

Call *Turn::ownInviteIn(const QString &roomId, const QString &peer)
{
    for (Call &call : line().calls) {
        if (call.roomId == roomId && call.peer == peer && call.state == State::Inviting)
            return &call; // R78
    }
    return nullptr;
}

void Turn::take(const InviteEvent &event)
{
    const Call *known = line().find(event.roomId, event.callId, event.sender);
    if (const QString reason = whyNotRing(event, known); !reason.isEmpty()) {
        if (reason == QLatin1String("echo"))
            seeOwnInvite(line().calls[known->id]);
        return drop(event, reason);
    }
    Call *ours = ownInviteIn(event.roomId, event.sender);
    const bool crosses = ours && !line().settings.parallelCalls; // R83
    const Surge surge = crosses ? Surge::None : surgeOf(event.sender);
    if (surge == Surge::Flood)
        return drop(event, "rate_limited");
    makeRoomForCall();
    Call *before = known ? &line().calls[known->id] : nullptr; // an early one
    if (!crosses) {
        ring(event, before);
        if (surge == Surge::OneTooMany)
            turnAway(event, "rate_limited");
        else if (!line().settings.accepting)
            turnAway(event, "fallback");
        return;
    }
    const bool yields = ours->preparing() || event.callId < ours->matrixId; // R79; R80: the lesser call id stays
    if (yields && !endsInBatch(event))
        return yieldTo(*ours, event, before);
    if (ours->preparing()) {
        entomb(event); // it rang and is over, and ours goes its way
        return drop(event, "ended");
    }
    if (before)
        forget(*before);
    entomb(event);
    drop(event, "glare");
}

// It is there. If we had given it up without a hangup, or the hangup came before it, nobody would tell the callee any
// more; otherwise the hangup stands behind it, or will.
void Turn::seeOwnInvite(Call &call)
{
    if (call.side != Side::Ours || std::exchange(call.inviteSent, true))
        return;
    touch(call);
    if (call.state == State::Ended && call.farewell != Farewell::Said)
        send(call, OutHangup{call.reason}, m_now + longestLifetime);
}

void Turn::seeOwnHangup(const HangupEvent &event)
{
    Call &call = line().calls[line().find(event.roomId, event.callId, event.sender)->id];
    if (event.partyId != call.ourParty || call.side != Side::Ours || call.state != State::Ended || call.inviteSent)
        return;
    call.farewell = Farewell::Heard;
    touch(call);
}

// R28: an invite that was taken back before we saw it costs nobody his own call.
bool Turn::endsInBatch(const InviteEvent &invite) const
{
    return std::any_of(m_batch->events.cbegin(), m_batch->events.cend(), [&invite, this](const MatrixEvent &event) {
        // Or another device of ours has dealt with it (R41).
        const auto ours = [&, this](const auto *other) {
            return other && other->roomId == invite.roomId && other->callId == invite.callId &&
                   other->sender == line().self;
        };
        if (ours(std::get_if<AnswerEvent>(&event)) || ours(std::get_if<RejectEvent>(&event)))
            return true;
        const auto *hangup = std::get_if<HangupEvent>(&event);
        return hangup && hangup->roomId == invite.roomId && hangup->callId == invite.callId &&
               hangup->party() == invite.party();
    });
}

// Matrix calls are off for this user, or too many: the caller should know at once, not after a minute of ringing.
void Turn::turnAway(const InviteEvent &event, const char *reason)
{
    Call &call = line().calls[line().find(event.roomId, event.callId, event.sender)->id];
    if (call.version == 0)
        send(call, OutHangup{EndReason::UserHangup}); // R42
    else
        send(call, OutReject{});
    bury(call, EndReason::Rejected);
    drop(event, reason);
}

void Turn::fillIncoming(Call &call, const InviteEvent &event)
{
    call.matrixId = event.callId;
    call.side = Side::Theirs;
    call.state = State::Ringing;
    call.version = event.version;
    call.peer = event.sender;
    call.opponent = event.party();
    call.media = event.media;
    call.remoteSdp = event.sdp;
    call.remoteStreams = renewedBy({}, event.streams);
    call.peerCan = event.can;
    call.expiresAt = event.receivedAt - event.age + std::min(event.lifetime, longestLifetime); // R25
    call.deadline = call.expiresAt;
    if (Call *transferor = transferorOf(event)) {
        transferor->transfer->newCall = call.id;
        transferor->transfer->until = 0;
        touch(*transferor);
        call.replaces = transferor->id;
    }
    touch(call);
}

void Turn::ring(const InviteEvent &event, Call *early)
{
    Call &call = early ? *early : add(event.callId, event.roomId, Side::Theirs, m_entropy.id(20));
    fillIncoming(call, event);
    m_rung.push_back(call.id);
}

// Glare lost (R80): theirs takes the place of ours, under the same host call.
void Turn::yieldTo(Call &ours, const InviteEvent &theirs, Call *early)
{
    const auto waiting = early ? early->waiting : QVector<PartyCandidates>();
    if (early)
        forget(*early);
    const QString hostId = ours.id;
    if (ours.preparing()) { // R79: dropped unsent
        touch(ours);
    } else {
        withdrawInvite(ours);
        send(ours, OutHangup{EndReason::UserHangup});
        const QString lostId = ours.matrixId;
        const QString party = ours.ourParty;
        const bool wasThere = ours.inviteSent;
        Call &lost = add(lostId, theirs.roomId, Side::Ours, m_entropy.id(20));
        lost.ourParty = party;
        lost.inviteSent = wasThere;
        lost.farewell = Farewell::Said;
        lost.peer = theirs.sender;
        bury(lost, EndReason::Replaced);
    }

    Call &call = line().calls[hostId];
    call.ourParty = m_entropy.id(12);
    call.localSdp.clear();
    call.unsent.clear();
    call.waiting = waiting;
    call.candidatesEnded = false;
    call.said.clear();
    call.limited = false;
    call.candidatesRef = 0;
    call.firstRef = line().nextRef;
    call.localStreams.clear();
    call.flushAt = 0;
    call.gatherUntil = 0;
    call.inviteSent = false;
    call.farewell = Farewell::None;
    call.unavailableTold = false;
    fillIncoming(call, theirs);
    m_yielded.push_back(call.id);
}

// Whether one more call may be kept of which nobody was told.
bool Turn::mayKeep(const CallHead &event)
{
    int kept = 0;
    int keptOfRoom = 0;
    for (const Call &call : std::as_const(line().calls)) {
        kept += call.hearsay() ? 1 : 0;
        keptOfRoom += call.hearsay() && call.roomId == event.roomId ? 1 : 0;
    }
    const auto room = line().rooms.constFind(event.roomId);
    const bool ourRoom = room != line().rooms.constEnd() && room->has(line().self);
    if (ourRoom && kept < maxHearsay && keptOfRoom < maxHearsayOfRoom)
        return true;
    drop(event, ourRoom ? "too_many_calls" : "unknown_room");
    return false;
}

// A call that is known by an event of its end only, so that its invite, should it come late, does not ring (R67).
void Turn::entomb(const CallHead &event)
{
    if (!mayKeep(event))
        return;
    Call &call = add(event.callId, event.roomId, Side::Theirs, m_entropy.id(20));
    call.peer = event.sender;
    call.opponent = event.party();
    bury(call, EndReason::UserHangup);
}

} // namespace voip::call
