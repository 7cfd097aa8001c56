// SPDX-License-Identifier: Apache-2.0
// A lane's encryption: what of a batch can be read, what is sealed in a step, and what follows after the commit.
#include "effects/lane.h"
#include "effects/present.h"
#include "observe/log.h"

#include <QCryptographicHash>

#include <algorithm>

namespace voip::effects
{

using namespace voiphost;
using observe::cryptoLog;

namespace
{

constexpr qint64 oneHour = 60LL * 60 * 1000;
constexpr qint64 never = 1; // is it worth sending

} // namespace

// For keys, that may never come: nobody needs the end of a call that is long over. Without a device none will.
void Lane::makeWait(store::OutboxEntry &entry) const
{
    entry.form = store::Form::Waiting;
    if (!m_cipher)
        entry.notAfter = never;
    else if (entry.notAfter == 0)
        entry.notAfter = entry.createdAt + oneHour;
}

// Decided in the same step as that the room is encrypted, and before it.
void Lane::keepFromClear(Decision &decision) const
{
    for (store::OutboxEntry &entry : decision.commit.sends) {
        if (entry.form == store::Form::Plain && decision.line.rooms.value(entry.roomId).encrypted)
            makeWait(entry);
    }
    for (const call::Room &room : std::as_const(decision.commit.rooms)) { // the commit may take its time
        if (room.encrypted && !m_line.rooms.value(room.id).encrypted)
            decision.unclear += m_services.outbox.holdClear(m_id, room.id);
    }
}

// Decided before, and nobody has begun to send it.
void Lane::keepFromClear(const QString &roomId)
{
    const auto kept = m_services.outbox.keepFromClear(m_id, roomId, [this](auto &entry) { makeWait(entry); });
    if (!m_cipher || kept.isEmpty())
        return;
    for (const store::OutboxEntry &entry : kept)
        m_waiting.insert(entry.ref, entry);
    m_queue.push_back({.keys = WantKeys{roomId}});
}

// What the parser may see of a batch. The rest is dealt with, or kept until it can be opened.
QVector<store::InboxEntry> Lane::readable(const QVector<store::InboxEntry> &entries, Decision &decision)
{
    if (!m_cipher) {
        for (const store::InboxEntry &entry : entries)
            decision.commit.consumed.push_back(entry.seq);
        return entries;
    }
    Cipher::Opening opening = m_cipher->open(entries, decision.line);
    QSet<qint64> kept;
    for (const Cipher::Unopened &unopened : std::as_const(opening.unopened)) {
        noteUnopened(unopened, decision);
        if (!unopened.final)
            kept.insert(unopened.entry.seq);
    }
    // While draining, calls stay in the inbox: they ring after the next start, if they are still worth it.
    if (m_services.draining() && !opening.ringing.isEmpty()) {
        opening.events.removeIf([&kept](const store::InboxEntry &entry) {
            const bool rings = entry.body.value(QLatin1String("type")).toString() == QLatin1String("m.call.invite");
            if (rings)
                kept.insert(entry.seq);
            return rings;
        });
        opening.ringing.clear();
    }
    for (const store::InboxEntry &entry : entries) {
        if (!kept.contains(entry.seq))
            decision.commit.consumed.push_back(entry.seq);
    }
    decision.toPrepare += opening.ringing;
    return opening.events;
}

// E33: a lost invite is a missed call. The host's user is told once for each session, in a notice that belongs to no
// call.
void Lane::noteUnopened(const Cipher::Unopened &unopened, Decision &decision)
{
    const QJsonObject &event = unopened.entry.body;
    const QString session = sessionNameOf(event);
    const bool told = m_cipher->wasTold(session) ||
                      std::any_of(decision.unopened.cbegin(), decision.unopened.cend(), [&session](const auto &other) {
                          return other.tell && sessionNameOf(other.entry.body) == session;
                      });
    decision.unopened.push_back(unopened);
    if (!unopened.tell || told)
        return;
    const QString roomId = event.value(QLatin1String("room_id")).toString();
    const QString eventId = event.value(QLatin1String("event_id")).toString();
    store::Notice notice;
    notice.lane = m_id;
    notice.callId =
        QStringLiteral("undecryptable-") +
        QString::fromLatin1(QCryptographicHash::hash((session + u'\n' + eventId + u'\n' + unopened.reason).toUtf8(),
                                                     QCryptographicHash::Sha256)
                                .toHex()
                                .first(24));
    notice.conversationId = decision.line.rooms.value(roomId).conversationId;
    notice.seq = 1;
    notice.kind = NoticeKind::Undecryptable;
    notice.data = {{QStringLiteral("peer"), event.value(QLatin1String("sender"))},
                   {QStringLiteral("reason"), unopened.reason},
                   {QStringLiteral("matrix"),
                    QJsonObject{{QStringLiteral("room_id"), roomId}, {QStringLiteral("event_id"), eventId}}}};
    notice.at = m_services.clock.now();
    decision.commit.notices.push_back(notice);
}

// The end of a step: keys for the calls that begin, events sealed in the order in which they were decided, and what
// changed of the machine's state goes into the same commit.
bool Lane::sealInto(Decision &decision)
{
    const auto overdue = m_cipher->overdue();
    for (const Cipher::Unopened &unopened : overdue) {
        if (std::any_of(decision.unopened.cbegin(), decision.unopened.cend(),
                        [&unopened](const auto &other) { return other.entry.seq == unopened.entry.seq; }) ||
            decision.commit.consumed.contains(unopened.entry.seq))
            continue;
        noteUnopened(unopened, decision);
        if (unopened.final)
            decision.commit.consumed.push_back(unopened.entry.seq);
    }
    for (const QString &roomId : std::as_const(decision.toPrepare))
        m_cipher->take(WantKeys{roomId}, decision.line);
    QVector<store::OutboxEntry> waiting;
    for (const store::OutboxEntry &entry : std::as_const(m_waiting)) {
        if (!decision.commit.settledSends.contains(entry.ref))
            waiting.push_back(entry);
    }
    m_cipher->seal(waiting, decision.line);
    for (const store::OutboxEntry &entry : std::as_const(waiting)) {
        if (entry.form == store::Form::Encrypted)
            decision.commit.encrypted.push_back(entry);
    }
    m_cipher->seal(decision.commit.sends, decision.line);
    for (store::OutboxEntry &entry : decision.commit.sends) {
        if (entry.form == store::Form::Waiting)
            makeWait(entry);
    }
    return m_cipher->changes(decision.commit.state);
}

// Before the effects: what waited is as it was committed.
void Lane::concludeKeys(Decision &decision)
{
    m_cipher->committed(decision.unopened, decision.commit.consumed);
    for (const store::OutboxEntry &entry : std::as_const(decision.commit.encrypted))
        m_waiting.remove(entry.ref);
    for (const store::OutboxEntry &entry : std::as_const(decision.commit.sends)) {
        if (entry.form == store::Form::Waiting)
            m_waiting.insert(entry.ref, entry);
    }
    for (const qint64 ref : std::as_const(decision.commit.settledSends))
        m_waiting.remove(ref);
}

void Lane::performKeys(const Decision &decision)
{
    using observe::LabelledCounter;
    for (const store::OutboxEntry &entry : decision.commit.encrypted)
        m_services.outbox.sealed(entry);
    for (const Cipher::Unopened &unopened : decision.unopened) {
        const QJsonObject &event = unopened.entry.body;
        const QString eventId = event.value(QLatin1String("event_id")).toString();
        if (unopened.reason == QLatin1String("echo")) {
            m_services.metrics.count(LabelledCounter::Duplicates, unopened.reason);
            continue;
        }
        if (!unopened.tell && !unopened.final)
            continue;
        if (unopened.tell) {
            m_services.metrics.count(LabelledCounter::Undecryptable, unopened.reason);
            qCWarning(cryptoLog).noquote()
                << "event" << eventId << "for" << m_userId << "from" << event.value(QLatin1String("sender")).toString()
                << "cannot be decrypted:" << unopened.reason;
        } else {
            m_services.metrics.count(LabelledCounter::RejectedEvents, unopened.reason);
        }
        m_services.remark(m_line, event.value(QLatin1String("room_id")).toString(),
                          {{QStringLiteral("t"), m_services.clock.now()},
                           {QStringLiteral("out"), QStringLiteral("undecryptable")},
                           {QStringLiteral("reason"), unopened.reason},
                           {QStringLiteral("event_id"), eventId}});
    }
    observeKeys(m_cipher->takeNotes());
    if (const auto again = m_cipher->takeRetries(); !again.isEmpty())
        m_queue.push_front({.entries = again});
    if (m_cipher->deviceReady() && !std::exchange(m_deviceWasReady, true)) {
        m_services.outbox.setDevice(m_id, m_cipher->deviceId());
        Q_EMIT deviceIsReady(m_id);
    } else if (!m_cipher->deviceReady()) {
        m_deviceWasReady = false;
    }
    if (const bool isSigned = m_cipher->isSignedByOwner(); std::exchange(m_deviceWasSigned, isSigned) != isSigned)
        Q_EMIT deviceSignatureChanged(m_id, isSigned);
    if (auto verifications = m_cipher->verifications(); verifications != m_verifications) {
        m_verifications = std::move(verifications);
        Q_EMIT verificationsChanged(m_id);
    }
    if (const auto requests = m_cipher->takeRequests(); !requests.isEmpty())
        Q_EMIT asks(m_id, m_cipher->deviceId(), requests);
}

void Lane::observeKeys(const crypto::Notes &notes)
{
    for (const crypto::Note &note : notes) {
        m_services.metrics.count(observe::LabelledCounter::RejectedEvents, note.word);
        qCInfo(cryptoLog).noquote() << "for" << m_userId << "of" << note.user << ":" << note.word;
    }
}

} // namespace voip::effects
