// SPDX-License-Identifier: Apache-2.0
// Clients as they are: a profile is how one client would have sent what comes from Matrix in a scenario. It changes how
// it is said, never what; so the host must be told the same and the same must be sent. What a scenario tests may not be
// a matter of that client: its header says so, "not_for": {"v0": "why"}.
#pragma once

#include "timeline.h"

#include <QStringList>

namespace profiles
{

enum class Client {
    JsSdk, // unstable names, capabilities, no invitee, an age twice, device ids as party ids, more fields
    Nheko, // one event for each candidate, one of sdpMid and sdpMLineIndex, no end of candidates, two minutes to answer
    V0     // version 0: a number, no party ids, no reject (a hangup without reason), no metadata
};

[[nodiscard]] QStringList names();
[[nodiscard]] Client client(const QString &name);
// Empty, or why the scenario is not played as that client.
[[nodiscard]] QString notFor(const timeline::Lines &scenario, const QString &name);
// The header and inputs; as many lines as before, so that the same ids are drawn.
[[nodiscard]] timeline::Lines as(Client client, const timeline::Lines &scenario);
// What must be the same: signals with reasons, types sent, states at the end.
[[nodiscard]] QStringList gist(Client client, const timeline::Played &played, bool original);
// Types that a peer of version 0 must never get, among what was sent.
[[nodiscard]] QStringList foreignToV0(const timeline::Played &played);

} // namespace profiles
