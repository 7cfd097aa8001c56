// SPDX-License-Identifier: Apache-2.0
// What is checked before any cryptography sees it: unpadded base64, and canonical JSON (Matrix specification,
// appendices "Unpadded Base64" and "Canonical JSON"; E32).
#pragma once

#include "crypto/outcome.h"

#include <QByteArray>
#include <QJsonObject>

namespace voip::crypto
{

inline constexpr qsizetype keySize = 32;       // bytes of a Curve25519 or Ed25519 key
inline constexpr qsizetype signatureSize = 64; // of an Ed25519 signature
inline constexpr qsizetype maxBase64 = 128LL * 1024;

// Standard alphabet, no padding, no white space, no stray bits at the end. `size`: of the bytes; -1: any.
[[nodiscard]] Outcome<QByteArray> fromBase64(QByteArrayView text, qsizetype size = -1);
[[nodiscard]] QByteArray toBase64(QByteArrayView bytes);
[[nodiscard]] bool isKey(const QString &text); // base64 of 32 bytes

// Sorted by code point, integers only, nothing that is not in the specification. Fault: a number that is no integer of
// 53 bits, or text that is no Unicode.
[[nodiscard]] Outcome<QByteArray> canonicalJson(const QJsonObject &object);

} // namespace voip::crypto
