// SPDX-License-Identifier: Apache-2.0
// Messages for the holder of a Curve25519 key over libolm, as a key backup wants them. Private to the backend. Key and
// plaintext are checked before libolm sees them; nothing is kept.
#pragma once

#include "crypto/backend.h"

namespace voip::crypto::olm
{

[[nodiscard]] Outcome<QString> publicHalf(const Secret &privateKey);
[[nodiscard]] Outcome<PkMessage> encryptFor(const QString &publicKey, QByteArrayView plaintext, const Random &random);

} // namespace voip::crypto::olm
