// SPDX-License-Identifier: Apache-2.0
#include "rollout/cohort.h"

#include <QCryptographicHash>
#include <QtEndian>

namespace voip::rollout
{

int bucketOf(const QString &userId)
{
    const QByteArray hash =
        QCryptographicHash::hash("matrix-voip rollout:" + userId.toUtf8(), QCryptographicHash::Sha256);
    return static_cast<int>(qFromBigEndian<quint32>(hash.constData()) % 10000);
}

bool Cohort::has(const QString &userId) const
{
    return enabled && (allowUsers.contains(userId) || bucketOf(userId) < percent * 100);
}

} // namespace voip::rollout
