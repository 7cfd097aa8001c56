// SPDX-License-Identifier: Apache-2.0
// What goes on inside an answered call: later offers and their answers, which also carry hold, video and screen share
// (R69..R77), streams and mute (R84..R90), and who is really on the line (R105). Which of two offers that cross is
// taken is decided here and nowhere else: the host only ever sees offers that it shall answer.
#include "call/candidate.h"
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

namespace
{

constexpr int maxRejectedLocally = 8; // of one call: so many devices are heard

} // namespace

// --- later offers --------------------------------------------------------------------------------------------------

void Turn::settle(Call &call)
{
    call.negotiation.offer = Offer::None;
    call.negotiation.until = 0;
    touch(call);
}

// The host's offer is void (R73); the same one may come again.
void Turn::failNegotiation(Call &call, const QString &reason)
{
    settle(call);
    call.negotiation.localSdp.clear();
    call.negotiation.ref = 0;
    notify(call, NoteNegotiationFailed{reason});
}

void Turn::on(const Negotiate &negotiate)
{
    Call *call = answeredCall(negotiate.callId);
    if (!call)
        return;
    Negotiation &negotiation = call->negotiation;
    const bool offer = negotiate.type == SdpType::Offer;
    const bool repeated =
        !negotiation.localSdp.isEmpty() && negotiation.localSdp == negotiate.sdp && negotiation.offer != Offer::Theirs;
    if (repeated)
        return accept(*call);
    if (offer && negotiation.offer != Offer::None)
        return refuse(Refusal::Collision, call); // R76: one was first, theirs or our own
    if (!offer && (negotiation.offer != Offer::Theirs || call->fold == Fold::NegotiatedOffer))
        return refuse(Refusal::NoOffer, call); // or one that the host was not told yet
    const Millis lifetime = line().settings.negotiateLifetime;
    negotiation.localSdp = negotiate.sdp;
    call->localStreams = negotiate.streams;
    call->said.clear();
    call->candidatesEnded = !line().settings.hostTrickles; // new ones may come, of an ICE restart or a new section
    Millis notAfter = 0;
    if (offer) {
        negotiation.offer = Offer::Ours;
        negotiation.until = notAfter = m_now + lifetime; // R73
    } else {
        notAfter = negotiation.until;
        call->media = negotiate.media;
        settle(*call);
    }
    negotiation.ref = sendMinor(
        *call, OutNegotiate{negotiate.type, negotiate.sdp, lifetime, listedStreams(*call), call->weCan}, notAfter);
    accept(*call);
}

Call *Turn::inCall(const CallHead &event)
{
    Call *call = dealWith(event);
    if (!call)
        return nullptr;
    const bool known = call->isOpponent(event.party());
    const bool answered = call->answered() && call->gatherUntil == 0;
    if (known && answered && call->version > 0)
        return call;
    drop(event, !known ? "not_party" : answered ? "v0" : "not_answered"); // R11, R69, R71
    return nullptr;
}

Call *Turn::withOpponent(const CallHead &event)
{
    Call *call = dealWith(event);
    if (!call)
        return nullptr;
    if (call->isOpponent(event.party()) && call->version > 0 && call->live())
        return call;
    drop(event, call->isOpponent(event.party()) ? "v0" : "not_party");
    return nullptr;
}

void Turn::take(const NegotiateEvent &event)
{
    Call *call = inCall(event);
    if (!call)
        return;
    if (call->fold != Fold::None)
        unfold(*call); // what came before it is told before it
    const Millis left = event.lifetime - event.age - (m_now - event.receivedAt);
    if (left <= 0)
        return drop(event, "expired"); // R73
    call->peerCan = event.can.value_or(call->peerCan);
    if (event.type == SdpType::Offer)
        return takeOffer(*call, event, m_now + left);
    if (call->negotiation.offer != Offer::Ours)
        return drop(event, "no_offer");
    settle(*call);
    call->media = event.media;
    call->remoteSdp = event.sdp;
    call->remoteStreams = renewedBy(call->remoteStreams, event.streams);
    // An inactive answer says so only if our offer was not inactive itself.
    const bool weWere = isInactive(call->negotiation.localSdp);
    call->heldByPeer = event.held.value_or(!weWere || call->heldByPeer);
    holdBack(*call, Fold::NegotiatedAnswer);
}

void Turn::takeOffer(Call &call, const NegotiateEvent &event, Millis until)
{
    const bool crosses = call.negotiation.offer == Offer::Ours;
    if (crosses && call.side == Side::Ours)
        return drop(event, "offer_collision"); // R75, R76: the caller is impolite, and so are we
    call.negotiation.rollback = crosses;
    call.negotiation.ref = 0; // what becomes of what we sent before does not matter any more
    if (crosses)
        call.negotiation.localSdp.clear();
    call.negotiation.offer = Offer::Theirs;
    call.negotiation.until = until;
    call.remoteSdp = event.sdp;
    call.remoteStreams = renewedBy(call.remoteStreams, event.streams);
    call.heldByPeer = event.held.value_or(false);
    holdBack(call, Fold::NegotiatedOffer);
}

void Turn::tellNegotiation(Call &call, SdpType type)
{
    const bool rollback = std::exchange(call.negotiation.rollback, false);
    notify(call, NoteNegotiate{type, call.remoteSdp, call.remoteStreams, call.heldByPeer, rollback, foldedFor(call)});
}

// --- streams, mute, identity ---------------------------------------------------------------------------------------

// What the metadata says of ours: every stream of the SDP, whatever the peer can do. Clients fail on one that is
// missing.
Streams Turn::listedStreams(const Call &call)
{
    return withMute(call.localStreams, call.muted);
}

void Turn::sendStreams(Call &call, const Streams &before)
{
    const Streams now = listedStreams(call);
    if (call.answered() && call.gatherUntil == 0 && call.version > 0 && !(now == before))
        sendMinor(call, OutStreams{now}); // R88
}

void Turn::on(const SetMute &mute)
{
    Call *call = hostCall(mute.callId);
    if (!call)
        return;
    if (!call->live())
        return refuse(Refusal::WrongState, call);
    const Mute wanted{mute.audio.value_or(call->muted.audio), mute.video.value_or(call->muted.video)};
    if (!(wanted == call->muted)) {
        const Streams before = listedStreams(*call);
        call->muted = wanted;
        touch(*call);
        sendStreams(*call, before); // before the answer it goes with what is sent then
    }
    accept(*call);
}

void Turn::take(const StreamsEvent &event)
{
    Call *call = withOpponent(event); // also of a caller who mutes while it rings
    if (!call)
        return;
    const Streams changed = changedBy(call->remoteStreams, event.listed);
    if (changed == call->remoteStreams)
        return drop(event, "no_change");
    call->remoteStreams = changed;
    touch(*call);
    if (call->announced && call->fold == Fold::None && !m_yielded.contains(call->id))
        notify(*call, NoteMediaChanged{changed}); // otherwise the offer that the host will get says it
}

void Turn::on(const AssertIdentity &asserted)
{
    if (Call *call = answeredCall(asserted.callId)) {
        sendMinor(*call, OutIdentity{asserted.identity});
        accept(*call);
    }
}

void Turn::take(const IdentityEvent &event)
{
    Call *call = withOpponent(event);
    if (!call)
        return;
    if (call->identity == event.identity)
        return drop(event, "no_change");
    call->identity = event.identity;
    touch(*call);
    if (call->announced)
        notify(*call, NoteIdentity{event.identity});
}

// --- R106: one device says that it will not ring, or cannot; the others may still answer -----------------------------

void Turn::take(const RejectLocallyEvent &event)
{
    Call *call = dealWith(event);
    if (!call)
        return;
    if (call->state != State::Inviting || event.sender != call->peer)
        return drop(event, "not_party");
    if (call->rejectedLocally >= maxRejectedLocally)
        return drop(event, "too_many");
    ++call->rejectedLocally;
    notify(*call, NoteRejectedLocally{event.reason});
}

} // namespace voip::call
