// SPDX-License-Identifier: Apache-2.0
// One transition at work: the line being changed, the effects gathered so far. Private to call/.
// What comes from Matrix is in turn_invite.cpp, turn_matrix.cpp and turn_rooms.cpp, what comes from the host in
// turn_host.cpp; candidates of both sides are in turn_candidates.cpp, what goes on inside an answered call
// (negotiation, streams, mute, identity) in turn_media.cpp, transfers in turn_transfer.cpp; the outbox's results and
// the clock are in turn_clock.cpp; how many calls there may be in turn_limits.cpp; turn.cpp has what they share.
#pragma once

#include "call/transition.h"

namespace voip::call
{

class Turn
{
public:
    Turn(Line line, const Now &now) : m_now(now.at), m_entropy(now.entropy)
    {
        m_step.line = std::move(line);
        m_step.effects.reserve(4);
    }
    Step finish() &&;

    void on(const MatrixBatch &batch);
    void on(const RoomSnapshot &snapshot);
    void on(const Place &place);
    void on(const Answer &answer);
    void on(const AddCandidates &added);
    void on(const ReportMedia &report);
    void on(const Negotiate &negotiate);
    void on(const SetMute &mute);
    void on(const TransferCall &transfer);
    void on(const AcceptTransfer &accepted);
    void on(const RejectTransfer &rejected);
    void on(const AssertIdentity &asserted);
    void on(const Reject &reject);
    void on(const End &end);
    void on(const Sent &sent);
    void on(const SendFailed &failed);
    void on(const Tick &tick);
    void on(const Restart &restart);
    void followClock();
    void seeOwnInvite(Call &call);
    void seeOwnHangup(const HangupEvent &event);
    void fireDue();

private:
    // --- events of a batch
    void take(const InviteEvent &event);
    void take(const AnswerEvent &event);
    void take(const CandidatesEvent &event);
    void take(const HangupEvent &event);
    void take(const RejectEvent &event);
    void take(const SelectAnswerEvent &event);
    void take(const NegotiateEvent &event);
    void take(const StreamsEvent &event);
    void take(const IdentityEvent &event);
    void take(const ReplacesEvent &event);
    void take(const RejectReplacementEvent &event);
    void take(const RejectLocallyEvent &event);
    void take(const MemberEvent &event);
    void take(const JoinRuleEvent &event);
    void take(const EncryptionEvent &event);
    void take(const UnusableEvent &event);
    // The call that this event of its chosen opponent is about, if it is answered and both sides speak v1 (R69, R71).
    Call *inCall(const CallHead &event);
    Call *withOpponent(const CallHead &event); // likewise, also while it rings
    // The live or ended call of that event; drops the event and gives null if there is none to deal with.
    Call *dealWith(const CallHead &event);
    [[nodiscard]] QString whyNotRing(const InviteEvent &event, const Call *known) const;
    [[nodiscard]] Call *ownInviteIn(const QString &roomId, const QString &peer);
    void ring(const InviteEvent &event, Call *early);
    void turnAway(const InviteEvent &event, const char *reason);
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
    void announceRung(const QVector<QString> &ids);
    void announce(Call &call);
    [[nodiscard]] EndReason endReasonOf(const Call &call, EndReason said) const;
    void selfMembership(const MemberEvent &event);
    [[nodiscard]] bool mayEnter(const MemberEvent &event) const;
    void peerIsGone(const QString &roomId, const QString &user);

    // --- inside an answered call (turn_media.cpp)
    void takeOffer(Call &call, const NegotiateEvent &event, Millis until);
    void tellNegotiation(Call &call, SdpType type);
    [[nodiscard]] static Streams listedStreams(const Call &call);
    void sendStreams(Call &call, const Streams &before); // if they differ
    void failNegotiation(Call &call, const QString &reason);
    void settle(Call &call); // no offer is open any more

    // --- transfers (turn_transfer.cpp)
    [[nodiscard]] std::optional<Refused> whyNotCall(const QString &roomId, const QString &target) const;
    [[nodiscard]] Call *transferorOf(const InviteEvent &event); // who has told us to await this invite
    void tookOver(Call &fresh);                                 // the call that replaces another is answered (R102)
    void didNotTakeOver(const Call &fresh, EndReason reason);   // or will never be
    void failTransfer(Call &call, const QString &reason);
    void rejectReplacement(Call &call);
    void transferIsOver(Call &call);

    // --- limits (turn_limits.cpp)
    enum class Surge { None, OneTooMany, Flood };
    [[nodiscard]] bool mayRing() const; // one more, of whomever
    [[nodiscard]] Surge surgeOf(const QString &peer) const;
    [[nodiscard]] std::optional<Refused> whyNotPlace() const;
    [[nodiscard]] const Call *oldestEnded() const; // of those that may be forgotten early
    void makeRoomForCall();

    // --- candidates (turn_candidates.cpp)
    [[nodiscard]] QVector<Candidate> takeUnsaid(Call &call); // of `unsent`: what the other side does not know yet
    void gather(Call &call);                                 // our invite or answer waits, or goes (R50)
    void sendDescription(Call &call);
    void holdBack(Call &call, Fold what); // or tells at once, if the host takes candidates later
    void unfold(Call &call);
    [[nodiscard]] QVector<Candidate> foldedFor(Call &call);

    // --- the outbox and the clock (turn_clock.cpp)
    [[nodiscard]] static bool isMinor(const Call &call, const SendFailed &failed);
    void fire(Call &call, Millis due);
    void fireDeadline(Call &call);

    // --- shared (turn.cpp)
    [[nodiscard]] QString freshCallId();
    Call &add(const QString &matrixId, const QString &roomId, Side side, const QString &hostId);
    Room &room(const QString &roomId);         // made if it is not there
    Call *hostCall(const QString &callId);     // refuses the action and gives null if there is none
    Call *answeredCall(const QString &callId); // likewise if it is not answered, or is v0 (R69)
    Call &place(const Place &place, const QString &matrixId, const QString &peer);
    [[nodiscard]] bool hidesPrivate(const Call &call) const;
    std::int64_t send(Call &call, OutContent content, Millis notAfter = 0);
    std::int64_t sendMinor(Call &call, OutContent content, Millis notAfter = 0); // its failure does not end the call
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
    QVector<QString> m_rung;              // host calls whose invite came in this batch, in its order
    QVector<QString> m_yielded;           // host calls that lost to glare in this batch; told at its end (R28)
};

} // namespace voip::call
