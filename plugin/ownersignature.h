// SPDX-License-Identifier: Apache-2.0
// Account mode: has the session's device signed by its owner, so that others see a device that belongs to him. With the
// recovery key the owner's self-signing key is opened from the secrets that the account keeps at its homeserver, used
// once, and forgotten. Says how it ended; changes nothing else.
#pragma once

#include "storedsecret.h"

namespace voip
{

class OwnerSignature : public QObject
{
    Q_OBJECT

public:
    // `deviceKeys`: of the device, signed by itself.
    OwnerSignature(homeserver::Client &client, QString user, QJsonObject deviceKeys, const QByteArray &recoveryKey,
                   QObject *parent = nullptr);
    void begin();

Q_SIGNALS:
    // `problem`: empty: the device is signed (or was already).
    void ended(const QString &problem);

private:
    void readDevices();
    void sign(const crypto::Secret &seed);
    void fail(const QString &problem);

    homeserver::Client &m_client;
    const QString m_user;
    const QJsonObject m_deviceKeys;
    StoredSecret m_secret;
    QString m_selfSigning; // public, as the account's identity says
};

} // namespace voip
