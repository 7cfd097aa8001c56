// SPDX-License-Identifier: Apache-2.0
#include "shrink.h"

namespace bridgesim
{

Shrunk shrink(TimeLoop &loop, const Options &options, const Outcome &outcome, int atMost)
{
    Shrunk now{options, outcome, 0};
    now.options.print = false;
    QStringList left = outcome.parts;
    bool smaller = true;
    while (smaller && now.tries < atMost) {
        smaller = false;
        for (qsizetype piece = std::max<qsizetype>(1, left.size() / 2); piece >= 1; piece /= 2) {
            for (qsizetype at = left.size() - piece; at >= 0 && now.tries < atMost; at -= piece) {
                QStringList fewer = left;
                fewer.remove(at, std::min(piece, fewer.size() - at));
                Options tried = now.options;
                tried.keep = QSet<QString>(fewer.cbegin(), fewer.cend());
                ++now.tries;
                const Outcome found = play(loop, tried);
                if (found.kind != outcome.kind)
                    continue;
                left = fewer;
                now.options = tried;
                now.outcome = found;
                smaller = true;
            }
        }
    }
    return now;
}

QString commandOf(const Options &options)
{
    QString command = QStringLiteral("bridge_walk --seed %1 --calls 1 --per-world %2 --workers %3")
                          .arg(options.seed)
                          .arg(options.calls)
                          .arg(options.workers);
    if (!options.faults)
        command += QStringLiteral(" --no-faults");
    if (options.encrypted)
        command += QStringLiteral(" --encrypted %1").arg(*options.encrypted ? 1 : 0);
    if (options.defect != Defect::None)
        command += QStringLiteral(" --defect %1").arg(static_cast<int>(options.defect));
    if (options.crashAt > 0)
        command += QStringLiteral(" --crash-at %1").arg(options.crashAt);
    if (options.crashAfter)
        command += QStringLiteral(" --crash-after");
    if (options.keep) {
        QStringList names(options.keep->cbegin(), options.keep->cend());
        names.sort();
        command += QStringLiteral(" --keep '%1'").arg(names.join(u','));
    }
    return command;
}

} // namespace bridgesim
