// SPDX-License-Identifier: Apache-2.0
#include "storedsecret.h"

#include "crypto/encoding.h"
#include "crypto/secretstorage.h"
#include "homeserver/paths.h"

namespace voip
{

using homeserver::Failure;

StoredSecret::StoredSecret(homeserver::Client &client, QString user, QString name, const QByteArray &recoveryKey)
    : m_client(client), m_user(std::move(user)), m_name(std::move(name))
{
    if (auto key = crypto::recoveryKeyFrom(QString::fromUtf8(recoveryKey)); key.ok())
        m_key = std::move(key).value();
}

void StoredSecret::open(Opened opened)
{
    m_opened = std::move(opened);
    if (m_key.isEmpty())
        return fail(tr("account.recovery_key is not a recovery key: copy it again"));
    read(QStringLiteral("m.secret_storage.default_key"),
         [this](const QJsonObject &content) { readKey(content.value(QLatin1String("key")).toString()); });
}

void StoredSecret::fail(const QString &problem)
{
    Failure failure{homeserver::FailureKind::Rejected};
    failure.message = problem;
    m_opened(failure);
}

void StoredSecret::read(const QString &type, std::function<void(const QJsonObject &content)> then)
{
    m_client.request(m_user, homeserver::Method::Get,
                     homeserver::v3({QStringLiteral("user"), m_user, QStringLiteral("account_data"), type}), {}, {},
                     [this, type, then = std::move(then)](const homeserver::Result<QJsonObject> &answer) {
                         if (answer.ok())
                             return then(*answer);
                         Failure failure = answer.error();
                         if (failure.code == QLatin1String("M_NOT_FOUND"))
                             failure.message =
                                 tr("the account keeps no %1 (%2): set up recovery in one of its other clients")
                                     .arg(type, failure.code);
                         m_opened(failure);
                     });
}

void StoredSecret::readKey(const QString &keyId)
{
    read(QStringLiteral("m.secret_storage.key.") + keyId, [this, keyId](const QJsonObject &description) {
        if (!crypto::checkStorageKey(m_key, description).ok())
            return fail(tr("account.recovery_key is not the one of this account's recovery"));
        readSecret(keyId);
    });
}

void StoredSecret::readSecret(const QString &keyId)
{
    read(m_name, [this, keyId](const QJsonObject &content) { unseal(keyId, content); });
}

// Other implementations pad base64 here.
void StoredSecret::unseal(const QString &keyId, const QJsonObject &stored)
{
    const auto text =
        crypto::openStored(m_key, m_name, stored.value(QLatin1String("encrypted")).toObject().value(keyId).toObject());
    QByteArray padded = text.ok() ? text->view().toByteArray() : QByteArray();
    while (padded.endsWith('='))
        padded.chop(1);
    auto bytes = crypto::fromBase64(padded, crypto::keySize);
    crypto::wipe(padded);
    if (!bytes.ok())
        return fail(tr("the account's %1 cannot be opened with account.recovery_key").arg(m_name));
    homeserver::Result<crypto::Secret> key{crypto::Secret(QByteArrayView(bytes.value()))};
    crypto::wipe(bytes.value());
    m_opened(key);
}

} // namespace voip
