// SPDX-License-Identifier: Apache-2.0
// From the core's decisions to JSON: the content of Matrix events, and what the host is told. Total, no I/O.
#pragma once

#include "call/effect.h"

#include <QJsonArray>
#include <QJsonObject>

namespace voip::protocol
{

[[nodiscard]] QString eventType(const call::OutContent &content);
// Always protocol "1" with call_id, party_id (R1, R2), also towards a v0 peer, who ignores what it does not know; the
// core sends a v0 peer only what v0 has.
[[nodiscard]] QJsonObject eventContent(const call::Send &send);

// The event stream's name of it ("call.initiated") and its fields besides call_id, conversation_id and seq.
[[nodiscard]] QString noticeName(const call::NoteContent &content);
[[nodiscard]] QJsonObject noticeData(const call::Notify &notify);

[[nodiscard]] QJsonArray toJson(const QVector<call::Candidate> &candidates);
[[nodiscard]] QJsonValue toJson(const std::optional<call::Identity> &identity); // null: none

} // namespace voip::protocol
