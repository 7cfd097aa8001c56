// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 exchanges with one server under limits: time in total, bytes of the answer (counted while they come), no
// redirects, no cookies, no proxy, no certificate exceptions. Gives the answer as it came or the Failure of the way
// there; it does not look into the answer. One thread; `done` is called once and from the event loop, or never if the
// Transport is destroyed.
//
// Why not QNetworkAccessManager: it sends head and body in two packets on a socket with Nagle's algorithm on, which
// costs 40 ms for every event (measured on Qt 6.4), repeats a POST by itself when a connection breaks, and keeps a
// thread of its own.
#pragma once

#include "answer.h"

#include <QList>
#include <QObject>
#include <QUrl>

#include <chrono>
#include <memory>

namespace voip::homeserver
{

enum class Method { Get, Post, Put, Delete };

class Connection;
struct Job;

class Transport : public QObject
{
    Q_OBJECT

public:
    static constexpr int kMaxConnections = 16;
    static constexpr std::chrono::milliseconds kIdle{10'000}; // then an unused connection is closed

    Transport(const QUrl &server, const QByteArray &bearer, QObject *parent = nullptr);

    void setMaxAnswerBytes(qint64 bytes) { m_maxAnswerBytes = bytes; }

    // `target`: path and query, percent-encoded. A GET or PUT whose kept connection turns out to be closed is sent
    // again on a new one; a POST never.
    void exchange(Method method, const QByteArray &target, const QByteArray &body, std::chrono::milliseconds timeLimit,
                  std::function<void(Result<HttpAnswer>)> done);

private:
    friend class Connection;

    void next();
    void finish(const std::shared_ptr<Job> &job, Result<HttpAnswer> result);
    void again(const std::shared_ptr<Job> &job);
    void gone(Connection *connection);

    const QUrl m_server;
    const QByteArray m_bearer;
    qint64 m_maxAnswerBytes = 4 * 1024 * 1024;
    QList<std::shared_ptr<Job>> m_waiting;
    QList<Connection *> m_connections;
};

} // namespace voip::homeserver
