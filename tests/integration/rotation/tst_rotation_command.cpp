// SPDX-License-Identifier: Apache-2.0
// `bridge-host --rotate-root-key`, `--check` and a start, with the real plugin: exit codes and what they say.
#include "rotationtest.h"

#include <QProcess>

using namespace rotationtest;
using storetest::Databases;

class RotationCommand : public QObject
{
    Q_OBJECT

    Databases m_databases;
    std::unique_ptr<QTemporaryDir> m_folder;
    Host m_host;
    QString m_said;

    void newCase(const QString &driver, const QByteArray &key)
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_host.store = m_databases.fresh(driver);
        prepare(m_host, QStringLiteral("credentials-directory"), m_folder->path(), {});
        write(m_folder->filePath(rootKeyName), key.toBase64());
        write(m_folder->filePath(QStringLiteral("c.yaml")),
              "homeserver: { url: \"http://127.0.0.1:1\", server_name: test }\n"
              "appservice: { id: " +
                  m_host.server.appserviceId.toLatin1() +
                  ", listen: \"127.0.0.1:0\", "
                  "url: \"http://127.0.0.1:9\", as_token: \"as-t\", hs_token: \"hs-t\", sender_localpart: bot, "
                  "user_prefix: nova_ }\n"
                  "database: { driver: " +
                  driver.toLatin1() + ", dsn: \"" + m_host.store.dsn.toUtf8() +
                  "\" }\n"
                  "secrets: { provider: credentials-directory }\n"
                  "api: { listen: \"127.0.0.1:0\" }\n"
                  "admin: { token: \"adm-t\" }\n"
                  "users: [ { id: alice, token: \"alice-t\" } ]\n"
                  "plugins: { path: [ \"" PLUGIN_DIR "\" ], matrixvoip: { enabled: true } }\n");
        fill(m_host.store, QByteArray(32, 'o'));
    }
    int run(const QStringList &arguments, const QStringList &environment = {})
    {
        QProcess host;
        host.setProcessChannelMode(QProcess::MergedChannels);
        const QStringList own{QStringLiteral("LC_ALL=C"),
                              QStringLiteral("CREDENTIALS_DIRECTORY=") + m_folder->path()}; // as systemd says it
        host.setEnvironment(QProcess::systemEnvironment() + own + environment);
        host.start(QStringLiteral(BRIDGE_HOST),
                   QStringList{QStringLiteral("--config"), m_folder->filePath(QStringLiteral("c.yaml"))} + arguments);
        const bool ended = host.waitForFinished(60'000) && host.exitStatus() == QProcess::NormalExit;
        m_said = QString::fromUtf8(host.readAll());
        for (const char fill : {'o', 'n', 'x'}) // no key is ever shown
            if (m_said.contains(QString::fromLatin1(QByteArray(32, fill).toBase64())))
                return -2;
        return ended ? host.exitCode() : -1;
    }
    const QString m_rotate = QStringLiteral("--rotate-root-key");
    const QString m_check = QStringLiteral("--check");

    void says(const QString &words) { QVERIFY2(m_said.contains(words), qPrintable(m_said)); }

private Q_SLOTS:
    void initTestCase_data()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }

    void withACredentialsDirectory()
    {
        QFETCH_GLOBAL(QString, driver);
        newCase(driver, QByteArray(32, 'o'));
        QCOMPARE(run({m_check}), 0);
        says(QStringLiteral("ok    root_key: it is the one of the database"));
        QCOMPARE(run({m_rotate}), 1);
        says(QStringLiteral("NO_NEW_KEY: There is no new key: write it into the file root_key_next"));
        write(m_folder->filePath(nextRootKeyName), QByteArray(32, 'n').toBase64());
        {
            store::SqlStore running(m_host.store);
            QVERIFY(storetest::open(running, QByteArray(32, 'o')));
            QCOMPARE(run({m_rotate}), 1);
            says(QStringLiteral("in use by another process"));
        }
        QCOMPARE(run({m_rotate}), 0);
        says(QStringLiteral("7 sealed value"));
        says(QStringLiteral("now: Rename root_key_next to root_key"));
        QCOMPARE(run({m_check}), 0);
        says(QStringLiteral("note  root_key: the key of the database is root_key_next; Rename"));
        QCOMPARE(run({m_rotate}), 0);
        says(QStringLiteral("since an earlier run"));
        QVERIFY(QFile::remove(m_folder->filePath(rootKeyName)));
        QVERIFY(QFile::rename(m_folder->filePath(nextRootKeyName), m_folder->filePath(rootKeyName)));
        QCOMPARE(run({m_check}), 0);
        says(QStringLiteral("ok    root_key: it is the one of the database"));
        QCOMPARE(readable(m_host.store, QByteArray(32, 'n')), sealedValues);
    }

    void withAKeychain()
    {
        QFETCH_GLOBAL(QString, driver);
        newCase(driver, {});
        m_host.provider.provider = SecretSettings::Provider::Keychain;
        const QStringList inKeychain{QStringLiteral("BRIDGE_SECRETS_PROVIDER=keychain")};
        QVERIFY(m_host.keys().store(rootKeyName, QByteArray(32, 'o')));
        QCOMPARE(run({m_rotate}, inKeychain), 0);
        says(QStringLiteral("7 sealed value"));
        QVERIFY(!m_said.contains(QLatin1String("now:")));
        QCOMPARE(run({m_check}, inKeychain), 0);
        const auto key = m_host.keys().read(rootKeyName);
        QVERIFY(*key != QByteArray(32, 'o'));
        QCOMPARE(readable(m_host.store, *key), sealedValues);
        const QStringList noBus = inKeychain + QStringList{QStringLiteral("DBUS_SESSION_BUS_ADDRESS=unix:path=/none")};
        for (const QStringList &arguments : {QStringList{m_rotate}, QStringList{m_check}, QStringList{}}) {
            QCOMPARE(run(arguments, noBus), 1);
            says(QStringLiteral("credentials-directory"));
        }
    }

    void aWrongKeyStopsEverything()
    {
        QFETCH_GLOBAL(QString, driver);
        newCase(driver, QByteArray(32, 'x'));
        QCOMPARE(run({m_check}), 1);
        says(QStringLiteral("ERROR root_key: root_key is not the key this database was made with"));
        QCOMPARE(run({}), 1);
        says(QStringLiteral("root_key: not the one this database was made with"));
        QCOMPARE(run({m_rotate}), 1);
        says(QStringLiteral("ROOT_KEY_WRONG"));
        QCOMPARE(readable(m_host.store, QByteArray(32, 'o')), sealedValues);
    }

    void withTheKeyInTheConfiguration()
    {
        QFETCH_GLOBAL(QString, driver);
        newCase(driver, {});
        QCOMPARE(run({m_rotate}, {QStringLiteral("BRIDGE_SECRETS_PROVIDER=configuration"),
                                  QStringLiteral("BRIDGE_SECRETS_ROOT_KEY=") +
                                      QString::fromLatin1(QByteArray(32, 'o').toBase64())}),
                 1);
        says(QStringLiteral("NOT_SUPPORTED"));
    }
};

QTEST_GUILESS_MAIN(RotationCommand)
#include "tst_rotation_command.moc"
