// SPDX-License-Identifier: Apache-2.0
// The call core: a pure function from a line and an input to the next line and the effects to perform.
// Same arguments, same result. It never waits, draws no random number of its own and reads no clock.
#pragma once

#include "call/effect.h"

namespace voip::call
{

struct Now {
    Millis at = 0;
    std::array<std::uint64_t, 4> entropy = {}; // fresh for every input
};

struct Step {
    Line line;
    QVector<Effect> effects;       // in the order in which they happen
    QVector<QString> changedCalls; // host call ids whose rows differ now, also those that are gone
    QVector<QString> changedRooms;
};

[[nodiscard]] Step transition(Line line, const Input &input, const Now &now);

} // namespace voip::call
