// SPDX-License-Identifier: Apache-2.0
// The shell that `voip-replay` and the scenario tests put around the core: takes a timeline line by line, gives the
// lines of what happens. A pure function of what it was given: no clock, no randomness, no I/O.
//
// Before each input, time moves to its `t`, and what is due by then fires at its own time; in a recorded timeline (its
// lines have `entropy`) it fires with the input that it fired with then. Randomness of an input
// comes from the header's seed and the number of the input line, or from the line's `entropy`. As intake does in a
// running host, an event that was taken once is not shown to the core again.
#pragma once

#include "replay/timeline.h"

#include <QByteArray>
#include <QSet>

namespace voip::replay
{

inline constexpr qint64 maxLineLength = 1024 * 1024;
inline constexpr qint64 maxLines = 1'000'000;

using Lines = QVector<QByteArray>;

class Engine
{
public:
    // The next line, without its end; the first is the header, empty ones are passed over. After a Fault the engine
    // is of no further use.
    [[nodiscard]] std::variant<Lines, Fault> take(const QByteArray &text);
    // A timeline without a header is none.
    [[nodiscard]] std::optional<Fault> finish() const;
    [[nodiscard]] const call::Line &line() const { return m_line; }

private:
    std::optional<Fault> begin(const QJsonObject &object);
    std::optional<Fault> advance(const Entry &entry);
    std::optional<Fault> moveTo(call::Millis t);
    void feed(const call::Input &input, const Entry *entry);
    void feedMatrix(const MatrixInput &input, const Entry &entry);
    std::optional<Fault> feedResult(const SendResult &result, const Entry &entry);
    [[nodiscard]] Seed entropyOf(const Entry *entry);

    std::optional<Header> m_header;
    call::Line m_line;
    call::Millis m_now = 0;
    qint64 m_number = 0;        // of the line at hand
    std::uint64_t m_inputs = 0; // input lines so far; output lines do not count, so that both forms replay alike
    std::uint64_t m_step = 0;   // inputs fed for the line at hand
    QHash<std::int64_t, QString> m_sends; // whose the refs are
    QSet<QString> m_taken;                // event ids
    Lines m_out;
};

} // namespace voip::replay
