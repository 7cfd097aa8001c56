// SPDX-License-Identifier: Apache-2.0
// Messages for the holder of a Curve25519 key, against an implementation of the specification that is not the
// library's.
#include "backupreader.h"
#include "crypto/olmbackend.h"

#include <QTest>

using namespace voip::crypto;
using namespace voip::crypto::test;

class TestBackupPk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void the_public_half_of_a_key()
    {
        const auto backend = olmBackend();
        const BackupReader reader(QByteArray(32, 'p'));
        QCOMPARE(*backend->publicHalf(Secret(QByteArray(32, 'p'))), reader.publicKey());
        for (const qsizetype size : {0, 31, 33})
            QVERIFY(backend->publicHalf(Secret(QByteArray(size, 'p'))).error() == Fault::BadKey);
    }

    void messages_for_the_holder_of_a_key()
    {
        const auto backend = olmBackend();
        const BackupReader reader(QByteArray(32, 'p'));
        const auto sealed = backend->encryptFor(reader.publicKey(), R"({"a":1})", systemRandom);
        QVERIFY(sealed.ok());
        const QJsonObject data{
            {"ephemeral", sealed->ephemeral}, {"ciphertext", sealed->ciphertext}, {"mac", sealed->mac}};
        QCOMPARE(reader.read(data), (QJsonObject{{"a", 1}}));
        QVERIFY(BackupReader(QByteArray(32, 'q')).read(data).isEmpty());
        QVERIFY(backend->encryptFor(reader.publicKey(), R"({"a":1})", systemRandom)->ephemeral != sealed->ephemeral);
        for (const QString &bad : {QString(), reader.publicKey().chopped(1), QString(43, '!')})
            QVERIFY(backend->encryptFor(bad, "x", systemRandom).error() == Fault::BadKey);
        QVERIFY(backend->encryptFor(reader.publicKey(), QByteArray(maxPlaintext + 1, 'x'), systemRandom).error() ==
                Fault::TooLarge);
        QVERIFY(backend->encryptFor(reader.publicKey(), "x", [](auto) { return false; }).error() ==
                Fault::NoRandomness);
    }
};

QTEST_GUILESS_MAIN(TestBackupPk)
#include "tst_backuppk.moc"
