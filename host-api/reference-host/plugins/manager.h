// SPDX-License-Identifier: Apache-2.0
// Finds plugins, checks their metadata, loads those that the configuration has a section for, and walks each through
// its life. Every step is taken once and in order; a step out of order is refused and changes nothing.
// It never unloads: a Qt library stays mapped anyway.
#pragma once

#include "plugins/metadata.h"

#include <voiphost/plugin.h>

#include <QObject>

#include <functional>
#include <memory>
#include <vector>

class QPluginLoader;

namespace bridgehost
{

class LoadedPlugin : public QObject
{
    Q_OBJECT

public:
    // Found -> Loaded -> Initialised -> Starting -> Running -> Draining -> Stopped. Stopped can be reached from each
    // state after Initialised. A failed start stays in Starting until it is stopped.
    enum class State { Found, Loaded, Initialised, Starting, Running, Draining, Stopped };

    explicit LoadedPlugin(PluginMetadata metadata, QObject *parent = nullptr);
    ~LoadedPlugin() override;

    [[nodiscard]] const PluginMetadata &metadata() const { return m_metadata; }
    [[nodiscard]] State state() const { return m_state; }

    voiphost::Expected<voiphost::Done> load();
    voiphost::Expected<voiphost::Done> initialise(voiphost::Host *host, const QJsonObject &settings);
    // `done` is called on this thread, from the event loop.
    void start(std::function<void(const voiphost::Expected<voiphost::Done> &)> done);
    void drain(int timeoutMs, std::function<void()> done);
    void stop(); // idempotent

    // Null before load().
    [[nodiscard]] voiphost::Plugin *plugin() const { return m_plugin; }
    template <typename T>
    [[nodiscard]] T *interface() const
    {
        return qobject_cast<T *>(m_instance);
    }
    [[nodiscard]] voiphost::CallService *calls() const;
    [[nodiscard]] QJsonObject schema() const { return m_schema; }
    [[nodiscard]] QStringList schemaKeys() const;
    [[nodiscard]] QJsonObject settings() const { return m_settings; } // as initialised, without secrets

private:
    [[nodiscard]] voiphost::Error outOfOrder(const char *step) const;

    PluginMetadata m_metadata;
    State m_state = State::Found;
    std::unique_ptr<QPluginLoader> m_loader;
    QObject *m_instance = nullptr; // owned by QPluginLoader
    voiphost::Plugin *m_plugin = nullptr;
    QJsonObject m_schema;
    QJsonObject m_settings;
};

struct PluginScan {
    QList<PluginMetadata> found;
    QList<std::pair<QString, QString>> defects; // file (or folder), message
};

// Looks at every *.so of the folders, in order of name. Of two with the same id the second is a defect.
[[nodiscard]] PluginScan scanPlugins(const QStringList &folders);

} // namespace bridgehost
