// SPDX-License-Identifier: Apache-2.0
// One transition at work: the line being changed, the effects gathered so far. Private to call/.
// What comes from Matrix is in turn_invite.cpp, turn_matrix.cpp and turn_rooms.cpp, what comes from the host in
// turn_host.cpp, the outbox's results and the clock in turn_clock.cpp; turn.cpp has what they share.
#pragma once

#include "call/transition.h"

namespace voip::call
{

class Turn
{
public:
    Turn(Line line, const Now &now) : m_now(now.at), m_entropy(now.entropy) { m_step.line = std::move(line); }
    Step finish() && { return std::move(m_step); }

    void on(const MatrixBatch &batch);
    void on(const RoomSnapshot &snapshot);
    void on(const Place &place);
    void on(const Answer &answer);
    void on(const AddCandidates &added);
    void on(const ReportMedia &report);
    void on(const Reject &reject);
    void on(const End &end);
    void on(const Sent &sent);
    void on(const SendFailed &failed);
    void on(const Tick &tick);
    void on(const Restart &restart);
    void fireDue();

private:
    // --- events of a batch (turn_matrix.cpp, turn_rooms.cpp)
    void take(const InviteEvent &event);
    void take(const AnswerEvent &event);
    void take(const CandidatesEvent &event);
    void take(const HangupEvent &event);
    void take(const RejectEvent &event);
    void take(const SelectAnswerEvent &event);
    void take(const MemberEvent &event);
    void take(const JoinRuleEvent &event);
    void take(const EncryptionEvent &event);
    void take(const UnusableEvent &event);
    // The live or ended call of that event; drops the event and gives null if there is none to deal with.
    Call *dealWith(const CallHead &event);
    [[nodiscard]] QString whyNotRing(const InviteEvent &event, const Call *known) const;
    [[nodiscard]] Call *ownInviteIn(const QString &roomId, const QString &peer);
    void ring(const InviteEvent &event, Call *early);
    void turnAway(const InviteEvent &event);
    void yieldTo(Call &ours, const InviteEvent &theirs, Call *early);
    [[nodiscard]] bool endsInBatch(const InviteEvent &invite) const;
    [[nodiscard]] bool takenElsewhere(const Call &call, const CallHead &event) const;
    [[nodiscard]] bool mayKeep(const CallHead &event); // drops the event if not
    void fillIncoming(Call &call, const InviteEvent &event);
    void takeRejection(Call &call, const Party &party, int version, EndReason reason);
    void entomb(const CallHead &event);
    void buffer(Call &call, const CandidatesEvent &event);
    void deliverWaiting(Call &call);
    void announceWaitingCalls();
    void selfMembership(const MemberEvent &event);
    void peerIsGone(const QString &roomId, const QString &user);

    // --- shared (turn.cpp)
    Call &add(const QString &matrixId, const QString &roomId, Side side, const QString &hostId);
    Room &room(const QString &roomId);     // made if it is not there
    Call *hostCall(const QString &callId); // refuses the action and gives null if there is none
    std::int64_t send(Call &call, OutContent content, Millis notAfter = 0);
    void notify(Call &call, NoteContent content);
    void drop(const EventHead &event, const char *reason) { drop(event, QString::fromLatin1(reason)); }
    void drop(const EventHead &event, const QString &reason) { give(Drop{reason, event.eventId}); }
    void accept(const Call &call) { give(Accepted{call.id}); }
    void refuse(Refusal why, const Call *call = nullptr);
    void withdrawInvite(Call &call);
    void connecting(Call &call);
    void forget(const Call &call);             // gone from the line
    void bury(Call &call, EndReason reason);   // Ended, nobody told
    void end(Call &call, EndReason reason);    // Ended, the host told if it knew of the call
    void hangUp(Call &call, EndReason reason); // and the other side told too
    void flush(Call &call);
    void scheduleFlush(Call &call);
    void touch(const Call &call);
    void touch(const Room &room);
    void give(Effect effect) { m_step.effects.push_back(std::move(effect)); }
    [[nodiscard]] Line &line() { return m_step.line; }
    [[nodiscard]] const Line &line() const { return m_step.line; }

    Step m_step;
    Millis m_now;
    Entropy m_entropy;
    const MatrixBatch *m_batch = nullptr; // while its events are taken
    QVector<QString> m_yielded;           // host calls that lost to glare in this batch; told at its end (R28)
};

} // namespace voip::call
