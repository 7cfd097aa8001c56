// SPDX-License-Identifier: Apache-2.0
// What becomes of an upload to a key backup, by what the homeserver answers: done, later, never, or another backup.
#include "effects/courier.h"

#include <QSignalSpy>
#include <QTest>

#include <fakehttp.h>

using namespace voip;
using crypto::Answer;

class TestCourier : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void an_upload_to_a_backup_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("kind");
        QTest::addColumn<bool>("refused");
        const auto row = [](const char *name, int status, const char *body, Answer::Kind kind, bool refused) {
            QTest::newRow(name) << status << QByteArray(body) << static_cast<int>(kind) << refused;
        };
        using Kind = Answer::Kind;
        row("taken", 200, R"({"count":1,"etag":"1"})", Kind::Ok, false);
        row("another version", 403, R"({"errcode":"M_WRONG_ROOM_KEYS_VERSION","current_version":"9"})",
            Kind::WrongVersion, true);
        row("none any more", 404, R"({"errcode":"M_NOT_FOUND","error":"x"})", Kind::WrongVersion, true);
        row("not known there", 404, R"({"errcode":"M_UNRECOGNIZED","error":"x"})", Kind::Refused, true);
        row("forbidden", 403, R"({"errcode":"M_FORBIDDEN","error":"x"})", Kind::Refused, true);
        row("too large", 413, R"({"errcode":"M_TOO_LARGE","error":"x"})", Kind::Refused, true);
        // What means that of device keys means nothing here.
        row("already exists", 400, R"({"errcode":"M_UNKNOWN","error":"already exists"})", Kind::Refused, true);
        row("limited", 429, R"({"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":7000})", Kind::Failed, false);
        row("broken", 502, "<html>", Kind::Failed, false);
        row("token renewed", 401, R"({"errcode":"M_UNKNOWN_TOKEN","soft_logout":true})", Kind::Failed, false);
    }
    void an_upload_to_a_backup()
    {
        QFETCH(int, status);
        QFETCH(QByteArray, body);
        QFETCH(int, kind);
        QFETCH(bool, refused);
        const QString alice = QStringLiteral("@alice:test");
        fakehttp::FakeHttp server;
        homeserver::Client client(homeserver::Access{server.url(), QStringLiteral("test"), "token", {}, {}, alice});
        effects::Courier courier(client, {}, {}, {}, {});
        std::optional<Answer> answer;
        connect(&courier, &effects::Courier::answered, this,
                [&answer](const QString &, const Answer &given) { answer = given; });
        const QSignalSpy told(&courier, &effects::Courier::backupRefused);
        server.answer({status, body});
        const QJsonObject rooms{{"rooms", QJsonObject{{"!r:test", QJsonObject()}}}};
        courier.carry(alice, "DEV", {{5, crypto::BackUpKeys{"v 1", rooms}}});
        QTRY_VERIFY(answer.has_value());
        QCOMPARE(static_cast<int>(answer->kind), kind);
        QCOMPARE(answer->id, 5U);
        QCOMPARE(answer->retryAfterMs, status == 429 ? 7000 : 0);
        QCOMPARE(told.size(), refused ? 1 : 0);
        QCOMPARE(server.requests().size(), 1);
        QCOMPARE(server.requests().first().method, QByteArray("PUT"));
        QCOMPARE(server.requests().first().target, QByteArray("/_matrix/client/v3/room_keys/keys?version=v%201"));
        QCOMPARE(server.requests().first().json(), rooms);
    }
};

QTEST_GUILESS_MAIN(TestCourier)
#include "tst_courier.moc"
