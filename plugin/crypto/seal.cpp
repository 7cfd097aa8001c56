// SPDX-License-Identifier: Apache-2.0
#include "crypto/seal.h"

#include <memory>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

namespace voip::crypto
{

namespace
{

constexpr char version = 1;
constexpr int nonceSize = 12;
constexpr int tagSize = 16;
constexpr int headSize = 1 + nonceSize;
constexpr qsizetype maxSize = 1024LL * 1024;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char *bytesOf(const char *data)
{
    return reinterpret_cast<const unsigned char *>(data);
}

unsigned char *bytesOf(char *data)
{
    return reinterpret_cast<unsigned char *>(data);
}

} // namespace

Outcome<Seal> Seal::with(const Secret &rootKey)
{
    if (rootKey.size() != rootKeySize)
        return Fault::BadKey;
    constexpr QByteArrayView purpose("matrix-voip sealed state 1");
    Secret key(rootKeySize);
    std::size_t size = key.size();
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> hkdf(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr),
                                                                           EVP_PKEY_CTX_free);
    const bool good =
        hkdf && EVP_PKEY_derive_init(hkdf.get()) == 1 && EVP_PKEY_CTX_set_hkdf_md(hkdf.get(), EVP_sha256()) == 1 &&
        EVP_PKEY_CTX_set1_hkdf_key(hkdf.get(), bytesOf(rootKey.data()), rootKeySize) == 1 &&
        EVP_PKEY_CTX_add1_hkdf_info(hkdf.get(), bytesOf(purpose.data()), static_cast<int>(purpose.size())) == 1 &&
        EVP_PKEY_derive(hkdf.get(), bytesOf(key.data()), &size) == 1;
    ERR_clear_error();
    if (!good)
        return Fault::BadKey;
    return Seal(std::move(key));
}

Outcome<QByteArray> Seal::close(const Secret &plain, QByteArrayView place, const Random &random) const
{
    if (static_cast<qsizetype>(plain.size()) > maxSize)
        return Fault::TooLarge;
    const auto size = static_cast<int>(plain.size());
    QByteArray sealed(headSize + size + tagSize, '\0');
    sealed[0] = version;
    if (!random({sealed.data() + 1, nonceSize}))
        return Fault::NoRandomness;
    const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    unsigned char *out = bytesOf(sealed.data());
    int written = 0;
    int rest = 0;
    const bool good =
        cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytesOf(m_key.data()), out + 1) == 1 &&
        EVP_EncryptUpdate(cipher.get(), nullptr, &written, bytesOf(place.data()), static_cast<int>(place.size())) ==
            1 &&
        EVP_EncryptUpdate(cipher.get(), out + headSize, &written, bytesOf(plain.data()), size) == 1 &&
        EVP_EncryptFinal_ex(cipher.get(), out + headSize + written, &rest) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tagSize, out + headSize + size) == 1;
    ERR_clear_error();
    if (!good)
        return Fault::BadSeal;
    return sealed;
}

Outcome<Secret> Seal::open(QByteArrayView sealed, QByteArrayView place) const
{
    if (sealed.size() > headSize + maxSize + tagSize)
        return Fault::TooLarge;
    if (sealed.size() < headSize + tagSize || sealed[0] != version)
        return Fault::BadSeal;
    const auto size = static_cast<int>(sealed.size()) - headSize - tagSize;
    Secret plain(static_cast<std::size_t>(size));
    QByteArray tag = sealed.last(tagSize).toByteArray();
    const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int written = 0;
    int rest = 0;
    unsigned char none = 0;
    unsigned char *out = size > 0 ? bytesOf(plain.data()) : &none;
    const unsigned char *in = bytesOf(sealed.data());
    const bool good =
        cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytesOf(m_key.data()), in + 1) == 1 &&
        EVP_DecryptUpdate(cipher.get(), nullptr, &written, bytesOf(place.data()), static_cast<int>(place.size())) ==
            1 &&
        EVP_DecryptUpdate(cipher.get(), out, &written, in + headSize, size) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tagSize, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(cipher.get(), out + written, &rest) == 1;
    ERR_clear_error();
    if (!good)
        return Fault::BadSeal;
    return plain;
}

void leaveThread()
{
    OPENSSL_thread_stop();
}

} // namespace voip::crypto
