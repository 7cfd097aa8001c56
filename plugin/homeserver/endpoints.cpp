// SPDX-License-Identifier: Apache-2.0
// One function per endpoint: path and body out, typed value in. Every field that is used is checked; a wrong one is a
// BadAnswer that names it. No decisions beyond that.
#include "client.h"
#include "paths.h"

#include <QUuid>

#include <algorithm>

namespace voip::homeserver
{

namespace
{

constexpr int kMaxTurnUris = 32;
constexpr int kMaxTurnTtl = 7 * 24 * 3600;

QStringList room(const QString &roomId, const QStringList &rest)
{
    return v3(QStringList{QStringLiteral("rooms"), roomId} + rest);
}

template <typename T>
Reply<QJsonObject> reading(Result<T> (*read)(const QJsonObject &), Reply<T> reply)
{
    return [read, reply = std::move(reply)](const Result<QJsonObject> &answer) {
        reply(answer.ok() ? read(answer.value()) : Result<T>(answer.error()));
    };
}

Result<Done> nothing(const QJsonObject & /*answer*/)
{
    return Done();
}

Result<QString> roomIdOf(const QJsonObject &answer)
{
    return readString(answer, "room_id");
}

bool isIceUri(const QString &uri)
{
    return uri.size() <= 512 && (uri.startsWith(QLatin1String("turn:")) || uri.startsWith(QLatin1String("turns:")) ||
                                 uri.startsWith(QLatin1String("stun:")) || uri.startsWith(QLatin1String("stuns:")));
}

Result<TurnServers> turnServersOf(const QJsonObject &answer)
{
    TurnServers servers;
    if (!answer.contains(QLatin1String("uris"))) {
        return servers; // {}: the homeserver has none (R97)
    }
    const auto uris = readStrings(answer, "uris");
    if (!uris.ok()) {
        return uris.error();
    }
    // A browser refuses the whole list for one uri that it does not know.
    std::copy_if(uris->cbegin(), uris->cend(), std::back_inserter(servers.uris), isIceUri);
    servers.uris = servers.uris.mid(0, kMaxTurnUris);
    if (servers.uris.isEmpty()) {
        return servers;
    }
    const auto username = readString(answer, "username");
    const auto password = readString(answer, "password");
    const auto ttl = readCount(answer, "ttl");
    if (!username.ok()) {
        return username.error();
    }
    if (!password.ok()) {
        return password.error();
    }
    if (!ttl.ok()) {
        return ttl.error();
    }
    if (ttl.value() == 0) {
        return badAnswer(QStringLiteral("ttl: a number above 0 was expected"));
    }
    servers.username = username.value();
    servers.password = password.value();
    servers.ttlSeconds = std::min(ttl.value(), kMaxTurnTtl);
    return servers;
}

} // namespace

void Client::sendEvent(const QString &asUser, const QString &device, const QString &roomId, const QString &type,
                       const QString &txnId, const QJsonObject &content, Reply<QString> reply)
{
    request(
        asUser, Method::Put, room(roomId, {QStringLiteral("send"), type, txnId}), {}, content,
        reading<QString>([](const QJsonObject &answer) { return readString(answer, "event_id"); }, std::move(reply)),
        {.device = device});
}

void Client::registerGhost(const QString &localpart, Reply<bool> reply)
{
    // Without inhibit_login some servers refuse, although they did create the user.
    const QJsonObject body{{QStringLiteral("type"), QStringLiteral("m.login.application_service")},
                           {QStringLiteral("username"), localpart},
                           {QStringLiteral("inhibit_login"), true}};
    request({}, Method::Post, v3({QStringLiteral("register")}), {}, body,
            [expected = userId(localpart), reply = std::move(reply)](const Result<QJsonObject> &answer) {
                if (!answer.ok()) {
                    if (answer.error().code == QLatin1String("M_USER_IN_USE")) {
                        reply(false);
                    } else {
                        reply(answer.error());
                    }
                    return;
                }
                const auto created = readString(answer.value(), "user_id");
                if (!created.ok()) {
                    reply(created.error());
                } else if (created.value() != expected) {
                    reply(badAnswer(QStringLiteral("user_id: another user than %1 was registered; "
                                                   "is the configured server name right?")
                                        .arg(expected)));
                } else {
                    reply(true);
                }
            });
}

void Client::setDisplayName(const QString &asUser, const QString &name, Reply<Done> reply)
{
    const QString user = asUser.isEmpty() ? ownUserId() : asUser;
    request(asUser, Method::Put, v3({QStringLiteral("profile"), user, QStringLiteral("displayname")}), {},
            {{QStringLiteral("displayname"), name}}, reading<Done>(nothing, std::move(reply)));
}

void Client::createDirectRoom(const QString &asUser, const QString &invitee, const QJsonArray &initialState,
                              Reply<QString> reply)
{
    const QJsonObject body{{QStringLiteral("preset"), QStringLiteral("trusted_private_chat")},
                           {QStringLiteral("visibility"), QStringLiteral("private")},
                           {QStringLiteral("is_direct"), true},
                           {QStringLiteral("invite"), QJsonArray{invitee}},
                           {QStringLiteral("initial_state"), initialState}};
    request(asUser, Method::Post, v3({QStringLiteral("createRoom")}), {}, body,
            reading<QString>(roomIdOf, std::move(reply)), {.federated = true});
}

void Client::join(const QString &asUser, const QString &roomId, Reply<QString> reply)
{
    request(asUser, Method::Post, room(roomId, {QStringLiteral("join")}), {}, {},
            reading<QString>(roomIdOf, std::move(reply)), {.federated = true});
}

void Client::leave(const QString &asUser, const QString &roomId, Reply<Done> reply)
{
    request(asUser, Method::Post, room(roomId, {QStringLiteral("leave")}), {}, {},
            reading<Done>(nothing, std::move(reply)), {.federated = true});
}

void Client::joinedRooms(const QString &asUser, Reply<QStringList> reply)
{
    request(asUser, Method::Get, v3({QStringLiteral("joined_rooms")}), {}, {},
            reading<QStringList>([](const QJsonObject &answer) { return readStrings(answer, "joined_rooms"); },
                                 std::move(reply)));
}

void Client::roomState(const QString &asUser, const QString &roomId, Reply<QVector<QJsonObject>> reply)
{
    // The one answer that is an array.
    exchange(
        asUser, Method::Get, room(roomId, {QStringLiteral("state")}), {}, {},
        [reply = std::move(reply)](const Result<QJsonDocument> &answer) {
            if (!answer.ok()) {
                reply(answer.error());
                return;
            }
            reply(readObjects(answer->isArray() ? QJsonValue(answer->array()) : QJsonValue(), "state"));
        },
        Options());
}

void Client::recentEvents(const QString &asUser, const QString &roomId, int limit, Reply<QVector<QJsonObject>> reply)
{
    QUrlQuery query;
    query.addQueryItem(QStringLiteral("dir"), QStringLiteral("b"));
    query.addQueryItem(QStringLiteral("limit"), QString::number(std::clamp(limit, 1, 500)));
    request(asUser, Method::Get, room(roomId, {QStringLiteral("messages")}), query, {},
            reading<QVector<QJsonObject>>(
                [](const QJsonObject &answer) {
                    auto events = readObjects(answer.value(QLatin1String("chunk")), "chunk");
                    if (events.ok()) {
                        std::reverse(events.value().begin(), events.value().end());
                    }
                    return events;
                },
                std::move(reply)));
}

void Client::turnServers(const QString &asUser, Reply<TurnServers> reply)
{
    request(asUser, Method::Get, v3({QStringLiteral("voip"), QStringLiteral("turnServer")}), {}, {},
            reading<TurnServers>(turnServersOf, std::move(reply)));
}

void Client::ping(Reply<int> reply)
{
    const QJsonObject body{{QStringLiteral("transaction_id"), QUuid::createUuid().toString(QUuid::WithoutBraces)}};
    request({}, Method::Post,
            {QStringLiteral("_matrix"), QStringLiteral("client"), QStringLiteral("v1"), QStringLiteral("appservice"),
             m_access.appserviceId, QStringLiteral("ping")},
            {}, body,
            reading<int>([](const QJsonObject &answer) { return readCount(answer, "duration_ms"); }, std::move(reply)));
}

void Client::versions(Reply<QStringList> reply)
{
    request({}, Method::Get, {QStringLiteral("_matrix"), QStringLiteral("client"), QStringLiteral("versions")}, {}, {},
            reading<QStringList>([](const QJsonObject &answer) { return readStrings(answer, "versions"); },
                                 std::move(reply)));
}

void Client::whoami(const QString &asUser, Reply<QString> reply)
{
    request(
        asUser, Method::Get, v3({QStringLiteral("account"), QStringLiteral("whoami")}), {}, {},
        reading<QString>([](const QJsonObject &answer) { return readString(answer, "user_id"); }, std::move(reply)));
}

} // namespace voip::homeserver
