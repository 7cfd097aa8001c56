// SPDX-License-Identifier: Apache-2.0
// The endpoints of devices and keys: path and body out, the answer as it is. What it says is judged by crypto/.
#include "answer.h"
#include "client.h"
#include "paths.h"
#include "syncanswer.h"

#include <QJsonDocument>

namespace voip::homeserver
{

namespace
{

constexpr int kServerPatienceMs = 4000; // with other servers, that the homeserver asks for us
constexpr int kTimelineLimit = 50;      // events of a room that may have been lost
constexpr int kHoldMs = 8000;           // less than the usual time limit

Reply<QJsonObject> ignoring(Reply<Done> reply)
{
    return [reply = std::move(reply)](const Result<QJsonObject> &answer) {
        reply(answer.ok() ? Result<Done>(Done()) : Result<Done>(answer.error()));
    };
}

// Some proxy's answer must not be read as one that knows of no keys.
Reply<QJsonObject> having(const char *field, Reply<QJsonObject> reply)
{
    return [field, reply = std::move(reply)](const Result<QJsonObject> &answer) {
        if (answer.ok() && !answer->value(QLatin1String(field)).isObject())
            reply(badAnswer(QStringLiteral("%1: an object was expected").arg(QLatin1String(field))));
        else
            reply(answer);
    };
}

} // namespace

void Client::makeDevice(const QString &asUser, const QString &device, const QString &name, Reply<Done> reply)
{
    request(asUser, Method::Put, v3({QStringLiteral("devices"), device}), {}, {{QStringLiteral("display_name"), name}},
            ignoring(std::move(reply)));
}

void Client::dropDevice(const QString &asUser, const QString &device, Reply<Done> reply)
{
    request(asUser, Method::Delete, v3({QStringLiteral("devices"), device}), {}, {}, ignoring(std::move(reply)));
}

void Client::uploadKeys(const QString &asUser, const QString &device, const QJsonObject &body, Reply<QJsonObject> reply)
{
    request(asUser, Method::Post, v3({QStringLiteral("keys"), QStringLiteral("upload")}), {}, body,
            having("one_time_key_counts", std::move(reply)), {.device = device});
}

void Client::uploadIdentity(const QString &asUser, const QJsonObject &body, Reply<Done> reply)
{
    request(asUser, Method::Post,
            v3({QStringLiteral("keys"), QStringLiteral("device_signing"), QStringLiteral("upload")}), {}, body,
            ignoring(std::move(reply)));
}

void Client::queryKeys(const QString &asUser, const QStringList &users, Reply<QJsonObject> reply)
{
    QJsonObject wanted;
    for (const QString &user : users) {
        wanted.insert(user, QJsonArray());
    }
    request(asUser, Method::Post, v3({QStringLiteral("keys"), QStringLiteral("query")}), {},
            {{QStringLiteral("device_keys"), wanted}, {QStringLiteral("timeout"), kServerPatienceMs}},
            having("device_keys", std::move(reply)), {.federated = true});
}

void Client::claimKeys(const QString &asUser, const QHash<QString, QStringList> &devices, Reply<QJsonObject> reply)
{
    QJsonObject wanted;
    for (auto it = devices.constBegin(); it != devices.constEnd(); ++it) {
        QJsonObject ofUser;
        for (const QString &device : it.value()) {
            ofUser.insert(device, QStringLiteral("signed_curve25519"));
        }
        wanted.insert(it.key(), ofUser);
    }
    request(asUser, Method::Post, v3({QStringLiteral("keys"), QStringLiteral("claim")}), {},
            {{QStringLiteral("one_time_keys"), wanted}, {QStringLiteral("timeout"), kServerPatienceMs}},
            having("one_time_keys", std::move(reply)), {.federated = true});
}

void Client::backUpKeys(const QString &asUser, const QString &version, const QJsonObject &body, Reply<Done> reply)
{
    QUrlQuery query;
    query.addQueryItem(QStringLiteral("version"), version);
    request(asUser, Method::Put, v3({QStringLiteral("room_keys"), QStringLiteral("keys")}), query, body,
            ignoring(std::move(reply)));
}

void Client::sendToDevice(const QString &asUser, const QString &type, const QString &txnId, const QJsonObject &messages,
                          Reply<Done> reply)
{
    request(asUser, Method::Put, v3({QStringLiteral("sendToDevice"), type, txnId}), {},
            {{QStringLiteral("messages"), messages}}, ignoring(std::move(reply)));
}

void Client::syncDevice(const QString &asUser, const QString &device, const QString &since, const QStringList &types,
                        Reply<QJsonObject> reply)
{
    const QJsonObject filter = syncFilter(types, kTimelineLimit, since.isEmpty());
    QUrlQuery query;
    query.addQueryItem(QStringLiteral("timeout"), QStringLiteral("0"));
    query.addQueryItem(QStringLiteral("filter"),
                       QString::fromUtf8(QJsonDocument(filter).toJson(QJsonDocument::Compact)));
    query.addQueryItem(QStringLiteral("set_presence"), QStringLiteral("offline"));
    if (!since.isEmpty()) {
        query.addQueryItem(QStringLiteral("since"), since);
    }
    request(asUser, Method::Get, v3({QStringLiteral("sync")}), query, {}, std::move(reply), {.device = device});
}

void Client::holdLine(const QString &asUser, const QString &since, Reply<QString> reply)
{
    const QJsonObject filter = syncFilter({}, 1, true);
    QUrlQuery query;
    query.addQueryItem(QStringLiteral("timeout"), QString::number(kHoldMs));
    query.addQueryItem(QStringLiteral("filter"),
                       QString::fromUtf8(QJsonDocument(filter).toJson(QJsonDocument::Compact)));
    query.addQueryItem(QStringLiteral("set_presence"), QStringLiteral("offline"));
    if (!since.isEmpty()) {
        query.addQueryItem(QStringLiteral("since"), since);
    }
    request(asUser, Method::Get, v3({QStringLiteral("sync")}), query, {},
            [reply = std::move(reply)](const Result<QJsonObject> &answer) {
                reply(answer.ok() ? readString(*answer, "next_batch") : Result<QString>(answer.error()));
            });
}

} // namespace voip::homeserver
