// SPDX-License-Identifier: Apache-2.0
// The statements with which several workers share one database: who holds which partition under which token, where an
// event belongs that came to another worker, and requests between workers. To be run inside the writer's transaction
// (write...) or by the reader (read...). Time is the database's, so that the workers' clocks need not agree.
#pragma once

#include "store/connection.h"
#include "store/stats.h"

namespace voip::store
{

// What workers tell each other on the one channel: a word and whom it concerns.
inline const QString stirChannel = QStringLiteral("matrix_voip");
[[nodiscard]] std::optional<std::pair<Stir, QString>> readStir(const QString &payload);
// Sent when the transaction commits. Nothing on SQLite, which nobody shares.
void writeStir(Connection &db, Stir what, const QString &whom);

// Fenced unless the partition is still held under this token. Keeps it so until the transaction ends.
[[nodiscard]] std::optional<StoreError> checkFence(Connection &db, const Fence &fence);
[[nodiscard]] Result<Leases> writeLease(Connection &db, const LeaseRequest &request);
// Fills what migration 3 could not: partitions of lanes and rows, members of rooms.
[[nodiscard]] std::optional<StoreError> fillPartitions(Connection &db);

[[nodiscard]] Result<voiphost::Done> writeErrand(Connection &db, const Errand &errand, bool answered);
[[nodiscard]] Result<bool> withdrawErrandOf(Connection &db, const QString &id);
[[nodiscard]] Result<QVector<Errand>> takeErrandsOf(Connection &db, const QVector<int> &partitions);
[[nodiscard]] Result<QVector<Errand>> takeAnswersFor(Connection &db, const QString &worker);

[[nodiscard]] Result<Routes> readRoutes(Connection &db, const QStringList &rooms, const QStringList &users);
// The newest notice of each lane, if above `afterId`.
[[nodiscard]] Result<QHash<QString, qint64>> readNoticeHeads(Connection &db, qint64 afterId);

// "1, 2, 3": numbers of ours, safe to stand in a statement.
[[nodiscard]] QString listOf(const QVector<int> &partitions);

} // namespace voip::store
