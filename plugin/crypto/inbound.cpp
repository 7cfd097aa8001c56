// SPDX-License-Identifier: Apache-2.0
#include "crypto/inbound.h"

#include "crypto/encoding.h"
#include "crypto/packing.h"

#include <QCryptographicHash>
#include <QtEndian>

#include <algorithm>

namespace voip::crypto
{

namespace
{

constexpr int recordVersion = 1;
constexpr qsizetype maxSeen = 1024; // indices of one session; older ones count as seen
constexpr int maxOfOwner = 32;      // sessions; calls are short, and nobody reads old ones

quint64 hashOf(const QString &eventId)
{
    const QByteArray digest = QCryptographicHash::hash(eventId.toUtf8(), QCryptographicHash::Sha256);
    return qFromBigEndian<quint64>(digest.constData());
}

} // namespace

// A version byte, then protobuf: field 1 is the index, a varint.
std::optional<quint32> megolmIndexOf(const QString &ciphertext)
{
    const auto bytes = fromBase64(ciphertext.toUtf8());
    if (!bytes || bytes->size() < 3 || bytes->at(1) != 0x08)
        return {};
    quint64 index = 0;
    for (qsizetype i = 2, shift = 0; i < bytes->size() && shift < 35; ++i, shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes->at(i));
        index |= static_cast<quint64>(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0)
            return static_cast<quint32>(index);
    }
    return {};
}

InboundSessions::Held *InboundSessions::held(const QString &key) const
{
    if (const auto found = m_live.constFind(key); found != m_live.constEnd())
        return found->get();
    const auto bytes = m_records.read({Kind::Inbound, key});
    if (!bytes)
        return nullptr;
    auto held = std::make_shared<Held>();
    Unpacker unpacker(bytes->view(), recordVersion);
    held->since = unpacker.number();
    held->owner.user = unpacker.text();
    held->owner.curve25519 = unpacker.text();
    held->owner.ed25519 = unpacker.text();
    held->seenFrom = static_cast<quint32>(unpacker.number());
    for (qsizetype left = unpacker.count(maxSeen); left > 0; --left) {
        const auto index = static_cast<quint32>(unpacker.number());
        held->seen.insert(index, static_cast<quint64>(unpacker.number()));
    }
    auto group = m_backend.inboundFrom(unpacker.secret());
    if (!group || !unpacker.good())
        return nullptr;
    held->group = std::move(group).value();
    return m_live.insert(key, held)->get();
}

Outcome<InboundSessions::Added> InboundSessions::add(const SessionName &name, const Secret &key,
                                                     const SessionOwner &owner, qint64 now)
{
    auto group = m_backend.inbound(key);
    if (!group)
        return group.error();
    if (group.value()->id() != name.session)
        return Fault::BadKey;
    const Held *known = held(name.key());
    if (known && known->owner != owner)
        return Added::OfAnother;
    if (known && known->group->firstIndex() <= group.value()->firstIndex())
        return Added::Known;
    const Added added = known ? Added::Better : Added::New;
    auto fresh = std::make_shared<Held>();
    fresh->group = std::move(group).value();
    fresh->owner = owner;
    fresh->since = now;
    fresh->dirty = true;
    if (known) {
        fresh->seen = known->seen;
        fresh->seenFrom = known->seenFrom;
    } else {
        makeRoom(owner.user);
    }
    m_live.insert(name.key(), fresh);
    return added;
}

QStringList InboundSessions::keys() const
{
    QStringList all = m_records.keys(Kind::Inbound) + m_live.keys();
    all.sort();
    all.removeDuplicates();
    return all;
}

Outcome<ExportedSession> InboundSessions::exported(const QString &key) const
{
    const Held *known = held(key);
    if (!known)
        return Fault::UnknownIndex;
    const quint32 first = known->group->firstIndex();
    auto exported = known->group->exportAt(first);
    if (!exported)
        return exported.error();
    return ExportedSession{known->owner, first, std::move(exported).value()};
}

// The oldest of an owner who has too many.
void InboundSessions::makeRoom(const QString &user)
{
    QVector<std::pair<qint64, QString>> own;
    for (const QString &key : keys()) {
        if (const Held *one = held(key); one && one->owner.user == user)
            own.push_back({one->since, key});
    }
    std::sort(own.begin(), own.end());
    for (qsizetype i = 0; i + maxOfOwner <= own.size(); ++i) {
        m_live.remove(own.at(i).second);
        m_records.remove({Kind::Inbound, own.at(i).second});
    }
}

std::optional<SessionOwner> InboundSessions::owner(const SessionName &name) const
{
    const Held *known = held(name.key());
    return known ? std::optional(known->owner) : std::nullopt;
}

Outcome<Secret> InboundSessions::decrypt(const SessionName &name, const QString &ciphertext, const QString &eventId)
{
    Held *known = held(name.key());
    if (!known)
        return Fault::UnknownIndex;
    auto plain = known->group->decrypt(ciphertext);
    if (!plain)
        return plain.error();
    const quint32 index = plain->index;
    const quint64 hash = hashOf(eventId);
    const auto before = known->seen.constFind(index);
    if (before != known->seen.constEnd() ? *before != hash : index < known->seenFrom)
        return Fault::Replayed;
    if (before == known->seen.constEnd()) {
        known->seen.insert(index, hash);
        if (known->seen.size() > maxSeen) {
            known->seenFrom = known->seen.firstKey() + 1;
            known->seen.erase(known->seen.begin());
        }
        known->dirty = true;
    }
    return std::move(plain.value().plaintext);
}

Outcome<Done> InboundSessions::save()
{
    for (auto it = m_live.begin(); it != m_live.end(); ++it) {
        Held &one = **it;
        if (!one.dirty)
            continue;
        const auto pickle = one.group->pickle();
        if (!pickle)
            return pickle.error();
        Packer packer(recordVersion);
        packer.number(one.since)
            .text(one.owner.user)
            .text(one.owner.curve25519)
            .text(one.owner.ed25519)
            .number(one.seenFrom)
            .number(one.seen.size());
        for (auto seen = one.seen.constBegin(); seen != one.seen.constEnd(); ++seen)
            packer.number(seen.key()).number(static_cast<qint64>(seen.value()));
        packer.secret(pickle->view());
        m_records.write({Kind::Inbound, it.key()}, packer.take());
        one.dirty = false;
    }
    return Done{};
}

void InboundSessions::revert()
{
    m_live.clear();
}

} // namespace voip::crypto
