// SPDX-License-Identifier: Apache-2.0
// Candidates of both sides. Ours: gathered into the invite or answer (R50), then sent in few events (R51..R53), each
// once (R57), merged while the homeserver slows them down (R58). Theirs: kept until it is known whose they are (R55,
// R56), passed on, or folded into the description for a host that takes none later (R59).
#include "call/candidate.h"
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

namespace
{

// An event may have 65 536 bytes, encrypted and escaped ones too.
constexpr qsizetype maxPerEvent = 50;
constexpr qsizetype maxEventLength = 20'000;
constexpr int maxUnsent = 256;            // ours that wait, of one call
constexpr int maxSaid = 512;              // fingerprints kept of one call
constexpr int maxWaitingParties = 8;      // of one call
constexpr int maxWaitingCandidates = 256; // of one party
constexpr Millis earlyKept = 60LL * 1000;

bool endsThem(const QVector<Candidate> &candidates)
{
    return std::any_of(candidates.cbegin(), candidates.cend(),
                       [](const Candidate &candidate) { return candidate.candidate.isEmpty(); });
}

} // namespace

// --- ours ----------------------------------------------------------------------------------------------------------

void Turn::on(const AddCandidates &added)
{
    Call *call = hostCall(added.callId);
    if (!call)
        return;
    if (!call->live())
        return refuse(Refusal::WrongState, call);
    if (call->state == State::Ringing && call->firstRef > 0)
        return accept(*call); // still of the offer that gave way (R80): those of the answer come after it
    for (const Candidate &candidate : added.candidates) {
        if (call->candidatesEnded)
            break; // nothing comes after the end
        const bool ends = candidate.candidate.isEmpty();
        if (!ends && (call->unsent.size() >= maxUnsent || (!candidate.sdpMid && !candidate.sdpMLineIndex)))
            continue;                 // R49: nobody could use it
        call->candidatesEnded = ends; // R52
        call->unsent.push_back(candidate);
    }
    touch(*call);
    scheduleFlush(*call);
    accept(*call);
}

QVector<Candidate> Turn::takeUnsaid(Call &call)
{
    QVector<Candidate> fresh;
    const bool hide = hidesPrivate(call);
    const QString current = call.negotiation.localSdp.isEmpty() ? call.localSdp : call.negotiation.localSdp;
    auto unsent = std::exchange(call.unsent, {});
    for (qsizetype i = 0; i < unsent.size(); ++i) {
        Candidate &candidate = unsent[i];
        if (candidate.candidate.isEmpty() && i + 1 < unsent.size())
            continue; // of the description before: more came after it (R52)
        if (isInSdp(candidate, current))
            continue; // R57
        const auto print = fingerprint(candidate);
        if (print != 0 && call.said.contains(print))
            continue;
        if (print != 0 && call.said.size() < maxSaid)
            call.said.push_back(print);
        const auto shown = hide ? withoutPrivateAddress(candidate.candidate) : candidate.candidate; // R60
        if (!shown)
            continue;
        candidate.candidate = *shown;
        fresh.push_back(std::move(candidate));
    }
    return fresh;
}

void Turn::gather(Call &call)
{
    const auto &settings = line().settings;
    const bool complete = !call.candidatesEnded && (!settings.hostTrickles || isComplete(call.localSdp));
    if (complete) { // what it has is in its SDP, and the end is said all the same (R52)
        call.candidatesEnded = true;
        call.unsent.push_back({});
    }
    call.gatherUntil = m_now + settings.gatherFor;
    call.deadline = m_now + (call.side == Side::Ours ? settings.inviteLifetime : settings.connectTimeout);
    if (settings.gatherFor == 0 || call.candidatesEnded)
        sendDescription(call);
    touch(call);
}

// The invite or the answer that waited, with the candidates that came meanwhile.
void Turn::sendDescription(Call &call)
{
    call.gatherUntil = 0;
    QVector<Candidate> folded = takeUnsaid(call);
    if (folded.removeIf([](const Candidate &candidate) { return candidate.candidate.isEmpty(); }) > 0)
        call.unsent.push_back({}); // the end is said in an event of its own (R52)
    const Streams streams = listedStreams(call);
    if (call.side == Side::Ours) {
        const Millis lifetime = line().settings.inviteLifetime;
        call.invitedMute = call.muted;
        call.deadline = call.expiresAt = m_now + lifetime;
        call.inviteRef =
            send(call, OutInvite{call.localSdp, lifetime, call.peer, streams, call.weCan, folded}, call.deadline);
    } else {
        call.answerRef = send(call, OutAnswer{call.localSdp, streams, call.weCan, folded}, call.expiresAt);
    }
    scheduleFlush(call);
}

void Turn::scheduleFlush(Call &call)
{
    if (call.state == State::Ringing || call.limited)
        return; // what is gathered while ringing goes with the answer
    if (call.gatherUntil > 0)
        return call.candidatesEnded ? sendDescription(call) : void();
    if (call.unsent.isEmpty())
        return;
    if (call.candidatesEnded || call.unsent.size() >= maxPerEvent)
        return flush(call); // R53
    if (call.flushAt > 0)
        return;
    const auto &settings = line().settings;
    const Millis first = call.side == Side::Ours ? call.createdAt + settings.firstFlushAfterInvite
                                                 : call.answeredAt.value_or(m_now) + settings.firstFlushAfterAnswer;
    call.flushAt = std::max(first, m_now + settings.flushEvery); // R51
}

void Turn::flush(Call &call)
{
    call.flushAt = 0;
    touch(call);
    const Millis notAfter = call.state == State::Inviting ? call.deadline : 0;
    OutCandidates out;
    qsizetype length = 0;
    for (const Candidate &candidate : takeUnsaid(call)) {
        if (out.candidates.size() >= maxPerEvent ||
            (!out.candidates.isEmpty() && length + candidate.candidate.size() > maxEventLength)) {
            call.candidatesRef = send(call, std::exchange(out, {}), notAfter);
            length = 0;
        }
        length += candidate.candidate.size();
        out.candidates.push_back(candidate);
    }
    if (!out.candidates.isEmpty())
        call.candidatesRef = send(call, std::move(out), notAfter);
}

// --- theirs --------------------------------------------------------------------------------------------------------

void Turn::buffer(Call &call, const CandidatesEvent &event)
{
    auto waiting = std::find_if(call.waiting.begin(), call.waiting.end(),
                                [&](const PartyCandidates &entry) { return entry.party == event.party(); });
    if (waiting == call.waiting.end()) {
        if (call.waiting.size() >= maxWaitingParties)
            return drop(event, "too_many_candidates");
        waiting = call.waiting.insert(call.waiting.end(), PartyCandidates{event.party(), {}});
    }
    if (waiting->candidates.size() + event.candidates.size() > maxWaitingCandidates)
        return drop(event, "too_many_candidates");
    waiting->candidates += event.candidates;
    touch(call);
}

void Turn::take(const CandidatesEvent &event)
{
    if (event.sender != line().self && !line().find(event.roomId, event.callId, event.sender)) { // R56
        if (!mayKeep(event))
            return;
        Call &call = add(event.callId, event.roomId, Side::Theirs, m_entropy.id(20));
        call.peer = event.sender;
        call.forgetAt = m_now + earlyKept;
        return buffer(call, event);
    }
    Call *call = dealWith(event);
    if (!call)
        return;
    if (call->state == State::Early || (call->state == State::Inviting && event.sender == call->peer))
        return buffer(*call, event); // R55
    if (!call->isOpponent(event.party()))
        return drop(event, "not_party"); // R55
    if (call->fold != Fold::None) {
        buffer(*call, event);
        if (endsThem(event.candidates))
            unfold(*call);
        return;
    }
    if (!call->announced || m_yielded.contains(call->id))
        return buffer(*call, event); // not before the host has the offer
    if (!line().settings.hostTrickles)
        return drop(event, "late_candidates"); // R59: the host takes none any more
    notify(*call, NoteCandidates{event.candidates});
}

void Turn::deliverWaiting(Call &call)
{
    const auto waiting = std::exchange(call.waiting, {});
    for (const PartyCandidates &entry : waiting) {
        if (call.isOpponent(entry.party))
            notify(call, NoteCandidates{entry.candidates});
    }
    touch(call);
}

// --- a host that takes candidates only in the description (R59) -----------------------------------------------------

void Turn::holdBack(Call &call, Fold what)
{
    call.fold = what;
    touch(call);
    if (line().settings.hostTrickles)
        return unfold(call);
    const bool early = std::any_of(call.waiting.cbegin(), call.waiting.cend(), [&call](const PartyCandidates &entry) {
        return call.isOpponent(entry.party) && endsThem(entry.candidates);
    });
    if (early || isComplete(call.remoteSdp))
        return unfold(call);
    call.foldUntil = m_now + line().settings.foldFor; // R54: their end may never be said
    if (what == Fold::Offer)                          // R27: there must be time left to answer
        call.foldUntil = std::min(call.foldUntil, call.deadline - line().settings.leastTimeToRing);
    if (call.foldUntil <= m_now)
        unfold(call);
}

QVector<Candidate> Turn::foldedFor(Call &call)
{
    if (line().settings.hostTrickles)
        return {};
    QVector<Candidate> folded;
    for (const PartyCandidates &entry : std::exchange(call.waiting, {})) {
        if (call.isOpponent(entry.party))
            folded += entry.candidates;
    }
    return folded;
}

// Now the host is told what was kept back.
void Turn::unfold(Call &call)
{
    call.foldUntil = 0;
    const Fold what = std::exchange(call.fold, Fold::None);
    touch(call);
    switch (what) {
    case Fold::None:
        return;
    case Fold::Offer:
        if (!call.announced && call.deadline - m_now < line().settings.leastTimeToRing)
            return bury(call, EndReason::InviteTimeout); // R27: it was kept for too long, over a restart
        if (line().rooms.value(call.roomId).joinRule == JoinRule::Public)
            return end(call, EndReason::Unavailable); // R19: meanwhile anybody may come in
        return announce(call);
    case Fold::Answer:
        notify(call, NoteAnswered{call.remoteSdp, call.remoteStreams, call.peerCan, foldedFor(call)});
        break;
    case Fold::NegotiatedOffer:
        tellNegotiation(call, SdpType::Offer);
        break;
    case Fold::NegotiatedAnswer:
        tellNegotiation(call, SdpType::Answer);
        break;
    }
    deliverWaiting(call);
}

} // namespace voip::call
