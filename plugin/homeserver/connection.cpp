// SPDX-License-Identifier: Apache-2.0
// See connection.h.
#include "connection.h"

#include <QNetworkProxy>
#include <QSslError>
#include <QSslSocket>

namespace voip::homeserver
{

namespace
{
constexpr qint64 kReadAhead = 256 * 1024; // what an unread answer may take in the socket
}

Connection::Connection(const QUrl &server, Transport *transport)
    : QObject(transport), m_transport(transport), m_socket(new QSslSocket(this))
{
    const bool encrypted = server.scheme() == QLatin1String("https");
    m_socket->setProxy(QNetworkProxy::NoProxy); // the token goes to the configured address and nowhere else
    m_socket->setReadBufferSize(kReadAhead);
    m_idle.setSingleShot(true);
    connect(&m_idle, &QTimer::timeout, this, &Connection::drop);
    connect(m_socket, &QSslSocket::sslErrors, this, [this](const QList<QSslError> &errors) {
        m_certificateError = errors.isEmpty() ? QString() : errors.first().errorString();
    });
    connect(m_socket, encrypted ? &QSslSocket::encrypted : &QSslSocket::connected, this, &Connection::ready);
    connect(m_socket, &QSslSocket::readyRead, this, &Connection::read);
    connect(m_socket, &QSslSocket::errorOccurred, this, &Connection::closed);
    connect(m_socket, &QSslSocket::disconnected, this, &Connection::closed);
    const auto port = static_cast<quint16>(server.port(encrypted ? 443 : 80));
    if (encrypted) {
        m_socket->connectToHostEncrypted(server.host(), port);
    } else {
        m_socket->connectToHost(server.host(), port);
    }
}

void Connection::serve(const std::shared_ptr<Job> &job)
{
    m_idle.stop();
    m_job = job;
    m_parser.emplace(m_transport->m_maxAnswerBytes);
    if (m_ready) {
        write();
    }
}

void Connection::ready()
{
    m_ready = true;
    m_socket->setSocketOption(QAbstractSocket::LowDelayOption, 1);
    if (m_job) {
        write();
    }
}

void Connection::write()
{
    m_socket->write(m_job->bytes);
}

void Connection::read()
{
    if (m_dropped) {
        return;
    }
    if (!m_job || !m_ready) {
        drop(); // nobody asked anything
        return;
    }
    switch (m_parser->feed(m_socket->readAll())) {
    case AnswerParser::State::More:
        return;
    case AnswerParser::State::Done: {
        const auto job = std::exchange(m_job, nullptr);
        const HttpAnswer answer = m_parser->answer();
        if (m_parser->keepAlive()) {
            m_used = true;
            m_idle.start(Transport::kIdle);
        } else {
            drop();
        }
        m_transport->finish(job, answer);
        return;
    }
    case AnswerParser::State::Broken:
        fail(badAnswer(QStringLiteral("what answers at the homeserver's address does not speak HTTP")));
        return;
    case AnswerParser::State::TooLarge:
        fail(badAnswer(QStringLiteral("the answer is larger than %1 bytes").arg(m_transport->m_maxAnswerBytes)));
        return;
    }
}

void Connection::fail(Failure failure)
{
    const auto job = std::exchange(m_job, nullptr);
    failure.status = m_parser ? m_parser->answer().status : 0;
    drop();
    if (job) {
        m_transport->finish(job, failure);
    }
}

// Both the error and the end come here; the first one counts.
void Connection::closed()
{
    if (m_dropped) {
        return;
    }
    if (m_job && m_ready && m_socket->bytesAvailable() > 0) {
        read(); // what came before the end
        if (m_dropped) {
            return;
        }
    }
    if (!m_job) {
        drop();
        return;
    }
    Failure failure{FailureKind::Unreachable};
    if (!m_ready) {
        failure.message =
            m_certificateError.isEmpty()
                ? cleanText(m_socket->errorString(), {})
                : QStringLiteral("the homeserver's certificate was refused (%1): make its authority known to this "
                                 "machine, or correct the address")
                      .arg(cleanText(m_certificateError, {}));
        fail(failure);
        return;
    }
    if (m_parser->end() == AnswerParser::State::Done) {
        const auto job = std::exchange(m_job, nullptr);
        const HttpAnswer answer = m_parser->answer();
        drop();
        m_transport->finish(job, answer);
        return;
    }
    if (m_used && m_job->repeatable && !m_parser->begun()) {
        // The server closed a kept connection just as we wrote.
        const auto job = std::exchange(m_job, nullptr);
        drop();
        m_transport->again(job);
        return;
    }
    failure.message = m_parser->begun() ? QStringLiteral("the connection broke within the answer")
                                        : QStringLiteral("the connection broke before the answer");
    failure.maybeDone = true;
    fail(failure);
}

void Connection::drop()
{
    if (m_dropped) {
        return;
    }
    m_dropped = true;
    m_job.reset();
    m_socket->abort();
    m_transport->gone(this);
    deleteLater();
}

} // namespace voip::homeserver
