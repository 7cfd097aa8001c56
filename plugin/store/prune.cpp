// SPDX-License-Identifier: Apache-2.0
// What is past its time goes, and of calls that ended a while ago only what history shows stays. Each prune does a
// bounded piece, oldest first and by an index, so that it neither runs into a time limit nor holds up calls, and says
// whether more is left. No statement touches a row twice: what was summarised is remembered as a place in the order of
// the ends, not in the rows (on PostgreSQL the update is then one within its page).
#include "store/callcodec.h"
#include "store/script.h"
#include "store/writes.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <algorithm>

namespace voip::store
{

namespace
{

constexpr int mostDeleted = 1000; // rows of a table in one prune
constexpr int mostSummarised = 250;
const QString placeKey = QStringLiteral("summarised_until");

// Says whether there may be more.
bool deleteOld(Script &script, const QString &sql, qint64 before)
{
    const QSqlQuery *query = script.run(sql, Values().plain(before).plain(mostDeleted));
    return query != nullptr && query->numRowsAffected() >= mostDeleted;
}

struct Ended { // a call, by its place in the order of the ends
    qint64 at = 0;
    QString lane;
    QString id;
    QString detail;
};

Ended readPlace(Script &script)
{
    QSqlQuery *row = script.run(QStringLiteral("SELECT value FROM meta WHERE key = ?"), Values().plain(placeKey));
    if (row == nullptr || !row->next())
        return {};
    const QJsonArray place = QJsonDocument::fromJson(row->value(0).toString().toUtf8()).array();
    return {place.at(0).toInteger(), place.at(1).toString(), place.at(2).toString(), {}};
}

void writePlace(Script &script, const Ended &last)
{
    const QJsonArray place{last.at, last.lane, last.id};
    script.run(QStringLiteral("INSERT INTO meta (key, value) VALUES (?, ?) "
                              "ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
               Values().plain(placeKey).plain(QString::fromUtf8(QJsonDocument(place).toJson(QJsonDocument::Compact))));
}

bool summarise(Script &script, qint64 before)
{
    const Ended place = readPlace(script);
    QSqlQuery *row = script.run(QStringLiteral("SELECT ended_at, lane, id, detail FROM calls WHERE state = 'ended' "
                                               "AND (ended_at, lane, id) > (?, ?, ?) AND ended_at < ? "
                                               "ORDER BY ended_at, lane, id LIMIT ?"),
                                Values()
                                    .plain(place.at)
                                    .id("calls.lane", place.lane)
                                    .id("calls.id", place.id)
                                    .plain(before)
                                    .plain(mostSummarised));
    QVector<Ended> ended;
    while (row != nullptr && row->next()) {
        ended += Ended{row->value(0).toLongLong(), row->value(1).toString(), row->value(2).toString(),
                       row->value(3).toString()};
    }
    for (const Ended &one : std::as_const(ended)) {
        call::Call call;
        if (!readDetail(QJsonDocument::fromJson(one.detail.toUtf8()).object(), call).isEmpty())
            continue; // damaged: it goes with the history
        script.run(QStringLiteral("UPDATE calls SET detail = ?, forgotten = TRUE WHERE lane = ? AND id = ?"),
                   Values().json("calls.detail", summaryOf(call)).id("calls.lane", one.lane).id("calls.id", one.id));
    }
    if (!ended.isEmpty())
        writePlace(script, ended.last());
    return ended.size() >= mostSummarised;
}

} // namespace

Result<Pruned> writePrune(Connection &db, qint64 now, const Retention &keep)
{
    Script script(db);
    Pruned pruned;
    const auto old = [&](const QString &sql, qint64 before) {
        pruned.more = deleteOld(script, sql, before) || pruned.more;
    };
    old(QStringLiteral("DELETE FROM notices WHERE id IN (SELECT n.id FROM notices n WHERE n.at < ? AND NOT EXISTS "
                       "(SELECT 1 FROM calls c WHERE c.lane = n.lane AND c.id = n.call_id AND c.state <> 'ended') "
                       "ORDER BY n.at LIMIT ?)"),
        now - noticeLife);
    // Left by a process that died before its lanes forgot them; what was announced stays as history.
    old(QStringLiteral("DELETE FROM calls WHERE (lane, id) IN (SELECT lane, id FROM calls WHERE forget_at < ? "
                       "AND NOT announced AND state IN ('early', 'ended') ORDER BY forget_at LIMIT ?)"),
        now);
    old(QStringLiteral("DELETE FROM calls WHERE (lane, id) IN (SELECT lane, id FROM calls WHERE state = 'ended' "
                       "AND ended_at < ? ORDER BY ended_at, lane, id LIMIT ?)"),
        now - std::max(keep.history, keep.details));
    pruned.more = summarise(script, now - keep.details) || pruned.more;
    // An event that still waits keeps its mark, however old it is.
    old(QStringLiteral("DELETE FROM seen_events WHERE (lane, event_id) IN (SELECT s.lane, s.event_id "
                       "FROM seen_events s WHERE s.at < ? AND (s.lane, s.event_id) NOT IN (SELECT lane, event_id "
                       "FROM inbox) ORDER BY s.at LIMIT ?)"),
        now - seenLife);
    old(QStringLiteral("DELETE FROM transactions WHERE txn_id IN (SELECT txn_id FROM transactions WHERE at < ? "
                       "ORDER BY at LIMIT ?)"),
        now - seenLife);
    old(QStringLiteral("DELETE FROM idempotency_keys WHERE (lane, key) IN (SELECT lane, key "
                       "FROM idempotency_keys WHERE at < ? ORDER BY at LIMIT ?)"),
        now - keyLife);
    if (script.error())
        return *script.error();
    return pruned;
}

} // namespace voip::store
