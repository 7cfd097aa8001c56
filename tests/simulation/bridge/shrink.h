// SPDX-License-Identifier: Apache-2.0
// Makes a world that fails smaller: leaves out calls and troubles of its plan for as long as the same kind of complaint
// comes, and gives the command that plays what remains.
#pragma once

#include "world.h"

namespace bridgesim
{

struct Shrunk {
    Options options;
    Outcome outcome;
    int tries = 0;
};

[[nodiscard]] Shrunk shrink(TimeLoop &loop, const Options &options, const Outcome &outcome, int atMost = 400);
[[nodiscard]] QString commandOf(const Options &options);

} // namespace bridgesim
