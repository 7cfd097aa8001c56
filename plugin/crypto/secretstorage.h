// SPDX-License-Identifier: Apache-2.0
// Secrets that an account keeps encrypted at its homeserver (SSSS, m.secret_storage.v1.aes-hmac-sha2), opened with the
// recovery key that its owner was given. Everything that is read is somebody else's until its MAC is right.
#pragma once

#include "crypto/outcome.h"
#include "crypto/secret.h"

#include <QJsonObject>
#include <QString>

namespace voip::crypto
{

// "EsTc 5ruc ..." as people keep it: base58 with a header and a parity byte; blanks are ignored.
[[nodiscard]] Outcome<Secret> recoveryKeyFrom(const QString &text);
// Whether this is the key that `description` (m.secret_storage.key.<id>) describes.
[[nodiscard]] Outcome<Done> checkStorageKey(const Secret &key, const QJsonObject &description);
// `encrypted`: {iv, ciphertext, mac} of the secret `name` ("m.cross_signing.self_signing").
[[nodiscard]] Outcome<Secret> openStored(const Secret &key, const QString &name, const QJsonObject &encrypted);

} // namespace voip::crypto
