// SPDX-License-Identifier: Apache-2.0
// Transactions from bytes: what is refused as a whole, what is left out, what is kept, under which spellings.
#include "appservice/transaction.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

using namespace bridgehost;

namespace
{

QJsonObject matrixEvent(const QString &id)
{
    return {{QStringLiteral("type"), QStringLiteral("m.call.invite")},
            {QStringLiteral("event_id"), id},
            {QStringLiteral("room_id"), QStringLiteral("!r:test")},
            {QStringLiteral("sender"), QStringLiteral("@bob:test")},
            {QStringLiteral("content"), QJsonObject{}}};
}

QByteArray body(const QJsonArray &events, QJsonObject more = {})
{
    more[QStringLiteral("events")] = events;
    return QJsonDocument(more).toJson();
}

} // namespace

class TestTransaction : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void refused_data();
    void refused();
    void tooManyEvents();
    void goodEventsAreKept();
    void spellings_data();
    void spellings();
};

void TestTransaction::refused_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("code");
    QTest::addColumn<QString>("named");
    const auto row = [](const char *name, const QByteArray &bytes, const char *code, const char *named) {
        QTest::newRow(name) << bytes << QString::fromLatin1(code) << QString::fromLatin1(named);
    };
    row("empty", "", "M_NOT_JSON", "not JSON");
    row("not json", "{\"events\":[", "M_NOT_JSON", "not JSON");
    row("bad utf-8", QByteArray("{\"events\":[\"\xff\"]}"), "M_NOT_JSON", "not JSON");
    row("array", "[]", "M_BAD_JSON", "object");
    row("no events", "{}", "M_BAD_JSON", "'events' is missing");
    row("events object", "{\"events\":{}}", "M_BAD_JSON", "'events' must be an array");
    row("to-device", "{\"events\":[],\"de.sorunome.msc2409.to_device\":1}", "M_BAD_JSON",
        "'de.sorunome.msc2409.to_device' must be an array");
    row("ephemeral", "{\"events\":[],\"ephemeral\":\"x\"}", "M_BAD_JSON", "'ephemeral' must be an array");
    row("lists", "{\"events\":[],\"device_lists\":[]}", "M_BAD_JSON", "'device_lists' must be an object");
    row("changed", "{\"events\":[],\"device_lists\":{\"changed\":1}}", "M_BAD_JSON",
        "'device_lists.changed' must be an array");
    row("counts", "{\"events\":[],\"org.matrix.msc3202.device_one_time_keys_count\":[]}", "M_BAD_JSON",
        "'org.matrix.msc3202.device_one_time_keys_count' must be an object");
}

void TestTransaction::refused()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, code);
    QFETCH(QString, named);
    const auto parsed = parseTransaction(bytes);
    QVERIFY(!parsed);
    QCOMPARE(parsed.error().kind, voiphost::ErrorKind::Invalid);
    QCOMPARE(parsed.error().code, code);
    QVERIFY2(parsed.error().message.contains(named), qPrintable(parsed.error().message));
}

void TestTransaction::tooManyEvents()
{
    QJsonArray events;
    for (qsizetype i = 0; i < kMaxTransactionEvents; ++i)
        events.append(matrixEvent(QStringLiteral("$%1").arg(i)));
    const auto most = parseTransaction(body(events));
    QVERIFY(most);
    QCOMPARE(most->batch.events.size(), kMaxTransactionEvents);
    events.append(matrixEvent(QStringLiteral("$more")));
    const auto over = parseTransaction(body(events));
    QVERIFY(!over);
    QCOMPARE(over.error().kind, voiphost::ErrorKind::TooLarge);
    QVERIFY(over.error().message.contains(QStringLiteral("'events' holds 5001 events")));
}

void TestTransaction::goodEventsAreKept()
{
    QJsonArray events;
    events.append(matrixEvent(QStringLiteral("$1")));
    events.append(QStringLiteral("text"));
    const auto broken = [&events](const QString &key, const QJsonValue &value) {
        QJsonObject bad = matrixEvent(QStringLiteral("$bad"));
        bad[key] = value;
        events.append(bad);
    };
    broken(QStringLiteral("type"), 1);
    broken(QStringLiteral("type"), QString(256, u'x'));
    broken(QStringLiteral("event_id"), QStringLiteral("no sigil"));
    broken(QStringLiteral("room_id"), QJsonValue::Null);
    broken(QStringLiteral("sender"), QStringLiteral("@nocolon"));
    broken(QStringLiteral("content"), QJsonArray{});
    broken(QStringLiteral("state_key"), 5);
    broken(QStringLiteral("unsigned"), QStringLiteral("x"));
    broken(QStringLiteral("origin_server_ts"), QStringLiteral("x"));
    events.append(matrixEvent(QStringLiteral("$2")));
    const auto parsed =
        parseTransaction(body(events, {{QStringLiteral("to_device"), QJsonArray{QJsonObject{}, QStringLiteral("x")}}}));
    QVERIFY(parsed);
    QCOMPARE(parsed->batch.events.size(), 2);
    QCOMPARE(parsed->batch.events.at(1).value(QStringLiteral("event_id")).toString(), QStringLiteral("$2"));
    const QMap<QString, int> expected{
        {QStringLiteral("not_an_object"), 1},        {QStringLiteral("bad_type"), 2},
        {QStringLiteral("bad_event_id"), 1},         {QStringLiteral("bad_room_id"), 1},
        {QStringLiteral("bad_sender"), 1},           {QStringLiteral("bad_content"), 1},
        {QStringLiteral("bad_state_key"), 1},        {QStringLiteral("bad_unsigned"), 1},
        {QStringLiteral("bad_origin_server_ts"), 1}, {QStringLiteral("bad_to_device"), 2}};
    QCOMPARE(parsed->rejected, expected);
}

void TestTransaction::spellings_data()
{
    QTest::addColumn<QString>("toDevice");
    QTest::addColumn<QString>("lists");
    QTest::addColumn<QString>("counts");
    QTest::addColumn<QString>("fallback");
    const auto row = [](const char *name, const char *a, const char *b, const char *c, const char *d) {
        QTest::newRow(name) << QString::fromLatin1(a) << QString::fromLatin1(b) << QString::fromLatin1(c)
                            << QString::fromLatin1(d);
    };
    row("stable", "to_device", "device_lists", "device_one_time_keys_count", "device_unused_fallback_key_types");
    row("unstable", "de.sorunome.msc2409.to_device", "org.matrix.msc3202.device_lists",
        "org.matrix.msc3202.device_one_time_keys_count", "org.matrix.msc3202.device_unused_fallback_key_types");
    row("other count", "to_device", "device_lists", "org.matrix.msc3202.device_one_time_key_counts",
        "device_unused_fallback_key_types");
}

void TestTransaction::spellings()
{
    QFETCH(QString, toDevice);
    QFETCH(QString, lists);
    QFETCH(QString, counts);
    QFETCH(QString, fallback);
    const QJsonObject message{{QStringLiteral("type"), QStringLiteral("m.room.encrypted")},
                              {QStringLiteral("sender"), QStringLiteral("@bob:test")},
                              {QStringLiteral("to_user_id"), QStringLiteral("@nova_alice:test")},
                              {QStringLiteral("to_device_id"), QStringLiteral("DEV")},
                              {QStringLiteral("content"), QJsonObject{}}};
    const QJsonObject mark{{QStringLiteral("@u:test"), QJsonObject{}}};
    const auto parsed = parseTransaction(
        body({}, {{toDevice, QJsonArray{message}},
                  {lists, QJsonObject{{QStringLiteral("changed"), QJsonArray{QStringLiteral("@bob:test")}}}},
                  {counts, mark},
                  {fallback, mark}}));
    QVERIFY(parsed);
    QCOMPARE(parsed->batch.toDevice.size(), 1);
    QCOMPARE(parsed->batch.deviceLists.value(QStringLiteral("changed")).toArray().size(), 1);
    QCOMPARE(parsed->batch.oneTimeKeyCounts, mark);
    QCOMPARE(parsed->batch.unusedFallbackKeyTypes, mark);
    QVERIFY(parsed->rejected.isEmpty());
}

QTEST_GUILESS_MAIN(TestTransaction)
#include "tst_transaction.moc"
