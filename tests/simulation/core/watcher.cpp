// SPDX-License-Identifier: Apache-2.0
#include "watcher.h"

#include "names.h"
#include "sent.h"

#include <QJsonArray>

#include <algorithm>
#include <utility>

namespace simulation
{

namespace
{

constexpr double longestLifetime = 600'000; // what is believed of an invite

bool isZero(const QJsonValue &version)
{
    return (version.isDouble() && version.toDouble() == 0) || version.toString() == QLatin1String("0");
}

} // namespace

Watcher::Watcher(const QJsonObject &header)
    : m_leastTimeToRing(
          header.value(QLatin1String("settings")).toObject().value(QLatin1String("least_time_to_ring")).toDouble(3000))
{
    m_book.self = word(header, "local_user");
    m_book.settings = part(header, "settings");
    const QJsonObject room = part(header, "room");
    m_book.encrypted = room.value(QLatin1String("encrypted")).toBool();
    if (is(word(room, "join_rule"), "public"))
        m_publicRooms.insert(word(room, "room_id"));
}

void Watcher::event(const QJsonObject &event, double receivedAt)
{
    const QString type = word(event, "type");
    const QJsonObject content = event.value(QLatin1String("content")).toObject();
    if (is(type, "m.room.join_rules")) {
        if (is(word(content, "join_rule"), "public"))
            m_publicRooms.insert(word(event, "room_id"));
        else
            m_publicRooms.remove(word(event, "room_id"));
    }
    if (!is(type, "m.call.invite"))
        return;
    const QJsonValue hint = event.value(QLatin1String("unsigned")).toObject().value(QLatin1String("age"));
    const double age = std::max(
        0.0, hint.isDouble() ? hint.toDouble()
                             : receivedAt - event.value(QLatin1String("origin_server_ts")).toDouble(receivedAt));
    const QString key = keyOf(word(event, "room_id"), word(content, "call_id"));
    if (word(event, "sender") == m_book.self)
        m_echoed.insert(key);
    // Another user's call with the same id is another call, and so is one after the tombstone is gone.
    const QString before = std::exchange(m_inviter[key], word(event, "sender"));
    if (before != m_inviter[key] || receivedAt > m_over.value(key, receivedAt) + longestLifetime) {
        m_over.remove(key);
        m_answered.remove(key);
    }
    const double lifetime = std::min(longestLifetime, content.value(QLatin1String("lifetime")).toDouble());
    m_invites[key].push_back({word(event, "sender"), word(content, "invitee"), receivedAt - age + lifetime,
                              isZero(content.value(QLatin1String("version")))});
}

Complaint Watcher::input(const QJsonObject &line, bool refused)
{
    const QString in = word(line, "in");
    const double t = line.value(QLatin1String("t")).toDouble();
    if (is(in, "matrix")) {
        const double receivedAt = line.value(QLatin1String("received_at")).toDouble(t);
        event(line.value(QLatin1String("event")).toObject(), receivedAt);
        for (const QJsonValue &one : line.value(QLatin1String("events")).toArray())
            event(one.toObject(), receivedAt);
    } else if (is(in, "snapshot")) {
        if (is(word(line, "join_rule"), "public"))
            m_publicRooms.insert(word(line, "room_id"));
        else
            m_publicRooms.remove(word(line, "room_id"));
    } else if (is(in, "host") && is(word(line, "do"), "place") && !refused) {
        m_live.insert(word(line, "call"));
        m_placed.insert(originOf(word(line, "sdp")), word(line, "call"));
    } else if (is(in, "host") && is(word(line, "do"), "transfer-accept") && !refused) {
        m_placed.insert(originOf(word(line, "sdp")), word(line, "new_call"));
    }
    m_candidates.input(line, refused);
    return m_talk.input(line, refused);
}

Complaint Watcher::see(const QJsonObject &line, const QVector<QJsonObject> &outs)
{
    const bool refused =
        std::any_of(outs.begin(), outs.end(), [](const auto &out) { return is(word(out, "out"), "refused"); });
    if (refused && !is(word(line, "in"), "host"))
        return complain("refused what nobody asked for", line);
    // What fell due on the way to the line comes before it.
    const double t = line.value(QLatin1String("t")).toDouble();
    m_book.recorded = line.contains(QLatin1String("entropy"));
    bool taken = false;
    for (const QJsonObject &out : outs) {
        if (!taken && number(out, "t") >= t) {
            taken = true;
            if (const Complaint wrong = input(line, refused))
                return wrong;
        }
        if (const Complaint wrong = output(out))
            return wrong;
    }
    if (const Complaint wrong = taken ? Complaint() : input(line, refused))
        return wrong;
    if (is(word(line, "in"), "sent")) // only now: what fell due before it came first
        m_unsentInvites.remove(word(line, "ref"));
    m_book.before = t;
    const Complaint wrong = m_talk.after(line);
    return wrong ? wrong : m_candidates.after(line);
}

Complaint Watcher::output(const QJsonObject &out)
{
    if (is(word(out, "out"), "matrix")) {
        m_book.keyOfRef.insert(word(out, "ref"), keyOf(out));
        Complaint wrong = sent(out);
        wrong = wrong ? wrong : m_talk.sent(out);
        return wrong ? wrong : m_candidates.sent(out);
    }
    if (is(word(out, "out"), "host")) {
        const int rings = m_rings;
        Complaint wrong = told(out);
        wrong = wrong ? wrong : m_talk.told(out, m_rings > rings);
        return wrong ? wrong : m_candidates.told(out);
    }
    // Only an invite is taken back, once, and only while it is not known to have gone out.
    if (is(word(out, "out"), "unsend") && !m_unsentInvites.remove(word(out, "ref")))
        return complain("unsend of what is no unsent invite", out);
    return {};
}

Complaint Watcher::sent(const QJsonObject &out)
{
    static const QJsonObject anyLifetime{{QStringLiteral("invite_lifetime"), 1}};
    if (const QString wrong = sent::wrongWith(out, anyLifetime); !wrong.isEmpty())
        return complain(("malformed: " + wrong.toUtf8()).constData(), out);

    const QString type = word(out, "type");
    const QJsonObject content = out.value(QLatin1String("content")).toObject();
    const QString key = keyOf(word(out, "room_id"), word(content, "call_id"));
    const double ref = word(out, "ref").mid(1).toDouble();
    if (ref <= m_lastRef)
        return complain("refs do not grow", out);
    m_lastRef = ref;
    // Busy is said in both ways at once, hangup and reject (R46).
    const bool busy = is(type, "m.call.reject") && is(word(content, "reason"), "user_busy") &&
                      m_over.value(key, -1) == out.value(QLatin1String("t")).toDouble();
    // An invite that shows up after its call's end is hung up once more.
    const bool again = is(type, "m.call.hangup") && m_echoed.remove(key);
    if (m_over.contains(key) && !busy && !again)
        return complain("sent after the end", out);
    if (is(type, "m.call.invite")) {
        if (m_book.ours.contains(key))
            return complain("two invites with one call id", out);
        m_book.ours.insert(key);
        m_unsentInvites.insert(word(out, "ref"));
        const QString offer = word(content.value(QLatin1String("offer")).toObject(), "sdp");
        if (const QString call = m_placed.value(originOf(offer)); !call.isEmpty())
            tie(call, key);
        return {};
    }
    const auto theirs = m_invites.value(key);
    if (!m_book.ours.contains(key) && theirs.isEmpty())
        return complain("sent for a call without invite", out);
    if (is(type, "m.call.answer")) {
        if (m_answered.contains(key))
            return complain("two answers", out); // promise 4
        m_answered.insert(key);
        ++m_answers;
    }
    if (is(type, "m.call.hangup") || is(type, "m.call.reject"))
        over(key, out);
    const bool v0 = !m_book.ours.contains(key) &&
                    std::all_of(theirs.begin(), theirs.end(), [](const auto &invite) { return invite.v0; });
    if (v0 && !is(type, "m.call.answer") && !is(type, "m.call.candidates") && !is(type, "m.call.hangup"))
        return complain("version 1 event to a version 0 peer", out); // R11
    return {};
}

Complaint Watcher::mayRing(const QJsonObject &out, bool again) const
{
    const QJsonObject matrix = out.value(QLatin1String("matrix")).toObject();
    const QString room = word(matrix, "room_id");
    const double left = again ? 1 : m_leastTimeToRing; // R27; what rang is signalled again while it is valid
    const double t = out.value(QLatin1String("t")).toDouble();
    if (!again && m_publicRooms.contains(room))
        return complain("rings in a public room", out);
    const auto invites = m_invites.value(keyOf(room, word(matrix, "call_id")));
    const bool good = std::any_of(invites.begin(), invites.end(), [&](const Invite &invite) {
        const bool peer = word(out, "peer").isEmpty() || word(out, "peer") == invite.sender;
        return peer && invite.sender != m_book.self && (invite.invitee.isEmpty() || invite.invitee == m_book.self) &&
               invite.bestBefore - t >= left;
    });
    return good ? Complaint() : complain("rings for no valid invite of ours", out);
}

Complaint Watcher::told(const QJsonObject &out)
{
    const QString signal = word(out, "signal");
    const QString call = word(out, "call");
    const double seq = out.value(QLatin1String("seq")).toDouble();
    if (seq != m_seq.value(call) + 1)
        return complain("seq does not grow by one", out);
    m_seq.insert(call, seq);
    if (m_ended.contains(call))
        return complain("told after the end", out);
    const QJsonObject matrix = out.value(QLatin1String("matrix")).toObject();
    if (is(signal, "call.initiated") || is(signal, "call.glare")) {
        const QString key = keyOf(word(matrix, "room_id"), word(matrix, "call_id"));
        const bool again = m_book.matrixOf.value(call) == key;
        if (const Complaint wrong = mayRing(out, again))
            return wrong;
        // R66, R67: the call id of a call that is over is not heard of for as long as an invite can be valid. Another
        // user's call with the same id is another call.
        const QString peer = word(out, "peer"); // glare does not say it
        m_peerOf.insert(key, peer.isEmpty() ? m_inviter.value(key) : peer);
        const double over = m_endedAt.value(keyOf(key, m_peerOf.value(key)), -longestLifetime);
        if (out.value(QLatin1String("t")).toDouble() < over + longestLifetime)
            return complain("rings after its end", out);
        if (!again) {
            ++m_rings;
            m_over.remove(key);
            m_answered.remove(key);
        }
        tie(call, key);
    }
    m_live.insert(call);
    if (is(signal, "call.ended") || is(signal, "call.rejected")) {
        m_live.remove(call);
        m_ended.insert(call);
        if (const QString key = m_book.matrixOf.value(call); !key.isEmpty())
            over(key, out);
    }
    return {};
}

void Watcher::tie(const QString &call, const QString &key)
{
    m_book.matrixOf.insert(call, key);
    m_book.hostOf.insert(key, call);
}

void Watcher::over(const QString &key, const QJsonObject &out)
{
    const double t = out.value(QLatin1String("t")).toDouble();
    m_over.insert(key, t);
    const QString whose = keyOf(key, m_peerOf.value(key));
    if (m_peerOf.contains(key))
        m_endedAt.insert(whose, t);
}

Complaint Watcher::finish() const
{
    if (m_live.isEmpty())
        return {};
    return {QStringLiteral("never ended"), *m_live.begin()};
}

} // namespace simulation
