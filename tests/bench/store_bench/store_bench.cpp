// SPDX-License-Identifier: Apache-2.0
// Measures commits per second: each waiting for the one before it, and many lanes at once so that the writer groups
// them. Prints both, their ratio, and how many transactions the grouped ones took. Durable settings, as in earnest.
#include "storetest.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QElapsedTimer>

#include <cstdio>

using namespace storetest;

namespace
{

Commit next(int number)
{
    Commit c;
    c.lane = QStringLiteral("@lane%1:test").arg(number % 64);
    c.calls = {simpleCall(QStringLiteral("c%1").arg(number), voip::call::State::Ringing, number)};
    c.sends = {send(number, QStringLiteral("x%1").arg(number))};
    c.notices = {notice(QStringLiteral("c%1").arg(number), 1)};
    return c;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    parser.addOption({QStringLiteral("postgresql"), QStringLiteral("instead of SQLite, in a private cluster")});
    parser.addOption(
        {QStringLiteral("commits"), QStringLiteral("of each kind"), QStringLiteral("N"), QStringLiteral("2000")});
    parser.process(app);
    const int count = parser.value(QStringLiteral("commits")).toInt();

    QTemporaryDir folder;
    PostgresCluster cluster(PostgresCluster::Durability::Fsync);
    voiphost::DatabaseSettings settings{QStringLiteral("sqlite"), folder.filePath(QStringLiteral("bench.db"))};
    if (parser.isSet(QStringLiteral("postgresql"))) {
        if (!cluster.start() || !cluster.createDatabase(QStringLiteral("bench")))
            qFatal("%s", qPrintable(cluster.error()));
        settings = {QStringLiteral("postgresql"), cluster.dsn(QStringLiteral("bench"))};
    }
    SqlStore store(settings);
    if (const auto opened = open(store); !opened)
        qFatal("%s", qPrintable(opened.error().message));

    int number = 0;
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < count; ++i) {
        if (!commit(store, next(++number)))
            qFatal("a commit failed");
    }
    const double alone = count / (double(timer.nsecsElapsed()) / 1e9);

    const auto before = store.counters();
    int open = 0;
    int done = 0;
    timer.restart();
    waitUntil(
        [&] {
            while (open < 256 && number < 2 * count) { // what 64 busy lanes may have under way
                ++open;
                store.commit(next(++number), &app, [&](const Result<Committed> &result) {
                    if (!result)
                        qFatal("a commit failed");
                    --open;
                    ++done;
                });
            }
            return done == count;
        },
        "the grouped commits");
    const double grouped = count / (double(timer.nsecsElapsed()) / 1e9);
    std::printf("%s: one by one %.0f/s, grouped %.0f/s, ratio %.1f; %d grouped commits in %llu transactions\n",
                qPrintable(settings.driver), alone, grouped, grouped / alone, count,
                static_cast<unsigned long long>(store.counters().transactions - before.transactions));
    return 0;
}
