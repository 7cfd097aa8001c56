// SPDX-License-Identifier: Apache-2.0
// How often one asker may ask: so many requests at once, and so many a second afterwards. Whoever gives a token is
// known by it (by its digest), others by their address. Pure: time comes in as an argument. Bounded: who has not asked
// for a while is forgotten, and of too many the new ones share one measure.
#pragma once

#include <QByteArray>
#include <QHash>

namespace bridgehost
{

struct PaceLimits {
    int atOnce = 400;
    int perSecond = 200;
    qsizetype askers = 4096;
};

class Pace
{
public:
    explicit Pace(PaceLimits limits = {}) : m_limits(limits) {}

    // False: too often. `now` in ms, and never less than before.
    [[nodiscard]] bool may(const QByteArray &asker, qint64 now);
    [[nodiscard]] qsizetype askers() const { return m_usedUp.size(); }

private:
    struct Used {
        qint64 thousandths = 0; // of requests
        qint64 at = 0;
    };
    [[nodiscard]] qint64 usedAt(const Used &used, qint64 now) const;

    PaceLimits m_limits;
    QHash<QByteArray, Used> m_usedUp;
};

} // namespace bridgehost
