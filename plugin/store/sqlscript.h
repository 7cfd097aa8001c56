// SPDX-License-Identifier: Apache-2.0
// Splits the text of a migration into statements at the semicolons that stand outside of strings, quoted names,
// dollar quotes and comments; comments are dropped. Knows no BEGIN ... END bodies: triggers are not for migrations.
#pragma once

#include <QString>
#include <QStringList>

namespace voip::store
{

[[nodiscard]] QStringList splitStatements(const QString &script);

} // namespace voip::store
