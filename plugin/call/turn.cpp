// SPDX-License-Identifier: Apache-2.0
// What all inputs share: making calls and rooms, sending, telling the host, ending.
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

namespace
{

// An event may have 65 536 bytes, encrypted and escaped ones too.
constexpr qsizetype maxPerEvent = 50;
constexpr qsizetype maxEventLength = 20'000;

// Compared up to the port, the sixth word: browsers add words to the trickled form that the SDP's lacks.
bool isInSdp(const Candidate &candidate, const QString &sdp)
{
    qsizetype end = -1;
    for (int word = 0; word < 6; ++word) {
        end = candidate.candidate.indexOf(u' ', end + 1);
        if (end < 0)
            return false;
    }
    return sdp.contains(QLatin1String("a=") + candidate.candidate.left(end + 1));
}

} // namespace

Step transition(Line line, const Input &input, const Now &now)
{
    Turn turn(std::move(line), now);
    turn.fireDue(); // a timer that comes late changes nothing: what is over is over
    std::visit([&turn](const auto &what) { turn.on(what); }, input);
    return std::move(turn).finish();
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
    return &*found;
}

std::int64_t Turn::send(Call &call, OutContent content, Millis notAfter)
{
    const std::int64_t ref = line().nextRef++;
    give(Send{ref, call.id, call.roomId, call.matrixId, call.ourParty, call.version, std::move(content), notAfter});
    touch(call);
    return ref;
}

void Turn::notify(Call &call, NoteContent content)
{
    const QString conversation = line().rooms.value(call.roomId).conversationId;
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
    call.remoteSdp.clear();
    call.localSdp.clear();
    call.waiting.clear();
    call.unsent.clear();
    touch(call);
}

void Turn::end(Call &call, EndReason reason)
{
    bury(call, reason);
    if (call.announced)
        notify(call, NoteEnded{reason});
}

void Turn::hangUp(Call &call, EndReason reason)
{
    // Whether an unsent invite ever gets out is not known here; long after it nobody rings for it any more.
    const Millis notAfter = call.inviteRef ? m_now + longestLifetime : 0;
    withdrawInvite(call);
    send(call, OutHangup{reason}, notAfter);
    end(call, reason);
}

void Turn::flush(Call &call)
{
    call.flushAt = 0;
    touch(call);
    const auto gathered = std::exchange(call.unsent, {});
    const Millis notAfter = call.state == State::Inviting ? call.deadline : 0;
    OutCandidates out;
    qsizetype length = 0;
    for (const Candidate &candidate : gathered) {
        if (isInSdp(candidate, call.localSdp))
            continue; // R57
        if (out.candidates.size() >= maxPerEvent ||
            (!out.candidates.isEmpty() && length + candidate.candidate.size() > maxEventLength)) {
            send(call, std::exchange(out, {}), notAfter);
            length = 0;
        }
        length += candidate.candidate.size();
        out.candidates.push_back(candidate);
    }
    if (!out.candidates.isEmpty())
        send(call, std::move(out), notAfter);
}

void Turn::scheduleFlush(Call &call)
{
    if (call.unsent.isEmpty() || call.state == State::Ringing)
        return; // candidates gathered while ringing go after the answer
    if (call.candidatesEnded || call.unsent.size() >= maxPerEvent)
        return flush(call); // R53
    if (call.flushAt > 0)
        return;
    const auto &settings = line().settings;
    const Millis first = call.side == Side::Ours ? call.createdAt + settings.firstFlushAfterInvite
                                                 : call.answeredAt.value_or(m_now) + settings.firstFlushAfterAnswer;
    call.flushAt = std::max(first, m_now + settings.flushEvery); // R51
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
