// SPDX-License-Identifier: Apache-2.0
// `bridge-host --check`: configuration, plugins, database. Prints what it found; changes nothing.
#pragma once

#include "app/bridge_host.h"

class QTextStream;

namespace bridgehost
{

// The exit code: 0 or 1.
[[nodiscard]] int runCheck(const QString &file, const Environment &environment, QTextStream &out);

[[nodiscard]] Environment processEnvironment();

} // namespace bridgehost
