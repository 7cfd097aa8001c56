// SPDX-License-Identifier: Apache-2.0
// The contents of the call events that are known, v1 and v0, under their stable and unstable names. Private to
// protocol/.
#pragma once

#include "call/input.h"

#include <QJsonObject>

namespace voip::protocol
{

// Nothing: no call event that we know.
[[nodiscard]] std::optional<call::MatrixEvent> readCallEvent(const QString &type, const QJsonObject &content,
                                                             const call::EventHead &head);

} // namespace voip::protocol
