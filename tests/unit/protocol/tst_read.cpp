// SPDX-License-Identifier: Apache-2.0
// Every type read in full and compared by ==, protocol versions, ages, and the state events that concern rooms.
#include "events.h"
#include "protocol/read.h"

#include <QTest>

using namespace voip::call;
using voip::protocol::readEvent;

namespace
{

EventHead head()
{
    return {QStringLiteral("$e"), QStringLiteral("!r:test"), QStringLiteral("@bob:test"), 120, 5000};
}

template <typename Event>
Event withHead()
{
    Event event;
    static_cast<EventHead &>(event) = head();
    if constexpr (std::is_base_of_v<CallHead, Event>) {
        event.callId = QStringLiteral("c1");
        event.partyId = QStringLiteral("BOB");
    }
    return event;
}

std::optional<MatrixEvent> readOne(const char *type)
{
    const QString name = QString::fromLatin1(type);
    return readEvent(eventOf(name, contentOf(name)), 5000);
}

std::optional<MatrixEvent> readState(const char *type, const char *stateKey, const char *content)
{
    QJsonObject event = eventOf(QString::fromLatin1(type), object(content));
    event.insert(QStringLiteral("state_key"), QString::fromLatin1(stateKey));
    return readEvent(event, 5000);
}

} // namespace

class Read : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void invite();
    void answer();
    void candidates();
    void hangup();
    void reject();
    void selectAnswer();
    void version_data();
    void version();
    void age_data();
    void age();
    void member_data();
    void member();
    void joinRule();
    void encryption();
    void otherTypesAreNotForUs();
    void unknownFieldsArePassedOver();
    void typeOfTheDescriptionIsPassedOver();
    void lifetimeIsNotBelievedWithoutEnd();
};

void Read::invite()
{
    auto expected = withHead<InviteEvent>();
    expected.sdp = QStringLiteral("v=0\r\nm=audio 9 X 1\r\n");
    expected.lifetime = 60000;
    expected.invitee = QStringLiteral("@us:test");
    expected.media = Media{true, false};
    QVERIFY(readOne("m.call.invite") == MatrixEvent(expected));
}

void Read::answer()
{
    auto expected = withHead<AnswerEvent>();
    expected.sdp = QStringLiteral("v=0\r\nm=audio 9 X 1\r\n");
    QVERIFY(readOne("m.call.answer") == MatrixEvent(expected));
}

void Read::candidates()
{
    auto expected = withHead<CandidatesEvent>();
    expected.candidates = {Candidate{QStringLiteral("candidate:1"), QStringLiteral("0"), 0},
                           Candidate{QStringLiteral(""), {}, {}}};
    QVERIFY(readOne("m.call.candidates") == MatrixEvent(expected));
}

void Read::hangup()
{
    auto expected = withHead<HangupEvent>();
    expected.reason = EndReason::IceTimeout;
    QVERIFY(readOne("m.call.hangup") == MatrixEvent(expected));
}

void Read::reject()
{
    QVERIFY(readOne("m.call.reject") == MatrixEvent(withHead<RejectEvent>()));
}

void Read::selectAnswer()
{
    auto expected = withHead<SelectAnswerEvent>();
    expected.selectedPartyId = QStringLiteral("ALICE");
    QVERIFY(readOne("m.call.select_answer") == MatrixEvent(expected));

    QJsonObject content = contentOf(QStringLiteral("m.call.select_answer"));
    content.remove(QStringLiteral("selected_party_id"));
    expected.selectedPartyId.clear(); // R45: the core drops it
    QVERIFY(readEvent(eventOf(QStringLiteral("m.call.select_answer"), content), 5000) == MatrixEvent(expected));
}

void Read::version_data()
{
    QTest::addColumn<QJsonValue>("value");
    QTest::addColumn<int>("version");
    QTest::newRow("\"1\"") << QJsonValue(QStringLiteral("1")) << 1;
    QTest::newRow("1") << QJsonValue(1) << 1;
    QTest::newRow("\"2\"") << QJsonValue(QStringLiteral("2")) << 1;
    QTest::newRow("namespaced") << QJsonValue(QStringLiteral("org.example.7")) << 1;
    QTest::newRow("0.5") << QJsonValue(0.5) << 1;
    QTest::newRow("missing") << QJsonValue(QJsonValue::Undefined) << 1;
    QTest::newRow("null") << QJsonValue() << 1;
    QTest::newRow("object") << QJsonValue(QJsonObject()) << 1;
    QTest::newRow("0") << QJsonValue(0) << 0;
    QTest::newRow("\"0\"") << QJsonValue(QStringLiteral("0")) << 0;
}

void Read::version()
{
    QFETCH(QJsonValue, value);
    QFETCH(int, version);
    QJsonObject content = contentOf(QStringLiteral("m.call.reject"));
    content.insert(QStringLiteral("version"), value);
    const auto event = readEvent(eventOf(QStringLiteral("m.call.reject"), content), 5000);
    auto expected = withHead<RejectEvent>();
    expected.version = version;
    if (version == 0)
        expected.partyId.clear(); // R11
    QVERIFY(event == MatrixEvent(expected));
}

void Read::age_data()
{
    QTest::addColumn<QByteArray>("fields");
    QTest::addColumn<qint64>("age");
    QTest::newRow("unsigned") << QByteArray(R"({"unsigned":{"age":7}})") << qint64(7);
    QTest::newRow("legacy place") << QByteArray(R"({"age":8})") << qint64(8);
    QTest::newRow("unsigned comes first") << QByteArray(R"({"unsigned":{"age":7},"age":8})") << qint64(7);
    QTest::newRow("negative") << QByteArray(R"({"unsigned":{"age":-9}})") << qint64(0);
    QTest::newRow("huge") << QByteArray(R"({"unsigned":{"age":1e300}})") << qint64(1'000'000'000'000'000);
    QTest::newRow("no number") << QByteArray(R"({"unsigned":{"age":"7"},"origin_server_ts":4000})") << qint64(1000);
    QTest::newRow("R26 sent before") << QByteArray(R"({"origin_server_ts":4000})") << qint64(1000);
    QTest::newRow("R26 sent in the future") << QByteArray(R"({"origin_server_ts":9000})") << qint64(0);
    QTest::newRow("R26 sent before time began") << QByteArray(R"({"origin_server_ts":-9000})") << qint64(5000);
    QTest::newRow("nothing") << QByteArray("{}") << qint64(0);
}

void Read::age()
{
    QFETCH(QByteArray, fields);
    QFETCH(qint64, age);
    QJsonObject event = eventOf(QStringLiteral("m.call.reject"), contentOf(QStringLiteral("m.call.reject")));
    event.remove(QStringLiteral("unsigned"));
    const QJsonObject more = object(fields.constData());
    for (auto it = more.begin(); it != more.end(); ++it)
        event.insert(it.key(), it.value());
    QCOMPARE(std::get<RejectEvent>(*readEvent(event, 5000)).age, age);
}

void Read::member_data()
{
    QTest::addColumn<QString>("word");
    QTest::addColumn<int>("membership");
    QTest::newRow("join") << QStringLiteral("join") << static_cast<int>(Membership::Join);
    QTest::newRow("invite") << QStringLiteral("invite") << static_cast<int>(Membership::Invite);
    QTest::newRow("knock") << QStringLiteral("knock") << static_cast<int>(Membership::Knock);
    QTest::newRow("leave") << QStringLiteral("leave") << static_cast<int>(Membership::Leave);
    QTest::newRow("ban") << QStringLiteral("ban") << static_cast<int>(Membership::Ban);
}

void Read::member()
{
    QFETCH(QString, word);
    QFETCH(int, membership);
    auto expected = withHead<MemberEvent>();
    expected.user = QStringLiteral("@us:test");
    expected.membership = static_cast<Membership>(membership);
    const QByteArray content = "{\"membership\":\"" + word.toLatin1() + "\"}";
    QVERIFY(readState("m.room.member", "@us:test", content.constData()) == MatrixEvent(expected));
}

void Read::joinRule()
{
    auto expected = withHead<JoinRuleEvent>();
    expected.rule = JoinRule::Public;
    QVERIFY(readState("m.room.join_rules", "", R"({"join_rule":"public"})") == MatrixEvent(expected));
    expected.rule = JoinRule::Invite;
    QVERIFY(readState("m.room.join_rules", "", R"({"join_rule":"invite"})") == MatrixEvent(expected));
    expected.rule = JoinRule::Other;
    QVERIFY(readState("m.room.join_rules", "", R"({"join_rule":"restricted"})") == MatrixEvent(expected));
    QVERIFY(!readState("m.room.join_rules", "other", R"({"join_rule":"public"})"));
}

void Read::encryption()
{
    QVERIFY(readState("m.room.encryption", "", R"({"algorithm":"m.megolm.v1.aes-sha2"})") ==
            MatrixEvent(withHead<EncryptionEvent>()));
    QVERIFY(!readState("m.room.encryption", "other", "{}"));
}

void Read::otherTypesAreNotForUs()
{
    QVERIFY(!readEvent(eventOf(QStringLiteral("m.room.message"), {}), 5000));
    QVERIFY(!readEvent(eventOf(QStringLiteral("m.callinvite"), {}), 5000));
    QVERIFY(!readEvent(eventOf(QStringLiteral("m.room.member"), object(R"({"membership":"join"})")), 5000));
}

void Read::unknownFieldsArePassedOver()
{
    QJsonObject content = contentOf(QStringLiteral("m.call.reject"));
    content.insert(QStringLiteral("org.example"), QJsonObject{{QStringLiteral("x"), 1}});
    QVERIFY(readEvent(eventOf(QStringLiteral("m.call.reject"), content), 5000) == MatrixEvent(withHead<RejectEvent>()));
}

void Read::typeOfTheDescriptionIsPassedOver()
{
    QJsonObject content = contentOf(QStringLiteral("m.call.answer"));
    content.insert(QStringLiteral("answer"), object(R"({"type":"pranswer","sdp":"v=0\r\n"})"));
    const auto event = readEvent(eventOf(QStringLiteral("m.call.answer"), content), 5000);
    QCOMPARE(std::get<AnswerEvent>(*event).sdp, QStringLiteral("v=0\r\n")); // R32
}

void Read::lifetimeIsNotBelievedWithoutEnd()
{
    QJsonObject content = contentOf(QStringLiteral("m.call.invite"));
    content.insert(QStringLiteral("lifetime"), 1e300);
    const auto event = readEvent(eventOf(QStringLiteral("m.call.invite"), content), 5000);
    QCOMPARE(std::get<InviteEvent>(*event).lifetime, longestLifetime);
}

QTEST_APPLESS_MAIN(Read)
#include "tst_read.moc"
