// SPDX-License-Identifier: Apache-2.0
// The request machinery: addresses, delivery of results, reachability. The API's calls are in endpoints.cpp.
#include "client.h"

#include <QLoggingCategory>
#include <QPointer>

#include <algorithm>

namespace voip::homeserver
{

namespace
{

Q_LOGGING_CATEGORY(lcHomeserver, "voip.homeserver")

// QUrlQuery leaves '+' alone, which servers read as a space; Matrix ids may hold one.
QByteArray encodedPair(const QString &key, const QString &value)
{
    return QUrl::toPercentEncoding(key) + '=' + QUrl::toPercentEncoding(value);
}

bool isUsableSegment(const QString &segment)
{
    return !segment.isEmpty() && segment != QLatin1String(".") && segment != QLatin1String("..");
}

} // namespace

Client::Client(Access access, QObject *parent) : Client(std::move(access), new HttpTransport, parent)
{
}

Client::Client(Access access, Transport *transport, QObject *parent)
    : QObject(parent), m_access(std::move(access)), m_transport(transport)
{
    m_transport->setParent(this);
}

void Client::setTimeLimits(std::chrono::milliseconds usual, std::chrono::milliseconds federated)
{
    m_timeLimit = usual;
    m_federatedTimeLimit = federated;
}

QString Client::userId(const QString &localpart) const
{
    return QLatin1Char('@') + localpart + QLatin1Char(':') + m_access.serverName;
}

QUrl Client::address(const QString &asUser, const QString &device, const QStringList &path,
                     const QUrlQuery &query) const
{
    QByteArray encoded = m_access.url.toEncoded(QUrl::RemoveUserInfo | QUrl::RemoveQuery | QUrl::RemoveFragment |
                                                QUrl::StripTrailingSlash);
    while (encoded.endsWith('/')) {
        encoded.chop(1);
    }
    for (const QString &segment : path) {
        encoded += '/' + QUrl::toPercentEncoding(segment);
    }
    QByteArrayList pairs;
    const auto items = query.queryItems(QUrl::FullyDecoded);
    for (const auto &[key, value] : items) {
        pairs.append(encodedPair(key, value));
    }
    if (!asUser.isEmpty() && !m_access.isAccount()) {
        pairs.append(encodedPair(QStringLiteral("user_id"), asUser));
        if (!device.isEmpty()) { // E29: by its name in the specification and by the one before
            pairs.append(encodedPair(QStringLiteral("device_id"), device));
            pairs.append(encodedPair(QStringLiteral("org.matrix.msc3202.device_id"), device));
        }
    }
    if (!pairs.isEmpty()) {
        encoded += '?' + pairs.join('&');
    }
    return QUrl::fromEncoded(encoded, QUrl::StrictMode);
}

void Client::exchange(const QString &asUser, Method method, const QStringList &path, const QUrlQuery &query,
                      const QJsonObject &body, Reply<QJsonDocument> reply, Options options)
{
    // Results are always handed over from the event loop: so the caller's callback may destroy the Client.
    const QByteArray bearer = options.anonymous ? QByteArray() : m_access.asToken;
    const auto deliver = [this, reply = std::move(reply), options, bearer](Result<QJsonDocument> result) {
        QMetaObject::invokeMethod(
            this,
            [this, result = std::move(result), reply, options, bearer] { finish(result, reply, options, bearer); },
            Qt::QueuedConnection);
    };

    if (!std::all_of(path.cbegin(), path.cend(), isUsableSegment)) {
        Failure failure{FailureKind::Rejected};
        failure.code = QStringLiteral("M_INVALID_PARAM");
        failure.message = QStringLiteral("an id is empty or a path of its own");
        deliver(failure);
        return;
    }
    const QByteArray bytes = method == Method::Get ? QByteArray() : QJsonDocument(body).toJson(QJsonDocument::Compact);
    m_transport->exchange(options.federated ? Transport::Lane::Slow : Transport::Lane::Usual, method,
                          address(asUser, options.device, path, query), bearer, bytes,
                          options.federated ? m_federatedTimeLimit : m_timeLimit,
                          [deliver, bearer](const Result<HttpAnswer> &answer) {
                              if (answer.ok()) {
                                  deliver(judge(answer.value(), bearer));
                              } else {
                                  deliver(answer.error());
                              }
                          });
}

// False: this was destroyed meanwhile.
bool Client::lookAtToken(Failure &failure, const QByteArray &bearer)
{
    if (!m_access.isAccount() || bearer.isEmpty() || m_access.asToken.isEmpty() || failure.status != 401 ||
        failure.code != QLatin1String("M_UNKNOWN_TOKEN")) {
        return true;
    }
    failure.kind = FailureKind::ServerError; // the same request will do with the next token
    const QPointer<Client> alive(this);
    if (bearer == m_access.asToken) { // or else it was sent just before the token was renewed
        Q_EMIT tokenRefused(failure.softLogout);
    }
    return !alive.isNull();
}

void Client::finish(Result<QJsonDocument> result, const Reply<QJsonDocument> &reply, Options options,
                    const QByteArray &bearer)
{
    bool reachable = m_reachable;
    if (result.ok()) {
        reachable = true;
    } else {
        switch (result.error().kind) {
        case FailureKind::Unreachable:
            reachable = false;
            break;
        case FailureKind::Timeout:
        case FailureKind::ServerError:
            reachable = options.federated && m_reachable;
            break;
        case FailureKind::RateLimited:
        case FailureKind::Rejected:
            // Without a code it is some proxy's answer, or ours; neither says anything about the homeserver.
            reachable = m_reachable || (result.error().status != 0 && !result.error().code.isEmpty());
            break;
        case FailureKind::BadAnswer:
            break;
        }
    }
    if (reachable != m_reachable) {
        m_reachable = reachable;
        if (reachable) {
            qCInfo(lcHomeserver, "the homeserver answers again");
        } else {
            qCWarning(lcHomeserver, "the homeserver cannot be used (%s): %s",
                      qUtf8Printable(nameOf(result.error().kind)), qUtf8Printable(result.error().message));
        }
        const QPointer<Client> alive(this);
        Q_EMIT reachableChanged(reachable);
        if (!alive) {
            return;
        }
    }
    if (!result.ok()) {
        Failure failure = result.error();
        if (!lookAtToken(failure, bearer)) {
            return;
        }
        result = failure;
    }
    reply(std::move(result));
}

void Client::request(const QString &asUser, Method method, const QStringList &path, const QUrlQuery &query,
                     const QJsonObject &body, Reply<QJsonObject> reply, Options options)
{
    exchange(
        asUser, method, path, query, body,
        [reply = std::move(reply)](const Result<QJsonDocument> &result) {
            if (!result.ok()) {
                reply(result.error());
            } else if (!result->isObject()) {
                reply(badAnswer(QStringLiteral("the answer is not a JSON object")));
            } else {
                reply(result->object());
            }
        },
        options);
}

} // namespace voip::homeserver
