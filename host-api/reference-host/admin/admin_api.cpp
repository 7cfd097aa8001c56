// SPDX-License-Identifier: Apache-2.0
// Page files and the admin API (surfaces, section 3).
#include "admin/admin_api.h"

#include "admin/verification_api.h"
#include "http/when_done.h"
#include "rest/shapes.h"

#include <QFile>
#include <QJsonArray>

namespace bridgehost
{

using namespace voiphost;

namespace
{

constexpr const char *kPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                                "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

QJsonObject shapeOf(const Rollout &rollout)
{
    return {{QStringLiteral("enabled"), rollout.enabled}, {QStringLiteral("percent"), rollout.percent}};
}

bool methodIs(const ExchangePtr &exchange, const QByteArray &method)
{
    if (exchange->request().method == method)
        return true;
    exchange->addHeader("Allow", method);
    exchange->reply(errorReply(405, QStringLiteral("METHOD_NOT_ALLOWED"),
                               QStringLiteral("Use %1 here").arg(QString::fromLatin1(method))));
    return false;
}

// Fields that are absent keep what is in force.
Expected<Rollout> readRollout(const QJsonObject &body, const QString &percentField, Rollout rollout)
{
    const QJsonValue enabled = body.value(QStringLiteral("enabled"));
    if (!enabled.isUndefined() && !enabled.isBool())
        return invalid(QStringLiteral("Field 'enabled' must be true or false"));
    rollout.enabled = enabled.toBool(rollout.enabled);
    const QJsonValue percent = body.value(percentField);
    if (!percent.isUndefined()) {
        if (!percent.isDouble() || percent.toDouble() != double(percent.toInteger(-1)) || percent.toInteger(-1) < 0 ||
            percent.toInteger() > 100)
            return invalid(QStringLiteral("Field '%1' must be a whole number between 0 and 100").arg(percentField));
        rollout.percent = percent.toInt();
    }
    return rollout;
}

} // namespace

AdminApi::AdminApi(const ApiGate *gate, Sources sources, QObject *parent)
    : QObject(parent), m_gate(gate), m_sources(std::move(sources))
{
}

bool AdminApi::handle(const ExchangePtr &exchange)
{
    const QStringList &path = exchange->request().path;
    if (path.value(0) != QLatin1String("admin"))
        return false;
    if (path.value(1) != QLatin1String("api")) {
        page(exchange);
        return true;
    }
    exchange->addHeader("Cache-Control", "no-store");
    if (!m_gate->requireAdmin(exchange))
        return true;
    const QString rest = path.mid(2).join(u'/');
    if (rest == QLatin1String("rollout"))
        rollout(exchange);
    else if (rest == QLatin1String("rollout/rollback"))
        rollBack(exchange);
    else if (rest == QLatin1String("doctor"))
        doctor(exchange);
    else if (rest == QLatin1String("calls"))
        calls(exchange);
    else if (path.value(2) == QLatin1String("verifications"))
        answerVerifications(this, exchange, path.mid(3), running<Verification>());
    else if (path.size() == 5 && path.at(2) == QLatin1String("plugins") && path.at(4) == QLatin1String("settings"))
        settings(exchange, path.at(3));
    else
        exchange->reply(errorReply(404, QStringLiteral("NOT_FOUND"), QStringLiteral("There is no such page")));
    return true;
}

void AdminApi::page(const ExchangePtr &exchange)
{
    if (!methodIs(exchange, "GET"))
        return;
    const QStringList &path = exchange->request().path;
    if (path.size() == 1) {
        exchange->reply({308, {}, QByteArrayLiteral("text/plain"), {{"Location", "/admin/"}}});
        return;
    }
    static const QHash<QString, QByteArray> types{
        {QStringLiteral("index.html"), QByteArrayLiteral("text/html; charset=utf-8")},
        {QStringLiteral("admin.css"), QByteArrayLiteral("text/css; charset=utf-8")},
        {QStringLiteral("admin.js"), QByteArrayLiteral("text/javascript; charset=utf-8")},
        {QStringLiteral("texts.js"), QByteArrayLiteral("text/javascript; charset=utf-8")},
        {QStringLiteral("icon.svg"), QByteArrayLiteral("image/svg+xml")},
    };
    const QString name = path.at(1).isEmpty() ? QStringLiteral("index.html") : path.at(1);
    QFile file(QStringLiteral(":/admin/") + name);
    if (path.size() > 2 || !types.contains(name) || !file.open(QIODevice::ReadOnly)) {
        exchange->reply(errorReply(404, QStringLiteral("NOT_FOUND"), QStringLiteral("There is no such page")));
        return;
    }
    exchange->reply({200,
                     file.readAll(),
                     types.value(name),
                     {{"Content-Security-Policy", kPolicy},
                      {"Referrer-Policy", "no-referrer"},
                      {"X-Frame-Options", "DENY"},
                      {"Cache-Control", "no-cache"}}});
}

template <typename Interface>
Interface *AdminApi::running() const
{
    const auto plugins = m_sources.plugins();
    for (LoadedPlugin *plugin : plugins) {
        if (plugin->state() != LoadedPlugin::State::Running && plugin->state() != LoadedPlugin::State::Draining)
            continue;
        if (auto *found = plugin->interface<Interface>())
            return found;
    }
    return nullptr;
}

RolloutControl *AdminApi::control() const
{
    return running<RolloutControl>();
}

void AdminApi::change(const ExchangePtr &exchange, RolloutControl *control, const Rollout &wanted,
                      const std::function<QJsonObject(const Rollout &)> &shape)
{
    whenDone(this, control->setRollout(wanted), [exchange, shape](const std::optional<Expected<Rollout>> &result) {
        if (!result)
            exchange->reply(errorReply(503, QStringLiteral("UNAVAILABLE"), QStringLiteral("The change was given up")));
        else if (!result->ok())
            exchange->reply(toReply(result->error()));
        else
            exchange->reply(jsonReply(200, shape(result->value())));
    });
}

void AdminApi::rollout(const ExchangePtr &exchange)
{
    RolloutControl *found = control();
    if (!found) {
        exchange->reply(
            errorReply(503, QStringLiteral("NOT_READY"), QStringLiteral("No plugin with a rollout is running")));
        return;
    }
    if (exchange->request().method == "GET") {
        exchange->reply(jsonReply(200, shapeOf(found->rollout())));
        return;
    }
    if (!methodIs(exchange, "PUT"))
        return;
    const auto body = readBody(exchange->request().body);
    const auto wanted =
        body ? readRollout(*body, QStringLiteral("percent"), found->rollout()) : Expected<Rollout>(body.error());
    if (!wanted)
        exchange->reply(toReply(wanted.error()));
    else
        change(exchange, found, *wanted, shapeOf);
}

void AdminApi::rollBack(const ExchangePtr &exchange)
{
    if (!methodIs(exchange, "POST"))
        return;
    RolloutControl *found = control();
    if (!found) {
        exchange->reply(
            errorReply(503, QStringLiteral("NOT_READY"), QStringLiteral("No plugin with a rollout is running")));
        return;
    }
    whenDone(this, found->rollBack(), [exchange](const std::optional<Expected<Rollout>> &result) {
        if (!result)
            exchange->reply(errorReply(503, QStringLiteral("UNAVAILABLE"), QStringLiteral("The change was given up")));
        else
            exchange->reply(result->ok() ? jsonReply(200, shapeOf(result->value())) : toReply(result->error()));
    });
}

// The settings as initialised; `enabled` and `rollout_percent` are those in force and can be changed here. The others
// belong to the configuration file: giving one a new value is refused instead of being forgotten at the next start.
void AdminApi::settings(const ExchangePtr &exchange, const QString &id)
{
    LoadedPlugin *plugin = nullptr;
    const auto plugins = m_sources.plugins();
    for (LoadedPlugin *candidate : plugins) {
        if (candidate->metadata().id == id)
            plugin = candidate;
    }
    if (!plugin) {
        exchange->reply(errorReply(404, QStringLiteral("PLUGIN_NOT_FOUND"), QStringLiteral("There is no such plugin")));
        return;
    }
    RolloutControl *rollouts =
        plugin->state() == LoadedPlugin::State::Running || plugin->state() == LoadedPlugin::State::Draining
            ? plugin->interface<RolloutControl>()
            : nullptr;
    const auto shape = [stated = plugin->settings()](const Rollout &rollout) {
        QJsonObject object = stated;
        object[QStringLiteral("enabled")] = rollout.enabled;
        object[QStringLiteral("rollout_percent")] = rollout.percent;
        return object;
    };
    const QJsonObject now = rollouts ? shape(rollouts->rollout()) : plugin->settings();
    if (exchange->request().method == "GET") {
        exchange->reply(jsonReply(200, now));
        return;
    }
    if (!methodIs(exchange, "PUT"))
        return;
    const auto body = readBody(exchange->request().body);
    if (!body)
        return exchange->reply(toReply(body.error()));
    const QStringList known = plugin->schemaKeys();
    for (auto it = body->begin(); it != body->end(); ++it) {
        if (!known.contains(it.key()))
            return exchange->reply(toReply(invalid(QStringLiteral("Field '%1' is not a setting").arg(it.key()))));
        const bool live = it.key() == QLatin1String("enabled") || it.key() == QLatin1String("rollout_percent");
        if (!live && now.value(it.key()) != it.value())
            return exchange->reply(errorReply(
                409, QStringLiteral("RESTART_NEEDED"),
                QStringLiteral("Setting '%1' is changed in the configuration file and by a restart").arg(it.key())));
    }
    if (!rollouts)
        return exchange->reply(
            errorReply(503, QStringLiteral("NOT_READY"), QStringLiteral("The plugin is not running")));
    const auto wanted = readRollout(*body, QStringLiteral("rollout_percent"), rollouts->rollout());
    if (!wanted)
        exchange->reply(toReply(wanted.error()));
    else
        change(exchange, rollouts, *wanted, shape);
}

void AdminApi::doctor(const ExchangePtr &exchange)
{
    if (!methodIs(exchange, "GET"))
        return;
    const Checks checks = m_sources.checks();
    QJsonArray plugins;
    const auto loaded = m_sources.plugins();
    for (const LoadedPlugin *plugin : loaded)
        plugins.append(QJsonObject{{QStringLiteral("id"), plugin->metadata().id},
                                   {QStringLiteral("version"), plugin->metadata().version},
                                   {QStringLiteral("name"), plugin->metadata().name(QString())},
                                   {QStringLiteral("description"), plugin->metadata().description(QString())}});
    exchange->reply(jsonReply(200, {{QStringLiteral("ready"), allRequiredOk(checks)},
                                    {QStringLiteral("checks"), toJson(checks)},
                                    {QStringLiteral("plugins"), plugins}}));
}

void AdminApi::calls(const ExchangePtr &exchange)
{
    if (!methodIs(exchange, "GET"))
        return;
    CallService *service = m_sources.calls();
    if (!service) {
        exchange->reply(
            errorReply(503, QStringLiteral("NOT_READY"), QStringLiteral("The call service is not running")));
        return;
    }
    QJsonArray array;
    const auto live = service->allLiveCalls();
    for (const auto &[user, call] : live) {
        QJsonObject object = toJson(call);
        object[QStringLiteral("user")] = user;
        array.append(object);
    }
    exchange->reply(jsonReply(200, {{QStringLiteral("calls"), array}}));
}

} // namespace bridgehost
