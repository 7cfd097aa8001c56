// SPDX-License-Identifier: Apache-2.0
// Changing the root key while nothing runs (voiphost/maintenance.h). The order is what makes it safe: the database is
// held for this process alone; the new key is kept where the next start finds it; then one transaction seals everything
// with it and makes the database its own; only then does it take the old key's place. Killed anywhere, the database
// belongs to a key that is kept, and the same command goes on from there. No key is ever printed.
#pragma once

#include <voiphost/host.h>
#include <voiphost/maintenance.h>

#include <functional>

namespace voip
{

enum class RotationStep {
    Locked,   // nobody else uses the database
    Kept,     // the new key is stored, the database is the old one's
    Sealed,   // one more value, in the transaction
    Changed,  // the transaction is committed
    Promoted, // the new key is root_key, too
    Cleared,  // root_key_next is gone
};

// `reached` is told of each step once it is done (for tests: whoever dies in it dies between two steps).
[[nodiscard]] voiphost::Expected<voiphost::RotationReport> rotateRootKey(
    voiphost::Host &host, const std::function<void(RotationStep)> &reached = [](RotationStep) {});

} // namespace voip
