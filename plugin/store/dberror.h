// SPDX-License-Identifier: Apache-2.0
// What a driver's error means for the caller. Messages hold no row's values.
#pragma once

#include "store/rows.h"

#include <QSqlError>

namespace voip::store
{

[[nodiscard]] QString firstLine(const QString &text); // what follows may quote values
[[nodiscard]] StoreError fromPostgresql(const QSqlError &error);
[[nodiscard]] StoreError fromSqlite(const QSqlError &error);

} // namespace voip::store
