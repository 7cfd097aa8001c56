// SPDX-License-Identifier: Apache-2.0
#include "effects/cipher.h"

#include "observe/log.h"
#include "store/keyentry.h"

#include <QJsonArray>

#include <algorithm>

namespace voip::effects
{

using observe::cryptoLog;
using How = crypto::Opened::How;

namespace
{

constexpr qint64 tellAfter = 8000;      // by then a key that was only lost has been rescued
constexpr qint64 keepFor = 10 * 60'000; // no invite lives longer
constexpr qsizetype maxKept = 512;
constexpr qsizetype maxKeptOfSender = 256; // so that one does not take the others' places

const QString encryptedType = QStringLiteral("m.room.encrypted");

crypto::RoomView viewOf(const QString &roomId, const call::Line &line)
{
    crypto::RoomView view{roomId, {}};
    const call::Room room = line.rooms.value(roomId);
    for (auto it = room.members.constBegin(); it != room.members.constEnd(); ++it) {
        if (it.key() != line.self && room.has(it.key()))
            view.members.push_back(it.key());
    }
    return view;
}

QStringList textsOf(const QJsonValue &list)
{
    QStringList texts;
    for (const QJsonValue value : list.toArray())
        texts.push_back(value.toString());
    return texts;
}

// A number of m.room.encryption within what is sane; what is not keeps the specification's.
qint64 bounded(const QJsonObject &content, const char *key, qint64 usual, qint64 least, qint64 most)
{
    const double value = content.value(QLatin1String(key)).toDouble(static_cast<double>(usual));
    return value >= static_cast<double>(least) && value <= static_cast<double>(most) ? static_cast<qint64>(value)
                                                                                     : usual;
}

// Too old to be a call that matters: read when a room is entered.
bool isOld(const store::InboxEntry &entry)
{
    const QJsonValue age = entry.body.value(QLatin1String("unsigned")).toObject().value(QLatin1String("age"));
    return age.isDouble() && age.toDouble() > static_cast<double>(keepFor);
}

// Something went wrong, as against: somebody tried something.
bool isFailure(const QString &reason)
{
    static const QStringList attempts{QStringLiteral("echo"),           QStringLiteral("replayed"),
                                      QStringLiteral("not_encrypted"),  QStringLiteral("owner_mismatch"),
                                      QStringLiteral("room_mismatch"),  QStringLiteral("bad_algorithm"),
                                      QStringLiteral("device_mismatch")};
    return !attempts.contains(reason);
}

} // namespace

QString sessionNameOf(const QJsonObject &event)
{
    return event.value(QLatin1String("room_id")).toString() + QLatin1Char(' ') +
           event.value(QLatin1String("content")).toObject().value(QLatin1String("session_id")).toString();
}

crypto::RoomRules rulesOf(const QJsonObject &content)
{
    const crypto::RoomRules usual;
    return {bounded(content, "rotation_period_msgs", usual.rotateAfterMessages, 1, 10'000),
            bounded(content, "rotation_period_ms", usual.rotateAfterMs, 60'000, 365LL * 24 * 3600 * 1000)};
}

Cipher::Cipher(const CipherServices &services, QString lane) : m_services(services), m_lane(std::move(lane))
{
}

bool Cipher::restore(const QVector<store::StateRow> &rows)
{
    QVector<crypto::SealedRecord> records;
    for (const store::StateRow &row : rows) {
        const auto kind = crypto::kindFrom(row.kind);
        if (!kind)
            return false; // of a newer version
        records.push_back({{*kind, row.key}, row.sealed});
    }
    crypto::MachineSettings settings = m_services.settings;
    settings.user = m_lane;
    auto machine = crypto::Machine::open(settings, m_services.backend, m_services.seal, crypto::systemRandom, records,
                                         m_services.clock.now());
    if (!machine.ok()) {
        qCCritical(cryptoLog).noquote() << "the device of" << m_lane
                                        << "cannot be read:" << crypto::toString(machine.error());
        return false;
    }
    m_machine = std::move(machine).value();
    return true;
}

// --- in a step -----------------------------------------------------------------------------------------------------

Cipher::Opening Cipher::open(const QVector<store::InboxEntry> &entries, const call::Line &line)
{
    Opening opening;
    for (const store::InboxEntry &entry : entries) {
        if (const QJsonValue message = entry.body.value(store::toDeviceKey); message.isObject()) {
            m_machine->toDevice(message.toObject(), m_services.clock.now());
        } else if (const QJsonValue lists = entry.body.value(store::deviceListsKey); lists.isObject()) {
            m_machine->devicesChanged(textsOf(lists.toObject().value(QLatin1String("changed"))),
                                      textsOf(lists.toObject().value(QLatin1String("left"))));
        } else {
            openEvent(entry, line, opening);
        }
    }
    return opening;
}

bool Cipher::isFull(const store::InboxEntry &entry) const
{
    if (m_kept.contains(entry.seq))
        return false;
    const auto senderOf = [](const store::InboxEntry &one) { return one.body.value(QLatin1String("sender")); };
    const auto same = [&](const Kept &kept) { return senderOf(kept.entry) == senderOf(entry); };
    return m_kept.size() >= maxKept || std::count_if(m_kept.cbegin(), m_kept.cend(), same) >= maxKeptOfSender;
}

Cipher::Unopened Cipher::unopened(const store::InboxEntry &entry, const QString &reason, bool final) const
{
    const bool tell = final && isFailure(reason) && !isOld(entry) && !m_kept.value(entry.seq).told;
    return {entry, reason, final, tell};
}

void Cipher::openEvent(const store::InboxEntry &entry, const call::Line &line, Opening &opening)
{
    const QString type = entry.body.value(QLatin1String("type")).toString();
    const QString roomId = entry.body.value(QLatin1String("room_id")).toString();
    const QString sender = entry.body.value(QLatin1String("sender")).toString();
    const QJsonObject content = entry.body.value(QLatin1String("content")).toObject();
    const qint64 now = m_services.clock.now();
    const auto beginsCall = [&opening, &line, &roomId, &sender](const QString &what) {
        if (what == QLatin1String("m.call.invite") && sender != line.self)
            opening.ringing.push_back(roomId);
    };
    const QJsonValue stateKey = entry.body.value(QLatin1String("state_key"));
    if (type == QLatin1String("m.room.encryption") && stateKey.isString() && stateKey.toString().isEmpty())
        m_machine->setRules(roomId, rulesOf(content));
    if (type != encryptedType) {
        // In a room that is encrypted only who holds a key is believed: else the homeserver could ring, and listen.
        const bool isCall = type.contains(QLatin1String("call."));
        if (isCall && line.rooms.value(roomId).encrypted)
            opening.unopened.push_back(unopened(entry, QStringLiteral("not_encrypted"), true));
        else
            opening.events.push_back(entry);
        return;
    }
    // A ghost has no device but ours, and those that ours has replaced.
    const bool alone = m_services.settings.device.isEmpty();
    if (sender == line.self && (alone || content.value(QLatin1String("device_id")).toString() == deviceId())) {
        m_machine->echo(entry.body, now);
        opening.unopened.push_back(unopened(entry, QStringLiteral("echo"), true));
        return;
    }
    const crypto::Opened opened = m_machine->open(entry.body, now);
    switch (opened.how) {
    case How::Opened: {
        store::InboxEntry readable = entry;
        readable.body = opened.event;
        beginsCall(opened.event.value(QLatin1String("type")).toString());
        opening.events.push_back(readable);
        return;
    }
    case How::Waits:
        opening.unopened.push_back(unopened(entry, opened.reason, isOld(entry) || isFull(entry)));
        return;
    case How::Refused:
        opening.unopened.push_back(unopened(entry, opened.reason, true));
        return;
    }
}

void Cipher::take(const CipherInput &input, const call::Line &line)
{
    struct Take {
        crypto::Machine &machine;
        const call::Line &line;
        qint64 now;
        bool told;
        void operator()(const crypto::Answer &answer) const { machine.answered(answer, now); }
        void operator()(const KeyCounts &counts) const
        {
            if (counts.device == machine.device().id())
                machine.counts(counts.oneTimeKeys, counts.fallbackUnused, now);
        }
        void operator()(const WantDevice &) const { machine.begin(now); }
        void operator()(const WantKeys &want) const
        {
            if (!line.rooms.value(want.roomId).encrypted)
                return;
            if (!told)
                machine.look(now);
            machine.prepare(viewOf(want.roomId, line), now);
        }
        void operator()(const RoomEncryption &room) const { machine.setRules(room.roomId, room.rules); }
        void operator()(const PeersChanged &peers) const { machine.devicesChanged(peers.users, {}); }
        void operator()(const MayHaveMissed &) const { machine.gap(now); }
        void operator()(const LookAgain &) const { machine.tick(now); }
        void operator()(const Judgement &one) const { machine.judgeVerification(one.id, one.same, now); }
    };
    std::visit(Take{*m_machine, line, m_services.clock.now(), m_services.told}, input);
}

void Cipher::seal(QVector<store::OutboxEntry> &entries, const call::Line &line)
{
    const qint64 now = m_services.clock.now();
    for (store::OutboxEntry &entry : entries) {
        if (entry.form != store::Form::Waiting)
            continue;
        const crypto::RoomView room = viewOf(entry.roomId, line);
        if (!m_machine->ready(room, now)) {
            m_machine->prepare(room, now);
            if (!m_machine->ready(room, now)) // sessions may have been there already
                continue;
        }
        const auto sealed = m_machine->encrypt(room, entry.type, entry.content);
        if (!sealed.ok()) {
            qCCritical(cryptoLog).noquote()
                << entry.type << "of" << m_lane << "cannot be encrypted:" << crypto::toString(sealed.error());
            continue;
        }
        entry.content = *sealed;
        entry.form = store::Form::Encrypted;
    }
}

QString Cipher::obstacle(const QString &roomId, const call::Line &line) const
{
    return m_machine->obstacle(viewOf(roomId, line), m_services.clock.now());
}

bool Cipher::changes(QVector<store::StateRow> &rows)
{
    const auto records = m_machine->changes();
    if (!records.ok()) {
        qCCritical(cryptoLog).noquote() << "the state of" << m_lane
                                        << "cannot be sealed:" << crypto::toString(records.error());
        return false;
    }
    for (const crypto::SealedRecord &record : *records)
        rows.push_back({crypto::toString(record.where.kind), record.where.key, m_services.backend.name(),
                        m_services.backend.pickleFormat(), record.sealed});
    return true;
}

void Cipher::committed(const QVector<Unopened> &unopened, const QVector<qint64> &consumed)
{
    m_machine->committed();
    if (m_told.size() > maxKept)
        m_told.clear();
    for (const Unopened &one : unopened) {
        if (one.tell)
            m_told.insert(sessionNameOf(one.entry.body));
        if (one.final)
            continue;
        Kept &kept = m_kept[one.entry.seq];
        if (kept.since == 0)
            kept.since = m_services.clock.now();
        kept.entry = one.entry;
        kept.reason = one.reason;
        kept.told = kept.told || one.tell;
    }
    for (const qint64 seq : consumed)
        m_kept.remove(seq);
}

void Cipher::revert()
{
    m_machine->revert();
}

// --- what waits ----------------------------------------------------------------------------------------------------

QVector<store::InboxEntry> Cipher::takeRetries()
{
    QVector<store::InboxEntry> entries;
    if (!m_machine->takeNews())
        return entries;
    for (const Kept &kept : std::as_const(m_kept))
        entries.push_back(kept.entry);
    return entries;
}

QVector<Cipher::Unopened> Cipher::overdue() const
{
    QVector<Unopened> list;
    const qint64 now = m_services.clock.now();
    for (const Kept &kept : m_kept) {
        const bool tell = !kept.told && isFailure(kept.reason);
        if (now - kept.since >= keepFor)
            list.push_back({kept.entry, kept.reason, true, tell});
        else if (tell && now - kept.since >= tellAfter)
            list.push_back({kept.entry, kept.reason, false, true});
    }
    return list;
}

std::optional<qint64> Cipher::nextDue() const
{
    std::optional<qint64> due = m_machine->nextDue();
    for (const Kept &kept : m_kept) {
        const qint64 at = kept.since + (kept.told ? keepFor : tellAfter);
        due = due ? std::min(*due, at) : at;
    }
    return due;
}

} // namespace voip::effects
