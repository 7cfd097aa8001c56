// SPDX-License-Identifier: Apache-2.0
// Request targets and the few shapes of replies. Total functions over bytes from outside.
#include "http/message.h"

#include <QJsonDocument>

namespace bridgehost
{

namespace
{

std::optional<QString> decoded(QByteArray part, bool plusIsSpace)
{
    if (plusIsSpace)
        part.replace('+', ' ');
    const QByteArray bytes = QByteArray::fromPercentEncoding(part);
    const QString text = QString::fromUtf8(bytes);
    // A NUL or a replacement character never belongs to an id; refusing them here spares every handler the question.
    if (text.contains(QChar(u'\0')) || text.contains(QChar(QChar::ReplacementCharacter)))
        return std::nullopt;
    return text;
}

} // namespace

std::optional<QString> Request::queryValue(const QString &name) const
{
    for (const auto &[key, value] : query) {
        if (key == name)
            return value;
    }
    return std::nullopt;
}

bool parseTarget(const QByteArray &target, Request *request)
{
    const qsizetype mark = target.indexOf('?');
    request->rawPath = mark < 0 ? target : target.left(mark);
    if (!request->rawPath.startsWith('/'))
        return false;
    const QList<QByteArray> parts = request->rawPath.mid(1).split('/');
    for (const QByteArray &part : parts) {
        const auto text = decoded(part, false);
        if (!text)
            return false;
        request->path.append(*text);
    }
    if (mark < 0 || mark + 1 == target.size())
        return true;
    const QList<QByteArray> pairs = target.mid(mark + 1).split('&');
    for (const QByteArray &pair : pairs) {
        const qsizetype equals = pair.indexOf('=');
        const auto key = decoded(equals < 0 ? pair : pair.left(equals), true);
        const auto value = decoded(equals < 0 ? QByteArray() : pair.mid(equals + 1), true);
        if (!key || !value)
            return false;
        request->query.append({*key, *value});
    }
    return true;
}

Reply jsonReply(int status, const QJsonObject &body)
{
    Reply reply;
    reply.status = status;
    reply.body = QJsonDocument(body).toJson(QJsonDocument::Compact);
    return reply;
}

Reply errorReply(int status, const QString &code, const QString &message, const QJsonObject &details)
{
    QJsonObject body = details;
    body[QStringLiteral("error")] = code;
    body[QStringLiteral("message")] = message;
    return jsonReply(status, body);
}

Reply matrixError(int status, const QString &code, const QString &message)
{
    return jsonReply(status, {{QStringLiteral("errcode"), code}, {QStringLiteral("error"), message}});
}

Reply wrongToken(Reply refusal)
{
    refusal.wrongToken = true;
    return refusal;
}

bool carriesToken(const Request &request)
{
    return request.headers.contains("authorization") || request.queryValue(QStringLiteral("access_token"));
}

QByteArray bearerToken(const Request &request)
{
    const QByteArray value = request.header("authorization");
    if (value.size() < 7 || value.left(7).toLower() != "bearer ")
        return {};
    return value.mid(7).trimmed();
}

} // namespace bridgehost
