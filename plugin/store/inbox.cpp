// SPDX-License-Identifier: Apache-2.0
// What is accepted and not consumed: its rows in pages, and how much of it there is.
#include "store/reads.h"
#include "store/rowreader.h"
#include "store/sharing.h"

namespace voip::store
{

namespace
{

InboxEntry readInboxRow(RowReader &row)
{
    InboxEntry entry;
    entry.seq = row.integer(0, "seq");
    row.setKey(QString::number(entry.seq));
    entry.lane = row.id(1, "lane");
    entry.receivedAt = row.integer(2, "received_at");
    entry.transactionId = row.id(3, "transaction_id");
    entry.body = row.json(4, "body");
    return entry;
}

} // namespace

Result<InboxPage> readInbox(Connection &db, Stats &stats, const Share &share, qint64 afterSeq, int limit)
{
    QSqlQuery *query =
        db.run(QStringLiteral(
                   "SELECT seq, lane, received_at, transaction_id, body FROM inbox WHERE seq > ? AND %1 ORDER BY seq%2")
                   .arg(share ? QStringLiteral("part IN (%1)").arg(listOf(*share)) : QStringLiteral("TRUE"),
                        limit > 0 ? QStringLiteral(" LIMIT %1").arg(limit) : QString()),
               {afterSeq});
    if (query == nullptr)
        return db.error();
    InboxPage page;
    page.last = afterSeq;
    int rows = 0;
    for (; query->next(); ++rows) {
        const qint64 seq = query->value(0).toLongLong();
        page.last = std::max(page.last, seq);
        RowReader row(*query, QStringLiteral("inbox"));
        InboxEntry entry = readInboxRow(row);
        if (const std::optional<StoreError> error = row.error()) {
            reportCorrupt(*error, stats);
            page.unreadable += seq;
        } else {
            page.entries += std::move(entry);
        }
    }
    page.more = limit > 0 && rows == limit;
    return page;
}

// Those kept aside are among the rows, so that as many more are counted. A dead worker's word is gone with its lease.
Result<InboxDepth> readInboxDepth(Connection &db, qint64 most)
{
    QSqlQuery *row =
        db.run(QStringLiteral("SELECT coalesce(sum(aside), 0), coalesce(sum(aside_bytes), 0) FROM workers"));
    if (row == nullptr || !row->next())
        return db.error();
    const InboxDepth aside{row->value(0).toLongLong(), row->value(1).toLongLong()};
    // The length of a long text is known without reading it.
    const QString length = db.dialect() == Dialect::Postgresql ? QStringLiteral("octet_length(body)")
                                                               : QStringLiteral("length(CAST(body AS BLOB))");
    row = db.run(QStringLiteral("SELECT count(*), coalesce(sum(%1), 0) FROM (SELECT body FROM inbox "
                                "LIMIT ?) AS waiting")
                     .arg(length),
                 {most + aside.entries});
    if (row == nullptr || !row->next())
        return db.error();
    return InboxDepth{std::max<qint64>(0, row->value(0).toLongLong() - aside.entries),
                      std::max<qint64>(0, row->value(1).toLongLong() - aside.bytes)};
}

} // namespace voip::store
