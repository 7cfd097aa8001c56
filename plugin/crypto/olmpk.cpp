// SPDX-License-Identifier: Apache-2.0
#include "crypto/olmpk.h"

#include "crypto/olmhandle.h"

#include <olm/pk.h>

namespace voip::crypto::olm
{

namespace
{

// libolm's object in memory of ours, wiped when it goes.
template <typename T, std::size_t (*Size)(), T *(*Make)(void *), std::size_t (*Clear)(T *)>
class Held
{
public:
    Held() : m_memory(new std::byte[Size()]), m_object(Make(m_memory.get())) {}
    Held(const Held &) = delete;
    Held &operator=(const Held &) = delete;
    ~Held() { Clear(m_object); }
    [[nodiscard]] T *get() const { return m_object; }

private:
    std::unique_ptr<std::byte[]> m_memory;
    T *m_object;
};

using Encryption = Held<::OlmPkEncryption, olm_pk_encryption_size, olm_pk_encryption, olm_clear_pk_encryption>;
using Decryption = Held<::OlmPkDecryption, olm_pk_decryption_size, olm_pk_decryption, olm_clear_pk_decryption>;

QByteArray room(std::size_t size)
{
    return QByteArray(static_cast<qsizetype>(size), '\0');
}

} // namespace

Outcome<QString> publicHalf(const Secret &privateKey)
{
    if (privateKey.size() != olm_pk_private_key_length())
        return Fault::BadKey;
    const Decryption key;
    QByteArray out = room(olm_pk_key_length());
    if (olm_pk_key_from_private(key.get(), out.data(), static_cast<std::size_t>(out.size()), privateKey.data(),
                                privateKey.size()) == olm_error())
        return Fault::BadKey;
    return QString::fromLatin1(out);
}

Outcome<PkMessage> encryptFor(const QString &publicKey, QByteArrayView plaintext, const Random &random)
{
    if (!isKey(publicKey))
        return Fault::BadKey;
    if (plaintext.size() > maxPlaintext)
        return Fault::TooLarge;
    const Encryption encryption;
    const QByteArray key = publicKey.toLatin1();
    if (olm_pk_encryption_set_recipient_key(encryption.get(), key.constData(), static_cast<std::size_t>(key.size())) ==
        olm_error())
        return faultOf(olm_pk_encryption_last_error_code(encryption.get()));
    const auto entropy = draw(olm_pk_encrypt_random_length(encryption.get()), random);
    if (!entropy)
        return entropy.error();
    const auto size = static_cast<std::size_t>(plaintext.size());
    QByteArray ciphertext = room(olm_pk_ciphertext_length(encryption.get(), size));
    QByteArray mac = room(olm_pk_mac_length(encryption.get()));
    QByteArray ephemeral = room(olm_pk_key_length());
    if (olm_pk_encrypt(encryption.get(), plaintext.data(), size, ciphertext.data(),
                       static_cast<std::size_t>(ciphertext.size()), mac.data(), static_cast<std::size_t>(mac.size()),
                       ephemeral.data(), static_cast<std::size_t>(ephemeral.size()), entropy->data(),
                       entropy->size()) == olm_error())
        return faultOf(olm_pk_encryption_last_error_code(encryption.get()));
    return PkMessage{QString::fromLatin1(ephemeral), QString::fromLatin1(ciphertext), QString::fromLatin1(mac)};
}

} // namespace voip::crypto::olm
