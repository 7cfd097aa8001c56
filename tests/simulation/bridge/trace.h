// SPDX-License-Identifier: Apache-2.0
// What happened in a world, in order: kept as one number, by which two runs are compared, and printed for people if
// that is asked for. No SDP gets in here.
#pragma once

#include "chance.h"
#include "timeloop.h"

#include <QString>

#include <cstdio>

namespace bridgesim
{

class Trace
{
public:
    Trace(const TimeLoop &loop, bool print) : m_loop(loop), m_print(print) {}

    void note(const char *what, const QString &a = {}, const QString &b = {}, qint64 n = 0)
    {
        ++m_notes;
        m_hash = mixed(m_hash, static_cast<quint64>(m_loop.now()));
        m_hash = mixed(m_hash, qHashBits(what, qstrlen(what)));
        m_hash = mixed(m_hash, qHash(a));
        m_hash = mixed(m_hash, qHash(b) + static_cast<quint64>(n));
        if (m_print) {
            std::printf("%9.3f %-18s %s %s %lld\n", static_cast<double>(m_loop.now()) / 1000.0, what, qPrintable(a),
                        qPrintable(b), static_cast<long long>(n));
        }
    }
    [[nodiscard]] quint64 hash() const { return m_hash; }
    [[nodiscard]] qint64 notes() const { return m_notes; }

private:
    const TimeLoop &m_loop;
    const bool m_print;
    quint64 m_hash = 0;
    qint64 m_notes = 0;
};

} // namespace bridgesim
