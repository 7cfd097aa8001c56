// SPDX-License-Identifier: Apache-2.0
// bridge_walk [--seed N] [--calls N] [--workers N] [--per-world N] [--crashes N] [--shrink] [--print] [--keep NAMES]:
// plays worlds of calls from seed N on until so many calls were made, and says what did not hold. A world that fails is
// printed with its command, made smaller if that is asked for, and the small one's trace is printed; exit 1. Some
// worlds have two workers, unless it is said how many.
#include "machine.h"
#include "shrink.h"
#include "world.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QLoggingCategory>

#include <cstdio>
#include <ctime>

using namespace bridgesim;

namespace
{

// No secret may get into a log (they are marked), whatever happens.
bool secretLogged = false;
bool logShown = false;

void lookAtLog(QtMsgType type, const QMessageLogContext & /*context*/, const QString &message)
{
    for (const char *secret : {"secret", "s=story-", "candidate:"}) {
        if (message.contains(QLatin1String(secret))) {
            secretLogged = true;
            std::printf("in the log: %s\n", qPrintable(message));
        }
    }
    if (logShown || type == QtFatalMsg)
        std::printf("%s\n", qPrintable(message));
    if (type == QtFatalMsg) {
        std::abort();
    }
}

int report(TimeLoop &loop, const Options &options, const Outcome &outcome, bool small)
{
    std::printf("%s\n%s: %s\n", qPrintable(commandOf(options)), qPrintable(outcome.kind), qPrintable(outcome.detail));
    if (!small)
        return 1;
    const Shrunk shrunk = shrink(loop, options, outcome);
    std::printf("%lld of %lld parts are left after %d tries:\n%s\n",
                static_cast<long long>(shrunk.outcome.parts.size()), static_cast<long long>(outcome.parts.size()),
                shrunk.tries, qPrintable(commandOf(shrunk.options)));
    Options shown = shrunk.options;
    shown.print = true;
    const Outcome again = play(loop, shown);
    std::printf("%s: %s\n", qPrintable(again.kind), qPrintable(again.detail));
    return 1;
}

double cpuSeconds()
{
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void sum(const Judge::Totals &all, qint64 calls, quint64 worlds, double seconds)
{
    std::printf("%lld calls in %llu worlds: %lld rang, %lld of ours answered, %lld connected; %lld events kept, %lld "
                "sent, %lld notices; %lld commits, %lld starts, %lld requests, %lld transactions repeated; %.1f s\n",
                static_cast<long long>(calls), static_cast<unsigned long long>(worlds),
                static_cast<long long>(all.rings), static_cast<long long>(all.answers),
                static_cast<long long>(all.connected), static_cast<long long>(all.events),
                static_cast<long long>(all.sent), static_cast<long long>(all.notices),
                static_cast<long long>(all.commits), static_cast<long long>(all.restarts),
                static_cast<long long>(all.awaits), static_cast<long long>(all.repeats), seconds);
    std::printf(
        "%lld worlds were encrypted: %lld events of peers were decrypted by the bridge, %lld of ghosts by peers' "
        "devices, %lld by none of one\n",
        static_cast<long long>(all.encryptedWorlds), static_cast<long long>(all.opened),
        static_cast<long long>(all.read), static_cast<long long>(all.deaf));
    std::fflush(stdout);
}

int workersOf(quint64 seed, int said)
{
    return said > 0 ? said : seed % 3 == 0 ? 2 : 1;
}

// In some worlds all is logged.
void openLog(quint64 seed)
{
    QLoggingCategory::setFilterRules(seed % 8 == 0 || logShown
                                         ? QStringLiteral("*.debug=false\nmatrixvoip.*=true\nvoip.*=true")
                                         : QStringLiteral("*.debug=false\n*.info=false"));
}

// Every request of a small world is the last one of a life once, unseen and unheard.
int crashEverywhere(TimeLoop &loop, Options options, quint64 worlds, bool small)
{
    const int workers = options.workers;
    Judge::Totals all;
    qint64 lives = 0;
    qint64 calls = 0;
    options.faults = false;
    for (quint64 n = 0; n < worlds; ++n, ++options.seed) {
        options.workers = workersOf(options.seed, workers);
        int requests = 1;
        for (int at = 1; at <= requests; ++at) {
            for (const bool after : {false, true}) {
                options.crashAt = at;
                options.crashAfter = after;
                const Outcome outcome = play(loop, options);
                all.add(outcome.totals);
                ++lives;
                calls += outcome.calls;
                if (!outcome.kind.isEmpty() || secretLogged)
                    return report(loop, options, outcome, small);
                requests = std::max(requests, std::min(outcome.awaits, 400));
            }
        }
    }
    std::printf("%lld crashes at every request: ", static_cast<long long>(lives));
    sum(all, calls, worlds, cpuSeconds());
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    machine::prepare();
    TimeLoop &loop = *new TimeLoop; // becomes the application's
    QCoreApplication::setEventDispatcher(&loop);
    const QCoreApplication application(argc, argv);
    openLog(1);
    qInstallMessageHandler(lookAtLog);
    std::setvbuf(stdout, nullptr, _IOLBF, 0); // what ends by a signal has said all

    QCommandLineParser parser;
    parser.addHelpOption();
    const QCommandLineOption seed(QStringLiteral("seed"), QStringLiteral("First seed."), QStringLiteral("N"),
                                  QStringLiteral("1"));
    const QCommandLineOption calls(QStringLiteral("calls"), QStringLiteral("How many calls in all."),
                                   QStringLiteral("N"), QStringLiteral("1000"));
    const QCommandLineOption perWorld(QStringLiteral("per-world"), QStringLiteral("How many calls in one world."),
                                      QStringLiteral("N"), QStringLiteral("40"));
    const QCommandLineOption workers(QStringLiteral("workers"), QStringLiteral("On one database; 0: one or two."),
                                     QStringLiteral("N"), QStringLiteral("0"));
    const QCommandLineOption keep(QStringLiteral("keep"), QStringLiteral("Only these parts of the world's plan."),
                                  QStringLiteral("NAMES"));
    const QCommandLineOption defect(QStringLiteral("defect"), QStringLiteral("With a planted defect."),
                                    QStringLiteral("N"), QStringLiteral("0"));
    const QCommandLineOption crashes(QStringLiteral("crashes"),
                                     QStringLiteral("Crash at every request of so many worlds, once each."),
                                     QStringLiteral("N"));
    const QCommandLineOption crashAt(QStringLiteral("crash-at"), QStringLiteral("Crash at this request."),
                                     QStringLiteral("N"), QStringLiteral("0"));
    const QCommandLineOption crashAfter(QStringLiteral("crash-after"), QStringLiteral("... once it is carried out."));
    const QCommandLineOption encrypted(
        QStringLiteral("encrypted"), QStringLiteral("All worlds are encrypted, or (0) none is."), QStringLiteral("N"));
    const QCommandLineOption noFaults(QStringLiteral("no-faults"), QStringLiteral("Nothing goes wrong."));
    const QCommandLineOption shrinking(QStringLiteral("shrink"), QStringLiteral("Make what fails smaller."));
    const QCommandLineOption goOn(QStringLiteral("go-on"), QStringLiteral("Say all that is found."));
    const QCommandLineOption twice(QStringLiteral("twice"), QStringLiteral("Play each world twice and compare."));
    const QCommandLineOption printing(QStringLiteral("print"), QStringLiteral("Print the traces."));
    parser.addOptions({seed, calls, perWorld, workers, keep, defect, crashes, crashAt, crashAfter, encrypted, noFaults,
                       shrinking, goOn, twice, printing});
    parser.process(application);

    Options options;
    options.seed = parser.value(seed).toULongLong();
    options.calls = parser.value(perWorld).toInt();
    const int saidWorkers = parser.value(workers).toInt();
    options.workers = saidWorkers;
    options.defect = static_cast<Defect>(parser.value(defect).toInt());
    options.print = logShown = parser.isSet(printing);
    options.faults = !parser.isSet(noFaults);
    options.crashAt = parser.value(crashAt).toInt();
    options.crashAfter = parser.isSet(crashAfter);
    if (parser.isSet(encrypted))
        options.encrypted = parser.value(encrypted).toInt() != 0;
    if (parser.isSet(keep)) {
        const QStringList names = parser.value(keep).split(u',', Qt::SkipEmptyParts);
        options.keep = QSet<QString>(names.cbegin(), names.cend());
    }
    if (parser.isSet(crashes))
        return crashEverywhere(loop, options, parser.value(crashes).toULongLong(), parser.isSet(shrinking));

    const qint64 wanted = parser.value(calls).toLongLong();
    Judge::Totals all;
    qint64 made = 0;
    quint64 worlds = 0;
    int failed = 0;
    qint64 shown = machine::realNow();
    while (made < wanted) {
        options.workers = workersOf(options.seed, saidWorkers);
        openLog(options.seed);
        const Outcome outcome = play(loop, options);
        if (parser.isSet(twice) && play(loop, options).hash != outcome.hash) {
            std::printf("%s\nis another world the second time\n", qPrintable(commandOf(options)));
            return 1;
        }
        made += std::max(1, outcome.calls);
        ++worlds;
        all.add(outcome.totals);
        if (!outcome.kind.isEmpty() || secretLogged) {
            ++failed;
            const bool further = parser.isSet(goOn);
            report(loop, options, outcome, parser.isSet(shrinking) && !further);
            if (!further || secretLogged)
                return 1;
        }
        if (machine::realNow() - shown > 10'000 && wanted > 20'000) {
            shown = machine::realNow();
            sum(all, made, worlds, cpuSeconds());
        }
        ++options.seed;
    }
    sum(all, made, worlds, cpuSeconds());
    // A walk that gets nowhere shows nothing.
    const bool gotSomewhere = made < 1000 || (all.rings > made / 10 && all.answers > made / 20 &&
                                              all.connected > made / 20 && all.restarts > 0);
    if (!gotSomewhere)
        std::printf("hardly anything happened\n");
    return failed == 0 && gotSomewhere ? 0 : 1;
}
