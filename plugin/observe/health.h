// SPDX-License-Identifier: Apache-2.0
// What is well and what is not, said by the parts that know, read by the host at any time from any thread.
#pragma once

#include <voiphost/plugin.h>

#include <QMap>
#include <QMutex>
#include <QMutexLocker>

namespace voip::observe
{

class Health
{
public:
    void set(const voiphost::Diagnostics::Check &check)
    {
        const QMutexLocker lock(&m_lock);
        m_checks.insert(check.name, check);
    }
    [[nodiscard]] QList<voiphost::Diagnostics::Check> checks() const
    {
        const QMutexLocker lock(&m_lock);
        return m_checks.values();
    }

private:
    mutable QMutex m_lock;
    QMap<QString, voiphost::Diagnostics::Check> m_checks;
};

} // namespace voip::observe
