// SPDX-License-Identifier: Apache-2.0
// What the host's user does, and what becomes of sends.
#include "world.h"

#include <QJsonArray>

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
}

void World::hostAct()
{
    Call *known = call();
    if (!known || known->hostId.isEmpty() || chance(12))
        return hostPlace();
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
    const int what = below(100);
    if (what < 25) {
        QJsonArray list;
        for (int i = below(4); i >= 0; --i)
            list.append(candidate(true));
        return act("candidates", {{QStringLiteral("candidates"), list}});
    }
    if (what < 45)
        return act("media-state", {{QStringLiteral("state"),
                                    chance(80) ? QStringLiteral("connected") : pick({"failed", "disconnected"})}});
    if (what < 60) {
        QJsonObject fields;
        if (chance(50))
            fields.insert(QStringLiteral("reason"),
                          pick({"user_hangup", "user_busy", "ice_failed", "user_media_failed"}));
        return act("end", fields);
    }
    if (what < 66)
        return act(chance(50) ? "answer" : "reject", {{QStringLiteral("sdp"), sdp(false)}});
    hostMidCall(call);
}

void World::hostMidCall(Call &call)
{
    if (abilities().actions.isEmpty())
        return feed({{QStringLiteral("in"), QStringLiteral("clock")}});
    const QString what = abilities().actions[below(static_cast<int>(abilities().actions.size()))];
    QJsonObject line{{QStringLiteral("in"), QStringLiteral("host")},
                     {QStringLiteral("do"), what},
                     {QStringLiteral("call"), call.hostId}};
    if (what == QLatin1String("negotiate")) {
        line.insert(QStringLiteral("type"), pick({"offer", "answer"}));
        line.insert(QStringLiteral("sdp"), sdp(false));
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

// Results come for what was sent only, mostly in order, and sometimes twice.
void World::outbox()
{
    const auto at = chance(85) ? 0 : below(static_cast<int>(m_refs.size()));
    const QString ref = m_refs[at];
    QJsonObject line{{QStringLiteral("ref"), ref}};
    const int how = below(100);
    if (how < 80) {
        line.insert(QStringLiteral("in"), QStringLiteral("sent"));
        line.insert(QStringLiteral("event_id"), QStringLiteral("$sent") + ref);
    } else {
        line.insert(QStringLiteral("in"), QStringLiteral("send_failed"));
        line.insert(QStringLiteral("code"), how < 88   ? QStringLiteral("M_LIMIT_EXCEEDED")
                                            : how < 94 ? QStringLiteral("homeserver_unreachable")
                                                       : QStringLiteral("M_FORBIDDEN"));
        if (how < 88)
            line.insert(QStringLiteral("retry_after_ms"), 500);
        else
            line.insert(QStringLiteral("transient"), how < 94);
    }
    const bool over = how < 80 || how >= 94;
    if (over && !chance(3))
        m_refs.removeAt(at);
    feed(line);
}

} // namespace simulation
