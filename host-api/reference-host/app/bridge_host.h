// SPDX-License-Identifier: Apache-2.0
// The composition root of bridge-host: from a checked Config to two listeners and the plugins behind them, and back
// down. Implements what plugins see of the host. One instance; lives on the main thread.
//   prepare(): secrets, plugins loaded and initialised   -> what --check needs
//   start():   listeners, then the plugins               -> started() or failed()
//   stop():    drain, then everything down               -> stopped(); a second stop() ends the draining
#pragma once

#include "admin/admin_api.h"
#include "appservice/appservice_api.h"
#include "config/config.h"
#include "http/server.h"
#include "plugins/manager.h"
#include "rest/call_api.h"
#include "rest/caller.h"
#include "sse/event_stream.h"

#include <memory>
#include <vector>

namespace bridgehost
{

class BridgeHost : public QObject, public voiphost::Host
{
    Q_OBJECT

public:
    explicit BridgeHost(Config config, QObject *parent = nullptr);
    ~BridgeHost() override;

    // What went wrong, each line ready to be shown; empty when all is well.
    [[nodiscard]] QStringList prepare();
    // Things worth telling that stop nothing: known after prepare().
    [[nodiscard]] const QStringList &remarks() const { return m_remarks; }
    // Defective files in the plugin folders. They stop a start only when a configured plugin is missing.
    [[nodiscard]] const QStringList &pluginDefects() const { return m_defects; }
    [[nodiscard]] QList<LoadedPlugin *> plugins() const;
    [[nodiscard]] const Config &config() const { return m_config; }

    void start();
    void stop();

    [[nodiscard]] quint16 appservicePort() const { return m_appserviceServer ? m_appserviceServer->port() : 0; }
    [[nodiscard]] quint16 apiPort() const { return m_apiServer ? m_apiServer->port() : 0; }

    // voiphost::Host
    [[nodiscard]] voiphost::HomeserverSettings homeserver() const override;
    [[nodiscard]] voiphost::DatabaseSettings database() const override { return m_config.database; }
    [[nodiscard]] voiphost::SecretSettings secrets() const override { return m_config.secrets; }
    [[nodiscard]] QList<voiphost::HostUser> users() const override;
    [[nodiscard]] voiphost::EventRegistry &events() override { return m_router; }

Q_SIGNALS:
    void started();
    void failed(const QString &message);
    void stopped();

private:
    enum class Phase { New, Starting, Running, Draining, Stopped };
    void build();
    void serveApi(const ExchangePtr &exchange);
    void pluginStarted();
    void settle(int roundsLeft);
    void tearDown();
    [[nodiscard]] voiphost::CallService *calls() const;
    [[nodiscard]] Checks checks() const;
    [[nodiscard]] QByteArray metrics() const;

    Config m_config;
    Phase m_phase = Phase::New;
    QStringList m_remarks;
    QStringList m_defects;
    EventRouter m_router;
    std::vector<std::unique_ptr<LoadedPlugin>> m_plugins;
    size_t m_nextToStart = 0;
    std::unique_ptr<ApiGate> m_gate;
    std::unique_ptr<AppserviceApi> m_appservice;
    std::unique_ptr<CallApi> m_callApi;
    std::unique_ptr<EventStreams> m_streams;
    std::unique_ptr<AdminApi> m_admin;
    std::unique_ptr<HttpServer> m_appserviceServer;
    std::unique_ptr<HttpServer> m_apiServer;
};

// Tokens that the configuration leaves to the keychain or the credentials directory. Blocking; only at start.
[[nodiscard]] QStringList resolveTokens(Config *config);

} // namespace bridgehost
