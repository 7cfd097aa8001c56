// SPDX-License-Identifier: Apache-2.0
#include "ownersignature.h"

#include "crypto/encoding.h"
#include "crypto/signature.h"
#include "crypto/signingkey.h"
#include "homeserver/paths.h"

namespace voip
{

OwnerSignature::OwnerSignature(homeserver::Client &client, QString user, QJsonObject deviceKeys,
                               const QByteArray &recoveryKey, QObject *parent)
    : QObject(parent), m_client(client), m_user(std::move(user)), m_deviceKeys(std::move(deviceKeys)),
      m_secret(client, m_user, QStringLiteral("m.cross_signing.self_signing"), recoveryKey)
{
}

void OwnerSignature::begin()
{
    readDevices();
}

void OwnerSignature::fail(const QString &problem)
{
    Q_EMIT ended(problem);
}

void OwnerSignature::readDevices()
{
    m_client.queryKeys(m_user, {m_user}, [this](const auto &answer) {
        if (!answer.ok())
            return fail(tr("the homeserver did not say which devices the account has: %1").arg(answer.error().message));
        const QJsonObject keys = answer->value(QLatin1String("self_signing_keys"))
                                     .toObject()
                                     .value(m_user)
                                     .toObject()
                                     .value(QLatin1String("keys"))
                                     .toObject();
        m_selfSigning = keys.isEmpty() ? QString() : keys.constBegin().value().toString();
        if (!crypto::isKey(m_selfSigning))
            return fail(tr("the account has no cross-signing identity: set up recovery in one of its other clients"));
        const QJsonObject device = answer->value(QLatin1String("device_keys"))
                                       .toObject()
                                       .value(m_user)
                                       .toObject()
                                       .value(m_deviceKeys.value(QLatin1String("device_id")).toString())
                                       .toObject();
        if (crypto::verifySigned(device, m_user, QStringLiteral("ed25519:") + m_selfSigning, m_selfSigning).ok())
            return Q_EMIT ended({});
        m_secret.open([this](const homeserver::Result<crypto::Secret> &seed) {
            if (!seed.ok())
                return fail(seed.error().message);
            sign(*seed);
        });
    });
}

void OwnerSignature::sign(const crypto::Secret &seed)
{
    const auto key = crypto::SigningKey::fromSeed(seed.clone());
    const auto part = crypto::signedPartOf(m_deviceKeys);
    // Whoever stored it may have stored what he liked: it must be the key that everybody else sees.
    if (!key.ok() || key->publicKey() != m_selfSigning || !part.ok())
        return fail(tr("the self-signing key that the account keeps is not the one of its identity"));
    const QJsonObject device = crypto::withSignature(m_deviceKeys, m_user, key->keyId(), key->sign(*part));
    const QString id = m_deviceKeys.value(QLatin1String("device_id")).toString();
    m_client.request(m_user, homeserver::Method::Post,
                     homeserver::v3({QStringLiteral("keys"), QStringLiteral("signatures"), QStringLiteral("upload")}),
                     {}, {{m_user, QJsonObject{{id, device}}}}, [this](const homeserver::Result<QJsonObject> &answer) {
                         if (!answer.ok() || !answer->value(QLatin1String("failures")).toObject().isEmpty())
                             return fail(tr("the homeserver did not take the signature"));
                         Q_EMIT ended({});
                     });
}

} // namespace voip
