// SPDX-License-Identifier: Apache-2.0
#include "peer.h"

#include <QJsonArray>

namespace bridgesim
{

namespace
{

QJsonObject description(const char *type, const QString &sdp)
{
    return {{QStringLiteral("type"), QLatin1String(type)}, {QStringLiteral("sdp"), sdp}};
}

QString word(const QJsonObject &content, const char *key)
{
    return content.value(QLatin1String(key)).toString();
}

constexpr qint64 ringsForAtMost = 90'000;
constexpr qint64 silence = 60'000;

} // namespace

QString sdpOf(int story, const char *role)
{
    return QStringLiteral(
               "v=0\r\no=- %1 2 IN IP4 127.0.0.1\r\ns=story-%1-%2\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF "
               "111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:u\r\na=ice-pwd:icesecret\r\na=mid:0\r\na=sendrecv\r\n")
        .arg(story)
        .arg(QLatin1String(role));
}

int storyIn(const QString &sdp)
{
    const qsizetype at = sdp.indexOf(QLatin1String("s=story-"));
    if (at < 0)
        return -1;
    const qsizetype end = sdp.indexOf(u'-', at + 8);
    return sdp.mid(at + 8, end - at - 8).toInt();
}

Peer::Peer(Ground ground, int number, const Plan &plan, Chance chance)
    : m_ground(ground), m_plan(plan), m_id(QStringLiteral("@peer%1:%2").arg(number).arg(Homeserver::server)),
      m_chance(chance)
{
    if (!isEncrypted(ground.options))
        return;
    m_devices = std::make_unique<PeerDevices>(ground, number, m_id, chance.part(1));
    m_devices->onRead = [this](const RoomEvent &event) { see(event); };
}

Chance Peer::draws(int story, quint64 what) const
{
    for (const Story &one : m_plan.stories) {
        if (one.number == story)
            return Chance(one.seed).part(what);
    }
    return Chance(what);
}

Peer::Call *Peer::find(const QString &callId)
{
    const auto found = m_calls.find(callId);
    return found == m_calls.end() ? nullptr : &found->second;
}

void Peer::send(const Call &call, const char *type, QJsonObject content, const QString &party)
{
    const bool sealed = m_ground.server.isEncrypted(call.room);
    if (sealed && !m_devices) {
        const QJsonObject sealed{{QStringLiteral("algorithm"), QStringLiteral("m.megolm.v1.aes-sha2")},
                                 {QStringLiteral("ciphertext"), QStringLiteral("AwgA")},
                                 {QStringLiteral("session_id"), QStringLiteral("s")},
                                 {QStringLiteral("device_id"), call.party},
                                 {QStringLiteral("sender_key"), QStringLiteral("k")}};
        m_ground.server.post(m_id, call.room, QStringLiteral("m.room.encrypted"), sealed);
        return;
    }
    content.insert(QStringLiteral("call_id"), call.id);
    if (call.version == 0) {
        content.insert(QStringLiteral("version"), 0);
    } else {
        content.insert(QStringLiteral("version"), QStringLiteral("1"));
        content.insert(QStringLiteral("party_id"), party.isEmpty() ? call.party : party);
    }
    if (sealed)
        m_devices->send(call.room, party.isEmpty() ? call.party : party, QLatin1String(type), content);
    else
        m_ground.server.post(m_id, call.room, QLatin1String(type), content);
}

void Peer::over(Call &call)
{
    call.state = State::Over;
}

// What a client that is broken, or hostile, may say.
void Peer::talkNonsense(const QString &room, Chance &chance)
{
    const QJsonValue known = m_calls.empty() ? QJsonValue(7) : QJsonValue(m_calls.rbegin()->first);
    const QString one = QStringLiteral("1");
    const QList<std::pair<const char *, QJsonObject>> sayings{
        {"m.call.invite", {}},
        {"m.call.invite", {{"call_id", 7}, {"offer", "x"}, {"lifetime", "long"}, {"version", QJsonArray{}}}},
        {"m.call.invite", {{"call_id", QString(300, u'x')}, {"lifetime", -1e300}, {"version", one}, {"party_id", one}}},
        {"m.call.invite", {{"call_id", known}, {"lifetime", 1e300}, {"offer", QJsonObject{{"sdp", 1}}}}},
        {"m.call.answer", {{"call_id", known}, {"answer", QJsonValue()}, {"party_id", "elsewhere"}, {"version", one}}},
        {"m.call.candidates", {{"call_id", known}, {"candidates", QJsonArray{1, QJsonValue(), QJsonObject{}}}}},
        {"m.call.select_answer", {{"call_id", known}, {"selected_party_id", QJsonObject{}}, {"version", one}}},
        {"m.call.hangup", {{"call_id", QJsonValue()}, {"reason", QJsonArray{QJsonArray{}}}}},
        {"m.call.negotiate", {{"call_id", known}, {"description", QJsonArray{}}, {"lifetime", 0}, {"version", 1e9}}},
        {"m.call.unheard_of", {{"call_id", known}}},
        {"m.room.encrypted", {{"ciphertext", QString(100'000, u'A')}}},
    };
    const auto &[type, content] = sayings.at(chance.below(static_cast<int>(sayings.size())));
    m_ground.server.post(m_id, room, QLatin1String(type), content);
}

// --- it calls ------------------------------------------------------------------------------------------------------

QString Peer::makeRoom(const QString &ghost)
{
    const QString room = m_ground.server.makeRoom(m_id, ghost);
    if (m_devices && m_chance.percent(70))
        m_ground.server.encrypt(room, m_id);
    return room;
}

void Peer::place(const Story &story)
{
    Chance chance = draws(story.number, 10);
    const QString ghost = ghostOf(story.user);
    QString room = m_ground.server.roomOf(m_id, ghost);
    if (room.isEmpty())
        room = makeRoom(ghost);
    if (chance.percent(10))
        talkNonsense(room, chance);
    Call call;
    call.id = QStringLiteral("%1%2c%3").arg(chance.below(10)).arg(m_id.mid(1, 5)).arg(++m_made);
    call.room = room;
    call.other = ghost;
    call.party = QStringLiteral("DEVICE%1").arg(chance.below(2));
    call.state = State::Calling;
    call.story = story.number;
    call.version = chance.percent(10) ? 0 : 1;
    const qint64 lifetime = chance.percent(80) ? 60'000 : chance.between(4000, ringsForAtMost);
    const QString id = call.id;
    m_calls.insert({id, call});
    m_ground.trace.note("peer calls", m_id + u' ' + ghost, id, story.number);
    QJsonObject content{{QStringLiteral("lifetime"), static_cast<double>(lifetime)},
                        {QStringLiteral("offer"), description("offer", sdpOf(story.number, "offer"))}};
    if (chance.percent(80))
        content.insert(QStringLiteral("invitee"), ghost);
    send(call, "m.call.invite", content);
    for (int i = chance.below(3); i > 0; --i)
        m_ground.loop.after(chance.between(5, 2500), [this, id] { candidates(id); });
    m_ground.loop.after(lifetime, [this, id] { // to be said: others may not have a clock (R31)
        if (Call *mine = find(id); mine && mine->state == State::Calling)
            hangUp(id, "invite_timeout");
    });
    if (chance.percent(15))
        m_ground.loop.after(chance.percent(40) ? chance.between(0, 100) : chance.between(100, 20'000), [this, id] {
            if (Call *mine = find(id); mine && mine->state == State::Calling)
                hangUp(id, "user_hangup");
        });
}

void Peer::candidates(const QString &callId)
{
    Call *call = find(callId);
    if (!call || call->state == State::Over || call->state == State::Ringing)
        return;
    const QString line = QStringLiteral("candidate:1 1 UDP 1 10.0.0.%1 9 typ host").arg(m_chance.below(250));
    const QJsonObject candidate{{QStringLiteral("candidate"), line}, {QStringLiteral("sdpMid"), QStringLiteral("0")}};
    send(*call, "m.call.candidates", {{QStringLiteral("candidates"), QJsonArray{candidate}}});
}

void Peer::hangUp(const QString &callId, const char *reason)
{
    Call *call = find(callId);
    if (!call || call->state == State::Over)
        return;
    over(*call);
    send(*call, "m.call.hangup", {{QStringLiteral("reason"), QLatin1String(reason)}});
}

void Peer::hangUpLater(const QString &callId, qint64 after)
{
    m_ground.loop.after(after, [this, callId] { hangUp(callId, "user_hangup"); });
}

// --- it is called --------------------------------------------------------------------------------------------------

void Peer::seeInvite(const RoomEvent &event)
{
    const QJsonObject &content = event.content;
    const QString id = word(content, "call_id");
    if (find(id)) // or it would destroy a call that it knows
        return;
    Call call;
    call.id = id;
    call.room = event.roomId;
    call.other = event.sender;
    call.invite = event.id;
    call.state = State::Ringing;
    call.story = storyIn(word(content.value(QLatin1String("offer")).toObject(), "sdp"));
    const qint64 lifetime = content.value(QLatin1String("lifetime")).toInteger();
    const qint64 left = event.at + lifetime - m_ground.loop.now();
    Chance chance = draws(call.story, 11);
    call.party = QStringLiteral("DEVICE%1").arg(chance.below(2));
    call.version = chance.percent(10) ? 0 : 1;
    const auto crossing = std::find_if(m_calls.begin(), m_calls.end(), [&](const auto &entry) {
        return entry.second.state == State::Calling && entry.second.room == event.roomId &&
               entry.second.other == event.sender;
    });
    const bool glare = crossing != m_calls.end();
    const bool stays = glare && crossing->first < id;
    if (left <= 0 || stays)
        call.state = State::Over;
    m_calls.insert({id, call});
    if (call.state == State::Over)
        return;
    if (glare) { // the one with the lesser id is the one that stands
        hangUp(QString(crossing->first), "replaced");
        return answer(id, 0);
    }
    m_ground.loop.after(left, [this, id] {
        if (Call *mine = find(id); mine && mine->state == State::Ringing) {
            over(*mine);
            mine->rangOut = true;
        }
    });
    const int makes = chance.below(100);
    const qint64 when = chance.percent(15) ? chance.between(0, 50) : chance.between(50, 12'000);
    if (makes < 66) {
        m_ground.loop.after(when, [this, id] { answer(id, 0); });
        if (makes < 6) // the other device, too
            m_ground.loop.after(when + chance.between(0, 300), [this, id] { answer(id, 1); });
    } else if (makes < 78) {
        m_ground.loop.after(when, [this, id] {
            if (Call *mine = find(id); mine && mine->state == State::Ringing) {
                over(*mine);
                const bool old = mine->version == 0;
                send(*mine, old ? "m.call.hangup" : "m.call.reject", {});
            }
        });
    } else if (makes < 82) {
        m_ground.loop.after(when, [this, id] { hangUp(id, "user_busy"); });
    } // the others let it ring
}

void Peer::answer(const QString &callId, int device)
{
    Call *call = find(callId);
    if (!call || (call->state != State::Ringing && device == 0) || call->state == State::Over)
        return;
    const QString party = device == 0 ? call->party : call->party + QStringLiteral("x");
    if (device == 0) {
        call->state = State::Answered;
    }
    send(*call, "m.call.answer", {{QStringLiteral("answer"), description("answer", sdpOf(call->story, "answer"))}},
         party);
    if (device != 0)
        return;
    m_ground.loop.after(silence, [this, callId] { noticeSilence(callId); });
    Chance chance = draws(call->story, 12);
    for (int i = chance.below(3); i > 0; --i)
        m_ground.loop.after(chance.between(5, 1500), [this, callId] { candidates(callId); });
    if (chance.percent(50))
        hangUpLater(callId, chance.between(200, 40'000));
}

// Media does not come about with nobody on the other side: any client hangs up then.
void Peer::noticeSilence(const QString &callId)
{
    const Call *call = find(callId);
    if (!call || call->state != State::Answered)
        return;
    const auto &calls = m_ground.database.lane(call->other).calls;
    const bool there = std::any_of(calls.cbegin(), calls.cend(), [&callId](const Database::Row &row) {
        return row.call.matrixId == callId && row.call.live();
    });
    if (!there)
        hangUp(callId, "ice_failed");
}

// --- what comes ----------------------------------------------------------------------------------------------------

void Peer::see(const RoomEvent &event)
{
    if (m_devices && event.type == QLatin1String("m.room.encrypted"))
        return m_devices->see(event);
    if (!event.type.startsWith(QLatin1String("m.call.")))
        return;
    if (event.type == QLatin1String("m.call.invite"))
        return seeInvite(event);
    const QJsonObject &content = event.content;
    Call *call = find(word(content, "call_id"));
    if (call && event.type == QLatin1String("m.call.hangup"))
        call->rangOut = false;
    if (!call || call->state == State::Over)
        return;
    if (event.type == QLatin1String("m.call.hangup")) {
        over(*call);
    } else if (event.type == QLatin1String("m.call.reject")) {
        if (call->state == State::Calling)
            over(*call);
    } else if (event.type == QLatin1String("m.call.answer")) {
        if (call->state != State::Calling)
            return;
        call->state = State::Talking;
        if (call->version > 0)
            send(*call, "m.call.select_answer", {{QStringLiteral("selected_party_id"), word(content, "party_id")}});
        Chance chance = draws(call->story, 13);
        if (chance.percent(50))
            hangUpLater(call->id, chance.between(200, 40'000));
    } else if (event.type == QLatin1String("m.call.select_answer")) {
        if (call->state != State::Answered)
            return;
        if (word(content, "selected_party_id") == call->party)
            call->state = State::Talking;
        else
            over(*call); // another device of ours
    }
}

QString Peer::leftOver() const
{
    QString said = m_devices ? m_devices->leftOver() : QString();
    for (const auto &[id, call] : m_calls) {
        if (m_devices ? m_devices->isDeaf(call.room) : m_ground.server.isEncrypted(call.room))
            continue; // the bridge has no words there any more
        // Of what it sealed a bridge does not see that it comes late (README).
        const bool late = m_devices && m_ground.judge.wasLate(call.invite);
        if (call.rangOut && !late && !m_ground.judge.clockLeapt)
            said += QStringLiteral("%1 %2 rang in %3, and nobody said that it is over; ").arg(m_id, id, call.room);
        if (call.state != State::Over)
            said += QStringLiteral("%1 %2 %3 in %4; ")
                        .arg(m_id, id,
                             call.state == State::Ringing   ? QStringLiteral("rings")
                             : call.state == State::Calling ? QStringLiteral("calls")
                                                            : QStringLiteral("talks"),
                             call.room);
    }
    return said;
}

} // namespace bridgesim
