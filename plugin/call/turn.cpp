// SPDX-License-Identifier: Apache-2.0
// What all inputs share: making calls and rooms, sending, telling the host, ending.
#include "call/turn.h"

namespace voip::call
{

namespace
{

constexpr qsizetype maxMinorRefs = 32; // of one call; who is slowed down has fewer on their way

} // namespace

Step transition(Line line, const Input &input, const Now &now)
{
    Turn turn(std::move(line), now);
    turn.fireDue(); // a timer that comes late changes nothing: what is over is over
    std::visit([&turn](const auto &what) { turn.on(what); }, input);
    return std::move(turn).finish();
}

// Begins with a letter: js-sdk's begin with a digit and are the lesser ones, so that when two calls cross, theirs stays
// (R80). Where js-sdk does not see the glare itself (R82) it would not take ours.
QString Turn::freshCallId()
{
    return QLatin1Char('v') + m_entropy.id(24).mid(1);
}

Call &Turn::add(const QString &matrixId, const QString &roomId, Side side, const QString &hostId)
{
    Call call;
    call.id = hostId;
    call.matrixId = matrixId;
    call.roomId = roomId;
    call.side = side;
    call.ourParty = m_entropy.id(12);
    call.createdAt = m_now;
    return *line().calls.insert(hostId, call);
}

Room &Turn::room(const QString &roomId)
{
    auto found = line().rooms.find(roomId);
    if (found == line().rooms.end()) {
        Room fresh;
        fresh.id = roomId;
        fresh.conversationId = m_entropy.id(20);
        found = line().rooms.insert(roomId, fresh);
    }
    touch(*found);
    return *found;
}

Call *Turn::hostCall(const QString &callId)
{
    const auto found = line().calls.find(callId);
    // What the host was never told of does not exist for it.
    if (found == line().calls.end() || !found->announced) {
        refuse(Refusal::UnknownCall);
        return nullptr;
    }
    if (std::exchange(found->resumeBy, 0) > 0)
        touch(*found); // somebody is still there (R68)
    return &*found;
}

Call *Turn::answeredCall(const QString &callId)
{
    Call *call = hostCall(callId);
    if (call && call->answered() && call->version > 0) {
        if (call->gatherUntil > 0)
            sendDescription(*call); // the answer goes first, without waiting any longer (R69)
        return call;
    }
    if (!call)
        return nullptr;
    refuse(call->answered() ? Refusal::PeerCannot : Refusal::WrongState, call);
    return nullptr;
}

Call &Turn::place(const Place &place, const QString &matrixId, const QString &peer)
{
    Call &call = add(matrixId, place.roomId, Side::Ours, place.callId);
    call.state = State::Inviting;
    call.announced = true; // the host made it
    call.peer = peer;
    call.media = place.media;
    call.localSdp = place.sdp;
    call.localStreams = place.streams;
    call.weCan = place.can;
    gather(call);
    return call;
}

bool Turn::hidesPrivate(const Call &call) const
{
    switch (line().settings.privateAddresses) {
    case PrivateAddresses::Send:
        return false;
    case PrivateAddresses::Hide:
        return true;
    case PrivateAddresses::HideUnencrypted:
        return !line().rooms.value(call.roomId).encrypted;
    }
    return true;
}

std::int64_t Turn::send(Call &call, OutContent content, Millis notAfter)
{
    const std::int64_t ref = line().nextRef++;
    const bool hangsUp = std::holds_alternative<OutHangup>(content);
    give(Send{ref, call.id, call.roomId, call.matrixId, call.ourParty, call.version, std::move(content), notAfter,
              hidesPrivate(call)});
    if (hangsUp && call.side == Side::Ours)
        call.farewell = Farewell::Said;
    touch(call);
    return ref;
}

std::int64_t Turn::sendMinor(Call &call, OutContent content, Millis notAfter)
{
    const std::int64_t ref = send(call, std::move(content), notAfter);
    if (call.minorRefs.size() >= maxMinorRefs)
        call.minorRefs.removeFirst();
    call.minorRefs.push_back(ref);
    return ref;
}

void Turn::notify(Call &call, NoteContent content)
{
    const auto where = line().rooms.constFind(call.roomId);
    const QString conversation = where == line().rooms.constEnd() ? QString() : where->conversationId;
    give(Notify{call.id, conversation, ++call.noticeSeq, call.peer, call.media, call.roomId, call.matrixId,
                call.ourParty, std::move(content)});
    touch(call);
}

void Turn::refuse(Refusal why, const Call *call)
{
    give(call ? Refused{why, call->id, call->state} : Refused{why, {}, State::Ended});
}

void Turn::withdrawInvite(Call &call)
{
    if (!call.inviteRef)
        return;
    give(Unsend{*call.inviteRef, call.id});
    call.inviteRef.reset();
}

void Turn::connecting(Call &call)
{
    call.state = State::Connecting;
    call.answeredAt = m_now;
    call.deadline = m_now + line().settings.connectTimeout;
    call.inviteRef.reset();
    touch(call);
}

void Turn::forget(const Call &call)
{
    touch(call);
    line().calls.remove(QString(call.id));
}

void Turn::bury(Call &call, EndReason reason)
{
    call.state = State::Ended;
    call.reason = reason;
    call.endedAt = m_now;
    call.forgetAt = m_now + longestLifetime;
    call.deadline = 0;
    call.flushAt = 0;
    call.inviteRef.reset();
    call.gatherUntil = 0;
    call.foldUntil = 0;
    call.fold = Fold::None;
    call.resumeBy = 0;
    call.remoteSdp.clear();
    call.localSdp.clear();
    call.remoteStreams.clear();
    call.localStreams.clear();
    call.negotiation = {};
    call.said.clear();
    call.waiting.clear();
    call.unsent.clear();
    touch(call);
    transferIsOver(call);
    if (!call.replaces.isEmpty() && !call.answeredAt)
        didNotTakeOver(call, reason);
}

void Turn::end(Call &call, EndReason reason)
{
    bury(call, reason);
    if (call.announced)
        notify(call, NoteEnded{reason});
}

void Turn::hangUp(Call &call, EndReason reason)
{
    if (call.preparing())
        return end(call, reason); // nobody has heard of it
    if (call.side == Side::Theirs && call.gatherUntil > 0) {
        if (m_now >= call.expiresAt)
            return end(call, reason); // nobody rings any more
        // Our answer is not out: for the caller we are one of those who ring, whose hangup would not count (R65).
        call.version == 0 ? send(call, OutHangup{reason}) : send(call, OutReject{});
        return end(call, reason);
    }
    // Whether an unsent invite ever gets out is not known here; long after it nobody rings for it any more.
    const Millis notAfter = call.inviteRef ? m_now + longestLifetime : 0;
    withdrawInvite(call);
    send(call, OutHangup{reason}, notAfter);
    end(call, reason);
}

void Turn::touch(const Call &call)
{
    if (!m_step.changedCalls.contains(call.id))
        m_step.changedCalls.push_back(call.id);
}

void Turn::touch(const Room &room)
{
    if (!m_step.changedRooms.contains(room.id))
        m_step.changedRooms.push_back(room.id);
}

} // namespace voip::call
