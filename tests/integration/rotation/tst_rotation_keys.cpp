// SPDX-License-Identifier: Apache-2.0
// Which root key a start takes, when one is made and when never, and what a rotation refuses. A real keyring, both
// databases.
#include "keyring.h"
#include "rotationtest.h"

using namespace rotationtest;
using storetest::Databases;

namespace
{

const QByteArray old(32, 'o');
const QByteArray other(32, 'x');
const QString keychain = QStringLiteral("keychain");
const QString directory = QStringLiteral("credentials-directory");

} // namespace

class RotationKeys : public QObject
{
    Q_OBJECT

    Databases m_databases;
    std::unique_ptr<QTemporaryDir> m_folder;
    Host m_host;

    void newCase(const QString &provider, const QByteArray &key, const QString &driver = QStringLiteral("sqlite"))
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_host.store = m_databases.fresh(driver);
        prepare(m_host, provider, m_folder->path(), key);
        if (provider == directory && !key.isEmpty())
            put(rootKeyName, key);
    }
    void put(const QString &name, const QByteArray &key) { write(m_folder->filePath(name), key.toBase64()); }
    bool inKeyring(const QString &name) const
    {
        const auto read = m_host.keys().read(name);
        if (!read && read.error().kind != SecretError::Kind::NotFound)
            qFatal("the keyring: %s", qPrintable(read.error().message));
        return read.ok();
    }
    void startRefused(const QString &words)
    {
        const auto key = nextStart(m_host);
        QVERIFY(!key);
        QCOMPARE(key.error().code, QStringLiteral("SECRETS_UNAVAILABLE"));
        QVERIFY2(key.error().message.contains(words), qPrintable(key.error().message));
    }
    void rotationRefused(const char *code, const QString &words)
    {
        const auto report = rotateRootKey(m_host);
        QVERIFY(!report);
        QCOMPARE(report.error().code, QString::fromLatin1(code));
        QVERIFY2(report.error().message.contains(words), qPrintable(report.error().message));
    }
    QString checked() // by --check
    {
        const auto read = readRootKey(m_host);
        if (!read)
            return read.error().code;
        const auto checks = inspectRootKey(m_host, *read);
        if (checks.size() != 1)
            return QString::number(checks.size());
        const QString word = checks.at(0).ok
                                 ? QStringLiteral("ok: ")
                                 : (checks.at(0).required ? QStringLiteral("ERROR: ") : QStringLiteral("note: "));
        return word + checks.at(0).message;
    }
    void bothDatabases()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }

private Q_SLOTS:
    void aKeyIsMadeOnce_data() { bothDatabases(); }
    void aKeyIsMadeOnce()
    {
        QFETCH(QString, driver);
        newCase(keychain, {}, driver);
        if (driver == u"sqlite")
            QCOMPARE(checked(), QStringLiteral("ok: it is made at the first start"));
        QVERIFY(!inKeyring(rootKeyName));
        const auto key = nextStart(m_host);
        QVERIFY2(key, key ? "" : qPrintable(key.error().message));
        QCOMPARE(key->size(), 32);
        QCOMPARE(*m_host.keys().read(rootKeyName), *key);
        fill(m_host.store, *key);
        QCOMPARE(*nextStart(m_host), *key);
        QCOMPARE(checked(), QStringLiteral("ok: it is the one of the database"));
        QCOMPARE(readable(m_host.store, *key), sealedValues);

        QVERIFY(m_host.keys().remove(rootKeyName)); // a keyring made anew is no first start
        startRefused(QStringLiteral("restore the keychain"));
        QVERIFY(checked().startsWith(QLatin1String("ERROR: The keychain has no root_key")));
        rotationRefused("ROOT_KEY_WRONG", QStringLiteral("put it back"));
        QVERIFY(!inKeyring(rootKeyName) && !inKeyring(nextRootKeyName));
    }

    void noDatabaseNoKey()
    {
        newCase(keychain, {});
        m_host.store = {QStringLiteral("postgresql"), QStringLiteral("host=127.0.0.1 port=1 dbname=x")};
        const auto key = nextStart(m_host);
        QVERIFY(!key);
        QCOMPARE(key.error().code, QStringLiteral("DATABASE_UNAVAILABLE"));
        rotationRefused("DATABASE_UNAVAILABLE", QStringLiteral("cannot connect"));
        QVERIFY(!inKeyring(rootKeyName) && !inKeyring(nextRootKeyName));
    }

    void aWrongKeyIsSeen_data() { bothDatabases(); }
    void aWrongKeyIsSeen()
    {
        QFETCH(QString, driver);
        newCase(keychain, other, driver);
        fill(m_host.store, old);
        QVERIFY2(checked().startsWith(QLatin1String("ERROR: root_key is not the key this database was made with")),
                 qPrintable(checked()));
        QCOMPARE(readable(m_host.store, *nextStart(m_host)), -1); // the store refuses
        rotationRefused("ROOT_KEY_WRONG", QStringLiteral("Neither root_key nor root_key_next"));
        QVERIFY(!inKeyring(nextRootKeyName));
        QVERIFY(m_host.keys().store(nextRootKeyName, QByteArray(32, 'y'))); // a choice of two wrong ones
        startRefused(QStringLiteral("not the key this database was made with"));
        rotationRefused("ROOT_KEY_WRONG", QStringLiteral("Neither"));
        QVERIFY(m_host.keys().store(nextRootKeyName, old));
        QCOMPARE(checked(), QStringLiteral("note: the key of the database is root_key_next"));
        QVERIFY(inKeyring(nextRootKeyName)); // looking changes nothing
        QCOMPARE(readable(m_host.store, *nextStart(m_host)), sealedValues);
        QVERIFY(!inKeyring(nextRootKeyName));
    }

    void aDirectoryAsItMustBe()
    {
        newCase(directory, {});
        startRefused(QStringLiteral("holds no root_key"));
        put(rootKeyName, QByteArray(31, 'o'));
        startRefused(QStringLiteral("not 32 bytes"));
        write(m_folder->filePath(rootKeyName), old.toBase64(), QFile::ReadOwner | QFile::ReadOther);
        startRefused(QStringLiteral("chmod 600"));
        m_host.provider.path += QStringLiteral("/none");
        startRefused(QStringLiteral("cannot be opened"));
        m_host.provider.path = m_folder->path();
        QVERIFY(QFile::setPermissions(m_folder->filePath(rootKeyName), QFile::ReadOwner | QFile::WriteOwner));
        QCOMPARE(checked(), QStringLiteral("ok: the database takes it at the first start"));
        QCOMPARE(*nextStart(m_host), old);
        QVERIFY(QFile::rename(m_folder->filePath(rootKeyName), m_folder->filePath(nextRootKeyName)));
        startRefused(QStringLiteral("only root_key_next")); // a new database has no use for it
        QVERIFY(checked().startsWith(QLatin1String("ERROR: there is none, only root_key_next")));
        m_host.provider = {}; // none of the two: tokens and key stand in the configuration, or there is no key
        QCOMPARE(*nextStart(m_host), QByteArray());
        QCOMPARE(checked(), QStringLiteral("ok: there is none, and the database was never opened with one"));
        fill(m_host.store, old);
        QCOMPARE(readable(m_host.store, *nextStart(m_host)), -1);
        QVERIFY(checked().startsWith(QLatin1String("ERROR: There is no root_key")));
        m_host.provider.rootKey = old;
        QCOMPARE(readable(m_host.store, *nextStart(m_host)), sealedValues);
        rotationRefused("NOT_SUPPORTED", QStringLiteral("secrets.provider"));
    }

    void aDirectoryWithoutANewKey()
    {
        newCase(directory, old);
        fill(m_host.store, old);
        rotationRefused("NO_NEW_KEY", QStringLiteral("the file root_key_next"));
        put(nextRootKeyName, old);
        rotationRefused("NO_NEW_KEY", QStringLiteral("the same key"));
        put(nextRootKeyName, QByteArray(33, 'n'));
        rotationRefused("SECRETS_UNAVAILABLE", QStringLiteral("root_key_next is not 32 bytes"));
        QCOMPARE(readable(m_host.store, *nextStart(m_host)), sealedValues); // it does not keep us from starting
        put(rootKeyName, other);
        startRefused(QStringLiteral("root_key_next cannot be read"));
    }

    void nothingToRotate()
    {
        newCase(keychain, old);
        rotationRefused("DATABASE_UNAVAILABLE", QStringLiteral("does not exist yet"));
        {
            store::SqlStore store(m_host.store);
            QVERIFY(storetest::open(store));
        }
        rotationRefused("NO_ROOT_KEY", QStringLiteral("never opened with a root key"));
        QVERIFY(!inKeyring(nextRootKeyName));
    }

    void notWhileItRuns_data() { bothDatabases(); }
    void notWhileItRuns()
    {
        QFETCH(QString, driver);
        newCase(keychain, old, driver);
        fill(m_host.store, old);
        store::SqlStore running(m_host.store);
        QVERIFY(storetest::open(running, old));
        rotationRefused("DATABASE_UNAVAILABLE", QStringLiteral("in use by another process"));
        QVERIFY(!inKeyring(nextRootKeyName));
    }

    void aDamagedValueStopsIt_data() { bothDatabases(); }
    void aDamagedValueStopsIt()
    {
        QFETCH(QString, driver);
        newCase(keychain, old, driver);
        fill(m_host.store, old);
        {
            storetest::Side side(m_host.store);
            side.run(QStringLiteral("UPDATE settings SET value = 'x' WHERE key = 'sealed:state'"));
        }
        rotationRefused("DATABASE_UNUSABLE", QStringLiteral("table settings, key sealed:state: column value"));
        rotationRefused("DATABASE_UNUSABLE", QStringLiteral("Nothing was changed."));
        QCOMPARE(*nextStart(m_host), old);
        QCOMPARE(readable(m_host.store, old), sealedValues - 1);
        {
            storetest::Side side(m_host.store);
            side.run(QStringLiteral("DELETE FROM settings WHERE key = 'sealed:state'"));
        }
        const auto report = rotateRootKey(m_host);
        QVERIFY(report && report->rows == sealedValues - 1);
        QCOMPARE(readable(m_host.store, *nextStart(m_host)), sealedValues - 1);
    }

    // Last: see keyring.h.
    void aLockedKeyringIsNoReasonToMakeAKey()
    {
        newCase(keychain, {});
        keyring::lock();
        startRefused(QStringLiteral("the keyring is locked"));
        QCOMPARE(checked(), QStringLiteral("SECRETS_UNAVAILABLE"));
        fill(m_host.store, old);
        rotationRefused("SECRETS_UNAVAILABLE", QStringLiteral("the keyring is locked"));
        keyring::kill();
        startRefused(QStringLiteral("the keychain cannot be asked"));
        keyring::unlock();
        for (const QString &name : {rootKeyName, nextRootKeyName})
            QCOMPARE(keyring::lookup(m_host.keys().keychainService(), name), QByteArray());
    }
};

QTEST_GUILESS_MAIN(RotationKeys)
#include "tst_rotation_keys.moc"
