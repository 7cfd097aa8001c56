// SPDX-License-Identifier: Apache-2.0
// One HTTP exchange over QtNetwork under limits: time in total, bytes of the answer (counted while they come), no
// redirects, no cookies, no proxy, no certificate exceptions. Gives the answer as it came or the Failure of the way
// there; it does not look into the answer. One thread; `done` is called once, or never if the Transport is destroyed.
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
    explicit Transport(QObject *parent = nullptr);

    void setMaxAnswerBytes(qint64 bytes) { m_maxAnswerBytes = bytes; }

    // What may take long goes over connections of its own: Qt opens six, and six slow joins must not hold up a call.
    enum class Lane { Usual, Slow };
    void exchange(Lane lane, Method method, const QUrl &url, const QByteArray &bearer, const QByteArray &body,
                  std::chrono::milliseconds timeLimit, std::function<void(Result<HttpAnswer>)> done);

private:
    QNetworkReply *start(QNetworkAccessManager *network, Method method, const QNetworkRequest &request,
                         const QByteArray &body);
    Failure failureOf(QNetworkReply *reply, const QByteArray &bearer) const;

    QNetworkAccessManager *m_usual;
    QNetworkAccessManager *m_slow;
    qint64 m_maxAnswerBytes = 4LL * 1024 * 1024;
};

} // namespace voip::homeserver
