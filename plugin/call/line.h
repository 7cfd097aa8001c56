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

struct Settings {
    bool accepting = true; // new calls are taken; if not, theirs are rejected at once (ours are not asked for)
    Millis inviteLifetime = 90LL * 1000; // R24
    Millis connectTimeout = 60LL * 1000; // answered, and media never flows
    Millis longestCall = 24LL * 60 * 60 * 1000;
    Millis leastTimeToRing = 3000;       // R27
    Millis firstFlushAfterInvite = 2000; // R51
    Millis firstFlushAfterAnswer = 500;  // R51
    Millis flushEvery = 500;             // later candidates are gathered for as long

    bool operator==(const Settings &) const = default;
};

struct Line {
    QString self; // Matrix id of the ghost
    Settings settings;
    QMap<QString, Room> rooms; // by room id
    QMap<QString, Call> calls; // by host call id: live ones, early ones, tombstones
    std::int64_t nextRef = 1;  // outbox references, unique by line

    [[nodiscard]] const Call *findMatrix(const QString &roomId, const QString &matrixId) const;
    // The earliest moment at which something is due, or nothing.
    [[nodiscard]] std::optional<Millis> nextDue() const;
    bool operator==(const Line &) const = default;
};

// When something is due in this call next.
[[nodiscard]] std::optional<Millis> dueOf(const Call &call);

} // namespace voip::call
