// SPDX-License-Identifier: Apache-2.0
// The endpoints, under /_matrix/app/v1 and under the legacy paths without it.
#include "appservice/appservice_api.h"

#include "appservice/transaction.h"

#include <QLoggingCategory>
#include <QTimer>

Q_LOGGING_CATEGORY(logAppservice, "bridge.appservice", QtInfoMsg)

namespace bridgehost
{

namespace
{

QStringList withoutPrefix(const QStringList &path)
{
    if (path.size() >= 3 && path.at(0) == QLatin1String("_matrix") && path.at(1) == QLatin1String("app") &&
        path.at(2) == QLatin1String("v1"))
        return path.mid(3);
    return path;
}

Reply comeAgain(const QString &code, const QString &message)
{
    Reply reply = matrixError(503, code, message);
    reply.headers.emplace_back("Retry-After", "1");
    return reply;
}

} // namespace

AppserviceApi::AppserviceApi(const Config &config, EventRouter *router, QObject *parent)
    : QObject(parent), m_token(config.hsToken), m_router(router)
{
    for (const UserEntry &entry : config.users)
        m_ghosts.insert(config.ghost(entry.user.id));
    for (const char *result : {"durable", "refused", "invalid"})
        m_transactions.insert(QString::fromLatin1(result), 0);
}

std::optional<Reply> AppserviceApi::admit(const Request &request) const
{
    QByteArray token = bearerToken(request);
    if (token.isEmpty()) // how older homeservers say it
        token = request.queryValue(QStringLiteral("access_token")).value_or(QString()).toUtf8();
    if (token.isEmpty())
        return matrixError(401, QStringLiteral("M_UNAUTHORIZED"), QStringLiteral("The hs_token is missing"));
    if (!m_token.matches(token))
        return wrongToken(matrixError(403, QStringLiteral("M_FORBIDDEN"), QStringLiteral("The hs_token is wrong")));
    return std::nullopt;
}

void AppserviceApi::handle(const ExchangePtr &exchange)
{
    const Request &request = exchange->request();
    const QStringList path = withoutPrefix(request.path);
    const QString what = path.value(0);
    const QString id = path.value(1);
    const auto wrongMethod = [&](const char *method) {
        if (request.method == method)
            return false;
        exchange->addHeader("Allow", method);
        exchange->reply(matrixError(405, QStringLiteral("M_UNRECOGNIZED"),
                                    QStringLiteral("Use %1 here").arg(QLatin1String(method))));
        return true;
    };

    if (path.size() == 2 && what == QLatin1String("transactions") && !id.isEmpty()) {
        if (!wrongMethod("PUT"))
            transaction(exchange, id);
    } else if (path.size() == 2 && what == QLatin1String("users")) {
        if (wrongMethod("GET"))
            return;
        if (m_ghosts.contains(id))
            exchange->reply(jsonReply(200, {}));
        else
            exchange->reply(matrixError(404, QStringLiteral("M_NOT_FOUND"), QStringLiteral("There is no such user")));
    } else if (path.size() == 2 && what == QLatin1String("rooms")) {
        if (!wrongMethod("GET"))
            exchange->reply(matrixError(404, QStringLiteral("M_NOT_FOUND"), QStringLiteral("There is no such room")));
    } else if (path.size() == 1 && what == QLatin1String("ping")) {
        if (!wrongMethod("POST"))
            exchange->reply(jsonReply(200, {}));
    } else {
        exchange->reply(
            matrixError(404, QStringLiteral("M_UNRECOGNIZED"), QStringLiteral("There is no such endpoint")));
    }
}

void AppserviceApi::countRejected(const QMap<QString, int> &rejected)
{
    for (auto it = rejected.begin(); it != rejected.end(); ++it) {
        if (!m_rejected.contains(it.key()))
            qCWarning(logAppservice, "an event was left out: %s (counted, not logged again)", qUtf8Printable(it.key()));
        m_rejected[it.key()] += quint64(it.value());
    }
}

void AppserviceApi::transaction(const ExchangePtr &exchange, const QString &transactionId)
{
    const Request &request = exchange->request();
    if (transactionId.size() > 255) {
        exchange->reply(
            matrixError(400, QStringLiteral("M_INVALID_PARAM"), QStringLiteral("The transaction id is too long")));
        return;
    }
    auto parsed = parseTransaction(request.body);
    if (!parsed) {
        ++m_transactions[QStringLiteral("invalid")];
        qCWarning(logAppservice, "transaction refused: %s", qUtf8Printable(parsed.error().message));
        const int status = parsed.error().kind == voiphost::ErrorKind::TooLarge ? 413 : 400;
        exchange->reply(matrixError(status, parsed.error().code, parsed.error().message));
        return;
    }
    const auto rejected = parsed->rejected;
    voiphost::EventBatch batch = std::move(parsed.value().batch);
    batch.transactionId = transactionId;
    batch.receivedAt = request.receivedAt;

    const auto finish = [this, exchange, rejected](bool durable) {
        if (exchange->answered())
            return;
        ++m_transactions[durable ? QStringLiteral("durable") : QStringLiteral("refused")];
        if (durable)
            countRejected(rejected); // not before: a refused transaction comes again
        if (durable)
            exchange->reply(jsonReply(200, {}));
        else
            exchange->reply(comeAgain(QStringLiteral("M_UNKNOWN"),
                                      QStringLiteral("The transaction cannot be stored now; send it again")));
    };
    m_router->deliver(batch, finish);
    if (!exchange->answered())
        QTimer::singleShot(m_patienceMs, this, [finish] { finish(false); });
}

} // namespace bridgehost
