// SPDX-License-Identifier: Apache-2.0
#include "ownersignature.h"

#include "crypto/encoding.h"
#include "crypto/secretstorage.h"
#include "crypto/signature.h"
#include "crypto/signingkey.h"
#include "homeserver/paths.h"

namespace voip
{

namespace
{

const QString secretName = QStringLiteral("m.cross_signing.self_signing");

} // namespace

OwnerSignature::OwnerSignature(homeserver::Client &client, QString user, QJsonObject deviceKeys,
                               const QByteArray &recoveryKey, QObject *parent)
    : QObject(parent), m_client(client), m_user(std::move(user)), m_deviceKeys(std::move(deviceKeys))
{
    if (auto key = crypto::recoveryKeyFrom(QString::fromUtf8(recoveryKey)); key.ok())
        m_key = std::move(key).value();
}

void OwnerSignature::begin()
{
    if (m_key.isEmpty())
        return fail(tr("account.recovery_key is not a recovery key: copy it again"));
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
        readKeyName();
    });
}

void OwnerSignature::read(const QString &type, std::function<void(const QJsonObject &content)> then)
{
    m_client.request(m_user, homeserver::Method::Get,
                     homeserver::v3({QStringLiteral("user"), m_user, QStringLiteral("account_data"), type}), {}, {},
                     [this, type, then = std::move(then)](const homeserver::Result<QJsonObject> &answer) {
                         if (!answer.ok())
                             return fail(tr("the account keeps no %1 (%2): set up recovery in one of its other clients")
                                             .arg(type, answer.error().code));
                         then(*answer);
                     });
}

void OwnerSignature::readKeyName()
{
    read(QStringLiteral("m.secret_storage.default_key"),
         [this](const QJsonObject &content) { readKey(content.value(QLatin1String("key")).toString()); });
}

void OwnerSignature::readKey(const QString &keyId)
{
    read(QStringLiteral("m.secret_storage.key.") + keyId, [this, keyId](const QJsonObject &description) {
        if (!crypto::checkStorageKey(m_key, description).ok())
            return fail(tr("account.recovery_key is not the one of this account's recovery"));
        readSecret(keyId);
    });
}

void OwnerSignature::readSecret(const QString &keyId)
{
    read(secretName, [this, keyId](const QJsonObject &content) { sign(keyId, content); });
}

void OwnerSignature::sign(const QString &keyId, const QJsonObject &stored)
{
    const auto text = crypto::openStored(m_key, secretName,
                                         stored.value(QLatin1String("encrypted")).toObject().value(keyId).toObject());
    QByteArray padded = text.ok() ? text->view().toByteArray() : QByteArray();
    while (padded.endsWith('='))
        padded.chop(1);
    auto seed = crypto::fromBase64(padded, crypto::keySize);
    crypto::wipe(padded);
    if (!seed.ok())
        return fail(tr("the account's self-signing key cannot be opened with account.recovery_key"));
    const auto key = crypto::SigningKey::fromSeed(crypto::Secret(QByteArrayView(seed.value())));
    crypto::wipe(seed.value());
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
