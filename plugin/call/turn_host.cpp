// SPDX-License-Identifier: Apache-2.0
// What the host's user does. Each action is answered by exactly one Accepted or Refused.
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

namespace
{

constexpr int maxUnsent = 256; // candidates kept for one call

} // namespace

void Turn::on(const Place &place)
{
    const auto found = line().rooms.constFind(place.roomId);
    if (found == line().rooms.constEnd())
        return refuse(Refusal::UnknownRoom);
    if (!found->joined(line().self))
        return refuse(Refusal::NotJoined);
    const QString peer = found->peerOf(line().self);
    if (peer.isEmpty())
        return refuse(Refusal::NoPeer); // R15
    for (const Call &call : std::as_const(line().calls)) {
        if (call.roomId == place.roomId && call.live())
            return refuse(call.state == State::Ringing ? Refusal::Ringing : Refusal::InProgress, &call);
    }
    if (const auto taken = line().calls.constFind(place.callId); taken != line().calls.constEnd())
        return refuse(Refusal::WrongState, &*taken);

    Call &call = add(m_entropy.id(24), place.roomId, Side::Ours, place.callId);
    call.state = State::Inviting;
    call.announced = true; // the host made it
    call.peer = peer;
    call.media = place.media;
    call.localSdp = place.sdp;
    call.deadline = m_now + line().settings.inviteLifetime;
    call.inviteRef = send(call, OutInvite{place.sdp, line().settings.inviteLifetime, peer}, call.deadline);
    accept(call);
}

void Turn::on(const Answer &answer)
{
    Call *call = hostCall(answer.callId);
    if (!call)
        return;
    const bool answered = call->state == State::Connecting || call->state == State::Connected;
    if (call->side == Side::Theirs && answered && call->localSdp == answer.sdp)
        return accept(*call); // the same answer again
    if (call->state != State::Ringing)
        return refuse(Refusal::WrongState, call);
    call->localSdp = answer.sdp;
    send(*call, OutAnswer{answer.sdp}, call->deadline);
    connecting(*call);
    scheduleFlush(*call);
    accept(*call);
}

void Turn::on(const AddCandidates &added)
{
    Call *call = hostCall(added.callId);
    if (!call)
        return;
    if (!call->live())
        return refuse(Refusal::WrongState, call);
    for (const Candidate &candidate : added.candidates) {
        if (call->candidatesEnded)
            break; // nothing comes after the end
        if (call->unsent.size() >= maxUnsent && !candidate.candidate.isEmpty())
            continue;
        call->candidatesEnded = candidate.candidate.isEmpty(); // R52
        call->unsent.push_back(candidate);
    }
    touch(*call);
    scheduleFlush(*call);
    accept(*call);
}

void Turn::on(const ReportMedia &report)
{
    Call *call = hostCall(report.callId);
    if (!call)
        return;
    if (call->state != State::Connecting && call->state != State::Connected)
        return refuse(Refusal::WrongState, call);
    switch (report.report) {
    case MediaReport::Connected:
        if (call->state == State::Connecting) {
            call->state = State::Connected;
            call->deadline = m_now + line().settings.longestCall;
        }
        call->mediaFlowed = true;
        touch(*call);
        break;
    case MediaReport::Disconnected:
        break; // WebRTC may recover by itself
    case MediaReport::Failed:
        hangUp(*call, call->mediaFlowed ? EndReason::IceTimeout : EndReason::IceFailed); // R63
        break;
    }
    accept(*call);
}

void Turn::on(const Reject &reject)
{
    Call *call = hostCall(reject.callId);
    if (!call)
        return;
    if (call->state == State::Ended)
        return accept(*call);
    if (call->state != State::Ringing)
        return refuse(Refusal::WrongState, call); // R44: a caller hangs up, it never rejects
    if (call->version == 0)
        send(*call, OutHangup{EndReason::UserHangup}); // R42
    else
        send(*call, OutReject{});
    end(*call, EndReason::Rejected);
    accept(*call);
}

void Turn::on(const End &ending)
{
    Call *call = hostCall(ending.callId);
    if (!call)
        return;
    if (call->state == State::Ringing && ending.reason != EndReason::UserBusy) // R46: busy has a hangup of its own
        return on(Reject{ending.callId});
    if (call->state != State::Ended)
        hangUp(*call, ending.reason);
    accept(*call);
}

} // namespace voip::call
