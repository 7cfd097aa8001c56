// SPDX-License-Identifier: Apache-2.0
// The JSON of what goes beyond placing, answering and ending (voiphost/midcall.h): streams, capabilities, session
// descriptions, mutes, transfers, identities. Reading never throws and names the field that is wrong.
#pragma once

#include "rest/shapes.h"

#include <voiphost/midcall.h>

namespace bridgehost
{

[[nodiscard]] QJsonObject toJson(const voiphost::FullCall &call);

// The field `streams` (R84); empty when absent.
[[nodiscard]] voiphost::Expected<voiphost::StreamsJson> readStreams(const QJsonObject &body);
[[nodiscard]] voiphost::Expected<voiphost::Capabilities> readCapabilities(const QJsonObject &body);
[[nodiscard]] voiphost::Expected<voiphost::FullPlaceRequest> readFullPlace(const QJsonObject &body);
// As readFullPlace, but the SDP may be absent: to a call that is only awaited there is nothing to place.
[[nodiscard]] voiphost::Expected<voiphost::FullPlaceRequest> readTransferAccept(const QJsonObject &body);
[[nodiscard]] voiphost::Expected<voiphost::AnswerRequest> readAnswer(const QJsonObject &body);
[[nodiscard]] voiphost::Expected<voiphost::SessionDescription> readDescription(const QJsonObject &body);

struct MuteChange { // what is not said stays as it is; at least one is said
    std::optional<bool> audio;
    std::optional<bool> video;
};
[[nodiscard]] voiphost::Expected<MuteChange> readMuteChange(const QJsonObject &body);
[[nodiscard]] voiphost::Expected<voiphost::TransferTarget> readTransferTarget(const QJsonObject &body);
[[nodiscard]] voiphost::Expected<std::optional<voiphost::Identity>> readIdentity(const QJsonObject &body);
// The word that a phone gives as `reason` of a reject.
[[nodiscard]] voiphost::Decline declineOf(const QString &reason);

} // namespace bridgehost
