// SPDX-License-Identifier: Apache-2.0
// The little that has to be read from a session description: which kinds of media it has and the stream ids it
// names. Total functions over text of at most maxSdp characters; never logs, never changes an SDP.
#pragma once

#include "call/types.h"

#include <QString>
#include <QVector>

namespace voip::protocol
{

inline constexpr int maxSdp = 64 * 1024;

[[nodiscard]] bool looksLikeSdp(const QString &sdp); // starts with "v=0" and is not too long
[[nodiscard]] call::Media mediaOf(const QString &sdp);

struct Stream {
    QString id; // from a=msid
    bool audio = false;
    bool video = false;
    bool operator==(const Stream &) const = default;
};
// In order of appearance; at most 8 (R84).
[[nodiscard]] QVector<Stream> streamsOf(const QString &sdp);

} // namespace voip::protocol
