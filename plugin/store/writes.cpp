// SPDX-License-Identifier: Apache-2.0
#include "store/writes.h"

#include "store/callcodec.h"
#include "store/script.h"
#include "store/sharing.h"

#include <QCryptographicHash>
#include <QMessageAuthenticationCode>
#include <QSet>

#include <algorithm>

namespace voip::store
{

namespace
{

using voiphost::Done;

QVariant optionalMillis(const std::optional<call::Millis> &value)
{
    return value ? QVariant(static_cast<qint64>(*value)) : QVariant(QMetaType::fromType<qint64>());
}

void upsertCall(Script &script, const QString &lane, const call::Call &call)
{
    Values values;
    values.id("calls.lane", lane).id("calls.id", call.id).id("calls.room_id", call.roomId);
    values.id("calls.matrix_id", call.matrixId).plain(toText(call.side)).plain(toText(call.state));
    values.id("calls.peer", call.peer).plain(static_cast<qint64>(call.createdAt));
    values.plain(optionalMillis(call.answeredAt)).plain(optionalMillis(call.endedAt)).plain(toText(call.reason));
    values.plain(static_cast<qint64>(call.deadline)).plain(static_cast<qint64>(call.forgetAt));
    values.plain(call.announced).plain(false).json("calls.detail", detailOf(call));
    script.run(QStringLiteral("INSERT INTO calls (lane, id, room_id, matrix_id, side, state, peer, created_at, "
                              "answered_at, ended_at, reason, deadline, forget_at, announced, forgotten, detail) "
                              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                              "ON CONFLICT (lane, id) DO UPDATE SET room_id = excluded.room_id, "
                              "matrix_id = excluded.matrix_id, side = excluded.side, state = excluded.state, "
                              "peer = excluded.peer, created_at = excluded.created_at, "
                              "answered_at = excluded.answered_at, ended_at = excluded.ended_at, "
                              "reason = excluded.reason, deadline = excluded.deadline, "
                              "forget_at = excluded.forget_at, announced = excluded.announced, "
                              "detail = excluded.detail"),
               values);
}

// Early calls go, and so do ended ones that no history will ever show; the others stay as history.
void forgetCall(Script &script, const QString &lane, const QString &id)
{
    const Values values = Values().id("calls.lane", lane).id("calls.id", id);
    script.run(QStringLiteral("DELETE FROM calls WHERE lane = ? AND id = ? "
                              "AND (state = 'early' OR NOT announced)"),
               values);
    script.run(QStringLiteral("UPDATE calls SET forgotten = TRUE WHERE lane = ? AND id = ?"), values);
}

void insertMember(Script &script, const QString &lane, const QString &roomId, const QString &user)
{
    script.run(
        QStringLiteral("INSERT INTO room_members (lane, room_id, user_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
        Values().id("room_members.lane", lane).id("room_members.room_id", roomId).id("room_members.user_id", user));
}

void upsertRoom(Script &script, const QString &lane, const call::Room &room)
{
    if (room.members.size() > call::Room::maxMembers) {
        script.fail(conflict(QStringLiteral("rooms.members: more than %1").arg(call::Room::maxMembers)));
        return;
    }
    Values values;
    values.id("rooms.lane", lane).id("rooms.room_id", room.id).id("rooms.conversation_id", room.conversationId);
    values.json("rooms.members", membersToJson(room.members)).plain(toText(room.joinRule));
    values.plain(room.crowded).plain(room.encrypted);
    script.run(QStringLiteral("INSERT INTO rooms (lane, room_id, conversation_id, members, join_rule, crowded, "
                              "encrypted) VALUES (?, ?, ?, ?, ?, ?, ?) "
                              "ON CONFLICT (lane, room_id) DO UPDATE SET conversation_id = excluded.conversation_id, "
                              "members = excluded.members, join_rule = excluded.join_rule, "
                              "crowded = excluded.crowded, encrypted = excluded.encrypted"),
               values);
    // The same once more, to be searched by workers that do not hold the lane.
    const Values key = Values().id("room_members.lane", lane).id("room_members.room_id", room.id);
    script.run(QStringLiteral("DELETE FROM room_members WHERE lane = ? AND room_id = ?"), key);
    for (auto it = room.members.constBegin(); it != room.members.constEnd(); ++it) {
        if (room.has(lane) && room.has(it.key()))
            insertMember(script, lane, room.id, it.key());
    }
}

void insertSend(Script &script, const QString &lane, const OutboxEntry &entry)
{
    Values values;
    values.id("outbox.lane", lane).plain(entry.ref).id("outbox.call_id", entry.callId);
    values.id("outbox.room_id", entry.roomId).id("outbox.type", entry.type).json("outbox.content", entry.content);
    values.id("outbox.txn_id", entry.txnId).plain(entry.createdAt).plain(entry.notAfter).plain(toText(entry.form));
    const bool added = script.gives(QStringLiteral("INSERT INTO outbox (lane, ref, call_id, room_id, type, content, "
                                                   "txn_id, created_at, not_after, form) "
                                                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                                                   "ON CONFLICT (lane, ref) DO NOTHING RETURNING ref"),
                                    values);
    if (added || script.error())
        return;
    // It is there already: fine if it is the same one, from an attempt whose outcome was unknown.
    if (!script.gives(QStringLiteral("SELECT 1 FROM outbox WHERE lane = ? AND ref = ? AND txn_id = ?"),
                      Values().id("outbox.lane", lane).plain(entry.ref).id("outbox.txn_id", entry.txnId)))
        script.fail(conflict(QStringLiteral("outbox.ref: %1 is taken by another send").arg(entry.ref)));
}

void replaceSend(Script &script, const QString &lane, const OutboxEntry &entry)
{
    script.run(QStringLiteral("UPDATE outbox SET content = ?, form = ? WHERE lane = ? AND ref = ?"),
               Values()
                   .json("outbox.content", entry.content)
                   .plain(toText(entry.form))
                   .id("outbox.lane", lane)
                   .plain(entry.ref));
}

void writeState(Script &script, const QString &lane, const StateRow &row)
{
    Values values;
    values.id("crypto_state.lane", lane).id("crypto_state.kind", row.kind).id("crypto_state.key", row.key);
    if (row.sealed.isEmpty()) {
        script.run(QStringLiteral("DELETE FROM crypto_state WHERE lane = ? AND kind = ? AND key = ?"), values);
        return;
    }
    values.id("crypto_state.backend", row.backend).plain(row.format).bytes("crypto_state.sealed", row.sealed);
    script.run(QStringLiteral("INSERT INTO crypto_state (lane, kind, key, backend, format, sealed) "
                              "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (lane, kind, key) DO UPDATE SET "
                              "backend = excluded.backend, format = excluded.format, sealed = excluded.sealed"),
               values);
}

qint64 insertNotice(Script &script, const QString &lane, const Notice &notice)
{
    Values values;
    values.id("notices.lane", lane).id("notices.call_id", notice.callId);
    values.id("notices.conversation_id", notice.conversationId).plain(notice.seq).plain(toText(notice.kind));
    values.json("notices.data", notice.data).plain(notice.at);
    QSqlQuery *row = script.run(QStringLiteral("INSERT INTO notices (lane, call_id, conversation_id, seq, kind, data, "
                                               "at) VALUES (?, ?, ?, ?, ?, ?, ?) "
                                               "ON CONFLICT (lane, call_id, seq) DO NOTHING RETURNING id"),
                                values);
    if (row != nullptr && row->next())
        return row->value(0).toLongLong();
    row = script.run(QStringLiteral("SELECT id, kind, data FROM notices WHERE lane = ? AND call_id = ? AND seq = ?"),
                     Values().id("notices.lane", lane).id("notices.call_id", notice.callId).plain(notice.seq));
    if (row == nullptr)
        return 0;
    if (row->next() && row->value(1).toString() == toText(notice.kind) &&
        row->value(2).toString() == jsonText(notice.data))
        return row->value(0).toLongLong(); // the same one, from an attempt whose outcome was unknown
    script.fail(conflict(QStringLiteral("notices.seq: %1 of this call is taken by another notice").arg(notice.seq)));
    return 0;
}

} // namespace

Result<QVector<InboxEntry>> writeBatch(Connection &db, const InboxBatch &batch)
{
    Script script(db);
    QVector<InboxEntry> waiting;
    QSet<qint64> seqs; // an event may stand in a batch twice
    const bool fresh = script.gives(
        QStringLiteral("INSERT INTO transactions (txn_id, at) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1"),
        Values().id("transactions.txn_id", batch.transactionId).plain(batch.receivedAt));
    for (const InboxEvent &event : batch.events) {
        if (script.error())
            break;
        const bool unseen = script.gives(
            QStringLiteral("INSERT INTO seen_events (lane, event_id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING "
                           "RETURNING 1"),
            Values()
                .id("seen_events.lane", event.lane)
                .id("seen_events.event_id", event.eventId)
                .plain(batch.receivedAt));
        QSqlQuery *row =
            unseen ? script.run(QStringLiteral("INSERT INTO inbox (lane, event_id, transaction_id, received_at, body, "
                                               "part) VALUES (?, ?, ?, ?, ?, ?) "
                                               "RETURNING seq, transaction_id"),
                                Values()
                                    .id("inbox.lane", event.lane)
                                    .id("inbox.event_id", event.eventId)
                                    .id("inbox.transaction_id", batch.transactionId)
                                    .plain(batch.receivedAt)
                                    .json("inbox.body", event.body)
                                    .plain(partitionOf(event.lane)))
                   : script.run(QStringLiteral("SELECT seq, transaction_id FROM inbox WHERE lane = ? AND event_id = ?"),
                                Values().id("inbox.lane", event.lane).id("inbox.event_id", event.eventId));
        if (row == nullptr || !row->next())
            continue;
        const qint64 seq = row->value(0).toLongLong();
        if (!seqs.contains(seq)) {
            seqs.insert(seq);
            // Its age is that of this body: counted from when this batch came.
            waiting += InboxEntry{seq, event.lane, batch.receivedAt, row->value(1).toString(), event.body};
        }
    }
    if (fresh) {
        for (const auto &[lane, room] : batch.joins)
            insertMember(script, lane, room, lane);
    }
    if (script.error())
        return *script.error();
    if (batch.shared) {
        QSet<QString> lanes;
        for (const InboxEntry &entry : std::as_const(waiting))
            lanes.insert(entry.lane);
        for (const QString &lane : std::as_const(lanes))
            writeStir(db, Stir::Inbox, lane);
    }
    return waiting;
}

Result<Committed> writeCommit(Connection &db, const Commit &commit)
{
    Script script(db);
    qint64 lastRef = 0;
    for (const OutboxEntry &entry : commit.sends)
        lastRef = std::max(lastRef, entry.ref);
    script.run(QStringLiteral("INSERT INTO lanes (lane, last_ref, part) VALUES (?, ?, ?) ON CONFLICT (lane) DO UPDATE "
                              "SET last_ref = excluded.last_ref WHERE excluded.last_ref > lanes.last_ref"),
               Values().id("lanes.lane", commit.lane).plain(lastRef).plain(partitionOf(commit.lane)));
    for (const qint64 seq : commit.consumed) {
        script.run(QStringLiteral("DELETE FROM inbox WHERE seq = ? AND lane = ?"),
                   Values().plain(seq).id("inbox.lane", commit.lane));
    }
    for (const call::Room &room : commit.rooms)
        upsertRoom(script, commit.lane, room);
    for (const call::Call &call : commit.calls)
        upsertCall(script, commit.lane, call);
    for (const QString &id : commit.forgottenCalls)
        forgetCall(script, commit.lane, id);
    for (const OutboxEntry &entry : commit.sends)
        insertSend(script, commit.lane, entry);
    for (const OutboxEntry &entry : commit.encrypted)
        replaceSend(script, commit.lane, entry);
    for (const qint64 ref : commit.settledSends) {
        script.run(QStringLiteral("DELETE FROM outbox WHERE lane = ? AND ref = ?"),
                   Values().id("outbox.lane", commit.lane).plain(ref));
    }
    Committed committed;
    for (const Notice &notice : commit.notices) {
        if (!script.error())
            committed.noticeIds += insertNotice(script, commit.lane, notice);
    }
    for (const IdempotencyKey &key : commit.keys) {
        script.run(QStringLiteral("INSERT INTO idempotency_keys (lane, key, request_hash, call_id, at) "
                                  "VALUES (?, ?, ?, ?, ?) ON CONFLICT (lane, key) DO UPDATE SET "
                                  "request_hash = excluded.request_hash, call_id = excluded.call_id, at = excluded.at"),
                   Values()
                       .id("idempotency_keys.lane", commit.lane)
                       .id("idempotency_keys.key", key.key)
                       .bytes("idempotency_keys.request_hash", key.requestHash)
                       .id("idempotency_keys.call_id", key.callId)
                       .plain(key.at));
    }
    for (const StateRow &row : commit.state)
        writeState(script, commit.lane, row);
    if (script.error())
        return *script.error();
    if (commit.fence && !commit.notices.isEmpty())
        writeStir(db, Stir::Notice, commit.lane);
    return committed;
}

Result<Done> writeSetting(Connection &db, const QString &key, const QByteArray &value)
{
    Script script(db);
    script.run(QStringLiteral("INSERT INTO settings (key, value) VALUES (?, ?) "
                              "ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
               Values().id("settings.key", key).bytes("settings.value", value));
    writeStir(db, Stir::Setting, key);
    if (script.error())
        return *script.error();
    return Done{};
}

QString rootKeyCheck(const QByteArray &rootKey)
{
    return QString::fromLatin1(
        QMessageAuthenticationCode::hash("matrix-voip root key", rootKey, QCryptographicHash::Sha256).toHex());
}

Result<QString> readRootKeyCheck(Connection &db)
{
    QSqlQuery *row = db.run(QStringLiteral("SELECT value FROM meta WHERE key = 'root_key_check'"));
    if (row == nullptr)
        return db.error();
    return row->next() ? row->value(0).toString() : QString();
}

Result<Done> checkRootKey(Connection &db, const QByteArray &rootKey)
{
    const QString value = rootKeyCheck(rootKey);
    Script script(db);
    if (!rootKey.isEmpty()) {
        script.run(QStringLiteral("INSERT INTO meta (key, value) VALUES ('root_key_check', ?) ON CONFLICT DO NOTHING"),
                   Values().plain(value));
    }
    if (script.error())
        return *script.error();
    const Result<QString> kept = readRootKeyCheck(db);
    if (!kept)
        return kept.error();
    if (kept->isEmpty())
        return Done{}; // there has never been one
    const StoreError::Kind kind = StoreError::Kind::Misconfigured;
    if (rootKey.isEmpty())
        return StoreError{kind, QStringLiteral("root_key: missing, but this database was opened with one before")};
    if (*kept != value)
        return StoreError{kind, QStringLiteral("root_key: not the one this database was made with")};
    return Done{};
}

} // namespace voip::store
