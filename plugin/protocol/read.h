// SPDX-License-Identifier: Apache-2.0
// From a decrypted Matrix event to an input of the call core. A total function: whatever the JSON, it gives an event
// or says in one stable word why it cannot be used. Never throws, never does I/O. Reads protocol v1 and v0.
#pragma once

#include "call/input.h"

#include <QJsonObject>
#include <QStringList>

#include <optional>

namespace voip::protocol
{

// The event types to ask the homeserver side for.
[[nodiscard]] const QStringList &eventTypes();

// Nothing: the event is not for the call core (some other type). Words of UnusableEvent: "bad_id" (R6), "bad_field",
// "too_large", "redacted" (R13), "unknown_type" (R12), "undecryptable" (an encrypted event that nobody decrypted).
[[nodiscard]] std::optional<call::MatrixEvent> readEvent(const QJsonObject &event, call::Millis receivedAt);

// What the core wants to know of a room, from the homeserver's answer to "all state of this room".
[[nodiscard]] call::RoomSnapshot readSnapshot(const QString &roomId, const QVector<QJsonObject> &state);

} // namespace voip::protocol
