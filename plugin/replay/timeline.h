// SPDX-License-Identifier: Apache-2.0
// The lines of a timeline as values: the header with which a replay begins, and the inputs that follow. Reads JSON
// objects, gives a value or a Fault that names the field; knows nothing of what the core makes of them.
#pragma once

#include "call/transition.h"
#include "replay/fault.h"

#include <variant>

namespace voip::replay
{

using Seed = std::array<std::uint64_t, 4>;

struct Header {
    std::uint64_t seed = 1;
    call::Line line;  // as it stands before the first input
    QString homeRoom; // the room that inputs mean which name none
};

// What the shell around the core would have refused by itself, before the core hears of it.
struct Unfit {
    QString why;
};
struct MatrixInput {
    QVector<QJsonObject> events; // as they came; read when they are fed
    std::optional<call::Millis> receivedAt;
};
// The outcome of a send; the engine knows whose `ref` it is unless the line says so.
struct SendResult {
    std::int64_t ref = 0;
    QString callId;
    std::optional<call::SendFailed> failed;
    QString eventId;
};
struct OnlyTime {
};

struct Entry {
    call::Millis t = 0;
    std::optional<Seed> entropy;
    QString action; // of a host input: what was asked for
    QString callId; // of a host input
    std::variant<call::Input, MatrixInput, SendResult, OnlyTime, Unfit> input = OnlyTime{};
};

[[nodiscard]] std::variant<Header, Fault> readHeader(const QJsonObject &object);
// Nothing: an output line, to be passed over.
[[nodiscard]] std::variant<std::optional<Entry>, Fault> readEntry(const QJsonObject &object, const Header &header);

// A host's input alone, with the fields of a line but its time: as one worker passes it on to another.
[[nodiscard]] QJsonObject hostAction(const call::Input &input);
[[nodiscard]] std::variant<call::Input, Fault> readHostAction(const QJsonObject &object);

} // namespace voip::replay
