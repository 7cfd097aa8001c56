// SPDX-License-Identifier: Apache-2.0
#include "watcher_candidates.h"

#include "call/candidate.h"

#include <algorithm>

namespace simulation
{

namespace
{

constexpr int mostUnsent = 256;
constexpr int mostRemembered = 512;
constexpr int wordsToPort = 6;
constexpr int addressWord = 4;

QString wordsOf(const QString &candidate)
{
    return candidate.section(u' ', 0, wordsToPort - 1);
}

// By number with '#', or else by name.
QString sectionOf(const QJsonObject &candidate)
{
    const QJsonValue index = candidate.value(QLatin1String("sdpMLineIndex"));
    return index.isDouble() ? u'#' + QString::number(index.toInt()) : word(candidate, "sdpMid");
}

QString printOf(const QJsonObject &candidate)
{
    const QString words = wordsOf(word(candidate, "candidate"));
    return words.isEmpty() ? QString() : words + u'|' + sectionOf(candidate).remove(u'#');
}

// Candidates of a description, each with its section by number and by name; and how sections are called.
struct Described {
    QStringList words;
    QSet<QString> prints;
    QSet<QString> sections;
};

Described read(const QString &sdp)
{
    Described all;
    int index = -1;
    QString mid;
    QVector<std::pair<int, QString>> found;
    QHash<int, QString> mids;
    for (const QString &line : sdp.split(QStringLiteral("\r\n"))) {
        if (line.startsWith(u"m="))
            all.sections.insert(u'#' + QString::number(++index));
        else if (line.startsWith(u"a=mid:"))
            mids.insert(index, line.mid(6));
        else if (line.startsWith(u"a=candidate:"))
            found.push_back({index, wordsOf(line.mid(2))});
    }
    for (const QString &name : std::as_const(mids))
        all.sections.insert(name);
    for (const auto &[section, words] : std::as_const(found)) {
        all.words += words;
        all.prints += words + u'|' + QString::number(section);
        if (mids.contains(section))
            all.prints += words + u'|' + mids.value(section);
    }
    return all;
}

} // namespace

// R51: in an event of its own, after the first ones were waited for.
double CandidateWatcher::latest(double t) const
{
    const double first =
        std::max(m_book.setting("first_flush_after_invite", 2000), m_book.setting("first_flush_after_answer", 500));
    return t + first + m_book.setting("flush_every", 500) + m_book.setting("gather_for", 200);
}

bool CandidateWatcher::hidden(const QString &words) const
{
    const QString policy = word(m_book.settings, "private_addresses");
    return !policy.isEmpty() && !is(policy, "send") &&
           voip::call::isPrivateAddress(words.section(u' ', addressWord, addressWord));
}

// What is in the description already needs not be sent, nor what nobody shall see.
void CandidateWatcher::excuse(Call &call) const
{
    const QString sdp = u'\n' + call.sdp();
    for (Pending &one : call.pending) {
        const bool known = !one.words.isEmpty() && sdp.contains(QStringLiteral("\na=") + one.words + u' ');
        one.excused = one.excused || known || hidden(one.words);
    }
}

void CandidateWatcher::input(const QJsonObject &line, bool refused)
{
    const QString in = word(line, "in");
    if (is(in, "host") && !refused)
        return host(line);
    if (is(in, "sent") || is(in, "send_failed"))
        return result(line);
    for (const QJsonValue &event : allEventsOf(line))
        m_encrypted = m_encrypted || is(word(event.toObject(), "type"), "m.room.encryption");
    m_encrypted = m_encrypted || line.value(QLatin1String("encrypted")).toBool();
}

void CandidateWatcher::host(const QJsonObject &line)
{
    const QString act = word(line, "do");
    const double t = number(line, "t");
    if (is(act, "place") || (is(act, "transfer-accept") && line.contains(QLatin1String("new_call")))) {
        Call &call = m_calls[word(line, is(act, "place") ? "call" : "new_call")];
        call.described = word(line, "sdp");
        call.placed = is(act, "place");
        return gather(call, t);
    }
    Call &call = m_calls[word(line, "call")];
    if (is(act, "answer") && call.described != word(line, "sdp")) {
        call.described = word(line, "sdp");
        call.gaveWay = false;
        return gather(call, t);
    }
    if (is(act, "negotiate"))
        call.proposed = word(line, "sdp");
    if (!is(act, "candidates") || call.gaveWay)
        return;
    for (const QJsonValue &candidate : line.value(QLatin1String("candidates")).toArray())
        take(call, candidate.toObject(), t);
    excuse(call);
}

// A description that is complete, or is all that the host will say, ends the candidates by itself (R52).
void CandidateWatcher::gather(Call &call, double t) const
{
    const bool complete = !m_book.trickles() || call.described.contains(QLatin1String("\na=end-of-candidates"));
    if (complete && !std::exchange(call.ended, true))
        call.pending.push_back({});
    for (Pending &one : call.pending)
        one.due = latest(t);
    excuse(call);
}

void CandidateWatcher::take(Call &call, const QJsonObject &candidate, double t) const
{
    if (call.ended)
        return; // nothing comes after the end
    const QString print = printOf(candidate);
    const bool placed = candidate.value(QLatin1String("sdpMid")).isString() ||
                        candidate.value(QLatin1String("sdpMLineIndex")).isDouble();
    call.ended = print.isEmpty();
    if (!call.ended && (!placed || call.waiting >= mostUnsent)) // R49
        return;
    call.pending.removeIf([](const Pending &one) { return one.print.isEmpty(); }); // it was none
    call.oldEnd = false;
    ++call.waiting;
    ++call.taken;
    call.given.insert(print);
    if (call.ended || !call.out.contains(print))
        call.pending.push_back({print, wordsOf(word(candidate, "candidate")), sectionOf(candidate),
                                call.described.isEmpty() ? 0 : latest(t), false});
}

// R58.
void CandidateWatcher::result(const QJsonObject &line)
{
    const auto call = m_calls.find(m_book.callWith(m_book.keyOfRef.value(word(line, "ref"))));
    if (call == m_calls.end() || call->lastDone)
        return;
    const double ref = word(line, "ref").mid(1).toDouble();
    const bool again = is(word(line, "in"), "send_failed") && isTransient(line);
    if (again && is(word(line, "code"), "M_LIMIT_EXCEEDED") && ref <= call->lastRef) {
        m_slowed += call->limited ? 0 : 1;
        call->limited = true;
    }
    if (again || ref != call->lastRef)
        return;
    call->lastDone = true;
    if (!std::exchange(call->limited, false))
        return;
    for (Pending &one : call->pending)
        one.due = latest(number(line, "t"));
}

Complaint CandidateWatcher::sent(const QJsonObject &out)
{
    const auto call = m_calls.find(m_book.callWith(keyOf(out)));
    if (call == m_calls.end())
        return {};
    const QString type = word(out, "type");
    if (is(type, "m.call.candidates"))
        return trickle(*call, out);
    if (is(type, "m.call.invite") || is(type, "m.call.answer") || is(type, "m.call.negotiate"))
        return describe(*call, out);
    return {};
}

Complaint CandidateWatcher::describe(Call &call, const QJsonObject &out)
{
    const QJsonObject content = part(out, "content");
    const bool later = is(word(out, "type"), "m.call.negotiate");
    const char *const key = later ? "description" : is(word(out, "type"), "m.call.invite") ? "offer" : "answer";
    const Described described = read(word(part(content, key), "sdp"));
    if (!encrypted() && std::any_of(described.words.begin(), described.words.end(),
                                    [this](const QString &words) { return hidden(words); }))
        return complain("a private address is given away", out);
    call.out = described.prints;
    call.placed = true;
    call.endSent = false;
    if (later) {
        call.inLater = described.prints;
        call.oldEnd = std::any_of(call.pending.begin(), call.pending.end(),
                                  [](const Pending &one) { return one.print.isEmpty(); });
        call.negotiated = call.proposed;
        call.ended = !m_book.trickles();
        call.taken = static_cast<int>(call.pending.size());
        excuse(call);
        return {};
    }
    // What was gathered is in it, but for what has no place there.
    call.waiting = 0;
    QSet<QString> misplaced;
    for (const Pending &one : std::as_const(call.pending)) {
        if (!one.print.isEmpty() && !described.sections.contains(one.section))
            misplaced.insert(one.print); // and if it is given once more, with another name of its section, it is known
    }
    for (const Pending &one : std::exchange(call.pending, {})) {
        if (one.print.isEmpty())
            call.pending.push_back(one);
        else if (described.prints.contains(one.print))
            ++m_folded;
        else if (!one.excused && !misplaced.contains(one.print))
            return complain("a candidate is lost", out);
    }
    call.out += misplaced;
    return {};
}

Complaint CandidateWatcher::trickle(Call &call, const QJsonObject &out)
{
    call.waiting = 0;
    call.lastRef = word(out, "ref").mid(1).toDouble();
    call.lastDone = false;
    for (const QJsonValue &value : part(out, "content").value(QLatin1String("candidates")).toArray()) {
        const QJsonObject candidate = value.toObject();
        const QString print = printOf(candidate);
        ++m_trickled;
        if (print.isEmpty()) {
            if (!std::exchange(call.oldEnd, false) && std::exchange(call.endSent, true))
                return complain("the end of candidates is said twice", out); // R52
        } else {
            if (!call.given.contains(print))
                return complain("a candidate that nobody gave", out);
            if (call.out.contains(print) && call.taken <= mostRemembered)
                return complain("a candidate is sent twice", out); // R57
            if (!encrypted() && hidden(wordsOf(word(candidate, "candidate"))))
                return complain("a private address is given away", out); // R60
            call.out.insert(print);
        }
        call.pending.removeIf([&print](const Pending &one) { return one.print == print; });
    }
    return {};
}

Complaint CandidateWatcher::told(const QJsonObject &out)
{
    const QString signal = word(out, "signal");
    const auto call = m_calls.find(word(out, "call"));
    if (call == m_calls.end())
        return {};
    if (is(signal, "call.glare")) {
        *call = Call();
        call->gaveWay = true;
    }
    // The description before it holds again.
    if (is(signal, "call.negotiation_failed") ||
        (is(signal, "call.negotiate") && out.value(QLatin1String("rollback")).toBool())) {
        call->negotiated.clear();
        call->out.subtract(std::exchange(call->inLater, {}));
        excuse(*call);
    }
    if (!is(signal, "call.ended") && !is(signal, "call.rejected"))
        return {};
    const Call over = m_calls.take(word(out, "call"));
    const bool late = std::any_of(over.pending.begin(), over.pending.end(), [&out](const Pending &one) {
        return !one.excused && one.due > 0 && one.due < number(out, "t");
    });
    // The timers of a running host are lines; those that came before have been looked at.
    return late && !over.limited && !m_book.recorded ? complain("a candidate is not sent", out) : Complaint();
}

Complaint CandidateWatcher::after(const QJsonObject &line)
{
    for (auto call = m_calls.constBegin(); call != m_calls.constEnd(); ++call) {
        for (const Pending &one : call->pending) {
            if (call->placed && !call->limited && !one.excused && one.due > 0 && one.due < number(line, "t"))
                return {QStringLiteral("a candidate is not sent"), call.key() + u' ' + one.print};
        }
    }
    return {};
}

} // namespace simulation
