// SPDX-License-Identifier: Apache-2.0
// `bridge-host --rotate-root-key`: asks the plugin to change the key of what it keeps sealed, while nothing runs.
#pragma once

#include "app/bridge_host.h"

class QTextStream;

namespace bridgehost
{

// The exit code: 0 or 1. What was done goes to `out`, what stands in the way to `err`.
[[nodiscard]] int runRotation(const Config &config, QTextStream &out, QTextStream &err);

} // namespace bridgehost
