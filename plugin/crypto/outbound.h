// SPDX-License-Identifier: Apache-2.0
// Our Megolm session of each room: who has its key, when it must be given up (E15), and why others did not get it
// (E18). Encrypts. A room's encryption once switched on stays. Each room is one record.
#pragma once

#include "crypto/backend.h"
#include "crypto/devices.h"
#include "crypto/records.h"

namespace voip::crypto
{

struct RoomRules { // of m.room.encryption
    qint64 rotateAfterMessages = 100;
    qint64 rotateAfterMs = 604'800'000;
    bool operator==(const RoomRules &) const = default;
};

class OutboundRooms
{
public:
    OutboundRooms(Backend &backend, Records &records) : m_backend(backend), m_records(records) {}

    [[nodiscard]] bool knows(const QString &room) const;
    void setRules(const QString &room, const RoomRules &asked);

    // A session that may be used now: gives up one that is old, used up, or known to somebody who must not read on
    // (`recipients` has everybody who may). True: it is a new one.
    [[nodiscard]] Outcome<bool> refresh(const QString &room, const QVector<Device> &recipients, qint64 now,
                                        const Random &random);
    [[nodiscard]] bool usable(const QString &room, const QVector<Device> &recipients, qint64 now) const;
    void giveUp(const QString &room);
    void giveUpAll();

    [[nodiscard]] QString sessionId(const QString &room) const;
    [[nodiscard]] QStringList rooms() const;
    [[nodiscard]] Secret keyOf(const QString &room) const; // for who gets it now
    [[nodiscard]] bool isShared(const QString &room, const Device &device) const;
    void markShared(const QString &room, const Device &device);
    [[nodiscard]] bool wasTold(const QString &room, const QString &user, const QString &device) const;
    void markTold(const QString &room, const QString &user, const QString &device); // withheld

    [[nodiscard]] Outcome<QString> encrypt(const QString &room, QByteArrayView plaintext);
    // Whether an event of ours has an index that we have not reached, or a session that we never had: our state is
    // older than what we did (E31).
    [[nodiscard]] bool isAhead(const QString &room, const QString &session, quint32 index) const;

    [[nodiscard]] Outcome<Done> save();
    void revert() { m_live.clear(); }

private:
    struct Room {
        RoomRules rules;
        std::unique_ptr<OutboundGroup> group; // null: none yet, or given up
        qint64 since = 0;
        QHash<QString, QString> shared; // "user device" -> Curve25519 key
        QSet<QString> told;             // "user device"
        QStringList past;               // session ids, the latest first
        bool dirty = false;
    };
    static void retire(Room &room);
    [[nodiscard]] Room *room(const QString &id) const;
    [[nodiscard]] Room &roomOrNew(const QString &id);

    Backend &m_backend;
    Records &m_records;
    mutable QHash<QString, std::shared_ptr<Room>> m_live;
};

} // namespace voip::crypto
