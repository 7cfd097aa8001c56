// SPDX-License-Identifier: Apache-2.0
#include "keyserver.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace bridgesim
{

using voip::homeserver::HttpAnswer;
using voip::homeserver::Method;

namespace
{

constexpr std::size_t mostInBatch = 20; // letters
constexpr std::size_t page = 5;         // of a /sync; a real one has a hundred

const QString algorithm = QStringLiteral("signed_curve25519");

bool isGhost(const QString &user)
{
    return user.startsWith(QLatin1String("@nova_"));
}

HttpAnswer ok(const QJsonObject &object = {})
{
    return {200, {}, QJsonDocument(object).toJson(QJsonDocument::Compact)};
}

HttpAnswer refusal(const char *code, const QString &why)
{
    return {400, {}, R"({"errcode":")" + QByteArray(code) + R"(","error":")" + why.toUtf8() + R"("})"};
}

QJsonObject in(const QJsonObject &object, const QString &key)
{
    return object.value(key).toObject();
}

} // namespace

KeyServer::Device *KeyServer::find(const QString &user, const QString &device)
{
    const auto found = m_users.find(user);
    if (found == m_users.end())
        return nullptr;
    const auto one = found->second.devices.find(device);
    return one == found->second.devices.end() ? nullptr : &one->second;
}

// --- requests ------------------------------------------------------------------------------------------------------

std::optional<HttpAnswer> KeyServer::handle(const Request &request)
{
    const auto is = [&request](qsizetype at, const char *word) {
        return request.path.value(at) == QLatin1String(word);
    };
    if (!request.device.isEmpty() && !find(request.user, request.device))
        return refusal("M_UNKNOWN_DEVICE", QStringLiteral("Application service trying to use a device that doesn't "
                                                          "exist"));
    if (is(2, "devices"))
        return makeDevice(request);
    if (!is(2, "keys") && !is(2, "sendToDevice"))
        return {};
    const QJsonObject body = QJsonDocument::fromJson(request.body).object();
    if (is(2, "sendToDevice"))
        return sendOnce(request, body);
    if (is(3, "upload"))
        return upload(request.user, request.device, body);
    if (is(3, "device_signing"))
        return uploadIdentity(request.user, body);
    return ok(is(3, "query") ? query(body) : claim(body));
}

// A ghost's device is as lasting as its identity: nothing that happens here is a reason for another one.
HttpAnswer KeyServer::makeDevice(const Request &request)
{
    const QString &id = request.path.value(3);
    User &user = m_users[request.user];
    if (request.method == Method::Delete) {
        m_judge.complain("device_dropped", request.user + u' ' + id);
        user.devices.erase(id);
        changed(request.user);
        return ok();
    }
    if (!user.devices.empty() && !user.devices.contains(id))
        m_judge.complain("device_replaced", request.user + u' ' + id);
    user.devices[id];
    m_trace.note("hs.device", request.user, id);
    return ok();
}

HttpAnswer KeyServer::upload(const QString &user, const QString &device, const QJsonObject &body)
{
    Device *known = find(user, device);
    if (!known)
        return refusal("M_UNKNOWN", QStringLiteral("To upload keys, you must pass device_id"));
    const QJsonObject oneTime = in(body, QStringLiteral("one_time_keys"));
    for (auto key = oneTime.constBegin(); key != oneTime.constEnd(); ++key) {
        const auto old = known->known.constFind(key.key());
        if (old != known->known.constEnd() && *old != key->toObject()) {
            m_judge.complain("one_time_key_again", user + u' ' + key.key());
            return refusal("M_UNKNOWN", QStringLiteral("One time key %1 already exists.").arg(key.key()));
        }
    }
    for (auto key = oneTime.constBegin(); key != oneTime.constEnd(); ++key) {
        if (known->known.contains(key.key()))
            continue;
        const QString curve = key->toObject().value(QLatin1String("key")).toString();
        if (m_keyOf.contains(curve))
            m_judge.complain("one_time_key_again", user + u' ' + key.key());
        m_keyOf.insert(curve, user + u' ' + key.key());
        known->known.insert(key.key(), key->toObject());
        known->oneTime.emplace(key.key(), key->toObject());
    }
    const QJsonObject fallback = in(body, QStringLiteral("fallback_keys"));
    if (!fallback.isEmpty() && !known->known.contains(fallback.constBegin().key())) { // or it is a late repeat
        known->fallbackId = fallback.constBegin().key();
        known->known.insert(known->fallbackId, fallback.constBegin()->toObject());
        known->fallback = fallback.constBegin()->toObject();
        known->fallbackUsed = false;
    }
    if (const QJsonObject keys = in(body, QStringLiteral("device_keys")); !keys.isEmpty() && keys != known->keys) {
        if (!known->keys.isEmpty())
            m_judge.complain("device_keys_changed", user + u' ' + device);
        known->keys = keys;
        changed(user);
    }
    m_trace.note("hs.upload", user, device, oneTime.size());
    counted(user, device);
    return ok(
        {{QStringLiteral("one_time_key_counts"), QJsonObject{{algorithm, static_cast<int>(known->oneTime.size())}}}});
}

HttpAnswer KeyServer::uploadIdentity(const QString &user, const QJsonObject &body)
{
    User &of = m_users[user];
    const QJsonObject master = in(body, QStringLiteral("master_key"));
    if (!of.master.isEmpty() && of.master != master)
        m_judge.complain("identity_changed", user);
    of.master = master;
    of.selfSigning = in(body, QStringLiteral("self_signing_key"));
    m_trace.note("hs.identity", user);
    changed(user);
    return ok();
}

QJsonObject KeyServer::query(const QJsonObject &body) const
{
    QJsonObject devices;
    QJsonObject masters;
    QJsonObject selfSigning;
    for (const QString &user : in(body, QStringLiteral("device_keys")).keys()) {
        QJsonObject list;
        if (const auto of = m_users.find(user); of != m_users.end()) {
            for (const auto &[id, device] : of->second.devices) {
                if (!device.keys.isEmpty())
                    list.insert(id, device.keys);
            }
            if (!of->second.master.isEmpty()) {
                masters.insert(user, of->second.master);
                selfSigning.insert(user, of->second.selfSigning);
            }
        }
        devices.insert(user, list);
    }
    return {{QStringLiteral("device_keys"), devices},
            {QStringLiteral("master_keys"), masters},
            {QStringLiteral("self_signing_keys"), selfSigning},
            {QStringLiteral("failures"), QJsonObject()}};
}

QJsonObject KeyServer::claim(const QJsonObject &body)
{
    QJsonObject given;
    const QJsonObject wanted = in(body, QStringLiteral("one_time_keys"));
    for (const QString &user : wanted.keys()) {
        QJsonObject ofUser;
        for (const QString &id : in(wanted, user).keys()) {
            Device *device = find(user, id);
            if (!device)
                continue;
            if (!device->oneTime.empty()) {
                const auto first = device->oneTime.begin();
                ofUser.insert(id, QJsonObject{{first->first, first->second}});
                device->oneTime.erase(first);
            } else if (!device->fallback.isEmpty()) {
                ofUser.insert(id, QJsonObject{{device->fallbackId, device->fallback}});
                device->fallbackUsed = true;
            }
            if (isGhost(user) && m_chance.percent(15)) { // others claim some, too
                const auto left = static_cast<int>(device->oneTime.size());
                device->oneTime.erase(device->oneTime.begin(),
                                      std::next(device->oneTime.begin(), m_chance.below(left + 1)));
            }
            counted(user, id);
        }
        given.insert(user, ofUser);
    }
    return {{QStringLiteral("one_time_keys"), given}, {QStringLiteral("failures"), QJsonObject()}};
}

HttpAnswer KeyServer::sendOnce(const Request &request, const QJsonObject &body)
{
    const QString &txnId = request.path.value(4);
    const auto known = m_sent.constFind(txnId);
    if (known == m_sent.constEnd()) {
        m_sent.insert(txnId, body);
        if (m_defect != Defect::DropsKeys)
            send(request.user, request.path.value(3), in(body, QStringLiteral("messages")));
    } else if (*known != body) {
        m_judge.complain("to_device_otherwise", request.user + u' ' + txnId);
    }
    return ok();
}

void KeyServer::send(const QString &sender, const QString &type, const QJsonObject &messages)
{
    QVector<Letter> letters;
    for (const QString &user : messages.keys()) {
        const QJsonObject ofUser = in(messages, user);
        for (const QString &id : ofUser.keys()) {
            Device *device = find(user, id);
            if (!device)
                continue;
            const QJsonObject message{{QStringLiteral("sender"), sender},
                                      {QStringLiteral("type"), type},
                                      {QStringLiteral("content"), in(ofUser, id)}};
            letters.push_back({++m_place, user, id, message});
            if (isGhost(user))
                device->inbox.push_back(letters.last());
        }
    }
    for (const Letter &letter : std::as_const(letters)) {
        m_trace.note("hs.to_device", sender + u' ' + type, letter.user + u' ' + letter.device, letter.place);
        if (!isGhost(letter.user)) {
            onMessage(letter.user, letter.device, letter.message);
            continue;
        }
        m_letters.push_back(letter);
        onWaiting();
    }
}

// --- users of its own ----------------------------------------------------------------------------------------------

void KeyServer::add(const QString &user, const QJsonObject &masterKey, const QJsonObject &selfSigningKey)
{
    m_users[user].master = masterKey;
    m_users[user].selfSigning = selfSigningKey;
}

void KeyServer::add(const QString &user, const QString &device, const QJsonObject &body)
{
    m_users[user].devices[device];
    (void)upload(user, device, body);
}

void KeyServer::changed(const QString &user)
{
    m_changedAt.insert(user, ++m_place);
    if (!m_changed.contains(user))
        m_changed.push_back(user);
    onChange(user);
    onWaiting();
}

void KeyServer::counted(const QString &user, const QString &device)
{
    if (!isGhost(user) || m_counted.contains({user, device}))
        return;
    m_counted.push_back({user, device});
    onWaiting();
}

// --- to the application service ------------------------------------------------------------------------------------

void KeyServer::pack()
{
    for (std::size_t n = 0; n < mostInBatch && !m_letters.empty(); ++n) {
        Letter letter = m_letters.front();
        m_letters.pop_front();
        if (m_chance.percent(m_weather.of(Fault::ToDeviceLost))) {
            m_trace.note("hs.loses", letter.user, letter.device, letter.place);
            continue;
        }
        letter.message.insert(QLatin1String("to_user_id"), letter.user);
        letter.message.insert(QLatin1String("to_device_id"), letter.device);
        m_parcel.toDevice.push_back(letter.message);
    }
    m_parcel.changed = std::exchange(m_changed, {});
    for (const auto &[user, id] : std::exchange(m_counted, {})) {
        const Device *device = find(user, id);
        if (!device)
            continue;
        QJsonObject counts = in(m_parcel.counts, user);
        QJsonObject fallbacks = in(m_parcel.fallbacks, user);
        counts.insert(id, QJsonObject{{algorithm, static_cast<int>(device->oneTime.size())}});
        fallbacks.insert(id, device->fallbackUsed ? QJsonArray() : QJsonArray{algorithm});
        m_parcel.counts.insert(user, counts);
        m_parcel.fallbacks.insert(user, fallbacks);
    }
}

void KeyServer::fill(voiphost::EventBatch &batch)
{
    if (m_parcel.isEmpty())
        pack();
    batch.toDevice = m_parcel.toDevice;
    if (!m_parcel.changed.isEmpty())
        batch.deviceLists = {{QStringLiteral("changed"), QJsonArray::fromStringList(m_parcel.changed)},
                             {QStringLiteral("left"), QJsonArray()}};
    batch.oneTimeKeyCounts = m_parcel.counts;
    batch.unusedFallbackKeyTypes = m_parcel.fallbacks;
}

qint64 KeyServer::sync(const QString &user, const QString &id, qint64 since, QJsonObject &answer)
{
    Device *device = find(user, id);
    if (!device)
        return since;
    while (!device->inbox.empty() && device->inbox.front().place <= since)
        device->inbox.pop_front();
    QJsonArray messages;
    qint64 place = m_place;
    for (std::size_t n = 0; n < device->inbox.size() && m_defect != Defect::NoRescue; ++n) {
        if (n == page) {
            place = device->inbox.at(n - 1).place;
            break;
        }
        messages.push_back(device->inbox.at(n).message);
    }
    QJsonArray lists;
    for (const auto &[who, at] : m_changedAt.asKeyValueRange()) {
        if (since > 0 && at > since)
            lists.push_back(who);
    }
    answer.insert(QLatin1String("to_device"), QJsonObject{{QStringLiteral("events"), messages}});
    answer.insert(QLatin1String("device_lists"), QJsonObject{{QStringLiteral("changed"), lists}});
    answer.insert(QLatin1String("device_one_time_keys_count"),
                  QJsonObject{{algorithm, static_cast<int>(device->oneTime.size())}});
    answer.insert(QLatin1String("device_unused_fallback_key_types"),
                  device->fallbackUsed ? QJsonArray() : QJsonArray{algorithm});
    m_trace.note("hs.sync", user, id, messages.size());
    return place;
}

} // namespace bridgesim
