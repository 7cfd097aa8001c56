// SPDX-License-Identifier: Apache-2.0
// The contract of host-api with the real plugin file: metadata, exported symbols, lifecycle in order and out of order,
// nothing left behind after stop().
#include "fakehomeserver.h"
#include "testhost.h"

#include <voiphost/maintenance.h>
#include <voiphost/midcall.h>
#include <voiphost/plugin.h>

#include <QDir>
#include <QPluginLoader>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace voiphost;

namespace
{

int threads()
{
    return static_cast<int>(
        QDir(QStringLiteral("/proc/self/task")).entryList(QDir::Dirs | QDir::NoDotAndDotDot).size());
}

} // namespace

class ContractPlugin : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    bridge::FakeHomeserver m_homeserver;
    std::unique_ptr<bridge::TestHost> m_host;
    std::unique_ptr<QPluginLoader> m_loader;
    int m_count = 0;
    int m_quiet = 0; // threads of a process that does nothing

    // The root object of a plugin that is loaded anew: static libraries inside of it start afresh only if it could be
    // unloaded, which is not promised, so each test takes its own instance by loading and deleting the root object.
    Plugin *plugin() { return qobject_cast<Plugin *>(m_loader->instance()); }

    template <typename T>
    static T result(QFuture<T> future)
    {
        if (!QTest::qWaitFor([&future] { return future.isFinished(); }, 30'000))
            qFatal("a future never finishes");
        if (future.resultCount() != 1)
            qFatal("a future has no result");
        return future.result();
    }

    void startPlugin()
    {
        QVERIFY(plugin()->initialise(m_host.get(), {}).ok());
        const auto started = result(plugin()->start());
        QVERIFY2(started.ok(), started.ok() ? "" : qPrintable(started.error().message));
    }

private Q_SLOTS:
    void initTestCase() { m_quiet = threads(); }
    void init()
    {
        QTRY_COMPARE_WITH_TIMEOUT(threads(), m_quiet, 30'000); // a joined thread's last breath may take a moment
        m_host = std::make_unique<bridge::TestHost>();
        m_host->server.url = m_homeserver.http.url();
        m_host->store = {QStringLiteral("sqlite"), m_folder.filePath(QStringLiteral("db%1").arg(++m_count))};
        m_loader = std::make_unique<QPluginLoader>(QStringLiteral(PLUGIN_FILE));
        QVERIFY2(m_loader->load(), qPrintable(m_loader->errorString()));
        QVERIFY(plugin() != nullptr);
    }
    void cleanup()
    {
        delete m_loader->instance();
        m_loader->unload();
        m_loader.reset();
        QCOMPARE(m_host->handlers.size(), 0);
    }

    void metadata()
    {
        const QJsonObject outer = m_loader->metaData();
        QCOMPARE(outer.value(QStringLiteral("IID")).toString(), QStringLiteral(VOIPHOST_PLUGIN_IID));
        const QJsonObject data = outer.value(QStringLiteral("MetaData")).toObject();
        QCOMPARE(data.value(QStringLiteral("id")).toString(), QStringLiteral("matrixvoip"));
        QCOMPARE(data.value(QStringLiteral("version")).toString(), QStringLiteral(PROJECT_VERSION));
        QCOMPARE(data.value(QStringLiteral("apiVersion")).toInt(), 1);
        for (const char *field : {"name", "name[de]", "description", "description[de]"})
            QVERIFY2(!data.value(QLatin1String(field)).toString().isEmpty(), field);
        const QString schema = data.value(QStringLiteral("settingsSchema")).toString();
        QVERIFY2(QFile::exists(schema), qPrintable(schema));
    }

    void exportsTwoSymbols()
    {
        QProcess nm;
        // The linker may keep local symbols in the table: nobody outside can reach those.
        nm.start(QStringLiteral("nm"), {QStringLiteral("-D"), QStringLiteral("--defined-only"),
                                        QStringLiteral("--extern-only"), QStringLiteral(PLUGIN_FILE)});
        QVERIFY2(nm.waitForFinished(), "nm cannot be run");
        QCOMPARE(nm.exitCode(), 0);
        QStringList names;
        const auto lines = QString::fromLatin1(nm.readAllStandardOutput()).split(u'\n', Qt::SkipEmptyParts);
        for (const QString &line : lines)
            names.push_back(line.section(u' ', -1).section(u'@', 0, 0));
        names.sort();
        QCOMPARE(names,
                 QStringList({QStringLiteral("qt_plugin_instance"), QStringLiteral("qt_plugin_query_metadata_v2")}));
    }

    void optionalInterfaces()
    {
        QVERIFY(qobject_cast<Diagnostics *>(m_loader->instance()) != nullptr);
        QVERIFY(qobject_cast<RolloutControl *>(m_loader->instance()) != nullptr);
        QVERIFY(qobject_cast<SelfCheck *>(m_loader->instance()) != nullptr);
        QVERIFY(plugin()->initialise(m_host.get(), {}).ok());
        QVERIFY(qobject_cast<KeyRotation *>(m_loader->instance()) != nullptr);
        auto *midCall = qobject_cast<MidCall *>(plugin()->calls());
        QVERIFY(midCall != nullptr);
        const auto early = result(midCall->fullCall(QStringLiteral("alice"), QStringLiteral("none")));
        QCOMPARE(early.error().code, QStringLiteral("STOPPING"));
        plugin()->stop();
    }

    void wrongOrderGivesValues()
    {
        auto *rollout = qobject_cast<RolloutControl *>(m_loader->instance());
        auto *diagnostics = qobject_cast<Diagnostics *>(m_loader->instance());
        auto *check = qobject_cast<SelfCheck *>(m_loader->instance());
        auto *handler = dynamic_cast<EventHandler *>(m_loader->instance());
        const auto everything = [&] {
            QVERIFY(!result(rollout->setRollout({true, 10})).ok());
            QVERIFY(!result(rollout->rollBack()).ok());
            QVERIFY(diagnostics->metrics().contains("matrix_voip_calls_active 0"));
            (void)diagnostics->checks();
            (void)check->selfCheck();
            result(plugin()->drain(10));
            if (handler)
                QCOMPARE(result(handler->deliver({})), BatchResult::Refused);
        };
        QVERIFY(plugin()->calls() == nullptr);
        everything();
        QVERIFY(!result(plugin()->start()).ok());
        const auto wrong = plugin()->initialise(m_host.get(), {{QStringLiteral("rollout_percent"), 101}});
        QVERIFY(!wrong.ok());
        QVERIFY(wrong.error().message.contains(QStringLiteral("plugins.matrixvoip.rollout_percent")));
        QVERIFY(plugin()->calls() == nullptr);

        QVERIFY(plugin()->initialise(m_host.get(), {{QStringLiteral("rollout_percent"), 30}}).ok());
        QCOMPARE(rollout->rollout(), (Rollout{true, 30}));
        QCOMPARE(plugin()->initialise(m_host.get(), {}).error().code, QStringLiteral("WRONG_STATE"));
        everything();
        QVERIFY(check->selfCheck().first().ok);
        QVERIFY(!QFile::exists(m_host->store.dsn)); // looked at, not made
        const auto early = result(plugin()->calls()->history(QStringLiteral("alice"), 10, {}));
        QCOMPARE(early.error().code, QStringLiteral("STOPPING"));

        QVERIFY(result(plugin()->start()).ok());
        QCOMPARE(result(plugin()->start()).error().code, QStringLiteral("WRONG_STATE"));
        plugin()->stop();
        plugin()->stop();
        QVERIFY(plugin()->calls() == nullptr);
        everything();
        QVERIFY(!plugin()->initialise(m_host.get(), {}).ok());
        QVERIFY(!result(plugin()->start()).ok());
    }

    void rotationTakesThePlaceOfTheStart()
    {
        auto *rotation = qobject_cast<KeyRotation *>(m_loader->instance());
        QCOMPARE(rotation->rotateRootKey().error().code, QStringLiteral("WRONG_STATE"));
        QVERIFY(plugin()->initialise(m_host.get(), {}).ok());
        QCOMPARE(rotation->rotateRootKey().error().code,
                 QStringLiteral("NOT_SUPPORTED")); // the test host has no provider
        QCOMPARE(rotation->rotateRootKey().error().code, QStringLiteral("WRONG_STATE"));
        QCOMPARE(result(plugin()->start()).error().code, QStringLiteral("WRONG_STATE"));
        QVERIFY(!QFile::exists(m_host->store.dsn));
        plugin()->stop();
    }

    void stopBeforeStart()
    {
        plugin()->stop();
        plugin()->stop();
        QVERIFY(!plugin()->initialise(m_host.get(), {}).ok());
    }

    void initialiseStartsNothing()
    {
        QVERIFY(plugin()->initialise(m_host.get(), {}).ok());
        QCOMPARE(threads(), m_quiet);
        QVERIFY(m_host->handlers.isEmpty());
        plugin()->stop();
        QTRY_COMPARE_WITH_TIMEOUT(threads(), m_quiet, 30'000);
    }

    void stopLeavesNothing()
    {
        startPlugin();
        QVERIFY(threads() > m_quiet);
        QCOMPARE(m_host->handlers.size(), 1);
        const QStringList types = m_host->handlers.cbegin().value();
        for (const char *type :
             {"m.call.invite", "m.call.answer", "m.call.candidates", "m.call.hangup", "m.room.member"}) {
            const bool wanted = std::any_of(types.cbegin(), types.cend(), [type](const QString &pattern) {
                return pattern == QLatin1String(type) ||
                       (pattern.endsWith(u'*') && QLatin1String(type).startsWith(pattern.chopped(1)));
            });
            QVERIFY2(wanted, type);
        }
        plugin()->stop();
        QCOMPARE(m_host->handlers.size(), 0);
        QTRY_COMPARE_WITH_TIMEOUT(threads(), m_quiet, 30'000);
    }

    // Whatever is asked in the very last moment is answered all the same.
    void futuresFinishWhenItStops()
    {
        startPlugin();
        EventHandler *handler = m_host->handlers.cbegin().key();
        auto answered = plugin()->calls()->call(QStringLiteral("alice"), QStringLiteral("none"));
        auto opened = plugin()->calls()->openConversation(QStringLiteral("alice"), {QStringLiteral("@bob:test"), {}});
        EventBatch batch;
        batch.transactionId = QStringLiteral("t1");
        batch.events = {bridge::member(QStringLiteral("!r:test"), QStringLiteral("@bob:test"),
                                       QStringLiteral("@nova_alice:test"), QStringLiteral("invite"))};
        auto delivered = handler->deliver(batch);
        auto changed = qobject_cast<RolloutControl *>(m_loader->instance())->setRollout({false, 0});
        auto drained = plugin()->drain(60'000);
        plugin()->stop();
        QVERIFY(!result(answered).ok());
        QVERIFY(!result(opened).ok());
        (void)result(delivered); // Durable or Refused, but said
        (void)result(changed);
        result(drained);
    }

    void stopWhileStarting()
    {
        QVERIFY(plugin()->initialise(m_host.get(), {}).ok());
        auto started = plugin()->start();
        plugin()->stop();
        (void)result(started);
    }

    void absentDatabase()
    {
        m_host->store.dsn = m_folder.filePath(QStringLiteral("no/such/folder/db"));
        QVERIFY(plugin()->initialise(m_host.get(), {}).ok());
        QVERIFY(!qobject_cast<SelfCheck *>(m_loader->instance())->selfCheck().first().ok);
        const auto started = result(plugin()->start());
        QCOMPARE(started.error().kind, ErrorKind::Unavailable);
        QVERIFY(!started.error().message.isEmpty());
        EventBatch batch;
        batch.transactionId = QStringLiteral("t1");
        QCOMPARE(result(m_host->handlers.cbegin().key()->deliver(batch)), BatchResult::Refused);
        plugin()->stop();
    }
};

QTEST_GUILESS_MAIN(ContractPlugin)
#include "tst_contract_plugin.moc"
