// SPDX-License-Identifier: Apache-2.0
// See transport.h.
#include "transport.h"

#include <QIODevice>
#include <QNetworkAccessManager>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <QSslError>
#include <QTimer>

#include <algorithm>
#include <memory>
#include <optional>

namespace voip::homeserver
{

namespace
{

struct Exchange {
    QByteArray body;
    std::optional<Failure> cut; // why we aborted it ourselves
    QString certificateError;
};

// A body that can be read once. When a connection breaks before the answer, Qt sends the request again by itself, up
// to three times; harmless for GET and PUT, but a POST may make a second room. It gives up on a body without reset().
class OneShot : public QIODevice
{
public:
    OneShot(QByteArray bytes, QObject *parent) : QIODevice(parent), m_bytes(std::move(bytes))
    {
        open(QIODevice::ReadOnly | QIODevice::Unbuffered);
    }
    [[nodiscard]] qint64 size() const override { return m_bytes.size(); }
    bool reset() override { return false; }
    bool seek(qint64 /*position*/) override { return false; }

protected:
    qint64 readData(char *into, qint64 most) override
    {
        const qint64 count = std::min<qint64>(most, m_bytes.size() - m_read);
        std::copy_n(m_bytes.constData() + m_read, count, into);
        m_read += count;
        return count;
    }
    qint64 writeData(const char * /*from*/, qint64 /*count*/) override { return -1; }

private:
    const QByteArray m_bytes;
    qint64 m_read = 0;
};

Failure tooLarge(qint64 limit)
{
    return badAnswer(QStringLiteral("the answer is larger than %1 bytes").arg(limit));
}

bool fitsHeader(const QByteArray &bytes)
{
    return std::all_of(bytes.cbegin(), bytes.cend(), [](char c) { return c > ' ' && c < '\x7f'; });
}

QNetworkAccessManager *newNetwork(QObject *parent)
{
    auto *network = new QNetworkAccessManager(parent);
    network->setRedirectPolicy(QNetworkRequest::ManualRedirectPolicy);
    network->setProxy(QNetworkProxy::NoProxy); // the token goes to the configured address and nowhere else
    return network;
}

} // namespace

// The managers are children, not members: children go after all connections to `this` are cut, so no reply that is
// aborted by the destruction can call back.
HttpTransport::HttpTransport(QObject *parent) : Transport(parent), m_usual(newNetwork(this)), m_slow(newNetwork(this))
{
}

QNetworkReply *HttpTransport::start(QNetworkAccessManager *network, Method method, const QNetworkRequest &request,
                                    const QByteArray &body)
{
    switch (method) {
    case Method::Get:
        return network->get(request);
    case Method::Post: {
        auto *once = new OneShot(body, this);
        QNetworkReply *reply = network->post(request, once);
        once->setParent(reply);
        return reply;
    }
    case Method::Put:
        return network->put(request, body);
    case Method::Delete:
        return network->deleteResource(request);
    }
    return nullptr;
}

void HttpTransport::exchange(Lane lane, Method method, const QUrl &url, const QByteArray &bearer,
                             const QByteArray &body, std::chrono::milliseconds timeLimit,
                             std::function<void(Result<HttpAnswer>)> done)
{
    const bool isHttp = url.scheme() == QLatin1String("http") || url.scheme() == QLatin1String("https");
    if (!isHttp || url.host().isEmpty() || !fitsHeader(bearer)) {
        Failure failure{FailureKind::Unreachable};
        failure.message = fitsHeader(bearer)
                              ? QStringLiteral("the homeserver's address is no http:// or https:// address")
                              : QStringLiteral("the token has a character that no HTTP header can hold");
        done(failure);
        return;
    }

    QNetworkRequest request(url);
    if (!bearer.isEmpty())
        request.setRawHeader("Authorization", "Bearer " + bearer);
    request.setRawHeader("Accept", "application/json");
    request.setRawHeader("Accept-Encoding", "identity"); // or a few bytes could unpack to gigabytes
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    request.setAttribute(QNetworkRequest::Http2AllowedAttribute, false);
    request.setAttribute(QNetworkRequest::CookieLoadControlAttribute, QNetworkRequest::Manual);
    request.setAttribute(QNetworkRequest::CookieSaveControlAttribute, QNetworkRequest::Manual);
    request.setAttribute(QNetworkRequest::AuthenticationReuseAttribute, QNetworkRequest::Manual);

    QNetworkReply *reply = start(lane == Lane::Slow ? m_slow : m_usual, method, request, body);
    auto state = std::make_shared<Exchange>();

    auto *limit = new QTimer(reply);
    limit->setSingleShot(true);
    connect(limit, &QTimer::timeout, this, [reply, state, timeLimit] {
        Failure failure{FailureKind::Timeout};
        failure.message = QStringLiteral("no complete answer within %1 ms").arg(timeLimit.count());
        failure.maybeDone = true;
        state->cut = failure;
        reply->abort();
    });
    limit->start(timeLimit);

    connect(reply, &QNetworkReply::sslErrors, this, [state](const QList<QSslError> &errors) {
        state->certificateError = errors.isEmpty() ? QString() : errors.first().errorString();
    });
    connect(reply, &QNetworkReply::metaDataChanged, this, [this, reply, state] {
        const qint64 announced = reply->header(QNetworkRequest::ContentLengthHeader).toLongLong();
        if (announced > m_maxAnswerBytes && !state->cut) {
            state->cut = tooLarge(m_maxAnswerBytes);
            reply->abort();
        }
    });
    connect(reply, &QNetworkReply::readyRead, this, [this, reply, state] {
        state->body += reply->read(m_maxAnswerBytes + 1 - state->body.size());
        if (state->body.size() > m_maxAnswerBytes && !state->cut) {
            state->cut = tooLarge(m_maxAnswerBytes);
            reply->abort();
        }
    });
    connect(reply, &QNetworkReply::finished, this, [this, reply, state, bearer, done = std::move(done)] {
        reply->deleteLater();
        const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
        if (state->cut) {
            Failure failure = *state->cut;
            failure.status = status;
            done(failure);
            return;
        }
        if (!state->certificateError.isEmpty()) {
            Failure failure{FailureKind::Unreachable};
            failure.message = cleanText(QStringLiteral("the homeserver's certificate was refused (%1): make its "
                                                       "authority known to this machine, or correct the address")
                                            .arg(state->certificateError),
                                        bearer);
            done(failure);
            return;
        }
        // Errors from 201 on are Qt's names for HTTP statuses; there the answer itself is judged.
        const QNetworkReply::NetworkError error = reply->error();
        const bool answered =
            status > 0 && (error == QNetworkReply::NoError || (error > 200 && error != QNetworkReply::ProtocolFailure &&
                                                               error != QNetworkReply::ContentReSendError));
        if (!answered) {
            done(failureOf(reply, bearer));
            return;
        }
        state->body += reply->read(m_maxAnswerBytes + 1 - state->body.size());
        if (state->body.size() > m_maxAnswerBytes) {
            done(tooLarge(m_maxAnswerBytes));
            return;
        }
        const QVariant announced = reply->header(QNetworkRequest::ContentLengthHeader);
        if (announced.isValid() && announced.toLongLong() != state->body.size()) {
            Failure failure{FailureKind::Unreachable, status};
            failure.message = QStringLiteral("the connection broke within the answer");
            failure.maybeDone = true;
            done(failure);
            return;
        }
        done(HttpAnswer{status, reply->rawHeader("Retry-After"), state->body});
    });
}

Failure HttpTransport::failureOf(QNetworkReply *reply, const QByteArray &bearer) const
{
    Failure failure;
    failure.message = cleanText(reply->errorString(), bearer);
    const QNetworkReply::NetworkError error = reply->error();
    switch (error) {
    case QNetworkReply::ConnectionRefusedError:
    case QNetworkReply::HostNotFoundError:
    case QNetworkReply::SslHandshakeFailedError:
        break;
    case QNetworkReply::ProtocolFailure:
    case QNetworkReply::ProtocolUnknownError:
    case QNetworkReply::ProtocolInvalidOperationError:
    case QNetworkReply::NoError:
        failure = badAnswer(QStringLiteral("what answers at the homeserver's address does not speak HTTP"));
        break;
    case QNetworkReply::ContentReSendError:
        failure.message = QStringLiteral("the connection broke before the answer");
        failure.maybeDone = true;
        break;
    default: // an open set of Qt's own: the request may have left, its result is unknown
        failure.maybeDone = true;
    }
    return failure;
}

} // namespace voip::homeserver
