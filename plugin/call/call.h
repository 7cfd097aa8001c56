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

struct Call {
    QString id;       // the host's call id
    QString matrixId; // call_id in Matrix; never derived from `id`
    QString roomId;
    State state = State::Early;
    Side side = Side::Theirs;
    int version = 1;               // of the invite: 0 or 1 (R3, R4)
    QString ourParty;              // our party id, for the whole call (R7)
    QString peer;                  // Matrix user on the other side
    std::optional<Party> opponent; // the chosen one; for their calls the caller from the start
    Media media;
    QString remoteSdp; // theirs; cleared at the end
    QString localSdp;  // ours, to tell a repeated answer from another one; cleared at the end

    Millis createdAt = 0;
    std::optional<Millis> answeredAt;
    std::optional<Millis> endedAt;
    EndReason reason = EndReason::UserHangup; // meaningful when Ended
    bool mediaFlowed = false;                 // decides between ice_failed and ice_timeout (R63)

    Millis deadline = 0; // when the state's time is up
    Millis forgetAt = 0; // Ended and Early: when the tombstone goes

    bool announced = false;                // the host has been told of it (R28)
    bool inviteSent = false;               // ours: the homeserver has the invite
    bool unavailableTold = false;          // the host was told that Matrix cannot carry it now
    std::optional<std::int64_t> inviteRef; // ours: the outbox entry of the invite while it is unsent
    std::int64_t noticeSeq = 0;            // last `seq` told to the host

    QVector<PartyCandidates> waiting; // candidates that wait for invite, announcement or answer (R55, R56)
    QVector<Candidate> unsent;        // ours, gathered until flushAt (R51)
    Millis flushAt = 0;               // 0: nothing to flush
    bool candidatesEnded = false;     // ours: end-of-candidates was said

    [[nodiscard]] bool live() const { return state != State::Ended && state != State::Early; }
    bool operator==(const Call &) const = default;
};

[[nodiscard]] QString toString(State state);

} // namespace voip::call
