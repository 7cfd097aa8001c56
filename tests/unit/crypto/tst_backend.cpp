// SPDX-License-Identifier: Apache-2.0
// The backend over libolm: what works, and what malformed input gets (E14, E21, E32). Against an independent
// implementation it is tested in tests/integration/crypto.
#include "crypto/encoding.h"
#include "crypto/olmbackend.h"
#include "crypto/signature.h"

#include <QTest>

using namespace voip::crypto;

namespace
{

struct Pair {
    std::unique_ptr<Backend> backend = olmBackend();
    std::unique_ptr<Account> alice = backend->newAccount(systemRandom).value();
    std::unique_ptr<Account> bob = backend->newAccount(systemRandom).value();

    std::unique_ptr<Session> fromAlice()
    {
        if (bob->oneTimeKeys().isEmpty()) [[maybe_unused]]
            const auto made = bob->makeOneTimeKeys(1, systemRandom);
        return alice->outbound(bob->identityKeys().curve25519, *bob->oneTimeKeys().constBegin(), systemRandom).value();
    }
    OlmMessage said(Session &session, const char *text) { return session.encrypt(text, systemRandom).value(); }
};

QByteArray text(const Outcome<Secret> &secret)
{
    return secret ? secret->view().toByteArray() : "fault: " + toString(secret.error()).toUtf8();
}

bool noRandom(std::span<char>)
{
    return false;
}

} // namespace

class BackendTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void signaturesOfTheAccount();
    void oneTimeKeys();
    void fallbackKey();
    void oneTimeKeyIsSpentOnce();
    void conversation();
    void failedDecryptionChangesNothing();
    void oddMessages_data();
    void oddMessages();
    void oddKeys();
    void megolm();
    void megolmIsSharedFromItsIndexOn();
    void oddMegolm();
    void pickles();
    void oddPickles();
    void withoutRandomness();
    void plaintextIsBounded();
};

void BackendTest::signaturesOfTheAccount()
{
    Pair pair;
    const QString signature = pair.alice->sign("message");
    QVERIFY(verify(pair.alice->identityKeys().ed25519, "message", signature).ok());
    QVERIFY(!verify(pair.bob->identityKeys().ed25519, "message", signature).ok());
}

void BackendTest::oneTimeKeys()
{
    Pair pair;
    QVERIFY(pair.alice->makeOneTimeKeys(10, systemRandom).ok());
    const auto first = pair.alice->oneTimeKeys();
    QCOMPARE(first.size(), 10);
    QCOMPARE(pair.alice->oneTimeKeys(), first); // the same until they are published (E3)
    for (const QString &key : first)
        QVERIFY(isKey(key));
    pair.alice->markPublished();
    QVERIFY(pair.alice->oneTimeKeys().isEmpty());
    QVERIFY(pair.alice->makeOneTimeKeys(1, systemRandom).ok());
    QVERIFY(!first.contains(pair.alice->oneTimeKeys().constBegin().key()));
    QVERIFY(pair.alice->makeOneTimeKeys(pair.alice->maxOneTimeKeys() + 1, systemRandom).error() == Fault::TooLarge);
}

void BackendTest::fallbackKey()
{
    Pair pair;
    QVERIFY(pair.bob->fallbackKey().isEmpty());
    QVERIFY(pair.bob->makeFallbackKey(systemRandom).ok());
    const QString key = *pair.bob->fallbackKey().constBegin();
    pair.bob->markPublished();
    QVERIFY(pair.bob->fallbackKey().isEmpty());
    for (int i = 0; i < 3; ++i) { // it is good for more than one
        const auto session = pair.alice->outbound(pair.bob->identityKeys().curve25519, key, systemRandom).value();
        const OlmMessage message = pair.said(*session, "hello");
        const auto inbound = pair.bob->inbound(message, pair.alice->identityKeys().curve25519).value();
        QCOMPARE(text(inbound->decrypt(message)), QByteArray("hello"));
        pair.bob->spend(*inbound);
    }
    // One more is kept beside the new one, until it is forgotten (E4).
    QVERIFY(pair.bob->makeFallbackKey(systemRandom).ok());
    const auto late = pair.alice->outbound(pair.bob->identityKeys().curve25519, key, systemRandom).value();
    const OlmMessage message = pair.said(*late, "late");
    QVERIFY(pair.bob->inbound(message, pair.alice->identityKeys().curve25519).ok());
    pair.bob->forgetOldFallbackKey();
    QVERIFY(pair.bob->inbound(message, pair.alice->identityKeys().curve25519).error() == Fault::UnknownOneTime);
}

void BackendTest::oneTimeKeyIsSpentOnce()
{
    Pair pair;
    const auto session = pair.fromAlice();
    const OlmMessage message = pair.said(*session, "hello");
    const QString sender = pair.alice->identityKeys().curve25519;
    const auto first = pair.bob->inbound(message, sender).value();
    QVERIFY(pair.bob->inbound(message, sender).ok()); // not spent: what came was not decrypted
    QCOMPARE(text(first->decrypt(message)), QByteArray("hello"));
    pair.bob->spend(*first);
    QVERIFY(pair.bob->inbound(message, sender).error() == Fault::UnknownOneTime);
    QVERIFY(first->isFor(message, sender));
    QVERIFY(!first->isFor(message, pair.bob->identityKeys().curve25519));
}

void BackendTest::conversation()
{
    Pair pair;
    const auto out = pair.fromAlice();
    OlmMessage message = pair.said(*out, "one");
    QCOMPARE(message.type, 0);
    const auto in = pair.bob->inbound(message, pair.alice->identityKeys().curve25519).value();
    QCOMPARE(text(in->decrypt(message)), QByteArray("one"));
    QCOMPARE(in->id(), out->id());
    message = pair.said(*in, "two");
    QCOMPARE(message.type, 1);
    QCOMPARE(text(out->decrypt(message)), QByteArray("two"));
    // Out of order, and one of them twice.
    const OlmMessage third = pair.said(*out, "three");
    const OlmMessage fourth = pair.said(*out, "four");
    QCOMPARE(text(in->decrypt(fourth)), QByteArray("four"));
    QCOMPARE(text(in->decrypt(third)), QByteArray("three"));
    QVERIFY(!in->decrypt(third).ok());
}

void BackendTest::failedDecryptionChangesNothing()
{
    Pair pair;
    const auto out = pair.fromAlice();
    const OlmMessage first = pair.said(*out, "one");
    const auto in = pair.bob->inbound(first, pair.alice->identityKeys().curve25519).value();
    QCOMPARE(text(in->decrypt(first)), QByteArray("one"));
    const QByteArray before = in->pickle()->view().toByteArray();
    OlmMessage forged = pair.said(*out, "two");
    const OlmMessage good = forged;
    const qsizetype at = forged.body.size() - 30; // in what the session itself authenticates
    forged.body[at] = forged.body.at(at) == u'A' ? u'B' : u'A';
    QVERIFY(!in->decrypt(forged).ok());
    QCOMPARE(in->pickle()->view().toByteArray(), before);
    QCOMPARE(text(in->decrypt(good)), QByteArray("two"));
}

void BackendTest::oddMessages_data()
{
    QTest::addColumn<int>("type");
    QTest::addColumn<QString>("body");
    const QStringList bodies = {{},
                                QStringLiteral("A"),
                                QStringLiteral("AA"),
                                QStringLiteral("not base64!"),
                                QStringLiteral("Zm9v="),
                                QString(4, u'A'),
                                QString(400, u'A'),
                                QString(100'000, u'/'),
                                QString(200'000, u'A'),
                                QStringLiteral("AwohAAAA"),
                                QStringLiteral("AwogAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                                QString::fromUtf8("ÄÖÜ"),
                                QString(QChar(0xd800))};
    int row = 0;
    for (const QString &body : bodies) {
        for (const int type : {-1, 0, 1, 2, 1000})
            QTest::addRow("%d, type %d", row, type) << type << body;
        ++row;
    }
}

void BackendTest::oddMessages()
{
    QFETCH(int, type);
    QFETCH(QString, body);
    Pair pair;
    const auto out = pair.fromAlice();
    const OlmMessage first = pair.said(*out, "one");
    const QString sender = pair.alice->identityKeys().curve25519;
    const auto in = pair.bob->inbound(first, sender).value();
    QVERIFY(!in->decrypt({type, body}).ok());
    QVERIFY(!in->isFor({type, body}, sender));
    QVERIFY(!pair.bob->inbound({type, body}, sender).ok());
    QCOMPARE(text(in->decrypt(first)), QByteArray("one"));
}

void BackendTest::oddKeys()
{
    Pair pair;
    const QString good = pair.bob->identityKeys().curve25519;
    for (const QString &bad : {QString(), QStringLiteral("AAAA"), good + u'=', good.chopped(1), QString(43, u' ')}) {
        QVERIFY(pair.alice->outbound(bad, good, systemRandom).error() == Fault::BadKey);
        QVERIFY(pair.alice->outbound(good, bad, systemRandom).error() == Fault::BadKey);
    }
    const auto session = pair.fromAlice();
    QVERIFY(pair.bob->inbound(pair.said(*session, "x"), QStringLiteral("bad")).error() == Fault::BadKey);
    QVERIFY(!pair.bob->inbound(pair.said(*session, "x"), good).ok()); // of another sender than it says
}

void BackendTest::megolm()
{
    Pair pair;
    const auto out = pair.backend->newOutbound(systemRandom).value();
    const auto in = pair.backend->inbound(out->key()).value();
    QCOMPARE(in->id(), out->id());
    QCOMPARE(in->firstIndex(), 0U);
    const QString first = *out->encrypt("one");
    const QString second = *out->encrypt("two");
    QCOMPARE(out->index(), 2U);
    auto plain = in->decrypt(second);
    QVERIFY(plain.ok());
    QCOMPARE(plain->plaintext.view().toByteArray(), QByteArray("two"));
    QCOMPARE(plain->index, 1U);
    plain = in->decrypt(first);
    QVERIFY(plain.ok());
    QCOMPARE(plain->index, 0U);
    QCOMPARE(in->decrypt(first)->index, 0U); // a replay is the machine's to see (E14)
}

void BackendTest::megolmIsSharedFromItsIndexOn()
{
    Pair pair;
    const auto out = pair.backend->newOutbound(systemRandom).value();
    const auto early = pair.backend->inbound(out->key()).value();
    const QString before = *out->encrypt("before");
    const auto in = pair.backend->inbound(out->key()).value();
    const QString after = *out->encrypt("after");
    QCOMPARE(in->firstIndex(), 1U);
    QVERIFY(in->decrypt(before).error() == Fault::UnknownIndex);
    QCOMPARE(in->decrypt(after)->plaintext.view().toByteArray(), QByteArray("after"));
    const auto again = pair.backend->imported(*early->exportAt(1)).value();
    QCOMPARE(again->id(), out->id());
    QVERIFY(again->decrypt(before).error() == Fault::UnknownIndex);
    QVERIFY(again->decrypt(after).ok());
    QVERIFY(in->exportAt(0).error() == Fault::UnknownIndex);
}

void BackendTest::oddMegolm()
{
    Pair pair;
    const auto out = pair.backend->newOutbound(systemRandom).value();
    const QByteArray key = out->key().view().toByteArray();
    for (qsizetype size = 0; size < key.size(); ++size)
        QVERIFY(!pair.backend->inbound(Secret(key.first(size))).ok());
    QByteArray forged = key;
    forged[100] = forged[100] == 'A' ? 'B' : 'A';
    QVERIFY(!pair.backend->inbound(Secret(forged)).ok()); // it is signed
    QVERIFY(!pair.backend->imported(Secret(key)).ok());   // that is another format
    const auto in = pair.backend->inbound(out->key()).value();
    const QString good = *out->encrypt("hello");
    for (qsizetype size = 0; size < good.size(); ++size)
        QVERIFY(!in->decrypt(good.first(size)).ok());
    for (qsizetype i = 0; i < good.size(); ++i) {
        QString changed = good;
        changed[i] = changed.at(i) == u'A' ? u'B' : u'A';
        const auto plain = in->decrypt(changed); // stray bits of the last character are refused, too
        QVERIFY2(!plain.ok(), qPrintable(QString::number(i)));
    }
    QVERIFY(in->decrypt(good).ok());
    const auto other = pair.backend->newOutbound(systemRandom).value();
    QVERIFY(!in->decrypt(*other->encrypt("x")).ok());
}

void BackendTest::pickles()
{
    Pair pair;
    auto out = pair.fromAlice();
    const OlmMessage message = pair.said(*out, "one");
    auto bob = pair.backend->accountFrom(*pair.bob->pickle()).value();
    QCOMPARE(bob->identityKeys(), pair.bob->identityKeys());
    QCOMPARE(bob->oneTimeKeys(), pair.bob->oneTimeKeys());
    auto in = bob->inbound(message, pair.alice->identityKeys().curve25519).value();
    in = pair.backend->sessionFrom(*in->pickle()).value();
    QCOMPARE(text(in->decrypt(message)), QByteArray("one"));
    auto group = pair.backend->newOutbound(systemRandom).value();
    auto inbound = pair.backend->inbound(group->key()).value();
    group = pair.backend->outboundFrom(*group->pickle()).value();
    inbound = pair.backend->inboundFrom(*inbound->pickle()).value();
    QVERIFY(inbound->decrypt(*group->encrypt("x")).ok());
}

void BackendTest::oddPickles()
{
    Pair pair;
    const QByteArray good = pair.alice->pickle()->view().toByteArray();
    for (qsizetype size = 0; size < good.size(); size += 37)
        QVERIFY(pair.backend->accountFrom(Secret(good.first(size))).error() == Fault::BadPickle);
    QByteArray changed = good;
    changed[60] = changed[60] == 'A' ? 'B' : 'A';
    QVERIFY(pair.backend->accountFrom(Secret(changed)).error() == Fault::BadPickle);
    QVERIFY(!pair.backend->sessionFrom(Secret(good)).ok()); // of another kind
    QVERIFY(!pair.backend->outboundFrom(Secret(good)).ok());
    QVERIFY(!pair.backend->inboundFrom(Secret(good)).ok());
    QVERIFY(pair.backend->accountFrom(Secret()).error() == Fault::BadPickle);
}

void BackendTest::withoutRandomness()
{
    Pair pair;
    QVERIFY(pair.backend->newAccount(noRandom).error() == Fault::NoRandomness);
    QVERIFY(pair.backend->newOutbound(noRandom).error() == Fault::NoRandomness);
    QVERIFY(pair.alice->makeOneTimeKeys(1, noRandom).error() == Fault::NoRandomness);
    QVERIFY(pair.alice->makeFallbackKey(noRandom).error() == Fault::NoRandomness);
    const QString key = pair.bob->identityKeys().curve25519;
    QVERIFY(pair.alice->outbound(key, key, noRandom).error() == Fault::NoRandomness);
}

void BackendTest::plaintextIsBounded()
{
    Pair pair;
    const QByteArray most(maxPlaintext, 'x');
    const QByteArray more(maxPlaintext + 1, 'x');
    const auto session = pair.fromAlice();
    const auto group = pair.backend->newOutbound(systemRandom).value();
    QVERIFY(session->encrypt(most, systemRandom).ok());
    QVERIFY(group->encrypt(most).ok());
    QVERIFY(session->encrypt(more, systemRandom).error() == Fault::TooLarge);
    QVERIFY(group->encrypt(more).error() == Fault::TooLarge);
    const auto in = pair.backend->inbound(group->key()).value();
    QVERIFY(in->decrypt(*group->encrypt(most)).ok());
}

QTEST_GUILESS_MAIN(BackendTest)
#include "tst_backend.moc"
