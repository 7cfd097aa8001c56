// SPDX-License-Identifier: Apache-2.0
// The store's root key at start: read from where the host's settings say, or made, but only where a key can be kept
// for us (the keychain), only when it says that there is none, and only for a database that never had one. A provider
// that cannot be asked is an error. Blocks; for start-up, on the host's thread.
#pragma once

#include <voiphost/host.h>
#include <voiphost/types.h>

namespace voip
{

struct RootKey {
    QByteArray bytes;      // empty: this installation has none
    bool toBeMade = false; // start() calls makeRootKey()
};

[[nodiscard]] voiphost::Expected<RootKey> readRootKey(voiphost::Host &host);
[[nodiscard]] voiphost::Expected<QByteArray> makeRootKey(voiphost::Host &host);

} // namespace voip
