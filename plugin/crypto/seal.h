// SPDX-License-Identifier: Apache-2.0
// Authenticated encryption of what crypto/ gives the store to keep. A sealed value opens only with the same root key
// and for the place it was made for (`place`: table, owner and row), so that rows cannot be swapped or taken back to an
// older place unseen.
//   1 byte version | 12 bytes nonce | ciphertext | 16 bytes tag; AES-256-GCM, key by HKDF-SHA256 of the root key
// The nonce is drawn: one root key is good for 2^32 sealed values; rotate it long before.
#pragma once

#include "crypto/outcome.h"
#include "crypto/secret.h"

namespace voip::crypto
{

inline constexpr std::size_t rootKeySize = 32;

class Seal
{
public:
    // Fault: a root key of another size.
    [[nodiscard]] static Outcome<Seal> with(const Secret &rootKey);

    [[nodiscard]] Outcome<QByteArray> close(const Secret &plain, QByteArrayView place, const Random &random) const;
    [[nodiscard]] Outcome<Secret> open(QByteArrayView sealed, QByteArrayView place) const;

private:
    explicit Seal(Secret key) : m_key(std::move(key)) {}

    Secret m_key;
};

// Gives back what libcrypto keeps for the calling thread, which is about to end: left to the thread's end it would be
// done beside the end of the process, or not at all.
void leaveThread();

} // namespace voip::crypto
