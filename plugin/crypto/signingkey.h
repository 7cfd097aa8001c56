// SPDX-License-Identifier: Apache-2.0
// An Ed25519 key pair of ours that libolm does not hold: the keys of a cross-signing identity. The seed is a secret and
// leaves only into a sealed record.
#pragma once

#include "crypto/outcome.h"
#include "crypto/secret.h"

#include <QString>

namespace voip::crypto
{

class SigningKey
{
public:
    SigningKey() = default;
    [[nodiscard]] static Outcome<SigningKey> make(const Random &random);
    [[nodiscard]] static Outcome<SigningKey> fromSeed(Secret seed);

    [[nodiscard]] const QString &publicKey() const { return m_public; } // unpadded base64
    [[nodiscard]] QString keyId() const { return QStringLiteral("ed25519:") + m_public; }
    [[nodiscard]] const Secret &seed() const { return m_seed; }
    [[nodiscard]] QString sign(QByteArrayView message) const; // empty: it could not be done

private:
    Secret m_seed;
    QString m_public;
};

} // namespace voip::crypto
