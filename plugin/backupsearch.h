// SPDX-License-Identifier: Apache-2.0
// Account mode: looks for the account's key backup at the homeserver and says whether our sessions may go there: it
// must be of the one algorithm that we write, and the private key that the recovery key opens must be that of its
// public key, or else a homeserver that put its own key there would be given them. Looks once; makes, changes and
// deletes none, and keeps no key.
#pragma once

#include "crypto/backend.h"
#include "storedsecret.h"

namespace voip
{

class BackupSearch : public QObject
{
    Q_OBJECT

public:
    // `client`, `backend` must outlive it.
    BackupSearch(homeserver::Client &client, crypto::Backend &backend, QString user, const QByteArray &recoveryKey,
                 QObject *parent = nullptr);

    // Called once; the answer comes once, and this must live until then. -> {"version", "public_key"}. Rejected, with a
    // message for people: there is none that may be used, and the same again ends the same way.
    void begin(homeserver::Reply<QJsonObject> reply);

private:
    void readVersion(const QJsonObject &answer);
    void compare(const crypto::Secret &privateKey);
    void refuse(const QString &problem);

    homeserver::Client &m_client;
    crypto::Backend &m_backend;
    const QString m_user;
    StoredSecret m_secret;
    QString m_version;
    QString m_publicKey;
    homeserver::Reply<QJsonObject> m_reply;
};

} // namespace voip
