// SPDX-License-Identifier: Apache-2.0
// Transfers (R100..R104), both ways. Asked by the peer: we call the target (create_call) or let the target's call take
// over (await_call); the old call is hung up only once the new one is answered (R102). Clients hang up as soon as they
// have asked, so what was asked outlives the call. Asked by the host: the peer is told whom to call or to await.
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

namespace
{

constexpr int replacementIdLength = 20;

bool askedOfUs(const Call &call)
{
    return call.transfer && call.transfer->kind != Transfer::Kind::WeAsk;
}

} // namespace

// --- the peer asks -------------------------------------------------------------------------------------------------

void Turn::take(const ReplacesEvent &event)
{
    Call *call = inCall(event); // R101
    if (!call)
        return;
    if (call->transfer && call->transfer->replacementId == event.replacementId)
        return drop(event, "duplicate");
    if (call->transfer) {
        sendMinor(*call, OutRejectReplacement{event.replacementId}); // R103: one at a time
        return drop(event, "transfer_pending");
    }
    const bool ours = event.target.id == line().self || event.target.id == call->peer;
    if (!line().settings.transfers || ours) {
        sendMinor(*call, OutRejectReplacement{event.replacementId}); // R103, R104
        return drop(event, ours ? "bad_target" : "transfers_off");
    }
    const Millis asked = std::min(event.lifetime.value_or(line().settings.transferLifetime), longestLifetime);
    const Millis left = asked - event.age - (m_now - event.receivedAt);
    if (left <= 0)
        return drop(event, "expired");
    using Kind = Transfer::Kind;
    call->transfer = Transfer{event.create ? Kind::TheyAskUsToCall : Kind::TheyAskUsToWait,
                              event.replacementId,
                              event.newCallId,
                              event.target,
                              {},
                              m_now + left};
    touch(*call);
    notify(*call, NoteTransferRequested{event.target, event.create, left});
}

std::optional<Refused> Turn::whyNotCall(const QString &roomId, const QString &target) const
{
    const auto room = line().rooms.constFind(roomId);
    if (room == line().rooms.constEnd())
        return Refused{Refusal::UnknownRoom, {}, State::Ended};
    if (!room->joined(line().self))
        return Refused{Refusal::NotJoined, {}, State::Ended};
    const QString peer = room->peerOf(line().self);
    if (peer.isEmpty() || (!target.isEmpty() && peer != target))
        return Refused{Refusal::NoPeer, {}, State::Ended}; // R15
    if (line().settings.parallelCalls)
        return std::nullopt;        // R83
    const Call *inTheWay = nullptr; // the one that rings, which can be answered, before any other
    for (const Call &call : line().calls) {
        if (call.roomId == roomId && call.live() && (!inTheWay || call.state == State::Ringing))
            inTheWay = &call;
    }
    if (!inTheWay)
        return std::nullopt;
    const bool rings = inTheWay->state == State::Ringing;
    return Refused{rings ? Refusal::Ringing : Refusal::InProgress, inTheWay->id, inTheWay->state};
}

void Turn::on(const AcceptTransfer &accepted)
{
    Call *call = hostCall(accepted.callId);
    if (!call)
        return;
    const auto begun = call->transfer ? line().calls.constFind(call->transfer->newCall) : line().calls.constEnd();
    if (askedOfUs(*call) && begun != line().calls.constEnd() && begun->side == Side::Ours)
        return accept(*begun); // the same again
    if (!askedOfUs(*call) || call->transfer->until == 0)
        return refuse(Refusal::NoTransfer, call);
    if (call->transfer->kind == Transfer::Kind::TheyAskUsToWait)
        return accept(*call); // the target's invite will tell
    const Transfer asked = *call->transfer;
    if (const auto why = whyNotCall(accepted.place.roomId, asked.target.id))
        return give(*why);
    if (const auto why = whyNotPlace())
        return give(*why);
    if (line().calls.contains(accepted.place.callId) ||
        line().find(accepted.place.roomId, asked.newMatrixId, asked.target.id))
        return refuse(Refusal::WrongState, call);
    const QString oldId = call->id;
    call->transfer->newCall = accepted.place.callId;
    call->transfer->until = 0; // from here on the new call's deadlines hold
    touch(*call);
    Call &fresh = place(accepted.place, asked.newMatrixId, asked.target.id); // `call` may be gone from where it was
    fresh.replaces = oldId;
    accept(fresh);
}

void Turn::on(const RejectTransfer &rejected)
{
    Call *call = hostCall(rejected.callId);
    if (!call)
        return;
    if (!askedOfUs(*call) || call->transfer->until == 0)
        return refuse(Refusal::NoTransfer, call);
    rejectReplacement(*call);
    accept(*call);
}

// R103. After the end there is nobody who waits for it.
void Turn::rejectReplacement(Call &call)
{
    if (call.live())
        sendMinor(call, OutRejectReplacement{call.transfer->replacementId});
    call.transfer.reset();
    touch(call);
}

Call *Turn::transferorOf(const InviteEvent &event)
{
    for (Call &call : line().calls) {
        if (call.transfer && call.transfer->kind == Transfer::Kind::TheyAskUsToWait && call.transfer->until > 0 &&
            call.transfer->newMatrixId == event.callId && call.transfer->target.id == event.sender)
            return &call;
    }
    return nullptr;
}

void Turn::tookOver(Call &fresh)
{
    const auto old = line().calls.find(fresh.replaces);
    if (fresh.replaces.isEmpty() || old == line().calls.end() || !old->transfer)
        return;
    old->transfer.reset();
    touch(*old);
    if (old->live())
        hangUp(*old, EndReason::Transferred); // R102
}

void Turn::didNotTakeOver(const Call &fresh, EndReason reason)
{
    const auto old = line().calls.find(fresh.replaces);
    if (old != line().calls.end() && old->transfer && old->transfer->newCall == fresh.id)
        failTransfer(*old, toString(reason));
}

void Turn::failTransfer(Call &call, const QString &reason)
{
    for (Call &half : line().calls) { // the target does not await anybody: then its call is left alone
        if (half.transfer && half.transfer->kind == Transfer::Kind::WeAsk && half.transfer->newCall == call.id) {
            half.transfer->newCall.clear();
            touch(half);
        }
    }
    const auto other = line().calls.find(call.transfer->newCall);
    if (other != line().calls.end() && call.transfer->kind == Transfer::Kind::WeAsk) {
        other->transfer.reset();
        touch(*other);
    }
    call.transfer.reset();
    touch(call);
    if (call.live())
        notify(call, NoteTransferFailed{reason});
}

// --- the host asks -------------------------------------------------------------------------------------------------

void Turn::on(const TransferCall &transfer)
{
    Call *call = answeredCall(transfer.callId);
    if (!call)
        return;
    if (!call->peerCan.transferee)
        return refuse(Refusal::PeerCannot, call); // R93
    if (call->transfer)
        return refuse(Refusal::TransferPending, call);
    Call *other = nullptr;
    if (!transfer.targetCall.isEmpty()) {
        other = answeredCall(transfer.targetCall);
        if (!other)
            return;
        if (other->transfer || other->id == call->id)
            return refuse(Refusal::TransferPending, other);
    }
    const QString target = other ? other->peer : transfer.targetUser;
    if (target == call->peer || target == line().self)
        return refuse(Refusal::NoPeer, call);
    const Millis lifetime = line().settings.transferLifetime;
    const Transfer asked{Transfer::Kind::WeAsk,    m_entropy.id(replacementIdLength), freshCallId(),
                         Identity{target, {}, {}}, other ? other->id : QString(),     m_now + lifetime};
    if (other) { // first who waits, then who calls
        Transfer awaited = asked;
        awaited.replacementId = m_entropy.id(replacementIdLength);
        awaited.target = Identity{call->peer, {}, {}};
        awaited.newCall.clear();
        awaited.until = 0; // the other half has the deadline for both
        sendMinor(*other, OutReplaces{awaited.replacementId, awaited.newMatrixId, false, awaited.target, lifetime});
        other->transfer = awaited; // its end, too, is what we wanted
    }
    sendMinor(*call, OutReplaces{asked.replacementId, asked.newMatrixId, true, asked.target, lifetime});
    call->transfer = asked;
    accept(*call);
}

void Turn::take(const RejectReplacementEvent &event)
{
    Call *call = inCall(event);
    if (!call)
        return;
    const bool ours = call->transfer && call->transfer->kind == Transfer::Kind::WeAsk &&
                      call->transfer->replacementId == event.replacementId;
    if (!ours)
        return drop(event, "unknown_replacement");
    failTransfer(*call, QStringLiteral("rejected"));
}

// The call has ended. What we asked for is done if the peer hung up on us because of it: our call with the target is
// not needed any more, either. What the peer asked for may still be accepted.
void Turn::transferIsOver(Call &call)
{
    if (!call.transfer || call.transfer->kind != Transfer::Kind::WeAsk)
        return;
    const Transfer asked = *std::exchange(call.transfer, std::nullopt);
    const auto other = line().calls.find(asked.newCall);
    if (other == line().calls.end() || !other->live())
        return;
    if (call.reason == EndReason::Transferred)
        return hangUp(*other, EndReason::Transferred);
    other->transfer.reset();
    touch(*other);
}

} // namespace voip::call
