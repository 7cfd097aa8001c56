// SPDX-License-Identifier: Apache-2.0
#include "protocol/sdp.h"

#include "call/candidate.h"

#include <QStringList>
#include <QStringView>

#include <algorithm>
#include <array>

namespace voip::protocol
{

using namespace voip::call;

namespace
{

constexpr int maxStreams = 8;

enum class Direction { SendRecv, SendOnly, RecvOnly, Inactive };

struct Section {
    bool audio = false;
    bool video = false;
    bool rejected = false;
    Direction direction = Direction::SendRecv;
};

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

std::optional<Direction> directionOf(QStringView line)
{
    if (line == u"a=sendrecv")
        return Direction::SendRecv;
    if (line == u"a=sendonly")
        return Direction::SendOnly;
    if (line == u"a=recvonly")
        return Direction::RecvOnly;
    if (line == u"a=inactive")
        return Direction::Inactive;
    return std::nullopt;
}

// The sections with sound or pictures, with what they say of their direction.
QVector<Section> sectionsOf(const QString &sdp)
{
    QVector<Section> sections;
    Direction ofSession = Direction::SendRecv;
    bool inside = false;  // a section has begun
    bool counted = false; // and it is one of ours
    eachLine(sdp, [&](QStringView line) {
        if (line.startsWith(u"m=")) {
            const bool audio = line.startsWith(u"m=audio ");
            const bool video = line.startsWith(u"m=video ");
            inside = true;
            counted = audio || video;
            const bool rejected = line.mid(8).startsWith(u"0 ");
            if (counted)
                sections.push_back({audio, video, rejected, ofSession});
            return;
        }
        if (counted && line == u"a=bundle-only")
            sections.last().rejected = false; // port 0 means something else then (RFC 8843)
        const auto direction = directionOf(line);
        if (direction && !inside)
            ofSession = *direction;
        else if (direction && counted)
            sections.last().direction = *direction;
    });
    return sections;
}

// What all sections that are in use agree in, or nothing.
template <typename Wanted>
bool allActive(const QString &sdp, Wanted wanted)
{
    bool any = false;
    for (const Section &section : sectionsOf(sdp)) {
        if (section.rejected)
            continue;
        any = true;
        if (!wanted(section.direction))
            return false;
    }
    return any;
}

QStringList linesOf(const QString &sdp)
{
    QStringList lines;
    eachLine(sdp, [&lines](QStringView line) { lines.push_back(line.toString()); });
    return lines;
}

// A line that ends in an address.
bool namesHost(QStringView line)
{
    return line.startsWith(u"c=") || line.startsWith(u"o=") || line.startsWith(u"a=rtcp:");
}

QString withoutPrivateHost(QStringView line)
{
    const auto space = line.lastIndexOf(u' ');
    const QStringView address = line.sliced(space + 1);
    if (space < 0 || !isPrivateAddress(address))
        return line.toString();
    return line.first(space + 1).toString() + QLatin1String(address.contains(u':') ? "::" : "0.0.0.0");
}

QString joined(const QStringList &lines)
{
    return lines.isEmpty() ? QString() : lines.join(QLatin1String("\r\n")) + QLatin1String("\r\n");
}

} // namespace

bool looksLikeSdp(const QString &sdp)
{
    return sdp.size() <= maxSdp && sdp.startsWith(QLatin1String("v=0"));
}

Media mediaOf(const QString &sdp)
{
    Media media{false, false};
    for (const Section &section : sectionsOf(sdp)) {
        media.audio = media.audio || section.audio;
        media.video = media.video || section.video;
    }
    return media;
}

Media activeMediaOf(const QString &sdp)
{
    Media media{false, false};
    for (const Section &section : sectionsOf(sdp)) {
        media.audio = media.audio || (section.audio && !section.rejected);
        media.video = media.video || (section.video && !section.rejected && section.direction != Direction::Inactive);
    }
    return media;
}

bool offerHolds(const QString &sdp)
{
    return allActive(sdp, [](Direction d) { return d == Direction::SendOnly || d == Direction::Inactive; });
}

std::optional<bool> answerHolds(const QString &sdp)
{
    if (allActive(sdp, [](Direction d) { return d == Direction::Inactive; }))
        return std::nullopt;
    return offerHolds(sdp);
}

QVector<SdpStream> streamsOf(const QString &sdp)
{
    QVector<SdpStream> streams;
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
        auto found = std::find_if(streams.begin(), streams.end(), [&id](const SdpStream &s) { return s.id == id; });
        if (found == streams.end()) {
            if (streams.size() >= maxStreams)
                return;
            found = streams.insert(streams.end(), SdpStream{id.toString(), false, false});
        }
        found->audio = found->audio || audio;
        found->video = found->video || video;
    });
    return streams;
}

QString withCandidates(const QString &sdp, const QVector<Candidate> &candidates)
{
    if (candidates.isEmpty())
        return sdp;
    QStringList lines = linesOf(sdp);
    struct Place {
        qsizetype end = 0; // behind its last line
        QString mid;
    };
    QVector<Place> sections;
    for (qsizetype i = 0; i < lines.size(); ++i) {
        if (lines[i].startsWith(QLatin1String("m=")))
            sections.push_back({});
        if (sections.isEmpty())
            continue;
        sections.last().end = i + 1;
        if (lines[i].startsWith(QLatin1String("a=mid:")))
            sections.last().mid = lines[i].mid(6);
    }
    // From the last section on, so that the places before stay right.
    for (qsizetype s = sections.size() - 1; s >= 0; --s) {
        qsizetype at = sections[s].end;
        for (const Candidate &candidate : candidates) {
            const bool here = candidate.sdpMLineIndex ? *candidate.sdpMLineIndex == s
                                                      : candidate.sdpMid && *candidate.sdpMid == sections[s].mid;
            const bool odd = candidate.candidate.contains(u'\n') || candidate.candidate.contains(u'\r');
            if (here && !odd && !candidate.candidate.isEmpty() && !isInSdp(candidate, sdp))
                lines.insert(at++, QLatin1String("a=") + candidate.candidate);
        }
    }
    return joined(lines);
}

QString withoutPrivateAddresses(const QString &sdp)
{
    static constexpr QLatin1String prefix("a=candidate:");
    QStringList kept;
    eachLine(sdp, [&kept](QStringView line) {
        if (namesHost(line))
            return kept.push_back(withoutPrivateHost(line));
        if (!line.startsWith(prefix))
            return kept.push_back(line.toString());
        if (const auto rest = withoutPrivateAddress(line.sliced(2).toString()))
            kept.push_back(QLatin1String("a=") + *rest);
    });
    return joined(kept);
}

QString redacted(const QString &sdp)
{
    static constexpr QLatin1String mark("s=redacted, ");
    static constexpr std::array kept = {u"m=",           u"a=mid:", u"a=msid:", u"a=candidate:", u"a=end-of-candidates",
                                        u"a=bundle-only"};
    QStringList lines{QStringLiteral("v=0"), {}};
    qsizetype cut = 0;
    std::uint32_t print = 0x811c9dc5u; // FNV-1a: tells two descriptions apart and nothing of what was in them
    eachLine(sdp, [&lines, &cut, &print](QStringView line) {
        if (line.startsWith(mark) && line.size() < 64)
            lines[1] = line.toString();
        else if (directionOf(line) || std::any_of(kept.begin(), kept.end(), [line](const char16_t *prefix) {
                     return line.startsWith(QStringView(prefix));
                 }))
            lines.push_back(line.toString());
        else if (line != u"v=0") {
            const QStringView said = namesHost(line) ? line.first(line.lastIndexOf(u' ') + 1) : line;
            cut += said.size();
            for (const QChar c : said)
                print = (print ^ c.unicode()) * 0x01000193u;
        }
    });
    if (lines[1].isEmpty()) // what the core adds or takes away, addresses too, is not counted
        lines[1] = QStringLiteral("%1%2 characters (%3)").arg(mark).arg(cut).arg(print, 8, 16, QLatin1Char('0'));
    return joined(lines);
}

} // namespace voip::protocol
