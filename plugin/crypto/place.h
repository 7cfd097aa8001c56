// SPDX-License-Identifier: Apache-2.0
// The places of what is sealed (crypto/seal.h): what a row is called, so that it opens in that row only.
#pragma once

#include <QByteArray>
#include <QString>

namespace voip::crypto
{

// A piece of a device's state. A lane is a Matrix id, and no kind holds a line break: two rows never share a place.
[[nodiscard]] inline QByteArray placeOf(const QString &lane, const QString &kind, const QString &key)
{
    return (lane + u'\n' + kind + u'\n' + key).toUtf8();
}

// A setting, whose key begins with "sealed:".
[[nodiscard]] inline QByteArray placeOfSetting(const QString &key)
{
    return (QStringLiteral("settings\n") + key).toUtf8();
}

} // namespace voip::crypto
