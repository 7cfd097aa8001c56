// SPDX-License-Identifier: Apache-2.0
#include "crypto/secretstorage.h"

#include "crypto/encoding.h"

#include <memory>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

namespace voip::crypto
{

namespace
{

constexpr std::size_t storageKeySize = 32;
constexpr qsizetype ivSize = 16;
constexpr qsizetype macSize = 32;
constexpr qsizetype maxStored = 64LL * 1024;
constexpr qsizetype maxRecoveryText = 256;

const unsigned char *bytesOf(const char *data)
{
    return reinterpret_cast<const unsigned char *>(data);
}

unsigned char *bytesOf(char *data)
{
    return reinterpret_cast<unsigned char *>(data);
}

// HKDF-SHA256 without salt: the first half encrypts, the second authenticates.
Outcome<Secret> keysFor(const Secret &key, QByteArrayView name)
{
    const QByteArray salt(static_cast<qsizetype>(storageKeySize), '\0');
    Secret keys(2 * storageKeySize);
    std::size_t size = keys.size();
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> hkdf(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr),
                                                                           EVP_PKEY_CTX_free);
    const bool good =
        hkdf && EVP_PKEY_derive_init(hkdf.get()) == 1 && EVP_PKEY_CTX_set_hkdf_md(hkdf.get(), EVP_sha256()) == 1 &&
        EVP_PKEY_CTX_set1_hkdf_salt(hkdf.get(), bytesOf(salt.constData()), static_cast<int>(salt.size())) == 1 &&
        EVP_PKEY_CTX_set1_hkdf_key(hkdf.get(), bytesOf(key.data()), static_cast<int>(key.size())) == 1 &&
        EVP_PKEY_CTX_add1_hkdf_info(hkdf.get(), bytesOf(name.data()), static_cast<int>(name.size())) == 1 &&
        EVP_PKEY_derive(hkdf.get(), bytesOf(keys.data()), &size) == 1;
    ERR_clear_error();
    if (!good)
        return Fault::BadKey;
    return keys;
}

bool macFits(const Secret &keys, QByteArrayView ciphertext, QByteArrayView mac)
{
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    return HMAC(EVP_sha256(), keys.data() + storageKeySize, static_cast<int>(storageKeySize),
                bytesOf(ciphertext.data()), static_cast<std::size_t>(ciphertext.size()), made, &size) != nullptr &&
           mac.size() == macSize && size == static_cast<unsigned int>(macSize) &&
           CRYPTO_memcmp(made, mac.data(), macSize) == 0;
}

// AES-256-CTR, which is the same both ways.
Outcome<Secret> crypt(const Secret &keys, QByteArrayView iv, QByteArrayView in)
{
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher(EVP_CIPHER_CTX_new(),
                                                                                 EVP_CIPHER_CTX_free);
    Secret out(static_cast<std::size_t>(in.size()));
    int written = 0;
    const bool good =
        cipher && !out.isEmpty() &&
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_ctr(), nullptr, bytesOf(keys.data()), bytesOf(iv.data())) == 1 &&
        EVP_EncryptUpdate(cipher.get(), bytesOf(out.data()), &written, bytesOf(in.data()),
                          static_cast<int>(in.size())) == 1;
    ERR_clear_error();
    if (!good)
        return Fault::BadMessage;
    return out;
}

// Other implementations pad here.
Outcome<QByteArray> field(const QJsonObject &object, const char *name, qsizetype size)
{
    QByteArray text = object.value(QLatin1String(name)).toString().toUtf8();
    while (text.endsWith('='))
        text.chop(1);
    if (text.size() > maxStored)
        return Fault::TooLarge;
    return fromBase64(text, size);
}

} // namespace

Outcome<Secret> recoveryKeyFrom(const QString &text)
{
    constexpr QLatin1String alphabet("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");
    constexpr std::size_t size = 2 + storageKeySize + 1; // header, key, parity
    if (text.size() > maxRecoveryText)
        return Fault::TooLarge;
    Secret bytes(size); // big-endian number
    for (const QChar letter : text) {
        if (letter.isSpace())
            continue;
        const auto digit = alphabet.indexOf(letter);
        if (digit < 0)
            return Fault::BadKey;
        unsigned carry = static_cast<unsigned>(digit);
        for (std::size_t i = size; i-- > 0;) {
            carry += 58U * static_cast<unsigned char>(bytes.data()[i]);
            bytes.data()[i] = static_cast<char>(carry & 0xFF);
            carry >>= 8;
        }
        if (carry != 0)
            return Fault::BadKey;
    }
    unsigned char parity = 0;
    for (const char byte : bytes.view())
        parity ^= static_cast<unsigned char>(byte);
    if (static_cast<unsigned char>(bytes.data()[0]) != 0x8B || bytes.data()[1] != 0x01 || parity != 0)
        return Fault::BadKey;
    return Secret(bytes.view().sliced(2, static_cast<qsizetype>(storageKeySize)));
}

Outcome<Done> checkStorageKey(const Secret &key, const QJsonObject &description)
{
    if (description.value(QLatin1String("algorithm")).toString() != QLatin1String("m.secret_storage.v1.aes-hmac-sha2"))
        return Fault::BadKey;
    const auto iv = field(description, "iv", ivSize);
    const auto mac = field(description, "mac", macSize);
    const auto keys = keysFor(key, {});
    if (!iv || !mac || !keys)
        return Fault::BadKey;
    const QByteArray zeros(static_cast<qsizetype>(storageKeySize), '\0');
    const auto sealed = crypt(*keys, *iv, zeros);
    if (!sealed || !macFits(*keys, sealed->view(), *mac))
        return Fault::BadMac;
    return Done{};
}

Outcome<Secret> openStored(const Secret &key, const QString &name, const QJsonObject &encrypted)
{
    const auto iv = field(encrypted, "iv", ivSize);
    const auto mac = field(encrypted, "mac", macSize);
    const auto ciphertext = field(encrypted, "ciphertext", -1);
    if (!iv || !mac || !ciphertext)
        return Fault::BadBase64;
    const auto keys = keysFor(key, name.toUtf8());
    if (!keys)
        return keys.error();
    if (!macFits(*keys, *ciphertext, *mac))
        return Fault::BadMac;
    return crypt(*keys, *iv, *ciphertext);
}

} // namespace voip::crypto
