// SPDX-License-Identifier: Apache-2.0
// What QtKeychain does not tell: libsecret finds nothing in a keyring that is locked and that nobody unlocks, and says
// so in the same way as for a secret that was never stored.
#pragma once

#include <QString>

namespace voip
{

// After "not found": true if the session's secret service keeps the secret, or would keep it, in a locked keyring, or
// does not say. False also where there is no such service: then it was another one that answered.
[[nodiscard]] bool mayBeLocked(const QString &service, const QString &name, int timeoutMs);

} // namespace voip
