// SPDX-License-Identifier: Apache-2.0
// What is sealed opens only with the same key, unchanged, and in its own place.
#include "crypto/seal.h"

#include <QTest>

using namespace voip::crypto;

namespace
{

Seal sealOf(char fill)
{
    return Seal::with(Secret(QByteArray(rootKeySize, fill))).value(); // moved out of what is going away
}

} // namespace

class Seals : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void thereAndBack();
    void sameTextTwiceDiffers();
    void eachChangedByteIsSeen();
    void anotherPlaceOrKey();
    void limits();
    void noRandomness();
};

void Seals::thereAndBack()
{
    const Seal seal = sealOf('k');
    for (const int size : {0, 1, 15, 16, 17, 1000, 100'000}) {
        const QByteArray text(size, 'x');
        const auto sealed = seal.close(Secret(text), "sessions/@a:test/1", systemRandom);
        QVERIFY(sealed.ok());
        QVERIFY(size < 15 || !sealed->contains(text.first(15)));
        const auto opened = seal.open(*sealed, "sessions/@a:test/1");
        QVERIFY(opened.ok());
        QCOMPARE(opened->view().toByteArray(), text);
    }
}

void Seals::sameTextTwiceDiffers()
{
    const Seal seal = sealOf('k');
    QVERIFY(*seal.close(Secret("same"), "p", systemRandom) != *seal.close(Secret("same"), "p", systemRandom));
}

void Seals::eachChangedByteIsSeen()
{
    const Seal seal = sealOf('k');
    QByteArray sealed = *seal.close(Secret("something"), "p", systemRandom);
    for (qsizetype i = 0; i < sealed.size(); ++i) {
        sealed[i] = static_cast<char>(sealed[i] ^ 0x40);
        QVERIFY(seal.open(sealed, "p").error() == Fault::BadSeal);
        sealed[i] = static_cast<char>(sealed[i] ^ 0x40);
    }
    for (qsizetype size = 0; size < sealed.size(); ++size)
        QVERIFY(seal.open(sealed.first(size), "p").error() == Fault::BadSeal);
    QVERIFY(seal.open(sealed + 'x', "p").error() == Fault::BadSeal);
    QVERIFY(seal.open(sealed, "p").ok());
}

void Seals::anotherPlaceOrKey()
{
    const Seal seal = sealOf('k');
    const QByteArray sealed = *seal.close(Secret("something"), "sessions/1", systemRandom);
    QVERIFY(seal.open(sealed, "sessions/2").error() == Fault::BadSeal);
    QVERIFY(sealOf('l').open(sealed, "sessions/1").error() == Fault::BadSeal);
}

void Seals::limits()
{
    QVERIFY(Seal::with(Secret(QByteArray(31, 'k'))).error() == Fault::BadKey);
    QVERIFY(Seal::with(Secret()).error() == Fault::BadKey);
    QVERIFY(sealOf('k').close(Secret(QByteArray(1024 * 1024 + 1, 'x')), "p", systemRandom).error() == Fault::TooLarge);
    QVERIFY(sealOf('k').open(QByteArray(2 * 1024 * 1024, '\1'), "p").error() == Fault::TooLarge);
}

void Seals::noRandomness()
{
    QVERIFY(sealOf('k').close(Secret("x"), "p", [](std::span<char>) { return false; }).error() == Fault::NoRandomness);
}

QTEST_GUILESS_MAIN(Seals)
#include "tst_seal.moc"
