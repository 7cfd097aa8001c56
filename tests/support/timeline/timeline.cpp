// SPDX-License-Identifier: Apache-2.0
#include "timeline.h"

#include <QFile>
#include <QJsonDocument>

#include <algorithm>

namespace timeline
{

using namespace voip::replay;

Lines read(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    Lines lines = file.readAll().split('\n');
    if (!lines.isEmpty() && lines.last().isEmpty())
        lines.removeLast();
    return lines;
}

bool write(const QString &path, const Lines &lines)
{
    QFile file(path);
    return file.open(QIODevice::WriteOnly) && file.write(lines.join('\n') + '\n') >= 0 && file.flush();
}

QJsonObject object(const QByteArray &line)
{
    return QJsonDocument::fromJson(line).object();
}

QByteArray text(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

bool isOut(const QByteArray &line)
{
    return object(line).contains(QLatin1String("out"));
}

Lines inputsOf(const Lines &lines)
{
    Lines inputs;
    std::copy_if(lines.begin(), lines.end(), std::back_inserter(inputs), [](const auto &line) { return !isOut(line); });
    return inputs;
}

Played play(const Lines &lines)
{
    Played played;
    Engine engine;
    for (const QByteArray &line : lines) {
        const auto result = engine.take(line);
        if (const auto *fault = std::get_if<Fault>(&result)) {
            played.fault = fault->text();
            return played;
        }
        const QJsonObject input = object(line);
        if (input.contains(QLatin1String("out")))
            continue;
        // What fell due on the way to this line stands before it.
        const Lines &outs = std::get<Lines>(result);
        const double t = input.value(QLatin1String("t")).toDouble();
        const auto own = std::find_if(outs.begin(), outs.end(), [t](const QByteArray &out) {
            return object(out).value(QLatin1String("t")).toDouble() >= t;
        });
        played.lines += Lines(outs.begin(), own);
        played.lines += line;
        played.lines += Lines(own, outs.end());
        played.outs += outs;
    }
    if (const auto fault = engine.finish())
        played.fault = fault->text();
    for (const voip::call::Call &call : engine.line().calls) {
        const bool over = call.state == voip::call::State::Ended;
        if (call.announced)
            played.states += toString(call.state) + (over ? u' ' + toString(call.reason) : QString());
    }
    played.states.sort();
    return played;
}

QByteArray difference(const Lines &wanted, const Lines &got)
{
    qsizetype same = 0;
    while (same < wanted.size() && same < got.size() && wanted[same] == got[same])
        ++same;
    if (same == wanted.size() && same == got.size())
        return {};
    QByteArray text = "first difference at line " + QByteArray::number(same + 1) + '\n';
    for (qsizetype i = std::max<qsizetype>(0, same - 2); i < same; ++i)
        text += "  " + wanted[i] + '\n';
    for (qsizetype i = same; i < std::min(same + 6, wanted.size()); ++i)
        text += "- " + wanted[i] + '\n';
    for (qsizetype i = same; i < std::min(same + 6, got.size()); ++i)
        text += "+ " + got[i] + '\n';
    return text;
}

} // namespace timeline
