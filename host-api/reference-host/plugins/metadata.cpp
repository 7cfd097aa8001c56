// SPDX-License-Identifier: Apache-2.0
// The checks, in the order in which a plugin's author would want to hear of them.
#include "plugins/metadata.h"

#include <voiphost/version.h>

#include <QCoreApplication>
#include <QPluginLoader>
#include <QRegularExpression>

namespace bridgehost
{

using voiphost::Expected;

namespace
{

struct MetadataText {
    Q_DECLARE_TR_FUNCTIONS(PluginMetadata)
};

bool matches(const QString &text, const char *pattern)
{
    return QRegularExpression(QRegularExpression::anchoredPattern(QString::fromLatin1(pattern))).match(text).hasMatch();
}

// https://semver.org, point 2, 9 and 10
constexpr const char *kSemver = "(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)"
                                "(-[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?(\\+[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?";

// `key` and its translations `key[de]`, `key[zh_CN]`; gives what is wrong, or nothing.
QString readTranslated(const QJsonObject &data, const QString &key, QMap<QString, QString> *texts)
{
    for (auto it = data.begin(); it != data.end(); ++it) {
        QString language;
        if (it.key() != key) {
            if (!it.key().startsWith(key + u'['))
                continue;
            language = it.key().mid(key.size() + 1).chopped(it.key().endsWith(u']') ? 1 : 0);
            if (!it.key().endsWith(u']') || !matches(language, "[a-z]{2,3}(_[A-Z]{2})?"))
                return MetadataText::tr("\"%1\" does not name a language, as in \"%2[de]\"").arg(it.key(), key);
        }
        if (!it->isString() || it->toString().trimmed().isEmpty())
            return MetadataText::tr("\"%1\" must be text and not empty").arg(it.key());
        texts->insert(language, it->toString());
    }
    return texts->contains(QString()) ? QString() : MetadataText::tr("\"%1\" is missing").arg(key);
}

QString best(const QMap<QString, QString> &texts, const QString &language)
{
    if (texts.contains(language))
        return texts.value(language);
    return texts.value(language.section(u'_', 0, 0), texts.value(QString()));
}

} // namespace

QString PluginMetadata::name(const QString &language) const
{
    return best(names, language);
}

QString PluginMetadata::description(const QString &language) const
{
    return best(descriptions, language);
}

Expected<PluginMetadata, QString> checkMetadata(const QJsonObject &raw)
{
    const QString iid = raw.value(QStringLiteral("IID")).toString();
    if (iid != QLatin1String(VOIPHOST_PLUGIN_IID))
        return MetadataText::tr("its interface is \"%1\", this host takes \"%2\"")
            .arg(iid, QStringLiteral(VOIPHOST_PLUGIN_IID));
    if (!raw.value(QStringLiteral("MetaData")).isObject() || raw.value(QStringLiteral("MetaData")).toObject().isEmpty())
        return MetadataText::tr("it carries no metadata");
    const QJsonObject data = raw.value(QStringLiteral("MetaData")).toObject();

    const auto wrongText = [&data](const QString &key) {
        if (!data.contains(key))
            return MetadataText::tr("\"%1\" is missing").arg(key);
        if (!data.value(key).isString())
            return MetadataText::tr("\"%1\" must be text").arg(key);
        return QString();
    };

    PluginMetadata metadata;
    if (const QString wrong = wrongText(QStringLiteral("id")); !wrong.isEmpty())
        return wrong;
    metadata.id = data.value(QStringLiteral("id")).toString();
    if (!matches(metadata.id, "[a-z][a-z0-9_]{0,31}") || metadata.id == QLatin1String("path"))
        return MetadataText::tr("\"id\" is \"%1\"; it must be up to 32 of a-z 0-9 _, begin with a letter, and not be "
                                "\"path\"")
            .arg(metadata.id);

    if (const QString wrong = wrongText(QStringLiteral("version")); !wrong.isEmpty())
        return wrong;
    metadata.version = data.value(QStringLiteral("version")).toString();
    if (!matches(metadata.version, kSemver))
        return MetadataText::tr("\"version\" is \"%1\"; it must be a semantic version such as 1.2.3")
            .arg(metadata.version);

    const QJsonValue api = data.value(QStringLiteral("apiVersion"));
    if (api.isUndefined())
        return MetadataText::tr("\"apiVersion\" is missing");
    if (!api.isDouble() || api.toDouble() != double(api.toInteger()))
        return MetadataText::tr("\"apiVersion\" must be a whole number");
    if (api.toInteger() != VOIPHOST_API_VERSION)
        return MetadataText::tr("it was made for version %1 of the host's interface, this host has version %2")
            .arg(api.toInteger())
            .arg(VOIPHOST_API_VERSION);

    if (const QString wrong = readTranslated(data, QStringLiteral("name"), &metadata.names); !wrong.isEmpty())
        return wrong;
    if (const QString wrong = readTranslated(data, QStringLiteral("description"), &metadata.descriptions);
        !wrong.isEmpty())
        return wrong;

    if (const QString wrong = wrongText(QStringLiteral("settingsSchema")); !wrong.isEmpty())
        return wrong;
    metadata.settingsSchema = data.value(QStringLiteral("settingsSchema")).toString();
    if (!metadata.settingsSchema.startsWith(QLatin1String(":/")))
        return MetadataText::tr("\"settingsSchema\" must be a resource path, beginning with \":/\"");
    return metadata;
}

Expected<PluginMetadata, QString> readMetadata(const QString &file)
{
    QPluginLoader loader(file);
    const QJsonObject raw = loader.metaData();
    if (raw.isEmpty())
        return MetadataText::tr("it is not a Qt plugin that can be loaded here: %1").arg(loader.errorString());
    auto metadata = checkMetadata(raw);
    if (metadata)
        metadata.value().file = file;
    return metadata;
}

} // namespace bridgehost
