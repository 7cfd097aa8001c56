// SPDX-License-Identifier: Apache-2.0
#include "effects/clock.h"

#include <QDateTime>

#include <chrono>

namespace voip::effects
{

namespace
{

qint64 steadyNow()
{
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

} // namespace

Clock::Clock() : m_wallAtStart(QDateTime::currentMSecsSinceEpoch()), m_steadyAtStart(steadyNow())
{
}

qint64 Clock::now() const
{
    return m_wallAtStart + (steadyNow() - m_steadyAtStart);
}

} // namespace voip::effects
