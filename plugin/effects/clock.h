// SPDX-License-Identifier: Apache-2.0
// The plugin's clock: UTC milliseconds that never go back or jump. It is set once from the wall clock and then moves
// with the monotonic one, so that a corrected wall clock neither ends calls early nor keeps them alive (R25).
#pragma once

#include <QtGlobal>

namespace voip::effects
{

class Clock
{
public:
    Clock();
    [[nodiscard]] qint64 now() const; // any thread

private:
    qint64 m_wallAtStart;
    qint64 m_steadyAtStart;
};

} // namespace voip::effects
