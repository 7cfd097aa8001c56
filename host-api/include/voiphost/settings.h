// SPDX-License-Identifier: Apache-2.0
// The plugin's own settings (the configuration's `plugins.<id>` section), and where the plugin finds the rest of
// the world: homeserver, database, secrets. Filled by the host, checked by the plugin's initialise().
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QString>
#include <QUrl>

namespace voiphost
{

struct HomeserverSettings {
    QUrl url;                // client-server API, no path
    QString serverName;      // the part behind the colon in user ids
    QString appserviceId;    // as registered
    QString senderLocalpart; // the bridge's own user
    QString userPrefix;      // ghosts are @<userPrefix><user>:<serverName>
    QByteArray asToken;      // secret
};

struct DatabaseSettings {
    QString driver; // "sqlite" or "postgresql"
    QString dsn;    // SQLite: file name; PostgreSQL: "host=... port=... dbname=... user=... password=..."
};

struct SecretSettings {
    enum class Provider { Configuration, Keychain, CredentialsDirectory };
    Provider provider = Provider::Configuration;
    QString path;       // CredentialsDirectory: the folder; empty: $CREDENTIALS_DIRECTORY
    QByteArray rootKey; // Configuration: 32 bytes, or empty for none
};

struct HostUser {
    QString id; // [a-z0-9._=-]+, so that it can stand in a Matrix localpart
    QString displayName;

    bool operator==(const HostUser &) const = default;
};

} // namespace voiphost
