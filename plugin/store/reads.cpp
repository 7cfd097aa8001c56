// SPDX-License-Identifier: Apache-2.0
#include "store/reads.h"

#include "store/callcodec.h"
#include "store/log.h"
#include "store/rowreader.h"
#include "store/sharing.h"

#include <QMap>
#include <QSet>

namespace voip::store
{

namespace
{

const QString callColumns = QStringLiteral("id, room_id, matrix_id, side, state, peer, created_at, answered_at, "
                                           "ended_at, reason, deadline, forget_at, announced, detail, lane");
const QString noticeColumns = QStringLiteral("id, lane, call_id, conversation_id, seq, kind, data, at");

struct LaneRow {
    QString lane;
    qint64 lastRef = 0;
};
struct OwnedRoom {
    QString lane;
    call::Room room;
};
struct OwnedState {
    QString lane;
    StateRow state;
};

call::Call readCallRow(RowReader &row)
{
    call::Call call;
    call.id = row.id(0, "id");
    row.setKey(row.id(14, "lane") + u' ' + call.id);
    call.roomId = row.id(1, "room_id");
    call.matrixId = row.id(2, "matrix_id");
    call.side = row.word(3, "side", sideFromText);
    call.state = row.word(4, "state", stateFromText);
    call.peer = row.id(5, "peer");
    call.createdAt = row.integer(6, "created_at");
    call.answeredAt = row.optionalInteger(7, "answered_at");
    call.endedAt = row.optionalInteger(8, "ended_at");
    call.reason = row.word(9, "reason", reasonFromText);
    call.deadline = row.integer(10, "deadline");
    call.forgetAt = row.integer(11, "forget_at");
    call.announced = row.flag(12, "announced");
    const QJsonObject detail = row.json(13, "detail");
    if (!row.error()) {
        if (const QString defect = readDetail(detail, call); !defect.isEmpty())
            row.bad(QStringLiteral("detail.") + defect);
    }
    return call;
}

call::Room readRoomRow(RowReader &row)
{
    call::Room room;
    room.id = row.id(1, "room_id");
    row.setKey(row.id(0, "lane") + u' ' + room.id);
    room.conversationId = row.id(2, "conversation_id");
    const QJsonObject members = row.json(3, "members");
    room.joinRule = row.word(4, "join_rule", joinRuleFromText);
    room.crowded = row.flag(5, "crowded");
    room.encrypted = row.flag(6, "encrypted");
    if (const QString defect = readMembers(members, room.members); !defect.isEmpty())
        row.bad(QStringLiteral("members ") + defect);
    return room;
}

OutboxEntry readOutboxRow(RowReader &row)
{
    OutboxEntry entry;
    entry.lane = row.id(0, "lane");
    entry.ref = row.integer(1, "ref");
    row.setKey(entry.lane + u' ' + QString::number(entry.ref));
    entry.callId = row.id(2, "call_id");
    entry.roomId = row.id(3, "room_id");
    entry.type = row.id(4, "type");
    entry.content = row.json(5, "content");
    entry.txnId = row.id(6, "txn_id");
    entry.createdAt = row.integer(7, "created_at");
    entry.notAfter = row.integer(8, "not_after");
    entry.form = row.word(9, "form", formFromText);
    return entry;
}

OwnedState readStateRow(RowReader &row)
{
    OwnedState owned{row.id(0, "lane"), {}};
    owned.state.kind = row.id(1, "kind");
    owned.state.key = row.id(2, "key");
    row.setKey(owned.lane + u' ' + owned.state.kind + u' ' + owned.state.key);
    owned.state.backend = row.id(3, "backend");
    owned.state.format = row.small(4, "format");
    owned.state.sealed = row.bytes(5, "sealed");
    if (owned.state.sealed.isEmpty()) // never written so
        row.bad("sealed");
    return owned;
}

Notice readNoticeRow(RowReader &row)
{
    Notice notice;
    notice.id = row.integer(0, "id");
    row.setKey(QString::number(notice.id));
    notice.lane = row.id(1, "lane");
    notice.callId = row.id(2, "call_id");
    notice.conversationId = row.id(3, "conversation_id");
    notice.seq = row.integer(4, "seq");
    notice.kind = row.word(5, "kind", noticeKindFromText);
    notice.data = row.json(6, "data");
    notice.at = row.integer(7, "at");
    return notice;
}

// All rows of a statement that can be read; `skipped` sees the others.
template <typename T>
Result<QVector<T>> readAll(Connection &db, Stats &stats, const QString &table, const QString &sql,
                           const QVariantList &values, T (*readRow)(RowReader &),
                           const std::function<void(const QSqlQuery &)> &skipped = {})
{
    QSqlQuery *query = db.run(sql, values);
    if (query == nullptr)
        return db.error();
    QVector<T> rows;
    while (query->next()) {
        RowReader row(*query, table);
        T value = readRow(row);
        if (const std::optional<StoreError> error = row.error()) {
            reportCorrupt(*error, stats);
            if (skipped)
                skipped(*query);
        } else {
            rows += std::move(value);
        }
    }
    return rows;
}

// For a statement: rows whose lane is of these partitions.
QString ofShare(const Share &share, const char *column)
{
    if (!share)
        return QStringLiteral("TRUE");
    return QStringLiteral("%1 IN (SELECT l.lane FROM lanes l WHERE l.part IN (%2))")
        .arg(QLatin1String(column), listOf(*share));
}

Result<QVector<LaneRecord>> readLanesInTransaction(Connection &db, Stats &stats, qint64 now, const Share &share)
{
    const QString ours = ofShare(share, "lane");
    // Whatever names a lane makes a record, so that one unreadable row of `lanes` does not hide the rest of it.
    QMap<QString, LaneRecord> records;
    const auto record = [&records](const QString &lane) -> LaneRecord & {
        LaneRecord &found = records[lane];
        found.lane = lane;
        return found;
    };
    const auto lanes =
        readAll<LaneRow>(db, stats, QStringLiteral("lanes"),
                         QStringLiteral("SELECT lane, last_ref FROM lanes WHERE %1")
                             .arg(share ? QStringLiteral("part IN (%1)").arg(listOf(*share)) : QStringLiteral("TRUE")),
                         {}, [](RowReader &row) {
                             const QString lane = row.id(0, "lane");
                             row.setKey(lane);
                             return LaneRow{lane, row.integer(1, "last_ref")};
                         });
    if (!lanes)
        return lanes.error();
    for (const LaneRow &row : *lanes)
        record(row.lane).lastRef = row.lastRef;

    const auto rooms = readAll<OwnedRoom>(
        db, stats, QStringLiteral("rooms"),
        QStringLiteral("SELECT lane, room_id, conversation_id, members, join_rule, crowded, encrypted FROM rooms "
                       "WHERE %1 ORDER BY lane, room_id")
            .arg(ours),
        {}, [](RowReader &row) {
            call::Room room = readRoomRow(row);
            return OwnedRoom{row.id(0, "lane"), std::move(room)};
        });
    if (!rooms)
        return rooms.error();
    for (const OwnedRoom &row : *rooms)
        record(row.lane).rooms += row.room;

    const auto calls = readAll<OwnedCall>(
        db, stats, QStringLiteral("calls"),
        QStringLiteral("SELECT %1 FROM calls WHERE NOT forgotten AND (state NOT IN ('early', 'ended') OR "
                       "forget_at > ?) AND %2 ORDER BY lane, created_at, id")
            .arg(callColumns, ours),
        {now}, [](RowReader &row) {
            call::Call call = readCallRow(row);
            return OwnedCall{row.id(14, "lane"), std::move(call)};
        });
    if (!calls)
        return calls.error();
    for (const OwnedCall &row : *calls)
        record(row.lane).calls += row.call;

    const auto outbox = readAll<OutboxEntry>(db, stats, QStringLiteral("outbox"),
                                             QStringLiteral("SELECT lane, ref, call_id, room_id, type, content, "
                                                            "txn_id, created_at, not_after, form FROM outbox "
                                                            "WHERE %1 ORDER BY lane, ref")
                                                 .arg(ours),
                                             {}, readOutboxRow);
    if (!outbox)
        return outbox.error();
    for (const OutboxEntry &entry : *outbox) {
        LaneRecord &lane = record(entry.lane);
        lane.outbox += entry;
        lane.lastRef = std::max(lane.lastRef, entry.ref);
    }

    const auto keys = readAll<IdempotencyKey>(
        db, stats, QStringLiteral("idempotency_keys"),
        QStringLiteral("SELECT lane, key, request_hash, call_id, at FROM idempotency_keys WHERE at > ? "
                       "AND %1 ORDER BY lane, at, key")
            .arg(ours),
        {now - keyLife}, [](RowReader &row) {
            IdempotencyKey key;
            key.lane = row.id(0, "lane");
            key.key = row.id(1, "key");
            row.setKey(key.lane + u' ' + key.key);
            key.requestHash = row.bytes(2, "request_hash");
            key.callId = row.id(3, "call_id");
            key.at = row.integer(4, "at");
            return key;
        });
    if (!keys)
        return keys.error();
    for (const IdempotencyKey &key : *keys)
        record(key.lane).keys += key;

    // A device that goes on without a part of its state may use a key twice: that something is missing is told.
    const auto state =
        readAll<OwnedState>(db, stats, QStringLiteral("crypto_state"),
                            QStringLiteral("SELECT lane, kind, key, backend, format, sealed "
                                           "FROM crypto_state WHERE %1 ORDER BY lane, kind, key")
                                .arg(ours),
                            {}, readStateRow, [&record](const QSqlQuery &row) {
                                if (const QString lane = row.value(0).toString(); lane.size() <= maxIdLength)
                                    record(lane).stateDamaged = true;
                            });
    if (!state)
        return state.error();
    for (const OwnedState &row : *state)
        record(row.lane).state += row.state;
    return QVector<LaneRecord>(records.cbegin(), records.cend());
}

} // namespace

void reportCorrupt(const StoreError &error, Stats &stats)
{
    ++stats.corruptRows;
    // Only the reader's thread comes here. Bounded, so that a wholly broken table does not fill memory or the log.
    static QSet<QString> told;
    if (told.size() >= 100 || told.contains(error.message))
        return;
    told.insert(error.message);
    qCWarning(lcStore).noquote() << "row skipped:" << error.message;
}

Result<QVector<LaneRecord>> readLanes(Connection &db, Stats &stats, qint64 now, const Share &share)
{
    if (!db.beginReading())
        return db.error();
    Result<QVector<LaneRecord>> lanes = readLanesInTransaction(db, stats, now, share);
    db.rollback();
    return lanes;
}

Result<QHash<QString, QByteArray>> readSettings(Connection &db, Stats &stats)
{
    using Setting = std::pair<QString, QByteArray>;
    const auto rows = readAll<Setting>(db, stats, QStringLiteral("settings"),
                                       QStringLiteral("SELECT key, value FROM settings"), {}, [](RowReader &row) {
                                           const QString key = row.id(0, "key");
                                           row.setKey(key);
                                           return Setting{key, row.bytes(1, "value")};
                                       });
    if (!rows)
        return rows.error();
    QHash<QString, QByteArray> settings;
    for (const Setting &setting : *rows)
        settings.insert(setting.first, setting.second);
    return settings;
}

Result<std::optional<call::Call>> readCall(Connection &db, const QString &lane, const QString &callId)
{
    QSqlQuery *query = db.run(QStringLiteral("SELECT %1 FROM calls WHERE lane = ? AND id = ?").arg(callColumns),
                              {bound(lane), bound(callId)});
    if (query == nullptr)
        return db.error();
    if (!query->next())
        return std::optional<call::Call>();
    RowReader row(*query, QStringLiteral("calls"));
    call::Call call = readCallRow(row);
    if (const std::optional<StoreError> error = row.error())
        return *error;
    return std::optional<call::Call>(std::move(call));
}

Result<QVector<call::Call>> readHistory(Connection &db, Stats &stats, const QString &lane, int limit,
                                        const QString &beforeCallId)
{
    QVariantList values{bound(lane)};
    QString before;
    if (!beforeCallId.isEmpty()) {
        before = QStringLiteral("AND (created_at, id) < (SELECT b.created_at, b.id FROM calls b WHERE b.lane = ? AND "
                                "b.id = ?) ");
        values << bound(lane) << beforeCallId;
    }
    values << limit;
    return readAll<call::Call>(db, stats, QStringLiteral("calls"),
                               QStringLiteral("SELECT %1 FROM calls WHERE lane = ? AND state = 'ended' AND announced "
                                              "%2ORDER BY created_at DESC, id DESC LIMIT ?")
                                   .arg(callColumns, before),
                               values, readCallRow);
}

Result<QVector<Notice>> readNoticesAfter(Connection &db, Stats &stats, const QString &lane, qint64 afterId, int limit)
{
    return readAll<Notice>(
        db, stats, QStringLiteral("notices"),
        QStringLiteral("SELECT %1 FROM notices WHERE lane = ? AND id > ? ORDER BY id LIMIT ?").arg(noticeColumns),
        {bound(lane), afterId, limit}, readNoticeRow);
}

Result<QVector<Notice>> readNoticesOfCalls(Connection &db, Stats &stats, const QString &lane,
                                           const QVector<QString> &callIds)
{
    QMap<qint64, Notice> sorted;
    for (const QString &callId : callIds) {
        const auto notices = readAll<Notice>(
            db, stats, QStringLiteral("notices"),
            QStringLiteral("SELECT %1 FROM notices WHERE lane = ? AND call_id = ? ORDER BY seq").arg(noticeColumns),
            {bound(lane), bound(callId)}, readNoticeRow);
        if (!notices)
            return notices.error();
        for (const Notice &notice : *notices)
            sorted.insert(notice.id, notice);
    }
    return QVector<Notice>(sorted.cbegin(), sorted.cend());
}

Result<QVector<OwnedCall>> readLiveCalls(Connection &db, Stats &stats)
{
    return readAll<OwnedCall>(db, stats, QStringLiteral("calls"),
                              QStringLiteral("SELECT %1 FROM calls WHERE NOT forgotten AND announced AND state NOT IN "
                                             "('early', 'ended')")
                                  .arg(callColumns),
                              {}, [](RowReader &row) {
                                  call::Call call = readCallRow(row);
                                  return OwnedCall{row.id(14, "lane"), std::move(call)};
                              });
}

Result<QVector<call::Call>> readLiveCallsOf(Connection &db, Stats &stats, const QString &lane)
{
    return readAll<call::Call>(
        db, stats, QStringLiteral("calls"),
        QStringLiteral("SELECT %1 FROM calls WHERE lane = ? AND NOT forgotten AND announced AND state NOT IN "
                       "('early', 'ended') ORDER BY created_at, id")
            .arg(callColumns),
        {bound(lane)}, readCallRow);
}

Result<QVector<call::Room>> readRooms(Connection &db, Stats &stats, const QString &lane)
{
    return readAll<call::Room>(
        db, stats, QStringLiteral("rooms"),
        QStringLiteral("SELECT lane, room_id, conversation_id, members, join_rule, crowded, encrypted FROM rooms "
                       "WHERE lane = ? ORDER BY room_id"),
        {bound(lane)}, readRoomRow);
}

} // namespace voip::store
