// SPDX-License-Identifier: Apache-2.0
// The lines that a timeline begins with and those of its inputs: the other direction of timeline.h. Private to replay/.
#pragma once

#include "replay/recorder.h"

namespace voip::replay
{

[[nodiscard]] QByteArray headerLine(const call::Line &line, const QString &roomId);
[[nodiscard]] QByteArray inputLine(const Recorded &recorded);

} // namespace voip::replay
