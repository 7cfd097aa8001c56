// SPDX-License-Identifier: Apache-2.0
// Ed25519 signatures over canonical JSON. Verified with libcrypto and not with libolm, which takes malleable ones
// (CVE-2024-45193; E32).
#pragma once

#include "crypto/outcome.h"

#include <QJsonObject>

namespace voip::crypto
{

// What is signed of an object: all but `signatures` and `unsigned`.
[[nodiscard]] Outcome<QByteArray> signedPartOf(QJsonObject object);
// `key` and `signature` in unpadded base64.
[[nodiscard]] Outcome<Done> verify(const QString &key, QByteArrayView message, const QString &signature);
// Looks up signatures.<user>.<keyId> ("ed25519:DEVICE") and verifies it.
[[nodiscard]] Outcome<Done> verifySigned(const QJsonObject &object, const QString &user, const QString &keyId,
                                         const QString &key);
// The object with one more signature.
[[nodiscard]] QJsonObject withSignature(QJsonObject object, const QString &user, const QString &keyId,
                                        const QString &signature);

} // namespace voip::crypto
