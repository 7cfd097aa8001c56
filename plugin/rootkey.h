// SPDX-License-Identifier: Apache-2.0
// The store's root key at start: read from where the host's settings say, or made, but only where a key can be kept
// for us (the keychain), only when it says that there is none, and only for a database that never had one. A provider
// that cannot be asked is an error. While a rotation (rotation.h) is under way there are two keys, and the database
// says which of them is its own. Blocks; for start-up, on the host's thread.
#pragma once

#include "secrets/secrets.h"

#include <voiphost/host.h>
#include <voiphost/plugin.h>

#include <functional>

namespace voip
{

inline const QString rootKeyName = QStringLiteral("root_key");
inline const QString nextRootKeyName = QStringLiteral("root_key_next");

struct RootKey {
    QByteArray bytes;      // empty: this installation has none
    QByteArray next;       // of a rotation; usually empty
    QString defect;        // why there might be a `next` that cannot be read
    bool toBeMade = false; // there is none, and one can be kept for us
};

// Asks the provider only; opens no database.
[[nodiscard]] voiphost::Expected<RootKey> readRootKey(voiphost::Host &host);
// The key to start with, and in the keychain puts right what an interrupted rotation left. Looks into the database
// only if there is a choice.
[[nodiscard]] voiphost::Expected<QByteArray> settleRootKey(voiphost::Host &host, const RootKey &key);
// For `--check`: would settleRootKey() find one, and is it the database's? Changes nothing.
[[nodiscard]] QList<voiphost::Diagnostics::Check> inspectRootKey(voiphost::Host &host, const RootKey &key);

// The key of the database is the one under `root_key_next` in the keychain: it becomes `root_key`. `replaced` is called
// while it stands under both.
[[nodiscard]] voiphost::Expected<voiphost::Done> promoteRootKey(voiphost::Host &host, const QByteArray &next,
                                                                const std::function<void()> &replaced = {});
// Credentials directory: what the administrator does then.
[[nodiscard]] QString renameAdvice();

[[nodiscard]] SecretStore secretsOf(voiphost::Host &host);
[[nodiscard]] voiphost::Error toError(const SecretError &error);
[[nodiscard]] QByteArray freshRootKey();

} // namespace voip
