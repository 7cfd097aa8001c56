// SPDX-License-Identifier: Apache-2.0
// A line: all that one bridged user's lane knows of rooms and calls. The state of the pure core.
#pragma once

#include "call/call.h"

#include <QHash>
#include <QMap>

namespace voip::call
{

enum class Membership { Join, Invite, Knock, Leave, Ban };
enum class JoinRule { Invite, Public, Other };

// The ghost itself stands in `members` as invited until a RoomSnapshot has told who else is there: only then is the
// room usable (joined(self)).
struct Room {
    QString id;
    QString conversationId;            // the host's name for it; given when the room is first seen
    QMap<QString, Membership> members; // joined and invited ones; at most maxMembers are kept
    bool crowded = false;              // had more than that: never callable (R15)
    JoinRule joinRule = JoinRule::Invite;
    bool encrypted = false; // never goes back to false

    static constexpr int maxMembers = 64;

    [[nodiscard]] bool has(const QString &user) const; // joined or invited
    [[nodiscard]] bool joined(const QString &user) const;
    // The only other member, or empty: calls are placed only where nobody else could answer (R15).
    [[nodiscard]] QString peerOf(const QString &user) const;
    bool operator==(const Room &) const = default;
};

enum class PrivateAddresses { Send, HideUnencrypted, Hide }; // R60

struct Settings {
    bool accepting = true; // new calls are taken; if not, theirs are rejected at once (ours are not asked for)
    Millis inviteLifetime = 90LL * 1000; // R24
    Millis connectTimeout = 60LL * 1000; // answered, and media never flows
    Millis longestCall = 24LL * 60 * 60 * 1000;
    Millis leastTimeToRing = 3000;       // R27
    Millis firstFlushAfterInvite = 2000; // R51
    Millis firstFlushAfterAnswer = 500;  // R51
    Millis flushEvery = 500;             // later candidates are gathered for as long
    Millis gatherFor = 200;              // R50
    Millis negotiateLifetime = 60LL * 1000;
    Millis transferLifetime = 60LL * 1000;
    Millis resumeTimeout = 60LL * 1000;    // R68; 0: a call is believed to be alive
    Millis reconnectTimeout = 60LL * 1000; // connected, then media broke and did not come back
    bool hostTrickles = true;              // R59: if not, descriptions for the host are kept until complete
    Millis foldFor = 1500;                 // R54, R59: but no longer than this
    bool parallelCalls = false;            // R83: the host's network lets two calls that cross live on, both
    bool transfers = true;                 // R104: whether a peer may ask for a transfer at all
    std::int64_t invitesPerMinute = 30;    // of one peer: more do not ring
    std::int64_t ringingOfPeer = 4;        // at a time, so that one peer does not take the others' places
    std::int64_t placesPerMinute = 60;     // by the host's user
    PrivateAddresses privateAddresses = PrivateAddresses::Send;

    bool operator==(const Settings &) const = default;
};

// What is remembered to save work and is no part of the state: two lines that differ only in it are equal.
struct Hint {
    Millis at = 0;
    bool operator==(const Hint & /*other*/) const { return true; }
};

struct Line {
    QString self; // Matrix id of the ghost
    Settings settings;
    QMap<QString, Room> rooms; // by room id
    QMap<QString, Call> calls; // by host call id: live ones, early ones, tombstones
    std::int64_t nextRef = 1;  // outbox references, unique by line
    Hint quietUntil = {};      // nothing is due before; kept by transition()

    // The call that an event of `sender` with this call_id is about. What is only known by early candidates or by its
    // end is known for the user who said so (for all, if our own did): a stranger who says the same call_id means
    // another call.
    [[nodiscard]] const Call *find(const QString &roomId, const QString &matrixId, const QString &sender) const;
    // The earliest moment at which something is due, or nothing.
    [[nodiscard]] std::optional<Millis> nextDue() const;
    bool operator==(const Line &) const = default;
};

// When something is due in this call next.
[[nodiscard]] Millis dueOf(const Call &call);

} // namespace voip::call
