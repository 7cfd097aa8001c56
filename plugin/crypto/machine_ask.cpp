// SPDX-License-Identifier: Apache-2.0
// What the machine asks of the homeserver: in which order, how often, and when again.
#include "crypto/machine.h"
#include "crypto/packing.h"

#include <QJsonDocument>

#include <algorithm>

namespace voip::crypto
{

namespace
{

constexpr qint64 firstBackoff = 500;
constexpr qint64 longestBackoff = 60'000;
constexpr int maxQueried = 100; // users in one keys/query

using Stage = OwnDevice::Stage;

} // namespace

std::optional<Machine::Message> Machine::messageOf(const QString &txnId) const
{
    const auto bytes = m_records.read({Kind::ToDevice, txnId});
    if (!bytes)
        return {};
    Unpacker unpacker(bytes->view(), messageVersion);
    Message message;
    message.room = unpacker.text();
    message.type = unpacker.text();
    message.messages = QJsonDocument::fromJson(unpacker.text().toUtf8()).object();
    return unpacker.good() ? std::optional(message) : std::nullopt;
}

Machine::Errand Machine::errandOf(const Request &request)
{
    struct Sort {
        Errand operator()(const MakeDevice &) { return Errand::Device; }
        Errand operator()(const DropDevice &) { return Errand::Device; }
        Errand operator()(const UploadKeys &) { return Errand::Device; }
        Errand operator()(const UploadIdentity &) { return Errand::Device; }
        Errand operator()(const QueryKeys &) { return Errand::Query; }
        Errand operator()(const ClaimKeys &) { return Errand::Claim; }
        Errand operator()(const SendToDevice &) { return Errand::Send; }
        Errand operator()(const CatchUp &) { return Errand::CatchUp; }
        Errand operator()(const FindBackup &) { return Errand::Backup; }
        Errand operator()(const BackUpKeys &) { return Errand::Backup; }
    };
    return std::visit(Sort(), request);
}

bool Machine::mayAsk(Errand errand, qint64 now) const
{
    return m_run.backoff.value(errand).until <= now;
}

void Machine::ask(QVector<Asked> &list, Request request)
{
    const quint64 id = ++m_run.lastRequest;
    m_run.inFlight.insert(id, request);
    list.push_back({id, std::move(request)});
}

QVector<Asked> Machine::takeRequests(qint64 now)
{
    QVector<Asked> list;
    QSet<Errand> busy;
    QSet<QString> sending;
    bool verifying = false;
    for (const Request &request : std::as_const(m_run.inFlight)) {
        busy.insert(errandOf(request));
        if (const auto *send = std::get_if<SendToDevice>(&request)) {
            sending.insert(send->txnId);
            verifying = verifying || isVerification(send->type);
        }
    }
    const auto mayNow = [&](Errand errand) { return !busy.contains(errand) && mayAsk(errand, now); };

    // One at a time and in this order: others must never see a device without its signature.
    if (mayNow(Errand::Device)) {
        switch (m_device.stage()) {
        case Stage::None:
            break;
        case Stage::Chosen:
            ask(list, MakeDevice{m_device.id()});
            break;
        case Stage::Made:
            ask(list, UploadKeys{m_device.uploadBody()});
            break;
        case Stage::Published:
            ask(list, UploadIdentity{m_device.identityBody()});
            break;
        case Stage::Complete:
            if (m_device.hasKeysToUpload())
                ask(list, UploadKeys{m_device.uploadBody()});
            else if (std::exchange(m_run.countKeys, false))
                ask(list, UploadKeys{});
            else if (!m_device.replaced().isEmpty())
                ask(list, DropDevice{m_device.replaced()});
            break;
        }
    }
    if (m_device.stage() < Stage::Made) {
        m_runBefore = m_run;
        return list;
    }
    if (mayNow(Errand::Query)) {
        QStringList users = m_devices.outdated();
        users.removeIf([this, now](const QString &user) { return m_run.unlearnt.value(user).until > now; });
        if (!users.isEmpty())
            ask(list, QueryKeys{users.mid(0, maxQueried), m_devices.asked()});
    }
    if (mayNow(Errand::Claim)) {
        if (const auto devices = toClaim(now); !devices.isEmpty())
            ask(list, ClaimKeys{devices});
    }
    if (mayAsk(Errand::Send, now)) {
        for (const QString &txnId : m_records.keys(Kind::ToDevice)) {
            if (sending.contains(txnId))
                continue;
            const auto message = messageOf(txnId); // those of verifications one after the other, in the order of ids
            if (!message || (isVerification(message->type) && std::exchange(verifying, true)))
                continue;
            ask(list, SendToDevice{txnId, message->type, message->messages});
        }
    }
    if (m_run.catchUp && !m_device.isGiven() && m_device.stage() >= Stage::Published && mayNow(Errand::CatchUp)) {
        m_run.catchUp = false;
        ask(list, CatchUp{m_device.since()});
    }
    if (mayNow(Errand::Backup)) {
        if (auto request = backupRequest(now))
            ask(list, std::move(*request));
    }
    m_runBefore = m_run;
    return list;
}

void Machine::delay(Backoff &backoff, qint64 now, int atLeast)
{
    const qint64 wait = std::min(firstBackoff << std::min(backoff.failures++, 10), longestBackoff);
    backoff.until = now + std::max<qint64>(wait, atLeast);
}

std::optional<qint64> Machine::nextDue() const
{
    std::optional<qint64> due;
    const auto consider = [this, &due](qint64 at) {
        if (at > m_run.lookedAt)
            due = due ? std::min(*due, at) : at;
    };
    for (const qint64 since : m_run.waits)
        consider(since + patience);
    for (const Backoff &backoff : m_run.backoff)
        consider(backoff.until);
    for (const Backoff &backoff : m_run.unlearnt)
        consider(backoff.until);
    for (const OnItsWay &message : m_run.onTheirWay)
        consider(message.since + patience);
    if (const auto verification = m_run.verifications.nextDue())
        consider(*verification);
    if (const auto look = backupDue())
        consider(*look);
    return due;
}

} // namespace voip::crypto
