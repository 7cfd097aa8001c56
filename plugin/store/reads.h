// SPDX-License-Identifier: Apache-2.0
// The statements of every read. Each row is checked before it is believed: a row of a list that cannot be read is
// skipped, counted, and logged the first time; a single row that was asked for by id is answered Corrupt, with
// table, key and column.
#pragma once

#include "store/connection.h"
#include "store/stats.h"

namespace voip::store
{

// Of a row that is skipped. The reader's thread.
void reportCorrupt(const StoreError &error, Stats &stats);

[[nodiscard]] Result<QVector<LaneRecord>> readLanes(Connection &db, Stats &stats, qint64 now, const Share &share);
// In inbox.cpp. Limit 0: none.
[[nodiscard]] Result<InboxPage> readInbox(Connection &db, Stats &stats, const Share &share, qint64 afterSeq, int limit);
[[nodiscard]] Result<InboxDepth> readInboxDepth(Connection &db, qint64 most);
[[nodiscard]] Result<QVector<OwnedCall>> readLiveCalls(Connection &db, Stats &stats);
[[nodiscard]] Result<QVector<call::Call>> readLiveCallsOf(Connection &db, Stats &stats, const QString &lane);
[[nodiscard]] Result<QVector<call::Room>> readRooms(Connection &db, Stats &stats, const QString &lane);
[[nodiscard]] Result<QHash<QString, QByteArray>> readSettings(Connection &db, Stats &stats);
[[nodiscard]] Result<std::optional<call::Call>> readCall(Connection &db, const QString &lane, const QString &callId);
[[nodiscard]] Result<QVector<call::Call>> readHistory(Connection &db, Stats &stats, const QString &lane, int limit,
                                                      const QString &beforeCallId);
[[nodiscard]] Result<QVector<Notice>> readNoticesAfter(Connection &db, Stats &stats, const QString &lane,
                                                       qint64 afterId, int limit);
[[nodiscard]] Result<QVector<Notice>> readNoticesOfCalls(Connection &db, Stats &stats, const QString &lane,
                                                         const QVector<QString> &callIds);

} // namespace voip::store
