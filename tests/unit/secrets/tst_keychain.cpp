// SPDX-License-Identifier: Apache-2.0
// The keychain for real: runs under with-keyring, which starts a session bus and an unlocked keyring of its own.
// First "not found", then what was stored comes back, also for a second reader; another bridge's service is apart.
#include "secrets/secrets.h"

#include <QTest>

using voip::SecretError;
using voip::SecretStore;
using voiphost::SecretSettings;

class TestKeychain : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void storedSecretsComeBack();
};

void TestKeychain::storedSecretsComeBack()
{
    const SecretSettings settings{SecretSettings::Provider::Keychain, {}, {}};
    const SecretStore store(settings, QStringLiteral("one"));
    const QString name = QStringLiteral("root_key");
    const auto before = store.read(name);
    QVERIFY(!before);
    QVERIFY2(before.error().kind == SecretError::Kind::NotFound, qPrintable(before.error().message));

    QByteArray key(32, '\0');
    for (char i = 0; i < 32; ++i)
        key[i] = char(i * 8);
    const auto stored = store.store(name, key);
    QVERIFY2(stored.ok(), qPrintable(stored ? QString() : stored.error().message));
    const auto again = SecretStore(settings, QStringLiteral("one")).read(name);
    QVERIFY(again);
    QCOMPARE(*again, key);

    QVERIFY(store.store(QStringLiteral("as_token"), "tok"));
    QCOMPARE(*store.read(QStringLiteral("as_token")), QByteArray("tok"));
    const auto other = SecretStore(settings, QStringLiteral("two")).read(name);
    QVERIFY(!other);
    QCOMPARE(other.error().kind, SecretError::Kind::NotFound);
}

QTEST_GUILESS_MAIN(TestKeychain)
#include "tst_keychain.moc"
