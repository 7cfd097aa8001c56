// SPDX-License-Identifier: Apache-2.0
#include "store/reader.h"

#include "store/limits.h"

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
    stop();
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

void Reader::stop()
{
    {
        const QMutexLocker lock(&m_mutex);
        if (m_stopped)
            return;
        m_stopped = true;
    }
    QMetaObject::invokeMethod(
        this, [this] { m_db.close(); }, Qt::BlockingQueuedConnection);
    m_thread.quit();
    m_thread.wait();
}

void Reader::read(const ReadJob &job)
{
    std::optional<StoreError> error;
    for (int attempt = 0; attempt < 2; ++attempt) {
        error = connectIfDue();
        if (!error)
            error = job.run(m_db);
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
