// SPDX-License-Identifier: Apache-2.0
// Reproducible randomness: one number gives a whole stream, and any stream can be split by a name, so that what one
// part of the world draws does not depend on how much another has drawn.
#pragma once

#include <QtGlobal>

namespace bridgesim
{

[[nodiscard]] constexpr quint64 mixed(quint64 a, quint64 b)
{
    quint64 x = a * 0x9e3779b97f4a7c15ULL + b + 0x2545f4914f6cdd1dULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

class Chance
{
public:
    explicit Chance(quint64 seed = 0) : m_state(seed) {}
    quint64 next() { return mixed(m_state, ++m_drawn); }
    int below(int limit) { return static_cast<int>(next() % static_cast<quint64>(limit)); }
    bool percent(int of) { return of > 0 && below(100) < of; }
    qint64 between(qint64 least, qint64 most)
    {
        return least + static_cast<qint64>(next() % static_cast<quint64>(most - least + 1));
    }
    [[nodiscard]] Chance part(quint64 name) const { return Chance(mixed(m_state, name)); }

private:
    quint64 m_state;
    quint64 m_drawn = 0;
};

} // namespace bridgesim
