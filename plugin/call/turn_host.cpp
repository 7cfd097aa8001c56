// SPDX-License-Identifier: Apache-2.0
// What the host's user does. Each action is answered by exactly one Accepted or Refused.
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

void Turn::on(const Place &wanted)
{
    if (const auto why = whyNotCall(wanted.roomId, {}))
        return give(*why);
    if (const auto why = whyNotPlace())
        return give(*why);
    if (const auto taken = line().calls.constFind(wanted.callId); taken != line().calls.constEnd())
        return refuse(Refusal::WrongState, &*taken);
    makeRoomForCall();
    const QString peer = line().rooms.value(wanted.roomId).peerOf(line().self);
    accept(place(wanted, freshCallId(), peer));
}

void Turn::on(const Answer &answer)
{
    Call *call = hostCall(answer.callId);
    if (!call)
        return;
    if (call->side == Side::Theirs && call->answered() && call->localSdp == answer.sdp)
        return accept(*call); // the same answer again
    // R47: also when another phone of the user was faster, or when the host does not know yet what there is to answer.
    if (call->state != State::Ringing || call->fold == Fold::Offer)
        return refuse(Refusal::WrongState, call);
    call->localSdp = answer.sdp;
    call->localStreams = answer.streams;
    call->weCan = answer.can;
    connecting(*call);
    gather(*call);
    tookOver(*call);
    accept(*call);
}

void Turn::on(const ReportMedia &report)
{
    Call *call = hostCall(report.callId);
    if (!call)
        return;
    if (!call->answered())
        return refuse(Refusal::WrongState, call);
    switch (report.report) {
    case MediaReport::Connected:
        if (call->state == State::Connecting || call->interrupted)
            call->deadline = call->answeredAt.value_or(m_now) + line().settings.longestCall;
        call->state = State::Connected;
        call->interrupted = false;
        call->mediaFlowed = true;
        touch(*call);
        break;
    case MediaReport::Disconnected:
        if (call->state == State::Connected && !call->interrupted) { // WebRTC may recover by itself, or a new offer may
            call->interrupted = true;
            call->deadline = std::min(call->deadline, m_now + line().settings.reconnectTimeout);
            touch(*call);
        }
        break;
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
    switch (reject.how) {
    case Decline::Ignore: // R35: the others ring on
        end(*call, EndReason::Rejected);
        return accept(*call);
    case Decline::Busy: // R46: busy has a hangup of its own
        send(*call, OutHangup{EndReason::UserBusy});
        if (call->version > 0)
            send(*call, OutReject{true}); // js-sdk takes no hangup from a callee that it has not chosen
        end(*call, EndReason::UserBusy);
        return accept(*call);
    case Decline::Reject:
        if (call->version == 0)
            send(*call, OutHangup{EndReason::UserHangup}); // R42
        else
            send(*call, OutReject{});
        end(*call, EndReason::Rejected);
        return accept(*call);
    }
}

void Turn::on(const End &ending)
{
    Call *call = hostCall(ending.callId);
    if (!call)
        return;
    if (call->state == State::Ringing)
        return on(Reject{ending.callId, ending.reason == EndReason::UserBusy ? Decline::Busy : Decline::Reject});
    EndReason reason = ending.reason;
    if (reason == EndReason::InviteTimeout && call->answered())
        reason = EndReason::UserHangup; // it was answered
    if (reason == EndReason::IceFailed || reason == EndReason::IceTimeout)
        reason = call->mediaFlowed ? EndReason::IceTimeout : EndReason::IceFailed; // R63
    if (call->state != State::Ended)
        hangUp(*call, reason);
    accept(*call);
}

} // namespace voip::call
