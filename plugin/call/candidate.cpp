// SPDX-License-Identifier: Apache-2.0
#include "call/candidate.h"

#include <QList>
#include <QStringView>

#include <algorithm>
#include <array>

namespace voip::call
{

namespace
{

// candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type> [raddr <address> rport <port>]
constexpr int addressWord = 4;
constexpr int wordsToPort = 6;
constexpr int maxWords = 64;

qsizetype endOfPort(QStringView text)
{
    qsizetype end = -1;
    for (int word = 0; word < wordsToPort; ++word) {
        end = text.indexOf(u' ', end + 1);
        if (end < 0)
            return -1;
    }
    return end;
}

std::optional<std::array<int, 4>> ipv4(QStringView text)
{
    const auto parts = text.split(u'.');
    if (parts.size() != 4)
        return std::nullopt;
    std::array<int, 4> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bool good = false;
        bytes[i] = parts[static_cast<qsizetype>(i)].toInt(&good);
        if (!good || bytes[i] < 0 || bytes[i] > 255)
            return std::nullopt;
    }
    return bytes;
}

// Whether a line of the SDP begins with "a=" and this. Descriptions are long, and looked through often.
bool hasAttribute(QStringView sdp, QStringView begin)
{
    const auto isIt = [begin](QStringView line) {
        return line.size() >= begin.size() + 2 && line[0] == u'a' && line[1] == u'=' && line[2] == begin[0] &&
               line.sliced(2).startsWith(begin);
    };
    for (auto end = sdp.indexOf(u'\n'); end >= 0; end = sdp.indexOf(u'\n')) {
        if (isIt(sdp.first(end)))
            return true;
        sdp = sdp.sliced(end + 1);
    }
    return isIt(sdp);
}

} // namespace

bool isPrivateAddress(QStringView address)
{
    if (address.endsWith(u".local", Qt::CaseInsensitive))
        return true; // mDNS: says that there is a private address, and works only there
    if (address.startsWith(u"::ffff:", Qt::CaseInsensitive))
        address = address.sliced(7);
    if (const auto bytes = ipv4(address)) {
        const auto [a, b, c, d] = *bytes;
        return a == 10 || a == 127 || a == 0 || (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) ||
               (a == 169 && b == 254) || (a == 100 && b >= 64 && b < 128);
    }
    if (!address.contains(u':'))
        return false;
    static constexpr std::array prefixes = {u"fe8", u"fe9", u"fea", u"feb", u"fc", u"fd"};
    return address == u"::1" || address == u"::" ||
           std::any_of(prefixes.begin(), prefixes.end(),
                       [address](const char16_t *prefix) { return address.startsWith(prefix, Qt::CaseInsensitive); });
}

std::uint64_t fingerprint(const Candidate &candidate)
{
    if (candidate.candidate.isEmpty())
        return 0;
    const QStringView all(candidate.candidate);
    const auto end = endOfPort(all);
    std::uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
    const auto add = [&hash](QStringView text) {
        for (const QChar c : text)
            hash = (hash ^ c.unicode()) * 0x100000001b3u;
        hash = (hash ^ u'\n') * 0x100000001b3u;
    };
    add(end < 0 ? all : all.first(end));
    // TCP candidates of all sections have the same words.
    add(candidate.sdpMLineIndex ? QString::number(*candidate.sdpMLineIndex) : candidate.sdpMid.value_or(QString()));
    return hash == 0 ? 1 : hash;
}

bool isInSdp(const Candidate &candidate, const QString &sdp)
{
    const QStringView all(candidate.candidate);
    const auto end = endOfPort(all);
    if (end < 0 || !hasAttribute(sdp, all.first(end + 1)))
        return false; // nearly always
    // In its own section? "a=mid" may stand behind it.
    int section = -1;
    bool found = false;
    QStringView mid;
    const auto isHere = [&] {
        if (candidate.sdpMLineIndex && section >= 0)
            return found && section == *candidate.sdpMLineIndex;
        return found && (!candidate.sdpMid || mid.isEmpty() || mid == *candidate.sdpMid); // without a name it is any
    };
    for (const QStringView line : QStringView(sdp).split(u'\n')) {
        if (line.startsWith(u"m=")) {
            if (isHere())
                return true;
            ++section;
            found = false;
            mid = {};
        } else if (line.startsWith(u"a=mid:")) {
            mid = line.sliced(6).trimmed();
        } else if (line.startsWith(u"a=") && line.sliced(2).startsWith(all.first(end + 1))) {
            found = true;
        }
    }
    return isHere();
}

bool isComplete(const QString &sdp)
{
    return hasAttribute(sdp, u"end-of-candidates");
}

bool isInactive(const QString &sdp)
{
    return hasAttribute(sdp, u"inactive") && !hasAttribute(sdp, u"sendrecv") && !hasAttribute(sdp, u"sendonly") &&
           !hasAttribute(sdp, u"recvonly");
}

std::optional<QString> withoutPrivateAddress(const QString &candidate)
{
    QStringList words = candidate.split(u' ');
    if (words.size() <= wordsToPort || words.size() > maxWords)
        return candidate; // the end of candidates, or nothing that we can judge
    if (isPrivateAddress(words[addressWord]))
        return std::nullopt;
    bool changed = false;
    for (qsizetype i = wordsToPort; i + 1 < words.size(); ++i) {
        if (words[i] == QLatin1String("raddr") && isPrivateAddress(words[i + 1])) {
            words[i + 1] = words[i + 1].contains(u':') ? QStringLiteral("::") : QStringLiteral("0.0.0.0");
            changed = true;
        } else if (words[i] == QLatin1String("rport") && changed) {
            words[i + 1] = QStringLiteral("9");
        }
    }
    return changed ? words.join(u' ') : candidate;
}

} // namespace voip::call
