// SPDX-License-Identifier: Apache-2.0
#include "crypto/olmsas.h"

#include "crypto/olmhandle.h"

#include <openssl/err.h>
#include <openssl/evp.h>

namespace voip::crypto::olm
{

namespace
{

// With a point of small order every private key gives the same secret: zero. OpenSSL refuses to derive that.
bool isContributory(const QByteArray &publicKey)
{
    const QByteArray anyPrivate(keySize, '\x42');
    const auto bytesOf = [](const QByteArray &bytes) {
        return reinterpret_cast<const unsigned char *>(bytes.constData());
    };
    using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    const Key ours(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytesOf(anyPrivate), keySize), EVP_PKEY_free);
    const Key theirs(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytesOf(publicKey), keySize), EVP_PKEY_free);
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        ours ? EVP_PKEY_CTX_new(ours.get(), nullptr) : nullptr, EVP_PKEY_CTX_free);
    unsigned char secret[keySize];
    std::size_t size = sizeof(secret);
    const bool good = theirs && context && EVP_PKEY_derive_init(context.get()) == 1 &&
                      EVP_PKEY_derive_set_peer(context.get(), theirs.get()) == 1 &&
                      EVP_PKEY_derive(context.get(), secret, &size) == 1;
    ERR_clear_error();
    return good;
}

} // namespace

SasOfOlm::SasOfOlm() : m_memory(new std::byte[olm_sas_size()]), m_sas(olm_sas(m_memory.get()))
{
}

SasOfOlm::~SasOfOlm()
{
    olm_clear_sas(m_sas);
}

Outcome<Done> SasOfOlm::create(const Random &random)
{
    auto entropy = draw(olm_create_sas_random_length(m_sas), random);
    if (!entropy)
        return entropy.error();
    QByteArray key(static_cast<qsizetype>(olm_sas_pubkey_length(m_sas)), '\0');
    if (olm_create_sas(m_sas, entropy.value().data(), entropy.value().size()) == olm_error() ||
        olm_sas_get_pubkey(m_sas, key.data(), static_cast<std::size_t>(key.size())) == olm_error())
        return faultOf(olm_sas_last_error_code(m_sas));
    m_public = QString::fromLatin1(key);
    return Done{};
}

Outcome<Done> SasOfOlm::agree(const QString &theirKey)
{
    const auto bytes = fromBase64(theirKey.toUtf8(), keySize);
    if (!bytes || !isContributory(*bytes))
        return Fault::BadKey;
    QByteArray key = theirKey.toLatin1(); // libolm decodes in place
    if (olm_sas_set_their_key(m_sas, key.data(), static_cast<std::size_t>(key.size())) == olm_error())
        return faultOf(olm_sas_last_error_code(m_sas));
    return Done{};
}

Outcome<QByteArray> SasOfOlm::bytes(QByteArrayView info, std::size_t size)
{
    QByteArray out(static_cast<qsizetype>(size), '\0');
    if (olm_sas_generate_bytes(m_sas, info.data(), static_cast<std::size_t>(info.size()), out.data(), size) ==
        olm_error())
        return faultOf(olm_sas_last_error_code(m_sas));
    return out;
}

Outcome<QString> SasOfOlm::mac(QByteArrayView message, QByteArrayView info)
{
    QByteArray out(static_cast<qsizetype>(olm_sas_mac_length(m_sas)), '\0');
    if (olm_sas_calculate_mac_fixed_base64(m_sas, message.data(), static_cast<std::size_t>(message.size()), info.data(),
                                           static_cast<std::size_t>(info.size()), out.data(),
                                           static_cast<std::size_t>(out.size())) == olm_error())
        return faultOf(olm_sas_last_error_code(m_sas));
    return QString::fromLatin1(out);
}

} // namespace voip::crypto::olm
