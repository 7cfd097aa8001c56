// SPDX-License-Identifier: Apache-2.0
#include "crypto/signingkey.h"

#include "crypto/encoding.h"

#include <memory>
#include <openssl/err.h>
#include <openssl/evp.h>

namespace voip::crypto
{

namespace
{

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Key keyOf(const Secret &seed)
{
    return {EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                         reinterpret_cast<const unsigned char *>(seed.data()), seed.size()),
            EVP_PKEY_free};
}

} // namespace

Outcome<SigningKey> SigningKey::make(const Random &random)
{
    Secret seed(keySize);
    if (!random({seed.data(), seed.size()}))
        return Fault::NoRandomness;
    return fromSeed(std::move(seed));
}

Outcome<SigningKey> SigningKey::fromSeed(Secret seed)
{
    if (seed.size() != keySize)
        return Fault::BadKey;
    const Key key = keyOf(seed);
    QByteArray bytes(keySize, '\0');
    std::size_t size = keySize;
    const bool good =
        key && EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char *>(bytes.data()), &size) == 1;
    ERR_clear_error();
    if (!good)
        return Fault::BadKey;
    SigningKey made;
    made.m_seed = std::move(seed);
    made.m_public = QString::fromLatin1(toBase64(bytes));
    return made;
}

QString SigningKey::sign(QByteArrayView message) const
{
    const Key key = keyOf(m_seed);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    QByteArray signature(signatureSize, '\0');
    std::size_t size = signatureSize;
    const bool good = key && context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size,
                                     reinterpret_cast<const unsigned char *>(message.data()),
                                     static_cast<std::size_t>(message.size())) == 1;
    ERR_clear_error();
    return good ? QString::fromLatin1(toBase64(signature)) : QString();
}

} // namespace voip::crypto
