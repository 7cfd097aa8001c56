// SPDX-License-Identifier: Apache-2.0
// One HTTP exchange: gives the answer as it came or the Failure of the way there; it does not look into the answer. One
// thread; `done` is called once, or never if the Transport is destroyed. An interface, so that the whole pipeline also
// runs on a simulated homeserver (tests/simulation). The one that is used is HttpTransport: QtNetwork under limits,
// time in total, bytes of the answer (counted while they come), no redirects, no cookies, no proxy, no certificate
// exceptions.
#pragma once

#include "answer.h"

#include <QNetworkRequest>
#include <QObject>

#include <chrono>

class QNetworkAccessManager;
class QNetworkReply;

namespace voip::homeserver
{

enum class Method { Get, Post, Put, Delete };

class Transport : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    virtual void setMaxAnswerBytes(qint64 bytes) = 0;

    // What may take long goes over connections of its own: Qt opens six, and six slow joins must not hold up a call.
    enum class Lane { Usual, Slow };
    virtual void exchange(Lane lane, Method method, const QUrl &url, const QByteArray &bearer, const QByteArray &body,
                          std::chrono::milliseconds timeLimit, std::function<void(Result<HttpAnswer>)> done) = 0;
};

class HttpTransport final : public Transport
{
    Q_OBJECT

public:
    explicit HttpTransport(QObject *parent = nullptr);

    void setMaxAnswerBytes(qint64 bytes) override { m_maxAnswerBytes = bytes; }
    void exchange(Lane lane, Method method, const QUrl &url, const QByteArray &bearer, const QByteArray &body,
                  std::chrono::milliseconds timeLimit, std::function<void(Result<HttpAnswer>)> done) override;

private:
    QNetworkReply *start(QNetworkAccessManager *network, Method method, const QNetworkRequest &request,
                         const QByteArray &body);
    Failure failureOf(QNetworkReply *reply, const QByteArray &bearer) const;

    QNetworkAccessManager *m_usual;
    QNetworkAccessManager *m_slow;
    qint64 m_maxAnswerBytes = 4LL * 1024 * 1024;
};

} // namespace voip::homeserver
