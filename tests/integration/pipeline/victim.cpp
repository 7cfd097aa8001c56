// SPDX-License-Identifier: Apache-2.0
// A process to be killed. Arguments: driver, DSN, homeserver. Each line of standard input is a JSON object
// {"transaction": "...", "events": [...]}, {"place": true}; each line of standard output is what became of it or what
// the host was told.
#include "bench.h"

#include <QCoreApplication>
#include <QJsonDocument>
#include <QSocketNotifier>

#include <cstdio>
#include <unistd.h>

namespace
{

void say(const QString &line)
{
    std::puts(qPrintable(line));
    std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    const QStringList arguments = QCoreApplication::arguments();
    bridge::Bench bench({arguments.value(1), arguments.value(2)}, QUrl(arguments.value(3)));
    if (const auto started = bench.start(); !started.ok()) {
        say(started.error().message);
        return 1;
    }
    QObject::connect(&bench.calls(), &voiphost::CallService::noticed, &app, [](const voiphost::CallNotice &notice) {
        say(QStringLiteral("notice %1 %2 %3").arg(notice.callId).arg(notice.seq).arg(static_cast<int>(notice.kind)));
    });
    QSocketNotifier input(STDIN_FILENO, QSocketNotifier::Read);
    QByteArray unread;
    QObject::connect(&input, &QSocketNotifier::activated, &app, [&] {
        char buffer[65536];
        const auto count = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (count <= 0)
            return QCoreApplication::quit();
        unread.append(buffer, count);
        for (auto end = unread.indexOf('\n'); end >= 0; end = unread.indexOf('\n')) {
            const QJsonObject order = QJsonDocument::fromJson(unread.left(end)).object();
            unread.remove(0, end + 1);
            if (order.contains(QStringLiteral("place"))) {
                const auto placed = bench.place();
                say(placed.ok() ? QStringLiteral("placed ") + placed->call.id : placed.error().code);
                continue;
            }
            QVector<QJsonObject> events;
            for (const auto &event : order.value(QStringLiteral("events")).toArray())
                events.push_back(event.toObject());
            const auto taken = bench.deliver(events, order.value(QStringLiteral("transaction")).toString());
            say(taken == voiphost::BatchResult::Durable ? QStringLiteral("durable") : QStringLiteral("refused"));
        }
    });
    say(QStringLiteral("running"));
    return QCoreApplication::exec();
}
