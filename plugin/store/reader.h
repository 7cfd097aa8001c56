// SPDX-License-Identifier: Apache-2.0
// The reader: one thread and one read-only connection, opened when first needed. Reads wait in a bounded queue and
// are answered in order; one that finds the connection gone is repeated once on a fresh one. After a failed attempt
// to connect, reads are answered Unavailable at once for a short while.
#pragma once

#include "store/connection.h"

#include <QElapsedTimer>
#include <QMutex>
#include <QObject>
#include <QThread>

#include <functional>

namespace voip::store
{

struct ReadJob {
    std::function<std::optional<StoreError>(Connection &db)> run;       // may be called twice
    std::function<void(const std::optional<StoreError> &error)> finish; // exactly once
};

class Reader : public QObject
{
    Q_OBJECT

public:
    explicit Reader(voiphost::DatabaseSettings settings);
    ~Reader() override;

    void submit(ReadJob job); // any thread; answered in any case
    // The owner's thread. Reads that wait are answered first. Blocks for so long; false: the database still holds the
    // thread, and this object must be left to it. Idempotent.
    [[nodiscard]] bool stop(int patienceMs);

private:
    void read(const ReadJob &job);
    [[nodiscard]] std::optional<StoreError> connectIfDue();

    QThread m_thread;
    QMutex m_mutex; // guards the next two
    int m_waiting = 0;
    bool m_stopped = false;

    Connection m_db;
    QElapsedTimer m_sinceFailure; // invalid: the last attempt to connect went well
    StoreError m_failure;
};

} // namespace voip::store
