// SPDX-License-Identifier: Apache-2.0
// The little that has to be read from a session description, and the little that is changed in one: which kinds of
// media it has and leaves active, whether it holds the other side, the stream ids it names; candidates folded in,
// private addresses taken out, secrets cut out. Total functions over text of at most maxSdp characters; never logs.
// Everything else of an SDP passes through as it came: no codec is added, dropped or reordered (R92).
#pragma once

#include "call/types.h"

#include <QString>
#include <QVector>

namespace voip::protocol
{

inline constexpr int maxSdp = 64 * 1024;

[[nodiscard]] bool looksLikeSdp(const QString &sdp); // starts with "v=0" and is not too long
[[nodiscard]] call::Media mediaOf(const QString &sdp);
// Without sections that are rejected (port 0) or inactive; audio counts also when it is held.
[[nodiscard]] call::Media activeMediaOf(const QString &sdp);
// Whether who says this wants nothing of the other side (R77): all its audio and video is sendonly or inactive.
// Nothing: an answer that is inactive says only that one of the two does not want.
[[nodiscard]] bool offerHolds(const QString &sdp);
[[nodiscard]] std::optional<bool> answerHolds(const QString &sdp);

struct SdpStream {
    QString id; // from a=msid
    bool audio = false;
    bool video = false;
    bool operator==(const SdpStream &) const = default;
};
// In order of appearance; at most 8. Tracks without a stream are passed over (R87).
[[nodiscard]] QVector<SdpStream> streamsOf(const QString &sdp);

// The candidates written into their sections (R50, R59); those of no section that is there are left out.
[[nodiscard]] QString withCandidates(const QString &sdp, const QVector<call::Candidate> &candidates);
// R60.
[[nodiscard]] QString withoutPrivateAddresses(const QString &sdp);
// For timelines: the skeleton that the call core and this file read, and nothing that lets anybody into the call. What
// is cut out once stays as it is the second time, so that such a timeline replays to the same lines.
[[nodiscard]] QString redacted(const QString &sdp);

} // namespace voip::protocol
