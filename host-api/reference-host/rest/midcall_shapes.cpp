// SPDX-License-Identifier: Apache-2.0
// Messages are for developers, so they are not translated.
#include "rest/midcall_shapes.h"

namespace bridgehost
{

using namespace voiphost;

namespace
{

Expected<std::optional<bool>> readFlag(const QJsonObject &object, const QString &field, const QString &path)
{
    const QJsonValue value = object.value(field);
    if (value.isUndefined())
        return std::optional<bool>();
    if (!value.isBool())
        return invalid(QStringLiteral("Field '%1' must be true or false").arg(path));
    return std::optional<bool>(value.toBool());
}

Expected<bool> readFlagOr(const QJsonObject &object, const QString &field, const QString &path, bool otherwise)
{
    const auto flag = readFlag(object, field, path);
    if (!flag)
        return flag.error();
    return flag->value_or(otherwise);
}

std::optional<Error> streamDefect(const QJsonValue &value, const QString &path)
{
    if (!value.isObject())
        return invalid(QStringLiteral("Field '%1' must be an object").arg(path));
    const QJsonObject stream = value.toObject();
    const QJsonValue purpose = stream.value(QLatin1String("purpose"));
    if (purpose != QLatin1String("m.usermedia") && purpose != QLatin1String("m.screenshare"))
        return invalid(QStringLiteral("Field '%1.purpose' must be m.usermedia or m.screenshare").arg(path));
    for (const QString &field : {QStringLiteral("audio_muted"), QStringLiteral("video_muted")}) {
        if (const auto flag = readFlag(stream, field, path + u'.' + field); !flag)
            return flag.error();
    }
    return {};
}

QJsonObject toJson(const Identity &identity)
{
    QJsonObject object;
    if (!identity.id.isEmpty())
        object[QStringLiteral("id")] = identity.id;
    if (!identity.displayName.isEmpty())
        object[QStringLiteral("display_name")] = identity.displayName;
    if (!identity.avatarUrl.isEmpty())
        object[QStringLiteral("avatar_url")] = identity.avatarUrl;
    return object;
}

// The fields that placing and answering have in common.
template <typename Request>
std::optional<Error> readOurSide(const QJsonObject &body, Request &request)
{
    const auto streams = readStreams(body);
    if (!streams)
        return streams.error();
    const auto capabilities = readCapabilities(body);
    if (!capabilities)
        return capabilities.error();
    request.streams = *streams;
    request.capabilities = *capabilities;
    return {};
}

} // namespace

QJsonObject toJson(const FullCall &call)
{
    QJsonObject object = toJson(static_cast<const Call &>(call));
    object[QStringLiteral("muted")] =
        QJsonObject{{QStringLiteral("audio"), call.muted.audio}, {QStringLiteral("video"), call.muted.video}};
    object[QStringLiteral("peer_media")] = QJsonObject{{QStringLiteral("audio_muted"), call.peerMedia.audioMuted},
                                                       {QStringLiteral("video_muted"), call.peerMedia.videoMuted},
                                                       {QStringLiteral("held"), call.peerMedia.held}};
    object[QStringLiteral("peer_capabilities")] =
        QJsonObject{{QStringLiteral("transferee"), call.peerCapabilities.transferee},
                    {QStringLiteral("dtmf"), call.peerCapabilities.dtmf}};
    if (!call.replaces.isEmpty())
        object[QStringLiteral("replaces")] = call.replaces;
    if (call.identity)
        object[QStringLiteral("identity")] = toJson(*call.identity);
    return object;
}

Expected<StreamsJson> readStreams(const QJsonObject &body)
{
    const QJsonValue value = body.value(QLatin1String("streams"));
    if (value.isUndefined())
        return StreamsJson();
    if (!value.isObject())
        return invalid(QStringLiteral("Field 'streams' must be an object"));
    const QJsonObject streams = value.toObject();
    if (streams.size() > maxStreams)
        return invalid(QStringLiteral("Field 'streams' must hold at most %1 streams").arg(maxStreams));
    for (auto it = streams.constBegin(); it != streams.constEnd(); ++it) {
        if (it.key().isEmpty() || it.key().size() > kMaxShortText)
            return invalid(
                QStringLiteral("A stream id in field 'streams' must have 1 to %1 characters").arg(kMaxShortText));
        if (auto defect = streamDefect(it.value(), QStringLiteral("streams.") + it.key()))
            return std::move(*defect);
    }
    return streams;
}

Expected<Capabilities> readCapabilities(const QJsonObject &body)
{
    const QJsonValue value = body.value(QLatin1String("capabilities"));
    if (value.isUndefined())
        return Capabilities();
    if (!value.isObject())
        return invalid(QStringLiteral("Field 'capabilities' must be an object"));
    const auto transferee =
        readFlagOr(value.toObject(), QStringLiteral("transferee"), QStringLiteral("capabilities.transferee"), false);
    if (!transferee)
        return transferee.error();
    const auto dtmf = readFlagOr(value.toObject(), QStringLiteral("dtmf"), QStringLiteral("capabilities.dtmf"), false);
    if (!dtmf)
        return dtmf.error();
    return Capabilities{*transferee, *dtmf};
}

Expected<FullPlaceRequest> readFullPlace(const QJsonObject &body)
{
    const auto plain = readPlace(body);
    if (!plain)
        return plain.error();
    FullPlaceRequest request{*plain, {}, {}};
    if (auto error = readOurSide(body, request))
        return std::move(*error);
    return request;
}

Expected<FullPlaceRequest> readTransferAccept(const QJsonObject &body)
{
    FullPlaceRequest request;
    if (body.contains(QLatin1String("initiator_sdp"))) {
        const auto sdp = readSdp(body, QStringLiteral("initiator_sdp"));
        if (!sdp)
            return sdp.error();
        request.sdp = *sdp;
    }
    const auto media = readMedia(body);
    if (!media)
        return media.error();
    request.media = *media;
    if (auto error = readOurSide(body, request))
        return std::move(*error);
    return request;
}

Expected<AnswerRequest> readAnswer(const QJsonObject &body)
{
    const auto sdp = readSdp(body, QStringLiteral("answer_sdp"));
    if (!sdp)
        return sdp.error();
    AnswerRequest request{*sdp, {}, {}};
    if (auto error = readOurSide(body, request))
        return std::move(*error);
    return request;
}

Expected<SessionDescription> readDescription(const QJsonObject &body)
{
    const auto type = readText(body, QStringLiteral("type"), true);
    if (!type)
        return type.error();
    if (*type != QLatin1String("offer") && *type != QLatin1String("answer"))
        return invalid(QStringLiteral("Field 'type' must be offer or answer"));
    const auto sdp = readSdp(body, QStringLiteral("sdp"));
    if (!sdp)
        return sdp.error();
    const auto streams = readStreams(body);
    if (!streams)
        return streams.error();
    return SessionDescription{*type == QLatin1String("offer") ? SdpType::Offer : SdpType::Answer, *sdp, *streams};
}

Expected<MuteChange> readMuteChange(const QJsonObject &body)
{
    const auto audio = readFlag(body, QStringLiteral("audio_muted"), QStringLiteral("audio_muted"));
    if (!audio)
        return audio.error();
    const auto video = readFlag(body, QStringLiteral("video_muted"), QStringLiteral("video_muted"));
    if (!video)
        return video.error();
    if (!*audio && !*video)
        return invalid(QStringLiteral("At least one of the fields 'audio_muted' and 'video_muted' is needed"));
    return MuteChange{*audio, *video};
}

Expected<TransferTarget> readTransferTarget(const QJsonObject &body)
{
    const auto user = readText(body, QStringLiteral("target_user"), false);
    const auto call = readText(body, QStringLiteral("target_call"), false);
    if (!user || !call)
        return user ? call.error() : user.error();
    if (user->isEmpty() == call->isEmpty())
        return invalid(QStringLiteral("Exactly one of the fields 'target_user' and 'target_call' is needed"));
    if (!user->isEmpty() && (!user->startsWith(u'@') || !user->contains(u':')))
        return Error{ErrorKind::Invalid,
                     QStringLiteral("INVALID_USER"),
                     QStringLiteral("Field 'target_user' is not a Matrix user id"),
                     {}};
    return TransferTarget{*user, *call};
}

Expected<std::optional<Identity>> readIdentity(const QJsonObject &body)
{
    const QJsonValue value = body.value(QLatin1String("identity"));
    if (value.isUndefined())
        return invalid(QStringLiteral("Field 'identity' is missing"));
    if (value.isNull())
        return std::optional<Identity>();
    if (!value.isObject())
        return invalid(QStringLiteral("Field 'identity' must be an object or null"));
    Identity identity;
    const std::pair<QString, QString *> fields[] = {{QStringLiteral("id"), &identity.id},
                                                    {QStringLiteral("display_name"), &identity.displayName},
                                                    {QStringLiteral("avatar_url"), &identity.avatarUrl}};
    for (const auto &[field, target] : fields) {
        const QJsonValue text = value.toObject().value(field);
        if (text.isUndefined())
            continue;
        if (!text.isString() || text.toString().isEmpty() || text.toString().size() > kMaxShortText)
            return invalid(
                QStringLiteral("Field 'identity.%1' must be text of 1 to %2 characters").arg(field).arg(kMaxShortText));
        *target = text.toString();
    }
    if (identity == Identity())
        return invalid(QStringLiteral("Field 'identity' needs 'id', 'display_name' or 'avatar_url'"));
    return std::optional<Identity>(identity);
}

Decline declineOf(const QString &reason)
{
    if (reason == QLatin1String("user_busy"))
        return Decline::Busy;
    if (reason == QLatin1String("ignore"))
        return Decline::Ignore;
    return Decline::Reject;
}

} // namespace bridgehost
