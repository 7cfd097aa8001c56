// SPDX-License-Identifier: Apache-2.0
#include "call/media.h"

#include <algorithm>
#include <utility>

namespace voip::call
{

Mute muteOf(const Streams &streams)
{
    for (const Stream &stream : streams) {
        if (stream.used() && stream.purpose == Purpose::Usermedia)
            return {stream.audioMuted, stream.videoMuted};
    }
    return {};
}

Streams withMute(Streams streams, const Mute &mute)
{
    for (Stream &stream : streams) {
        if (stream.purpose != Purpose::Usermedia)
            continue;
        stream.audioMuted = stream.audioMuted || mute.audio || !stream.hasAudio;
        stream.videoMuted = stream.videoMuted || mute.video || !stream.hasVideo;
    }
    return streams;
}

namespace
{

constexpr int maxRemembered = 16;

auto findIn(const Streams &streams, const QString &id)
{
    return std::find_if(streams.cbegin(), streams.cend(), [&id](const Stream &entry) { return entry.id == id; });
}

} // namespace

Streams changedBy(Streams streams, const Streams &listed)
{
    for (Stream &stream : streams) {
        const auto found = findIn(listed, stream.id);
        if (found == listed.cend())
            continue;
        stream.purpose = found->purpose;
        stream.audioMuted = found->audioMuted;
        stream.videoMuted = found->videoMuted;
    }
    return streams;
}

Streams renewedBy(const Streams &before, Streams now)
{
    for (Stream &stream : now) {
        const auto known = findIn(before, stream.id);
        if (!std::exchange(stream.listed, true) && known != before.cend()) {
            stream.purpose = known->purpose;
            stream.audioMuted = known->audioMuted;
            stream.videoMuted = known->videoMuted;
        }
    }
    for (const Stream &known : before) {
        if (now.size() >= maxRemembered)
            break;
        if (findIn(now, known.id) == now.cend())
            now.push_back({known.id, known.purpose, false, false, known.audioMuted, known.videoMuted});
    }
    return now;
}

} // namespace voip::call
