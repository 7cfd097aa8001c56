// SPDX-License-Identifier: Apache-2.0
// What is read from an answer of /sync, whatever it looks like.
#include <QJsonDocument>
#include <QTest>

#include <homeserver/syncanswer.h>

using namespace voip::homeserver;

namespace
{

const QString kAlice = QStringLiteral("@alice:test");
const SyncReading kReading{kAlice,
                           QStringLiteral("DEV"),
                           QStringLiteral("s1"),
                           {QStringLiteral("m.call.*"), QStringLiteral("m.room.member")},
                           Invitations::Direct};

Result<SyncAnswer> read(const QByteArray &json, const SyncReading &reading = kReading)
{
    const QJsonDocument document = QJsonDocument::fromJson(json);
    if (!document.isObject())
        qFatal("the test's JSON is wrong");
    return readSync(document.object(), reading);
}

QByteArray eventOf(const char *id, const char *type)
{
    return QByteArray(R"({"event_id":")") + id + R"(","type":")" + type + R"(","sender":"@bob:test","content":{}})";
}

QByteArray invitation(const QByteArray &content)
{
    return R"({"next_batch":"s2","rooms":{"invite":{"!r:test":{"invite_state":{"events":[)"
           R"({"type":"m.room.create","state_key":"","sender":"@bob:test","content":{}},)"
           R"({"type":"m.room.member","state_key":"@alice:test","sender":"@bob:test","content":)" +
           content + "}]}}}}}";
}

} // namespace

class TestSyncAnswer : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void roomsAndDevice()
    {
        const auto answer = read(R"({"next_batch":"s2","rooms":{"join":{"!r:test":{)"
                                 R"("state":{"events":[)" +
                                 eventOf("$s", "m.room.member") +
                                 R"(]},)"
                                 R"("timeline":{"limited":true,"prev_batch":"t9","events":[)" +
                                 eventOf("$a", "m.call.invite") + "," + eventOf("$b", "m.room.message") + "," +
                                 eventOf("$c", "m.call.hangup") +
                                 R"(]}}},)"
                                 R"("leave":{"!l:test":{"timeline":{"events":[)" +
                                 eventOf("$l", "m.room.member") +
                                 R"(]}}}},)"
                                 R"("to_device":{"events":[{"type":"m.x","sender":"@bob:test","content":{"a":1}}]},)"
                                 R"("device_lists":{"changed":["@bob:test"]},)"
                                 R"("device_one_time_keys_count":{"signed_curve25519":7},)"
                                 R"("device_unused_fallback_key_types":["signed_curve25519"]})");
        QVERIFY(answer.ok());
        QCOMPARE(answer->nextBatch, QStringLiteral("s2"));
        QCOMPARE(answer->leftOut, 0);
        QCOMPARE(answer->rooms.size(), 2);
        const SyncRoom &room = answer->rooms.first();
        QCOMPARE(room.gapBefore, QStringLiteral("t9"));
        QCOMPARE(room.state.size(), 1);
        QCOMPARE(room.timeline.size(), 2); // messages are not asked for
        QCOMPARE(room.timeline.first().value(QStringLiteral("room_id")).toString(), QStringLiteral("!r:test"));
        QVERIFY(answer->rooms.last().gapBefore.isEmpty());
        QCOMPARE(answer->toDevice.first().value(QStringLiteral("to_user_id")).toString(), kAlice);
        QCOMPARE(answer->toDevice.first().value(QStringLiteral("to_device_id")).toString(), QStringLiteral("DEV"));
        QCOMPARE(answer->oneTimeKeyCounts.value(kAlice).toObject().value(QStringLiteral("DEV")).toObject(),
                 (QJsonObject{{QStringLiteral("signed_curve25519"), 7}}));
        QVERIFY(answer->unusedFallbackKeyTypes.value(kAlice).toObject().value(QStringLiteral("DEV")).isArray());
        QVERIFY(answer->deviceLists.contains(QStringLiteral("changed")));
    }

    void nextBatchMustBeRight_data()
    {
        QTest::addColumn<QByteArray>("json");
        QTest::newRow("missing") << QByteArray("{}");
        QTest::newRow("number") << QByteArray(R"({"next_batch":1})");
        QTest::newRow("empty") << QByteArray("{\"next_batch\":\"\"}");
        QTest::newRow("huge") << QByteArray("{\"next_batch\":\"") + QByteArray(5000, 'x') + "\"}";
    }
    void nextBatchMustBeRight()
    {
        QFETCH(QByteArray, json);
        const auto answer = read(json);
        QVERIFY(!answer.ok());
        QCOMPARE(answer.error().kind, FailureKind::BadAnswer);
        QVERIFY(answer.error().message.startsWith(QStringLiteral("next_batch: ")));
    }

    void oddPartsAreLeftOut_data()
    {
        QTest::addColumn<QByteArray>("rest");
        QTest::addColumn<int>("leftOut");
        const auto row = [](const char *rest, int leftOut) { QTest::newRow(rest) << QByteArray(rest) << leftOut; };
        row(R"("rooms":[])", 1);
        row(R"("rooms":{"join":7,"invite":"x","leave":[]})", 3);
        row(R"("rooms":{"join":{"!r:test":[],"":{}}})", 2);
        row(R"("rooms":{"join":{"!r:test":{"timeline":{"events":{}},"state":4}}})", 2);
        row(R"("rooms":{"join":{"!r:test":{"timeline":{"events":[1,{},{"type":"m.call.invite"}]}}}})", 3);
        row(R"("rooms":{"join":{"!r:test":{"timeline":{"limited":true,"prev_batch":5,"events":[]}}}})", 0);
        row(R"("rooms":{"invite":{"!r:test":{"invite_state":{"events":"x"}}}})", 1);
        row(R"("to_device":{"events":[{"type":"m.x"},3]})", 2);
        row(R"("to_device":"x","device_lists":[])", 2);
        row(R"("device_one_time_keys_count":[1],"device_unused_fallback_key_types":{})", 0);
    }
    void oddPartsAreLeftOut()
    {
        QFETCH(QByteArray, rest);
        QFETCH(int, leftOut);
        const auto answer = read(R"({"next_batch":"s2",)" + rest + "}");
        QVERIFY(answer.ok());
        QCOMPARE(answer->leftOut, leftOut);
        QVERIFY(answer->rooms.isEmpty());
        QVERIFY(answer->toDevice.isEmpty());
        QVERIFY(answer->oneTimeKeyCounts.isEmpty());
    }

    void invitations()
    {
        const QByteArray direct = invitation(R"({"membership":"invite","is_direct":true})");
        const QByteArray group = invitation(R"({"membership":"invite"})");
        const auto answer = read(direct);
        QCOMPARE(answer->rooms.size(), 1);
        const QJsonObject event = answer->rooms.first().timeline.first();
        QCOMPARE(event.value(QStringLiteral("room_id")).toString(), QStringLiteral("!r:test"));
        const QString id = event.value(QStringLiteral("event_id")).toString();
        QVERIFY(id.startsWith(QStringLiteral("$invitation-")) && id.size() < 255);
        const auto idAt = [&direct](const char *since) {
            SyncReading reading = kReading;
            reading.since = QLatin1String(since);
            return read(direct, reading)->rooms.first().timeline.first().value(QStringLiteral("event_id")).toString();
        };
        QCOMPARE(idAt("s1"), id);  // the same place again: the same invitation
        QVERIFY(idAt("s5") != id); // later: another one

        QVERIFY(read(group)->rooms.isEmpty());
        SyncReading reading = kReading;
        reading.invitations = Invitations::All;
        QCOMPARE(read(group, reading)->rooms.size(), 1);
        reading.invitations = Invitations::None;
        QVERIFY(read(direct, reading)->rooms.isEmpty());
    }

    void ages()
    {
        const auto ageOf = [](const QByteArray &json, qint64 by) {
            return aged(QJsonDocument::fromJson(json).object(), by)
                .value(QStringLiteral("unsigned"))
                .toObject()
                .value(QStringLiteral("age"));
        };
        QCOMPARE(ageOf(R"({"unsigned":{"age":100}})", 50).toDouble(), 150.0);
        QCOMPARE(ageOf(R"({"unsigned":{"age":100}})", -500).toDouble(), 0.0);
        QVERIFY(ageOf(R"({"unsigned":{}})", 50).isUndefined());
        QVERIFY(ageOf(R"({"unsigned":{"age":"old"}})", 50).isString());
    }
};

QTEST_GUILESS_MAIN(TestSyncAnswer)
#include "tst_syncanswer.moc"
