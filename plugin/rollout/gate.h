// SPDX-License-Identifier: Apache-2.0
// The switch in force now, for every thread. Changed by the core thread when the change is durable, asked by it for
// each new call, and shown to administrators by the host's thread.
#pragma once

#include "rollout/cohort.h"

#include <QMutex>
#include <QMutexLocker>

namespace voip::rollout
{

class Gate
{
public:
    void set(const Cohort &cohort)
    {
        const QMutexLocker lock(&m_lock);
        m_cohort = cohort;
    }
    [[nodiscard]] Cohort cohort() const
    {
        const QMutexLocker lock(&m_lock);
        return m_cohort;
    }
    [[nodiscard]] bool admits(const QString &userId) const
    {
        const QMutexLocker lock(&m_lock);
        return m_cohort.has(userId);
    }

private:
    mutable QMutex m_lock;
    Cohort m_cohort{false, 0, {}};
};

} // namespace voip::rollout
