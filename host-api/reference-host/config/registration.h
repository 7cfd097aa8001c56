// SPDX-License-Identifier: Apache-2.0
// The appservice registration that the homeserver is given. Holds both tokens: written for its owner only (0600).
#pragma once

#include "config/config.h"

namespace bridgehost
{

[[nodiscard]] QByteArray registrationYaml(const Config &config);
[[nodiscard]] voiphost::Expected<voiphost::Done> writeRegistration(const Config &config, const QString &file);

} // namespace bridgehost
