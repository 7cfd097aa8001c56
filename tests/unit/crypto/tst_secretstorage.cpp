// SPDX-License-Identifier: Apache-2.0
// Secret storage against values that another implementation (Node's crypto, as matrix-js-sdk uses it) has made.
#include "crypto/secretstorage.h"

#include <QTest>

using namespace voip::crypto;

namespace
{

const QString recoveryKey = QStringLiteral("EsSz z9tE P7v3 2x3J pej9 kEu3 wFRg Cohn LtKd CcAP Gyjg nnbj");
const QString secretName = QStringLiteral("m.cross_signing.self_signing");

QJsonObject description()
{
    return {{"algorithm", "m.secret_storage.v1.aes-hmac-sha2"},
            {"iv", "ABEiM0RVZncImaq7zN3u/w=="},
            {"mac", "CuX1cr6wHWyUgdMjFrFGCEMr5mzyJPqDyy8q5ERJeXA="}};
}

QJsonObject stored()
{
    return {{"iv", "ABEiM0RVZncImaq7zN3u/w=="},
            {"ciphertext", "roEZgVbCpOnWpr1L7Arv6rHuqK4FRa9kHDrcceYEy0furIsFqtt6q1u5rA=="},
            {"mac", "WahOJlrwhNJyPMem4U0V7LWc2OKo1mBkLKZSkk1RvSw="}};
}

} // namespace

class TestSecretStorage : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void a_recovery_key_opens_what_was_stored()
    {
        const auto key = recoveryKeyFrom(recoveryKey);
        QVERIFY(key.ok());
        for (int i = 0; i < 32; ++i)
            QCOMPARE(static_cast<unsigned char>(key->data()[i]), static_cast<unsigned char>(i * 7));
        QVERIFY(checkStorageKey(*key, description()).ok());
        const auto secret = openStored(*key, secretName, stored());
        QVERIFY(secret.ok());
        QCOMPARE(secret->view().toByteArray(), QByteArray(43, 'A'));
    }

    void a_mistyped_recovery_key_is_refused_data()
    {
        QTest::addColumn<QString>("text");
        QTest::newRow("empty") << QString();
        QTest::newRow("one letter") << QString(recoveryKey).replace(10, 1, QLatin1Char('Q'));
        QTest::newRow("cut") << recoveryKey.chopped(1);
        QTest::newRow("longer") << recoveryKey + QLatin1Char('b');
        QTest::newRow("not base58") << QString(recoveryKey).replace(0, 1, QLatin1Char('0'));
        QTest::newRow("huge") << QString(100'000, QLatin1Char('z'));
    }
    void a_mistyped_recovery_key_is_refused()
    {
        QFETCH(QString, text);
        QVERIFY(!recoveryKeyFrom(text).ok());
    }

    void what_was_changed_does_not_open()
    {
        const auto key = recoveryKeyFrom(recoveryKey);
        for (const char *field : {"iv", "ciphertext", "mac"}) {
            for (const QJsonValue &value : {QJsonValue(), QJsonValue(7), QJsonValue("!"), QJsonValue("AAAA")}) {
                QJsonObject changed = stored();
                changed.insert(QLatin1String(field), value);
                QVERIFY2(!openStored(*key, secretName, changed).ok(), field);
                QJsonObject other = description();
                other.insert(QLatin1String(field), value);
                QVERIFY2(checkStorageKey(*key, other).ok() == (qstrcmp(field, "ciphertext") == 0), field);
            }
        }
        QVERIFY(!openStored(*key, QStringLiteral("m.cross_signing.master"), stored()).ok()); // another secret's place
        QVERIFY(!checkStorageKey(Secret(QByteArray(32, 'x')), description()).ok());
    }
};

QTEST_GUILESS_MAIN(TestSecretStorage)
#include "tst_secretstorage.moc"
