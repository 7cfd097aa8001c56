// SPDX-License-Identifier: Apache-2.0
// The effects of the core as lines of a timeline: compact JSON, keys in a fixed order, one line each without its end.
#pragma once

#include "call/effect.h"

#include <QByteArray>

namespace voip::replay
{

// Nothing: an effect that a timeline does not show (an accepted action). `action` and `callId` are of the host
// input at hand, for a refusal.
[[nodiscard]] QByteArray toLine(const call::Effect &effect, call::Millis t, const QString &action,
                                const QString &callId);
[[nodiscard]] QByteArray refusalLine(call::Millis t, const QString &why, const QString &action, const QString &callId);

} // namespace voip::replay
