// SPDX-License-Identifier: Apache-2.0
#include "crypto/devices.h"

#include "crypto/encoding.h"
#include "crypto/packing.h"
#include "crypto/signature.h"

#include <QJsonArray>

#include <algorithm>

namespace voip::crypto
{

namespace
{

constexpr int recordVersion = 1;
constexpr qsizetype maxDevices = 256;   // of one user
constexpr qsizetype maxLookedAt = 1000; // of those that an answer has for one user
constexpr qsizetype maxIdLength = 255;

const QString ed25519Prefix = QStringLiteral("ed25519:");
const QString curvePrefix = QStringLiteral("curve25519:");

// A cross-signing key of a user: the one key in it, or empty.
QString crossSigningKey(const QJsonObject &object, const QString &user, const QString &usage)
{
    const QJsonObject keys = object.value(QLatin1String("keys")).toObject();
    if (object.value(QLatin1String("user_id")).toString() != user || keys.size() != 1 ||
        !object.value(QLatin1String("usage")).toArray().contains(usage))
        return {};
    const QString key = keys.constBegin().value().toString();
    return isKey(key) && keys.constBegin().key() == ed25519Prefix + key ? key : QString();
}

// E1, E6: the device as its owner signed it. What is wrong with it is a word; empty: nothing.
QString defectOf(const QJsonObject &object, const QString &user, const QString &id, Device &device)
{
    if (object.value(QLatin1String("user_id")).toString() != user ||
        object.value(QLatin1String("device_id")).toString() != id)
        return QStringLiteral("device_of_another");
    const QJsonObject keys = object.value(QLatin1String("keys")).toObject();
    device = {user, id, keys.value(curvePrefix + id).toString(), keys.value(ed25519Prefix + id).toString(), false};
    if (!isKey(device.curve25519) || !isKey(device.ed25519))
        return QStringLiteral("device_without_keys");
    if (!verifySigned(object, user, ed25519Prefix + id, device.ed25519))
        return QStringLiteral("device_signature_forged");
    return {};
}

Secret pack(const UserDevices &list)
{
    Packer packer(recordVersion);
    packer.number(list.outdated ? 1 : 0).number(list.known ? 1 : 0).text(list.masterKey).number(list.devices.size());
    for (const Device &device : list.devices)
        packer.text(device.id).text(device.curve25519).text(device.ed25519).number(device.crossSigned ? 1 : 0);
    return packer.take();
}

bool unpack(QByteArrayView bytes, const QString &user, UserDevices &list)
{
    Unpacker unpacker(bytes, recordVersion);
    list.outdated = unpacker.flag();
    list.known = unpacker.flag();
    list.masterKey = unpacker.text();
    const qsizetype count = unpacker.count(maxDevices);
    for (qsizetype i = 0; i < count; ++i) {
        Device device;
        device.user = user;
        device.id = unpacker.text();
        device.curve25519 = unpacker.text();
        device.ed25519 = unpacker.text();
        device.crossSigned = unpacker.flag();
        list.devices.insert(device.id, device);
    }
    return unpacker.good();
}

} // namespace

DeviceLists::DeviceLists(Records &records, Policy policy, QHash<QString, QString> verifiedMasterKeys)
    : m_records(records), m_policy(policy), m_verified(std::move(verifiedMasterKeys))
{
}

DeviceLists::Entry *DeviceLists::entry(const QString &user) const
{
    if (const auto found = m_live.constFind(user); found != m_live.constEnd())
        return found->get();
    if (!m_records.has({Kind::User, user}))
        return nullptr;
    auto entry = std::make_shared<Entry>();
    const auto bytes = m_records.read({Kind::User, user});
    if (!bytes || !unpack(bytes->view(), user, entry->list))
        entry->list = {}; // asked for anew
    return m_live.insert(user, entry)->get();
}

bool DeviceLists::follows(const QString &user) const
{
    return entry(user) != nullptr;
}

void DeviceLists::follow(const QString &user)
{
    if (follows(user))
        return;
    auto fresh = std::make_shared<Entry>();
    m_changedAt[user] = ++m_notice;
    fresh->dirty = true;
    m_live.insert(user, fresh);
}

void DeviceLists::changed(const QString &user)
{
    Entry *known = entry(user);
    if (!known)
        return;
    m_changedAt[user] = ++m_notice;
    if (std::exchange(known->list.outdated, true) == false)
        known->dirty = true;
}

void DeviceLists::allChanged()
{
    for (const QString &user : m_records.keys(Kind::User))
        changed(user);
}

const UserDevices *DeviceLists::find(const QString &user) const
{
    const Entry *known = entry(user);
    return known ? &known->list : nullptr;
}

bool DeviceLists::upToDate(const QString &user) const
{
    const Entry *known = entry(user);
    return known && !known->list.outdated;
}

QStringList DeviceLists::outdated() const
{
    QSet<QString> users;
    for (const QString &user : m_records.keys(Kind::User))
        users.insert(user);
    for (auto it = m_live.constBegin(); it != m_live.constEnd(); ++it)
        users.insert(it.key());
    QStringList list;
    for (const QString &user : std::as_const(users)) {
        if (!upToDate(user))
            list.push_back(user);
    }
    std::sort(list.begin(), list.end());
    return list;
}

const Device *DeviceLists::byCurveKey(const QString &user, const QString &curve25519) const
{
    const Entry *known = entry(user);
    if (!known)
        return nullptr;
    const Device *found = nullptr;
    for (const Device &device : known->list.devices) {
        if (device.curve25519 != curve25519)
            continue;
        if (device.crossSigned)
            return &device;
        if (!found)
            found = &device;
    }
    return found;
}

bool DeviceLists::trusts(const Device &device) const
{
    switch (m_policy) {
    case Policy::All:
        return true;
    case Policy::CrossSigned:
        return device.crossSigned;
    case Policy::Verified:
        return isVerified(device);
    }
    return false;
}

bool DeviceLists::isVerified(const Device &device) const
{
    const UserDevices *list = find(device.user);
    return device.crossSigned && list && !list->masterKey.isEmpty() &&
           list->masterKey == verifiedMasterKey(device.user);
}

QString DeviceLists::verifiedMasterKey(const QString &user) const
{
    if (const auto stated = m_verified.constFind(user); stated != m_verified.constEnd())
        return *stated;
    const auto kept = m_records.read({Kind::Verified, user});
    return kept ? QString::fromUtf8(kept->view()) : QString();
}

void DeviceLists::verify(const QString &user, const QString &masterKey)
{
    m_records.write({Kind::Verified, user}, Secret(masterKey.toUtf8()));
}

QStringList DeviceLists::read(const QStringList &users, quint64 asked, const QJsonObject &answer, Notes &notes)
{
    QStringList unlearnt;
    const QJsonObject failures = answer.value(QLatin1String("failures")).toObject();
    const QJsonObject devices = answer.value(QLatin1String("device_keys")).toObject();
    for (const QString &user : users) {
        Entry *known = entry(user);
        if (!known)
            continue;
        const QString server = user.mid(user.indexOf(QLatin1Char(':')) + 1);
        if (!devices.value(user).isObject() && failures.contains(server)) {
            unlearnt.push_back(user);
            continue;
        }
        readUser(user, *known, answer, notes);
        known->list.known = true;
        known->list.outdated = m_changedAt.value(user) > asked;
        if (!known->list.outdated)
            m_changedAt.remove(user);
        known->dirty = true;
    }
    return unlearnt;
}

void DeviceLists::readUser(const QString &user, Entry &entry, const QJsonObject &answer, Notes &notes)
{
    const auto of = [&answer, &user](const char *what) {
        return answer.value(QLatin1String(what)).toObject().value(user).toObject();
    };
    UserDevices &list = entry.list;
    const QString master = crossSigningKey(of("master_keys"), user, QStringLiteral("master"));
    if (list.known && !list.masterKey.isEmpty() && master != list.masterKey)
        notes.push_back({QStringLiteral("identity_changed"), user}); // E23
    list.masterKey = master;
    QString selfSigning = crossSigningKey(of("self_signing_keys"), user, QStringLiteral("self_signing"));
    if (!selfSigning.isEmpty() &&
        (master.isEmpty() || !verifySigned(of("self_signing_keys"), user, ed25519Prefix + master, master))) {
        notes.push_back({QStringLiteral("self_signing_key_forged"), user});
        selfSigning.clear();
    }

    QMap<QString, Device> fresh;
    const QJsonObject devices = of("device_keys");
    qsizetype looked = 0;
    for (auto it = devices.constBegin(); it != devices.constEnd() && fresh.size() < maxDevices && looked < maxLookedAt;
         ++it, ++looked) {
        const QString id = it.key();
        const QJsonObject object = it.value().toObject();
        // Synapse lists the public cross-signing keys among the devices, with nothing in them.
        if (object.isEmpty() || id.isEmpty() || id.size() > maxIdLength)
            continue;
        if (id == master || id == selfSigning) { // E7
            notes.push_back({QStringLiteral("device_id_is_identity_key"), user});
            continue;
        }
        Device device;
        if (const QString defect = defectOf(object, user, id, device); !defect.isEmpty()) {
            notes.push_back({defect, user});
            continue;
        }
        if (const auto old = list.devices.constFind(id);
            old != list.devices.constEnd() &&
            (old->ed25519 != device.ed25519 || old->curve25519 != device.curve25519)) {
            notes.push_back({QStringLiteral("device_key_changed"), user}); // E6: the first one stays
            fresh.insert(id, *old);
            continue;
        }
        device.crossSigned =
            !selfSigning.isEmpty() && verifySigned(object, user, ed25519Prefix + selfSigning, selfSigning).ok();
        fresh.insert(id, device);
    }
    list.devices = fresh;
}

void DeviceLists::save()
{
    for (auto it = m_live.begin(); it != m_live.end(); ++it) {
        if (std::exchange((*it)->dirty, false))
            m_records.write({Kind::User, it.key()}, pack((*it)->list));
    }
}

} // namespace voip::crypto
