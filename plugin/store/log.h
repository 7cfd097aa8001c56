// SPDX-License-Identifier: Apache-2.0
// The store's log category. Nothing that is logged under it holds a row's values or the DSN.
#pragma once

#include <QLoggingCategory>

namespace voip::store
{

Q_DECLARE_LOGGING_CATEGORY(lcStore)

} // namespace voip::store
