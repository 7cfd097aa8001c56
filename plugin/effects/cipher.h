// SPDX-License-Identifier: Apache-2.0
// A lane's side of encryption: between the rows of the store and the machine (crypto/machine.h). Opens what is taken
// in, keeps what cannot be opened yet, seals what is sent, and says what the host's user must be told of. Everything is
// decided in the lane's step and becomes true with the lane's commit; belongs to one lane, does no I/O.
#pragma once

#include "call/line.h"
#include "crypto/machine.h"
#include "effects/clock.h"
#include "store/rows.h"

#include <variant>

namespace voip::effects
{

struct CipherServices {
    crypto::Backend &backend;
    const crypto::Seal &seal;
    crypto::MachineSettings settings; // without the user
    const Clock &clock;
    bool told = false; // the homeserver sends to-device messages and lists by itself (MSC4203, MSC3202): seen once
};

// What a lane's machine is told besides what comes through the inbox.
struct KeyCounts {
    QString device; // whose they are
    std::optional<int> oneTimeKeys;
    std::optional<bool> fallbackUnused;
};
struct WantDevice {
};
struct WantKeys { // a call is about to happen in this room (E17)
    QString roomId;
};
struct RoomEncryption {
    QString roomId;
    crypto::RoomRules rules;
};
struct PeersChanged { // who came into a room with us: no list tells of that
    QStringList users;
};
struct MayHaveMissed {
}; // a gap: what did not come by itself is asked for
struct LookAgain {
};                 // only time has passed
struct Judgement { // of a verification, by the administrator
    QString id;
    bool same = false;
};
using CipherInput = std::variant<crypto::Answer, KeyCounts, WantDevice, WantKeys, RoomEncryption, PeersChanged,
                                 MayHaveMissed, LookAgain, Judgement>;

[[nodiscard]] QString sessionNameOf(const QJsonObject &event);          // room and session of an encrypted event
[[nodiscard]] crypto::RoomRules rulesOf(const QJsonObject &encryption); // content of m.room.encryption

class Cipher
{
public:
    // An event that cannot be opened, now or never.
    struct Unopened {
        store::InboxEntry entry;
        QString reason;
        bool final = false; // consumed; otherwise it is kept and tried again
        bool tell = false;  // the host's user hears of it: it may have been a call (E33)
    };
    // What one step made of entries, before the commit.
    struct Opening {
        QVector<store::InboxEntry> events; // as the parser wants them
        QVector<Unopened> unopened;
        QStringList ringing; // rooms of invites that were among them: we shall have to answer there
    };

    Cipher(const CipherServices &services, QString lane);
    // False: what was committed cannot be read. Nothing is made in its place.
    [[nodiscard]] bool restore(const QVector<store::StateRow> &rows);

    [[nodiscard]] Opening open(const QVector<store::InboxEntry> &entries, const call::Line &line);
    void take(const CipherInput &input, const call::Line &line);
    // Seals what may go now, in order; what stays waiting is prepared for.
    void seal(QVector<store::OutboxEntry> &entries, const call::Line &line);
    // The changes of the step, for the commit. False: they cannot be sealed, nothing must be committed.
    [[nodiscard]] bool changes(QVector<store::StateRow> &rows);
    void committed(const QVector<Unopened> &unopened, const QVector<qint64> &consumed);
    void revert();

    // --- after the commit
    [[nodiscard]] QVector<crypto::Asked> takeRequests() { return m_machine->takeRequests(m_services.clock.now()); }
    [[nodiscard]] crypto::Notes takeNotes() { return m_machine->takeNotes(); }
    // Kept entries that may open now; they are to be taken in again.
    [[nodiscard]] QVector<store::InboxEntry> takeRetries();
    // Kept entries whose time has come: to be told of (once), or to be given up.
    [[nodiscard]] QVector<Unopened> overdue() const;
    [[nodiscard]] std::optional<qint64> nextDue() const;

    [[nodiscard]] const QString &deviceId() const { return m_machine->device().id(); }
    [[nodiscard]] const QJsonObject &deviceKeys() const { return m_machine->device().deviceKeys(); }
    [[nodiscard]] QVector<crypto::SasView> verifications() const { return m_machine->verifications(); }
    [[nodiscard]] bool isSignedByOwner() const { return m_machine->isSignedByOwner(); }
    [[nodiscard]] bool deviceReady() const { return m_machine->device().stage() == crypto::OwnDevice::Stage::Complete; }
    // Whether the host's user was told of a session already: all events of one fail for the same reason.
    [[nodiscard]] bool wasTold(const QString &name) const { return m_told.contains(name); }
    [[nodiscard]] QString obstacle(const QString &roomId, const call::Line &line) const;

private:
    struct Kept {
        store::InboxEntry entry;
        QString reason;
        qint64 since = 0;
        bool told = false;
    };
    [[nodiscard]] bool isFull(const store::InboxEntry &entry) const;
    [[nodiscard]] Unopened unopened(const store::InboxEntry &entry, const QString &reason, bool final) const;
    void openEvent(const store::InboxEntry &entry, const call::Line &line, Opening &opening);

    const CipherServices &m_services;
    const QString m_lane;
    std::unique_ptr<crypto::Machine> m_machine;
    QMap<qint64, Kept> m_kept; // by inbox seq
    QSet<QString> m_told;      // sessions, by sessionNameOf()
};

} // namespace voip::effects
