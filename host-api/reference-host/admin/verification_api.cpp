// SPDX-License-Identifier: Apache-2.0
#include "admin/verification_api.h"

#include "http/when_done.h"
#include "rest/shapes.h"

#include <QJsonArray>

namespace bridgehost
{

using namespace voiphost;

namespace
{

QJsonObject shapeOf(const PendingVerification &one)
{
    QJsonArray signs;
    for (const Sign &sign : one.signs)
        signs.append(QJsonObject{{QStringLiteral("emoji"), sign.symbol}, {QStringLiteral("name"), sign.name}});
    QJsonArray numbers;
    for (const int number : one.numbers)
        numbers.append(number);
    QJsonObject object{{QStringLiteral("id"), one.id},
                       {QStringLiteral("account"), one.accountId},
                       {QStringLiteral("device"), one.deviceId},
                       {QStringLiteral("state"), toString(one.state)},
                       {QStringLiteral("emoji"), signs},
                       {QStringLiteral("numbers"), numbers},
                       {QStringLiteral("expires_at"), one.expiresAt}};
    if (!one.reason.isEmpty())
        object.insert(QStringLiteral("reason"), one.reason);
    return object;
}

void list(QObject *context, const ExchangePtr &exchange, Verification *plugin)
{
    if (!plugin)
        return exchange->reply(jsonReply(200, {{QStringLiteral("verifications"), QJsonArray()}}));
    whenDone(context, plugin->verifications(), [exchange](const auto &result) {
        if (!result)
            return exchange->reply(errorReply(503, QStringLiteral("UNAVAILABLE"), QStringLiteral("No answer came")));
        if (!result->ok())
            return exchange->reply(toReply(result->error()));
        QJsonArray array;
        for (const PendingVerification &one : result->value())
            array.append(shapeOf(one));
        exchange->reply(jsonReply(200, {{QStringLiteral("verifications"), array}}));
    });
}

} // namespace

void answerVerifications(QObject *context, const ExchangePtr &exchange, const QStringList &path, Verification *plugin)
{
    const bool judges =
        path.size() == 2 && (path.at(1) == QLatin1String("confirm") || path.at(1) == QLatin1String("cancel"));
    if (!path.isEmpty() && !judges)
        return exchange->reply(errorReply(404, QStringLiteral("NOT_FOUND"), QStringLiteral("There is no such page")));
    const QByteArray method = judges ? "POST" : "GET";
    if (exchange->request().method != method) {
        exchange->addHeader("Allow", method);
        return exchange->reply(errorReply(405, QStringLiteral("METHOD_NOT_ALLOWED"),
                                          QStringLiteral("Use %1 here").arg(QString::fromLatin1(method))));
    }
    if (!judges)
        return list(context, exchange, plugin);
    if (!plugin)
        return exchange->reply(
            errorReply(404, QStringLiteral("VERIFICATION_NOT_FOUND"), QStringLiteral("There is no such verification")));
    const auto done = path.at(1) == QLatin1String("confirm") ? plugin->confirmVerification(path.at(0))
                                                             : plugin->cancelVerification(path.at(0));
    whenDone(context, done, [exchange](const auto &result) {
        if (!result)
            exchange->reply(errorReply(503, QStringLiteral("UNAVAILABLE"), QStringLiteral("No answer came")));
        else
            exchange->reply(result->ok() ? jsonReply(200, {}) : toReply(result->error()));
    });
}

} // namespace bridgehost
