// SPDX-License-Identifier: Apache-2.0
#include "call/media.h"

#include <algorithm>

namespace voip::call
{

Mute muteOf(const Streams &streams)
{
    for (const Stream &stream : streams) {
        if (stream.purpose == Purpose::Usermedia)
            return {stream.audioMuted, stream.videoMuted};
    }
    return {};
}

Streams withMute(Streams streams, const Mute &mute)
{
    for (Stream &stream : streams) {
        if (stream.purpose != Purpose::Usermedia)
            continue;
        stream.audioMuted = stream.audioMuted || mute.audio;
        stream.videoMuted = stream.videoMuted || mute.video;
    }
    return streams;
}

Streams changedBy(Streams streams, const Streams &listed)
{
    for (Stream &stream : streams) {
        const auto found = std::find_if(listed.cbegin(), listed.cend(),
                                        [&stream](const Stream &entry) { return entry.id == stream.id; });
        stream.purpose = found == listed.cend() ? Purpose::Ignored : found->purpose;
        if (found == listed.cend())
            continue;
        stream.audioMuted = found->audioMuted;
        stream.videoMuted = found->videoMuted;
    }
    return streams;
}

} // namespace voip::call
