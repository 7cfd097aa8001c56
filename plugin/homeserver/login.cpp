// SPDX-License-Identifier: Apache-2.0
// See login.h.
#include "login.h"

#include "paths.h"

#include <algorithm>

namespace voip::homeserver
{

namespace
{

constexpr qsizetype kMaxId = 255;
constexpr qsizetype kMaxToken = 4096;
constexpr qsizetype kMaxFlows = 16;
constexpr double kLongestLifeMs = 366.0 * 24 * 3600 * 1000;

Result<QString> readId(const QJsonObject &object, const char *field)
{
    auto id = readString(object, field);
    if (id.ok() && (id->size() > kMaxId || std::any_of(id->cbegin(), id->cend(), [](QChar c) { return c < u' '; })))
        return badAnswer(QStringLiteral("%1: at most 255 characters were expected").arg(QLatin1String(field)));
    return id;
}

Result<QByteArray> readToken(const QJsonObject &object, const char *field)
{
    const auto text = readString(object, field);
    if (!text.ok())
        return text.error();
    QByteArray token = text->toUtf8();
    if (!isToken(token))
        return badAnswer(QStringLiteral("%1: no usable token").arg(QLatin1String(field)));
    return token;
}

Result<Tokens> readTokens(const QJsonObject &answer)
{
    Tokens tokens;
    const auto access = readToken(answer, "access_token");
    if (!access.ok())
        return access.error();
    tokens.access = *access;
    if (answer.contains(QLatin1String("refresh_token"))) {
        const auto refresh = readToken(answer, "refresh_token");
        if (!refresh.ok())
            return refresh.error();
        tokens.refresh = *refresh;
    }
    const QJsonValue life = answer.value(QLatin1String("expires_in_ms"));
    if (life.isDouble() && life.toDouble() > 0)
        tokens.expiresInMs = static_cast<qint64>(std::clamp(life.toDouble(), 1.0, kLongestLifeMs));
    else if (!life.isUndefined() && !life.isNull())
        return badAnswer(QStringLiteral("expires_in_ms: a number above 0 was expected"));
    return tokens;
}

Result<LoggedIn> readOwner(const QJsonObject &answer)
{
    const auto user = readId(answer, "user_id");
    if (!user.ok())
        return user.error();
    const auto device = readId(answer, "device_id");
    if (!device.ok())
        return device.error();
    return LoggedIn{*user, *device, {}};
}

Result<LoggedIn> readLogin(const QJsonObject &answer)
{
    auto owner = readOwner(answer);
    if (!owner.ok())
        return owner;
    const auto tokens = readTokens(answer);
    if (!tokens.ok())
        return tokens.error();
    owner.value().tokens = *tokens;
    return owner;
}

template <typename T>
Reply<QJsonObject> reading(Result<T> (*read)(const QJsonObject &), const QByteArray &secret, Reply<T> reply)
{
    return [read, secret, reply = std::move(reply)](const Result<QJsonObject> &answer) {
        if (answer.ok())
            return reply(read(*answer));
        Failure failure = answer.error();
        failure.message = cleanText(failure.message, secret); // a server may echo what it was sent
        reply(failure);
    };
}

void logIn(Client &client, QJsonObject body, const Device &device, const QByteArray &secret, Reply<LoggedIn> reply)
{
    body.insert(QStringLiteral("refresh_token"), true);
    if (!device.id.isEmpty())
        body.insert(QStringLiteral("device_id"), device.id);
    if (!device.name.isEmpty())
        body.insert(QStringLiteral("initial_device_display_name"), device.name);
    client.request({}, Method::Post, v3({QStringLiteral("login")}), {}, body,
                   reading<LoggedIn>(readLogin, secret, std::move(reply)), {.anonymous = true});
}

Result<LoginFlows> readFlows(const QJsonObject &answer)
{
    const auto offered = readObjects(answer.value(QLatin1String("flows")), "flows");
    if (!offered.ok())
        return offered.error();
    LoginFlows flows;
    bool token = false;
    for (const QJsonObject &flow : *offered) {
        const QString type = flow.value(QLatin1String("type")).toString();
        flows.password = flows.password || type == QLatin1String("m.login.password");
        flows.sso = flows.sso || type == QLatin1String("m.login.sso");
        token = token || type == QLatin1String("m.login.token");
        if (!type.isEmpty() && flows.types.size() < kMaxFlows)
            flows.types.push_back(cleanText(type, {}));
    }
    flows.sso = flows.sso && token;
    return flows;
}

} // namespace

bool isToken(const QByteArray &token)
{
    return !token.isEmpty() && token.size() <= kMaxToken &&
           std::all_of(token.cbegin(), token.cend(), [](char c) { return c > ' ' && c < '\x7f'; });
}

void loginFlows(Client &client, Reply<LoginFlows> reply)
{
    client.request({}, Method::Get, v3({QStringLiteral("login")}), {}, {},
                   reading<LoginFlows>(readFlows, {}, std::move(reply)), {.anonymous = true});
}

void loginByPassword(Client &client, const QString &user, const QByteArray &password, const Device &device,
                     Reply<LoggedIn> reply)
{
    const QJsonObject who{{QStringLiteral("type"), QStringLiteral("m.id.user")}, {QStringLiteral("user"), user}};
    const QJsonObject body{{QStringLiteral("type"), QStringLiteral("m.login.password")},
                           {QStringLiteral("identifier"), who},
                           {QStringLiteral("password"), QString::fromUtf8(password)}};
    logIn(client, body, device, password, std::move(reply));
}

void loginByToken(Client &client, const QByteArray &token, const Device &device, Reply<LoggedIn> reply)
{
    const QJsonObject body{{QStringLiteral("type"), QStringLiteral("m.login.token")},
                           {QStringLiteral("token"), QString::fromUtf8(token)}};
    logIn(client, body, device, token, std::move(reply));
}

void refreshTokens(Client &client, const QByteArray &refreshToken, Reply<Tokens> reply)
{
    client.request({}, Method::Post, v3({QStringLiteral("refresh")}), {},
                   {{QStringLiteral("refresh_token"), QString::fromUtf8(refreshToken)}},
                   reading<Tokens>(readTokens, refreshToken, std::move(reply)), {.anonymous = true});
}

void ownerOfToken(Client &client, Reply<LoggedIn> reply)
{
    client.request({}, Method::Get, v3({QStringLiteral("account"), QStringLiteral("whoami")}), {}, {},
                   reading<LoggedIn>(readOwner, {}, std::move(reply)));
}

void logOut(Client &client, Reply<Done> reply)
{
    client.request({}, Method::Post, v3({QStringLiteral("logout")}), {}, {},
                   reading<Done>([](const QJsonObject &) -> Result<Done> { return Done(); }, {}, std::move(reply)));
}

QUrl ssoAddress(const QUrl &homeserver, const QUrl &redirect)
{
    QByteArray encoded = homeserver.toEncoded(QUrl::RemoveUserInfo | QUrl::RemoveQuery | QUrl::RemoveFragment |
                                              QUrl::StripTrailingSlash);
    while (encoded.endsWith('/'))
        encoded.chop(1);
    encoded += "/_matrix/client/v3/login/sso/redirect?redirectUrl=" +
               QUrl::toPercentEncoding(QString::fromUtf8(redirect.toEncoded()));
    return QUrl::fromEncoded(encoded, QUrl::StrictMode);
}

} // namespace voip::homeserver
