// SPDX-License-Identifier: Apache-2.0
// Which faults are in force now, and how strong.
#pragma once

#include "plan.h"

#include <array>

namespace bridgesim
{

class Weather
{
public:
    [[nodiscard]] int of(Fault fault) const { return m_percent[index(fault)]; }
    [[nodiscard]] bool is(Fault fault) const { return of(fault) > 0; }
    void begin(const Trouble &trouble) { m_percent[index(trouble.fault)] = trouble.percent; }
    void end(const Trouble &trouble) { m_percent[index(trouble.fault)] = 0; }
    void clear() { m_percent = {}; }

private:
    [[nodiscard]] static std::size_t index(Fault fault) { return static_cast<std::size_t>(fault); }
    std::array<int, static_cast<std::size_t>(Fault::Count_)> m_percent{};
};

} // namespace bridgesim
