// SPDX-License-Identifier: Apache-2.0
// Readers and writers of the call API's JSON. Messages are for developers, so they are not translated.
#include "rest/shapes.h"

#include <QDateTime>
#include <QJsonArray>
#include <QJsonDocument>

#include <cmath>

namespace bridgehost
{

using namespace voiphost;

namespace
{

QString iso(qint64 ms)
{
    return QDateTime::fromMSecsSinceEpoch(ms).toUTC().toString(Qt::ISODateWithMs);
}

Expected<bool> readFlag(const QJsonObject &object, const QString &field, const QString &path, bool fallback)
{
    const QJsonValue value = object.value(field);
    if (value.isUndefined())
        return fallback;
    if (!value.isBool())
        return invalid(QStringLiteral("Field '%1' must be true or false").arg(path));
    return value.toBool();
}

Expected<IceCandidate> readCandidate(const QJsonValue &value, const QString &path)
{
    if (!value.isObject())
        return invalid(QStringLiteral("Field '%1' must be an object").arg(path));
    const QJsonObject object = value.toObject();
    IceCandidate candidate;
    const QJsonValue line = object.value(QLatin1String("candidate"));
    if (!line.isString() || line.toString().size() > kMaxCandidate)
        return invalid(
            QStringLiteral("Field '%1.candidate' must be text of at most %2 characters").arg(path).arg(kMaxCandidate));
    candidate.candidate = line.toString();
    const QJsonValue mid = object.value(QLatin1String("sdpMid"));
    if (!mid.isUndefined() && !mid.isNull()) {
        if (!mid.isString() || mid.toString().size() > kMaxShortText)
            return invalid(
                QStringLiteral("Field '%1.sdpMid' must be text of at most %2 characters").arg(path).arg(kMaxShortText));
        candidate.sdpMid = mid.toString();
    }
    const QJsonValue index = object.value(QLatin1String("sdpMLineIndex"));
    if (!index.isUndefined() && !index.isNull()) {
        if (!index.isDouble() || index.toDouble() != double(index.toInteger(-1)) || index.toInteger(-1) < 0 ||
            index.toInteger() > 255)
            return invalid(
                QStringLiteral("Field '%1.sdpMLineIndex' must be a whole number between 0 and 255").arg(path));
        candidate.sdpMLineIndex = index.toInt();
    }
    // R49: one of the two is enough, and the end of candidates needs neither.
    if (!candidate.candidate.isEmpty() && !candidate.sdpMid && !candidate.sdpMLineIndex)
        return invalid(QStringLiteral("Field '%1' needs 'sdpMid' or 'sdpMLineIndex'").arg(path));
    return candidate;
}

} // namespace

Error invalid(const QString &message)
{
    return {ErrorKind::Invalid, QStringLiteral("INVALID_REQUEST"), message, {}};
}

int statusOf(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::Invalid:
        return 400;
    case ErrorKind::Unauthorized:
        return 401;
    case ErrorKind::Forbidden:
        return 403;
    case ErrorKind::NotFound:
        return 404;
    case ErrorKind::Conflict:
        return 409;
    case ErrorKind::TooLarge:
        return 413;
    case ErrorKind::RateLimited:
        return 429;
    case ErrorKind::Unavailable:
        return 503;
    }
    return 500;
}

Reply toReply(const Error &error)
{
    Reply reply = errorReply(statusOf(error.kind), error.code, error.message, error.details);
    const double wait = error.details.value(QLatin1String("retry_after_ms")).toDouble();
    if (error.kind == ErrorKind::RateLimited && wait > 0)
        reply.headers.emplace_back("Retry-After", QByteArray::number(std::ceil(wait / 1000), 'f', 0));
    return reply;
}

QJsonObject toJson(const Media &media)
{
    return {{QStringLiteral("audio"), media.audio}, {QStringLiteral("video"), media.video}};
}

QJsonObject toJson(const Call &call)
{
    QJsonObject object{
        {QStringLiteral("id"), call.id},
        {QStringLiteral("conversation_id"), call.conversationId},
        {QStringLiteral("direction"), toString(call.direction)},
        {QStringLiteral("peer"), call.peer},
        {QStringLiteral("status"), toString(call.status)},
        {QStringLiteral("created_at"), iso(call.createdAt)},
        {QStringLiteral("media"), toJson(call.media)},
        {QStringLiteral("matrix"), QJsonObject{{QStringLiteral("room_id"), call.roomId},
                                               {QStringLiteral("call_id"), call.matrixCallId},
                                               {QStringLiteral("party_id"), call.partyId}}},
    };
    if (call.answeredAt)
        object[QStringLiteral("answered_at")] = iso(*call.answeredAt);
    if (call.endedAt)
        object[QStringLiteral("ended_at")] = iso(*call.endedAt);
    if (!call.reason.isEmpty())
        object[QStringLiteral("reason")] = call.reason;
    return object;
}

QJsonObject toJson(const Conversation &conversation)
{
    return {{QStringLiteral("id"), conversation.id},
            {QStringLiteral("room_id"), conversation.roomId},
            {QStringLiteral("peer"), conversation.peer},
            {QStringLiteral("encrypted"), conversation.encrypted}};
}

QJsonObject toJson(const IceServers &servers)
{
    QJsonArray list;
    if (!servers.urls.isEmpty()) {
        QJsonObject server{{QStringLiteral("urls"), QJsonArray::fromStringList(servers.urls)}};
        if (!servers.username.isEmpty())
            server[QStringLiteral("username")] = servers.username;
        if (!servers.credential.isEmpty())
            server[QStringLiteral("credential")] = servers.credential;
        list.append(server);
    }
    return {{QStringLiteral("ice_servers"), list}, {QStringLiteral("ttl"), servers.ttlSeconds}};
}

Expected<QJsonObject> readBody(const QByteArray &body)
{
    if (body.trimmed().isEmpty())
        return QJsonObject();
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(body, &error);
    if (error.error != QJsonParseError::NoError)
        return Error{ErrorKind::Invalid,
                     QStringLiteral("INVALID_JSON"),
                     QStringLiteral("The body is not JSON: %1 at byte %2").arg(error.errorString()).arg(error.offset),
                     {}};
    if (!document.isObject())
        return Error{
            ErrorKind::Invalid, QStringLiteral("INVALID_JSON"), QStringLiteral("The body must be a JSON object"), {}};
    return document.object();
}

Expected<QString> readSdp(const QJsonObject &body, const QString &field)
{
    const auto bad = [](const QString &message) {
        return Error{ErrorKind::Invalid, QStringLiteral("INVALID_SDP"), message, {}};
    };
    const QJsonValue value = body.value(field);
    if (value.isUndefined())
        return bad(QStringLiteral("Field '%1' is missing").arg(field));
    if (!value.isString())
        return bad(QStringLiteral("Field '%1' must be text").arg(field));
    const QString sdp = value.toString();
    if (sdp.toUtf8().size() > kMaxSdp)
        return bad(QStringLiteral("Field '%1' is over %2 bytes").arg(field).arg(kMaxSdp));
    if (!sdp.startsWith(QLatin1String("v=0")))
        return bad(QStringLiteral("Field '%1' is not SDP: it must begin with v=0").arg(field));
    return sdp;
}

Expected<QString> readText(const QJsonObject &body, const QString &field, bool required, qsizetype max)
{
    const QJsonValue value = body.value(field);
    if (value.isUndefined() && !required)
        return QString();
    if (value.isUndefined())
        return invalid(QStringLiteral("Field '%1' is missing").arg(field));
    if (!value.isString())
        return invalid(QStringLiteral("Field '%1' must be text").arg(field));
    if (value.toString().isEmpty() || value.toString().size() > max)
        return invalid(QStringLiteral("Field '%1' must have 1 to %2 characters").arg(field).arg(max));
    return value.toString();
}

Expected<Media> readMedia(const QJsonObject &body)
{
    const QString field = QStringLiteral("media");
    const QJsonValue value = body.value(field);
    if (value.isUndefined())
        return Media{};
    if (!value.isObject())
        return invalid(QStringLiteral("Field 'media' must be an object"));
    const auto audio = readFlag(value.toObject(), QStringLiteral("audio"), QStringLiteral("media.audio"), true);
    if (!audio)
        return audio.error();
    const auto video = readFlag(value.toObject(), QStringLiteral("video"), QStringLiteral("media.video"), false);
    if (!video)
        return video.error();
    if (!*audio && !*video)
        return invalid(QStringLiteral("Field 'media' must have audio or video"));
    return Media{*audio, *video};
}

Expected<QList<IceCandidate>> readCandidates(const QJsonObject &body)
{
    const QJsonValue value = body.value(QLatin1String("candidates"));
    if (value.isUndefined())
        return invalid(QStringLiteral("Field 'candidates' is missing"));
    if (!value.isArray())
        return invalid(QStringLiteral("Field 'candidates' must be an array"));
    const QJsonArray array = value.toArray();
    if (array.isEmpty() || array.size() > kMaxCandidates)
        return invalid(QStringLiteral("Field 'candidates' must hold 1 to %1 candidates").arg(kMaxCandidates));
    QList<IceCandidate> list;
    for (qsizetype i = 0; i < array.size(); ++i) {
        const auto candidate = readCandidate(array.at(i), QStringLiteral("candidates[%1]").arg(i));
        if (!candidate)
            return candidate.error();
        list.append(*candidate);
    }
    return list;
}

Expected<MediaState> readMediaState(const QJsonObject &body)
{
    const auto state = readText(body, QStringLiteral("state"), true);
    if (!state)
        return state.error();
    if (*state == QLatin1String("connected"))
        return MediaState::Connected;
    if (*state == QLatin1String("disconnected"))
        return MediaState::Disconnected;
    if (*state == QLatin1String("failed"))
        return MediaState::Failed;
    return invalid(QStringLiteral("Field 'state' must be connected, disconnected or failed"));
}

Expected<PlaceRequest> readPlace(const QJsonObject &body)
{
    const auto sdp = readSdp(body, QStringLiteral("initiator_sdp"));
    if (!sdp)
        return sdp.error();
    const auto type = readText(body, QStringLiteral("call_type"), false);
    if (!type)
        return type.error();
    if (!type->isEmpty() && *type != QLatin1String("direct"))
        return invalid(QStringLiteral("Field 'call_type' must be direct"));
    const auto media = readMedia(body);
    if (!media)
        return media.error();
    const auto key = readText(body, QStringLiteral("idempotency_key"), false);
    if (!key)
        return key.error();
    return PlaceRequest{*sdp, *media, *key};
}

} // namespace bridgehost
