// SPDX-License-Identifier: Apache-2.0
// The machine's life: how it begins, what is answered, what is committed. What it asks is in machine_ask.cpp, what
// comes in in machine_in.cpp, what goes out in machine_out.cpp, the key backup in machine_backup.cpp.
#include "crypto/machine.h"

#include <algorithm>

namespace voip::crypto
{

namespace
{

constexpr qint64 replaceEvery = 600'000; // a device that is said to be gone
constexpr int askAgainOfUs = 30'000;

using Stage = OwnDevice::Stage;

} // namespace

Machine::Machine(MachineSettings settings, Backend &backend, const Seal &seal, Random random,
                 const QVector<SealedRecord> &committed)
    : m_settings(std::move(settings)), m_backend(backend), m_random(std::move(random)),
      m_records(seal, m_settings.user, committed), m_device(backend, m_records, m_settings.user, m_settings.device),
      m_devices(m_records, m_settings.policy, m_settings.verifiedMasterKeys), m_olm(backend, m_records),
      m_inbound(backend, m_records), m_outbound(backend, m_records), m_backup(backend, m_records)
{
}

Outcome<std::unique_ptr<Machine>> Machine::open(MachineSettings settings, Backend &backend, const Seal &seal,
                                                Random random, const QVector<SealedRecord> &committed, qint64 now)
{
    std::unique_ptr<Machine> machine(new Machine(std::move(settings), backend, seal, std::move(random), committed));
    if (const auto loaded = machine->m_device.load(); !loaded)
        return loaded.error();
    if (machine->m_device.isGiven() && machine->m_device.stage() == Stage::None && !machine->m_device.isSpent())
        machine->m_records.removeAll(); // of another session
    bool lost = false;
    for (const QString &txnId : machine->m_records.keys(Kind::ToDevice)) {
        if (const auto message = machine->messageOf(txnId)) {
            machine->m_run.onTheirWay.insert(txnId, {message->room, now});
            continue;
        }
        lost = true;
        machine->m_records.remove({Kind::ToDevice, txnId});
    }
    if (lost) { // somebody is taken to have a key that they will never get: other keys then
        machine->note(QStringLiteral("record_unreadable"), machine->m_settings.user);
        machine->m_outbound.giveUpAll();
    }
    machine->m_runBefore = machine->m_run;
    return machine;
}

void Machine::begin(qint64 now)
{
    if (m_device.stage() == Stage::None && !m_device.isSpent()) {
        if (!m_device.make(m_random))
            return note(QStringLiteral("no_randomness"), m_settings.user);
        m_devices.follow(m_settings.user);
    }
    advance(now);
}

// Everything that was made with the old one is given up; what others hold of it they will not get from us again.
void Machine::replaceDevice(const char *why, qint64 now)
{
    note(QString::fromLatin1(why), m_settings.user);
    if (m_device.isGiven()) { // only another login gives another device; this one must not be used any more
        m_run.inFlight.clear();
        m_run.catchUp = false;
        return m_device.spend();
    }
    m_outbound.giveUpAll();
    m_olm.revert();
    m_inbound.revert();
    for (const Kind kind : {Kind::Olm, Kind::Inbound, Kind::Withheld, Kind::ToDevice}) {
        for (const QString &key : m_records.keys(kind))
            m_records.remove({kind, key});
    }
    m_run.inFlight.clear();
    m_run.onTheirWay.clear();
    m_run.wedged.clear();
    m_run.excusedKeys.clear();
    m_run.backoff.clear();
    m_run.catchUp = false;
    m_devices.allChanged();
    if (!m_device.make(m_random))
        note(QStringLiteral("no_randomness"), m_settings.user);
    advance(now);
}

void Machine::gap(qint64 now)
{
    if (m_device.stage() < Stage::Made)
        return;
    m_run.catchUp = !m_device.isGiven();
    m_run.backoff.clear();
    m_run.unlearnt.clear();
    m_run.missing.clear();
    if (m_device.since().isEmpty()) // a first /sync tells of no lists
        m_devices.allChanged();
    advance(now);
}

// --- answers -------------------------------------------------------------------------------------------------------

void Machine::answered(const Answer &answer, qint64 now)
{
    const auto found = m_run.inFlight.constFind(answer.id);
    if (found == m_run.inFlight.constEnd())
        return; // of a device that was replaced meanwhile
    const Request request = *found;
    m_run.inFlight.erase(found);
    const Errand errand = errandOf(request);
    if (errand == Errand::Backup) {
        backupAnswered(request, answer, now);
        return advance(now);
    }

    switch (answer.kind) {
    case Answer::Kind::Ok:
        m_run.backoff.remove(errand);
        break;
    case Answer::Kind::UnknownDevice:
        // Not again and again: a homeserver may say so of each.
        if (m_device.stage() > Stage::Chosen && !std::holds_alternative<DropDevice>(request) &&
            now >= m_run.replaceNotBefore) {
            m_run.replaceNotBefore = now + replaceEvery;
            return replaceDevice("device_gone", now);
        }
        [[fallthrough]];
    case Answer::Kind::Failed:
    case Answer::Kind::Refused:
    case Answer::Kind::WrongVersion: {
        delay(m_run.backoff[errand], now, answer.retryAfterMs);
        if (std::holds_alternative<CatchUp>(request))
            m_run.catchUp = true;
        if (const auto *upload = std::get_if<UploadKeys>(&request); upload && upload->body.isEmpty())
            m_run.countKeys = true;
        // A message that is refused would be refused for ever.
        const auto *send = std::get_if<SendToDevice>(&request);
        if (send && answer.kind == Answer::Kind::Refused) {
            note(QStringLiteral("to_device_refused"), m_settings.user);
            m_records.remove({Kind::ToDevice, send->txnId});
            m_run.onTheirWay.remove(send->txnId);
        }
        if (std::holds_alternative<DropDevice>(request) && answer.kind != Answer::Kind::Failed)
            m_device.forgetReplaced(); // it is gone
        return advance(now);
    }
    case Answer::Kind::KeysExist:
        return replaceDevice("state_went_back", now); // E31
    }

    struct Take {
        Machine &m;
        const Answer &answer;
        qint64 now;
        void operator()(const MakeDevice &) { m.m_device.setStage(Stage::Made); }
        void operator()(const DropDevice &) { m.m_device.forgetReplaced(); }
        void operator()(const UploadKeys &upload) { m.readUpload(upload, answer.body, now); }
        void operator()(const UploadIdentity &)
        {
            m.complete();
            m.m_run.catchUp = true; // a place to go on from, if something gets lost
        }
        void operator()(const QueryKeys &query)
        {
            const QStringList unlearnt = m.m_devices.read(query.users, query.asked, answer.body, m.m_run.notes);
            for (const QString &user : query.users) {
                if (unlearnt.contains(user)) {
                    delay(m.m_run.unlearnt[user], now, 0);
                    continue;
                }
                m.m_run.unlearnt.remove(user);
                m.m_run.excusedUsers.remove(user);
            }
            m.m_run.news = true;
        }
        void operator()(const ClaimKeys &claim) { m.readClaim(claim, answer.body, now); }
        void operator()(const SendToDevice &send)
        {
            m.m_records.remove({Kind::ToDevice, send.txnId});
            m.m_run.onTheirWay.remove(send.txnId);
        }
        void operator()(const CatchUp &)
        {
            m.m_device.setSince(answer.body.value(QLatin1String("next_batch")).toString());
            m.m_run.catchUp = m.m_run.catchUp || answer.body.value(QLatin1String("more")).toBool();
            m.m_run.news = true;
        }
        void operator()(const FindBackup &) {} // backupAnswered()
        void operator()(const BackUpKeys &) {}
    };
    std::visit(Take{*this, answer, now}, request);

    if (const auto *query = std::get_if<QueryKeys>(&request);
        query && query->users.contains(m_settings.user) && isGone(answer.body)) {
        // Once in a while: a homeserver whose lists lag behind, or that hides us, would have us make devices for ever.
        if (now >= m_run.replaceNotBefore) {
            m_run.replaceNotBefore = now + replaceEvery;
            return replaceDevice("device_gone", now);
        }
        m_devices.changed(m_settings.user);
        delay(m_run.unlearnt[m_settings.user], now, askAgainOfUs);
    }
    advance(now);
}

// What was asked of our own devices before may not have this one, and is asked again.
void Machine::complete()
{
    m_device.setStage(Stage::Complete);
    m_devices.changed(m_settings.user);
}

void Machine::readUpload(const UploadKeys &upload, const QJsonObject &answer, qint64 now)
{
    m_run.countKeys = false;
    if (!upload.body.isEmpty()) // or keys that were made meanwhile are still to be uploaded
        m_device.uploaded();
    if (m_device.stage() == Stage::Made)
        m_device.isGiven() ? complete() : m_device.setStage(Stage::Published);
    const QJsonValue count =
        answer.value(QLatin1String("one_time_key_counts")).toObject().value(QLatin1String("signed_curve25519"));
    if (count.isDouble() && !m_device.supply(std::clamp(count.toInt(), 0, 1000), {}, now, m_random))
        note(QStringLiteral("no_randomness"), m_settings.user);
}

// --- commit --------------------------------------------------------------------------------------------------------

Outcome<QVector<SealedRecord>> Machine::changes()
{
    m_devices.save();
    if (const auto saved = m_device.save(); !saved)
        return saved.error();
    if (const auto saved = m_olm.save(); !saved)
        return saved.error();
    if (const auto saved = m_inbound.save(); !saved)
        return saved.error();
    if (const auto saved = m_outbound.save(); !saved)
        return saved.error();
    return m_records.changes(m_random);
}

void Machine::committed()
{
    m_records.committed();
    m_runBefore = m_run;
}

void Machine::revert()
{
    m_records.revert();
    m_devices.revert();
    m_olm.revert();
    m_inbound.revert();
    m_outbound.revert();
    m_run = m_runBefore;
    // It was read before; if it cannot be now, memory is broken and the lane stops with the next step.
    if (!m_device.revert())
        note(QStringLiteral("state_unreadable"), m_settings.user);
}

void Machine::note(const QString &word, const QString &user)
{
    if (m_run.notes.size() < 1000)
        m_run.notes.push_back({word, user});
}

} // namespace voip::crypto
