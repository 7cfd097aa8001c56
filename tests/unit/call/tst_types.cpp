// SPDX-License-Identifier: Apache-2.0
// The core's words: ids out of entropy (R5, R7), which ids are believed, reasons in both directions (R61, R62, R64).
#include "call/line.h"
#include "call/types.h"

#include <QSet>
#include <QTest>

using namespace voip::call;

class Types : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void idsAreOpaque();
    void idsFollowFromEntropyAlone();
    void idsDiffer();
    void idsUseTheWholeAlphabet();
    void opaqueId_data();
    void opaqueId();
    void reasonsFromMatrix_data();
    void reasonsFromMatrix();
    void everyReasonHasAWord();
    void peerOf();
};

void Types::idsAreOpaque()
{
    Entropy entropy({1, 2, 3, 4});
    for (int length : {1, 8, 12, 20, 24, 255}) {
        const QString id = entropy.id(length);
        QCOMPARE(id.size(), length);
        QVERIFY2(isOpaqueId(id), qPrintable(id));
    }
    QCOMPARE(Entropy({0, 0, 0, 0}).id(12).size(), 12); // the worst entropy there is still gives an id
}

void Types::idsFollowFromEntropyAlone()
{
    QCOMPARE(Entropy({1, 2, 3, 4}).id(24), Entropy({1, 2, 3, 4}).id(24));
    QVERIFY(Entropy({1, 2, 3, 4}).id(24) != Entropy({1, 2, 3, 5}).id(24));
}

void Types::idsDiffer()
{
    QSet<QString> seen;
    Entropy entropy({5, 6, 7, 8});
    for (int i = 0; i < 10000; ++i)
        seen.insert(entropy.id(12));
    QCOMPARE(seen.size(), 10000);
}

void Types::idsUseTheWholeAlphabet()
{
    QSet<QChar> letters;
    const QString text = Entropy({9, 9, 9, 9}).id(10000);
    for (QChar letter : text)
        letters.insert(letter);
    QCOMPARE(letters.size(), 62);
}

void Types::opaqueId_data()
{
    QTest::addColumn<QString>("id");
    QTest::addColumn<bool>("good");
    QTest::newRow("letters and signs") << QStringLiteral("aZ09-._~") << true;
    QTest::newRow("one") << QStringLiteral("x") << true;
    QTest::newRow("255") << QString(255, u'a') << true;
    QTest::newRow("256") << QString(256, u'a') << false;
    QTest::newRow("empty") << QString() << false;
    QTest::newRow("space") << QStringLiteral("a b") << false;
    QTest::newRow("slash") << QStringLiteral("../etc") << false;
    QTest::newRow("quote") << QStringLiteral("a'--") << false;
    QTest::newRow("nul") << QString(QChar(0)) << false;
    QTest::newRow("letter of another alphabet") << QStringLiteral("\u0430") << false;
    QTest::newRow("digit of another alphabet") << QStringLiteral("\u0661") << false;
    QTest::newRow("colon") << QStringLiteral("@a:b") << false;
}

void Types::opaqueId()
{
    QFETCH(QString, id);
    QFETCH(bool, good);
    QCOMPARE(isOpaqueId(id), good);
}

void Types::reasonsFromMatrix_data()
{
    QTest::addColumn<QString>("word");
    QTest::addColumn<int>("reason");
    const auto row = [](const char *word, EndReason reason) {
        QTest::newRow(word) << QString::fromLatin1(word) << static_cast<int>(reason);
    };
    row("", EndReason::UserHangup); // R62
    row("user_hangup", EndReason::UserHangup);
    row("invite_timeout", EndReason::InviteTimeout);
    row("ice_failed", EndReason::IceFailed);
    row("ice_timeout", EndReason::IceTimeout);
    row("user_media_failed", EndReason::UserMediaFailed);
    row("user_busy", EndReason::UserBusy);
    row("unknown_error", EndReason::UnknownError);
    row("replaced", EndReason::Replaced);       // R82
    row("transferred", EndReason::Transferred); // R64: js-sdk says so
    // R64, and what only the host may be told is not believed from Matrix
    row("signalling_timeout", EndReason::UnknownError);
    row("rejected", EndReason::UnknownError);
    row("answered_elsewhere", EndReason::UnknownError);
    row("peer_left", EndReason::UnknownError);
    row("unavailable", EndReason::UnknownError);
    row("USER_BUSY", EndReason::UnknownError);
}

void Types::reasonsFromMatrix()
{
    QFETCH(QString, word);
    QFETCH(int, reason);
    QCOMPARE(static_cast<int>(endReasonFromMatrix(word)), reason);
}

void Types::everyReasonHasAWord()
{
    QSet<QString> words;
    int failures = 0;
    for (int i = 0; i <= static_cast<int>(EndReason::Unavailable); ++i) {
        words.insert(toString(static_cast<EndReason>(i)));
        failures += isFailure(static_cast<EndReason>(i)) ? 1 : 0;
    }
    QCOMPARE(words.size(), static_cast<int>(EndReason::Unavailable) + 1);
    QCOMPARE(failures, 5);
    QVERIFY(!isFailure(EndReason::Rejected));
    QVERIFY(isFailure(EndReason::IceFailed));
}

void Types::peerOf()
{
    const QString us = QStringLiteral("@us:test");
    Room room;
    room.members = {{us, Membership::Join}};
    QCOMPARE(room.peerOf(us), QString());
    room.members.insert(QStringLiteral("@a:test"), Membership::Invite);
    QCOMPARE(room.peerOf(us), QStringLiteral("@a:test"));
    room.members.insert(QStringLiteral("@b:test"), Membership::Leave);
    QCOMPARE(room.peerOf(us), QStringLiteral("@a:test"));
    room.members.insert(QStringLiteral("@b:test"), Membership::Join);
    QCOMPARE(room.peerOf(us), QString()); // R15
    room.members.remove(QStringLiteral("@b:test"));
    room.crowded = true;
    QCOMPARE(room.peerOf(us), QString());
}

QTEST_APPLESS_MAIN(Types)
#include "tst_types.moc"
