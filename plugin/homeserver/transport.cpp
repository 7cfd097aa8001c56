// SPDX-License-Identifier: Apache-2.0
// The queue of exchanges and the connections that serve it. See transport.h.
#include "transport.h"

#include "connection.h"

#include <algorithm>

namespace voip::homeserver
{

namespace
{

QByteArray verb(Method method)
{
    switch (method) {
    case Method::Get:
        return "GET";
    case Method::Post:
        return "POST";
    case Method::Put:
        return "PUT";
    case Method::Delete:
        return "DELETE";
    }
    return {};
}

QByteArray hostHeader(QUrl server)
{
    server.setUserInfo({});
    return server.authority(QUrl::FullyEncoded).toLatin1();
}

bool fitsHeader(const QByteArray &bytes)
{
    return std::all_of(bytes.cbegin(), bytes.cend(), [](char c) { return c > ' ' && c < '\x7f'; });
}

} // namespace

Transport::Transport(const QUrl &server, const QByteArray &bearer, QObject *parent)
    : QObject(parent), m_server(server), m_bearer(bearer)
{
}

void Transport::exchange(Method method, const QByteArray &target, const QByteArray &body,
                         std::chrono::milliseconds timeLimit, std::function<void(Result<HttpAnswer>)> done)
{
    const auto job = std::make_shared<Job>();
    job->done = std::move(done);
    job->repeatable = method != Method::Post;

    QString defect;
    if ((m_server.scheme() != QLatin1String("http") && m_server.scheme() != QLatin1String("https")) ||
        m_server.host().isEmpty()) {
        defect = QStringLiteral("the homeserver's address is not one of http:// or https://");
    } else if (!fitsHeader(m_bearer) || !fitsHeader(target)) {
        defect = QStringLiteral("the token or the address has a character that no HTTP request can hold");
    }
    if (!defect.isEmpty()) {
        Failure failure{FailureKind::Unreachable};
        failure.message = defect;
        QMetaObject::invokeMethod(
            this, [this, job, failure] { finish(job, failure); }, Qt::QueuedConnection);
        return;
    }

    // "identity": or a few bytes could unpack to gigabytes.
    job->bytes = verb(method) + ' ' + target + " HTTP/1.1\r\nHost: " + hostHeader(m_server) +
                 "\r\nAuthorization: Bearer " + m_bearer +
                 "\r\nAccept: application/json\r\nAccept-Encoding: identity\r\nUser-Agent: matrix-voip\r\n";
    if (method != Method::Get) {
        job->bytes += "Content-Type: application/json\r\nContent-Length: " + QByteArray::number(body.size()) + "\r\n";
    }
    job->bytes += "\r\n" + body;

    job->limit.setSingleShot(true);
    connect(&job->limit, &QTimer::timeout, this, [this, timeLimit, weak = std::weak_ptr<Job>(job)] {
        const auto late = weak.lock();
        if (!late) {
            return;
        }
        Failure failure{FailureKind::Timeout};
        failure.message = QStringLiteral("no complete answer within %1 ms").arg(timeLimit.count());
        failure.maybeDone = !m_waiting.removeOne(late);
        const auto serving = std::find_if(m_connections.cbegin(), m_connections.cend(),
                                          [&](const Connection *c) { return c->isServing(late); });
        if (serving != m_connections.cend()) {
            (*serving)->drop();
        }
        finish(late, failure);
    });
    job->limit.start(timeLimit);
    m_waiting.append(job);
    next();
}

void Transport::next()
{
    while (!m_waiting.isEmpty()) {
        // The one used last is the least likely to be closed by the server meanwhile.
        const auto idle = std::find_if(m_connections.crbegin(), m_connections.crend(),
                                       [](const Connection *c) { return c->isIdle(); });
        Connection *connection = nullptr;
        if (idle != m_connections.crend()) {
            connection = *idle;
        } else if (m_connections.size() < kMaxConnections) {
            connection = new Connection(m_server, this);
            m_connections.append(connection);
        } else {
            return;
        }
        connection->serve(m_waiting.takeFirst());
    }
}

void Transport::finish(const std::shared_ptr<Job> &job, Result<HttpAnswer> result)
{
    if (!std::exchange(job->finished, true)) {
        job->limit.stop();
        job->done(std::move(result));
    }
    next();
}

void Transport::again(const std::shared_ptr<Job> &job)
{
    job->repeatable = false; // once is enough
    m_waiting.prepend(job);
    next();
}

void Transport::gone(Connection *connection)
{
    m_connections.removeOne(connection);
}

} // namespace voip::homeserver
