// SPDX-License-Identifier: Apache-2.0
// Wiring and the order of starting and stopping. Listeners open before the plugin starts, because the homeserver's
// answer to the plugin's first ping comes in through them; until it serves, transactions get 503 and come again.
#include "app/bridge_host.h"

#include "operations/metrics.h"
#include "operations/signals.h"
#include "operations/systemd.h"
#include "secrets/secrets.h"

#include <QCoreApplication>
#include <QDir>
#include <QJsonArray>
#include <QLoggingCategory>
#include <QPointer>
#include <QTimer>

Q_LOGGING_CATEGORY(logHost, "bridge.host", QtInfoMsg)

namespace bridgehost
{

using namespace voiphost;

namespace
{

QString defaultPluginPath()
{
    return QDir::cleanPath(QCoreApplication::applicationDirPath() + QStringLiteral("/../lib/voiphost/plugins"));
}

} // namespace

QStringList resolveTokens(Config *config)
{
    if (config->secrets.provider == SecretSettings::Provider::Configuration)
        return {};
    QStringList problems;
    const voip::SecretStore store(config->secrets, config->appserviceId);
    const std::initializer_list<std::pair<const char *, QByteArray *>> tokens{
        {"as_token", &config->asToken}, {"hs_token", &config->hsToken}, {"admin_token", &config->adminToken}};
    for (const auto &[name, target] : tokens) {
        if (!target->isEmpty() || (!config->appservice && target != &config->adminToken))
            continue; // the file wins
        auto secret = store.read(QString::fromLatin1(name));
        if (secret)
            *target = secret.value();
        else
            problems.append(QStringLiteral("%1: %2").arg(secret.error().message, secret.error().advice));
    }
    for (const ConfigProblem &problem : tokenProblems(*config))
        problems.append(describe(problem, config->file));
    return problems;
}

BridgeHost::BridgeHost(Config config, QObject *parent) : QObject(parent), m_config(std::move(config))
{
}

BridgeHost::~BridgeHost()
{
    tearDown();
}

QStringList BridgeHost::prepare()
{
    QStringList problems = resolveTokens(&m_config);
    const QStringList folders =
        m_config.pluginPaths.isEmpty() ? QStringList{defaultPluginPath()} : m_config.pluginPaths;
    const PluginScan scan = scanPlugins(folders);
    for (const auto &[file, message] : scan.defects)
        m_defects.append(QStringLiteral("%1: %2").arg(file, message));

    QStringList sections = m_config.plugins.keys();
    QStringList unmatched = m_config.unknownEnvironment;
    QStringList considered;
    for (const PluginMetadata &metadata : scan.found) {
        if (!sections.contains(metadata.id)) {
            m_remarks.append(tr("plugin %1 (%2) is not loaded: the configuration has no section plugins.%1")
                                 .arg(metadata.id, metadata.file));
            continue;
        }
        sections.removeAll(metadata.id);
        auto plugin = std::make_unique<LoadedPlugin>(metadata);
        auto done = plugin->load();
        if (done) {
            const QJsonObject settings = pluginSettings(m_config, metadata.id, plugin->schemaKeys(), &unmatched);
            considered.append(QStringLiteral("BRIDGE_PLUGINS_%1_").arg(metadata.id.toUpper()));
            done = problems.isEmpty() ? plugin->initialise(this, settings) : Expected<Done>(Done{});
        }
        if (!done) {
            // The plugin names the key in details.key; the line is known here.
            const QString key = done.error().details.value(QStringLiteral("key")).toString();
            const QString section = QStringLiteral("plugins.%1").arg(metadata.id);
            const QString path = key.isEmpty() ? section : section + u'.' + key;
            problems.append(
                describe({path, m_config.lines.value(path, m_config.lines.value(section)), done.error().message},
                         m_config.file));
            continue;
        }
        m_remarks.append(tr("plugin %1 %2 from %3").arg(metadata.id, metadata.version, metadata.file));
        m_plugins.push_back(std::move(plugin));
    }
    for (const QString &id : std::as_const(sections)) {
        const QString path = QStringLiteral("plugins.%1").arg(id);
        problems.append(describe({path, m_config.lines.value(path),
                                  tr("there is no such plugin in %1").arg(folders.join(QStringLiteral(", ")))},
                                 m_config.file));
    }
    if (m_config.plugins.isEmpty())
        problems.append(describe({QStringLiteral("plugins"), m_config.lines.value(QStringLiteral("plugins")),
                                  tr("no plugin has a section, so there is nothing to run")},
                                 m_config.file));
    for (auto it = m_config.pluginEnvironment.begin(); it != m_config.pluginEnvironment.end(); ++it) {
        const bool known = std::any_of(considered.cbegin(), considered.cend(),
                                       [&it](const QString &prefix) { return it.key().startsWith(prefix); });
        if (!known)
            unmatched.append(it.key());
    }
    for (const QString &name : std::as_const(unmatched))
        m_remarks.append(tr("environment variable %1 matches no key and is left alone").arg(name));
    return problems;
}

QList<LoadedPlugin *> BridgeHost::plugins() const
{
    QList<LoadedPlugin *> list;
    for (const auto &plugin : m_plugins)
        list.append(plugin.get());
    return list;
}

HomeserverSettings BridgeHost::homeserver() const
{
    return {m_config.homeserverUrl,   m_config.serverName, m_config.appserviceId,
            m_config.senderLocalpart, m_config.userPrefix, m_config.asToken};
}

QList<HostUser> BridgeHost::users() const
{
    QList<HostUser> list;
    for (const UserEntry &entry : m_config.users)
        list.append(entry.user);
    return list;
}

CallService *BridgeHost::calls() const
{
    if (m_phase != Phase::Running && m_phase != Phase::Draining)
        return nullptr;
    for (const auto &plugin : m_plugins) {
        if (CallService *service = plugin->calls())
            return service;
    }
    return nullptr;
}

void BridgeHost::build()
{
    QStringList userIds;
    for (const UserEntry &entry : m_config.users)
        userIds.append(entry.user.id);
    m_gate = std::make_unique<ApiGate>(m_config);
    m_appservice = std::make_unique<AppserviceApi>(m_config, &m_router);
    m_streams = std::make_unique<EventStreams>();
    const auto service = [this] { return calls(); };
    m_callApi = std::make_unique<CallApi>(m_gate.get(), userIds, service);
    m_admin = std::make_unique<AdminApi>(
        m_gate.get(), AdminApi::Sources{[this] { return plugins(); }, [this] { return checks(); }, service});

    HttpLimits fromHomeserver;
    fromHomeserver.body = 16ll * 1024 * 1024;
    fromHomeserver.connections = 128;
    fromHomeserver.perAddress = 64;
    fromHomeserver.pace = {.atOnce = 2000, .perSecond = 1000};
    m_appserviceServer = std::make_unique<HttpServer>(
        "appservice", fromHomeserver, [this](const ExchangePtr &exchange) { m_appservice->handle(exchange); });
    m_appserviceServer->setAdmission([this](const Request &request) { return m_appservice->admit(request); });
    m_appserviceServer->setErrorShape([](int status, const QString &code, const QString &message) {
        return matrixError(status, QStringLiteral("M_") + code, message);
    });
    m_apiServer =
        std::make_unique<HttpServer>("api", HttpLimits{}, [this](const ExchangePtr &exchange) { serveApi(exchange); });
    // A stranger's body is not kept: as many as there may be connections would be held before the first is refused.
    m_apiServer->setBodyRule([this](const Request &request) {
        const ApiGate::Who who = m_gate->caller(request).who;
        return who == ApiGate::Who::User || who == ApiGate::Who::Admin;
    });
}

void BridgeHost::start()
{
    m_phase = Phase::Starting;
    build();
    const std::initializer_list<std::tuple<HttpServer *, Endpoint, const char *>> listeners{
        {m_appserviceServer.get(), m_config.appserviceListen, "appservice.listen"},
        {m_apiServer.get(), m_config.apiListen, "api.listen"}};
    for (const auto &[server, endpoint, key] : listeners) {
        if (server == m_appserviceServer.get() && !m_config.appservice)
            continue; // nobody would push
        const auto done = server->listen(endpoint);
        if (done)
            continue;
        const QString path = QString::fromLatin1(key);
        Q_EMIT failed(describe(
            {path, m_config.lines.value(path),
             tr("cannot listen on %1 port %2: %3").arg(endpoint.host).arg(endpoint.port).arg(done.error().message)},
            m_config.file));
        return;
    }
    m_nextToStart = 0;
    pluginStarted();
}

void BridgeHost::pluginStarted()
{
    if (m_phase != Phase::Starting)
        return;
    if (m_nextToStart == m_plugins.size()) {
        m_phase = Phase::Running;
        m_streams->setService(calls());
        notifySystemd("READY=1");
        if (m_config.appservice)
            qCInfo(logHost, "serving: appservice on port %d, API on port %d", appservicePort(), apiPort());
        else
            qCInfo(logHost, "serving: an account of the homeserver, API on port %d", apiPort());
        Q_EMIT started();
        return;
    }
    LoadedPlugin *plugin = m_plugins.at(m_nextToStart++).get();
    plugin->start([this, plugin](const Expected<Done> &result) {
        if (result)
            pluginStarted();
        else
            Q_EMIT failed(tr("plugin %1 cannot start: %2").arg(plugin->metadata().id, result.error().message));
    });
}

void BridgeHost::stop()
{
    switch (m_phase) {
    case Phase::New:
    case Phase::Starting:
    case Phase::Draining: // asked twice: no more waiting
        tearDown();
        return;
    case Phase::Stopped:
        return;
    case Phase::Running:
        break;
    }
    m_phase = Phase::Draining;
    notifySystemd("STOPPING=1");
    qCInfo(logHost, "draining for at most %d s", m_config.drainSeconds);
    auto left = std::make_shared<size_t>(m_plugins.size());
    const QPointer<BridgeHost> self(this);
    for (const auto &plugin : m_plugins) {
        plugin->drain(m_config.drainSeconds * 1000, [self, left] {
            if (--*left == 0 && self)
                self->settle(100);
        });
    }
}

// The request that ended the last call is still waiting for its answer when the drain is over.
void BridgeHost::settle(int roundsLeft)
{
    if (m_phase != Phase::Draining)
        return;
    if (roundsLeft == 0 || (roundsLeft < 100 && m_apiServer->waiting() == 0 && m_appserviceServer->waiting() == 0)) {
        tearDown();
        return;
    }
    QTimer::singleShot(10, this, [this, roundsLeft] { settle(roundsLeft - 1); });
}

void BridgeHost::tearDown()
{
    if (m_phase == Phase::Stopped)
        return;
    m_phase = Phase::Stopped;
    StopSignals::lastStep(); // from here on this thread may block: another signal must still end the process
    if (m_streams)
        m_streams->setService(nullptr);
    for (auto it = m_plugins.rbegin(); it != m_plugins.rend(); ++it)
        (*it)->stop();
    // Last, so that whoever asks meanwhile is answered 503 and not by a closed door.
    if (m_appserviceServer)
        m_appserviceServer->close();
    if (m_apiServer)
        m_apiServer->close();
    Q_EMIT stopped();
}

void BridgeHost::serveApi(const ExchangePtr &exchange)
{
    const Request &request = exchange->request();
    const QString path = request.path.join(u'/');
    const bool get = request.method == "GET" || request.method == "HEAD";
    if (request.path.value(0) != QLatin1String("admin") && m_gate->cors(exchange))
        return;
    if (path == QLatin1String("healthz") && get) {
        exchange->reply(jsonReply(200, {{QStringLiteral("status"), QStringLiteral("ok")}}));
    } else if (path == QLatin1String("readyz") && get) {
        const Checks all = checks();
        const bool ready = allRequiredOk(all);
        exchange->reply(
            jsonReply(ready ? 200 : 503, {{QStringLiteral("ready"), ready}, {QStringLiteral("checks"), toJson(all)}}));
    } else if (path == QLatin1String("metrics") && get) {
        if (m_gate->metricsAllowed(exchange))
            exchange->reply({200, metrics(), QByteArrayLiteral("text/plain; version=0.0.4; charset=utf-8"), {}});
    } else if (path == QLatin1String("events") && get) {
        if (const auto user = m_gate->requireUser(exchange, true))
            m_streams->open(exchange, *user);
    } else if (!m_callApi->handle(exchange) && !m_admin->handle(exchange)) {
        exchange->reply(errorReply(404, QStringLiteral("NOT_FOUND"), QStringLiteral("There is no such endpoint")));
    }
}

Checks BridgeHost::checks() const
{
    Checks all;
    const bool running = m_phase == Phase::Running;
    all.append({QStringLiteral("host"), running, true,
                running ? tr("running") : (m_phase == Phase::Draining ? tr("draining") : tr("starting")),
                running || m_phase == Phase::Draining
                    ? QString()
                    : tr("wait for the plugin to start; its messages are in the log")});
    for (const auto &plugin : m_plugins) {
        if (plugin->state() < LoadedPlugin::State::Starting)
            continue;
        if (const auto *diagnostics = plugin->interface<Diagnostics>())
            all.append(diagnostics->checks());
    }
    return all;
}

QByteArray BridgeHost::metrics() const
{
    QList<QByteArray> texts;
    for (const auto &plugin : m_plugins) {
        if (plugin->state() < LoadedPlugin::State::Starting)
            continue;
        if (const auto *diagnostics = plugin->interface<Diagnostics>())
            texts.append(diagnostics->metrics());
    }
    MetricsText own;
    own.labelled("matrix_voip_rejected_events_total", "Matrix events left out, by reason.", "reason",
                 m_appservice->rejectedEvents());
    own.labelled("bridge_host_transactions_total", "Homeserver transactions, by result.", "result",
                 m_appservice->transactions());
    own.gauge("bridge_host_event_streams", "Open event streams.", m_streams->count());
    own.counter("bridge_host_event_streams_cut_total", "Event streams cut because their client was too slow.",
                m_streams->cutClients());
    for (const HttpServer *server : {m_appserviceServer.get(), m_apiServer.get()}) {
        QMap<QString, quint64> answers;
        for (auto it = server->answers().begin(); it != server->answers().end(); ++it)
            answers.insert(QString::number(it.key()), it.value());
        own.labelled("bridge_host_" + server->name() + "_requests_total", "Requests answered, by status.", "status",
                     answers);
        own.counter("bridge_host_" + server->name() + "_wrong_tokens_total", "Tokens that were not right.",
                    server->guesses().wrongOnes());
        own.counter("bridge_host_" + server->name() + "_guesses_refused_total",
                    "Requests not looked at because of wrong tokens from their address.", server->guesses().unheard());
        own.counter("bridge_host_" + server->name() + "_slow_clients_total",
                    "Connections cut because their client sent or read too slowly.", server->slowClients());
    }
    texts.append(own.text());
    return mergeMetrics(texts);
}

} // namespace bridgehost
