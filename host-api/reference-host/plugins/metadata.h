// SPDX-License-Identifier: Apache-2.0
// What a plugin says about itself, checked in full before its code is loaded: one exact message per defect.
// readMetadata() opens the file as QPluginLoader does for reading the metadata only; it runs none of its code.
#pragma once

#include <voiphost/types.h>

#include <QJsonObject>
#include <QMap>
#include <QString>

namespace bridgehost
{

struct PluginMetadata {
    QString file;
    QString id;
    QString version;
    QString settingsSchema;       // resource path, readable once the plugin is loaded
    QMap<QString, QString> names; // by language; "" is the default
    QMap<QString, QString> descriptions;

    [[nodiscard]] QString name(const QString &language) const;
    [[nodiscard]] QString description(const QString &language) const;
};

// `raw` is QPluginLoader::metaData(). The error is the message.
[[nodiscard]] voiphost::Expected<PluginMetadata, QString> checkMetadata(const QJsonObject &raw);
[[nodiscard]] voiphost::Expected<PluginMetadata, QString> readMetadata(const QString &file);

} // namespace bridgehost
