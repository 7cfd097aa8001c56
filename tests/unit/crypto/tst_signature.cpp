// SPDX-License-Identifier: Apache-2.0
// Ed25519: the vectors of RFC 8032, 7.1, malleable signatures (CVE-2024-45193), and objects signed as the Matrix
// specification says.
#include "crypto/encoding.h"
#include "crypto/signature.h"

#include <QTest>

using namespace voip::crypto;

namespace
{

QString base64(const QByteArray &hex)
{
    return QString::fromLatin1(toBase64(QByteArray::fromHex(hex)));
}

const auto key = base64("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
const QByteArray message("\x72");
const QByteArray signatureHex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");

} // namespace

class Signatures : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void vector();
    void changedIsRefused();
    void malleableIsRefused();
    void oddTextIsRefused();
    void signedPart();
    void missingSignatures();
};

void Signatures::vector()
{
    QVERIFY(verify(key, message, base64(signatureHex)).ok());
    QVERIFY(
        verify(base64("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), {},
               base64("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
                      "6bd25bf5f0595bbe24655141438e7a100b"))
            .ok());
}

void Signatures::changedIsRefused()
{
    QVERIFY(verify(key, QByteArray("\x73"), base64(signatureHex)).error() == Fault::BadSignature);
    QByteArray other = QByteArray::fromHex(signatureHex);
    for (qsizetype i = 0; i < other.size(); ++i) {
        other[i] = static_cast<char>(other[i] ^ 1);
        QVERIFY(!verify(key, message, QString::fromLatin1(toBase64(other))).ok());
        other[i] = static_cast<char>(other[i] ^ 1);
    }
}

// S + L in place of S: the same signature to a careless verifier.
void Signatures::malleableIsRefused()
{
    const QByteArray order = QByteArray::fromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    QByteArray other = QByteArray::fromHex(signatureHex);
    int carry = 0;
    for (int i = 0; i < 32; ++i) {
        carry += static_cast<unsigned char>(other[32 + i]) + static_cast<unsigned char>(order[i]);
        other[32 + i] = static_cast<char>(carry & 0xff);
        carry >>= 8;
    }
    QCOMPARE(carry, 0);
    QVERIFY(verify(key, message, QString::fromLatin1(toBase64(other))).error() == Fault::BadSignature);
}

void Signatures::oddTextIsRefused()
{
    const QString good = base64(signatureHex);
    QVERIFY(verify(key, message, good + QStringLiteral("==")).error() == Fault::BadSignature);
    QVERIFY(verify(key, message, good.chopped(2)).error() == Fault::BadSignature);
    QVERIFY(verify(key, message, {}).error() == Fault::BadSignature);
    QVERIFY(verify(key.chopped(1), message, good).error() == Fault::BadKey);
    QVERIFY(verify(key + u'=', message, good).error() == Fault::BadKey);
}

void Signatures::signedPart()
{
    const QString user = QStringLiteral("@bob:test");
    const QString id = QStringLiteral("ed25519:DEV");
    QJsonObject object{{QStringLiteral("b"), 1}, {QStringLiteral("a"), QStringLiteral("x")}};
    object = withSignature(object, user, id, QStringLiteral("first"));
    object = withSignature(object, user, QStringLiteral("ed25519:OTHER"), QStringLiteral("second"));
    object.insert(QStringLiteral("unsigned"),
                  QJsonObject{{QStringLiteral("device_display_name"), QStringLiteral("x")}});
    QCOMPARE(*signedPartOf(object), QByteArray(R"({"a":"x","b":1})"));
    const QJsonObject ofUser = object.value(QStringLiteral("signatures")).toObject().value(user).toObject();
    QCOMPARE(ofUser.size(), 2);
    QCOMPARE(ofUser.value(id).toString(), QStringLiteral("first"));
}

void Signatures::missingSignatures()
{
    const QString user = QStringLiteral("@bob:test");
    const QString id = QStringLiteral("ed25519:DEV");
    const QJsonObject plain{{QStringLiteral("a"), 1}};
    QVERIFY(verifySigned(plain, user, id, key).error() == Fault::BadSignature);
    QVERIFY(verifySigned(withSignature(plain, QStringLiteral("@eve:test"), id, base64(signatureHex)), user, id, key)
                .error() == Fault::BadSignature);
    QVERIFY(verifySigned(withSignature(plain, user, id, base64(signatureHex)), user, id, key).error() ==
            Fault::BadSignature); // of something else
    const QJsonObject odd{{QStringLiteral("a"), 1.5}};
    QVERIFY(verifySigned(withSignature(odd, user, id, base64(signatureHex)), user, id, key).error() == Fault::BadJson);
}

QTEST_GUILESS_MAIN(Signatures)
#include "tst_signature.moc"
