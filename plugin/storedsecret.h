// SPDX-License-Identifier: Apache-2.0
// Account mode: one of the keys that the account keeps encrypted at its homeserver, opened with the recovery key.
// Whether it is the key that it should be is for whoever uses it to find out: anybody at the homeserver may have stored
// what he liked, if he had the recovery key once.
#pragma once

#include "crypto/secret.h"
#include "homeserver/client.h"

#include <QCoreApplication>

namespace voip
{

class StoredSecret
{
    Q_DECLARE_TR_FUNCTIONS(voip::StoredSecret)

public:
    // A failure's message is for people and names the setting or what to do; Rejected: the same again ends the same
    // way.
    using Opened = std::function<void(const homeserver::Result<crypto::Secret> &key)>;
    // `name`: "m.cross_signing.self_signing". `client` must outlive it.
    StoredSecret(homeserver::Client &client, QString user, QString name, const QByteArray &recoveryKey);

    // 32 bytes. Called once; must not be destroyed before the answer, unless with the client.
    void open(Opened opened);

private:
    void readKey(const QString &keyId);
    void readSecret(const QString &keyId);
    void unseal(const QString &keyId, const QJsonObject &stored);
    void read(const QString &type, std::function<void(const QJsonObject &content)> then);
    void fail(const QString &problem);

    homeserver::Client &m_client;
    const QString m_user;
    const QString m_name;
    crypto::Secret m_key;
    Opened m_opened;
};

} // namespace voip
