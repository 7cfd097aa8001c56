// SPDX-License-Identifier: Apache-2.0
// What is read from session descriptions, over any text.
#include "fuzz.h"
#include "protocol/sdp.h"

using namespace voip;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size)
{
    const bool raw = size > 0 && bytes[0] == 'v';
    FuzzedDataProvider data(bytes, size);
    const QString sdp =
        raw ? QString::fromUtf8(reinterpret_cast<const char *>(bytes), static_cast<qsizetype>(size)) : fuzz::sdp(data);
    const auto media = protocol::mediaOf(sdp);
    fuzz::must(!media.audio || sdp.contains(QLatin1String("m=audio ")), "audio out of nothing");
    fuzz::must(!media.video || sdp.contains(QLatin1String("m=video ")), "video out of nothing");
    const auto streams = protocol::streamsOf(sdp);
    fuzz::must(streams.size() <= 8, "too many streams");
    for (const auto &stream : streams)
        fuzz::must(!stream.id.isEmpty() && sdp.contains(stream.id), "stream id out of nothing");
    if (protocol::looksLikeSdp(sdp))
        fuzz::must(sdp.startsWith(QLatin1String("v=0")) && sdp.size() <= protocol::maxSdp, "no SDP");
    return 0;
}
