// SPDX-License-Identifier: Apache-2.0
// One connection to the homeserver: connects, writes a request in one piece, reads its answer, and then takes the next.
// Belongs to the Transport, which it tells how each job ended. Destroys itself when its socket is done.
#pragma once

#include "http.h"
#include "transport.h"

#include <QTimer>

#include <optional>

class QSslSocket;

namespace voip::homeserver
{

struct Job {
    QByteArray bytes; // the whole request
    bool repeatable = false;
    std::function<void(Result<HttpAnswer>)> done;
    QTimer limit;
    bool finished = false;
};

class Connection : public QObject
{
    Q_OBJECT

public:
    Connection(const QUrl &server, Transport *transport);

    [[nodiscard]] bool isIdle() const { return !m_job; }
    [[nodiscard]] bool isServing(const std::shared_ptr<Job> &job) const { return m_job == job; }
    void serve(const std::shared_ptr<Job> &job);
    void drop(); // at once; the job's end has been told already, or is of no interest

private:
    void ready();
    void write();
    void read();
    void closed();
    void fail(Failure failure);

    Transport *m_transport;
    QSslSocket *m_socket; // without encryption it is a plain QTcpSocket
    std::shared_ptr<Job> m_job;
    std::optional<AnswerParser> m_parser;
    QTimer m_idle;
    QString m_certificateError;
    bool m_ready = false;
    bool m_used = false; // has served a job before the present one
    bool m_dropped = false;
};

} // namespace voip::homeserver
