// SPDX-License-Identifier: Apache-2.0
// Whatever the JSON, reading gives one stable word and never more. One field of a good event is spoilt at a time; then
// every field of every type is given every kind of JSON value.
#include "events.h"
#include "protocol/read.h"
#include "protocol/sdp.h"

#include <QTest>

using namespace voip::call;
using voip::protocol::readEvent;

namespace
{

const QStringList types{QStringLiteral("m.call.invite"),  QStringLiteral("m.call.answer"),
                        QStringLiteral("m.call.hangup"),  QStringLiteral("m.call.candidates"),
                        QStringLiteral("m.call.reject"),  QStringLiteral("m.call.select_answer"),
                        QStringLiteral("m.call.unheard"), QStringLiteral("m.room.encrypted")};

QString wordOf(const std::optional<MatrixEvent> &event)
{
    if (!event)
        return QStringLiteral("(not for us)");
    const auto *unusable = std::get_if<UnusableEvent>(&*event);
    return unusable ? unusable->reason : QStringLiteral("(good)");
}

} // namespace

class Malformed : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void content_data();
    void content();
    void head_data();
    void head();
    void anyValueAnywhere();
};

void Malformed::content_data()
{
    QTest::addColumn<QString>("type");
    QTest::addColumn<QString>("field");
    QTest::addColumn<QJsonValue>("value");
    QTest::addColumn<QString>("word");
    const auto row = [](const char *type, const char *field, const QJsonValue &value, const char *word) {
        QTest::addRow("%s %s %d", type, field, static_cast<int>(value.type()))
            << (QStringLiteral("m.call.") + QLatin1String(type)) << QString::fromLatin1(field) << value
            << QString::fromLatin1(word);
    };
    const QJsonValue missing(QJsonValue::Undefined);
    row("reject", "call_id", missing, "bad_id");
    row("reject", "call_id", 7, "bad_id");
    row("reject", "call_id", QString(256, u'a'), "bad_id");
    row("hangup", "call_id", QStringLiteral("a/b"), "bad_id"); // R6
    row("reject", "party_id", QStringLiteral("é"), "bad_id");
    row("reject", "party_id", QJsonArray(), "bad_id");
    row("reject", "party_id", missing, "(good)"); // R48
    row("answer", "party_id", QString(), "bad_id");
    row("select_answer", "selected_party_id", QStringLiteral("a b"), "(good)"); // another party, whoever it is: R38
    row("select_answer", "selected_party_id", 1, "(good)");                     // as if missing: R45
    row("hangup", "reason", missing, "(good)");                                 // R62
    row("hangup", "reason", 12, "(good)");

    row("invite", "offer", missing, "bad_field");
    row("invite", "offer", QStringLiteral("v=0"), "bad_field");
    row("invite", "offer", QJsonObject{{QStringLiteral("sdp"), 1}}, "bad_field");
    row("invite", "offer", QJsonObject{{QStringLiteral("sdp"), QStringLiteral("hello")}}, "bad_field");
    row("answer", "answer", QJsonObject{{QStringLiteral("sdp"), QString(QStringLiteral("v=0") + QString(65536, u'a'))}},
        "too_large");
    row("answer", "answer", QJsonArray(), "bad_field");
    row("invite", "lifetime", missing, "bad_field");
    row("invite", "lifetime", QStringLiteral("60000"), "bad_field");
    row("invite", "lifetime", 0, "bad_field");
    row("invite", "lifetime", -1, "bad_field");
    row("invite", "invitee", 5, "bad_field");
    row("invite", "invitee", QJsonValue(), "(good)");
    row("invite", "invitee", missing, "(good)"); // R17

    row("candidates", "candidates", missing, "bad_field");
    row("candidates", "candidates", QJsonObject(), "bad_field");
    row("candidates", "candidates", QJsonArray(), "bad_field");
    row("candidates", "candidates", QJsonArray{1, QStringLiteral("x"), QJsonObject()}, "bad_field");
    QJsonArray many;
    for (int i = 0; i < 129; ++i)
        many.append(QJsonObject{{QStringLiteral("candidate"), QString()}});
    row("candidates", "candidates", many, "too_large");
    const QString longOne(2049, u'c');
    row("candidates", "candidates",
        QJsonArray{
            QJsonObject{{QStringLiteral("candidate"), longOne}, {QStringLiteral("sdpMid"), QStringLiteral("0")}}},
        "bad_field");
}

void Malformed::content()
{
    QFETCH(QString, type);
    QFETCH(QString, field);
    QFETCH(QJsonValue, value);
    QFETCH(QString, word);
    QJsonObject content = contentOf(type);
    content.insert(field, value); // an undefined value takes it out
    QCOMPARE(wordOf(readEvent(eventOf(type, content), 5000)), word);
}

void Malformed::head_data()
{
    QTest::addColumn<QString>("field");
    QTest::addColumn<QJsonValue>("value");
    QTest::addColumn<QString>("word");
    const QJsonValue missing(QJsonValue::Undefined);
    QTest::newRow("no room") << QStringLiteral("room_id") << missing << QStringLiteral("bad_field");
    QTest::newRow("room is a number") << QStringLiteral("room_id") << QJsonValue(1) << QStringLiteral("bad_field");
    QTest::newRow("room too long") << QStringLiteral("room_id") << QJsonValue(QString(256, u'a'))
                                   << QStringLiteral("bad_field");
    QTest::newRow("no sender") << QStringLiteral("sender") << missing << QStringLiteral("bad_field");
    QTest::newRow("sender too long") << QStringLiteral("sender") << QJsonValue(QString(256, u'a'))
                                     << QStringLiteral("bad_field");
    QTest::newRow("event id too long") << QStringLiteral("event_id") << QJsonValue(QString(256, u'a'))
                                       << QStringLiteral("bad_field");
    QTest::newRow("no content") << QStringLiteral("content") << missing << QStringLiteral("redacted"); // R13
    QTest::newRow("content is a list") << QStringLiteral("content") << QJsonValue(QJsonArray{1})
                                       << QStringLiteral("redacted");
    QTest::newRow("type is a number") << QStringLiteral("type") << QJsonValue(1) << QStringLiteral("(not for us)");
    QTest::newRow("unknown call type") << QStringLiteral("type") << QJsonValue(QStringLiteral("m.call.wave"))
                                       << QStringLiteral("unknown_type"); // R12
    QTest::newRow("nobody decrypted it") << QStringLiteral("type") << QJsonValue(QStringLiteral("m.room.encrypted"))
                                         << QStringLiteral("undecryptable");
}

void Malformed::head()
{
    QFETCH(QString, field);
    QFETCH(QJsonValue, value);
    QFETCH(QString, word);
    QJsonObject event = eventOf(QStringLiteral("m.call.reject"), contentOf(QStringLiteral("m.call.reject")));
    event.insert(field, value);
    const auto read = readEvent(event, 5000);
    QCOMPARE(wordOf(read), word);
    if (read) {
        const EventHead head = std::visit([](const auto &what) -> EventHead { return what; }, *read);
        QVERIFY(head.roomId.size() <= 255 && head.sender.size() <= 255 && head.eventId.size() <= 255);
    }
}

void Malformed::anyValueAnywhere()
{
    const QVector<QJsonValue> values{QJsonValue(),
                                     true,
                                     -1,
                                     1e308,
                                     0.5,
                                     QString(),
                                     QString(QChar(0xd800)), // half a pair
                                     QString(100000, u'x'),
                                     QJsonArray(),
                                     QJsonArray{QJsonArray{QJsonArray{}}},
                                     QJsonObject(),
                                     QJsonObject{{QStringLiteral("sdp"), QJsonObject()}}};
    int good = 0;
    int bad = 0;
    for (const QString &type : types) {
        QJsonObject sample = eventOf(type, contentOf(type));
        for (const QString &field : sample.keys() + QStringList{QStringLiteral("state_key"), QStringLiteral("age")}) {
            for (const QJsonValue &value : values) {
                QJsonObject event = sample;
                event.insert(field, value);
                wordOf(readEvent(event, 5000)).startsWith(u'(') ? ++good : ++bad;
            }
        }
        const QJsonObject content = contentOf(type);
        for (const QString &field : content.keys()) {
            for (const QJsonValue &value : values) {
                QJsonObject spoilt = content;
                spoilt.insert(field, value);
                wordOf(readEvent(eventOf(type, spoilt), 5000)).startsWith(u'(') ? ++good : ++bad;
            }
        }
    }
    QVERIFY(good > 50 && bad > 200); // both ways are walked, and neither crashes
}

QTEST_APPLESS_MAIN(Malformed)
#include "tst_malformed.moc"
