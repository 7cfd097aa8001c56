// SPDX-License-Identifier: Apache-2.0
// What the machine takes in: to-device messages and events of rooms. All of it comes from others and is believed only
// as far as it is proven.
#include "crypto/encoding.h"
#include "crypto/machine.h"
#include "crypto/signature.h"

#include <QJsonDocument>

#include <algorithm>
#include <array>

namespace voip::crypto
{

namespace
{

constexpr qsizetype maxIdLength = 255;
constexpr qsizetype maxWithheld = 256;
constexpr qint64 askAgainAfter = 5000; // for the same missing key
constexpr qsizetype maxMissing = 1000; // keys that are asked for; more than that nobody waits for
const QString olmAlgorithm = QStringLiteral("m.olm.v1.curve25519-aes-sha2");
const QString megolmAlgorithm = QStringLiteral("m.megolm.v1.aes-sha2");

constexpr std::array withheldCodes{"m.blacklisted", "m.unverified",         "m.unauthorised",
                                   "m.unavailable", "m.history_not_shared", "m.no_olm"};

// U+0000 is in no id, and no row can hold it.
QString textOf(const QJsonObject &object, const char *key)
{
    const QString text = object.value(QLatin1String(key)).toString();
    return text.size() <= maxIdLength && !text.contains(QChar(u'\0')) ? text : QString();
}

// What somebody says of a session counts for their own events only.
QString withheldName(const SessionName &name, const QString &sender)
{
    return name.key() + QLatin1Char(' ') + sender;
}

// E8: what must be true of a decrypted Olm message. What is not is a word.
QString defectOf(const QJsonObject &payload, const QString &sender, const QString &senderKey, const QString &self,
                 const IdentityKeys &keys)
{
    const auto ed25519 = [&payload](const char *field) {
        return payload.value(QLatin1String(field)).toObject().value(QLatin1String("ed25519")).toString();
    };
    if (textOf(payload, "sender") != sender)
        return QStringLiteral("olm_sender_mismatch");
    if (textOf(payload, "recipient") != self)
        return QStringLiteral("olm_recipient_mismatch");
    if (ed25519("recipient_keys") != keys.ed25519)
        return QStringLiteral("olm_recipient_key_mismatch");
    if (!isKey(ed25519("keys")))
        return QStringLiteral("olm_sender_key_missing");
    const QJsonValue said = payload.value(QLatin1String("sender_device_keys"));
    if (said.isUndefined())
        return {};
    const QJsonObject device = said.toObject();
    const QString id = textOf(device, "device_id");
    const QJsonObject deviceKeys = device.value(QLatin1String("keys")).toObject();
    if (textOf(device, "user_id") != sender ||
        deviceKeys.value(QStringLiteral("curve25519:") + id).toString() != senderKey ||
        deviceKeys.value(QStringLiteral("ed25519:") + id).toString() != ed25519("keys") ||
        !verifySigned(device, sender, QStringLiteral("ed25519:") + id, ed25519("keys")))
        return QStringLiteral("olm_sender_device_mismatch");
    return {};
}

} // namespace

void Machine::devicesChanged(const QStringList &changed, const QStringList &left)
{
    for (const QString &user : changed)
        m_devices.changed(user);
    // Somebody with whom no room is shared any more: nobody tells us of changes from now on.
    for (const QString &user : left) {
        if (user != m_settings.user)
            m_devices.changed(user);
    }
}

void Machine::counts(std::optional<int> oneTimeKeys, std::optional<bool> fallbackUnused, qint64 now)
{
    if (m_device.stage() == OwnDevice::Stage::None)
        return;
    // What comes with a transaction or a /sync may be older than our last upload. Keys that were made for each of them
    // would push keys that others may still be given out of the account: the homeserver is asked first.
    if (oneTimeKeys && OwnDevice::isShort(*oneTimeKeys))
        m_run.countKeys = true;
    if (!m_device.supply({}, fallbackUnused, now, m_random))
        note(QStringLiteral("no_randomness"), m_settings.user);
}

void Machine::toDevice(const QJsonObject &message, qint64 now)
{
    const QString sender = textOf(message, "sender");
    const QString type = textOf(message, "type");
    const QJsonObject content = message.value(QLatin1String("content")).toObject();
    if (sender.isEmpty() || m_device.stage() == OwnDevice::Stage::None)
        return note(QStringLiteral("to_device_unusable"), sender);
    if (type == QLatin1String("m.room.encrypted"))
        return takeOlm(message, now);
    if (type == QLatin1String("m.room_key") || type == QLatin1String("m.forwarded_room_key"))
        return note(QStringLiteral("room_key_outside_olm"), sender); // E10
    if (type == QLatin1String("m.room_key.withheld"))
        return takeWithheld(content, sender, now);
    if (type == QLatin1String("m.room_key_request") && textOf(content, "action") == QLatin1String("request"))
        return note(QStringLiteral("key_request_refused"), sender); // E19
    if (isVerification(type))
        return takeVerification(type, content, sender, now);
}

void Machine::takeOlm(const QJsonObject &message, qint64 now)
{
    const QString sender = textOf(message, "sender");
    const QJsonObject content = message.value(QLatin1String("content")).toObject();
    const QString senderKey = textOf(content, "sender_key");
    if (textOf(content, "algorithm") != olmAlgorithm || !isKey(senderKey))
        return note(QStringLiteral("olm_bad_message"), sender);
    const QJsonObject mine =
        content.value(QLatin1String("ciphertext")).toObject().value(m_device.keys().curve25519).toObject();
    if (mine.isEmpty())
        return note(QStringLiteral("olm_not_for_us"), sender);
    const OlmMessage sealed{mine.value(QLatin1String("type")).toInt(-1), mine.value(QLatin1String("body")).toString()};
    bool newSession = false;
    const auto plain = m_olm.decrypt(m_device.account(), {sender, senderKey}, sealed, now, newSession);
    if (!plain) {
        note(QStringLiteral("olm_") + toString(plain.error()), sender);
        return wedged(sender, senderKey, now);
    }
    if (newSession) {
        m_device.touch();
        m_run.excusedKeys.remove(OlmPeer{sender, senderKey}.key());
    }
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(plain->view().toByteArray(), &error);
    if (error.error != QJsonParseError::NoError || !document.isObject())
        return note(QStringLiteral("olm_bad_json"), sender);
    takeOlmPlain(document.object(), sender, senderKey, now);
}

void Machine::takeOlmPlain(const QJsonObject &payload, const QString &sender, const QString &senderKey, qint64 now)
{
    const QString defect = defectOf(payload, sender, senderKey, m_settings.user, m_device.keys());
    if (!defect.isEmpty())
        return note(defect, sender);
    const QString type = textOf(payload, "type");
    const QString ed25519 = payload.value(QLatin1String("keys")).toObject().value(QLatin1String("ed25519")).toString();
    if (type == QLatin1String("m.room_key"))
        return takeRoomKey(payload.value(QLatin1String("content")).toObject(), {sender, senderKey, ed25519}, now);
    if (type == QLatin1String("m.forwarded_room_key"))
        return note(QStringLiteral("forwarded_key_refused"), sender); // E19: we never ask for one
}

void Machine::takeRoomKey(const QJsonObject &content, const SessionOwner &owner, qint64 now)
{
    const SessionName name{textOf(content, "room_id"), textOf(content, "session_id")};
    const QString key = content.value(QLatin1String("session_key")).toString();
    if (textOf(content, "algorithm") != megolmAlgorithm || !name.room.startsWith(QLatin1Char('!')) ||
        name.session.isEmpty() || name.session.contains(QLatin1Char(' ')))
        return note(QStringLiteral("room_key_unusable"), owner.user);
    const QByteArray bytes = key.toUtf8();
    const auto added = m_inbound.add(name, Secret(bytes), owner, now);
    if (!added)
        return note(QStringLiteral("room_key_") + toString(added.error()), owner.user);
    switch (*added) {
    case InboundSessions::Added::New:
    case InboundSessions::Added::Better:
        m_records.remove({Kind::Withheld, withheldName(name, owner.user)});
        markInbound(name);
        // Its device must be proven before its events count (E9); a list that does not know it may be behind.
        m_devices.follow(owner.user);
        if (const Device *device = m_devices.byCurveKey(owner.user, owner.curve25519);
            !device || !m_devices.trusts(*device))
            m_devices.changed(owner.user);
        m_run.missing.remove(name.key());
        m_run.news = true;
        return;
    case InboundSessions::Added::Known:
        return;
    case InboundSessions::Added::OfAnother:
        return note(QStringLiteral("session_of_another"), owner.user); // E13
    }
}

void Machine::takeWithheld(const QJsonObject &content, const QString &sender, qint64 now)
{
    const QString said = textOf(content, "code");
    const auto known = std::find_if(withheldCodes.begin(), withheldCodes.end(),
                                    [&said](const char *code) { return said == QLatin1String(code); });
    const QString code = known == withheldCodes.end() ? QStringLiteral("unknown_code") : said;
    if (code == QLatin1String("m.no_olm"))
        wedged(sender, textOf(content, "sender_key"), now); // it could not begin a session with us: we do
    const SessionName name{textOf(content, "room_id"), textOf(content, "session_id")};
    if (name.room.isEmpty() || name.session.isEmpty() || name.session.contains(QLatin1Char(' ')) ||
        m_inbound.owner(name))
        return;
    if (m_records.keys(Kind::Withheld).size() >= maxWithheld)
        m_records.remove({Kind::Withheld, m_records.keys(Kind::Withheld).constFirst()});
    const QByteArray text = code.toUtf8();
    m_records.write({Kind::Withheld, withheldName(name, sender)}, Secret(text));
    m_run.news = true; // who waits for this key learns why it does not come
}

QString Machine::withheldCode(const SessionName &name, const QString &sender) const
{
    const auto text = m_records.read({Kind::Withheld, withheldName(name, sender)});
    return text ? QString::fromUtf8(text->view()) : QString();
}

// E20. Only for a device that the user is known to have: others may claim any key.
void Machine::wedged(const QString &user, const QString &senderKey, qint64 now)
{
    const Device *device = m_devices.byCurveKey(user, senderKey);
    if (!device || !m_olm.mayUnwedge(peerOf(*device), now))
        return;
    m_run.excusedKeys.remove(peerOf(*device).key());
    m_run.wedged.insert(peerOf(*device).key(), *device);
}

Opened Machine::open(const QJsonObject &event, qint64 now)
{
    using How = Opened::How;
    const auto refused = [](const QString &why) { return Opened{How::Refused, why, {}}; };
    const QString sender = textOf(event, "sender");
    const QJsonObject content = event.value(QLatin1String("content")).toObject();
    const SessionName name{textOf(event, "room_id"), textOf(content, "session_id")};
    if (textOf(content, "algorithm") != megolmAlgorithm || name.session.isEmpty() ||
        name.session.contains(QLatin1Char(' ')))
        return refused(QStringLiteral("bad_algorithm"));

    const auto owner = m_inbound.owner(name);
    if (!owner) {
        if (m_run.missing.size() >= maxMissing)
            m_run.missing.removeIf([now](const auto &one) { return one.value() <= now; });
        if (m_run.missing.size() < maxMissing && m_run.missing.value(name.key()) <= now) {
            qint64 &until = m_run.missing[name.key()];
            until = now + askAgainAfter;
            m_run.catchUp = true;
        }
        const QString code = withheldCode(name, sender);
        return {How::Waits, code.isEmpty() ? QStringLiteral("no_key") : code, {}};
    }
    if (owner->user != sender)
        return refused(QStringLiteral("owner_mismatch")); // E11
    const Device *device = m_devices.byCurveKey(sender, owner->curve25519);
    if (!device || !m_devices.trusts(*device)) {
        // The list may be about to say more.
        m_devices.follow(sender);
        const QString why = device ? QStringLiteral("unsigned_device") : QStringLiteral("unknown_device");
        return m_devices.upToDate(sender) ? refused(why) : Opened{How::Waits, why, {}};
    }
    if (device->ed25519 != owner->ed25519)
        return refused(QStringLiteral("device_mismatch")); // E9

    const auto plain =
        m_inbound.decrypt(name, content.value(QLatin1String("ciphertext")).toString(), textOf(event, "event_id"));
    if (!plain) {
        if (plain.error() == Fault::UnknownIndex)
            return {How::Waits, toString(plain.error()), {}}; // an older index of the session may still come
        return refused(toString(plain.error()));
    }
    const QJsonObject payload = QJsonDocument::fromJson(plain->view().toByteArray()).object();
    const QString type = textOf(payload, "type");
    if (textOf(payload, "room_id") != name.room)
        return refused(QStringLiteral("room_mismatch")); // E11
    if (type.isEmpty() || type == QLatin1String("m.room.encrypted") ||
        !payload.value(QLatin1String("content")).isObject())
        return refused(QStringLiteral("bad_json"));
    QJsonObject opened = event;
    opened.insert(QLatin1String("type"), type);
    opened.insert(QLatin1String("content"), payload.value(QLatin1String("content")));
    return {How::Opened, {}, opened};
}

// Our device is not in our own list, which says something of us: it was deleted at the homeserver.
bool Machine::isGone(const QJsonObject &answer) const
{
    return m_device.stage() == OwnDevice::Stage::Complete && m_devices.upToDate(m_settings.user) &&
           answer.value(QLatin1String("device_keys")).toObject().value(m_settings.user).isObject() &&
           !m_devices.find(m_settings.user)->devices.contains(m_device.id());
}

void Machine::echo(const QJsonObject &event, qint64 now)
{
    const QJsonObject content = event.value(QLatin1String("content")).toObject();
    if (textOf(event, "sender") != m_settings.user || textOf(content, "device_id") != m_device.id() ||
        textOf(content, "algorithm") != megolmAlgorithm)
        return;
    const auto index = megolmIndexOf(content.value(QLatin1String("ciphertext")).toString());
    if (index && m_outbound.isAhead(textOf(event, "room_id"), textOf(content, "session_id"), *index))
        replaceDevice("state_went_back", now); // E31
}

} // namespace voip::crypto
