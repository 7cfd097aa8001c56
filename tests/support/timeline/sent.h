// SPDX-License-Identifier: Apache-2.0
// What every event that we send must look like, whatever the scenario: checks over the "matrix" output lines.
#pragma once

#include "timeline.h"

#include <QString>

namespace sent
{

// What is wrong with one of them; empty: nothing. `settings` are the header's.
[[nodiscard]] QString wrongWith(const QJsonObject &out, const QJsonObject &settings);
// What is wrong with the events of `type` among the lines (all types if it is empty), with the first offender; counts
// those that it saw.
[[nodiscard]] QString check(const timeline::Lines &lines, const QString &type, int &seen);

} // namespace sent
