// SPDX-License-Identifier: Apache-2.0
// Words of the call core. Value types only: the standard library and Qt's value classes; no I/O, clock, randomness,
// QObject or JSON anywhere in call/. Times are milliseconds on the caller's clock (UTC in the plugin), and come in
// as arguments; so does randomness (Entropy).
#pragma once

#include "call/media.h"

#include <array>
#include <cstdint>
#include <optional>

namespace voip::call
{

using Millis = std::int64_t;

struct Candidate {
    QString candidate; // empty: end of candidates (R52)
    std::optional<QString> sdpMid;
    std::optional<int> sdpMLineIndex;

    bool operator==(const Candidate &) const = default;
};

// A party is the pair of user and party id, never the party id alone (R9). A v0 client, or a v1 client that sent
// none, has an empty party id (R11, R48).
struct Party {
    QString user;
    QString id;

    bool operator==(const Party &) const = default;
};

// Reasons as they stand in m.call.hangup (R61, R64), and those that only the host is told.
enum class EndReason {
    UserHangup,
    InviteTimeout,
    IceFailed,
    IceTimeout,
    UserMediaFailed,
    UserBusy,
    UnknownError,
    Rejected,          // m.call.reject, or a v0 hangup before the answer
    AnsweredElsewhere, // another device of the called user, or another party was selected (R38, R41)
    Replaced,          // lost to glare (R82)
    PeerLeft,          // the other side left the room (R21)
    Unavailable,       // Matrix could not carry it
    Transferred,       // went over into another call (R102)
};

// Randomness for one input: 256 bits that the shell draws afresh; the core stretches them into ids.
class Entropy
{
public:
    explicit Entropy(std::array<std::uint64_t, 4> seed) : m_state(seed) {}
    // An opaque identifier of `length` characters of [0-9A-Za-z] (R5, R7).
    [[nodiscard]] QString id(int length);

private:
    std::uint64_t next(); // xoshiro256++
    std::array<std::uint64_t, 4> m_state;
};

// Longest lifetime of an invite that is believed; also how long an ended call is remembered (R67).
inline constexpr Millis longestLifetime = 10LL * 60 * 1000;

[[nodiscard]] QString toString(EndReason reason);
// Unknown reasons are UnknownError (R64), a missing one is UserHangup (R62).
[[nodiscard]] EndReason endReasonFromMatrix(const QString &reason);
// True if a call that ended so is shown as failed rather than ended.
[[nodiscard]] bool isFailure(EndReason reason);
// 1..255 characters of [0-9A-Za-z-._~] (R5).
[[nodiscard]] bool isOpaqueId(const QString &id);

} // namespace voip::call
