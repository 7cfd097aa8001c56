// SPDX-License-Identifier: Apache-2.0
// What the host's user does, and what becomes of sends.
#include "world.h"

#include <QJsonArray>

#include <algorithm>

namespace simulation
{

void World::hostPlace()
{
    ++m_placed;
    QJsonObject line{{QStringLiteral("in"), QStringLiteral("host")},
                     {QStringLiteral("do"), QStringLiteral("place")},
                     {QStringLiteral("call"), QStringLiteral("h%1").arg(m_placed)},
                     {QStringLiteral("sdp"), chance(98) ? sdp(true) : QStringLiteral("hello")},
                     {QStringLiteral("room_id"), room()},
                     {QStringLiteral("media"), QJsonObject{{QStringLiteral("video"), chance(30)}}}};
    if (abilities().newSettings && chance(30))
        line.insert(QStringLiteral("capabilities"), QJsonObject{{QStringLiteral("transferee"), true}});
    feed(line);
    if (chance(5)) {
        pass(below(150));
        die();
    }
}

void World::hostAct()
{
    Call *known = call();
    if (!known || known->hostId.isEmpty() || chance(m_calm ? 3 : 12))
        return chance(60) ? hostPlace() : remoteInvite();
    if (chance(3)) {
        Call nobody = *known;
        nobody.hostId = QStringLiteral("nobody");
        return hostFlow(nobody);
    }
    hostFlow(*known);
}

// Mostly what makes sense for a call of that kind.
void World::hostFlow(Call &call)
{
    const auto act = [this, &call](const char *what, QJsonObject fields = {}) {
        fields.insert(QStringLiteral("in"), QStringLiteral("host"));
        fields.insert(QStringLiteral("do"), QString::fromLatin1(what));
        fields.insert(QStringLiteral("call"), call.hostId);
        feed(fields);
    };
    if (!call.ours && !call.answered && chance(60)) {
        if (chance(75)) {
            call.answered = true;
            return act("answer", {{QStringLiteral("sdp"), sdp(false)}});
        }
        QJsonObject fields;
        if (chance(50))
            fields.insert(QStringLiteral("reason"), pick({"user_busy", "ignore", "rejected"}));
        return act("reject", fields);
    }
    if (m_calm && call.ours && !call.answered && chance(60))
        return answerOurs(call); // there is little that could be done with it
    if (call.asked && chance(50)) {
        call.asked = false;
        m_saidLast.insert(call.hostId, sdp(false));
        return act("negotiate", {{QStringLiteral("type"), QStringLiteral("answer")},
                                 {QStringLiteral("sdp"), m_saidLast.value(call.hostId)}});
    }
    if (m_calm && call.answered && !call.hostId.isEmpty() && chance(10))
        return hostBurst(call.hostId);
    const int what = below(100);
    if (what < 25)
        return act("candidates", {{QStringLiteral("candidates"), candidates()}});
    if (what < (m_calm ? 35 : 45))
        return act("media-state", {{QStringLiteral("state"),
                                    chance(80) ? QStringLiteral("connected") : pick({"failed", "disconnected"})}});
    if (what < (m_calm ? 37 : 60)) {
        QJsonObject fields;
        if (chance(50))
            fields.insert(QStringLiteral("reason"),
                          pick({"user_hangup", "user_busy", "ice_failed", "user_media_failed"}));
        return act("end", fields);
    }
    if (what < (m_calm ? 40 : 66))
        return act(chance(50) ? "answer" : "reject", {{QStringLiteral("sdp"), sdp(false)}});
    hostMidCall(call);
}

// Much at once: candidates, a new offer, and its candidates, while the outbox is at work.
void World::hostBurst(QString hostId)
{
    for (const char *what : {"candidates", "candidates", "negotiate", "candidates", "candidates"}) {
        QJsonObject line{{QStringLiteral("in"), QStringLiteral("host")},
                         {QStringLiteral("do"), QString::fromLatin1(what)},
                         {QStringLiteral("call"), hostId}};
        if (word(line, "do") == QLatin1String("candidates")) {
            line.insert(QStringLiteral("candidates"), candidates());
        } else {
            line.insert(QStringLiteral("type"), QStringLiteral("offer"));
            line.insert(QStringLiteral("sdp"), sdp(false));
        }
        if (m_run->complaint())
            return;
        feed(line);
        pass(below(chance(50) ? 100 : 900));
        if (!m_refs.isEmpty() && chance(60))
            outbox();
    }
}

// A few, or so many that they do not fit into one event.
QJsonArray World::candidates()
{
    QJsonArray list;
    if (!chance(6)) {
        for (int i = below(4); i >= 0; --i)
            list.append(candidate(true));
        return list;
    }
    const int from = 10'000 + below(3) * 100;
    for (int port = from; port < from + 60 + below(90); ++port) {
        list.append(QJsonObject{
            {QStringLiteral("candidate"),
             QStringLiteral("candidate:1 1 udp 100 203.0.113.9 %1 typ srflx raddr 10.0.0.1 rport 9").arg(port)},
            {QStringLiteral("sdpMid"), QStringLiteral("0")},
            {QStringLiteral("sdpMLineIndex"), 0}});
    }
    if (chance(30))
        list.append(QJsonObject{{QStringLiteral("candidate"), QString()}});
    return list;
}

void World::hostMidCall(Call &call)
{
    if (abilities().actions.isEmpty())
        return feed({{QStringLiteral("in"), QStringLiteral("clock")}});
    const QString what = chance(50) ? QStringLiteral("negotiate")
                                    : abilities().actions[below(static_cast<int>(abilities().actions.size()))];
    QJsonObject line{{QStringLiteral("in"), QStringLiteral("host")},
                     {QStringLiteral("do"), what},
                     {QStringLiteral("call"), call.hostId}};
    if (what == QLatin1String("negotiate")) {
        const bool repeated = m_saidLast.contains(call.hostId) && chance(12);
        line.insert(QStringLiteral("type"), pick({"offer", "offer", "answer"}));
        line.insert(QStringLiteral("sdp"), repeated ? m_saidLast.value(call.hostId) : sdp(false));
        m_saidLast.insert(call.hostId, word(line, "sdp"));
    } else if (what == QLatin1String("media")) {
        line.insert(QStringLiteral("audio_muted"), chance(50));
        if (chance(50))
            line.insert(QStringLiteral("video_muted"), chance(50));
    } else if (what == QLatin1String("transfer")) {
        const Call *other = this->call();
        if (chance(60) || !other || other->hostId.isEmpty())
            line.insert(QStringLiteral("target_user"), pick({"@carol:test", "@bob:test"}));
        else
            line.insert(QStringLiteral("target_call"), other->hostId);
    } else if (what == QLatin1String("transfer-accept")) {
        line.insert(QStringLiteral("new_call"), QStringLiteral("h%1").arg(++m_placed));
        line.insert(QStringLiteral("sdp"), sdp(true));
        line.insert(QStringLiteral("room_id"), room());
    } else if (what == QLatin1String("identity")) {
        line.insert(QStringLiteral("identity"),
                    chance(70) ? QJsonValue(QJsonObject{{QStringLiteral("display_name"), QStringLiteral("Zoe")}})
                               : QJsonValue());
    }
    feed(line);
}

// Results come for what was sent only, in order for each call, and the last word is told twice now and then.
void World::outbox()
{
    if (!m_results.isEmpty() && chance(4))
        return feed(m_results[below(static_cast<int>(m_results.size()))]);
    const QString callId = m_refs[chance(70) ? 0 : below(static_cast<int>(m_refs.size()))].callId;
    const auto at =
        std::find_if(m_refs.begin(), m_refs.end(), [&](const Unknown &one) { return one.callId == callId; });
    const Unknown sent = *at;
    QJsonObject line{{QStringLiteral("ref"), sent.ref}};
    const bool slow = chance(sent.type == QLatin1String("m.call.candidates") ? m_slow : 5);
    if (slow || chance(4)) {
        line.insert(QStringLiteral("in"), QStringLiteral("send_failed"));
        line.insert(QStringLiteral("code"),
                    slow ? QStringLiteral("M_LIMIT_EXCEEDED") : QStringLiteral("homeserver_unreachable"));
        line.insert(slow ? QStringLiteral("retry_after_ms") : QStringLiteral("transient"),
                    slow ? QJsonValue(500) : QJsonValue(true));
        return feed(line);
    }
    m_refs.erase(at);
    if (chance(m_refusing)) {
        line.insert(QStringLiteral("in"), QStringLiteral("send_failed"));
        line.insert(QStringLiteral("code"), pick({"M_FORBIDDEN", "expired"}));
        line.insert(QStringLiteral("transient"), false);
    } else {
        line.insert(QStringLiteral("in"), QStringLiteral("sent"));
        line.insert(QStringLiteral("event_id"), QStringLiteral("$sent") + sent.ref);
    }
    m_results.push_back(line);
    feed(line);
}

} // namespace simulation
