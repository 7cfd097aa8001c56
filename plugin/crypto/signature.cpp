// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature.h"

#include "crypto/encoding.h"

#include <memory>
#include <openssl/err.h>
#include <openssl/evp.h>

namespace voip::crypto
{

namespace
{

const unsigned char *bytesOf(QByteArrayView bytes)
{
    return reinterpret_cast<const unsigned char *>(bytes.data());
}

} // namespace

Outcome<QByteArray> signedPartOf(QJsonObject object)
{
    object.remove(QLatin1String("signatures"));
    object.remove(QLatin1String("unsigned"));
    return canonicalJson(object);
}

Outcome<Done> verify(const QString &key, QByteArrayView message, const QString &signature)
{
    const auto keyBytes = fromBase64(key.toUtf8(), keySize);
    if (!keyBytes)
        return Fault::BadKey;
    const auto signatureBytes = fromBase64(signature.toUtf8(), signatureSize);
    if (!signatureBytes)
        return Fault::BadSignature;
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pkey(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytesOf(*keyBytes), keySize), EVP_PKEY_free);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const bool good = pkey && context &&
                      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
                      EVP_DigestVerify(context.get(), bytesOf(*signatureBytes), signatureSize, bytesOf(message),
                                       static_cast<std::size_t>(message.size())) == 1;
    ERR_clear_error();
    if (!good)
        return Fault::BadSignature;
    return Done{};
}

Outcome<Done> verifySigned(const QJsonObject &object, const QString &user, const QString &keyId, const QString &key)
{
    const QJsonValue signature =
        object.value(QLatin1String("signatures")).toObject().value(user).toObject().value(keyId);
    if (!signature.isString())
        return Fault::BadSignature;
    const auto message = signedPartOf(object);
    if (!message)
        return message.error();
    return verify(key, *message, signature.toString());
}

QJsonObject withSignature(QJsonObject object, const QString &user, const QString &keyId, const QString &signature)
{
    QJsonObject signatures = object.value(QLatin1String("signatures")).toObject();
    QJsonObject ofUser = signatures.value(user).toObject();
    ofUser.insert(keyId, signature);
    signatures.insert(user, ofUser);
    object.insert(QLatin1String("signatures"), signatures);
    return object;
}

} // namespace voip::crypto
