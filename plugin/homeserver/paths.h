// SPDX-License-Identifier: Apache-2.0
// Paths of the client-server API, as unencoded segments.
#pragma once

#include <QStringList>

namespace voip::homeserver
{

[[nodiscard]] inline QStringList v3(const QStringList &rest)
{
    return QStringList{QStringLiteral("_matrix"), QStringLiteral("client"), QStringLiteral("v3")} + rest;
}

} // namespace voip::homeserver
