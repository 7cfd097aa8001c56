// SPDX-License-Identifier: Apache-2.0
// The Megolm sessions that others shared with one device of ours, found by room and session id alone (E12). Each knows
// whose it is (E11) and which event each index was (E14). A session is replaced only by the same owner's, and only by
// one that reaches further back (E13). Each session is one record; an owner who sends too many loses the oldest.
#pragma once

#include "crypto/backend.h"
#include "crypto/records.h"

#include <QMap>

#include <optional>

namespace voip::crypto
{

struct SessionName {
    QString room;
    QString session;
    // Session ids are base64 and hold no blank.
    [[nodiscard]] QString key() const { return session + QLatin1Char(' ') + room; }
    [[nodiscard]] static SessionName of(const QString &key)
    {
        const auto blank = key.indexOf(QLatin1Char(' '));
        return {key.mid(blank + 1), key.left(blank)};
    }
    bool operator==(const SessionName &) const = default;
};

struct SessionOwner {
    QString user;
    QString curve25519; // of the Olm session it came through
    QString ed25519;    // that the Olm message claimed; proven once the user's device list says the same (E9)
    bool operator==(const SessionOwner &) const = default;
};

struct ExportedSession {
    SessionOwner owner;
    quint32 firstIndex = 0;
    Secret key;
};

// The index of a Megolm message, which it carries in the clear; nothing: it is none.
[[nodiscard]] std::optional<quint32> megolmIndexOf(const QString &ciphertext);

class InboundSessions
{
public:
    InboundSessions(Backend &backend, Records &records) : m_backend(backend), m_records(records) {}

    enum class Added { New, Better, Known, OfAnother };
    // From an m.room_key inside Olm. Fault: the key is none, or is not that of the session it names.
    [[nodiscard]] Outcome<Added> add(const SessionName &name, const Secret &key, const SessionOwner &owner, qint64 now);
    [[nodiscard]] std::optional<SessionOwner> owner(const SessionName &name) const;
    // Fault: Replayed if another event had this index.
    [[nodiscard]] Outcome<Secret> decrypt(const SessionName &name, const QString &ciphertext, const QString &eventId);

    [[nodiscard]] QStringList keys() const; // SessionName::key() of all, sorted
    // As much of it as there is, for a key backup. UnknownIndex: there is no such session.
    [[nodiscard]] Outcome<ExportedSession> exported(const QString &key) const;

    [[nodiscard]] Outcome<Done> save();
    void revert();

private:
    struct Held {
        std::unique_ptr<InboundGroup> group;
        SessionOwner owner;
        qint64 since = 0;
        QMap<quint32, quint64> seen; // index -> hash of the event id
        quint32 seenFrom = 0;        // nothing is known of lower indices any more
        bool dirty = false;
    };
    [[nodiscard]] Held *held(const QString &key) const;
    void makeRoom(const QString &user);

    Backend &m_backend;
    Records &m_records;
    mutable QHash<QString, std::shared_ptr<Held>> m_live;
};

} // namespace voip::crypto
