// SPDX-License-Identifier: Apache-2.0
// How many calls there may be: of one peer and of the host's user within a minute, ringing at a time, and kept by one
// line. What was tried lately is seen from the calls that the line keeps (their tombstones outlive a minute), so that a
// restart forgets no limit. Who is over a limit hears so once; what follows is passed over in silence, since an answer
// to each would double the flood.
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

namespace
{

constexpr Millis minute = 60LL * 1000;
constexpr int maxRinging = 16;      // of one line at a time
constexpr qsizetype maxKept = 2048; // calls of one line, tombstones too

} // namespace

bool Turn::mayRing() const
{
    const auto ringing = std::count_if(line().calls.cbegin(), line().calls.cend(),
                                       [](const Call &call) { return call.state == State::Ringing; });
    return ringing < maxRinging && (line().calls.size() < maxKept || oldestEnded());
}

Turn::Surge Turn::surgeOf(const QString &peer) const
{
    std::int64_t lately = 0;
    std::int64_t ringing = 0;
    int ringingOfAll = 0;
    for (const Call &call : line().calls) {
        ringingOfAll += call.state == State::Ringing ? 1 : 0;
        if (call.side != Side::Theirs || call.peer != peer)
            continue;
        ringing += call.state == State::Ringing ? 1 : 0;
        // What is known by its end only was no invite.
        lately += call.expiresAt > 0 && call.createdAt > m_now - minute ? 1 : 0;
    }
    const Settings &settings = line().settings;
    if (lately > settings.invitesPerMinute)
        return Surge::Flood;
    // The second half of the places is for peers who have none, unless one may have them all.
    const bool crowded = ringingOfAll >= maxRinging / 2 && settings.ringingOfPeer < maxRinging;
    const std::int64_t mayHave = crowded ? 1 : settings.ringingOfPeer;
    return lately == settings.invitesPerMinute || ringing >= mayHave ? Surge::OneTooMany : Surge::None;
}

std::optional<Refused> Turn::whyNotPlace() const
{
    std::int64_t lately = 0;
    Millis first = m_now;
    for (const Call &call : line().calls) {
        if (call.side != Side::Ours || call.createdAt <= m_now - minute)
            continue;
        ++lately;
        first = std::min(first, call.createdAt);
    }
    if (lately >= line().settings.placesPerMinute)
        return Refused{Refusal::TooMany, {}, State::Ended, first + minute - m_now};
    if (line().calls.size() >= maxKept && !oldestEnded())
        return Refused{Refusal::TooMany, {}, State::Ended, minute};
    return std::nullopt;
}

const Call *Turn::oldestEnded() const
{
    const Call *oldest = nullptr;
    for (const Call &call : line().calls) {
        if (call.state == State::Ended && !call.transfer && (!oldest || call.forgetAt < oldest->forgetAt))
            oldest = &call;
    }
    return oldest;
}

// A new call is worth more than the memory of the oldest one that is over.
void Turn::makeRoomForCall()
{
    if (line().calls.size() < maxKept)
        return;
    if (const Call *oldest = oldestEnded())
        forget(*oldest);
}

} // namespace voip::call
