// SPDX-License-Identifier: Apache-2.0
// A request as it was read whole, and the reply to it. Plain values; nothing here knows libmicrohttpd.
// Paths and query values are percent-decoded here and nowhere else. A query is never logged: it may hold a token.
#pragma once

#include <QByteArray>
#include <QHash>
#include <QJsonObject>
#include <QList>
#include <QString>
#include <QStringList>

#include <optional>

namespace bridgehost
{

struct Request {
    quint64 id = 0;
    qint64 receivedAt = 0; // UTC ms, when the request line came in
    QByteArray method;
    QByteArray rawPath; // as sent, without the query
    QStringList path;   // decoded segments: "/calls/a%20b" is {"calls", "a b"}
    QList<std::pair<QString, QString>> query;
    QHash<QByteArray, QByteArray> headers; // names in lower case; of repeated ones the first
    QByteArray body;

    [[nodiscard]] QByteArray header(const QByteArray &lowerName) const { return headers.value(lowerName); }
    [[nodiscard]] std::optional<QString> queryValue(const QString &name) const;
};

struct Reply {
    int status = 200;
    QByteArray body;
    QByteArray contentType = QByteArrayLiteral("application/json");
    QList<std::pair<QByteArray, QByteArray>> headers;
    bool wrongToken = false; // a token was given and is not right: such an answer waits (http/guesses.h)
};

// Fills rawPath, path and query from a request target; false when it cannot be one of ours.
[[nodiscard]] bool parseTarget(const QByteArray &target, Request *request);

[[nodiscard]] Reply jsonReply(int status, const QJsonObject &body);
// {"error": code, "message": message, ...details}
[[nodiscard]] Reply errorReply(int status, const QString &code, const QString &message,
                               const QJsonObject &details = {});
// {"errcode": code, "error": message}: the shape the homeserver knows
[[nodiscard]] Reply matrixError(int status, const QString &code, const QString &message);

// 401 or 403, as the listener words it, to somebody whose token is not right.
[[nodiscard]] Reply wrongToken(Reply refusal);
// Whether a token came with it, in any of the ways in which we take one.
[[nodiscard]] bool carriesToken(const Request &request);
// The token of `Authorization: Bearer ...`; empty when there is none.
[[nodiscard]] QByteArray bearerToken(const Request &request);

} // namespace bridgehost
