// SPDX-License-Identifier: Apache-2.0
#include "protocol/streams.h"

#include "protocol/sdp.h"

#include <QJsonValue>

namespace voip::protocol
{

using namespace voip::call;

namespace
{

constexpr int maxStreamId = 255;

QString nameOf(Purpose purpose)
{
    switch (purpose) {
    case Purpose::Usermedia:
        return QStringLiteral("m.usermedia");
    case Purpose::Screenshare:
        return QStringLiteral("m.screenshare");
    case Purpose::Ignored:
        break;
    }
    return {};
}

Purpose purposeOf(const QString &name)
{
    for (const Purpose purpose : {Purpose::Usermedia, Purpose::Screenshare}) {
        if (name == nameOf(purpose))
            return purpose;
    }
    return Purpose::Ignored; // R85
}

std::optional<QJsonObject> metadataIn(const QJsonObject &content)
{
    for (const char *key : {"sdp_stream_metadata", "org.matrix.msc3077.sdp_stream_metadata"}) { // R90
        if (const QJsonValue value = content.value(QLatin1String(key)); value.isObject())
            return value.toObject();
    }
    return std::nullopt;
}

void apply(const QJsonObject &said, Stream &stream)
{
    stream.purpose = purposeOf(said.value(QLatin1String("purpose")).toString());
    stream.audioMuted = said.value(QLatin1String("audio_muted")).toBool(false);
    stream.videoMuted = said.value(QLatin1String("video_muted")).toBool(false);
}

Streams streamsIn(const QString &sdp)
{
    Streams streams;
    for (const SdpStream &found : streamsOf(sdp))
        streams.push_back({found.id, Purpose::Usermedia, found.audio, found.video, false, false});
    return streams;
}

} // namespace

Streams theirStreams(const QString &sdp, const QJsonObject &content)
{
    Streams streams = streamsIn(sdp);
    const auto metadata = metadataIn(content);
    for (qsizetype i = 0; i < streams.size(); ++i) {
        Stream &stream = streams[i];
        stream.listed = metadata && metadata->contains(stream.id);
        if (metadata)
            apply(metadata->value(stream.id).toObject(), stream);
        else if (i > 0)
            stream.purpose = Purpose::Ignored;
    }
    return streams;
}

Streams listedStreams(const QJsonObject &content)
{
    Streams streams;
    const QJsonObject metadata = metadataIn(content).value_or(QJsonObject());
    for (auto it = metadata.constBegin(); it != metadata.constEnd() && streams.size() < maxListedStreams; ++it) {
        if (it.key().isEmpty() || it.key().size() > maxStreamId)
            continue;
        Stream stream;
        stream.id = it.key();
        apply(it.value().toObject(), stream);
        streams.push_back(stream);
    }
    return streams;
}

Streams ourStreams(const QString &sdp, const QJsonObject &said)
{
    Streams streams = streamsIn(sdp);
    for (qsizetype i = 0; i < streams.size(); ++i) {
        Stream &stream = streams[i];
        if (i > 0 && stream.hasVideo)
            stream.purpose = Purpose::Screenshare;
        if (const QJsonValue value = said.value(stream.id); value.isObject())
            apply(value.toObject(), stream);
        if (stream.purpose == Purpose::Ignored)
            stream.purpose = Purpose::Usermedia; // it is sent, so it is listed
    }
    return streams;
}

QJsonObject metadataOf(const Streams &streams)
{
    QJsonObject metadata;
    for (const Stream &stream : streams) {
        metadata.insert(stream.id, QJsonObject{{QStringLiteral("purpose"), nameOf(stream.purpose)},
                                               {QStringLiteral("audio_muted"), stream.audioMuted || !stream.hasAudio},
                                               {QStringLiteral("video_muted"), stream.videoMuted || !stream.hasVideo}});
    }
    return metadata;
}

QJsonArray streamsForHost(const Streams &streams)
{
    QJsonArray list;
    for (const Stream &stream : streams) {
        if (!stream.used())
            continue;
        list.append(QJsonObject{{QStringLiteral("id"), stream.id},
                                {QStringLiteral("purpose"), nameOf(stream.purpose)},
                                {QStringLiteral("audio_muted"), stream.audioMuted},
                                {QStringLiteral("video_muted"), stream.videoMuted}});
    }
    return list;
}

} // namespace voip::protocol
