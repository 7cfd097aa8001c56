// SPDX-License-Identifier: Apache-2.0
// The state of one device as sealed records: what the store gave at the start, and on top of it what a step changed.
// A record is opened when it is needed. changes() gives what must be written with the step's effects; then committed(),
// or revert(), after which everything is as it was before. Never says what is inside.
#pragma once

#include "crypto/seal.h"

#include <QHash>
#include <QMap>

#include <map>
#include <optional>

namespace voip::crypto
{

enum class Kind {
    Device,   // one: account, identity, what was published
    User,     // by user id: the devices of a user whom we follow
    Olm,      // by user and Curve25519 key: sessions with that device
    Inbound,  // by room and session: Megolm sessions of others
    Withheld, // by room, session and sender: why one was not given to us
    Outbound, // by room: our Megolm session
    ToDevice, // by transaction id: messages that are on their way
    Verified, // by user: the master key that a verification has shown to be theirs
    Backup,   // one: the account's key backup that sessions go to, and how far they have gone there
    ToBackUp, // by room and session: what the backup does not have yet of one
};

[[nodiscard]] QString toString(Kind kind);
[[nodiscard]] std::optional<Kind> kindFrom(const QString &word);

struct RecordKey {
    Kind kind = Kind::Device;
    QString key;
    bool operator==(const RecordKey &) const = default;
    bool operator<(const RecordKey &other) const { return kind != other.kind ? kind < other.kind : key < other.key; }
};

struct SealedRecord {
    RecordKey where;
    QByteArray sealed; // empty: to be deleted
};

class Records
{
public:
    // `seal` must outlive it. `owner`: the device's user, part of what each record is bound to.
    Records(const Seal &seal, QString owner, const QVector<SealedRecord> &committed);

    [[nodiscard]] QStringList keys(Kind kind) const;
    [[nodiscard]] bool has(const RecordKey &where) const;
    // Fault: not there (UnknownIndex is never meant), or the seal does not open.
    [[nodiscard]] Outcome<Secret> read(const RecordKey &where) const;
    void write(const RecordKey &where, Secret plain);
    void remove(const RecordKey &where);
    void removeAll();

    [[nodiscard]] bool dirty() const { return !m_changes.empty(); }
    [[nodiscard]] Outcome<QVector<SealedRecord>> changes(const Random &random);
    void committed();
    void revert() { m_changes.clear(); }

private:
    struct Change {
        Secret plain;
        QByteArray sealed;
        bool removed = false;
    };
    [[nodiscard]] QByteArray placeOf(const RecordKey &where) const;

    const Seal &m_seal;
    const QString m_owner;
    QMap<RecordKey, QByteArray> m_committed;
    std::map<RecordKey, Change> m_changes;
};

} // namespace voip::crypto
