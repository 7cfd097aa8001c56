// SPDX-License-Identifier: Apache-2.0
// The configuration: a good file gives every value, the environment overrides, every mistake names key and line.
#include "config/config.h"
#include "config/registration.h"

#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

using namespace bridgehost;

namespace
{

QByteArray kGood; // good.yaml

QStringList problemsOf(const QByteArray &yaml, const Environment &environment = {})
{
    const auto config = parseConfig(yaml, QStringLiteral("f"), environment);
    QStringList lines;
    if (!config) {
        for (const ConfigProblem &problem : config.error())
            lines.append(describe(problem, QStringLiteral("f")));
    }
    return lines;
}

} // namespace

class TestConfig : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void goodFile();
    void mistakes_data();
    void mistakes();
    void everyMistakeIsNamedAtOnce();
    void notYaml();
    void environmentOverrides();
    void environmentAloneIsEnough();
    void environmentOfPlugins();
    void secretsMayComeFromElsewhere();
    void accountModeNeedsNoAppservice();
    void registration();
};

void TestConfig::initTestCase()
{
    QFile file(QFINDTESTDATA("host/good.yaml"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    kGood = file.readAll();
}

void TestConfig::goodFile()
{
    const auto parsed = parseConfig(kGood, QStringLiteral("f"), {});
    QVERIFY2(parsed.ok(), qPrintable(problemsOf(kGood).join(u'\n')));
    const Config &config = *parsed;
    QCOMPARE(config.homeserverUrl, QUrl(QStringLiteral("http://127.0.0.1:8008")));
    QCOMPARE(config.ghost(QStringLiteral("alice")), QStringLiteral("@nova_alice:test.example"));
    QCOMPARE(config.appserviceListen, (Endpoint{QStringLiteral("127.0.0.1"), 9009}));
    QCOMPARE(config.apiListen, (Endpoint{QStringLiteral("::1"), 9010}));
    QCOMPARE(config.asToken, QByteArray("as-secret"));
    QCOMPARE(config.database.driver, QStringLiteral("sqlite"));
    QCOMPARE(config.allowedOrigins, QStringList{QStringLiteral("https://phone.example")});
    QCOMPARE(config.users.size(), 2);
    QCOMPARE(config.users.at(1).user.displayName, QStringLiteral("bob"));
    QCOMPARE(config.pluginPaths, QStringList{QStringLiteral("/opt/plugins")});
    QCOMPARE(config.plugins.keys(), QStringList{QStringLiteral("matrixvoip")});
    const QJsonObject section = config.plugins.value(QStringLiteral("matrixvoip"));
    QCOMPARE(section.value(QStringLiteral("enabled")), QJsonValue(true));
    QCOMPARE(section.value(QStringLiteral("rollout_percent")), QJsonValue(25));
    QCOMPARE(config.lines.value(QStringLiteral("plugins.matrixvoip.mode")), 18);
    QCOMPARE(config.secrets.provider, voiphost::SecretSettings::Provider::Configuration);
}

void TestConfig::mistakes_data()
{
    QTest::addColumn<QByteArray>("from");
    QTest::addColumn<QByteArray>("to");
    QTest::addColumn<QString>("message");
    const auto row = [](const char *name, const char *from, const char *to, const char *message) {
        QTest::newRow(name) << QByteArray(from) << QByteArray(to) << QString::fromUtf8(message);
    };
    row("unknown key", "  id: nova\n", "  id: nova\n  tokn: x\n", "f:4: appservice.tokn: is not a known key");
    row("unknown section", "admin:", "bogus: 1\nadmin:", "f:12: bogus: is not a known key");
    row("missing value", "  hs_token: \"hs-secret\"\n", "",
        "f:2: appservice.hs_token: is missing (the environment may give it as BRIDGE_APPSERVICE_HS_TOKEN)");
    row("missing section", "admin: { token: \"admin-secret\" }\n", "",
        "f:1: admin.token: is missing (the environment may give it as BRIDGE_ADMIN_TOKEN)");
    row("number for text", "\"as-secret\"", "12345", "f:6: appservice.as_token: must be text; put it in quotes");
    row("map for text", "\"as-secret\"", "{ a: b }", "f:6: appservice.as_token: must be text");
    row("text for map", "{ driver: sqlite, dsn: \"bridge.db\" }", "sqlite",
        "f:10: database: must be a map of keys and values");
    row("bad driver", "driver: sqlite", "driver: mysql", "f:10: database.driver: must be sqlite or postgresql");
    row("empty", "\"bridge.db\"", "\"\"", "f:10: database.dsn: is empty");
    row("bad listen", "\"[::1]:9010\"", "\"example.org:80\"",
        "f:11: api.listen: must be ADDRESS:PORT with a numeric address");
    row("bad url", "\"http://127.0.0.1:8008\"", "\"http://user:pw@h/path\"",
        "f:1: homeserver.url: must be an address without path, query or user");
    row("no url", "\"http://127.0.0.1:8008\"", "\"ftp://h\"", "f:1: homeserver.url: must be an http or https address");
    row("bad origin", "[\"https://phone.example\"]", "[\"https://phone.example/x\"]",
        "f:11: api.allowed_origins: must hold origins such as https://phone.example.org, without a path");
    row("no list", "[\"https://phone.example\"]", "\"x\"", "f:11: api.allowed_origins: must be a list of texts");
    row("twice", "  id: nova\n", "  id: nova\n  id: nova\n", "f:4: appservice.id: is given twice");
    row("same user", "id: bob", "id: alice", "f:15: users[1].id: is another user's already");
    row("same token", "bob-secret", "alice-secret", "f:15: users[1].token: is another user's already");
    row("bad user", "id: bob", "id: \"Bob!\"", "f:15: users[1].id: must be 1 to 64 of the characters a-z 0-9 . _ = -");
    row("admin is user", "\"admin-secret\"", "\"bob-secret\"",
        "f:12: admin.token: must differ from the tokens of the users");
    row("tokens equal", "\"hs-secret\"", "\"as-secret\"",
        "f:7: appservice.hs_token: must differ from appservice.as_token");
    row("space in token", "\"hs-secret\"", "\"hs secret\"",
        "f:7: appservice.hs_token: must be at most 1024 printable characters without spaces");
    row("bad provider", "admin:", "secrets: { provider: vault }\nadmin:",
        "f:12: secrets.provider: must be configuration, keychain or credentials-directory");
    row("bad drain", "admin:", "shutdown: { drain_seconds: -1 }\nadmin:",
        "f:12: shutdown.drain_seconds: must be between 0 and 86400");
    row("bad root key",
        "admin:", "secrets: { root_key: \"abc\" }\nadmin:", "f:12: secrets.root_key: must be 32 bytes in base64");
}

void TestConfig::mistakes()
{
    QFETCH(QByteArray, from);
    QFETCH(QByteArray, to);
    QFETCH(QString, message);
    QVERIFY(kGood.contains(from));
    const QStringList problems = problemsOf(QByteArray(kGood).replace(from, to));
    QVERIFY2(problems.contains(message), qPrintable(problems.join(u'\n')));
}

void TestConfig::everyMistakeIsNamedAtOnce()
{
    const QStringList problems = problemsOf("homeserver: { url: 1 }\nbogus: 2\n");
    QVERIFY(problems.size() > 10);
}

void TestConfig::notYaml()
{
    const QStringList problems = problemsOf("a: b\n  c: [\n");
    QCOMPARE(problems.size(), 1);
    QVERIFY2(problems.first().startsWith(QStringLiteral("f:2: this is not YAML: ")), qPrintable(problems.first()));
    QCOMPARE(problemsOf("[1, 2]"), QStringList{QStringLiteral("f:1: the file must be a map of keys and values")});

    // What a small file can make of itself.
    QByteArray laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
    for (char c = 'b'; c < 'k'; ++c) {
        const QByteArray before(1, char(c - 1));
        laughs +=
            QByteArray(1, c) + ": &" + QByteArray(1, c) + " [" + QByteArrayList(10, "*" + before).join(", ") + "]\n";
    }
    for (const QByteArray &text : {QByteArray("plugins: { m: { a: &a [ *a ] } }"), QByteArray("&a { b: *a }"), laughs,
                                   QByteArray(100, '[') + QByteArray(100, ']'), QByteArray(100'000, '[')}) {
        const QStringList defects = problemsOf(text);
        QCOMPARE(defects.size(), 1);
        QVERIFY2(defects.first().contains(QStringLiteral("this is not YAML: ")), qPrintable(defects.first()));
    }
}

void TestConfig::environmentOverrides()
{
    const auto config = parseConfig(
        kGood, QStringLiteral("f"),
        {{QStringLiteral("BRIDGE_DATABASE_DSN"), QStringLiteral("other.db")},
         {QStringLiteral("BRIDGE_ADMIN_TOKEN"), QStringLiteral("12345")},
         {QStringLiteral("BRIDGE_API_ALLOWED_ORIGINS"), QStringLiteral("https://a.example, https://b.example")},
         {QStringLiteral("BRIDGE_SHUTDOWN_DRAIN_SECONDS"), QStringLiteral("7")},
         {QStringLiteral("BRIDGE_USERS"), QStringLiteral("[{id: carol, token: c-secret}]")},
         {QStringLiteral("BRIDGE_DATABSE_DSN"), QStringLiteral("typo")}});
    QVERIFY(config);
    QCOMPARE(config->database.dsn, QStringLiteral("other.db"));
    QCOMPARE(config->adminToken, QByteArray("12345"));
    QCOMPARE(config->allowedOrigins,
             (QStringList{QStringLiteral("https://a.example"), QStringLiteral("https://b.example")}));
    QCOMPARE(config->drainSeconds, 7);
    QCOMPARE(config->users.size(), 1);
    QCOMPARE(config->users.first().user.id, QStringLiteral("carol"));
    QCOMPARE(config->unknownEnvironment, QStringList{QStringLiteral("BRIDGE_DATABSE_DSN")});
    QCOMPARE(problemsOf(kGood, {{QStringLiteral("BRIDGE_DATABASE_DRIVER"), QStringLiteral("x")}}).size(), 1);
}

void TestConfig::environmentAloneIsEnough()
{
    const auto config =
        parseConfig(QByteArray(kGood).replace("admin: { token: \"admin-secret\" }\n", ""), QStringLiteral("f"),
                    {{QStringLiteral("BRIDGE_ADMIN_TOKEN"), QStringLiteral("from-env")}});
    QVERIFY(config);
    QCOMPARE(config->adminToken, QByteArray("from-env"));
}

void TestConfig::environmentOfPlugins()
{
    const auto config =
        parseConfig(kGood, QStringLiteral("f"),
                    {{QStringLiteral("BRIDGE_PLUGINS_MATRIXVOIP_ROLLOUT_PERCENT"), QStringLiteral("50")},
                     {QStringLiteral("BRIDGE_PLUGINS_MATRIXVOIP_NONE"), QStringLiteral("1")}});
    QVERIFY(config);
    QStringList unmatched;
    const QJsonObject settings =
        pluginSettings(*config, QStringLiteral("matrixvoip"),
                       {QStringLiteral("enabled"), QStringLiteral("rollout_percent")}, &unmatched);
    QCOMPARE(settings.value(QStringLiteral("rollout_percent")), QJsonValue(50));
    QCOMPARE(settings.value(QStringLiteral("mode")), QJsonValue(QStringLiteral("appservice")));
    QCOMPARE(unmatched, QStringList{QStringLiteral("BRIDGE_PLUGINS_MATRIXVOIP_NONE")});
}

void TestConfig::secretsMayComeFromElsewhere()
{
    QByteArray yaml = kGood;
    yaml.replace("  as_token: \"as-secret\"\n", "").replace("admin:", "secrets: { provider: keychain }\nadmin:");
    const auto config = parseConfig(yaml, QStringLiteral("f"), {});
    QVERIFY(config);
    QVERIFY(config->asToken.isEmpty());
    QCOMPARE(config->secrets.provider, voiphost::SecretSettings::Provider::Keychain);
}

void TestConfig::accountModeNeedsNoAppservice()
{
    const qsizetype begin = kGood.indexOf("appservice:");
    const QByteArray without = kGood.left(begin) + kGood.mid(kGood.indexOf("database:"));
    QVERIFY(problemsOf(without).join(u'\n').contains(QStringLiteral("appservice.id: is missing")));
    QByteArray client = without;
    client.replace("mode: appservice", "mode: client");
    const auto config = parseConfig(client, QStringLiteral("f"), {});
    QVERIFY2(config.ok(), qPrintable(problemsOf(client).join(u'\n')));
    QVERIFY(!config->appservice);
    QCOMPARE(config->appserviceId, QStringLiteral("account"));
    // The environment decides, too.
    const QString variable = QStringLiteral("BRIDGE_PLUGINS_MATRIXVOIP_MODE");
    QVERIFY(problemsOf(without, {{variable, QStringLiteral("client")}}).isEmpty());
    QVERIFY(!problemsOf(client, {{variable, QStringLiteral("appservice")}}).isEmpty());
    // What is given all the same is checked as ever.
    client.replace("database:", "appservice: { listen: x }\ndatabase:");
    QCOMPARE(problemsOf(client),
             QStringList{QStringLiteral("f:2: appservice.listen: must be ADDRESS:PORT with a numeric address")});
}

void TestConfig::registration()
{
    const auto config = parseConfig(kGood, QStringLiteral("f"), {});
    QVERIFY(config);
    QTemporaryDir dir;
    const QString file = dir.filePath(QStringLiteral("registration.yaml"));
    QVERIFY(writeRegistration(*config, file));
    QCOMPARE(QFileInfo(file).permissions() &
                 (QFile::ReadGroup | QFile::ReadOther | QFile::WriteGroup | QFile::WriteOther),
             QFile::Permissions());
    QFile written(file);
    QVERIFY(written.open(QIODevice::ReadOnly));
    const QByteArray yaml = written.readAll();
    for (const char *line :
         {"id: \"nova\"\n", "url: \"http://127.0.0.1:9009\"\n", "as_token: \"as-secret\"\n",
          "hs_token: \"hs-secret\"\n", "sender_localpart: \"novabridge\"\n", "rate_limited: false\n",
          "exclusive: true\n", "regex: \"@nova_.*:test\\\\.example\"\n", "receive_ephemeral: true\n",
          "de.sorunome.msc2409.push_ephemeral: true\n", "org.matrix.msc3202: true\n", "io.element.msc4190: true\n"})
        QVERIFY2(yaml.contains(line), line);
    QVERIFY(!writeRegistration(*config, dir.filePath(QStringLiteral("none/registration.yaml"))));
}

QTEST_GUILESS_MAIN(TestConfig)
#include "tst_config.moc"
