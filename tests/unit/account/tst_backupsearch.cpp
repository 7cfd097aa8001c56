// SPDX-License-Identifier: Apache-2.0
// The search for an account's key backup against a homeserver that says what it likes: only a backup whose private key
// the recovery key opens may be used, and what was read says nothing of keys. The stored secret was made by another
// implementation (Node's crypto).
#include "backupsearch.h"
#include "crypto/olmbackend.h"

#include <QTest>

#include <fakehttp.h>

using namespace voip;
using fakehttp::Answer;
using homeserver::FailureKind;

namespace
{

const QString alice = QStringLiteral("@alice:test");
const QByteArray recoveryKey = "EsSz z9tE P7v3 2x3J pej9 kEu3 wFRg Cohn LtKd CcAP Gyjg nnbj";
const QString publicKey = QStringLiteral("KhAbKwAgRU3HpG4EzQwIeuFlwrjxnbs/8Hbcsg4s2EE");
const QByteArray otherKey = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo"; // of somebody
const QByteArray privateKey = "AQYLEBUaHyQpLjM4PUJHTFFWW2Blam90eX6DiI2Sl5w";
const QByteArray description = R"({"algorithm":"m.secret_storage.v1.aes-hmac-sha2","iv":"ABEiM0RVZncImaq7zN3u/w==",)"
                               R"("mac":"CuX1cr6wHWyUgdMjFrFGCEMr5mzyJPqDyy8q5ERJeXA="})";
const QByteArray stored = R"({"encrypted":{"k1":{"iv":"ABEiM0RVZneImaq7zN3u/w==",)"
                          R"("ciphertext":"PVPnW8QviXhLfsQP1vuP5p/X4sT8dP50nHejaO81lDoVeSjxm1B/hou9RoU=",)"
                          R"("mac":"BEgUO+QDf6/hh41cZOxiVHtoz+d2HUtV57QveaZdrH4="}}})";
const QByteArray notFound = R"({"errcode":"M_NOT_FOUND","error":"no"})";

QByteArray backup(const QByteArray &key = publicKey.toLatin1(),
                  const QByteArray &algorithm = "m.megolm_backup.v1.curve25519-aes-sha2")
{
    return R"({"algorithm":")" + algorithm + R"(","auth_data":{"public_key":")" + key +
           R"("},"count":0,"etag":"0","version":"12"})";
}

} // namespace

class TestBackupSearch : public QObject
{
    Q_OBJECT

    QHash<QByteArray, Answer> m_answers; // by the end of the path
    std::unique_ptr<fakehttp::FakeHttp> m_server;
    std::unique_ptr<homeserver::Client> m_client;
    std::unique_ptr<crypto::Backend> m_backend = crypto::olmBackend();

    homeserver::Result<QJsonObject> search(const QByteArray &key = recoveryKey)
    {
        std::optional<homeserver::Result<QJsonObject>> found;
        BackupSearch one(*m_client, *m_backend, alice, key);
        one.begin([&found](const auto &result) { found = result; });
        if (!QTest::qWaitFor([&found] { return found.has_value(); }, 30'000))
            qFatal("no answer came");
        return *found;
    }

private Q_SLOTS:
    void init()
    {
        m_server = std::make_unique<fakehttp::FakeHttp>();
        m_client = std::make_unique<homeserver::Client>(
            homeserver::Access{m_server->url(), QStringLiteral("test"), "token", {}, {}, alice});
        m_answers = {{"/room_keys/version", {200, backup()}},
                     {"/account_data/m.secret_storage.default_key", {200, R"({"key":"k1"})"}},
                     {"/account_data/m.secret_storage.key.k1", {200, description}},
                     {"/account_data/m.megolm_backup.v1", {200, stored}}};
        m_server->handle([this](const fakehttp::Request &request) {
            for (auto it = m_answers.cbegin(); it != m_answers.cend(); ++it) {
                if (request.path().endsWith(it.key()))
                    return *it;
            }
            return Answer{404, notFound};
        });
    }

    void one_whose_key_the_recovery_key_opens_is_found()
    {
        const auto found = search();
        QVERIFY2(found.ok(), found.ok() ? "" : qPrintable(found.error().message));
        QCOMPARE(*found, (QJsonObject{{"version", "12"}, {"public_key", publicKey}}));
        for (const fakehttp::Request &request : m_server->requests())
            QCOMPARE(request.method, QByteArray("GET")); // nothing is made, changed or deleted
    }

    void what_is_refused_data()
    {
        QTest::addColumn<QByteArray>("where");
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QString>("said");
        const auto row = [](const char *name, const char *where, int status, const QByteArray &body, const char *said) {
            QTest::newRow(name) << QByteArray(where) << status << body << QString::fromLatin1(said);
        };
        constexpr auto version = "/room_keys/version";
        row("no backup", version, 404, notFound, "the account has no key backup");
        row("the homeserver's own key", version, 200, backup(otherKey), "another key");
        row("another algorithm", version, 200, backup(publicKey.toLatin1(), "m.megolm_backup.v2"), "algorithm");
        row("no algorithm", version, 200, R"({"version":"12"})", "algorithm");
        row("short key", version, 200, backup("AAAA"), "cannot be used");
        row("key with other letters", version, 200, backup(QByteArray(43, '!')), "cannot be used");
        row("no auth_data", version, 200,
            R"({"algorithm":"m.megolm_backup.v1.curve25519-aes-sha2","version":"12","auth_data":7})", "cannot be used");
        row("version is a number", version, 200, backup().replace("\"12\"", "12"), "cannot be used");
        row("version without end", version, 200, backup().replace("12", QByteArray(256, 'v')), "cannot be used");
        row("no secret storage", "/account_data/m.secret_storage.default_key", 404, notFound, "set up recovery");
        row("another recovery", "/account_data/m.secret_storage.key.k1", 200,
            QByteArray(description).replace("CuX1", "CuX2"), "is not the one of this account's recovery");
        row("no such secret", "/account_data/m.megolm_backup.v1", 404, notFound, "keeps no m.megolm_backup.v1");
        row("changed secret", "/account_data/m.megolm_backup.v1", 200, QByteArray(stored).replace("PVPn", "PVPm"),
            "cannot be opened");
        row("secret of another key", "/account_data/m.megolm_backup.v1", 200, QByteArray(stored).replace("k1", "k2"),
            "cannot be opened");
        row("secret is a list", "/account_data/m.megolm_backup.v1", 200, R"({"encrypted":[1]})", "cannot be opened");
    }
    void what_is_refused()
    {
        QFETCH(QByteArray, where);
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        QFETCH(QString, said);
        m_answers[where] = {status, body};
        const auto found = search();
        QVERIFY(!found.ok());
        QVERIFY2(found.error().message.contains(said), qPrintable(found.error().message));
        QVERIFY(!found.error().transient());
        QVERIFY(!found.error().message.contains(QString::fromLatin1(privateKey)));
    }

    void a_mistyped_recovery_key_is_named()
    {
        const auto found = search("EsSz z9tE");
        QVERIFY(!found.ok() && !found.error().transient());
        QVERIFY(found.error().message.contains(QLatin1String("account.recovery_key")));
    }

    // Then it is no use to say that there is none.
    void a_homeserver_that_is_not_well_is_asked_again()
    {
        for (const char *where :
             {"/room_keys/version", "/account_data/m.secret_storage.default_key", "/account_data/m.megolm_backup.v1"}) {
            init();
            m_answers[where] = {503, R"({"errcode":"M_UNKNOWN","error":"later"})"};
            const auto found = search();
            QVERIFY(!found.ok() && found.error().transient());
        }
        init();
        m_answers["/room_keys/version"] = {429, R"({"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":7000})"};
        const auto limited = search();
        QVERIFY(!limited.ok() && limited.error().kind == FailureKind::RateLimited);
        QCOMPARE(limited.error().retryAfterMs, 7000);
    }
};

QTEST_GUILESS_MAIN(TestBackupSearch)
#include "tst_backupsearch.moc"
