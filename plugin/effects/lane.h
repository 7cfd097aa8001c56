// SPDX-License-Identifier: Apache-2.0
// The single thread of control that owns a bridged user. Takes inputs one after the other, lets the pure core decide,
// commits the whole decision in one transaction, and only then acts on it. While a commit is under way further inputs
// wait; if it fails nothing has happened, and they are decided anew. Lives on the core thread.
#pragma once

#include "call/transition.h"
#include "effects/alarm.h"
#include "effects/board.h"
#include "effects/cipher.h"
#include "effects/outbox.h"
#include "store/store.h"

#include <QObject>

#include <deque>
#include <functional>

namespace voip::effects
{

using Read = std::function<call::MatrixBatch(const QVector<store::InboxEntry> &entries)>;

struct LaneServices {
    store::Store &store;
    Outbox &outbox;
    Alarm &alarm;
    Board &board;
    observe::Metrics &metrics;
    const Clock &clock;
    Read read;                                                             // parses what is readable
    const CipherServices *cipher;                                          // null: there is no encryption (no root key)
    std::function<bool(const QString &userId)> accepting;                  // whether new calls are taken for this user
    std::function<std::optional<store::Fence>(const QString &lane)> fence; // nothing: the database is ours alone
    std::function<bool()> draining; // the host's user places no new calls; what Matrix sends is still served
    call::Settings settings;
    // What was decided, for observers, after the commit.
    std::function<void(const call::Line &before, const call::Step &step, const call::Now &now, const call::Input &input,
                       const QVector<store::InboxEntry> &entries)>
        record;
    // A word in the timelines of the live calls of a room: an event of it could not be opened.
    std::function<void(const call::Line &line, const QString &roomId, const QJsonObject &what)> remark;
};

// What the host's user did, and who waits for the outcome.
struct HostAction {
    call::Input input;
    QString callId;
    std::optional<store::IdempotencyKey> key;                            // of a Place
    std::function<void(voiphost::Expected<voiphost::FullPlaced>)> reply; // called once, on the core thread
};

class Lane : public QObject
{
    Q_OBJECT

public:
    Lane(QString matrixId, QString userId, LaneServices &services, QObject *parent = nullptr);
    ~Lane() override;

    // What was committed; nothing is done yet.
    void restore(const store::LaneRecord &record);
    // Goes on where the last process stopped: sends what is left, enters rooms, rings (R29). `hostLives`: only the lane
    // has moved, its users have not gone.
    void resume(bool hostLives = false);
    // Another worker goes on with it: begins nothing more, refuses what waits, and says when nothing is under way.
    void retire(std::function<void()> then);
    void deliver(const QVector<store::InboxEntry> &entries);
    void act(HostAction action);
    void take(const call::Input &input);
    void takeKeys(const CipherInput &input); // nothing without encryption

    // Whether others can encrypt for the ghost; true without encryption.
    [[nodiscard]] bool deviceReady() const { return !m_cipher || m_cipher->deviceReady(); }
    [[nodiscard]] bool encrypts() const { return m_cipher != nullptr; }
    [[nodiscard]] QJsonObject deviceKeys() const { return m_cipher ? m_cipher->deviceKeys() : QJsonObject(); }
    [[nodiscard]] const QVector<crypto::SasView> &verifications() const { return m_verifications; } // as committed
    [[nodiscard]] const call::Line &line() const { return m_line; }                                 // as committed
    [[nodiscard]] const QString &userId() const { return m_userId; }
    [[nodiscard]] QVector<QString> announcedCalls() const; // live ones

Q_SIGNALS:
    void consumed(const QVector<qint64> &seqs);
    void seen(const QVector<qint64> &seqs); // inbox entries that were looked at; what cannot be opened yet stays
    void fenced(const QString &lane);       // a commit was refused: another worker holds it
    void noticed(const QString &lane, const voiphost::CallNotice &notice);
    void enterRoom(const QString &lane, const QString &roomId);
    void roomKnown(const QString &lane, const QString &roomId); // a RoomSnapshot is committed
    void roomChanged(const QString &lane, const voip::call::Room &room);
    void deviceIsReady(const QString &lane);
    void deviceSignatureChanged(const QString &lane, bool isSigned); // by its owner, as the device list says
    void verificationsChanged(const QString &lane);
    // After a commit: what the lane's machine asks of the homeserver.
    void asks(const QString &lane, const QString &device, const QVector<voip::crypto::Asked> &requests);

private:
    // One thing to do: exactly one of entries, action, input and keys is there.
    struct Work {
        QVector<store::InboxEntry> entries = {};
        std::optional<HostAction> action = {};
        std::optional<call::Input> input = {};
        std::optional<CipherInput> keys = {};
    };
    // What was made of some works, before it is committed.
    struct Decision {
        call::Line line;
        store::Commit commit;
        QVector<call::Effect> effects;
        QVector<call::Notify> notices; // in the order of commit.notices
        std::vector<std::function<void()>> replies;
        QVector<qint64> withdrawn; // held in the outbox
        QVector<qint64> unclear;   // held there, too: their room is encrypted by this
        QVector<QString> calls;
        std::vector<std::function<void()>> records; // for observers, once it is committed
        QHash<qint64, int> candidates;              // in the sends that hold some, by ref
        QVector<Cipher::Unopened> unopened;
        QStringList toPrepare; // rooms in which a call begins
    };

    void work();
    void decide(const Work &work, Decision &decision);
    // One transition; what it decided is added to the decision.
    [[nodiscard]] call::Step step(const call::Input &input, const QVector<store::InboxEntry> &entries,
                                  Decision &decision) const;
    void fold(const call::Step &step, Decision &decision);
    [[nodiscard]] bool withdraw(const call::Unsend &unsend, Decision &decision);
    void addSend(const call::Send &send, Decision &decision) const;
    void addNotice(const call::Notify &notify, Decision &decision) const;
    // --- encryption: lane_keys.cpp
    [[nodiscard]] QVector<store::InboxEntry> readable(const QVector<store::InboxEntry> &entries, Decision &decision);
    void noteUnopened(const Cipher::Unopened &unopened, Decision &decision);
    void concludeKeys(Decision &decision);
    [[nodiscard]] bool sealInto(Decision &decision);
    void performKeys(const Decision &decision);
    void keepFromClear(Decision &decision) const;
    void keepFromClear(const QString &roomId);
    void makeWait(store::OutboxEntry &entry) const;
    void observeKeys(const crypto::Notes &notes);
    void tellRoom(const Work &work);
    void setAlarm(qint64 notBefore = 0);
    // The answer to an action that needs no decision of the core (idempotent repeat, refused as a whole).
    [[nodiscard]] std::optional<voiphost::Expected<voiphost::FullPlaced>> answerWithoutCore(const HostAction &action,
                                                                                            Decision &decision) const;
    void finish(const std::shared_ptr<Decision> &decision, std::deque<Work> works,
                const store::Result<store::Committed> &result);
    void refuseWaiting();
    void giveBack(std::deque<Work> works, const store::StoreError &error);
    void drop(Work &broken, const store::StoreError &error);
    void perform(const Decision &decision, const QVector<qint64> &noticeIds);
    void remember(const QVector<store::IdempotencyKey> &keys);
    [[nodiscard]] std::optional<voiphost::Error> whyNotNow(const call::Input &input) const;
    void observe(const call::Line &before, const QVector<QString> &changed);
    void note(const call::Drop &drop);
    [[nodiscard]] voiphost::Expected<voiphost::FullPlaced> outcome(const call::Effect &effect,
                                                                   const call::Line &line) const;
    [[nodiscard]] voiphost::FullCall present(const call::Call &call, const call::Line &line) const;

    const QString m_id;
    const QString m_userId;
    LaneServices &m_services;
    call::Line m_line;
    QHash<QString, store::IdempotencyKey> m_keys; // of the last 24 h
    QVector<store::OutboxEntry> m_unsent;         // restored, until resume()
    std::unique_ptr<Cipher> m_cipher;             // null: without encryption
    QMap<qint64, store::OutboxEntry> m_waiting;   // committed, and not sealed yet; by ref
    bool m_deviceWasReady = false;
    bool m_deviceWasSigned = false;
    QVector<crypto::SasView> m_verifications;
    std::deque<Work> m_queue;
    qsizetype m_actions = 0; // of the host in m_queue
    bool m_committing = false;
    bool m_retired = false;
    std::function<void()> m_whenIdle;
    static constexpr int mostTogether = 32;       // works in one commit
    static constexpr qsizetype mostEntries = 256; // of the inbox, or little more: other lanes want to work, too
    int m_together = mostTogether;                // one at a time while a broken one is sought
    QTimer m_again;
};

} // namespace voip::effects
