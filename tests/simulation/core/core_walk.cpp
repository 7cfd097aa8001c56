// SPDX-License-Identifier: Apache-2.0
// core_walk [--seed N] [--count N] [--shrink] [--go-on] [--out DIR] [--print] [--check FILE]: plays `count` random
// sequences, from seed N on, against voip-replay's engine and says what did not hold. A sequence that fails is made
// smaller and written as a scenario; exit 1.
#include "shrink.h"
#include "world.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QDir>
#include <QElapsedTimer>

#include <cstdio>

using namespace simulation;

namespace
{

struct Totals {
    qint64 lines = 0;
    int rings = 0;
    int answers = 0;
    int offers = 0;
    int rollbacks = 0;
    int lateInvites = 0;
    int trickled = 0;
    int folded = 0;
    int slowed = 0;

    void add(const Watcher &seen)
    {
        rings += seen.rings();
        answers += seen.answers();
        offers += seen.talk().offers();
        rollbacks += seen.talk().rollbacks();
        lateInvites += seen.talk().lateInvites();
        trickled += seen.candidates().trickled();
        folded += seen.candidates().folded();
        slowed += seen.candidates().slowed();
    }
};

Complaint wrongWith(Run &run)
{
    if (!run.complaint())
        run.finish();
    if (run.complaint())
        return run.complaint();
    for (const auto &holds : {replaysAlike, replaysWithoutSdp, cutsAlike}) {
        if (const Complaint wrong = holds(run))
            return wrong;
    }
    return {};
}

int report(quint64 seed, const Run &run, const Complaint &complaint, const QDir &out)
{
    std::printf("seed %llu: %s\n%s\n", static_cast<unsigned long long>(seed), qPrintable(complaint.kind),
                qPrintable(complaint.detail));
    const Shrunk shrunk = shrink(run.inputs(), complaint);
    const QString path = out.filePath(QStringLiteral("found-%1.jsonl").arg(seed));
    const bool written = writeScenario(path, shrunk, QStringLiteral("core_walk --seed %1").arg(seed));
    std::printf("%s, %lld of %lld lines after %d tries: %s\n", qPrintable(shrunk.complaint.kind),
                static_cast<long long>(shrunk.inputs.size()), static_cast<long long>(run.inputs().size()), shrunk.tries,
                written ? qPrintable(path) : "cannot be written");
    for (const QByteArray &line : shrunk.inputs)
        std::printf("  %s\n", line.constData());
    std::printf("%s\n", qPrintable(shrunk.complaint.detail));
    return 1;
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication application(argc, argv);
    QCommandLineParser parser;
    parser.addHelpOption();
    const QCommandLineOption seedOption(QStringLiteral("seed"), QStringLiteral("First seed."), QStringLiteral("N"),
                                        QStringLiteral("1"));
    const QCommandLineOption countOption(QStringLiteral("count"), QStringLiteral("Sequences."), QStringLiteral("N"),
                                         QStringLiteral("1"));
    const QCommandLineOption outOption(QStringLiteral("out"), QStringLiteral("Where a found scenario is written."),
                                       QStringLiteral("DIR"), QDir::currentPath());
    const QCommandLineOption goOnOption(QStringLiteral("go-on"),
                                        QStringLiteral("Say all that is found, do not shrink."));
    const QCommandLineOption printOption(QStringLiteral("print"), QStringLiteral("Print the timelines."));
    const QCommandLineOption checkOption(QStringLiteral("check"), QStringLiteral("Check a timeline instead."),
                                         QStringLiteral("FILE"));
    const QCommandLineOption shrinkOption(
        QStringLiteral("shrink"), QStringLiteral("Make what fails smaller (it is done anyway, without --go-on)."));
    parser.addOptions({checkOption, shrinkOption, seedOption, countOption, outOption, goOnOption, printOption});
    parser.process(application);
    if (parser.isSet(checkOption)) {
        const Complaint complaint = check(timeline::inputsOf(timeline::read(parser.value(checkOption))), Names());
        std::printf("%s\n%s\n", complaint ? qPrintable(complaint.kind) : "all holds", qPrintable(complaint.detail));
        return complaint ? 1 : 0;
    }
    const quint64 first = parser.value(seedOption).toULongLong();
    const quint64 count = parser.value(countOption).toULongLong();

    Totals totals;
    QElapsedTimer timer;
    timer.start();
    int failed = 0;
    for (quint64 seed = first; seed < first + count; ++seed) {
        Run run = World(seed).play();
        const Complaint complaint = wrongWith(run);
        if (parser.isSet(printOption)) {
            for (const QByteArray &line : timeline::play(run.inputs()).lines)
                std::printf("%s\n", line.constData());
        }
        if (complaint && !parser.isSet(goOnOption))
            return report(seed, run, complaint, QDir(parser.value(outOption)));
        if (complaint) {
            ++failed;
            std::printf("seed %llu: %s: %s\n", static_cast<unsigned long long>(seed), qPrintable(complaint.kind),
                        qPrintable(complaint.detail.left(4000)));
        }
        totals.lines += run.inputs().size();
        totals.add(run.watcher());
    }
    std::printf("%llu sequences, %lld lines, %d rings, %d answers of ours, %d failed, in %.1f s\n",
                static_cast<unsigned long long>(count), static_cast<long long>(totals.lines), totals.rings,
                totals.answers, failed, static_cast<double>(timer.elapsed()) / 1000);
    std::printf(
        "%d offers of the host, %d rolled back; candidates: %d sent, %d folded, slowed down %d times; %d invites "
        "after a restart\n",
        totals.offers, totals.rollbacks, totals.trickled, totals.folded, totals.slowed, totals.lateInvites);
    // A walk that gets nowhere shows nothing.
    const bool gotSomewhere =
        count < 100 || (totals.rings > static_cast<int>(count / 10) && totals.answers > static_cast<int>(count / 20) &&
                        totals.offers > 0 && totals.trickled > 0 && totals.folded > 0 && totals.slowed > 0);
    if (!gotSomewhere)
        std::printf("hardly anything happened\n");
    return failed == 0 && gotSomewhere ? 0 : 1;
}
