// SPDX-License-Identifier: Apache-2.0
// What must always hold of a bridge, seen from outside: from what its database took, what reached the homeserver, what
// the host was told. Is told of everything as it happens, complains once, and then the world stops. Knows nothing of
// the product's parts but their words.
//
//   1. what was answered 200 is kept until a lane has dealt with it, once
//   2. what was decided reaches the homeserver once, in order by call; nothing else does
//   3. no call lives without a deadline, and nobody is left ringing
//   4. one answer by call at most
//   5. nothing is sent in the clear into a room of which it is committed that it is encrypted. What was sealed stays as
//      it is; no index of a room key is used twice; who was given a key can read, and who was not, for a reason that
//      the bridge counted; what peers send is opened (judge_keys.cpp)
//   6. whatever comes in, it comes to rest (the world's business)
//   and: notices of a call have no gap and no double, and nobody is told before the commit
#pragma once

#include "plan.h"
#include "store/rows.h"
#include "trace.h"

#include <voiphost/events.h>

#include <QHash>
#include <QJsonObject>
#include <QSet>

#include <functional>

namespace bridgesim
{

class Judge
{
public:
    explicit Judge(Trace &trace) : m_trace(trace) {}

    void complain(const char *kind, const QString &detail);
    [[nodiscard]] const QString &kind() const { return m_kind; } // empty: all holds
    [[nodiscard]] const QString &detail() const { return m_detail; }

    // --- the database
    void kept(const voip::store::InboxEntry &entry, const QString &eventId);
    // `before`: what the row of each of its calls was.
    void committed(const voip::store::Commit &commit, const QHash<QString, voip::call::Call> &before, qint64 wallNow);
    // --- the homeserver
    void sending(const QString &lane, const QString &roomId, const QString &type, const QString &txnId,
                 const QJsonObject &content);
    void arrived(const QString &lane, const QString &txnId, const QString &eventId); // a new event of a ghost
    // After what was said later in its call.
    [[nodiscard]] bool wasLate(const QString &eventId) const { return m_late.contains(eventId); }
    void refused(const QString &txnId);
    [[nodiscard]] bool isEnd(const QString &txnId) const;           // of a call: nobody refuses that
    void acknowledged(const QString &lane, const QString &eventId); // answered 200
    // --- the host
    void told(const QString &lane, const voiphost::CallNotice &notice);
    void answered(const QString &lane, const QString &callId); // an action was accepted
    // --- the end
    [[nodiscard]] bool owes() const; // an event that was acknowledged and is not kept yet
    void finish(const QString &leftOver);

    // --- keys (judge_keys.cpp)
    // A device of a peer has read what a ghost sealed.
    void read(const QString &eventId, const QString &type, const QJsonObject &content);
    // It cannot, after all; `reason` as its machine has it. `fresh`: the bridge may not have known of it yet.
    void unread(const QString &device, const QString &eventId, const QString &reason, bool fresh);
    void lookAtFigures(const QByteArray &metrics); // of a life that has ended

    struct World { // what kind it is
        bool encrypted = false;
        bool calm = false; // nothing goes wrong
    };
    World world;
    bool clockLeapt = false; // further than anybody rings: what was to be said is too late, as far as a bridge knows

    struct Totals {
        qint64 events = 0;  // kept
        qint64 sent = 0;    // at the homeserver
        qint64 notices = 0; // told
        qint64 rings = 0;
        qint64 answers = 0; // of ours
        qint64 connected = 0;
        qint64 commits = 0;
        qint64 restarts = 0;
        qint64 awaits = 0;
        qint64 repeats = 0; // of transactions
        qint64 encryptedWorlds = 0;
        qint64 opened = 0; // by the bridge, of what peers sealed
        qint64 read = 0;   // by devices of peers, of what ghosts sealed
        qint64 deaf = 0;   // what one of their devices cannot read
        void add(const Totals &other);
    };
    Totals totals;

private:
    struct Decided { // a row of the outbox, ever
        QString lane;
        qint64 ref = 0;
        QString callId;
        QString roomId;
        QString type;
        QJsonObject content;
        qint64 notAfter = 0;
        qint64 createdAt = 0;
        voip::store::Form form = voip::store::Form::Plain;
        QString eventId = {};
        bool settled = false;
        bool refused = false;
        bool begun = false; // it has left the bridge, perhaps for nowhere
    };
    struct Waiting { // in the inbox
        QString lane;
        qint64 since = 0;
        bool sealed = false;
    };
    struct Told {
        qint64 last = 0;            // seq, committed
        QHash<qint64, qint64> idOf; // by seq
    };
    using OfCall = std::pair<QString, QString>; // lane, host's call id

    void checkCall(const QString &lane, const voip::call::Call &call, qint64 wallNow);
    void checkNotice(const QString &lane, const voip::store::Notice &notice);
    void checkSettled(const voip::store::Commit &commit, qint64 ref, qint64 wallNow);
    void checkConsumed(const Waiting &entry);
    void checkSealed(const voip::store::Commit &commit);
    void checkUndecryptable(const QString &lane, const voip::store::Notice &notice);
    void checkCiphertext(const QString &lane, const QJsonObject &content);
    void countAnswer(const QString &lane, const QString &roomId, const QJsonObject &content);
    [[nodiscard]] Decided *decided(const QString &lane, qint64 ref);

    Trace &m_trace;
    QString m_kind;
    QString m_detail;
    QHash<QString, Decided> m_decided;                     // by transaction id
    QHash<std::pair<QString, qint64>, QString> m_txnOfRef; // (lane, ref)
    QHash<QString, qint64> m_lastRef;                      // by lane
    QHash<OfCall, qint64> m_lastArrived;                   // ref
    QHash<OfCall, QString> m_inviteOf;                     // transaction id
    QSet<std::pair<QString, QString>> m_kept;              // (lane, event id)
    QSet<std::pair<QString, QString>> m_owed;              // acknowledged, of a room that the bridge has yet to read
    QHash<qint64, Waiting> m_waiting;                      // by seq
    QSet<qint64> m_consumed;                               // seqs
    QHash<OfCall, Told> m_told;
    QSet<OfCall> m_calls;                                      // that have a row
    QSet<std::pair<QString, QString>> m_encrypted;             // (lane, room), committed
    QSet<QString> m_answers;                                   // room, call and sender
    QHash<QString, QString> m_txnOf;                           // event id -> transaction id
    QSet<QString> m_late;                                      // event ids
    QSet<QString> m_read;                                      // event ids
    QHash<std::pair<QString, quint32>, QString> m_ciphertexts; // (session, index)
    bool m_mayBeDeaf = false;                                  // the bridge did without a device, and said so
    QStringList m_deaf;                                        // device, event and why
};

} // namespace bridgesim
