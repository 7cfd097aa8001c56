// SPDX-License-Identifier: Apache-2.0
// What the store keeps, as value types. JSON bodies are compact UTF-8. Times are UTC ms. A `lane` is the Matrix id
// of a bridged user. Only store/ turns these into SQL.
#pragma once

#include "call/line.h"

#include <voiphost/types.h>

#include <QByteArray>
#include <QJsonObject>
#include <QString>
#include <QVector>

#include <functional>

namespace voip::store
{

struct StoreError {
    enum class Kind {
        Unavailable,   // no connection, disk full, time-out: trying again later may work
        Conflict,      // a constraint was broken: trying again will not work
        Corrupt,       // a row that cannot be read; `message` names table, key and column
        Misconfigured, // wrong driver or DSN, schema newer than this program, wrong root key
        Fenced,        // the partition is another worker's by now: nothing of this may be done any more
    };
    Kind kind = Kind::Unavailable;
    QString message; // never holds the DSN's password or a row's body
};

template <typename T>
using Result = voiphost::Expected<T, StoreError>;
template <typename T>
using Reply = std::function<void(Result<T>)>;

// An event of one transaction for one lane.
struct InboxEvent {
    QString lane;
    QString eventId;
    QJsonObject body;
};

struct InboxBatch {
    QString transactionId;
    qint64 receivedAt = 0;
    QVector<InboxEvent> events;
    QVector<std::pair<QString, QString>> joins = {}; // (lane, room) that the batch brings a lane into: for findRoutes()
    bool shared = false;                             // other workers hold some of the lanes: they are stirred
};

struct InboxEntry { // an accepted event that no lane has consumed yet
    qint64 seq = 0; // order of acceptance
    QString lane;
    qint64 receivedAt = 0;
    QString transactionId; // events of one transaction are one batch (R28)
    QJsonObject body;
};

struct InboxPage { // of what is accepted and not consumed, in order of seq
    QVector<InboxEntry> entries;
    QVector<qint64> unreadable; // seqs of rows that nobody can use
    qint64 last = 0;            // the highest seq in it; that after which was asked, if there was none
    bool more = false;          // it is full: there may be more
};

struct InboxDepth {
    qint64 entries = 0;
    qint64 bytes = 0; // of their JSON

    bool operator==(const InboxDepth &) const = default;
};

enum class Form {
    Plain,     // sent as it is
    Waiting,   // to be encrypted before it may be sent
    Encrypted, // `content` is that of m.room.encrypted; `type` stays that of the event inside
};

struct OutboxEntry { // decided, not yet known to be at the homeserver
    QString lane;
    qint64 ref = 0; // unique by lane
    QString callId; // the host's; sends of one call keep their order
    QString roomId;
    QString type;
    QJsonObject content;
    QString txnId; // unique over all lanes: the homeserver knows one space for the whole appservice (R111)
    qint64 createdAt = 0;
    qint64 notAfter = 0; // 0: no limit
    Form form = Form::Plain;
};

struct Notice {    // what the host is told; the row behind voiphost::CallNotice
    qint64 id = 0; // given by the commit; grows by lane
    QString lane;
    QString callId;
    QString conversationId;
    qint64 seq = 0;
    voiphost::NoticeKind kind = voiphost::NoticeKind::Ended;
    QJsonObject data;
    qint64 at = 0;
};

struct IdempotencyKey {
    QString lane;
    QString key;
    QByteArray requestHash;
    QString callId;
    qint64 at = 0;
};

// A sealed piece of the state of a lane's device. What is inside is nothing that the store knows or asks.
struct StateRow {
    QString kind;
    QString key;
    QString backend; // who can read it once it is unsealed, and
    int format = 0;  // in which version
    QByteArray sealed;
};

// A partition, and the token under which a worker holds it. Tokens of a partition only grow.
struct Fence {
    int partition = 0;
    qint64 token = 0;

    bool operator==(const Fence &) const = default;
};

// One decision of one lane: all of it or nothing.
struct Commit {
    QString lane;
    std::optional<Fence> fence = {}; // nothing: the database is ours alone
    QVector<qint64> consumed;        // inbox seqs
    QVector<call::Call> calls;       // upserted by (lane, id)
    QVector<QString> forgottenCalls; // gone from the line; rows stay as history, Early ones are deleted
    QVector<call::Room> rooms;       // upserted by (lane, room id)
    QVector<OutboxEntry> sends;
    QVector<qint64> settledSends; // refs that are sent, failed for good, or taken back
    QVector<Notice> notices;      // ids are filled in by the answer
    QVector<IdempotencyKey> keys;
    QVector<StateRow> state;        // upserted by (lane, kind, key); with `sealed` empty: deleted
    QVector<OutboxEntry> encrypted; // content and form of sends that waited; one that is gone stays gone
};

struct Committed {
    QVector<qint64> noticeIds; // in the order of Commit::notices
};

// How long what an ended call leaves is kept, in ms.
struct Retention {
    qint64 details = 24LL * 60 * 60 * 1000;      // until then all of it, then what history shows
    qint64 history = 90LL * 24 * 60 * 60 * 1000; // then nothing
};

struct Pruned {
    bool more = false; // there may be more to prune
};

// A lane as it was committed: what Restart begins with.
struct LaneRecord {
    QString lane;
    QVector<call::Room> rooms;
    QVector<call::Call> calls;    // not yet forgotten at the time asked for
    QVector<OutboxEntry> outbox;  // in order of ref
    QVector<IdempotencyKey> keys; // of the last 24 h
    qint64 lastRef = 0;           // highest ref ever given out in this lane's pending or settled sends
    QVector<StateRow> state;      // in order of kind and key
    bool stateDamaged = false;    // a row of it could not be read: what is here is not all there was
};

// --- several workers on one database

inline constexpr int partitionCount = 64;
[[nodiscard]] int partitionOf(const QString &lane); // always the same, everywhere
using Share = std::optional<QVector<int>>;          // lanes of these partitions; nothing: all lanes

struct LeaseRequest {
    QString worker; // unique, made anew at each start
    int ttlMs = 0;  // by the database's clock
    QVector<Fence> released;
    int take = partitionCount; // no more than so many in all, and never more than a fair share
    bool leaving = false;      // takes nothing, and does not count any more
    InboxDepth aside = {};     // waits in the inbox here and is no backlog
};

struct Leases {
    QVector<Fence> held;        // all that is ours now, in order of partition
    int share = partitionCount; // how many each worker should hold; who has more gives some back
    int workers = 1;
};

struct Routes {
    QHash<QString, QStringList> lanesOfRoom;
    QHash<QString, QStringList> followersOfUser;
};

struct OwnedCall {
    QString lane;
    call::Call call;
};

struct Errand {
    QString id;
    QString lane;
    QString worker; // who asked
    QJsonObject body;
};

enum class Stir {
    Inbox,   // whom: the lane
    Notice,  // the lane
    Errand,  // the lane
    Answer,  // the worker
    Setting, // its key
    Lease,   // nobody: something is free
    All,     // something may have been missed
};

} // namespace voip::store
