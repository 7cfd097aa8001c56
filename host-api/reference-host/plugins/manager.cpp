// SPDX-License-Identifier: Apache-2.0
// The guarded lifecycle of one plugin, and the search for plugins.
#include "plugins/manager.h"

#include "http/when_done.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QLoggingCategory>
#include <QPluginLoader>

Q_LOGGING_CATEGORY(logPlugins, "bridge.plugins", QtInfoMsg)

namespace bridgehost
{

using voiphost::Done;
using voiphost::Error;
using voiphost::ErrorKind;
using voiphost::Expected;

namespace
{

Error failed(const QString &message)
{
    return {ErrorKind::Unavailable, QStringLiteral("PLUGIN_FAILED"), message, {}};
}

const char *name(LoadedPlugin::State state)
{
    switch (state) {
    case LoadedPlugin::State::Found:
        return "found";
    case LoadedPlugin::State::Loaded:
        return "loaded";
    case LoadedPlugin::State::Initialised:
        return "initialised";
    case LoadedPlugin::State::Starting:
        return "starting";
    case LoadedPlugin::State::Running:
        return "running";
    case LoadedPlugin::State::Draining:
        return "draining";
    case LoadedPlugin::State::Stopped:
        return "stopped";
    }
    return "";
}

// What the schema calls `writeOnly` is never shown again.
QJsonObject withoutSecrets(QJsonObject settings, const QJsonObject &schema)
{
    const QJsonObject fields = schema.value(QStringLiteral("properties")).toObject();
    for (auto it = fields.constBegin(); it != fields.constEnd(); ++it) {
        if (it->toObject().value(QStringLiteral("writeOnly")).toBool())
            settings.remove(it.key());
        else if (settings.value(it.key()).isObject())
            settings.insert(it.key(), withoutSecrets(settings.value(it.key()).toObject(), it->toObject()));
    }
    return settings;
}

} // namespace

LoadedPlugin::LoadedPlugin(PluginMetadata metadata, QObject *parent) : QObject(parent), m_metadata(std::move(metadata))
{
}

LoadedPlugin::~LoadedPlugin()
{
    stop();
}

Error LoadedPlugin::outOfOrder(const char *step) const
{
    return failed(tr("plugin %1 is %2 and cannot %3 now")
                      .arg(m_metadata.id, QString::fromLatin1(name(m_state)), QString::fromLatin1(step)));
}

Expected<Done> LoadedPlugin::load()
{
    if (m_state != State::Found)
        return outOfOrder("load");
    m_loader = std::make_unique<QPluginLoader>(m_metadata.file);
    m_instance = m_loader->instance();
    if (!m_instance)
        return failed(tr("%1 cannot be loaded: %2").arg(m_metadata.file, m_loader->errorString()));
    auto *plugin = qobject_cast<voiphost::Plugin *>(m_instance);
    if (!plugin)
        return failed(tr("%1 states the plugin interface in its metadata but does not have it").arg(m_metadata.file));
    QFile schema(m_metadata.settingsSchema);
    if (!schema.open(QIODevice::ReadOnly))
        return failed(tr("%1 does not hold its settings schema %2").arg(m_metadata.file, m_metadata.settingsSchema));
    const QJsonDocument document = QJsonDocument::fromJson(schema.readAll());
    if (!document.isObject() || !document.object().value(QStringLiteral("properties")).isObject())
        return failed(tr("the settings schema %2 in %1 is not a JSON schema with \"properties\"")
                          .arg(m_metadata.file, m_metadata.settingsSchema));
    m_schema = document.object();
    m_plugin = plugin;
    m_state = State::Loaded;
    return Done{};
}

QStringList LoadedPlugin::schemaKeys() const
{
    return m_schema.value(QStringLiteral("properties")).toObject().keys();
}

Expected<Done> LoadedPlugin::initialise(voiphost::Host *host, const QJsonObject &settings)
{
    if (m_state != State::Loaded)
        return outOfOrder("initialise");
    auto done = m_plugin->initialise(host, settings);
    if (done) {
        m_settings = withoutSecrets(settings, m_schema);
        m_state = State::Initialised;
    }
    return done;
}

void LoadedPlugin::start(std::function<void(const Expected<Done> &)> done)
{
    if (m_state != State::Initialised) {
        done(outOfOrder("start"));
        return;
    }
    m_state = State::Starting;
    whenDone(this, m_plugin->start(), [this, done = std::move(done)](const std::optional<Expected<Done>> &result) {
        if (m_state != State::Starting)
            return; // stopped meanwhile
        if (result && result->ok())
            m_state = State::Running;
        done(result ? *result : Expected<Done>(failed(tr("plugin %1 gave up its start").arg(m_metadata.id))));
    });
}

void LoadedPlugin::drain(int timeoutMs, std::function<void()> done)
{
    if (m_state != State::Running) {
        done();
        return;
    }
    m_state = State::Draining;
    whenDone(this, m_plugin->drain(timeoutMs), [done = std::move(done)](const std::optional<Done> &) { done(); });
}

void LoadedPlugin::stop()
{
    switch (m_state) {
    case State::Found:
    case State::Loaded:
    case State::Stopped:
        return;
    case State::Initialised:
    case State::Starting:
    case State::Running:
    case State::Draining:
        break;
    }
    m_state = State::Stopped;
    m_plugin->stop();
    qCInfo(logPlugins, "plugin %s stopped", qUtf8Printable(m_metadata.id));
}

voiphost::CallService *LoadedPlugin::calls() const
{
    return m_plugin && m_state >= State::Initialised && m_state < State::Stopped ? m_plugin->calls() : nullptr;
}

PluginScan scanPlugins(const QStringList &folders)
{
    PluginScan scan;
    QMap<QString, QString> seen; // id -> file
    for (const QString &folder : folders) {
        const QDir dir(folder);
        if (!dir.exists()) {
            scan.defects.append({folder, LoadedPlugin::tr("this folder does not exist")});
            continue;
        }
        const auto files = dir.entryInfoList({QStringLiteral("*.so")}, QDir::Files, QDir::Name);
        for (const QFileInfo &file : files) {
            auto metadata = readMetadata(file.absoluteFilePath());
            if (!metadata) {
                scan.defects.append({file.absoluteFilePath(), metadata.error()});
            } else if (seen.contains(metadata->id)) {
                scan.defects.append({file.absoluteFilePath(), LoadedPlugin::tr("its id \"%1\" is that of %2 already")
                                                                  .arg(metadata->id, seen.value(metadata->id))});
            } else {
                seen.insert(metadata->id, file.absoluteFilePath());
                scan.found.append(metadata.value());
            }
        }
    }
    return scan;
}

} // namespace bridgehost
