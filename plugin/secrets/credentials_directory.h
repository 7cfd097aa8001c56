// SPDX-License-Identifier: Apache-2.0
// One file per secret in a directory that others cannot read, as systemd's LoadCredential= makes it.
#pragma once

#include "secrets/secrets.h"

namespace voip
{

// `path` empty: $CREDENTIALS_DIRECTORY. The raw bytes of the file.
[[nodiscard]] voiphost::Expected<QByteArray, SecretError> readCredential(const QString &path, const QString &name);

} // namespace voip
