// SPDX-License-Identifier: Apache-2.0
// The machine under the program while a world is simulated: the C library's clocks and its sources of entropy are
// replaced, so that every clock, timer and id of the product, of Qt and of the standard library comes from the world
// and its seed. Nothing in the product is made for this.
#pragma once

#include <QtGlobal>

namespace bridgesim::machine
{

// Qt asks the processor for randomness if it can: from here on it believes that it cannot. Ends the program if that
// does not help. First thing in main().
void prepare();
// From now on time stands where setNow() puts it, and randomness follows from the seed.
void begin(quint64 seed);
void end();
void setNow(qint64 ms);       // since begin()
void setWallAhead(qint64 ms); // the wall clock is wrong by this much: only who reads it sees
[[nodiscard]] qint64 wallAhead();
// UTC ms, for who began when the wall clock was wrong by so much.
[[nodiscard]] qint64 wallNow(qint64 ahead);
[[nodiscard]] qint64 realNow(); // ms of the real machine, for those who measure

} // namespace bridgesim::machine
