// SPDX-License-Identifier: Apache-2.0
#include "protocol/sdp.h"

#include <QStringView>

#include <algorithm>

namespace voip::protocol
{

namespace
{

constexpr int maxStreams = 8;

template <typename Visit>
void eachLine(const QString &sdp, Visit visit)
{
    const QStringView all(sdp);
    qsizetype from = 0;
    while (from < all.size()) {
        qsizetype to = all.indexOf(u'\n', from);
        if (to < 0)
            to = all.size();
        QStringView text = all.sliced(from, to - from);
        if (text.endsWith(u'\r'))
            text.chop(1);
        visit(text);
        from = to + 1;
    }
}

} // namespace

bool looksLikeSdp(const QString &sdp)
{
    return sdp.size() <= maxSdp && sdp.startsWith(QLatin1String("v=0"));
}

call::Media mediaOf(const QString &sdp)
{
    call::Media media{false, false};
    eachLine(sdp, [&media](QStringView text) {
        media.audio = media.audio || text.startsWith(QLatin1String("m=audio "));
        media.video = media.video || text.startsWith(QLatin1String("m=video "));
    });
    return media;
}

QVector<Stream> streamsOf(const QString &sdp)
{
    QVector<Stream> streams;
    bool audio = false;
    bool video = false;
    eachLine(sdp, [&](QStringView text) {
        if (text.startsWith(QLatin1String("m="))) {
            audio = text.startsWith(QLatin1String("m=audio "));
            video = text.startsWith(QLatin1String("m=video "));
            return;
        }
        static constexpr QLatin1String prefix("a=msid:");
        if (!text.startsWith(prefix))
            return;
        QStringView id = text.sliced(prefix.size());
        if (const auto space = id.indexOf(u' '); space >= 0)
            id = id.first(space);
        if (id.isEmpty() || id == u"-")
            return; // a track without a stream (R87)
        auto found = std::find_if(streams.begin(), streams.end(), [&id](const Stream &s) { return s.id == id; });
        if (found == streams.end()) {
            if (streams.size() >= maxStreams)
                return;
            found = streams.insert(streams.end(), Stream{id.toString(), false, false});
        }
        found->audio = found->audio || audio;
        found->video = found->video || video;
    });
    return streams;
}

} // namespace voip::protocol
