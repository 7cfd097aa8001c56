// SPDX-License-Identifier: Apache-2.0
// End-to-end encryption of one device of ours, without I/O, clock or randomness of its own. Takes what comes from the
// homeserver and what the lane wants; gives requests to make, events opened and events sealed. Every step's changes are
// to be committed together with the step's effects, and only then may its requests be taken:
//   input... -> changes() -> (one database transaction) -> committed(), takeRequests(), takeNotes()
//                                                      or  revert(): nothing has happened
// A room's key is shared when somebody prepare()s for it: the lists of its members are asked for, sessions are begun,
// the key goes to whom the policy trusts (E24), the others are told why not (E18). What cannot be had within `patience`
// is gone without. Not thread-safe: belongs to the lane of its device.
#pragma once

#include "crypto/devices.h"
#include "crypto/inbound.h"
#include "crypto/keybackup.h"
#include "crypto/olmsessions.h"
#include "crypto/outbound.h"
#include "crypto/owndevice.h"
#include "crypto/request.h"
#include "crypto/verifications.h"

namespace voip::crypto
{

struct RoomView {
    QString id;
    QStringList members; // joined and invited ones, without us
    bool operator==(const RoomView &) const = default;
};

struct Opened {
    enum class How {
        Opened,
        Waits,   // a key or a device list is missing and may come: try again when takeNews() says so
        Refused, // never
    };
    How how = How::Refused;
    QString reason;    // a stable word, or the code by which the sender withheld the key; empty: opened
    QJsonObject event; // opened: type and content are those that were encrypted
};

struct MachineSettings {
    QString user;
    Policy policy = Policy::CrossSigned;
    QHash<QString, QString> verifiedMasterKeys; // by user, for Policy::Verified
    // An account that logs in: the device of its session. Its identity is its owner's, its other devices belong to the
    // conversation, and nothing that is meant for it gets lost on the way.
    QString device = {};
    bool keyBackup = false; // of such an account only: its sessions go to its key backup as well
};

class Machine
{
public:
    static constexpr qint64 patience = 3000;

    // `backend`, `seal` must outlive it. Fault: the device's record cannot be read, and nothing must be made in its
    // place unasked.
    [[nodiscard]] static Outcome<std::unique_ptr<Machine>> open(MachineSettings settings, Backend &backend,
                                                                const Seal &seal, Random random,
                                                                const QVector<SealedRecord> &committed, qint64 now);

    // --- what the lane wants
    void begin(qint64 now); // a device, if there is none yet
    void setRules(const QString &room, const RoomRules &rules) { m_outbound.setRules(room, rules); }
    void prepare(const RoomView &room, qint64 now);
    // Nobody tells us of changes: before a call all lists are asked for, and what waits for the device.
    void look(qint64 now);
    [[nodiscard]] bool ready(const RoomView &room, qint64 now) const;
    // Why a room is not ready: "no_device" (nobody there whom we may send to), "homeserver", "keys"; empty: it is.
    [[nodiscard]] QString obstacle(const RoomView &room, qint64 now) const;
    // Only when ready. -> content of an m.room.encrypted.
    [[nodiscard]] Outcome<QJsonObject> encrypt(const RoomView &room, const QString &type, const QJsonObject &content);
    [[nodiscard]] Opened open(const QJsonObject &event, qint64 now);
    // An event that our own device sent, as the homeserver shows it (E31). One of another sender says nothing.
    void echo(const QJsonObject &event, qint64 now);

    // --- what the homeserver says
    void toDevice(const QJsonObject &message, qint64 now);
    void devicesChanged(const QStringList &changed, const QStringList &left);
    void counts(std::optional<int> oneTimeKeys, std::optional<bool> fallbackUnused, qint64 now);
    void gap(qint64 now); // something may have been lost: everything is asked for again
    void answered(const Answer &answer, qint64 now);
    void tick(qint64 now) { advance(now); }

    // --- verification of an account's device by its owner
    [[nodiscard]] QVector<SasView> verifications() const { return m_run.verifications.views(); }
    // The administrator compared: both sides show the same, or not. Also to end one before. Nothing for an unknown id.
    void judgeVerification(const QString &id, bool same, qint64 now);
    [[nodiscard]] bool isSignedByOwner() const; // as the device list says

    // --- what comes of it, after the commit
    [[nodiscard]] QVector<Asked> takeRequests(qint64 now);
    [[nodiscard]] Notes takeNotes()
    {
        m_runBefore.notes.clear();
        return std::exchange(m_run.notes, {});
    }
    [[nodiscard]] bool takeNews() { return std::exchange(m_run.news, false); }
    [[nodiscard]] std::optional<qint64> nextDue() const; // when tick() is worth it; may have passed already

    [[nodiscard]] Outcome<QVector<SealedRecord>> changes();
    void committed();
    void revert();

    [[nodiscard]] const OwnDevice &device() const { return m_device; }
    [[nodiscard]] const DeviceLists &devices() const { return m_devices; }

private:
    struct Message { // to devices, as a record holds it
        QString room;
        QString type;
        QJsonObject messages;
    };
    static constexpr int messageVersion = 1;
    struct OnItsWay { // a to-device message whose answer is awaited
        QString room;
        qint64 since = 0;
    };
    struct Backoff {
        int failures = 0;
        qint64 until = 0;
    };
    enum class Errand { Device, Query, Claim, Send, CatchUp, Backup };

    Machine(MachineSettings settings, Backend &backend, const Seal &seal, Random random,
            const QVector<SealedRecord> &committed);

    void replaceDevice(const char *why, qint64 now);
    void complete();
    [[nodiscard]] bool isGone(const QJsonObject &answer) const;
    void advance(qint64 now);
    [[nodiscard]] bool advance(const RoomView &room, qint64 now); // true: nothing more to be done
    [[nodiscard]] bool waitsTooLong(const QString &forWhat, qint64 now);
    void share(const RoomView &room, const QVector<Device> &recipients, qint64 now);
    void withhold(const RoomView &room, qint64 now);
    [[nodiscard]] QStringList audience(const RoomView &room) const;
    [[nodiscard]] QVector<Device> recipients(const RoomView &room) const;
    [[nodiscard]] bool settled(const QString &user, qint64 now) const;
    [[nodiscard]] static OlmPeer peerOf(const Device &device) { return {device.user, device.curve25519}; }
    [[nodiscard]] bool excused(const Device &device, qint64 now) const;
    [[nodiscard]] bool waitsForSends(const QString &room, qint64 now) const;
    [[nodiscard]] Outcome<QJsonObject> olm(const Device &device, const QString &type, const QJsonObject &content);
    [[nodiscard]] std::optional<Message> messageOf(const QString &txnId) const;
    void post(const QString &room, const QString &type, const QJsonObject &messages, qint64 now);
    [[nodiscard]] QHash<QString, QStringList> toClaim(qint64 now) const;

    void takeOlm(const QJsonObject &message, qint64 now);
    void takeOlmPlain(const QJsonObject &payload, const QString &sender, const QString &senderKey, qint64 now);
    void takeRoomKey(const QJsonObject &content, const SessionOwner &owner, qint64 now);
    void takeWithheld(const QJsonObject &content, const QString &sender, qint64 now);
    [[nodiscard]] QString withheldCode(const SessionName &name, const QString &sender) const;
    void wedged(const QString &user, const QString &senderKey, qint64 now);
    void takeVerification(const QString &type, const QJsonObject &content, const QString &sender, qint64 now);
    void advanceVerifications(qint64 now);
    void follow(const Verifications::Step &step, const QString &user, qint64 now);
    void note(const QString &word, const QString &user);

    [[nodiscard]] bool backsUp() const { return m_settings.keyBackup && m_device.isGiven(); }
    void markInbound(const SessionName &name);
    void markOutbound(const QString &room);
    void advanceBackup();
    [[nodiscard]] std::optional<Request> backupRequest(qint64 now);
    void backupAnswered(const Request &request, const Answer &answer, qint64 now);
    [[nodiscard]] std::optional<qint64> backupDue() const;

    void readClaim(const ClaimKeys &asked, const QJsonObject &answer, qint64 now);
    void claimed(const Device &device, const QJsonObject &keys, qint64 now);
    void readUpload(const UploadKeys &upload, const QJsonObject &answer, qint64 now);
    void ask(QVector<Asked> &list, Request request);
    static void delay(Backoff &backoff, qint64 now, int atLeast);
    [[nodiscard]] bool mayAsk(Errand errand, qint64 now) const;
    [[nodiscard]] static Errand errandOf(const Request &request);

    const MachineSettings m_settings;
    Backend &m_backend;
    const Random m_random;
    Records m_records;
    OwnDevice m_device;
    DeviceLists m_devices;
    OlmSessions m_olm;
    InboundSessions m_inbound;
    OutboundRooms m_outbound;
    KeyBackup m_backup;

    // Nothing of this is state that must survive a restart: it is found again from the records. A step that is not
    // committed must not leave its marks here either.
    struct Run {
        QHash<QString, RoomView> wishes;     // by room
        QHash<QString, qint64> waits;        // users and Olm peers that a wish waits for, since when
        QHash<QString, Backoff> unlearnt;    // users of whom an answer said nothing
        QHash<QString, qint64> excusedUsers; // whose lists cannot be had, until when we do without
        QHash<QString, qint64> excusedKeys;  // devices without a session, by Olm peer
        QHash<QString, Device> wedged;       // by Olm peer: a new session is wanted
        QHash<QString, OnItsWay> onTheirWay; // by transaction id
        QHash<QString, qint64> missing;      // sessions that were asked for, until when not again
        Verifications verifications;
        quint64 lettersPosted = 0; // those of verifications go one after the other
        QHash<quint64, Request> inFlight;
        QMap<Errand, Backoff> backoff;
        quint64 lastRequest = 0;
        qint64 lookedAt = 0; // when what was due was last dealt with
        qint64 replaceNotBefore = 0;
        std::optional<BackupPlace> backup; // that was found since the start, and still holds
        qint64 backupNotBefore = 0;        // when it may be looked for again
        bool catchUp = false;
        bool countKeys = false; // the homeserver is to be asked how many one-time keys it has
        bool news = false;
        Notes notes;
    };
    Run m_run;
    Run m_runBefore;
};

} // namespace voip::crypto
