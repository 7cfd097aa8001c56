// SPDX-License-Identifier: Apache-2.0
// What a timeline keeps when its SDP is cut out.
#pragma once

#include <QJsonObject>

namespace voip::replay
{

// A line (header, input or output) without what lets anybody into the call. An SDP stays one, and what stands in the
// place of an SDP and is none stays none, so that the line replays to the same. Cut once more it stays as it is.
[[nodiscard]] QJsonObject withoutSdp(const QJsonObject &line);

} // namespace voip::replay
