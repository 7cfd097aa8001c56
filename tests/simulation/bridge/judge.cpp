// SPDX-License-Identifier: Apache-2.0
#include "judge.h"

#include "machine.h"

#include <QJsonDocument>

#include <limits>

namespace bridgesim
{

using namespace voip;

namespace
{

// Longer than any time-out of a simulated bridge; and the clock may have been set back since.
constexpr qint64 longestDeadline = 3LL * 60 * 60 * 1000;
constexpr qint64 waitsForKeys = 60LL * 60 * 1000; // what has no other limit

QString shortened(const QJsonObject &content)
{
    return QString::fromUtf8(QJsonDocument(content).toJson(QJsonDocument::Compact)).left(300);
}

} // namespace

void Judge::Totals::add(const Totals &other)
{
    events += other.events;
    sent += other.sent;
    notices += other.notices;
    rings += other.rings;
    answers += other.answers;
    connected += other.connected;
    commits += other.commits;
    restarts += other.restarts;
    awaits += other.awaits;
    repeats += other.repeats;
    encryptedWorlds += other.encryptedWorlds;
    opened += other.opened;
    read += other.read;
    deaf += other.deaf;
}

void Judge::complain(const char *kind, const QString &detail)
{
    m_trace.note("COMPLAINT", QLatin1String(kind), detail);
    if (!m_kind.isEmpty())
        return;
    m_kind = QLatin1String(kind);
    m_detail = detail;
}

// --- the database --------------------------------------------------------------------------------------------------

void Judge::kept(const store::InboxEntry &entry, const QString &eventId)
{
    ++totals.events;
    const QJsonObject content = entry.body.value(QLatin1String("content")).toObject();
    m_waiting.insert(entry.seq, {entry.lane, machine::wallNow(0),
                                 world.encrypted && content.contains(QLatin1String("session_id")) &&
                                     entry.body.value(QLatin1String("sender")).toString() != entry.lane});
    if (m_kept.contains({entry.lane, eventId}))
        complain("taken_twice", entry.lane + u' ' + eventId);
    m_kept.insert({entry.lane, eventId});
}

Judge::Decided *Judge::decided(const QString &lane, qint64 ref)
{
    const auto found = m_decided.find(m_txnOfRef.value({lane, ref}));
    return found == m_decided.end() ? nullptr : &*found;
}

void Judge::committed(const store::Commit &commit, const QHash<QString, call::Call> &before, qint64 wallNow)
{
    ++totals.commits;
    for (const qint64 seq : commit.consumed) {
        if (m_consumed.contains(seq))
            complain("consumed_twice", QString::number(seq));
        const Waiting entry = m_waiting.take(seq);
        if (entry.lane != commit.lane)
            complain("consumed_unknown", QString::number(seq));
        m_consumed.insert(seq);
        checkConsumed(entry);
    }
    for (const store::OutboxEntry &entry : commit.sends) {
        if (entry.ref <= m_lastRef.value(commit.lane))
            complain("reference_again", commit.lane + u' ' + QString::number(entry.ref));
        if (m_decided.contains(entry.txnId))
            complain("transaction_id_again", entry.txnId);
        m_lastRef.insert(commit.lane, entry.ref);
        m_txnOfRef.insert({commit.lane, entry.ref}, entry.txnId);
        m_decided.insert(entry.txnId, {commit.lane, entry.ref, entry.callId, entry.roomId, entry.type, entry.content,
                                       entry.notAfter, entry.createdAt, entry.form});
        if (entry.form == store::Form::Plain && m_encrypted.contains({commit.lane, entry.roomId}))
            complain("in_clear", commit.lane + u' ' + entry.type);
        if (entry.type == QLatin1String("m.call.invite"))
            m_inviteOf.insert({commit.lane, entry.callId}, entry.txnId);
    }
    for (const call::Call &call : commit.calls) {
        m_calls.insert({commit.lane, call.id});
        checkCall(commit.lane, call, wallNow);
        const call::Call &was = before.value(call.id);
        if (call.state == call::State::Ringing && was.state != call::State::Ringing && call.announced)
            ++totals.rings;
        if (call.state == call::State::Connected && was.state != call::State::Connected)
            ++totals.connected;
        if (was.state == call::State::Ended && call.live())
            complain("came_back", commit.lane + u' ' + call.id);
    }
    for (const call::Room &room : commit.rooms) {
        if (room.encrypted)
            m_encrypted.insert({commit.lane, room.id});
    }
    checkSealed(commit);
    for (const store::Notice &notice : commit.notices)
        checkNotice(commit.lane, notice);
    for (const qint64 ref : commit.settledSends)
        checkSettled(commit, ref, wallNow);
}

void Judge::checkCall(const QString &lane, const call::Call &call, qint64 wallNow)
{
    if (!call.live())
        return;
    if (call.deadline <= 0 || call.deadline > wallNow + longestDeadline)
        complain("no_deadline", lane + u' ' + call.id + u' ' + call::toString(call.state));
}

// Notices get their ids from the database; what is checked is what the bridge gave: the seq.
void Judge::checkNotice(const QString &lane, const store::Notice &notice)
{
    Told &told = m_told[{lane, notice.callId}];
    if (notice.kind == voiphost::NoticeKind::Undecryptable) { // the only one of its call
        checkUndecryptable(lane, notice);
        told.last = 0;
    }
    if (notice.seq != told.last + 1) {
        complain("seq", QStringLiteral("%1 %2: %3 after %4").arg(lane, notice.callId).arg(notice.seq).arg(told.last));
    }
    told.last = notice.seq;
    told.idOf.insert(notice.seq, notice.id);
}

// An entry leaves the outbox when it is at the homeserver, or for a reason.
void Judge::checkSettled(const store::Commit &commit, qint64 ref, qint64 wallNow)
{
    Decided *row = decided(commit.lane, ref);
    if (!row)
        return complain("settled_unknown", commit.lane + u' ' + QString::number(ref));
    const bool again = std::exchange(row->settled, true);
    if (again || !row->eventId.isEmpty() || row->refused)
        return;
    const bool inEncrypted = m_encrypted.contains({commit.lane, row->roomId});
    const qint64 keysHave = inEncrypted ? row->createdAt + waitsForKeys : std::numeric_limits<qint64>::max();
    if (wallNow > (row->notAfter > 0 ? row->notAfter : keysHave))
        return; // too late to be of use
    if (inEncrypted && !world.encrypted)
        return; // and no keys
    // Taken back: the invite itself, and what waited behind it.
    const auto call = std::find_if(commit.calls.cbegin(), commit.calls.cend(),
                                   [row](const call::Call &one) { return one.id == row->callId; });
    const bool given =
        call != commit.calls.cend() && (call->state == call::State::Ended || call->side == call::Side::Theirs);
    const QString invite = m_inviteOf.value({commit.lane, row->callId});
    const auto of = m_decided.constFind(invite);
    const bool withInvite =
        of != m_decided.constEnd() && of->eventId.isEmpty() && (of->settled || commit.settledSends.contains(of->ref));
    if (!given || !withInvite) {
        complain("never_sent", QStringLiteral("%1 %2 of %3 left the outbox").arg(commit.lane, row->type, row->callId));
    }
}

// --- the homeserver ------------------------------------------------------------------------------------------------

void Judge::sending(const QString &lane, const QString &roomId, const QString &type, const QString &txnId,
                    const QJsonObject &content)
{
    const auto row = m_decided.find(txnId);
    if (row == m_decided.end())
        return complain("sent_undecided", lane + u' ' + type + u' ' + txnId);
    // What may have been seen in the clear before may be repeated so.
    if (!std::exchange(row->begun, true) && type.startsWith(QLatin1String("m.call.")) &&
        m_encrypted.contains({lane, roomId}))
        complain("in_clear", lane + u' ' + type);
    const bool sealed = row->form == store::Form::Encrypted;
    if (row->form == store::Form::Waiting || (sealed && type != QLatin1String("m.room.encrypted")))
        complain("in_clear", lane + u' ' + type);
    if (row->lane != lane || row->roomId != roomId || row->content != content || (!sealed && row->type != type))
        complain("sent_otherwise", lane + u' ' + type + u' ' + shortened(content));
}

void Judge::arrived(const QString &lane, const QString &txnId, const QString &eventId)
{
    ++totals.sent;
    const auto row = m_decided.find(txnId);
    if (row == m_decided.end())
        return complain("sent_undecided", lane + u' ' + txnId);
    if (!row->eventId.isEmpty())
        return complain("sent_twice", lane + u' ' + row->type + u' ' + txnId);
    row->eventId = eventId;
    m_txnOf.insert(eventId, txnId);
    qint64 &last = m_lastArrived[{lane, row->callId}];
    // What was hung up in a proxy when it was given up may come at any time.
    const bool tooLate = row->notAfter > 0 && machine::wallNow(machine::wallAhead()) > row->notAfter;
    if (row->ref < last)
        m_late.insert(eventId);
    if (row->ref < last && !row->settled && !tooLate)
        complain("order", QStringLiteral("%1 %2 of %3").arg(lane, row->type, row->callId));
    last = std::max(last, row->ref);
    if (row->type == QLatin1String("m.call.answer")) {
        ++totals.answers;
        if (row->form == store::Form::Plain)
            countAnswer(lane, row->roomId, row->content);
    }
}

void Judge::countAnswer(const QString &lane, const QString &roomId, const QJsonObject &content)
{
    const QString key = roomId + u' ' + content.value(QLatin1String("call_id")).toString() + u' ' + lane;
    if (m_answers.contains(key))
        complain("two_answers", key);
    m_answers.insert(key);
}

bool Judge::isEnd(const QString &txnId) const
{
    const QString type = m_decided.value(txnId).type;
    return type == QLatin1String("m.call.hangup") || type == QLatin1String("m.call.reject");
}

void Judge::refused(const QString &txnId)
{
    if (const auto row = m_decided.find(txnId); row != m_decided.end())
        row->refused = true;
}

// What is not kept by now is of a room that was not known when it came: it is read once the room is entered.
void Judge::acknowledged(const QString &lane, const QString &eventId)
{
    if (!m_kept.contains({lane, eventId}))
        m_owed.insert({lane, eventId});
}

// --- the host ------------------------------------------------------------------------------------------------------

void Judge::told(const QString &lane, const voiphost::CallNotice &notice)
{
    ++totals.notices;
    const auto told = m_told.constFind({lane, notice.callId});
    if (told == m_told.constEnd() || notice.seq > told->last)
        return complain("told_undecided", lane + u' ' + notice.callId + u' ' + QString::number(notice.seq));
    if (told->idOf.value(notice.seq) != notice.id) {
        complain("notice_id", QStringLiteral("%1 %2 seq %3: %4 and %5")
                                  .arg(lane, notice.callId)
                                  .arg(notice.seq)
                                  .arg(told->idOf.value(notice.seq))
                                  .arg(notice.id));
    }
}

void Judge::answered(const QString &lane, const QString &callId)
{
    if (!m_calls.contains({lane, callId}))
        complain("accepted_undecided", lane + u' ' + callId);
}

// --- the end -------------------------------------------------------------------------------------------------------

bool Judge::owes() const
{
    return std::any_of(m_owed.cbegin(), m_owed.cend(), [this](const auto &event) { return !m_kept.contains(event); });
}

void Judge::finish(const QString &leftOver)
{
    for (const auto &event : std::as_const(m_owed)) {
        if (!m_kept.contains(event))
            complain("lost", event.first + u' ' + event.second);
    }
    if (!m_mayBeDeaf && !m_deaf.isEmpty())
        complain("deaf", m_deaf.join(QLatin1String("; ")));
    if (!leftOver.isEmpty())
        complain("left", leftOver);
    if (!m_waiting.isEmpty())
        complain("not_consumed", QString::number(m_waiting.size()));
    for (const Decided &row : std::as_const(m_decided)) {
        if (!row.settled)
            complain("not_settled", QStringLiteral("%1 %2 of %3").arg(row.lane, row.type, row.callId));
    }
}

} // namespace bridgesim
