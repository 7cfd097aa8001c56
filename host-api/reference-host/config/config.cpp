// SPDX-License-Identifier: Apache-2.0
// The keys of the configuration file, in the order of the documentation, with what each may hold.
#include "config/config.h"

#include "config/yaml_section.h"

#include <QFile>
#include <QFileInfo>
#include <QRegularExpression>

namespace bridgehost
{

using voiphost::Expected;
using voiphost::SecretSettings;
using Need = YamlSection::Need;

namespace
{

struct ConfigText {
    Q_DECLARE_TR_FUNCTIONS(Config)
};

constexpr qint64 kMaxFile = qint64(1024) * 1024;

YamlSection::Check matches(const QString &pattern, int maxLength, const QString &explanation)
{
    return [expression = QRegularExpression(QRegularExpression::anchoredPattern(pattern)), maxLength,
            explanation](const QString &value) {
        return value.size() <= maxLength && expression.match(value).hasMatch() ? QString() : explanation;
    };
}

YamlSection::Check isToken()
{
    return matches(QStringLiteral("[\\x21-\\x7e]+"), 1024,
                   ConfigText::tr("must be at most 1024 printable characters without spaces"));
}

QString checkBaseUrl(const QString &value)
{
    const QUrl url(value, QUrl::StrictMode);
    if (!url.isValid() || url.host().isEmpty() ||
        (url.scheme() != QLatin1String("http") && url.scheme() != QLatin1String("https")))
        return ConfigText::tr("must be an http or https address");
    if (!url.userInfo().isEmpty() || url.hasQuery() || url.hasFragment() ||
        (!url.path().isEmpty() && url.path() != QLatin1String("/")))
        return ConfigText::tr("must be an address without path, query or user");
    return {};
}

QString checkOrigin(const QString &value)
{
    if (value == QLatin1String("*"))
        return {};
    const QUrl url(value, QUrl::StrictMode);
    if (!url.isValid() || url.scheme().isEmpty() || url.host().isEmpty() || !url.path().isEmpty() || url.hasQuery())
        return ConfigText::tr("must hold origins such as https://phone.example.org, without a path");
    return {};
}

QString checkEndpoint(const QString &value)
{
    return parseEndpoint(value) ? QString() : ConfigText::tr("must be ADDRESS:PORT with a numeric address");
}

Endpoint endpoint(YamlSection &section, Need need)
{
    const QString value = section.text(QStringLiteral("listen"), need, {}, checkEndpoint);
    return parseEndpoint(value).value_or(Endpoint{});
}

QUrl baseUrl(YamlSection &section, const QString &key, Need need)
{
    QUrl url(section.text(key, need, {}, checkBaseUrl), QUrl::StrictMode);
    url.setPath(QString());
    return url;
}

void readSecrets(YamlSection section, Config *config)
{
    const QString provider =
        section.text(QStringLiteral("provider"), Need::Optional, QStringLiteral("configuration"),
                     matches(QStringLiteral("configuration|keychain|credentials-directory"), 32,
                             ConfigText::tr("must be configuration, keychain or credentials-directory")));
    using Provider = SecretSettings::Provider;
    if (provider == QLatin1String("keychain"))
        config->secrets.provider = Provider::Keychain;
    else if (provider == QLatin1String("credentials-directory"))
        config->secrets.provider = Provider::CredentialsDirectory;

    config->secrets.path = section.text(QStringLiteral("path"), Need::Optional);
    if (!config->secrets.path.isEmpty() && config->secrets.provider != Provider::CredentialsDirectory)
        section.problem(QStringLiteral("path"), ConfigText::tr("belongs to the provider credentials-directory only"));

    const QString key = section.text(QStringLiteral("root_key"), Need::Optional);
    if (!key.isEmpty()) {
        const auto bytes = QByteArray::fromBase64Encoding(key.toUtf8(), QByteArray::AbortOnBase64DecodingErrors);
        if (config->secrets.provider != Provider::Configuration)
            section.problem(QStringLiteral("root_key"), ConfigText::tr("belongs to the provider configuration only"));
        else if (!bytes || bytes.decoded.size() != 32)
            section.problem(QStringLiteral("root_key"), ConfigText::tr("must be 32 bytes in base64"));
        else
            config->secrets.rootKey = bytes.decoded;
    }
    section.done();
}

void readUsers(YamlSection &root, Config *config)
{
    QList<YamlSection> sections = root.sections(QStringLiteral("users"));
    if (sections.size() > 100'000)
        root.problem(QStringLiteral("users"), ConfigText::tr("holds more than 100000 users"));
    QSet<QString> ids;
    QSet<QByteArray> tokens;
    for (YamlSection &section : sections) {
        UserEntry entry;
        entry.user.id = section.text(QStringLiteral("id"), Need::Required, {},
                                     matches(QStringLiteral("[a-z0-9._=-]+"), 64,
                                             ConfigText::tr("must be 1 to 64 of the characters a-z 0-9 . _ = -")));
        entry.token = section.text(QStringLiteral("token"), Need::Required, {}, isToken()).toUtf8();
        entry.user.displayName =
            section.text(QStringLiteral("display_name"), Need::Optional, entry.user.id,
                         matches(QStringLiteral("[^\\x00-\\x1f]*"), 256,
                                 ConfigText::tr("must be at most 256 characters without control characters")));
        section.done();
        if (!entry.user.id.isEmpty() && ids.contains(entry.user.id))
            section.problem(QStringLiteral("id"), ConfigText::tr("is another user's already"));
        if (!entry.token.isEmpty() && tokens.contains(entry.token))
            section.problem(QStringLiteral("token"), ConfigText::tr("is another user's already"));
        ids.insert(entry.user.id);
        tokens.insert(entry.token);
        config->users.append(entry);
    }
}

// A plugin with `mode: client` hears by its account's own /sync. With such plugins only, the section may be missing.
bool needsAppservice(const YAML::Node &document, const Environment &environment)
{
    ReadState aside{environment, {}, {}, {}}; // what is wrong is found when it is read for good
    YamlSection plugins = YamlSection(document, QString(), 1, &aside).section(QStringLiteral("plugins"));
    static_cast<void>(plugins.texts(QStringLiteral("path")));
    const QMap<QString, QJsonObject> sections = plugins.others();
    if (sections.isEmpty())
        return true;
    return std::any_of(sections.keyBegin(), sections.keyEnd(), [&](const QString &id) {
        const QString mode = environment.value(variableFor(QStringLiteral("plugins.%1.mode").arg(id)),
                                               sections.value(id).value(QLatin1String("mode")).toString());
        return mode != QLatin1String("client");
    });
}

void readAppservice(YamlSection section, Config *config)
{
    const auto localpart = matches(QStringLiteral("[a-z0-9._=/+-]+"), 128,
                                   ConfigText::tr("must be of the characters a-z 0-9 . _ = / + -"));
    const Need need = config->appservice ? Need::Required : Need::Optional;
    const Need secret = config->secrets.provider == SecretSettings::Provider::Configuration ? need : Need::Optional;
    config->appserviceId = section.text(
        QStringLiteral("id"), need, config->appservice ? QString() : QStringLiteral("account"),
        matches(QStringLiteral("[A-Za-z0-9._-]+"), 128, ConfigText::tr("must be of the characters A-Z a-z 0-9 . _ -")));
    config->appserviceListen = endpoint(section, need);
    config->appserviceUrl = baseUrl(section, QStringLiteral("url"), need);
    config->asToken = section.text(QStringLiteral("as_token"), secret, {}, isToken()).toUtf8();
    config->hsToken = section.text(QStringLiteral("hs_token"), secret, {}, isToken()).toUtf8();
    config->senderLocalpart = section.text(QStringLiteral("sender_localpart"), need, {}, localpart);
    config->userPrefix = section.text(QStringLiteral("user_prefix"), need, {}, localpart);
    section.done();
}

void readAll(YamlSection &root, Config *config)
{
    YamlSection homeserver = root.section(QStringLiteral("homeserver"));
    config->homeserverUrl = baseUrl(homeserver, QStringLiteral("url"), Need::Required);
    config->serverName =
        homeserver.text(QStringLiteral("server_name"), Need::Required, {},
                        matches(QStringLiteral("[A-Za-z0-9.:\\[\\]-]+"), 230, ConfigText::tr("is not a server name")));
    homeserver.done();

    // Where the tokens come from decides whether they must stand here.
    readSecrets(root.section(QStringLiteral("secrets")), config);

    readAppservice(root.section(QStringLiteral("appservice")), config);

    YamlSection database = root.section(QStringLiteral("database"));
    config->database.driver =
        database.text(QStringLiteral("driver"), Need::Required, {},
                      matches(QStringLiteral("sqlite|postgresql"), 16, ConfigText::tr("must be sqlite or postgresql")));
    config->database.dsn = database.text(QStringLiteral("dsn"), Need::Required);
    database.done();

    YamlSection api = root.section(QStringLiteral("api"));
    config->apiListen = endpoint(api, Need::Required);
    config->allowedOrigins = api.texts(QStringLiteral("allowed_origins"), checkOrigin);
    api.done();

    YamlSection admin = root.section(QStringLiteral("admin"));
    const Need need =
        config->secrets.provider == SecretSettings::Provider::Configuration ? Need::Required : Need::Optional;
    config->adminToken = admin.text(QStringLiteral("token"), need, {}, isToken()).toUtf8();
    admin.done();

    YamlSection metrics = root.section(QStringLiteral("metrics"));
    config->metricsToken = metrics.text(QStringLiteral("token"), Need::Optional, {}, isToken()).toUtf8();
    metrics.done();

    YamlSection shutdown = root.section(QStringLiteral("shutdown"));
    config->drainSeconds = shutdown.number(QStringLiteral("drain_seconds"), 0, 86'400, 60);
    shutdown.done();

    readUsers(root, config);

    YamlSection plugins = root.section(QStringLiteral("plugins"));
    config->pluginPaths = plugins.texts(QStringLiteral("path"));
    config->plugins = plugins.others();
    root.done();
}

} // namespace

QString describe(const ConfigProblem &problem, const QString &file)
{
    QString where = file;
    if (problem.line > 0)
        where += QStringLiteral(":%1").arg(problem.line);
    return problem.key.isEmpty() ? QStringLiteral("%1: %2").arg(where, problem.message)
                                 : QStringLiteral("%1: %2: %3").arg(where, problem.key, problem.message);
}

Expected<Config, QList<ConfigProblem>> parseConfig(const QByteArray &yaml, const QString &file,
                                                   const Environment &environment)
{
    if (yaml.size() > kMaxFile)
        return QList<ConfigProblem>{{QString(), 0, ConfigText::tr("the file is over 1 MiB")}};
    ConfigProblem broken;
    const auto document = parseYaml(yaml, &broken);
    if (!document) {
        broken.message = ConfigText::tr("this is not YAML: %1").arg(broken.message);
        return QList<ConfigProblem>{broken};
    }
    if (!document->IsMap() && !document->IsNull())
        return QList<ConfigProblem>{
            {QString(), lineOf(*document), ConfigText::tr("the file must be a map of keys and values")}};

    ReadState state;
    state.environment = environment;
    Config config;
    config.file = file;
    YamlSection root(*document, QString(), 1, &state);
    config.appservice = needsAppservice(*document, environment);
    readAll(root, &config);
    for (auto it = environment.begin(); it != environment.end(); ++it) {
        if (!it.key().startsWith(QLatin1String("BRIDGE_")) || state.usedVariables.contains(it.key()))
            continue;
        if (it.key().startsWith(QLatin1String("BRIDGE_PLUGINS_")))
            config.pluginEnvironment.insert(it.key(), it.value());
        else
            config.unknownEnvironment.append(it.key());
    }
    config.lines = state.lines;
    if (config.secrets.provider == SecretSettings::Provider::Configuration && state.problems.isEmpty())
        state.problems = tokenProblems(config);
    if (!state.problems.isEmpty())
        return state.problems;
    return config;
}

Expected<Config, QList<ConfigProblem>> loadConfig(const QString &file, const Environment &environment)
{
    QFile source(file);
    if (!source.open(QIODevice::ReadOnly) || QFileInfo(file).isDir())
        return QList<ConfigProblem>{
            {QString(), 0, ConfigText::tr("the file cannot be read: %1").arg(source.errorString())}};
    return parseConfig(source.read(kMaxFile + 1), file, environment);
}

QJsonObject pluginSettings(const Config &config, const QString &id, const QStringList &known, QStringList *unmatched)
{
    QJsonObject settings = config.plugins.value(id);
    const QString prefix = variableFor(QStringLiteral("plugins.%1.").arg(id));
    for (auto it = config.pluginEnvironment.begin(); it != config.pluginEnvironment.end(); ++it) {
        if (!it.key().startsWith(prefix))
            continue;
        const QString key = it.key().mid(prefix.size()).toLower();
        ConfigProblem broken;
        const auto value = parseYaml(it.value().toUtf8(), &broken);
        if (!known.contains(key) || !value) {
            unmatched->append(it.key());
            continue;
        }
        settings[key] = toJson(*value);
    }
    return settings;
}

QList<ConfigProblem> tokenProblems(const Config &config)
{
    QList<ConfigProblem> problems;
    const auto at = [&](const QString &key, const QString &message) {
        problems.append({key, config.lines.value(key), message});
    };
    if (!config.asToken.isEmpty() && config.asToken == config.hsToken)
        at(QStringLiteral("appservice.hs_token"), ConfigText::tr("must differ from appservice.as_token"));
    for (const UserEntry &entry : config.users) {
        if (!entry.token.isEmpty() && entry.token == config.adminToken)
            at(QStringLiteral("admin.token"), ConfigText::tr("must differ from the tokens of the users"));
    }
    return problems;
}

} // namespace bridgehost
