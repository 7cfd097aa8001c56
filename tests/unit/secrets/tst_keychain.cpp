// SPDX-License-Identifier: Apache-2.0
// The keychain for real: runs under with-keyring, which starts a session bus and an unlocked keyring of its own.
// First "not found", then what was stored comes back, also for a second reader; another bridge's service is apart.
// A keyring that is locked, or whose daemon has died, is never "not found".
#include "keyring.h"
#include "secrets/secrets.h"

#include <QTest>

using voip::SecretError;
using voip::SecretStore;
using voiphost::SecretSettings;

namespace
{

const QString rootKey = QStringLiteral("root_key");
const QString nextKey = QStringLiteral("root_key_next");

SecretStore keychain(const QString &bridge)
{
    return {SecretSettings{SecretSettings::Provider::Keychain, {}, {}}, bridge};
}

} // namespace

class TestKeychain : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void storedSecretsComeBack();
    void keysAreReplacedAndRemoved();
    void lockedOrDeadIsNotNotFound();

private:
    static void kept(const SecretStore &store, const QString &name, char fill)
    {
        const auto stored = store.store(name, QByteArray(32, fill));
        QVERIFY2(stored.ok(), qPrintable(stored ? QString() : stored.error().message));
    }
    static void isUnavailable(const SecretStore &store, const QString &name)
    {
        const auto secret = store.read(name);
        QVERIFY(!secret);
        QVERIFY2(secret.error().kind == SecretError::Kind::Unavailable, qPrintable(secret.error().message));
        QVERIFY2(!secret.error().advice.isEmpty(), qPrintable(secret.error().message));
    }
    static void isNotFound(const SecretStore &store, const QString &name)
    {
        const auto secret = store.read(name);
        QVERIFY(!secret);
        QVERIFY2(secret.error().kind == SecretError::Kind::NotFound, qPrintable(secret.error().message));
    }
};

void TestKeychain::storedSecretsComeBack()
{
    const SecretStore store = keychain(QStringLiteral("one"));
    const auto before = store.read(rootKey);
    QVERIFY(!before);
    QVERIFY2(before.error().kind == SecretError::Kind::NotFound, qPrintable(before.error().message));

    QByteArray key(32, '\0');
    for (char i = 0; i < 32; ++i)
        key[i] = char(i * 8);
    const auto stored = store.store(rootKey, key);
    QVERIFY2(stored.ok(), qPrintable(stored ? QString() : stored.error().message));
    const auto again = keychain(QStringLiteral("one")).read(rootKey);
    QVERIFY(again);
    QCOMPARE(*again, key);

    QVERIFY(store.store(QStringLiteral("as_token"), "tok"));
    QCOMPARE(*store.read(QStringLiteral("as_token")), QByteArray("tok"));
    const auto other = keychain(QStringLiteral("two")).read(rootKey);
    QVERIFY(!other);
    QCOMPARE(other.error().kind, SecretError::Kind::NotFound);
}

void TestKeychain::keysAreReplacedAndRemoved()
{
    const SecretStore store = keychain(QStringLiteral("three"));
    QVERIFY(store.remove(nextKey)); // is not there
    kept(store, rootKey, 'a');
    QVERIFY(store.store(nextKey, QByteArray(32, 'b')));
    QVERIFY(store.store(rootKey, QByteArray(32, 'c')));
    QCOMPARE(*store.read(rootKey), QByteArray(32, 'c'));
    QCOMPARE(*store.read(nextKey), QByteArray(32, 'b'));
    QVERIFY(store.remove(nextKey));
    isNotFound(store, nextKey);
    QCOMPARE(*store.read(rootKey), QByteArray(32, 'c'));
}

void TestKeychain::lockedOrDeadIsNotNotFound()
{
    const SecretStore store = keychain(QStringLiteral("four"));
    const SecretStore empty = keychain(QStringLiteral("five"));
    kept(store, rootKey, 'a');
    const auto nothingIsKnown = [&] {
        isUnavailable(store, rootKey); // is there
        isUnavailable(store, nextKey); // is not, but who knows
        isUnavailable(empty, rootKey);
    };
    keyring::lock();
    nothingIsKnown();
    const auto stored = empty.store(rootKey, QByteArray(32, 'b'));
    QVERIFY(!stored);
    QVERIFY2(stored.error().kind == SecretError::Kind::Unavailable, qPrintable(stored.error().message));
    QVERIFY(!store.remove(rootKey));
    keyring::kill(); // the bus starts another one, locked
    nothingIsKnown();
    keyring::kill();
    QVERIFY(!empty.store(rootKey, QByteArray(32, 'b')));
    keyring::kill();
    QVERIFY(!store.remove(rootKey));

    keyring::unlock();
    QCOMPARE(keyring::lookup(store.keychainService(), rootKey), QByteArray(32, 'a').toBase64());
    QCOMPARE(keyring::lookup(store.keychainService(), nextKey), QByteArray());
    QCOMPARE(keyring::lookup(empty.keychainService(), rootKey), QByteArray());
}

QTEST_GUILESS_MAIN(TestKeychain)
#include "tst_keychain.moc"
