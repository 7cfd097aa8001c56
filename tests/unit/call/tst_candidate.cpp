// SPDX-License-Identifier: Apache-2.0
#include "call/candidate.h"

#include <QTest>

using namespace voip::call;

class CandidateTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void fingerprints();
    void inDescription();
    void privateAddress_data();
    void privateAddress();
};

void CandidateTest::fingerprints() // R57
{
    const QString plain = QStringLiteral("candidate:1 1 udp 100 1.2.3.4 5001 typ host");
    const auto of = [](const QString &text, int section) { return fingerprint(Candidate{text, {}, section}); };
    QCOMPARE(of(plain, 0), of(plain + QStringLiteral(" generation 0 ufrag abcd"), 0));
    QVERIFY(of(plain, 0) != of(QStringLiteral("candidate:1 1 udp 100 1.2.3.4 5002 typ host"), 0));
    QVERIFY(of(plain, 0) != of(plain, 1));
    QCOMPARE(of(QString(), 0), std::uint64_t(0));
    QVERIFY(of(QStringLiteral("x"), 0) != 0);
    // Rows of one machine are read on another.
    QCOMPARE(of(plain, 0), std::uint64_t(0x48670b62d27977c8u));
}

void CandidateTest::inDescription() // R57
{
    const QString text = QStringLiteral("candidate:1 1 udp 100 1.2.3.4 5001 typ host");
    const QString line = QStringLiteral("a=") + text + QStringLiteral(" generation 0\r\n");
    const QString audio = QStringLiteral("v=0\r\nm=audio 9 x 0\r\n") + line + QStringLiteral("a=mid:a\r\n");
    const QString both = audio + QStringLiteral("m=video 9 x 0\r\na=mid:v\r\n");
    const auto is = [&](const QString &sdp, const std::optional<QString> &mid, std::optional<int> section) {
        return isInSdp(Candidate{text, mid, section}, sdp);
    };
    QVERIFY(is(audio, QStringLiteral("a"), {}));
    QVERIFY(is(both, {}, 0));
    QVERIFY(!is(both, QStringLiteral("v"), {}));
    QVERIFY(!is(both, {}, 1));
    QVERIFY(!is(QStringLiteral("v=0\r\nm=audio 9 x 0\r\na=mid:a\r\n"), QStringLiteral("a"), {}));
    // A section without a name cannot be told from another by one.
    QVERIFY(is(QStringLiteral("v=0\r\nm=audio 9 x 0\r\n") + line, QStringLiteral("0"), {}));
}

void CandidateTest::privateAddress_data() // R60
{
    QTest::addColumn<QString>("candidate");
    QTest::addColumn<QString>("shown"); // empty: not at all
    const auto host = [](const char *address) {
        return QStringLiteral("candidate:1 1 udp 1 %1 5 typ host").arg(QLatin1String(address));
    };
    for (const char *address :
         {"10.1.2.3", "172.16.0.1", "172.31.255.1", "192.168.0.9", "169.254.1.1", "127.0.0.1", "100.64.0.1", "0.0.0.0",
          "::1", "::", "fe80::1", "FD00::1", "fc00::1", "::ffff:10.0.0.1", "3f2c7b1e.local", "X.LOCAL"})
        QTest::newRow(address) << host(address) << QString();
    for (const char *address : {"9.9.9.9", "172.32.0.1", "172.15.0.1", "192.169.0.1", "100.128.0.1", "2001:db8::1",
                                "::ffff:9.9.9.9", "10.1.2.300", "host.example"})
        QTest::newRow(address) << host(address) << host(address);
    QTest::newRow("end") << QString() << QString(QLatin1String("")); // nothing to hide in it
    QTest::newRow("base of a reflexive one")
        << QStringLiteral("candidate:1 1 udp 1 9.9.9.9 5 typ srflx raddr 192.168.0.9 rport 4000 generation 0")
        << QStringLiteral("candidate:1 1 udp 1 9.9.9.9 5 typ srflx raddr 0.0.0.0 rport 9 generation 0");
    QTest::newRow("base, IPv6") << QStringLiteral(
                                       "candidate:1 1 udp 1 2001:db8::1 5 typ relay raddr fe80::1 rport 4000")
                                << QStringLiteral("candidate:1 1 udp 1 2001:db8::1 5 typ relay raddr :: rport 9");
    QTest::newRow("public base") << QStringLiteral("candidate:1 1 udp 1 9.9.9.9 5 typ relay raddr 8.8.8.8 rport 4000")
                                 << QStringLiteral("candidate:1 1 udp 1 9.9.9.9 5 typ relay raddr 8.8.8.8 rport 4000");
}

void CandidateTest::privateAddress()
{
    QFETCH(QString, candidate);
    QTEST(withoutPrivateAddress(candidate).value_or(QString()), "shown");
}

QTEST_APPLESS_MAIN(CandidateTest)
#include "tst_candidate.moc"
