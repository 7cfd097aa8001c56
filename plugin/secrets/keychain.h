// SPDX-License-Identifier: Apache-2.0
// QtKeychain, made blocking by a local event loop with a time limit. For start-up only.
#pragma once

#include "secrets/secrets.h"

namespace voip
{

[[nodiscard]] voiphost::Expected<QByteArray, SecretError> readKeychain(const QString &service, const QString &name,
                                                                       int timeoutMs);
// Done: it was read back.
[[nodiscard]] voiphost::Expected<voiphost::Done, SecretError> writeKeychain(const QString &service, const QString &name,
                                                                            const QByteArray &value, int timeoutMs);
// One that is not there is fine.
[[nodiscard]] voiphost::Expected<voiphost::Done, SecretError> removeKeychain(const QString &service,
                                                                             const QString &name, int timeoutMs);

} // namespace voip
