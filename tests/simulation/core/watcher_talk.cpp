// SPDX-License-Identifier: Apache-2.0
#include "watcher_talk.h"

#include <algorithm>
#include <array>

namespace simulation
{

namespace
{

bool isInCall(const QString &type)
{
    static constexpr std::array types{"m.call.negotiate",         "m.call.sdp_stream_metadata_changed",
                                      "m.call.asserted_identity", "org.matrix.call.asserted_identity",
                                      "m.call.replaces",          "m.call.reject_replacement"};
    return std::any_of(types.begin(), types.end(), [&type](const char *one) { return is(type, one); });
}

} // namespace

void TalkWatcher::event(const QJsonObject &event)
{
    const QString type = word(event, "type");
    const QString key = keyOf(event);
    const QJsonObject content = part(event, "content");
    if (is(type, "m.call.hangup"))
        m_theirReasons.insert(key + u' ' + word(content, "reason"));
    const bool answer = is(type, "m.call.answer") && word(part(content, "answer"), "sdp").startsWith(u"v=0");
    if (answer && m_book.ours.contains(key) && word(event, "sender") == m_invitee.value(key))
        m_answered.insert(key);
}

Complaint TalkWatcher::input(const QJsonObject &line, bool refused)
{
    const QString in = word(line, "in");
    if (is(in, "matrix")) {
        for (const QJsonValue &one : allEventsOf(line))
            event(one.toObject());
    } else if (is(in, "restart")) {
        m_restartedAt = number(line, "t");
    } else if (is(in, "send_failed") && !isTransient(line)) {
        m_failed = word(line, "ref");
        m_failedAt = number(line, "t");
    } else if (is(in, "host") && !refused) {
        return host(line);
    }
    return {};
}

Complaint TalkWatcher::host(const QJsonObject &line)
{
    const QString act = word(line, "do");
    const QString call = word(line, "call");
    if (is(act, "place"))
        m_placedAt.insert(call, number(line, "t"));
    else if (is(act, "transfer-accept") && line.contains(QLatin1String("new_call")))
        m_placedAt.insert(word(line, "new_call"), number(line, "t"));
    else if (is(word(line, "state"), "connected"))
        m_flowed.insert(call);
    return is(act, "negotiate") ? negotiated(line) : Complaint();
}

// A description that was taken, and is not the last one once more.
Complaint TalkWatcher::negotiated(const QJsonObject &line)
{
    const QString call = word(line, "call");
    if (m_said.contains(call) && m_said.value(call) == word(line, "sdp") && !m_asked.contains(call))
        return {};
    m_said.insert(call, word(line, "sdp"));
    if (is(word(line, "type"), "answer"))
        return m_asked.remove(call) ? Complaint() : complain("answers an offer that was not told", line);
    const double folded = m_book.trickles() ? 0 : m_book.setting("fold_for", 1500);
    m_openUntil.insert(call, number(line, "t") + m_book.setting("negotiate_lifetime", 60'000) + folded);
    ++m_offers;
    return {};
}

Complaint TalkWatcher::sent(const QJsonObject &out)
{
    const QString type = word(out, "type");
    const QString key = keyOf(out);
    if (is(type, "m.call.invite"))
        return invite(out, key);
    if (is(type, "m.call.answer"))
        m_answered.insert(key);
    if (is(type, "m.call.hangup"))
        return reason(out, word(part(out, "content"), "reason"), m_book.callWith(key));
    if (isInCall(type) && !m_answered.contains(key))
        return complain("in-call event before the answer", out); // R69
    return {};
}

// R50, R79: what waits for candidates does so for as long as it may; what a restart has kept back is worth something.
Complaint TalkWatcher::invite(const QJsonObject &out, const QString &key)
{
    m_invitee.insert(key, word(part(out, "content"), "invitee"));
    const QString call = m_book.hostOf.value(key);
    if (!m_placedAt.contains(call))
        return {};
    const double t = number(out, "t");
    const double placed = m_placedAt.value(call);
    const double due = placed + m_book.setting("gather_for", 200);
    if (t <= due)
        return {};
    ++m_lateInvites;
    if (t >= placed + m_book.setting("invite_lifetime", 90'000))
        return complain("invite is worth nothing any more", out);
    // In a running host a timer may only be late if nothing else happened meanwhile.
    const bool late = m_restartedAt >= placed || (m_book.recorded && m_book.before < due);
    return late ? Complaint() : complain("invite goes out late", out);
}

// R63.
Complaint TalkWatcher::reason(const QJsonObject &out, const QString &reason, const QString &call) const
{
    if (call.isEmpty())
        return {};
    if (is(reason, "ice_failed") && m_flowed.contains(call))
        return complain("ice_failed after media flowed", out);
    if (is(reason, "ice_timeout") && !m_flowed.contains(call))
        return complain("ice_timeout without media", out);
    return {};
}

Complaint TalkWatcher::told(const QJsonObject &out, bool rings)
{
    const QString signal = word(out, "signal");
    const QString call = word(out, "call");
    if (rings)
        m_answered.remove(m_book.matrixOf.value(call));
    if (is(signal, "call.negotiate")) {
        const bool rollback = out.value(QLatin1String("rollback")).toBool();
        if (is(word(out, "type"), "offer"))
            m_asked.insert(call);
        if (rollback)
            m_said.remove(call);
        if (rollback || is(word(out, "type"), "answer"))
            m_openUntil.remove(call);
        m_rollbacks += rollback ? 1 : 0;
    }
    if (is(signal, "call.negotiation_failed")) {
        m_openUntil.remove(call);
        m_said.remove(call);
        m_asked.remove(call);
    }
    if (!is(signal, "call.ended") && !is(signal, "call.rejected"))
        return {};
    m_openUntil.remove(call);
    const QString key = m_book.matrixOf.value(call);
    const QString why = word(out, "reason");
    const bool another = !m_failed.isEmpty() && number(out, "t") >= m_failedAt && is(why, "unavailable") &&
                         m_book.keyOfRef.value(m_failed) != key;
    if (another)
        return complain("a refused send ends another call", out);                            // R80
    return m_theirReasons.contains(key + u' ' + why) ? Complaint() : reason(out, why, call); // theirs are passed on
}

Complaint TalkWatcher::after(const QJsonObject &line)
{
    m_theirReasons.clear();
    m_failed.clear();
    for (auto it = m_openUntil.constBegin(); it != m_openUntil.constEnd(); ++it) {
        if (number(line, "t") > it.value())
            return {QStringLiteral("an offer of the host ends in nothing"), it.key()}; // R73, R76
    }
    return {};
}

} // namespace simulation
