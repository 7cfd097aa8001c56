// SPDX-License-Identifier: Apache-2.0
#include "store/reader.h"

#include "store/limits.h"

#include <QDeadlineTimer>

namespace voip::store
{

namespace
{

constexpr qint64 pauseAfterFailureMs = 500;

} // namespace

Reader::Reader(voiphost::DatabaseSettings settings) : m_db(std::move(settings), Connection::Access::ReadOnly)
{
    m_thread.setObjectName(QStringLiteral("store-reader"));
    moveToThread(&m_thread);
    m_thread.start();
}

Reader::~Reader()
{
    (void)stop(-1);
}

void Reader::submit(ReadJob job)
{
    QString refusal;
    {
        const QMutexLocker lock(&m_mutex);
        if (m_stopped)
            refusal = QStringLiteral("the store is closed");
        else if (m_waiting >= maxWaitingJobs)
            refusal = QStringLiteral("too many reads are waiting");
        if (refusal.isEmpty()) {
            ++m_waiting;
            QMetaObject::invokeMethod(
                this, [this, job = std::move(job)] { read(job); }, Qt::QueuedConnection);
            return;
        }
    }
    job.finish(StoreError{StoreError::Kind::Unavailable, refusal});
}

bool Reader::stop(int patienceMs)
{
    {
        const QMutexLocker lock(&m_mutex);
        if (m_stopped)
            return m_thread.isFinished();
        m_stopped = true;
    }
    QMetaObject::invokeMethod(
        this,
        [this] {
            m_db.close();
            m_thread.quit();
        },
        Qt::QueuedConnection);
    return m_thread.wait(QDeadlineTimer(patienceMs));
}

void Reader::read(const ReadJob &job)
{
    std::optional<StoreError> error;
    for (int attempt = 0; attempt < 2; ++attempt) {
        error = connectIfDue();
        if (!error) {
            (void)m_db.takeUnnoticed();
            error = job.run(m_db);
            if (const std::optional<StoreError> unnoticed = m_db.takeUnnoticed(); unnoticed && !error)
                error = unnoticed; // half of the rows are no answer
        }
        if (!m_db.lost())
            break;
        m_db.close();
    }
    {
        const QMutexLocker lock(&m_mutex);
        --m_waiting;
    }
    job.finish(error);
}

std::optional<StoreError> Reader::connectIfDue()
{
    if (m_db.isOpen())
        return std::nullopt;
    if (m_sinceFailure.isValid() && m_sinceFailure.elapsed() < pauseAfterFailureMs)
        return m_failure;
    std::optional<StoreError> error = m_db.open();
    if (error) {
        m_failure = *error;
        m_sinceFailure.start();
    } else {
        m_sinceFailure.invalidate();
    }
    return error;
}

} // namespace voip::store
