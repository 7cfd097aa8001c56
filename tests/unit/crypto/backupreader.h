// SPDX-License-Identifier: Apache-2.0
// Reads what stands in a key backup, as the specification has it (m.megolm_backup.v1.curve25519-aes-sha2) and with
// OpenSSL alone: what the library under test has sealed is not opened by that library.
#pragma once

#include "crypto/encoding.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMessageAuthenticationCode>

#include <memory>
#include <openssl/evp.h>

namespace voip::crypto::test
{

class BackupReader
{
public:
    explicit BackupReader(QByteArray privateKey) : m_private(std::move(privateKey)) {}

    [[nodiscard]] QString publicKey() const
    {
        QByteArray out(keySize, '\0');
        std::size_t size = keySize;
        EVP_PKEY_get_raw_public_key(ours().get(), bytesOf(out), &size);
        return QString::fromLatin1(toBase64(out));
    }
    // {}: it cannot be read.
    [[nodiscard]] QJsonObject read(const QJsonObject &sessionData) const
    {
        const auto field = [&sessionData](const char *name) {
            return fromBase64(sessionData.value(QLatin1String(name)).toString().toUtf8());
        };
        const auto ephemeral = field("ephemeral");
        const auto ciphertext = field("ciphertext");
        const auto mac = field("mac");
        if (!ephemeral || !ciphertext || !mac || ephemeral->size() != keySize)
            return {};
        const QByteArray keys = hkdf(shared(*ephemeral), 80);
        const QByteArray macKey = keys.mid(32, 32);
        // Of nothing at all: so the algorithm has it since its first implementation.
        if (*mac != QMessageAuthenticationCode::hash({}, macKey, QCryptographicHash::Sha256).first(8))
            return {};
        return QJsonDocument::fromJson(decrypted(*ciphertext, keys.first(32), keys.mid(64, 16))).object();
    }

private:
    using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    static unsigned char *bytesOf(QByteArray &bytes) { return reinterpret_cast<unsigned char *>(bytes.data()); }
    static const unsigned char *bytesOf(const QByteArray &bytes)
    {
        return reinterpret_cast<const unsigned char *>(bytes.constData());
    }
    [[nodiscard]] Key ours() const
    {
        return {EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytesOf(m_private), keySize), EVP_PKEY_free};
    }
    [[nodiscard]] QByteArray shared(const QByteArray &theirs) const
    {
        const Key own = ours();
        const Key other(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytesOf(theirs), keySize), EVP_PKEY_free);
        const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(own.get(), nullptr),
                                                                                  EVP_PKEY_CTX_free);
        QByteArray out(keySize, '\0');
        std::size_t size = keySize;
        EVP_PKEY_derive_init(context.get());
        EVP_PKEY_derive_set_peer(context.get(), other.get());
        EVP_PKEY_derive(context.get(), bytesOf(out), &size);
        return out;
    }
    [[nodiscard]] static QByteArray hkdf(const QByteArray &secret, qsizetype size)
    {
        using Mac = QMessageAuthenticationCode;
        const QByteArray key = Mac::hash(secret, QByteArray(32, '\0'), QCryptographicHash::Sha256);
        QByteArray out;
        QByteArray block;
        for (char n = 1; out.size() < size; ++n) {
            block = Mac::hash(block + n, key, QCryptographicHash::Sha256);
            out += block;
        }
        return out.first(size);
    }
    [[nodiscard]] static QByteArray decrypted(const QByteArray &sealed, const QByteArray &key, const QByteArray &iv)
    {
        const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher(EVP_CIPHER_CTX_new(),
                                                                                     EVP_CIPHER_CTX_free);
        QByteArray out(sealed.size() + 16, '\0');
        int first = 0;
        int last = 0;
        const bool good =
            EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_cbc(), nullptr, bytesOf(key), bytesOf(iv)) == 1 &&
            EVP_DecryptUpdate(cipher.get(), bytesOf(out), &first, bytesOf(sealed), static_cast<int>(sealed.size())) ==
                1 &&
            EVP_DecryptFinal_ex(cipher.get(), bytesOf(out) + first, &last) == 1;
        return good ? out.first(first + last) : QByteArray();
    }

    const QByteArray m_private;
};

} // namespace voip::crypto::test
