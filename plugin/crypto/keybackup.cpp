// SPDX-License-Identifier: Apache-2.0
#include "crypto/keybackup.h"

#include "crypto/encoding.h"
#include "crypto/packing.h"

#include <algorithm>

namespace voip::crypto
{

namespace
{

constexpr int recordVersion = 1;
constexpr qsizetype maxVersionLength = 255;
const RecordKey placeKey{Kind::Backup, {}};

// What is encrypted of a session (BackedUpSessionData). Only base64 goes into it, and nothing has to be escaped.
QByteArray plainOf(const ExportedSession &session)
{
    QByteArray plain;
    plain.reserve(256 + static_cast<qsizetype>(session.key.size())); // no copy stays behind when it grows
    plain.append(R"({"algorithm":"m.megolm.v1.aes-sha2","forwarding_curve25519_key_chain":[],"sender_key":")");
    plain.append(session.owner.curve25519.toLatin1());
    plain.append(R"(","sender_claimed_keys":{"ed25519":")");
    plain.append(session.owner.ed25519.toLatin1());
    plain.append(R"("},"session_key":")");
    plain.append(session.key.view());
    plain.append(R"("})");
    return plain;
}

} // namespace

std::optional<BackupPlace> backupPlaceFrom(const QJsonObject &answer)
{
    BackupPlace place{answer.value(QLatin1String("version")).toString(),
                      answer.value(QLatin1String("public_key")).toString()};
    if (place.version.isEmpty() || place.version.size() > maxVersionLength || !isKey(place.publicKey))
        return {};
    return place;
}

// --- marks ---------------------------------------------------------------------------------------------------------

bool KeyBackup::mark(const QString &key, const ExportedSession &session)
{
    const RecordKey where{Kind::ToBackUp, key};
    if (const auto before = marked(key); before && before->firstIndex <= session.firstIndex)
        return true;
    bool room = true;
    if (!m_records.has(where)) {
        const QStringList others = m_records.keys(Kind::ToBackUp);
        room = others.size() < mostWaiting;
        if (!room)
            m_records.remove({Kind::ToBackUp, others.constFirst()});
    }
    Packer packer(recordVersion);
    packer.text(session.owner.user)
        .text(session.owner.curve25519)
        .text(session.owner.ed25519)
        .number(session.firstIndex)
        .secret(session.key.view());
    m_records.write(where, packer.take());
    return room;
}

Outcome<ExportedSession> KeyBackup::marked(const QString &key) const
{
    const auto bytes = m_records.read({Kind::ToBackUp, key});
    if (!bytes)
        return bytes.error();
    Unpacker unpacker(bytes->view(), recordVersion);
    ExportedSession session;
    session.owner.user = unpacker.text();
    session.owner.curve25519 = unpacker.text();
    session.owner.ed25519 = unpacker.text();
    session.firstIndex = static_cast<quint32>(unpacker.number());
    session.key = unpacker.secret();
    if (!unpacker.good())
        return Fault::BadPickle;
    return session;
}

// --- the walk through what is older --------------------------------------------------------------------------------

std::optional<KeyBackup::Walk> KeyBackup::walkOf() const
{
    const auto bytes = m_records.read(placeKey);
    if (!bytes)
        return {};
    Unpacker unpacker(bytes->view(), recordVersion);
    Walk walk;
    walk.place.version = unpacker.text();
    walk.place.publicKey = unpacker.text();
    walk.reached = unpacker.text();
    walk.over = unpacker.flag();
    return unpacker.good() ? std::optional(walk) : std::nullopt;
}

void KeyBackup::write(const Walk &walk)
{
    Packer packer(recordVersion);
    packer.text(walk.place.version).text(walk.place.publicKey).text(walk.reached).number(walk.over ? 1 : 0);
    m_records.write(placeKey, packer.take());
}

bool KeyBackup::aim(const BackupPlace &place)
{
    bool anew = false;
    for (const QString &key : m_records.keys(Kind::ToBackUp)) {
        if (marked(key))
            continue;
        m_records.remove({Kind::ToBackUp, key});
        anew = true;
    }
    if (const auto known = walkOf(); known && known->place == place && !anew)
        return false;
    write({place, {}, false});
    return true;
}

QStringList KeyBackup::walk(const QStringList &held)
{
    auto known = walkOf();
    if (!known || known->over)
        return {};
    const auto from = std::upper_bound(held.constBegin(), held.constEnd(), known->reached);
    const QStringList next = held.mid(from - held.constBegin(), mostTogether);
    if (next.isEmpty())
        known->over = true;
    else
        known->reached = next.constLast();
    write(*known);
    return next;
}

void KeyBackup::forget()
{
    if (m_records.has(placeKey))
        m_records.remove(placeKey);
    for (const QString &key : m_records.keys(Kind::ToBackUp))
        m_records.remove({Kind::ToBackUp, key});
}

// --- uploads -------------------------------------------------------------------------------------------------------

Outcome<QJsonObject> KeyBackup::upload(const BackupPlace &place, const IsVerified &isVerified,
                                       const Random &random) const
{
    const QStringList keys = m_records.keys(Kind::ToBackUp).mid(0, mostTogether);
    QHash<QString, QJsonObject> rooms;
    for (const QString &key : keys) {
        const auto session = marked(key);
        if (!session)
            continue; // given up when the backup is looked for again
        QByteArray plain = plainOf(*session);
        const auto sealed = m_backend.encryptFor(place.publicKey, plain, random);
        wipe(plain);
        if (!sealed)
            return sealed.error();
        const SessionName name = SessionName::of(key);
        rooms[name.room].insert(
            name.session,
            QJsonObject{{QStringLiteral("first_message_index"), static_cast<qint64>(session->firstIndex)},
                        {QStringLiteral("forwarded_count"), 0}, // each came from the device that made it
                        {QStringLiteral("is_verified"), session->firstIndex == 0 && isVerified(session->owner)},
                        {QStringLiteral("session_data"), QJsonObject{{QStringLiteral("ephemeral"), sealed->ephemeral},
                                                                     {QStringLiteral("ciphertext"), sealed->ciphertext},
                                                                     {QStringLiteral("mac"), sealed->mac}}}});
    }
    if (rooms.isEmpty())
        return QJsonObject();
    QJsonObject all;
    for (auto it = rooms.constBegin(); it != rooms.constEnd(); ++it)
        all.insert(it.key(), QJsonObject{{QStringLiteral("sessions"), *it}});
    return QJsonObject{{QStringLiteral("rooms"), all}};
}

void KeyBackup::uploaded(const QJsonObject &body)
{
    const QJsonObject rooms = body.value(QLatin1String("rooms")).toObject();
    for (auto room = rooms.constBegin(); room != rooms.constEnd(); ++room) {
        const QJsonObject sessions = room->toObject().value(QLatin1String("sessions")).toObject();
        for (auto one = sessions.constBegin(); one != sessions.constEnd(); ++one) {
            const QString key = SessionName{room.key(), one.key()}.key();
            const auto session = marked(key);
            const auto index = one->toObject().value(QLatin1String("first_message_index")).toInteger();
            if (!session || session->firstIndex == index)
                m_records.remove({Kind::ToBackUp, key});
        }
    }
}

} // namespace voip::crypto
