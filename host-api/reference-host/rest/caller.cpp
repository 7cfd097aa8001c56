// SPDX-License-Identifier: Apache-2.0
// Tokens and origins of the API listener.
#include "rest/caller.h"

namespace bridgehost
{

namespace
{

Reply unauthorized(const QString &message)
{
    Reply reply = errorReply(401, QStringLiteral("UNAUTHORIZED"), message);
    reply.headers.emplaceBack("WWW-Authenticate", "Bearer");
    return reply;
}

Reply forbidden(const QString &message)
{
    return errorReply(403, QStringLiteral("FORBIDDEN"), message);
}

} // namespace

ApiGate::ApiGate(const Config &config)
    : m_admin(config.adminToken), m_metrics(config.metricsToken), m_origins(config.allowedOrigins)
{
    for (const UserEntry &entry : config.users)
        m_users.add(entry.user.id, entry.token);
}

ApiGate::Caller ApiGate::caller(const Request &request, bool fromQuery) const
{
    QByteArray token = bearerToken(request);
    if (token.isEmpty() && fromQuery)
        token = request.queryValue(QStringLiteral("access_token")).value_or(QString()).toUtf8();
    if (token.isEmpty())
        return {};
    const auto user = m_users.userOf(token);
    const bool admin = m_admin.matches(token);
    if (user)
        return {Who::User, *user};
    return {admin ? Who::Admin : Who::WrongToken, {}};
}

std::optional<QString> ApiGate::requireUser(const ExchangePtr &exchange, bool fromQuery) const
{
    const Caller asking = caller(exchange->request(), fromQuery);
    switch (asking.who) {
    case Who::User:
        return asking.userId;
    case Who::Nobody:
        exchange->reply(unauthorized(QStringLiteral("A user's token is needed")));
        break;
    case Who::WrongToken:
        exchange->reply(wrongToken(unauthorized(QStringLiteral("The token is not known"))));
        break;
    case Who::Admin:
        exchange->reply(forbidden(QStringLiteral("A user's token is needed, this is the administrator's")));
        break;
    }
    return std::nullopt;
}

bool ApiGate::requireAdmin(const ExchangePtr &exchange) const
{
    switch (caller(exchange->request()).who) {
    case Who::Admin:
        return true;
    case Who::Nobody:
        exchange->reply(unauthorized(QStringLiteral("The admin token is needed")));
        break;
    case Who::WrongToken:
        exchange->reply(wrongToken(forbidden(QStringLiteral("The admin token is needed"))));
        break;
    case Who::User:
        exchange->reply(forbidden(QStringLiteral("The admin token is needed")));
        break;
    }
    return false;
}

bool ApiGate::metricsAllowed(const ExchangePtr &exchange) const
{
    if (!m_metrics.isSet())
        return true;
    const QByteArray token = bearerToken(exchange->request());
    if (token.isEmpty())
        exchange->reply(unauthorized(QStringLiteral("The metrics token is needed")));
    else if (m_metrics.matches(token))
        return true;
    else
        exchange->reply(wrongToken(forbidden(QStringLiteral("The metrics token is wrong"))));
    return false;
}

bool ApiGate::cors(const ExchangePtr &exchange) const
{
    const Request &request = exchange->request();
    const QByteArray origin = request.header("origin");
    const bool any = m_origins.contains(QStringLiteral("*"));
    const bool allowed = !origin.isEmpty() && (any || m_origins.contains(QString::fromUtf8(origin)));
    if (allowed) {
        exchange->addHeader("Access-Control-Allow-Origin", any ? QByteArray("*") : origin);
        exchange->addHeader("Access-Control-Expose-Headers", "X-Request-Id");
        exchange->addHeader("Vary", "Origin");
    }
    if (request.method != "OPTIONS")
        return false;
    if (allowed) {
        exchange->addHeader("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
        exchange->addHeader("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID");
        exchange->addHeader("Access-Control-Max-Age", "600");
    }
    exchange->reply({204, {}, QByteArrayLiteral("text/plain"), {}});
    return true;
}

} // namespace bridgehost
