// SPDX-License-Identifier: Apache-2.0
#include "peerdevices.h"

#include "crypto/olmbackend.h"
#include "crypto/signature.h"
#include "machine.h"

#include <QJsonArray>

#include <cstring>

namespace bridgesim
{

using namespace voip;

namespace
{

constexpr qint64 again = 300;      // when what waits for a ghost's device is tried
constexpr qint64 isKnownBy = 3000; // a new device, when nothing goes wrong

crypto::Random randomOf(const std::shared_ptr<Chance> &chance)
{
    return [chance](std::span<char> bytes) {
        for (std::size_t done = 0; done < bytes.size();) {
            const quint64 word = chance->next();
            const std::size_t part = std::min(sizeof(word), bytes.size() - done);
            std::memcpy(bytes.data() + done, &word, part);
            done += part;
        }
        return true;
    };
}

crypto::Backend &backend()
{
    static const auto olm = crypto::olmBackend();
    return *olm;
}

const crypto::Seal &sealOfAll()
{
    static const auto made = crypto::Seal::with(crypto::Secret(crypto::rootKeySize));
    return *made;
}

QString signedBy(const crypto::SigningKey &key, const QJsonObject &object)
{
    const auto part = crypto::signedPartOf(object);
    return part.ok() ? key.sign(*part) : QString();
}

QJsonObject identityKey(const QString &user, const crypto::SigningKey &key, const char *usage)
{
    return {{QStringLiteral("user_id"), user},
            {QStringLiteral("usage"), QJsonArray{QLatin1String(usage)}},
            {QStringLiteral("keys"), QJsonObject{{key.keyId(), key.publicKey()}}}};
}

// A peer as it has logged in, long before any world: keys take long to make.
struct Account {
    struct Device {
        QString id;
        QVector<crypto::SealedRecord> records;
        QJsonObject upload;
    };
    QJsonObject master;
    QJsonObject selfSigning;
    std::vector<Device> devices;
};

Account::Device logIn(const QString &user, const QString &id, const crypto::SigningKey &owner,
                      const crypto::Random &random)
{
    auto machine = crypto::Machine::open({user, crypto::Policy::All, {}, id}, backend(), sealOfAll(), random, {}, 1);
    Account::Device made{id, {}, {}};
    QMap<crypto::RecordKey, QByteArray> records;
    const auto commit = [&] {
        const auto changes = machine.value()->changes();
        for (const crypto::SealedRecord &record : *changes)
            records.insert(record.where, record.sealed);
        machine.value()->committed();
    };
    machine.value()->begin(1);
    commit();
    for (const crypto::Asked &asked : machine.value()->takeRequests(1)) {
        const auto *upload = std::get_if<crypto::UploadKeys>(&asked.request);
        if (!upload)
            continue;
        made.upload = upload->body;
        const QJsonObject keys = made.upload.value(QLatin1String("device_keys")).toObject();
        made.upload.insert(QLatin1String("device_keys"),
                           crypto::withSignature(keys, user, owner.keyId(), signedBy(owner, keys)));
        machine.value()->answered({asked.id, crypto::Answer::Kind::Ok, {}, 0}, 1);
    }
    commit();
    for (auto record = records.cbegin(); record != records.cend(); ++record)
        made.records.push_back({record.key(), record.value()});
    return made;
}

const Account &accountOf(int peer, const QString &user)
{
    static std::map<int, Account> accounts;
    if (const auto known = accounts.find(peer); known != accounts.end())
        return known->second;
    const auto random = randomOf(std::make_shared<Chance>(mixed(0xacc, static_cast<quint64>(peer))));
    const auto master = crypto::SigningKey::make(random);
    const auto selfSigning = crypto::SigningKey::make(random);
    Account account;
    account.master = identityKey(user, *master, "master");
    account.selfSigning = identityKey(user, *selfSigning, "self_signing");
    account.selfSigning =
        crypto::withSignature(account.selfSigning, user, master->keyId(), signedBy(*master, account.selfSigning));
    for (const char *id : {"DEVICE0", "DEVICE1"})
        account.devices.push_back(logIn(user, QLatin1String(id), *selfSigning, random));
    return accounts.emplace(peer, std::move(account)).first->second;
}

} // namespace

PeerDevices::PeerDevices(Ground ground, int peer, const QString &user, Chance chance)
    : m_ground(ground), m_user(user), m_chance(chance)
{
    const Account &account = accountOf(peer, user);
    ground.server.keys().add(user, account.master, account.selfSigning);
    const auto policy = m_chance.percent(50) ? crypto::Policy::CrossSigned : crypto::Policy::All;
    const auto begin = [this, &account, policy](std::size_t which) {
        const Account::Device &device = account.devices[which];
        const auto random = randomOf(std::make_shared<Chance>(m_chance.part(which)));
        auto machine = crypto::Machine::open({m_user, policy, {}, device.id}, backend(), sealOfAll(), random,
                                             device.records, now());
        m_devices.push_back({device.id, std::move(machine).value(), m_ground.loop.now()});
        m_ground.server.keys().add(m_user, device.id, device.upload);
        m_ground.trace.note("peer logs in", m_user, device.id);
    };
    begin(0);
    const bool second = m_chance.percent(40);
    const qint64 when = m_chance.percent(50) ? 0 : m_chance.between(10'000, 150'000);
    if (second && when == 0)
        begin(1);
    else if (second)
        ground.loop.at(when, [begin] { begin(1); });
}

qint64 PeerDevices::now() const
{
    return machine::wallNow(0);
}

// --- requests ------------------------------------------------------------------------------------------------------

crypto::Answer PeerDevices::answer(const crypto::Asked &asked)
{
    KeyServer &keys = m_ground.server.keys();
    crypto::Answer given{asked.id, crypto::Answer::Kind::Ok, {}, 0};
    if (const auto *query = std::get_if<crypto::QueryKeys>(&asked.request)) {
        QJsonObject users;
        for (const QString &user : query->users)
            users.insert(user, QJsonArray());
        given.body = keys.query({{QStringLiteral("device_keys"), users}});
    } else if (const auto *claim = std::get_if<crypto::ClaimKeys>(&asked.request)) {
        QJsonObject wanted;
        for (auto user = claim->devices.cbegin(); user != claim->devices.cend(); ++user) {
            QJsonObject devices;
            for (const QString &device : *user)
                devices.insert(device, QStringLiteral("signed_curve25519"));
            wanted.insert(user.key(), devices);
        }
        given.body = keys.claim({{QStringLiteral("one_time_keys"), wanted}});
    } else if (const auto *send = std::get_if<crypto::SendToDevice>(&asked.request)) {
        keys.send(m_user, send->type, send->messages);
    } else {
        m_ground.judge.complain("peer_asks", m_user + u' ' + QString::number(asked.request.index()));
    }
    return given;
}

void PeerDevices::serve(Device &device)
{
    for (auto asked = device.machine->takeRequests(now()); !asked.isEmpty();
         asked = device.machine->takeRequests(now())) {
        for (const crypto::Asked &one : std::as_const(asked))
            device.machine->answered(answer(one), now());
    }
    // Ghosts' devices are what they say, and nothing of theirs gets lost on the way to a peer. One that could not
    // begin a session says so.
    for (const crypto::Note &note : device.machine->takeNotes()) {
        if (note.word == QLatin1String("unwedged") && !m_ground.judge.world.calm)
            continue;
        m_ground.judge.complain("peer_notes", m_user + u' ' + device.id + u' ' + note.word + u' ' + note.user);
    }
}

void PeerDevices::take(const QString &id, const QJsonObject &message)
{
    for (Device &device : m_devices) {
        if (device.id != id)
            continue;
        device.machine->toDevice(message, now());
        serve(device);
        if (device.machine->takeNews())
            lookAgain();
    }
}

void PeerDevices::changed(const QString &user)
{
    for (const Device &device : m_devices)
        device.machine->devicesChanged({user}, {});
}

// --- says ----------------------------------------------------------------------------------------------------------

void PeerDevices::send(const QString &room, const QString &device, const QString &type, const QJsonObject &content)
{
    m_sayings[room].push_back({device, type, content});
    if (!m_busy.contains(room))
        say(room);
}

void PeerDevices::say(const QString &room)
{
    std::deque<Saying> &sayings = m_sayings[room];
    m_busy.insert(room);
    while (!sayings.empty()) {
        const auto sealed = seal(room, sayings.front());
        if (!sealed) {
            m_ground.loop.after(again, [this, room] { say(room); });
            return;
        }
        sayings.pop_front();
        m_ground.server.post(m_user, room, QStringLiteral("m.room.encrypted"), *sealed);
    }
    m_busy.remove(room);
}

std::optional<QJsonObject> PeerDevices::seal(const QString &room, const Saying &saying)
{
    Device &device = saying.device == m_devices.back().id ? m_devices.back() : m_devices.front();
    crypto::RoomView view{room, m_ground.server.membersOf(room)};
    view.members.removeAll(m_user);
    if (!device.machine->ready(view, now())) {
        device.machine->prepare(view, now());
        serve(device);
    }
    if (!device.machine->ready(view, now()))
        return {};
    const auto sealed = device.machine->encrypt(view, saying.type, saying.content);
    if (!sealed.ok()) {
        m_ground.judge.complain("peer_seals", m_user + u' ' + crypto::toString(sealed.error()));
        return {};
    }
    return *sealed;
}

// --- reads ---------------------------------------------------------------------------------------------------------

void PeerDevices::see(const RoomEvent &event)
{
    for (std::size_t i = 0; i < m_devices.size(); ++i) {
        QString reason;
        if (!open(event, i, reason))
            m_unread.push_back({event, i, reason});
    }
}

bool PeerDevices::open(const RoomEvent &event, std::size_t which, QString &reason)
{
    Device &device = m_devices[which];
    const QJsonObject whole{{QStringLiteral("type"), event.type},
                            {QStringLiteral("event_id"), event.id},
                            {QStringLiteral("room_id"), event.roomId},
                            {QStringLiteral("sender"), event.sender},
                            {QStringLiteral("content"), event.content}};
    crypto::Opened opened = device.machine->open(whole, now());
    if (opened.how == crypto::Opened::How::Waits) { // a device list, perhaps
        serve(device);
        opened = device.machine->open(whole, now());
    }
    reason = opened.reason;
    if (opened.how != crypto::Opened::How::Opened)
        return false;
    RoomEvent readable = event;
    readable.type = opened.event.value(QLatin1String("type")).toString();
    readable.content = opened.event.value(QLatin1String("content")).toObject();
    m_ground.judge.read(event.id, readable.type, readable.content);
    if (!m_read.contains(event.id)) {
        m_read.insert(event.id);
        onRead(readable);
    }
    return true;
}

void PeerDevices::lookAgain()
{
    for (Unread &unread : std::exchange(m_unread, {})) {
        if (!open(unread.event, unread.device, unread.reason))
            m_unread.push_back(unread);
    }
}

// --- the end -------------------------------------------------------------------------------------------------------

QString PeerDevices::leftOver() const
{
    QString said;
    for (const auto &[room, sayings] : m_sayings) {
        if (!sayings.empty())
            said += QStringLiteral("%1 has %2 events for %3 and no keys; ").arg(m_user).arg(sayings.size()).arg(room);
    }
    return said;
}

bool PeerDevices::isDeaf(const QString &room) const
{
    return std::any_of(m_unread.cbegin(), m_unread.cend(), [this, &room](const Unread &unread) {
        return unread.event.roomId == room && !m_read.contains(unread.event.id);
    });
}

void PeerDevices::finish()
{
    for (const Unread &unread : std::as_const(m_unread)) {
        const Device &device = m_devices[unread.device];
        const bool fresh =
            device.since > 0 && (!m_ground.judge.world.calm || unread.event.at < device.since + isKnownBy);
        m_ground.judge.unread(m_user + u' ' + device.id, unread.event.id, unread.reason, fresh);
    }
}

} // namespace bridgesim
