// SPDX-License-Identifier: Apache-2.0
// A timeline as a file of JSON lines: read, played through voip-replay's engine, compared, written. What is played is
// the header and the inputs; output lines that the file has already are replaced by what comes out.
#pragma once

#include "replay/engine.h"

#include <QJsonObject>

namespace timeline
{

using voip::replay::Lines;

struct Played {
    Lines lines; // header and inputs, with what they bring about interleaved
    Lines outs;  // only what came out
    QString fault;
    QStringList states; // of the calls that the host knows, after the last line, with reasons of what ended
};

[[nodiscard]] Lines read(const QString &path);
[[nodiscard]] bool write(const QString &path, const Lines &lines);
[[nodiscard]] QJsonObject object(const QByteArray &line);
[[nodiscard]] QByteArray text(const QJsonObject &object); // one line, without its end
[[nodiscard]] bool isOut(const QByteArray &line);
[[nodiscard]] Lines inputsOf(const Lines &lines); // with the header, without output lines
[[nodiscard]] Played play(const Lines &lines);
// The lines around the first difference, wanted ones with "-", others with "+"; empty if there is none.
[[nodiscard]] QByteArray difference(const Lines &wanted, const Lines &got);

} // namespace timeline
