// SPDX-License-Identifier: Apache-2.0
#include "http/pace.h"

#include <algorithm>

namespace bridgehost
{

// What is used up comes back by the millisecond.
qint64 Pace::usedAt(const Used &used, qint64 now) const
{
    return std::max<qint64>(0, used.thousandths - (now - used.at) * m_limits.perSecond);
}

bool Pace::may(const QByteArray &asker, qint64 now)
{
    if (m_usedUp.size() >= m_limits.askers)
        m_usedUp.removeIf([this, now](const auto &entry) { return usedAt(entry.value(), now) == 0; });
    const bool known = m_usedUp.contains(asker) || m_usedUp.size() < m_limits.askers;
    Used &used = m_usedUp[known ? asker : QByteArray()];
    used = {usedAt(used, now), now};
    if (used.thousandths + 1000 > m_limits.atOnce * 1000LL)
        return false;
    used.thousandths += 1000;
    return true;
}

} // namespace bridgehost
