// SPDX-License-Identifier: Apache-2.0
// Stream metadata (R84..R90) between JSON and the core's Streams. Total functions; what is not understood is ignored,
// never guessed. A stream id is always one of the SDP's: clients look the SDP's streams up in the metadata and fail on
// one that is missing.
#pragma once

#include "call/media.h"

#include <QJsonArray>
#include <QJsonObject>

namespace voip::protocol
{

inline constexpr int maxListedStreams = 16;

// The streams of a description of theirs, with what the content's metadata says of them (also under its old name,
// R90). A stream that is not listed is ignored (R85); without metadata only the first one counts (R86).
[[nodiscard]] call::Streams theirStreams(const QString &sdp, const QJsonObject &content);
// What sdp_stream_metadata_changed lists, whatever the SDP was.
[[nodiscard]] call::Streams listedStreams(const QJsonObject &content);
// The streams of a description of ours. `said` is what the host said of them, in the form of the metadata; a stream
// that it does not name is derived: the first is the user's, a later one with pictures is a screen.
[[nodiscard]] call::Streams ourStreams(const QString &sdp, const QJsonObject &said);

// As it stands in an event. A track that is not there counts as muted, as clients have it.
[[nodiscard]] QJsonObject metadataOf(const call::Streams &streams);
// For the host: only the streams that it shall use.
[[nodiscard]] QJsonArray streamsForHost(const call::Streams &streams);

} // namespace voip::protocol
