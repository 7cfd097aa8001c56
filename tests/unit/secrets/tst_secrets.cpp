// SPDX-License-Identifier: Apache-2.0
// Secrets from a credentials directory and from the configuration, and a keychain that is not there: the three kinds
// of failure must stay apart, because "not found" is the only one on which a key may be made.
#include "secrets/secrets.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using voip::SecretError;
using voip::SecretStore;
using voiphost::SecretSettings;
using Provider = SecretSettings::Provider;

class TestSecrets : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void tokenIsTrimmed();
    void rootKeyIsDecoded();
    void wrongRootKeyIsInvalid();
    void absentFileIsNotFound();
    void absentDirectoryIsUnavailable();
    void noDirectoryAtAllIsUnavailable();
    void environmentNamesTheDirectory();
    void openFileIsRefused();
    void openDirectoryIsRefused();
    void hugeFileIsRefused();
    void emptyFileIsRefused();
    void configurationGivesItsRootKey();
    void keychainWithoutBusIsUnavailable();
    void onlyTheKeychainStores();

private:
    void write(const QString &name, const QByteArray &bytes,
               QFile::Permissions permissions = QFile::ReadOwner | QFile::WriteOwner);
    SecretStore store() const
    {
        return SecretStore({Provider::CredentialsDirectory, m_dir->path(), {}}, QStringLiteral("nova"));
    }
    std::unique_ptr<QTemporaryDir> m_dir;
};

void TestSecrets::init()
{
    m_dir = std::make_unique<QTemporaryDir>();
    qunsetenv("CREDENTIALS_DIRECTORY");
}

void TestSecrets::write(const QString &name, const QByteArray &bytes, QFile::Permissions permissions)
{
    QFile file(m_dir->filePath(name));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(bytes);
    file.close();
    QVERIFY(file.setPermissions(permissions));
}

void TestSecrets::tokenIsTrimmed()
{
    write(QStringLiteral("as_token"), "  abc\n");
    const auto secret = store().read(QStringLiteral("as_token"));
    QVERIFY(secret);
    QCOMPARE(*secret, QByteArray("abc"));
}

void TestSecrets::rootKeyIsDecoded()
{
    const QByteArray key(32, 'k');
    write(QStringLiteral("root_key"), key.toBase64() + '\n');
    const auto secret = store().read(QStringLiteral("root_key"));
    QVERIFY(secret);
    QCOMPARE(*secret, key);
}

void TestSecrets::wrongRootKeyIsInvalid()
{
    for (const QString &name : {QStringLiteral("root_key"), QStringLiteral("root_key_next")}) {
        for (const QByteArray &bytes : {QByteArray(31, 'k').toBase64(), QByteArray("no base64!")}) {
            write(name, bytes);
            const auto secret = store().read(name);
            QVERIFY(!secret);
            QCOMPARE(secret.error().kind, SecretError::Kind::Invalid);
            QVERIFY(!secret.error().message.contains(QString::fromLatin1(bytes)));
        }
    }
}

void TestSecrets::absentFileIsNotFound()
{
    const auto secret = store().read(QStringLiteral("hs_token"));
    QVERIFY(!secret);
    QCOMPARE(secret.error().kind, SecretError::Kind::NotFound);
    QVERIFY(secret.error().advice.contains(m_dir->filePath(QStringLiteral("hs_token"))));
}

void TestSecrets::absentDirectoryIsUnavailable()
{
    const SecretStore gone({Provider::CredentialsDirectory, m_dir->filePath(QStringLiteral("none")), {}},
                           QStringLiteral("nova"));
    const auto secret = gone.read(QStringLiteral("root_key"));
    QVERIFY(!secret);
    QCOMPARE(secret.error().kind, SecretError::Kind::Unavailable);
}

void TestSecrets::noDirectoryAtAllIsUnavailable()
{
    const auto secret =
        SecretStore({Provider::CredentialsDirectory, {}, {}}, QStringLiteral("nova")).read(QStringLiteral("root_key"));
    QVERIFY(!secret);
    QCOMPARE(secret.error().kind, SecretError::Kind::Unavailable);
}

void TestSecrets::environmentNamesTheDirectory()
{
    write(QStringLiteral("admin_token"), "adm");
    qputenv("CREDENTIALS_DIRECTORY", m_dir->path().toUtf8());
    const auto secret = SecretStore({Provider::CredentialsDirectory, {}, {}}, QStringLiteral("nova"))
                            .read(QStringLiteral("admin_token"));
    QVERIFY(secret);
    QCOMPARE(*secret, QByteArray("adm"));
}

void TestSecrets::openFileIsRefused()
{
    write(QStringLiteral("as_token"), "abc", QFile::ReadOwner | QFile::WriteOwner | QFile::ReadOther);
    const auto secret = store().read(QStringLiteral("as_token"));
    QVERIFY(!secret);
    QCOMPARE(secret.error().kind, SecretError::Kind::Invalid);
    QVERIFY(secret.error().advice.contains(QStringLiteral("chmod 600")));
}

void TestSecrets::openDirectoryIsRefused()
{
    write(QStringLiteral("as_token"), "abc");
    QVERIFY(QFile::setPermissions(m_dir->path(), QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner |
                                                     QFile::ReadOther | QFile::ExeOther));
    const auto secret = store().read(QStringLiteral("as_token"));
    QVERIFY(!secret);
    QCOMPARE(secret.error().kind, SecretError::Kind::Invalid);
}

void TestSecrets::hugeFileIsRefused()
{
    write(QStringLiteral("as_token"), QByteArray(4097, 'x'));
    const auto secret = store().read(QStringLiteral("as_token"));
    QVERIFY(!secret);
    QCOMPARE(secret.error().kind, SecretError::Kind::Invalid);
}

void TestSecrets::emptyFileIsRefused()
{
    write(QStringLiteral("as_token"), " \n");
    const auto secret = store().read(QStringLiteral("as_token"));
    QVERIFY(!secret);
    QCOMPARE(secret.error().kind, SecretError::Kind::Invalid);
}

void TestSecrets::configurationGivesItsRootKey()
{
    const QByteArray key(32, 'r');
    const auto given =
        SecretStore({Provider::Configuration, {}, key}, QStringLiteral("nova")).read(QStringLiteral("root_key"));
    QVERIFY(given);
    QCOMPARE(*given, key);
    const auto none =
        SecretStore({Provider::Configuration, {}, {}}, QStringLiteral("nova")).read(QStringLiteral("root_key"));
    QVERIFY(!none);
    QCOMPARE(none.error().kind, SecretError::Kind::NotFound);
    const auto next =
        SecretStore({Provider::Configuration, {}, key}, QStringLiteral("nova")).read(QStringLiteral("root_key_next"));
    QVERIFY(!next);
    QCOMPARE(next.error().kind, SecretError::Kind::NotFound);
}

void TestSecrets::keychainWithoutBusIsUnavailable()
{
    qputenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    const SecretStore keychain({Provider::Keychain, {}, {}}, QStringLiteral("nova"));
    QCOMPARE(keychain.keychainService(), QStringLiteral("matrix-voip/nova"));
    const auto secret = keychain.read(QStringLiteral("root_key"));
    QVERIFY(!secret);
    QCOMPARE(secret.error().kind, SecretError::Kind::Unavailable);
    QVERIFY(secret.error().advice.contains(QStringLiteral("credentials-directory")));
    const auto stored = keychain.store(QStringLiteral("root_key"), QByteArray(32, 'k'));
    QVERIFY(!stored);
    QCOMPARE(stored.error().kind, SecretError::Kind::Unavailable);
}

void TestSecrets::onlyTheKeychainStores()
{
    const auto stored = store().store(QStringLiteral("root_key"), QByteArray(32, 'k'));
    QVERIFY(!stored);
    QCOMPARE(stored.error().kind, SecretError::Kind::Invalid);
    write(QStringLiteral("root_key_next"), QByteArray(32, 'k').toBase64());
    const auto removed = store().remove(QStringLiteral("root_key_next"));
    QVERIFY(!removed);
    QCOMPARE(removed.error().kind, SecretError::Kind::Invalid);
    QVERIFY(store().read(QStringLiteral("root_key_next")));
}

QTEST_GUILESS_MAIN(TestSecrets)
#include "tst_secrets.moc"
