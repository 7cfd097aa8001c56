// SPDX-License-Identifier: Apache-2.0
// One call: what is known about it, and where it stands.
//
//      their invite                          the host places
//           |                                       |
//  Early ---+--> Ringing ---host answers---+     Inviting
//  (candidates      |                      |        |
//   came first)     |                      v        | their first answer
//           |       |                  Connecting <-+
//           |       |                      |
//           |       |                      | host: media flows
//           |       |                      v
//           |       |                  Connected
//           v       v                      |
//         Ended <---+----------------------+------- from every state: hangup, reject, select_answer of another
//     (a tombstone until forgetAt, R66 R67)         party, peer leaves, deadline, refused by the homeserver
//
// Every state has a deadline (`deadline`, `forgetAt`): nothing rings or stays live for ever.
//
// Inside Inviting and Connecting, `gatherUntil` says that our invite or answer waits for the first candidates (R50): of
// an invite that waits so nobody has heard yet (R79). Inside Connecting and Connected each side may offer anew
// (R69..R77):
//
//              host offers                          they offer
//   Ours <---------------------- None ----------------------------> Theirs
//    |   their answer, time is up  ^    the host's answer, time is up   |
//    +-----------------------------+------------------------------------+
//    | they offer, too: we called, and theirs is ignored; they called, and ours is rolled back (-> Theirs)
#pragma once

#include "call/types.h"

namespace voip::call
{

enum class State { Early, Ringing, Inviting, Connecting, Connected, Ended };
enum class Side { Theirs, Ours }; // who placed the call

struct PartyCandidates {
    Party party;
    QVector<Candidate> candidates;

    bool operator==(const PartyCandidates &) const = default;
};

// Which side's offer of a later negotiation waits for its answer.
enum class Offer { None, Ours, Theirs };

struct Negotiation {
    Offer offer = Offer::None;
    Millis until = 0;      // R73; 0 without an offer
    std::int64_t ref = 0;  // the outbox entry of what we said last
    QString localSdp;      // what the host said last, to tell a repeat; empty before the first
    bool rollback = false; // their offer took the place of ours, and the host was not told yet
    bool operator==(const Negotiation &) const = default;
};

// A transfer that was asked for (R100..R103).
struct Transfer {
    enum class Kind {
        TheyAskUsToCall, // create_call: we call the target
        TheyAskUsToWait, // await_call: the target calls us
        WeAsk,           // the peer is to call or await the target
    };
    Kind kind = Kind::TheyAskUsToCall;
    QString replacementId;
    QString newMatrixId; // call_id of the call to come
    Identity target;
    QString newCall;  // host call id: of the call that takes over; WeAsk: of our call with the target, if there is one
    Millis until = 0; // when nobody waits for it any more; 0: the new call's own deadlines hold
    bool operator==(const Transfer &) const = default;
};

// What is kept back from a host that takes no candidates later, until it is complete (R59).
enum class Fold { None, Offer, Answer, NegotiatedOffer, NegotiatedAnswer };

// Our hangup of a call that we placed, as the room's order has it.
enum class Farewell {
    None,
    Said,  // decided
    Heard, // it stands in the room, and the invite did not before it
};

struct Call {
    QString id;       // the host's call id
    QString matrixId; // call_id in Matrix; never derived from `id`
    QString roomId;
    State state = State::Early;
    Side side = Side::Theirs;
    int version = 1;               // of the invite: 0 or 1 (R3, R4)
    int rejectedLocally = 0;       // how often the host was told so (R106)
    QString ourParty;              // our party id, for the whole call (R7)
    QString peer;                  // Matrix user on the other side
    std::optional<Party> opponent; // the chosen one; for their calls the caller from the start
    Media media;
    QString remoteSdp;     // theirs; cleared at the end
    QString localSdp;      // ours, to tell a repeated answer from another one; cleared at the end
    Streams remoteStreams; // of their last description, as they are now; cleared at the end
    Streams localStreams;  // of ours
    Mute muted;            // by the host's user
    Mute invitedMute;      // as our invite said it
    bool heldByPeer = false;
    Capabilities peerCan; // R93
    Capabilities weCan;
    std::optional<Identity> identity; // what the peer asserts (R105)
    Negotiation negotiation;
    std::optional<Transfer> transfer; // may outlive the call: they hang up as soon as they have asked
    QString replaces;                 // host call id of the call that this one takes over

    Millis createdAt = 0;
    std::optional<Millis> answeredAt;
    std::optional<Millis> endedAt;
    EndReason reason = EndReason::UserHangup; // meaningful when Ended
    bool mediaFlowed = false;                 // decides between ice_failed and ice_timeout (R63)
    bool interrupted = false;                 // Connected, and media does not flow now

    Millis deadline = 0;    // when the state's time is up
    Millis expiresAt = 0;   // when the invite is worth nothing any more
    Millis gatherUntil = 0; // our invite or answer waits for candidates (R50); 0: it does not
    Millis foldUntil = 0;   // their description waits for candidates (R59)
    Fold fold = Fold::None;
    Millis resumeBy = 0; // after a restart: when the host must have said a word of this call (R68)
    Millis forgetAt = 0; // Ended and Early: when the tombstone goes

    bool announced = false;                // the host has been told of it (R28)
    bool inviteSent = false;               // ours: the homeserver has the invite
    Farewell farewell = Farewell::None;    // ours: what became of our hangup
    bool unavailableTold = false;          // the host was told that Matrix cannot carry it now
    std::optional<std::int64_t> inviteRef; // ours: the outbox entry of the invite while it is unsent
    std::int64_t firstRef = 0;       // outbox entries before it are of a call that this one took the place of (R80)
    std::int64_t answerRef = 0;      // of our answer
    QVector<std::int64_t> minorRefs; // the last ones without which the call goes on all the same
    std::int64_t noticeSeq = 0;      // last `seq` told to the host

    QVector<PartyCandidates> waiting; // candidates that wait for invite, announcement or answer (R55, R56)
    QVector<Candidate> unsent;        // ours, gathered until flushAt (R51)
    Millis flushAt = 0;               // 0: nothing to flush
    QVector<std::uint64_t> said;      // fingerprints of ours that went out (R57)
    std::int64_t candidatesRef = 0;   // the last candidates that went out
    bool candidatesEnded = false;     // ours: end-of-candidates was said
    bool limited = false;             // the homeserver slows them down: what comes meanwhile is merged (R58)

    // Known by early candidates or by its end only (R56, R67), or never told to the host.
    [[nodiscard]] bool hearsay() const { return side == Side::Theirs && !announced && !live(); }
    // An event of this party is one of the chosen opponent. A v0 client has no party id, whatever it says (R11).
    [[nodiscard]] bool isOpponent(const Party &party) const
    {
        return opponent && opponent->user == party.user && (version == 0 || opponent->id == party.id);
    }
    [[nodiscard]] bool live() const { return state != State::Ended && state != State::Early; }
    [[nodiscard]] bool answered() const { return state == State::Connecting || state == State::Connected; }
    [[nodiscard]] bool preparing() const { return state == State::Inviting && gatherUntil > 0; } // R79
    bool operator==(const Call &) const = default;
};

[[nodiscard]] QString toString(State state);

} // namespace voip::call
