// SPDX-License-Identifier: Apache-2.0
// The little that has to be read from an ICE candidate's line (RFC 8839): whether it was said before, and whether it
// gives away an address of a private network. Total functions over text.
#pragma once

#include "call/types.h"

namespace voip::call
{

// The same for every way in which browsers write one candidate: its words up to the port, without what they add later
// (R57), and its section. Stable over processes and machines; 0: the end of candidates.
[[nodiscard]] std::uint64_t fingerprint(const Candidate &candidate);
[[nodiscard]] bool isInSdp(const Candidate &candidate, const QString &sdp);
// The description says by itself that nothing comes after it.
[[nodiscard]] bool isComplete(const QString &sdp);
// Whether the SDP asks for no media in either direction.
[[nodiscard]] bool isInactive(const QString &sdp);

[[nodiscard]] bool isPrivateAddress(QStringView address);
// R60: nothing if the candidate is one of a private network (also loopback, link-local, unique local, mDNS), otherwise
// the candidate without the private address that a reflexive or relayed one names as its base.
[[nodiscard]] std::optional<QString> withoutPrivateAddress(const QString &candidate);

} // namespace voip::call
