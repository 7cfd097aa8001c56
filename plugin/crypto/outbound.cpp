// SPDX-License-Identifier: Apache-2.0
#include "crypto/outbound.h"

#include "crypto/packing.h"

#include <algorithm>

namespace voip::crypto
{

namespace
{

constexpr int recordVersion = 1;
constexpr qsizetype maxShared = 16'384;
constexpr qsizetype maxPast = 128; // sessions; the homeserver shows us no more events than that of the past
constexpr qint64 leastMessages = 1;
constexpr qint64 mostMessages = 10'000;
constexpr qint64 leastMs = 60'000;
constexpr qint64 mostMs = 31LL * 24 * 60 * 60 * 1000;

// Matrix ids hold no blank.
QString nameOf(const QString &user, const QString &device)
{
    return user + QLatin1Char(' ') + device;
}

} // namespace

OutboundRooms::Room *OutboundRooms::room(const QString &id) const
{
    if (const auto found = m_live.constFind(id); found != m_live.constEnd())
        return found->get();
    const RecordKey where{Kind::Outbound, id};
    if (!m_records.has(where))
        return nullptr;
    auto room = std::make_shared<Room>();
    if (const auto bytes = m_records.read(where)) {
        Unpacker unpacker(bytes->view(), recordVersion);
        room->rules.rotateAfterMessages = unpacker.number();
        room->rules.rotateAfterMs = unpacker.number();
        room->since = unpacker.number();
        for (qsizetype left = unpacker.count(maxShared); left > 0; --left) {
            const QString name = unpacker.text();
            room->shared.insert(name, unpacker.text());
        }
        for (qsizetype left = unpacker.count(maxShared); left > 0; --left)
            room->told.insert(unpacker.text());
        for (qsizetype left = unpacker.count(maxPast); left > 0; --left)
            room->past.push_back(unpacker.text());
        const Secret pickle = unpacker.secret();
        if (!unpacker.good())
            room = std::make_shared<Room>();
        else if (!pickle.isEmpty()) {
            // One that cannot be read is given up: a new one takes its place.
            if (auto group = m_backend.outboundFrom(pickle))
                room->group = std::move(group).value();
        }
    }
    return m_live.insert(id, room)->get();
}

OutboundRooms::Room &OutboundRooms::roomOrNew(const QString &id)
{
    if (Room *known = room(id))
        return *known;
    return **m_live.insert(id, std::make_shared<Room>());
}

bool OutboundRooms::knows(const QString &id) const
{
    return room(id) != nullptr;
}

// E15: a room may ask for less than usual, and not for so little, or so much, that nothing works as meant.
void OutboundRooms::setRules(const QString &id, const RoomRules &asked)
{
    const RoomRules rules{std::clamp(asked.rotateAfterMessages, leastMessages, mostMessages),
                          std::clamp(asked.rotateAfterMs, leastMs, mostMs)};
    Room *known = room(id);
    if (known && known->rules == rules)
        return;
    Room &changed = roomOrNew(id);
    changed.rules = rules;
    changed.dirty = true;
}

bool OutboundRooms::usable(const QString &id, const QVector<Device> &recipients, qint64 now) const
{
    const Room *known = room(id);
    if (!known || !known->group)
        return false;
    if (known->group->index() >= known->rules.rotateAfterMessages || now - known->since >= known->rules.rotateAfterMs)
        return false;
    qsizetype present = 0;
    for (const Device &device : recipients) {
        const auto found = known->shared.constFind(nameOf(device.user, device.id));
        if (found != known->shared.constEnd() && *found == device.curve25519)
            ++present;
    }
    return present == known->shared.size(); // nobody has the key who must not read on
}

Outcome<bool> OutboundRooms::refresh(const QString &id, const QVector<Device> &recipients, qint64 now,
                                     const Random &random)
{
    if (usable(id, recipients, now))
        return false;
    auto group = m_backend.newOutbound(random);
    if (!group)
        return group.error();
    Room &made = roomOrNew(id);
    retire(made);
    made.group = std::move(group).value();
    made.since = now;
    return true;
}

void OutboundRooms::giveUp(const QString &id)
{
    Room *known = room(id);
    if (known && known->group)
        retire(*known);
}

// The session is not used any more; that it was ours is remembered.
void OutboundRooms::retire(Room &room)
{
    if (room.group) {
        room.past.push_front(room.group->id());
        room.past = room.past.mid(0, maxPast);
    }
    room.group.reset();
    room.shared.clear();
    room.told.clear();
    room.dirty = true;
}

void OutboundRooms::giveUpAll()
{
    for (const QString &id : rooms())
        giveUp(id);
}

QStringList OutboundRooms::rooms() const
{
    QStringList all = m_records.keys(Kind::Outbound) + m_live.keys();
    all.sort();
    all.removeDuplicates();
    return all;
}

QString OutboundRooms::sessionId(const QString &id) const
{
    const Room *known = room(id);
    return known && known->group ? known->group->id() : QString();
}

Secret OutboundRooms::keyOf(const QString &id) const
{
    const Room *known = room(id);
    return known && known->group ? known->group->key() : Secret();
}

bool OutboundRooms::isShared(const QString &id, const Device &device) const
{
    const Room *known = room(id);
    return known && known->shared.value(nameOf(device.user, device.id)) == device.curve25519;
}

void OutboundRooms::markShared(const QString &id, const Device &device)
{
    Room &changed = roomOrNew(id);
    changed.shared.insert(nameOf(device.user, device.id), device.curve25519);
    changed.told.remove(nameOf(device.user, device.id));
    changed.dirty = true;
}

bool OutboundRooms::wasTold(const QString &id, const QString &user, const QString &device) const
{
    const Room *known = room(id);
    return known && known->told.contains(nameOf(user, device));
}

void OutboundRooms::markTold(const QString &id, const QString &user, const QString &device)
{
    Room &changed = roomOrNew(id);
    changed.told.insert(nameOf(user, device));
    changed.dirty = true;
}

Outcome<QString> OutboundRooms::encrypt(const QString &id, QByteArrayView plaintext)
{
    Room *known = room(id);
    if (!known || !known->group)
        return Fault::BadKey;
    known->dirty = true;
    return known->group->encrypt(plaintext);
}

bool OutboundRooms::isAhead(const QString &id, const QString &session, quint32 index) const
{
    const Room *known = room(id);
    if (known && known->group && known->group->id() == session)
        return index >= known->group->index();
    return !known || !known->past.contains(session); // a session that we do not know (yet)
}

Outcome<Done> OutboundRooms::save()
{
    for (auto it = m_live.begin(); it != m_live.end(); ++it) {
        Room &one = **it;
        if (!one.dirty)
            continue;
        Secret pickle;
        if (one.group) {
            auto made = one.group->pickle();
            if (!made)
                return made.error();
            pickle = std::move(made).value();
        }
        Packer packer(recordVersion);
        packer.number(one.rules.rotateAfterMessages).number(one.rules.rotateAfterMs).number(one.since);
        packer.number(one.shared.size());
        for (auto shared = one.shared.constBegin(); shared != one.shared.constEnd(); ++shared)
            packer.text(shared.key()).text(shared.value());
        packer.number(one.told.size());
        for (const QString &name : std::as_const(one.told))
            packer.text(name);
        packer.number(one.past.size());
        for (const QString &session : std::as_const(one.past))
            packer.text(session);
        packer.secret(pickle.view());
        m_records.write({Kind::Outbound, it.key()}, packer.take());
        one.dirty = false;
    }
    return Done{};
}

} // namespace voip::crypto
