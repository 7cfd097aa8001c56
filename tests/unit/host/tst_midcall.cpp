// SPDX-License-Identifier: Apache-2.0
// The call API over real sockets with a service that has MidCall and with one that has not: each route with what it
// asks of the plugin, each limit from both sides, each error naming its field.
#include "full_echo.h"
#include "http/server.h"
#include "http_client.h"
#include "rest/call_api.h"
#include "rest/midcall_api.h"
#include "rest/midcall_shapes.h"
#include "sse/event_stream.h"

#include <QJsonArray>

using namespace bridgehost;
using namespace voiphost;

namespace
{

const QList<HostUser> people{{QStringLiteral("alice"), QStringLiteral("Alice")}};

Config config()
{
    Config made;
    made.users = {{people.first(), "alice-t"}};
    made.adminToken = "adm-t";
    return made;
}

QByteArray streams(int count, const QByteArray &id = "s")
{
    QByteArrayList list;
    for (int i = 0; i < count; ++i)
        list.append("\"" + id + QByteArray::number(i) + "\":{\"purpose\":\"m.usermedia\"}");
    return '{' + list.join(',') + '}';
}

} // namespace

class TestMidCall : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void routes_data();
    void routes();
    void wrongRequests_data();
    void wrongRequests();
    void conflictsComeThrough();
    void everyCallIsShownInFull();
    void acceptingATransferMakesACall();
    void withoutMidCall();
    void callObject();
    void newNoticesHaveNames();
    void newNoticesAreStreamed();
    void releasedStructsStayAsTheyAre();

private:
    int post(const QByteArray &path, const QByteArray &body) { return ask("POST", path, body); }
    int ask(const QByteArray &method, const QByteArray &path, const QByteArray &body = {});

    FullEcho m_full{people};
    EchoCalls m_plain{people};
    CallService *m_service = nullptr;
    const ApiGate m_gate{config()};
    EventStreams m_streams;
    std::unique_ptr<CallApi> m_api;
    std::unique_ptr<HttpServer> m_server;
    QJsonObject m_answer;
};

void TestMidCall::init()
{
    m_service = &m_full;
    m_full.full = {};
    m_full.full.id = QStringLiteral("c1");
    m_full.said.clear();
    m_full.failure.clear();
    m_full.repeats = false;
    m_api = std::make_unique<CallApi>(&m_gate, QStringList{QStringLiteral("alice")}, [this] { return m_service; });
    m_streams.setService(&m_full);
    m_server = std::make_unique<HttpServer>("api", HttpLimits{}, [this](const ExchangePtr &exchange) {
        if (exchange->request().path.first() == QLatin1String("events"))
            m_streams.open(exchange, people.first().id);
        else if (!m_api->handle(exchange))
            exchange->reply(errorReply(404, QStringLiteral("NOT_FOUND"), {}));
    });
    QVERIFY(m_server->listen({QStringLiteral("127.0.0.1"), 0}));
}

void TestMidCall::cleanup()
{
    m_streams.setService(nullptr);
    m_server.reset();
    m_api.reset();
}

int TestMidCall::ask(const QByteArray &method, const QByteArray &path, const QByteArray &body)
{
    RawClient client(m_server->port());
    client.request(method, path, "Authorization: Bearer alice-t\r\n", body);
    if (!QTest::qWaitFor([&client] { return client.answered(); }, 20'000))
        return -1;
    m_answer = QJsonDocument::fromJson(client.body()).object();
    return client.status();
}

void TestMidCall::routes_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("said");
    const auto row = [](const char *name, const char *path, const QByteArray &body, int status, const char *said) {
        QTest::newRow(name) << QByteArray(path) << body << status << QString::fromLatin1(said);
    };
    row("place", "/conversations/k/calls", R"({"initiator_sdp":"v=0"})", 201, "place k v=0 {} 00");
    row("place in full", "/conversations/k/calls",
        R"({"initiator_sdp":"v=0","streams":{"a":{"purpose":"m.screenshare","video_muted":true}},)"
        R"("capabilities":{"transferee":true},"idempotency_key":"i"})",
        201, R"(place k v=0 {"a":{"purpose":"m.screenshare","video_muted":true}} 10 i)");
    row("answer", "/calls/c1/answer", R"({"answer_sdp":"v=0"})", 200, "answer c1 v=0 {} 00");
    row("answer in full", "/calls/c1/answer",
        R"({"answer_sdp":"v=0","streams":{"a":{"purpose":"m.usermedia"}},"capabilities":{"dtmf":true}})", 200,
        R"(answer c1 v=0 {"a":{"purpose":"m.usermedia"}} 01)");
    row("offer", "/calls/c1/negotiate", R"({"type":"offer","sdp":"v=0"})", 200, "negotiate c1 offer v=0 {}");
    row("answer to an offer", "/calls/c1/negotiate",
        R"({"type":"answer","sdp":"v=0","streams":{"a":{"purpose":"m.usermedia","audio_muted":false}}})", 200,
        R"(negotiate c1 answer v=0 {"a":{"audio_muted":false,"purpose":"m.usermedia"}})");
    row("mute one", "/calls/c1/media", R"({"audio_muted":true})", 200, "media c1 on -");
    row("mute both", "/calls/c1/media", R"({"audio_muted":false,"video_muted":true})", 200, "media c1 off on");
    row("blind", "/calls/c1/transfer", R"({"target_user":"@carol:test"})", 200, "transfer c1 @carol:test");
    row("attended", "/calls/c1/transfer", R"({"target_call":"c2"})", 200, "transfer c1  c2");
    row("wait for a call", "/calls/c1/transfer-accept", "{}", 200, "accept c1  {} 00");
    row("accept", "/calls/c1/transfer-accept", R"({"initiator_sdp":"v=0","capabilities":{"dtmf":true}})", 200,
        "accept c1 v=0 {} 01");
    row("refuse", "/calls/c1/transfer-reject", {}, 200, "refuse c1");
    row("identity", "/calls/c1/identity", R"({"identity":{"display_name":"Carol"}})", 200, "identity c1  Carol");
    row("identity back", "/calls/c1/identity", R"({"identity":null})", 200, "identity c1 null");
    row("reject", "/calls/c1/reject", {}, 200, "decline c1 0");
    row("reject otherwise", "/calls/c1/reject", R"({"reason":"in_a_meeting"})", 200, "decline c1 0");
    row("busy", "/calls/c1/reject", R"({"reason":"user_busy"})", 200, "decline c1 1");
    row("ignore", "/calls/c1/reject", R"({"reason":"ignore"})", 200, "decline c1 2");
}

void TestMidCall::routes()
{
    QFETCH(QByteArray, path);
    QFETCH(QByteArray, body);
    QFETCH(int, status);
    QFETCH(QString, said);
    QCOMPARE(post(path, body), status);
    QCOMPARE(m_full.said, said);
    QCOMPARE(m_answer.value(QStringLiteral("id")).toString(), QStringLiteral("c1"));
    QVERIFY(m_answer.contains(QStringLiteral("muted")));
}

void TestMidCall::wrongRequests_data()
{
    QTest::addColumn<QByteArray>("action");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QString>("named"); // empty: it is good
    QTest::addColumn<QString>("code");
    const auto row = [](const char *action, const QByteArray &body, const char *named,
                        const char *code = "INVALID_REQUEST") {
        QTest::newRow((action + (' ' + body.left(90))).constData())
            << QByteArray(action) << body << QString::fromLatin1(named) << QString::fromLatin1(code);
    };
    row("answer", R"({})", "'answer_sdp' is missing", "INVALID_SDP");
    row("answer", R"({"answer_sdp":"v=0","streams":[]})", "'streams' must be an object");
    row("answer", R"({"answer_sdp":"v=0","streams":{"a":1}})", "'streams.a' must be an object");
    row("answer", R"({"answer_sdp":"v=0","streams":{"a":{}}})", "'streams.a.purpose' must be m.usermedia or");
    row("answer", R"({"answer_sdp":"v=0","streams":{"a":{"purpose":"x"}}})", "'streams.a.purpose'");
    row("answer", R"({"answer_sdp":"v=0","streams":{"a":{"purpose":"m.usermedia","audio_muted":1}}})",
        "'streams.a.audio_muted' must be true or false");
    row("answer", R"({"answer_sdp":"v=0","streams":{"a":{"purpose":"m.usermedia","video_muted":null}}})",
        "'streams.a.video_muted'");
    row("answer", R"({"answer_sdp":"v=0","streams":{"":{"purpose":"m.usermedia"}}})", "'streams' must have 1 to 255");
    row("answer", R"({"answer_sdp":"v=0","streams":)" + streams(1, QByteArray(254, 'i')) + '}', "");
    row("answer", R"({"answer_sdp":"v=0","streams":)" + streams(1, QByteArray(255, 'i')) + '}', "1 to 255");
    row("answer", R"({"answer_sdp":"v=0","streams":)" + streams(16) + '}', "");
    row("answer", R"({"answer_sdp":"v=0","streams":)" + streams(17) + '}', "'streams' must hold at most 16");
    row("answer", R"({"answer_sdp":"v=0","capabilities":true})", "'capabilities' must be an object");
    row("answer", R"({"answer_sdp":"v=0","capabilities":{"dtmf":"yes"}})", "'capabilities.dtmf' must be true or");
    row("answer", R"({"answer_sdp":"v=0","capabilities":{"transferee":1}})", "'capabilities.transferee'");
    row("negotiate", R"({"sdp":"v=0"})", "'type' is missing");
    row("negotiate", R"({"type":"rollback","sdp":"v=0"})", "'type' must be offer or answer");
    row("negotiate", R"({"type":"offer"})", "'sdp' is missing", "INVALID_SDP");
    row("negotiate", R"({"type":"offer","sdp":"hello"})", "'sdp' is not SDP", "INVALID_SDP");
    row("negotiate", R"({"type":"offer","sdp":"v=0","streams":1})", "'streams' must be an object");
    row("media", R"({})", "'audio_muted' and 'video_muted'");
    row("media", R"({"audio_muted":"yes"})", "'audio_muted' must be true or false");
    row("media", R"({"audio_muted":true,"video_muted":null})", "'video_muted' must be true or false");
    row("transfer", R"({})", "'target_user' and 'target_call'");
    row("transfer", R"({"target_user":"@c:t","target_call":"c2"})", "Exactly one of the fields");
    row("transfer", R"({"target_user":"carol"})", "'target_user' is not a Matrix user id", "INVALID_USER");
    row("transfer", R"({"target_user":7})", "'target_user' must be text");
    row("transfer", R"({"target_call":""})", "'target_call' must have 1 to 255");
    row("transfer", R"({"target_call":")" + QByteArray(256, 'c') + "\"}", "'target_call' must have 1 to 255");
    row("transfer-accept", R"({"initiator_sdp":"hello"})", "'initiator_sdp' is not SDP", "INVALID_SDP");
    row("transfer-accept", R"({"initiator_sdp":"v=0","media":1})", "'media' must be an object");
    row("transfer-accept", R"({"streams":1})", "'streams' must be an object");
    row("identity", R"({})", "'identity' is missing");
    row("identity", R"({"identity":"Carol"})", "'identity' must be an object or null");
    row("identity", R"({"identity":{}})", "'identity' needs 'id', 'display_name' or 'avatar_url'");
    row("identity", R"({"identity":{"id":7}})", "'identity.id' must be text of 1 to 255");
    row("identity", R"({"identity":{"display_name":")" + QByteArray(255, 'n') + "\"}}", "");
    row("identity", R"({"identity":{"display_name":")" + QByteArray(256, 'n') + "\"}}", "'identity.display_name'");
    row("identity", R"({"identity":{"avatar_url":""}})", "'identity.avatar_url'");
    row("reject", R"({"reason":7})", "'reason' must be text");
}

void TestMidCall::wrongRequests()
{
    QFETCH(QByteArray, action);
    QFETCH(QByteArray, body);
    QFETCH(QString, named);
    QFETCH(QString, code);
    const int status = post("/calls/c1/" + action, body);
    if (named.isEmpty()) {
        QCOMPARE(status, 200);
        return;
    }
    QCOMPARE(status, 400);
    QCOMPARE(m_answer.value(QStringLiteral("error")).toString(), code);
    const QString message = m_answer.value(QStringLiteral("message")).toString();
    QVERIFY2(message.contains(named), qPrintable(message));
    QVERIFY(m_full.said.isEmpty());
}

void TestMidCall::conflictsComeThrough()
{
    m_full.failure = QStringLiteral("NEGOTIATION_COLLISION");
    QCOMPARE(post("/calls/c1/negotiate", R"({"type":"offer","sdp":"v=0"})"), 409);
    QCOMPARE(m_answer.value(QStringLiteral("error")).toString(), m_full.failure);
    QCOMPARE(ask("GET", "/calls/c1/negotiate"), 405);
    QCOMPARE(post("/calls/c1/renegotiate", "{}"), 404);
}

// Also where CallService itself makes the change.
void TestMidCall::everyCallIsShownInFull()
{
    m_full.full.muted.video = true;
    const Conversation room =
        *m_full.openConversation(QStringLiteral("alice"), {QStringLiteral("@bob:test"), {}}).result();
    m_full.full.id =
        m_full.EchoCalls::place(QStringLiteral("alice"), room.id, {QStringLiteral("v=0"), {}, {}}).result()->call.id;
    const QByteArray call = "/calls/" + m_full.full.id.toUtf8();
    const auto muted = [this] { return m_answer.value(QStringLiteral("muted")).toObject(); };
    const QJsonObject shown{{QStringLiteral("audio"), false}, {QStringLiteral("video"), true}};
    QCOMPARE(post(call + "/ice-candidate", R"({"candidates":[{"candidate":""}]})"), 200);
    QCOMPARE(muted(), shown);
    QCOMPARE(post(call + "/media-state", R"({"state":"connected"})"), 200);
    QCOMPARE(muted(), shown);
    QCOMPARE(ask("GET", call), 200);
    QCOMPARE(muted(), shown);
    for (const char *path : {"/calls", "/calls/history"}) {
        QCOMPARE(ask("GET", path), 200);
        m_answer = m_answer.value(QStringLiteral("calls")).toArray().first().toObject();
        QCOMPARE(muted(), shown);
    }
    QCOMPARE(post("/calls/none/end", {}), 404);
    QCOMPARE(post(call + "/end", {}), 200);
    QCOMPARE(muted(), shown);
    m_full.failure = QStringLiteral("WRONG_STATE"); // done all the same
    QCOMPARE(post(call + "/end", {}), 200);
    QCOMPARE(m_answer.value(QStringLiteral("status")).toString(), QStringLiteral("ended"));

    m_full.repeats = true;
    QCOMPARE(post("/conversations/k/calls", R"({"initiator_sdp":"v=0"})"), 200);
}

void TestMidCall::acceptingATransferMakesACall()
{
    m_full.full.id = QStringLiteral("c2");
    m_full.full.replaces = QStringLiteral("c1");
    QCOMPARE(post("/calls/c1/transfer-accept", R"({"initiator_sdp":"v=0"})"), 201);
    QCOMPARE(m_answer.value(QStringLiteral("id")).toString(), QStringLiteral("c2"));
    QCOMPARE(m_answer.value(QStringLiteral("replaces")).toString(), QStringLiteral("c1"));
}

void TestMidCall::withoutMidCall()
{
    m_service = &m_plain;
    for (const QString &action : midCallActions()) {
        QCOMPARE(post("/calls/c1/" + action.toUtf8(), "{}"), 501);
        QCOMPARE(m_answer.value(QStringLiteral("error")).toString(), QStringLiteral("NOT_SUPPORTED"));
    }
    const Conversation room =
        *m_plain.openConversation(QStringLiteral("alice"), {QStringLiteral("@bob:test"), {}}).result();
    QCOMPARE(post("/conversations/" + room.id.toUtf8() + "/calls",
                  R"({"initiator_sdp":"v=0","capabilities":{"dtmf":true}})"),
             201);
    const QByteArray call = "/calls/" + m_answer.value(QStringLiteral("id")).toString().toUtf8();
    QVERIFY(!m_answer.contains(QStringLiteral("muted")));
    QCOMPARE(post(call + "/answer", R"({"answer_sdp":"v=0","streams":{"a":{"purpose":"m.usermedia"}}})"), 200);
    QCOMPARE(post(call + "/media-state", R"({"state":"connected"})"), 200);
    QCOMPARE(ask("GET", call), 200);
    QCOMPARE(ask("GET", "/calls"), 200);
    QCOMPARE(m_answer.value(QStringLiteral("calls")).toArray().size(), 1);
    QCOMPARE(post(call + "/reject", R"({"reason":"user_busy"})"), 200);
    QCOMPARE(m_answer.value(QStringLiteral("reason")).toString(), QStringLiteral("user_busy"));
    QCOMPARE(ask("GET", "/calls/history"), 200);
}

void TestMidCall::callObject()
{
    FullCall call;
    call.muted = {true, false};
    call.peerMedia = {false, true, true};
    call.peerCapabilities = {true, false};
    QJsonObject json = toJson(call);
    QCOMPARE(json.value(QStringLiteral("muted")).toObject(),
             (QJsonObject{{QStringLiteral("audio"), true}, {QStringLiteral("video"), false}}));
    QCOMPARE(json.value(QStringLiteral("peer_media")).toObject(), (QJsonObject{{QStringLiteral("audio_muted"), false},
                                                                               {QStringLiteral("video_muted"), true},
                                                                               {QStringLiteral("held"), true}}));
    QCOMPARE(json.value(QStringLiteral("peer_capabilities")).toObject(),
             (QJsonObject{{QStringLiteral("transferee"), true}, {QStringLiteral("dtmf"), false}}));
    QVERIFY(!json.contains(QStringLiteral("replaces")));
    QVERIFY(!json.contains(QStringLiteral("identity")));
    call.replaces = QStringLiteral("c0");
    call.identity = Identity{QStringLiteral("@carol:test"), {}, {}};
    json = toJson(call);
    QCOMPARE(json.value(QStringLiteral("replaces")).toString(), QStringLiteral("c0"));
    QCOMPARE(json.value(QStringLiteral("identity")).toObject(),
             (QJsonObject{{QStringLiteral("id"), QStringLiteral("@carol:test")}}));
}

void TestMidCall::newNoticesHaveNames()
{
    QCOMPARE(toString(NoticeKind::NegotiationFailed), QStringLiteral("call.negotiation_failed"));
    QCOMPARE(toString(NoticeKind::IdentityChanged), QStringLiteral("call.identity_changed"));
    QCOMPARE(toString(NoticeKind::TransferRequested), QStringLiteral("call.transfer_requested"));
    QCOMPARE(toString(NoticeKind::TransferFailed), QStringLiteral("call.transfer_failed"));
    QCOMPARE(toString(NoticeKind::RejectedLocally), QStringLiteral("call.rejected_locally"));
    // Their numbers stand in plugins that were built before: new ones come at the end.
    QCOMPARE(static_cast<int>(NoticeKind::Unavailable), 8);
    QCOMPARE(static_cast<int>(NoticeKind::RejectedLocally), 13);
    QCOMPARE(toString(NoticeKind::Undecryptable), QStringLiteral("call.undecryptable"));
    QCOMPARE(static_cast<int>(NoticeKind::Undecryptable), 14);
}

// All kinds that have a name; a kind of a newer plugin is passed over, and does not stop what follows.
void TestMidCall::newNoticesAreStreamed()
{
    RawClient client(m_server->port());
    client.request("GET", "/events");
    QTRY_VERIFY(client.received.contains("retry: "));
    CallNotice notice;
    notice.userId = people.first().id;
    QByteArrayList names;
    for (const NoticeKind kind :
         {NoticeKind::Negotiate, static_cast<NoticeKind>(99), NoticeKind::MediaChanged, NoticeKind::NegotiationFailed,
          NoticeKind::IdentityChanged, NoticeKind::TransferRequested, NoticeKind::TransferFailed,
          NoticeKind::RejectedLocally, NoticeKind::Undecryptable}) {
        ++notice.id;
        notice.kind = kind;
        if (!toString(kind).isEmpty())
            names.append("id: " + QByteArray::number(notice.id) + "\nevent: " + toString(kind).toUtf8());
        Q_EMIT m_full.noticed(notice);
    }
    QCOMPARE(names.size(), 8);
    QTRY_VERIFY(client.received.contains(names.last() + '\n'));
    for (const QByteArray &name : names)
        QVERIFY2(client.received.contains(name + '\n'), name.constData());
    QCOMPARE(client.received.count("event: "), 8);
}

// A plugin that was built before MidCall passes these by value: with a field more or less this does not compile.
void TestMidCall::releasedStructsStayAsTheyAre()
{
    const auto [id, conversation, direction, peer, status, created, answered, ended, reason, media, room, matrixId,
                party] = Call();
    const auto [sdp, wanted, key] = PlaceRequest();
    const auto [call, repeated] = Placed();
    const auto [noticeId, seq, user, noticeCall, noticeConversation, kind, data, at, again] = CallNotice();
    QVERIFY(id.isEmpty() && sdp.isEmpty() && !repeated && seq == 0);
}

QTEST_GUILESS_MAIN(TestMidCall)
#include "tst_midcall.moc"
