// SPDX-License-Identifier: Apache-2.0
// The plugin manager against real modules: a good one through its whole life, steps out of order, and one module per
// defect with the exact message.
#include "plugins/manager.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace bridgehost;
using namespace voiphost;

namespace
{

class TestHost : public Host, public EventRegistry
{
public:
    HomeserverSettings homeserver() const override
    {
        return {QUrl(QStringLiteral("http://127.0.0.1:1")),
                QStringLiteral("test"),
                QStringLiteral("nova"),
                QStringLiteral("bot"),
                QStringLiteral("nova_"),
                "as"};
    }
    DatabaseSettings database() const override { return {QStringLiteral("sqlite"), QStringLiteral(":memory:")}; }
    SecretSettings secrets() const override { return {}; }
    QList<HostUser> users() const override { return {{QStringLiteral("alice"), QStringLiteral("Alice")}}; }
    EventRegistry &events() override { return *this; }
    void registerHandler(EventHandler *handler, const QStringList &) override { handlers.append(handler); }
    void unregisterHandler(EventHandler *handler) override { handlers.removeAll(handler); }

    QList<EventHandler *> handlers;
};

QString badFile(const QString &name)
{
    return QStringLiteral(VOIP_BAD_DIR "/%1/%1.so").arg(name);
}

} // namespace

class TestPluginManager : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void metadataDefects_data();
    void metadataDefects();
    void defectsFoundOnLoading_data();
    void defectsFoundOnLoading();
    void goodMetadata();
    void wholeLife();
    void stepsOutOfOrderAreRefused();
    void failedStart();
    void scanning();
};

void TestPluginManager::metadataDefects_data()
{
    QTest::addColumn<QString>("message");
    const auto row = [](const char *name, const char *message) { QTest::newRow(name) << QString::fromLatin1(message); };
    row("other_interface", "its interface is \"org.novabridge.voiphost.Plugin/0\", this host takes "
                           "\"org.novabridge.voiphost.Plugin/1\"");
    row("no_metadata", "it carries no metadata");
    row("no_id", "\"id\" is missing");
    row("bad_id", "\"id\" is \"Bad Id\"; it must be up to 32 of a-z 0-9 _, begin with a letter, and not be \"path\"");
    row("bad_version", "\"version\" is \"1.0\"; it must be a semantic version such as 1.2.3");
    row("no_api", "\"apiVersion\" is missing");
    row("text_api", "\"apiVersion\" must be a whole number");
    row("newer_api", "it was made for version 2 of the host's interface, this host has version 1");
    row("no_name", "\"name\" is missing");
    row("bad_translation", "\"name[german]\" does not name a language, as in \"name[de]\"");
    row("empty_description", "\"description\" must be text and not empty");
    row("no_schema", "\"settingsSchema\" is missing");
    row("file_schema", "\"settingsSchema\" must be a resource path, beginning with \":/\"");
}

void TestPluginManager::metadataDefects()
{
    QFETCH(QString, message);
    const auto metadata = readMetadata(badFile(QString::fromLatin1(QTest::currentDataTag())));
    QVERIFY(!metadata);
    QCOMPARE(metadata.error(), message);
}

void TestPluginManager::defectsFoundOnLoading_data()
{
    QTest::addColumn<QString>("message");
    QTest::newRow("missing_schema") << "%1 does not hold its settings schema :/bad/settings.schema.json";
    QTest::newRow("no_plugin_class") << "%1 states the plugin interface in its metadata but does not have it";
}

void TestPluginManager::defectsFoundOnLoading()
{
    QFETCH(QString, message);
    const QString file = badFile(QString::fromLatin1(QTest::currentDataTag()));
    const auto metadata = readMetadata(file);
    QVERIFY2(metadata.ok(), "its metadata is good");
    LoadedPlugin plugin(*metadata);
    const auto done = plugin.load();
    QVERIFY(!done);
    QCOMPARE(done.error().message, message.arg(file));
    QCOMPARE(plugin.state(), LoadedPlugin::State::Found);
}

void TestPluginManager::goodMetadata()
{
    const auto metadata = readMetadata(QStringLiteral(VOIP_ECHO_DIR "/echo_plugin.so"));
    QVERIFY2(metadata.ok(), qPrintable(metadata ? QString() : metadata.error()));
    QCOMPARE(metadata->id, QStringLiteral("echo"));
    QCOMPARE(metadata->version, QStringLiteral("1.0.0-test.1"));
    QCOMPARE(metadata->name(QString()), QStringLiteral("Echo"));
    QCOMPARE(metadata->name(QStringLiteral("de_AT")), QStringLiteral("Echo-Stecker"));
    QCOMPARE(metadata->name(QStringLiteral("fr")), QStringLiteral("Echo"));
}

void TestPluginManager::wholeLife()
{
    TestHost host;
    LoadedPlugin plugin(*readMetadata(QStringLiteral(VOIP_ECHO_DIR "/echo_plugin.so")));
    QVERIFY(plugin.load());
    QVERIFY(plugin.schemaKeys().contains(QStringLiteral("enabled")));
    QVERIFY(!plugin.calls());
    const auto wrong = plugin.initialise(&host, {{QStringLiteral("nonsense"), 1}});
    QVERIFY(!wrong);
    QCOMPARE(wrong.error().details.value(QStringLiteral("key")).toString(), QStringLiteral("nonsense"));
    QCOMPARE(plugin.state(), LoadedPlugin::State::Loaded);

    QVERIFY(plugin.initialise(&host, {}));
    QVERIFY(host.handlers.isEmpty());
    std::optional<bool> started;
    plugin.start([&](const Expected<Done> &done) { started = done.ok(); });
    QTRY_VERIFY(started.has_value());
    QVERIFY(*started);
    QCOMPARE(host.handlers.size(), 1);
    QVERIFY(plugin.calls());
    QVERIFY(plugin.interface<Diagnostics>());

    bool drained = false;
    plugin.drain(1000, [&] { drained = true; });
    QTRY_VERIFY(drained);
    plugin.stop();
    QVERIFY(host.handlers.isEmpty());
    QVERIFY(!plugin.calls());
    plugin.stop();
    QCOMPARE(plugin.state(), LoadedPlugin::State::Stopped);
}

void TestPluginManager::stepsOutOfOrderAreRefused()
{
    TestHost host;
    LoadedPlugin plugin(*readMetadata(QStringLiteral(VOIP_ECHO_DIR "/echo_plugin.so")));
    const auto early = plugin.initialise(&host, {});
    QVERIFY(!early);
    QCOMPARE(early.error().message, QStringLiteral("plugin echo is found and cannot initialise now"));
    QVERIFY(plugin.load());
    QVERIFY(!plugin.load());
    QString refused;
    plugin.start([&](const Expected<Done> &done) { refused = done ? QString() : done.error().message; });
    QCOMPARE(refused, QStringLiteral("plugin echo is loaded and cannot start now"));
}

void TestPluginManager::failedStart()
{
    TestHost host;
    LoadedPlugin plugin(*readMetadata(QStringLiteral(VOIP_ECHO_DIR "/echo_plugin.so")));
    QVERIFY(plugin.load());
    QVERIFY(plugin.initialise(&host, {{QStringLiteral("start_fails"), true}}));
    QString message;
    plugin.start(
        [&](const Expected<Done> &done) { message = done ? QStringLiteral("started") : done.error().message; });
    QTRY_COMPARE(message, QStringLiteral("the database is not there"));
    plugin.stop();
    QCOMPARE(plugin.state(), LoadedPlugin::State::Stopped);
}

void TestPluginManager::scanning()
{
    QTemporaryDir dir;
    const QString echo = QStringLiteral(VOIP_ECHO_DIR "/echo_plugin.so");
    QVERIFY(QFile::copy(echo, dir.filePath(QStringLiteral("a.so"))));
    QVERIFY(QFile::copy(echo, dir.filePath(QStringLiteral("b.so"))));
    QFile junk(dir.filePath(QStringLiteral("junk.so")));
    QVERIFY(junk.open(QIODevice::WriteOnly));
    junk.write("no module at all");
    junk.close();
    const PluginScan scan = scanPlugins({dir.path(), dir.filePath(QStringLiteral("none"))});
    QCOMPARE(scan.found.size(), 1);
    QCOMPARE(scan.found.first().file, dir.filePath(QStringLiteral("a.so")));
    QCOMPARE(scan.defects.size(), 3);
    QCOMPARE(scan.defects.at(0).second,
             QStringLiteral("its id \"echo\" is that of %1 already").arg(dir.filePath(QStringLiteral("a.so"))));
    QVERIFY(scan.defects.at(1).second.startsWith(QStringLiteral("it is not a Qt plugin that can be loaded here: ")));
    QCOMPARE(scan.defects.at(2).second, QStringLiteral("this folder does not exist"));
}

QTEST_GUILESS_MAIN(TestPluginManager)
#include "tst_plugin_manager.moc"
