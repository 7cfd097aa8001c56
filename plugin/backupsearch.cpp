// SPDX-License-Identifier: Apache-2.0
#include "backupsearch.h"

#include "crypto/keybackup.h"
#include "homeserver/paths.h"

namespace voip
{

using homeserver::Failure;

BackupSearch::BackupSearch(homeserver::Client &client, crypto::Backend &backend, QString user,
                           const QByteArray &recoveryKey, QObject *parent)
    : QObject(parent), m_client(client), m_backend(backend), m_user(std::move(user)),
      m_secret(client, m_user, QStringLiteral("m.megolm_backup.v1"), recoveryKey)
{
}

void BackupSearch::begin(homeserver::Reply<QJsonObject> reply)
{
    m_reply = std::move(reply);
    m_client.request(
        m_user, homeserver::Method::Get, homeserver::v3({QStringLiteral("room_keys"), QStringLiteral("version")}), {},
        {}, [this](const homeserver::Result<QJsonObject> &answer) {
            if (answer.ok())
                return readVersion(*answer);
            Failure failure = answer.error();
            failure.message =
                failure.code == QLatin1String("M_NOT_FOUND")
                    ? tr("the account has no key backup: switch it on in one of its other clients")
                    : tr("the homeserver did not say which key backup the account has: %1").arg(failure.message);
            m_reply(failure);
        });
}

void BackupSearch::refuse(const QString &problem)
{
    Failure failure{homeserver::FailureKind::Rejected};
    failure.message = problem;
    m_reply(failure);
}

void BackupSearch::readVersion(const QJsonObject &answer)
{
    if (answer.value(QLatin1String("algorithm")).toString() != QLatin1String("m.megolm_backup.v1.curve25519-aes-sha2"))
        return refuse(tr("the account's key backup is of an algorithm that the bridge does not write"));
    const QJsonObject data = answer.value(QLatin1String("auth_data")).toObject();
    const auto place =
        crypto::backupPlaceFrom({{QStringLiteral("version"), answer.value(QLatin1String("version"))},
                                 {QStringLiteral("public_key"), data.value(QLatin1String("public_key"))}});
    if (!place)
        return refuse(tr("what the homeserver says of the account's key backup cannot be used"));
    m_version = place->version;
    m_publicKey = place->publicKey;
    m_secret.open([this](const homeserver::Result<crypto::Secret> &key) {
        if (!key.ok())
            return m_reply(key.error());
        compare(*key);
    });
}

void BackupSearch::compare(const crypto::Secret &privateKey)
{
    const auto ours = m_backend.publicHalf(privateKey);
    if (!ours.ok() || *ours != m_publicKey)
        return refuse(tr("the account's key backup has another key than the one that the account's recovery keeps: "
                         "nothing is put there"));
    m_reply(QJsonObject{{QStringLiteral("version"), m_version}, {QStringLiteral("public_key"), m_publicKey}});
}

} // namespace voip
