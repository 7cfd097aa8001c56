// SPDX-License-Identifier: Apache-2.0
// Numbered schema changes from ":/matrixvoip/migrations/NNNN_name.<dialect>.sql". Each file begins with
// "-- v<N> (compatible with v<M>+): purpose", is applied once, in order, in a transaction of its own and under a lock
// that other workers respect. A schema newer than this program is refused.
#pragma once

#include "store/connection.h"

namespace voip::store
{

struct Migration {
    int version = 0;
    int compatibleWith = 0;
    QString purpose;
    QStringList statements;
};

// In order, without gaps; Misconfigured names the file that is not as it should be.
[[nodiscard]] Result<QVector<Migration>> migrations(Dialect dialect);
[[nodiscard]] int programVersion(Dialect dialect); // of the newest migration

[[nodiscard]] Result<int> schemaVersion(Connection &db); // 0: empty

// Brings the schema to `upTo` (0: the newest) and gives the version it then has.
[[nodiscard]] Result<int> migrate(Connection &db, int upTo = 0);

} // namespace voip::store
