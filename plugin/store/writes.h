// SPDX-License-Identifier: Apache-2.0
// The statements of every write, to be run inside a transaction that the writer began. Each may be run again after a
// rollback, or after a commit whose outcome nobody knows, and changes nothing the second time. A write that the
// database refuses is answered with what it refused; nothing here begins, commits or logs.
#pragma once

#include "store/connection.h"

namespace voip::store
{

// Also gives what an earlier attempt, or another batch, has put into the inbox and nobody has consumed yet.
[[nodiscard]] Result<QVector<InboxEntry>> writeBatch(Connection &db, const InboxBatch &batch);
[[nodiscard]] Result<Committed> writeCommit(Connection &db, const Commit &commit);
[[nodiscard]] Result<voiphost::Done> writeSetting(Connection &db, const QString &key, const QByteArray &value);
[[nodiscard]] Result<Pruned> writePrune(Connection &db, qint64 now, const Retention &keep); // prune.cpp
// What is kept of a root key, to know it again.
[[nodiscard]] QString rootKeyCheck(const QByteArray &rootKey);
// That of the key the database was last resealed with, or else first opened with; empty: there was none.
[[nodiscard]] Result<QString> readRootKeyCheck(Connection &db);
// Remembers the check value of the first root key, compares it afterwards.
[[nodiscard]] Result<voiphost::Done> checkRootKey(Connection &db, const QByteArray &rootKey);

} // namespace voip::store
