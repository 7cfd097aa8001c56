// SPDX-License-Identifier: Apache-2.0
// The host's configuration, typed and checked. loadConfig() takes the YAML text and the environment and gives either
// a Config or every problem found, each naming its key and line. It opens nothing and asks nobody; tokens that come
// from a keychain or a credentials directory are filled in later (see app/bridge_host).
#pragma once

#include "config/endpoint.h"

#include <voiphost/settings.h>
#include <voiphost/types.h>

#include <QJsonObject>
#include <QMap>
#include <QUrl>

namespace bridgehost
{

struct UserEntry {
    voiphost::HostUser user;
    QByteArray token;
};

struct Config {
    QString file;

    QUrl homeserverUrl;
    QString serverName;

    bool appservice = true; // false: every plugin runs on an account, so the homeserver pushes nothing to us
    QString appserviceId;
    Endpoint appserviceListen;
    QUrl appserviceUrl;
    QByteArray asToken; // this and the other tokens: empty until resolved when the secrets provider has them
    QByteArray hsToken;
    QString senderLocalpart;
    QString userPrefix;

    voiphost::DatabaseSettings database;
    voiphost::SecretSettings secrets;

    Endpoint apiListen;
    QStringList allowedOrigins;
    QByteArray adminToken;
    QByteArray metricsToken; // empty: metrics are open
    QList<UserEntry> users;
    int drainSeconds = 60;

    QStringList pluginPaths;                  // empty: the default beside the executable
    QMap<QString, QJsonObject> plugins;       // sections by plugin id, environment not yet laid over
    QMap<QString, int> lines;                 // "plugins.matrixvoip.mode" -> line, for errors that a plugin finds
    QMap<QString, QString> pluginEnvironment; // BRIDGE_PLUGINS_*, matched to keys once the plugins are known
    QStringList unknownEnvironment;           // BRIDGE_* that match no key: listed by --check, otherwise left alone

    [[nodiscard]] QString ghost(const QString &userId) const
    {
        return QStringLiteral("@%1%2:%3").arg(userPrefix, userId, serverName);
    }
};

struct ConfigProblem {
    QString key;
    int line = 0; // 1-based; 0: the environment or the file as a whole
    QString message;

    bool operator==(const ConfigProblem &) const = default;
};

using Environment = QMap<QString, QString>;

// "FILE:LINE: KEY: MESSAGE"
[[nodiscard]] QString describe(const ConfigProblem &problem, const QString &file);

[[nodiscard]] voiphost::Expected<Config, QList<ConfigProblem>> parseConfig(const QByteArray &yaml, const QString &file,
                                                                           const Environment &environment);
[[nodiscard]] voiphost::Expected<Config, QList<ConfigProblem>> loadConfig(const QString &file,
                                                                          const Environment &environment);

// The section of one plugin with BRIDGE_PLUGINS_<ID>_<KEY> laid over it. `known` are the schema's keys; variables
// that name another key are appended to `unmatched`.
[[nodiscard]] QJsonObject pluginSettings(const Config &config, const QString &id, const QStringList &known,
                                         QStringList *unmatched);

// What is wrong once the secrets provider has been asked: a token that nobody gave, or two that are the same.
[[nodiscard]] QList<ConfigProblem> tokenProblems(const Config &config);

} // namespace bridgehost
