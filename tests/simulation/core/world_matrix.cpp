// SPDX-License-Identifier: Apache-2.0
// What comes from Matrix: Bob's devices, Eve, another device of our user; v0 and v1, sensible and not.
#include "world.h"

#include <QJsonArray>

namespace simulation
{

namespace
{

const QString us = QStringLiteral("@nova_alice:test");
const QString bob = QStringLiteral("@bob:test");
const QString eve = QStringLiteral("@eve:test");

} // namespace

QString World::sdp(bool offer)
{
    QString text = QStringLiteral("v=0\r\no=- %1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
                                  "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=%2\r\na=msid:s%3 t\r\n")
                       .arg(offer ? m_placed : 100'000 + ++m_sdps)
                       .arg(pick({"sendrecv", "sendrecv", "sendonly", "inactive", "recvonly"}))
                       .arg(below(2));
    if (chance(90))
        text += QStringLiteral("a=mid:0\r\n");
    if (chance(20))
        text +=
            QStringLiteral("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendrecv\r\na=msid:s%1 v\r\n").arg(below(3));
    if (chance(20))
        text += QStringLiteral("a=candidate:1 1 udp 100 192.168.0.7 5001 typ host\r\n");
    if (chance(30))
        text += QStringLiteral("a=end-of-candidates\r\n");
    return text;
}

QJsonObject World::candidate(bool ours)
{
    if (chance(15))
        return {{QStringLiteral("candidate"), QString()}};
    const QString address = pick({"127.0.0.1", "192.168.0.7", "10.1.2.3", "203.0.113.9", "b.local", "fe80::1"});
    QJsonObject object{
        {QStringLiteral("candidate"),
         QStringLiteral("candidate:%1 1 udp 100 %2 %3 typ host").arg(below(4)).arg(address).arg(ours ? 5001 : 4001)}};
    if (chance(85))
        object.insert(QStringLiteral("sdpMid"), QStringLiteral("0"));
    if (chance(60) || (ours && object.size() == 1 && chance(90)))
        object.insert(QStringLiteral("sdpMLineIndex"), 0);
    return object;
}

QJsonObject World::streams()
{
    QJsonObject all;
    for (int i = below(3); i >= 0; --i) {
        all.insert(QStringLiteral("s%1").arg(i),
                   QJsonObject{{QStringLiteral("purpose"), pick({"m.usermedia", "m.screenshare", "m.usermedia", "x"})},
                               {QStringLiteral("audio_muted"), chance(30)},
                               {QStringLiteral("video_muted"), chance(50)}});
    }
    return all;
}

QJsonObject World::envelope(const Call &call)
{
    QJsonObject content{{QStringLiteral("call_id"), call.matrixId}};
    if (call.v0 && !chance(15)) // some say "1" later on
        content.insert(QStringLiteral("version"), 0);
    else
        content.insert(QStringLiteral("version"), chance(95) ? QJsonValue(QStringLiteral("1")) : QJsonValue(2));
    if (content.value(QLatin1String("version")) != 0 && !chance(3))
        content.insert(QStringLiteral("party_id"), chance(90) ? call.device : pick({"ONE", "TWO", "OTHER"}));
    return content;
}

void World::remoteInvite()
{
    Call fresh;
    fresh.room = room();
    fresh.opponent = chance(85) ? bob : chance(60) ? eve : us;
    fresh.device = pick({"ONE", "TWO"});
    fresh.v0 = chance(12);
    // Always lesser or always greater than what we draw ourselves, so that glare does not hang on our own call id.
    fresh.matrixId = pick({"-", "~"}) + QStringLiteral("c%1").arg(m_calls.size());
    if (!m_oneOfEach && chance(12) && !m_calls.isEmpty())
        fresh.matrixId = m_calls[below(static_cast<int>(m_calls.size()))].matrixId; // taken already
    QJsonObject content = envelope(fresh);
    content.insert(QStringLiteral("offer"),
                   QJsonObject{{QStringLiteral("type"), QStringLiteral("offer")}, {QStringLiteral("sdp"), sdp(false)}});
    content.insert(QStringLiteral("lifetime"), chance(85) ? 60'000 : below(200'000));
    if (chance(70))
        content.insert(QStringLiteral("invitee"), chance(92) ? us : pick({"@nova_dave:test", "@bob:test"}));
    if (chance(40))
        content.insert(chance(70) ? QStringLiteral("sdp_stream_metadata")
                                  : QStringLiteral("org.matrix.msc3077.sdp_stream_metadata"),
                       streams());
    if (chance(40))
        content.insert(QStringLiteral("capabilities"), QJsonObject{{QStringLiteral("m.call.transferee"), chance(60)},
                                                                   {QStringLiteral("m.call.dtmf"), chance(50)}});
    m_calls.push_back(fresh);
    if (chance(8))
        beforeTheInvite(fresh);
    post(QStringLiteral("m.call.invite"), fresh.opponent, fresh.room, content);
    const Call talk = fresh;
    if (chance(50)) {
        QJsonObject more = envelope(talk);
        more.insert(QStringLiteral("candidates"), QJsonArray{candidate(false), candidate(false)});
        post(QStringLiteral("m.call.candidates"), talk.opponent, talk.room, more);
    }
}

// What overtakes its invite, said by whoever.
void World::beforeTheInvite(const Call &call)
{
    QJsonObject content = envelope(call);
    content.insert(QStringLiteral("selected_party_id"), pick({"ONE", "TWO", "OTHER"}));
    content.insert(QStringLiteral("candidates"), QJsonArray{candidate(false)});
    const QString type = pick({"m.call.select_answer", "m.call.candidates", "m.call.hangup", "m.call.reject"});
    post(type, chance(60) ? call.opponent : pick({"@eve:test", "@bob:test", "@nova_alice:test"}), call.room, content);
}

// What becomes of a description of ours: Bob answers it, or offers himself at the same time.
void World::replyTo(const QJsonObject &negotiate)
{
    const QJsonObject ours = negotiate.value(QLatin1String("content")).toObject();
    const bool answer = chance(m_trickles ? 70 : 40);
    const bool offered = word(ours.value(QLatin1String("description")).toObject(), "type") == QLatin1String("offer");
    for (const Call &known : std::as_const(m_calls)) {
        if (!offered || known.matrixId != word(ours, "call_id") || !chance(50))
            continue;
        QJsonObject content = envelope(known);
        content.insert(
            QStringLiteral("description"),
            QJsonObject{{QStringLiteral("type"), answer ? QStringLiteral("answer") : QStringLiteral("offer")},
                        {QStringLiteral("sdp"), sdp(false)}});
        content.insert(QStringLiteral("lifetime"), chance(m_trickles ? 70 : 30) ? 60'000 : below(3000));
        m_waiting.push_back({m_t + below(answer ? 2500 : 300),
                             {{QStringLiteral("type"), QStringLiteral("m.call.negotiate")},
                              {QStringLiteral("event_id"), QStringLiteral("$%1").arg(++m_events)},
                              {QStringLiteral("sender"), known.opponent},
                              {QStringLiteral("room_id"), known.room},
                              {QStringLiteral("unsigned"), QJsonObject{{QStringLiteral("age"), below(400)}}},
                              {QStringLiteral("content"), content}}});
        return;
    }
}

void World::remoteAct()
{
    Call *known = call();
    if (!known || chance(m_calm ? 5 : 12))
        return remoteInvite();
    if (known->ours && !known->answered && chance(70))
        return answerOurs(*known);
    remoteTalk(*known);
}

void World::answerOurs(Call &call)
{
    Call by = call;
    by.opponent = chance(90) ? bob : pick({"@eve:test", "@nova_alice:test"});
    by.device = chance(70) ? call.device : pick({"ONE", "TWO"});
    by.v0 = chance(8);
    QJsonObject content = envelope(by);
    const int what = below(m_calm ? 7 : 10);
    if (what < 6) {
        content.insert(QStringLiteral("answer"), QJsonObject{{QStringLiteral("type"), QStringLiteral("answer")},
                                                             {QStringLiteral("sdp"), sdp(false)}});
        if (chance(40))
            content.insert(QStringLiteral("capabilities"), QJsonObject{{QStringLiteral("m.call.transferee"), true}});
        call.device = by.device;
        return post(QStringLiteral("m.call.answer"), by.opponent, call.room, content);
    }
    if (what < 8)
        return post(by.v0 ? QStringLiteral("m.call.hangup") : QStringLiteral("m.call.reject"), by.opponent, call.room,
                    content);
    content.insert(QStringLiteral("reason"), pick({"user_busy", "user_hangup", "unimplemented", "needs_matrixrtc"}));
    post(chance(50) ? QStringLiteral("m.call.hangup")
                    : pick({"m.call.reject_locally", "org.matrix.msc4220.call.reject_locally"}),
         by.opponent, call.room, content);
}

void World::remoteTalk(Call &call)
{
    QJsonObject content = envelope(call);
    const QString sender =
        chance(m_stranger ? 60 : 92) ? call.opponent : pick({"@bob:test", "@eve:test", "@nova_alice:test"});
    const auto say = [&](const char *type) { post(QString::fromLatin1(type), sender, call.room, content); };
    const int what = below(100);
    if (what < 22) {
        QJsonArray list;
        for (int i = below(3); i >= 0; --i)
            list.append(candidate(false));
        content.insert(QStringLiteral("candidates"), list);
        return say("m.call.candidates");
    }
    if (what < (m_calm ? 26 : 36)) {
        if (chance(80))
            content.insert(QStringLiteral("reason"),
                           pick({"user_hangup", "user_busy", "replaced", "ice_failed", "odd"}));
        return say("m.call.hangup");
    }
    if (what < 46) {
        content.insert(QStringLiteral("selected_party_id"),
                       chance(75) && !call.party.isEmpty() ? call.party : pick({"ONE", "TWO", "OTHER"}));
        return say("m.call.select_answer");
    }
    if (what < 66) {
        content.insert(QStringLiteral("description"), QJsonObject{{QStringLiteral("type"), pick({"offer", "answer"})},
                                                                  {QStringLiteral("sdp"), sdp(false)}});
        content.insert(QStringLiteral("lifetime"), chance(90) ? 60'000 : below(2000));
        return say("m.call.negotiate");
    }
    if (what < 72) {
        content.insert(QStringLiteral("sdp_stream_metadata"), streams());
        return say(chance(50) ? "m.call.sdp_stream_metadata_changed" : "org.matrix.call.sdp_stream_metadata_changed");
    }
    if (what < 77) {
        content.insert(QStringLiteral("asserted_identity"),
                       chance(70) ? QJsonValue(QJsonObject{{QStringLiteral("display_name"), QStringLiteral("Carol")}})
                                  : QJsonValue());
        return say(chance(50) ? "m.call.asserted_identity" : "org.matrix.call.asserted_identity");
    }
    if (what < 84) {
        content.insert(QStringLiteral("replacement_id"), QStringLiteral("r%1").arg(below(3)));
        content.insert(chance(70) ? QStringLiteral("create_call") : QStringLiteral("await_call"),
                       QStringLiteral("-new%1").arg(below(9)));
        content.insert(QStringLiteral("target_user"),
                       QJsonObject{{QStringLiteral("id"), pick({"@carol:test", "@bob:test"})}});
        if (chance(60))
            content.insert(QStringLiteral("lifetime"), 30'000);
        return say("m.call.replaces");
    }
    if (what < 88) {
        content.insert(QStringLiteral("replacement_id"), QStringLiteral("r%1").arg(below(3)));
        return say("m.call.reject_replacement");
    }
    if (what < 94) { // another device of our user deals with it
        const QString type = pick({"m.call.answer", "m.call.reject", "m.call.hangup"});
        content.insert(QStringLiteral("party_id"), QStringLiteral("OUROTHER"));
        content.insert(QStringLiteral("answer"), QJsonObject{{QStringLiteral("sdp"), sdp(false)}});
        return post(type, us, call.room, content);
    }
    say(chance(50) ? "m.call.reject" : "m.call.answer");
}

// Echoes of ours, what is redacted, undecryptable, unknown, or has wrong fields.
void World::nonsense()
{
    if (!m_echoes.isEmpty() && chance(50)) {
        const QJsonObject echo = m_echoes[below(static_cast<int>(m_echoes.size()))];
        const auto word = [&echo](const char *key) { return echo.value(QLatin1String(key)).toString(); };
        return post(word("type"), us, word("room_id"), echo.value(QLatin1String("content")).toObject());
    }
    const Call *known = call();
    QJsonObject content = known ? envelope(*known) : QJsonObject();
    const QString type = pick({"m.call.hangup", "m.call.invite", "m.call.negotiate", "m.call.unheard_of",
                               "m.room.encrypted", "m.call.candidates", "m.call.replaces", "m.call.answer"});
    if (chance(40))
        content = {};
    else if (chance(50))
        content.insert(QStringLiteral("call_id"), pick({"c c", "", "\u00e4"}));
    else
        content.insert(QStringLiteral("candidates"), QJsonArray{1, QStringLiteral("x"), QJsonObject()});
    post(type, bob, room(), content);
}

void World::membership()
{
    const QString who = chance(60) ? bob : pick({"@eve:test", "@nova_alice:test"});
    const QString what = pick({"join", "join", "invite", "leave", "ban", "knock"});
    const QString where = room();
    if (chance(30)) {
        QJsonObject members{{us, QStringLiteral("join")}};
        if (chance(80))
            members.insert(bob, QStringLiteral("join"));
        return feed({{QStringLiteral("in"), QStringLiteral("snapshot")},
                     {QStringLiteral("room_id"), where},
                     {QStringLiteral("members"), members},
                     {QStringLiteral("join_rule"), chance(90) ? QStringLiteral("invite") : QStringLiteral("public")}});
    }
    if (chance(40))
        return feed({{QStringLiteral("in"), QStringLiteral("member")},
                     {QStringLiteral("user"), who},
                     {QStringLiteral("membership"), what},
                     {QStringLiteral("room_id"), where}});
    QJsonObject event{{QStringLiteral("type"), QStringLiteral("m.room.member")},
                      {QStringLiteral("event_id"), QStringLiteral("$%1").arg(++m_events)},
                      {QStringLiteral("sender"), bob},
                      {QStringLiteral("state_key"), who},
                      {QStringLiteral("room_id"), where},
                      {QStringLiteral("content"), QJsonObject{{QStringLiteral("membership"), what}}}};
    m_waiting.push_back({m_t, event});
    deliver(false);
}

} // namespace simulation
