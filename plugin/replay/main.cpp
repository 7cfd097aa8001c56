// SPDX-License-Identifier: Apache-2.0
// `voip-replay [FILE]`: runs the call core over a timeline of JSON lines, from a file or standard input, and writes
// what happens as JSON lines to standard output. Exit 2 and a message with the line's number if one cannot be read.
#include "replay/engine.h"

#include <QFile>

#include <cstdio>

namespace
{

constexpr int unreadable = 2;

int complain(const QString &message)
{
    std::fprintf(stderr, "voip-replay: %s\n", message.toUtf8().constData());
    return unreadable;
}

int replay(QFile &input, QFile &output)
{
    voip::replay::Engine engine;
    // One byte more than a line may have, and its end: a longer one shows as such without being read whole.
    constexpr qint64 atMost = voip::replay::maxLineLength + 3;
    while (true) {
        QByteArray line = input.readLine(atMost);
        if (line.isEmpty())
            break;
        if (line.endsWith('\n'))
            line.chop(1);
        const auto result = engine.take(line);
        if (const auto *fault = std::get_if<voip::replay::Fault>(&result))
            return complain(fault->text());
        for (const QByteArray &out : std::get<voip::replay::Lines>(result)) {
            if (output.write(out + '\n') < 0)
                return complain(QStringLiteral("cannot write: %1").arg(output.errorString()));
        }
    }
    if (input.error() != QFileDevice::NoError)
        return complain(QStringLiteral("cannot read: %1").arg(input.errorString()));
    if (const auto fault = engine.finish())
        return complain(fault->text());
    return output.flush() ? 0 : complain(QStringLiteral("cannot write: %1").arg(output.errorString()));
}

} // namespace

int main(int argc, char **argv)
{
    const QString name = argc > 1 ? QString::fromLocal8Bit(argv[1]) : QStringLiteral("-");
    if (argc > 2 || name == QLatin1String("--help") || name == QLatin1String("-h")) {
        std::fprintf(argc > 2 ? stderr : stdout, "usage: voip-replay [FILE]\n"
                                                 "Reads a timeline (JSON lines) from FILE or standard input and writes "
                                                 "what the call core makes of it.\n");
        return argc > 2 ? unreadable : 0;
    }
    QFile output;
    if (!output.open(stdout, QIODevice::WriteOnly))
        return complain(QStringLiteral("cannot write to standard output"));
    QFile input(name);
    const bool open =
        name == QLatin1String("-") ? input.open(stdin, QIODevice::ReadOnly) : input.open(QIODevice::ReadOnly);
    if (!open)
        return complain(QStringLiteral("%1: %2").arg(name, input.errorString()));
    return replay(input, output);
}
