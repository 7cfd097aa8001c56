// SPDX-License-Identifier: Apache-2.0
#include "errandcodec.h"

#include "effects/present.h"

namespace voip
{

using namespace voiphost;

static QJsonObject errorJson(const Error &error)
{
    return {{QStringLiteral("kind"), static_cast<int>(error.kind)},
            {QStringLiteral("code"), error.code},
            {QStringLiteral("message"), error.message},
            {QStringLiteral("details"), error.details}};
}

Error errorFrom(const QJsonObject &object)
{
    const int kind = object.value(QLatin1String("kind")).toInt(static_cast<int>(ErrorKind::Unavailable));
    const bool known = kind >= static_cast<int>(ErrorKind::Invalid) && kind <= static_cast<int>(ErrorKind::Unavailable);
    return {known ? static_cast<ErrorKind>(kind) : ErrorKind::Unavailable,
            object.value(QLatin1String("code")).toString(), object.value(QLatin1String("message")).toString(),
            object.value(QLatin1String("details")).toObject()};
}

QJsonObject answerOf(const QJsonObject &value)
{
    return {{QStringLiteral("ok"), value}};
}

QJsonObject answerOf(const Error &error)
{
    return {{QStringLiteral("error"), errorJson(error)}};
}

QJsonObject requestJson(const FullPlaceRequest &request)
{
    return {{QStringLiteral("sdp"), request.sdp},
            {QStringLiteral("audio"), request.media.audio},
            {QStringLiteral("video"), request.media.video},
            {QStringLiteral("key"), request.idempotencyKey},
            {QStringLiteral("streams"), request.streams},
            {QStringLiteral("transferee"), request.capabilities.transferee},
            {QStringLiteral("dtmf"), request.capabilities.dtmf}};
}

FullPlaceRequest requestFrom(const QJsonObject &object)
{
    FullPlaceRequest request;
    request.sdp = object.value(QLatin1String("sdp")).toString();
    request.media = {object.value(QLatin1String("audio")).toBool(), object.value(QLatin1String("video")).toBool()};
    request.idempotencyKey = object.value(QLatin1String("key")).toString();
    request.streams = object.value(QLatin1String("streams")).toObject();
    request.capabilities = {object.value(QLatin1String("transferee")).toBool(),
                            object.value(QLatin1String("dtmf")).toBool()};
    return request;
}

QJsonObject conversationJson(const Conversation &conversation)
{
    return {{QStringLiteral("id"), conversation.id},
            {QStringLiteral("room"), conversation.roomId},
            {QStringLiteral("peer"), conversation.peer},
            {QStringLiteral("encrypted"), conversation.encrypted},
            {QStringLiteral("created"), conversation.created}};
}

static Conversation conversationFrom(const QJsonObject &object)
{
    Conversation conversation;
    conversation.id = object.value(QLatin1String("id")).toString();
    conversation.roomId = object.value(QLatin1String("room")).toString();
    conversation.peer = object.value(QLatin1String("peer")).toString();
    conversation.encrypted = object.value(QLatin1String("encrypted")).toBool();
    conversation.created = object.value(QLatin1String("created")).toBool();
    return conversation;
}

QJsonObject openErrand(const ConversationTarget &target)
{
    return {{QStringLiteral("do"), QStringLiteral("open")},
            {QStringLiteral("peer"), target.matrixUser},
            {QStringLiteral("room"), target.roomId}};
}

Expected<Conversation> openedOf(const std::optional<QJsonObject> &answer)
{
    if (!answer)
        return effects::moving();
    const QJsonObject value = answer->value(QLatin1String("ok")).toObject();
    if (value.isEmpty())
        return errorFrom(answer->value(QLatin1String("error")).toObject());
    return conversationFrom(value);
}

Expected<QByteArray> timelineOf(const std::optional<QJsonObject> &answer)
{
    if (!answer)
        return effects::moving();
    const QJsonObject value = answer->value(QLatin1String("ok")).toObject();
    if (value.isEmpty())
        return errorFrom(answer->value(QLatin1String("error")).toObject());
    return value.value(QLatin1String("lines")).toString().toUtf8();
}

} // namespace voip
