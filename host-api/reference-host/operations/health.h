// SPDX-License-Identifier: Apache-2.0
// What /readyz and the doctor show: the host's checks and those of each plugin. From memory only.
#pragma once

#include <voiphost/plugin.h>

#include <QJsonObject>

namespace bridgehost
{

using Checks = QList<voiphost::Diagnostics::Check>;

[[nodiscard]] bool allRequiredOk(const Checks &checks);
[[nodiscard]] QJsonArray toJson(const Checks &checks);

} // namespace bridgehost
