// SPDX-License-Identifier: Apache-2.0
// What the two threads of the store count, read by anyone at any time.
#pragma once

#include <QtGlobal>

#include <atomic>

namespace voip::store
{

struct Stats {
    std::atomic<quint64> transactions = 0; // committed by the writer
    std::atomic<quint64> writes = 0;       // answered well; several share a transaction
    std::atomic<quint64> corruptRows = 0;  // skipped while reading lists
    std::atomic<quint64> reconnects = 0;
};

} // namespace voip::store
