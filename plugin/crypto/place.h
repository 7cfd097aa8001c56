// SPDX-License-Identifier: Apache-2.0
// What a sealed value is bound to, so that it opens in no other row.
#pragma once

#include <QByteArray>
#include <QString>

namespace voip::crypto
{

[[nodiscard]] inline QByteArray placeOf(const QString &lane, const QString &kind, const QString &key)
{
    return lane.toUtf8() + '\n' + kind.toUtf8() + '\n' + key.toUtf8();
}

} // namespace voip::crypto
