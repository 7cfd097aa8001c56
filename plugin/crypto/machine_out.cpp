// SPDX-License-Identifier: Apache-2.0
// What the machine gives out: room keys to whom they are for, reasons to the others, and encrypted events.
#include "crypto/encoding.h"
#include "crypto/machine.h"
#include "crypto/packing.h"
#include "crypto/signature.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <algorithm>
#include <array>

namespace voip::crypto
{

namespace
{

constexpr qint64 excuseFor = 600'000;
constexpr int mostInOneMessage = 100; // devices; what one record holds, and a homeserver takes
const QString olmAlgorithm = QStringLiteral("m.olm.v1.curve25519-aes-sha2");
const QString megolmAlgorithm = QStringLiteral("m.megolm.v1.aes-sha2");

using Stage = OwnDevice::Stage;

void insert(QJsonObject &messages, const Device &device, const QJsonObject &content)
{
    QJsonObject ofUser = messages.value(device.user).toObject();
    ofUser.insert(device.id, content);
    messages.insert(device.user, ofUser);
}

} // namespace

// --- who ----------------------------------------------------------------------------------------------------------

// An account's other devices take part as well; a ghost has none.
QStringList Machine::audience(const RoomView &room) const
{
    QStringList users = room.members;
    users.removeAll(m_settings.user);
    if (m_device.isGiven())
        users.push_back(m_settings.user);
    return users;
}

QVector<Device> Machine::recipients(const RoomView &room) const
{
    QVector<Device> list;
    for (const QString &user : audience(room)) {
        const UserDevices *known = m_devices.find(user);
        if (!known)
            continue;
        for (const Device &device : known->devices) {
            if (m_devices.trusts(device) && (user != m_settings.user || device.id != m_device.id()))
                list.push_back(device);
        }
    }
    return list;
}

bool Machine::settled(const QString &user, qint64 now) const
{
    return m_devices.upToDate(user) || m_run.excusedUsers.value(user) > now;
}

bool Machine::excused(const Device &device, qint64 now) const
{
    return !m_olm.has(peerOf(device)) && m_run.excusedKeys.value(peerOf(device).key()) > now;
}

bool Machine::waitsForSends(const QString &room, qint64 now) const
{
    return std::any_of(m_run.onTheirWay.cbegin(), m_run.onTheirWay.cend(),
                       [&room, now](const OnItsWay &one) { return one.room == room && now - one.since < patience; });
}

bool Machine::ready(const RoomView &room, qint64 now) const
{
    return obstacle(room, now).isEmpty();
}

QString Machine::obstacle(const RoomView &room, qint64 now) const
{
    if (m_device.stage() != Stage::Complete)
        return QStringLiteral("homeserver");
    const QStringList users = audience(room);
    const bool listsThere =
        std::all_of(users.cbegin(), users.cend(), [this, now](const QString &user) { return settled(user, now); });
    if (!listsThere)
        return QStringLiteral("keys");
    const auto devices = recipients(room);
    const auto reachable = std::count_if(devices.cbegin(), devices.cend(), [this, now](const Device &device) {
        return device.user != m_settings.user && !excused(device, now);
    });
    if (reachable == 0)
        return QStringLiteral("no_device");
    const bool shared = std::all_of(devices.cbegin(), devices.cend(), [this, &room, now](const Device &device) {
        return m_outbound.isShared(room.id, device) || excused(device, now);
    });
    if (!shared || !m_outbound.usable(room.id, devices, now) || waitsForSends(room.id, now))
        return QStringLiteral("keys");
    return {};
}

// --- sharing ------------------------------------------------------------------------------------------------------

void Machine::prepare(const RoomView &room, qint64 now)
{
    m_run.wishes.insert(room.id, room);
    begin(now);
}

void Machine::advance(qint64 now)
{
    m_run.lookedAt = now;
    advanceVerifications(now);
    advanceBackup();
    if (m_run.wishes.isEmpty())
        m_run.waits.clear();
    for (auto it = m_run.wishes.begin(); it != m_run.wishes.end();) {
        if (advance(*it, now))
            it = m_run.wishes.erase(it);
        else
            ++it;
    }
}

void Machine::look(qint64 now)
{
    m_devices.allChanged();
    m_run.catchUp = !m_device.isGiven();
    advance(now);
}

bool Machine::waitsTooLong(const QString &forWhat, qint64 now)
{
    const auto since = m_run.waits.constFind(forWhat);
    if (since == m_run.waits.constEnd()) {
        m_run.waits.insert(forWhat, now);
        return false;
    }
    return now - *since >= patience;
}

bool Machine::advance(const RoomView &room, qint64 now)
{
    const QStringList users = audience(room);
    for (const QString &user : users)
        m_devices.follow(user);
    if (m_device.stage() != Stage::Complete)
        return false;
    bool waits = false;
    for (const QString &user : users) {
        if (settled(user, now)) {
            m_run.waits.remove(user);
        } else if (!waitsTooLong(user, now)) {
            waits = true;
        } else {
            m_run.waits.remove(user);
            m_run.excusedUsers.insert(user, now + excuseFor);
            note(QStringLiteral("device_list_late"), user);
        }
    }
    const auto devices = recipients(room);
    for (const Device &device : devices) {
        const QString key = peerOf(device).key();
        if (m_olm.has(peerOf(device)) || excused(device, now)) {
            m_run.waits.remove(key);
        } else if (!waitsTooLong(key, now)) {
            waits = true;
        } else {
            m_run.waits.remove(key);
            m_run.excusedKeys.insert(key, now + excuseFor);
            note(QStringLiteral("no_olm_session"), device.user);
        }
    }
    if (waits)
        return false;
    if (!devices.isEmpty())
        share(room, devices, now);
    withhold(room, now);
    // Nobody to send to: the wish stays until a device comes, or a session with one.
    return std::any_of(devices.cbegin(), devices.cend(),
                       [this, &room](const Device &device) { return m_outbound.isShared(room.id, device); });
}

void Machine::share(const RoomView &room, const QVector<Device> &devices, qint64 now)
{
    const auto fresh = m_outbound.refresh(room.id, devices, now, m_random);
    if (!fresh)
        return note(QStringLiteral("no_randomness"), m_settings.user);
    if (*fresh)
        markOutbound(room.id);
    const Secret key = m_outbound.keyOf(room.id);
    const QJsonObject content{{QStringLiteral("algorithm"), megolmAlgorithm},
                              {QStringLiteral("room_id"), room.id},
                              {QStringLiteral("session_id"), m_outbound.sessionId(room.id)},
                              {QStringLiteral("session_key"), QString::fromLatin1(key.view())}};
    QJsonObject messages;
    int count = 0;
    for (const Device &device : devices) {
        if (m_outbound.isShared(room.id, device) || !m_olm.has(peerOf(device)))
            continue;
        const auto sealed = olm(device, QStringLiteral("m.room_key"), content);
        if (!sealed) {
            note(QStringLiteral("olm_") + toString(sealed.error()), device.user);
            continue;
        }
        insert(messages, device, *sealed);
        m_outbound.markShared(room.id, device);
        if (++count % mostInOneMessage == 0)
            post(room.id, QStringLiteral("m.room.encrypted"), std::exchange(messages, {}), now);
    }
    if (!messages.isEmpty())
        post(room.id, QStringLiteral("m.room.encrypted"), messages, now);
}

// E18: once for each session and device.
void Machine::withhold(const RoomView &room, qint64 now)
{
    QJsonObject messages;
    int count = 0;
    const QString session = m_outbound.sessionId(room.id);
    for (const QString &user : room.members) {
        const UserDevices *known = user == m_settings.user ? nullptr : m_devices.find(user);
        if (!known)
            continue;
        for (const Device &device : known->devices) {
            const bool trusted = m_devices.trusts(device);
            if ((trusted && (session.isEmpty() || m_olm.has(peerOf(device)))) ||
                m_outbound.wasTold(room.id, user, device.id))
                continue;
            QJsonObject content{
                {QStringLiteral("algorithm"), megolmAlgorithm},
                {QStringLiteral("sender_key"), m_device.keys().curve25519},
                {QStringLiteral("from_device"), m_device.id()},
                {QStringLiteral("code"), trusted ? QStringLiteral("m.no_olm") : QStringLiteral("m.unverified")},
                {QStringLiteral("reason"), trusted ? QStringLiteral("No secure channel to this device could be made.")
                                                   : QStringLiteral("This device is not signed by its owner.")}};
            if (!trusted) {
                content.insert(QStringLiteral("room_id"), room.id);
                content.insert(QStringLiteral("session_id"), session);
            }
            if (!trusted && session.isEmpty())
                continue; // there is nothing yet that could be withheld
            insert(messages, device, content);
            m_outbound.markTold(room.id, user, device.id);
            if (++count % mostInOneMessage == 0)
                post({}, QStringLiteral("m.room_key.withheld"), std::exchange(messages, {}), now);
        }
    }
    if (!messages.isEmpty())
        post({}, QStringLiteral("m.room_key.withheld"), messages, now);
}

QHash<QString, QStringList> Machine::toClaim(qint64 now) const
{
    QHash<QString, QStringList> wanted;
    for (const RoomView &room : m_run.wishes) {
        for (const Device &device : recipients(room)) {
            if (!m_olm.has(peerOf(device)) && !excused(device, now) && !wanted[device.user].contains(device.id))
                wanted[device.user].push_back(device.id);
        }
    }
    for (const Device &device : m_run.wedged) {
        if (!wanted[device.user].contains(device.id))
            wanted[device.user].push_back(device.id);
    }
    wanted.removeIf([](const auto &entry) { return entry.value().isEmpty(); });
    return wanted;
}

void Machine::readClaim(const ClaimKeys &asked, const QJsonObject &answer, qint64 now)
{
    const QJsonObject all = answer.value(QLatin1String("one_time_keys")).toObject();
    for (auto it = asked.devices.constBegin(); it != asked.devices.constEnd(); ++it) {
        const UserDevices *known = m_devices.find(it.key());
        for (const QString &id : it.value()) {
            if (!known || !known->devices.contains(id))
                continue;
            claimed(known->devices.value(id), all.value(it.key()).toObject().value(id).toObject(), now);
        }
    }
    // Of a device that is gone meanwhile, or is another now, no second answer is wanted.
    m_run.wedged.removeIf(
        [&asked](const auto &one) { return asked.devices.value(one.value().user).contains(one.value().id); });
}

// What the homeserver gave for one device: one signed key, or nothing, or what it likes.
void Machine::claimed(const Device &device, const QJsonObject &keys, qint64 now)
{
    const bool wasWedged = m_run.wedged.remove(peerOf(device).key()) > 0;
    if (wasWedged)
        m_olm.noteUnwedged(peerOf(device), now); // E20: also when it fails
    const auto without = [&](const char *why) {
        note(QString::fromLatin1(why), device.user);
        if (!m_olm.has(peerOf(device)))
            m_run.excusedKeys.insert(peerOf(device).key(), now + excuseFor);
    };
    if (keys.isEmpty())
        return without("one_time_key_missing");
    const QJsonObject key = keys.constBegin().value().toObject();
    if (keys.size() != 1 || !keys.constBegin().key().startsWith(QLatin1String("signed_curve25519:")) ||
        !verifySigned(key, device.user, QStringLiteral("ed25519:") + device.id, device.ed25519))
        return without("one_time_key_forged");
    const bool fallback = key.value(QLatin1String("fallback")).toBool();
    const QString curve = key.value(QLatin1String("key")).toString();
    if (!isKey(curve) || !m_olm.begin(m_device.account(), peerOf(device), curve, fallback, now, m_random))
        return without("one_time_key_repeated");
    if (!wasWedged)
        return;
    // An empty message tells the other side of the new session.
    if (const auto sealed = olm(device, QStringLiteral("m.dummy"), {})) {
        QJsonObject messages;
        insert(messages, device, *sealed);
        post({}, QStringLiteral("m.room.encrypted"), messages, now);
        note(QStringLiteral("unwedged"), device.user);
    }
}

Outcome<QJsonObject> Machine::olm(const Device &device, const QString &type, const QJsonObject &content)
{
    const QJsonObject payload{
        {QStringLiteral("type"), type},
        {QStringLiteral("content"), content},
        {QStringLiteral("sender"), m_settings.user},
        {QStringLiteral("recipient"), device.user},
        {QStringLiteral("recipient_keys"), QJsonObject{{QStringLiteral("ed25519"), device.ed25519}}},
        {QStringLiteral("keys"), QJsonObject{{QStringLiteral("ed25519"), m_device.keys().ed25519}}},
        {QStringLiteral("sender_device_keys"), m_device.deviceKeys()}};
    QByteArray plain = QJsonDocument(payload).toJson(QJsonDocument::Compact);
    const auto message = m_olm.encrypt(peerOf(device), plain, m_random);
    wipe(plain);
    if (!message)
        return message.error();
    const QJsonObject sealed{{QStringLiteral("type"), message->type}, {QStringLiteral("body"), message->body}};
    return QJsonObject{{QStringLiteral("algorithm"), olmAlgorithm},
                       {QStringLiteral("sender_key"), m_device.keys().curve25519},
                       {QStringLiteral("ciphertext"), QJsonObject{{device.curve25519, sealed}}}};
}

void Machine::post(const QString &room, const QString &type, const QJsonObject &messages, qint64 now)
{
    std::array<char, 18> bytes{};
    if (!m_random(bytes))
        return note(QStringLiteral("no_randomness"), m_settings.user);
    // Unique over all ghosts: the homeserver keeps one set of ids for the whole appservice (R111). Their order is that
    // in which they were posted.
    const QString txnId =
        QStringLiteral("%1-%2-")
            .arg(now, 15, 10, QLatin1Char('0'))
            .arg(++m_run.lettersPosted, 6, 10, QLatin1Char('0')) +
        QString::fromLatin1(QByteArray(bytes.data(), bytes.size())
                                .toBase64(QByteArray::Base64UrlEncoding | QByteArray::OmitTrailingEquals));
    Packer packer(messageVersion);
    packer.text(room).text(type).text(QString::fromUtf8(QJsonDocument(messages).toJson(QJsonDocument::Compact)));
    m_records.write({Kind::ToDevice, txnId}, packer.take());
    m_run.onTheirWay.insert(txnId, {room, now});
}

// --- events -------------------------------------------------------------------------------------------------------

Outcome<QJsonObject> Machine::encrypt(const RoomView &room, const QString &type, const QJsonObject &content)
{
    QByteArray plain = QJsonDocument(QJsonObject{{QStringLiteral("type"), type},
                                                 {QStringLiteral("content"), content},
                                                 {QStringLiteral("room_id"), room.id}})
                           .toJson(QJsonDocument::Compact);
    const auto ciphertext = m_outbound.encrypt(room.id, plain);
    wipe(plain);
    if (!ciphertext)
        return ciphertext.error();
    QJsonObject sealed{{QStringLiteral("algorithm"), megolmAlgorithm},
                       {QStringLiteral("ciphertext"), *ciphertext},
                       {QStringLiteral("session_id"), m_outbound.sessionId(room.id)},
                       {QStringLiteral("device_id"), m_device.id()},
                       {QStringLiteral("sender_key"), m_device.keys().curve25519}};
    if (const QJsonValue relation = content.value(QLatin1String("m.relates_to")); relation.isObject())
        sealed.insert(QLatin1String("m.relates_to"), relation);
    return sealed;
}

} // namespace voip::crypto
