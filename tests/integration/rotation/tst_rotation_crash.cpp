// SPDX-License-Identifier: Apache-2.0
// A rotation that is killed between every two of its steps, on both databases, with the new key in the keyring or in a
// credentials directory: the key that the next start takes opens every value, and the command repeated comes to its
// end.
#include "keyring.h"
#include "rotationtest.h"

#include <QProcess>

using namespace rotationtest;
using storetest::Databases;

class RotationCrash : public QObject
{
    Q_OBJECT

    Databases m_databases;
    std::unique_ptr<QTemporaryDir> m_folder;
    Host m_host;

    QString rotate(int step, int count, const QString &act)
    {
        QProcess victim;
        const bool keychain = m_host.provider.provider == SecretSettings::Provider::Keychain;
        victim.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        victim.start(QStringLiteral(ROTATION_VICTIM),
                     {m_host.server.appserviceId, keychain ? QStringLiteral("keychain") : m_folder->path(),
                      m_host.store.driver, m_host.store.dsn, QString::number(step), QString::number(count), act});
        if (!victim.waitForFinished(60'000))
            return QStringLiteral("it does not end");
        return victim.exitStatus() == QProcess::CrashExit
                   ? QStringLiteral("killed")
                   : QString::fromLatin1(victim.readAllStandardOutput()).trimmed();
    }
    void newCase(const QString &provider, const QString &driver, const QByteArray &key)
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_host.store = m_databases.fresh(driver);
        prepare(m_host, provider, m_folder->path(), key);
        if (provider != u"keychain") {
            write(m_folder->filePath(rootKeyName), key.toBase64());
            write(m_folder->filePath(nextRootKeyName), QByteArray(32, 'n').toBase64());
        }
        fill(m_host.store, key);
    }

private Q_SLOTS:
    void killedBetweenTwoSteps_data()
    {
        QTest::addColumn<QString>("provider");
        QTest::addColumn<QString>("driver");
        QTest::addColumn<int>("step");
        QTest::addColumn<int>("count");
        QTest::addColumn<bool>("startedBetween");
        const std::vector<std::tuple<const char *, RotationStep, int>> steps{
            {"locked", RotationStep::Locked, 1},   {"kept", RotationStep::Kept, 1},
            {"sealed 1", RotationStep::Sealed, 1}, {"sealed all", RotationStep::Sealed, sealedValues},
            {"changed", RotationStep::Changed, 1}, {"promoted", RotationStep::Promoted, 1},
            {"cleared", RotationStep::Cleared, 1}};
        for (const QString &provider : {QStringLiteral("keychain"), QStringLiteral("credentials-directory")}) {
            for (const QString &driver : Databases::drivers()) {
                for (const auto &[name, step, count] : steps) {
                    if (provider != u"keychain" && step >= RotationStep::Promoted)
                        continue; // that is the administrator's
                    for (const bool started : {false, true}) {
                        QTest::addRow("%s %s %s%s", qPrintable(provider), qPrintable(driver), name,
                                      started ? ", started between" : "")
                            << provider << driver << static_cast<int>(step) << count << started;
                    }
                }
            }
        }
    }
    void killedBetweenTwoSteps()
    {
        QFETCH(QString, provider);
        QFETCH(QString, driver);
        QFETCH(int, step);
        QFETCH(int, count);
        QFETCH(bool, startedBetween);
        const bool keychain = provider == u"keychain";
        const bool changed = step >= static_cast<int>(RotationStep::Changed);
        const QByteArray old(32, 'o');
        newCase(provider, driver, old);
        QCOMPARE(rotate(step, count, QStringLiteral("self")), QStringLiteral("killed"));
        if (startedBetween) {
            const auto key = nextStart(m_host);
            QVERIFY2(key, key ? "" : qPrintable(key.error().message));
            QCOMPARE(readable(m_host.store, *key), sealedValues);
            QCOMPARE(*key != old, changed);
        }
        const auto report = rotateRootKey(m_host);
        QVERIFY2(report, report ? "" : qPrintable(report.error().message));
        const bool afresh = keychain && changed && (startedBetween || step == static_cast<int>(RotationStep::Cleared));
        QCOMPARE(report->rows, changed && !afresh ? 0 : sealedValues);
        QCOMPARE(report->resumed, !afresh && (changed || (keychain && step > static_cast<int>(RotationStep::Locked))));
        QCOMPARE(report->advice.isEmpty(), keychain);
        for (int i = 0; i < 2; ++i) { // and once more after the administrator's part
            const auto key = nextStart(m_host);
            QVERIFY2(key, key ? "" : qPrintable(key.error().message));
            QVERIFY(*key != old);
            QCOMPARE(readable(m_host.store, *key), sealedValues);
            if (keychain) {
                const auto next = m_host.keys().read(nextRootKeyName);
                QVERIFY(!next && next.error().kind == SecretError::Kind::NotFound);
                QCOMPARE(*m_host.keys().read(rootKeyName), *key);
            } else if (i == 0) {
                QVERIFY(QFile::remove(m_folder->filePath(rootKeyName)));
                QCOMPARE(readable(m_host.store, *nextStart(m_host)), sealedValues); // in the middle of it
                QVERIFY(QFile::rename(m_folder->filePath(nextRootKeyName), m_folder->filePath(rootKeyName)));
            }
        }
        QCOMPARE(readable(m_host.store, old), -1);
    }

    void theServerDies()
    {
        const QByteArray old(32, 'o');
        newCase(QStringLiteral("keychain"), QStringLiteral("postgresql"), old);
        for (const RotationStep at : {RotationStep::Kept, RotationStep::Sealed}) {
            const auto report = rotateRootKey(m_host, [this, at](RotationStep step) {
                if (step == at)
                    m_databases.cluster().kill();
            });
            QVERIFY(!report);
            QCOMPARE(report.error().code, QStringLiteral("DATABASE_UNAVAILABLE"));
            QVERIFY2(report.error().message.contains(QLatin1String("Give the command again")),
                     qPrintable(report.error().message));
            QVERIFY(m_databases.cluster().start());
            QCOMPARE(readable(m_host.store, *nextStart(m_host)), sealedValues);
        }
        const auto report = rotateRootKey(m_host);
        QVERIFY2(report, report ? "" : qPrintable(report.error().message));
        QVERIFY(report->resumed);
        const auto key = nextStart(m_host);
        QVERIFY(*key != old);
        QCOMPARE(readable(m_host.store, *key), sealedValues);
    }

    // Last: see keyring.h.
    void theKeyringDies_data()
    {
        QTest::addColumn<int>("step");
        QTest::newRow("locked") << static_cast<int>(RotationStep::Locked);
        QTest::newRow("changed") << static_cast<int>(RotationStep::Changed);
        QTest::newRow("promoted") << static_cast<int>(RotationStep::Promoted);
    }
    void theKeyringDies()
    {
        QFETCH(int, step);
        const QByteArray old(32, 'o');
        newCase(QStringLiteral("none"), QStringLiteral("sqlite"), old);
        m_host.provider.provider = SecretSettings::Provider::Keychain;
        keyring::put(m_host.keys().keychainService(), rootKeyName, old.toBase64());
        QCOMPARE(rotate(step, 1, QStringLiteral("keyring")), QStringLiteral("SECRETS_UNAVAILABLE"));
        QCOMPARE(rotate(-1, 0, {}), QStringLiteral("SECRETS_UNAVAILABLE")); // the bus has started another, locked
        keyring::unlock();
        const auto key = [this](const QString &name) {
            return QByteArray::fromBase64(keyring::lookup(m_host.keys().keychainService(), name));
        };
        const bool changed = step != static_cast<int>(RotationStep::Locked);
        QCOMPARE(key(nextRootKeyName).isEmpty(), !changed);
        QCOMPARE(readable(m_host.store, key(changed ? nextRootKeyName : rootKeyName)), sealedValues);
        QCOMPARE(rotate(-1, 0, {}), QStringLiteral("ok"));
        QVERIFY(key(rootKeyName) != old);
        QVERIFY(key(nextRootKeyName).isEmpty());
        QCOMPARE(readable(m_host.store, key(rootKeyName)), sealedValues);
    }
};

QTEST_GUILESS_MAIN(RotationCrash)
#include "tst_rotation_crash.moc"
