// SPDX-License-Identifier: Apache-2.0
// Whether a database of many ended calls is slower than one of few: commits per second, what a start reads, a page of
// the history (the first and one far behind), and a full piece of pruning, each measured several times with few and
// with many calls in one run. Prints the medians and their ratios; exits with 1 if one is beyond --bound. Durable
// settings, as in earnest. Half of the calls are past the history's time, the others past that of their details.
#include "store/callcodec.h"
#include "storetest.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QElapsedTimer>
#include <QJsonDocument>

#include <algorithm>
#include <cstdio>

using namespace storetest;
namespace call = voip::call;

namespace
{

constexpr qint64 day = 24LL * 60 * 60 * 1000;
constexpr qint64 now = 20'000 * day;
constexpr int lanes = 50;
constexpr int fewCalls = 20'000; // enough that each prune has a full piece to do

QString laneName(qint64 number)
{
    return QStringLiteral("@lane%1:test").arg(number % lanes);
}

call::Call liveCall(const QString &id)
{
    call::Call call = simpleCall(id, call::State::Connected, now - 60'000);
    call.announced = true;
    call.deadline = now + day;
    call.remoteSdp = QString(3000, u'x');
    call.localSdp = call.remoteSdp;
    return call;
}

// All rows as the bridge leaves them, made by the database itself.
void fill(const voiphost::DatabaseSettings &settings, int from, int to)
{
    call::Call model = simpleCall(QStringLiteral("x"), call::State::Ended, 0);
    model.opponent = call::Party{QStringLiteral("@bob:test"), QStringLiteral("BOBSDEVICE")};
    model.minorRefs = {1, 2, 3, 4, 5, 6, 7, 8};
    const QString detail =
        QString::fromUtf8(QJsonDocument(detailOf(model)).toJson(QJsonDocument::Compact)).replace(u'\'', u'"');
    const bool sqlite = settings.driver == u"sqlite";
    const QString numbers =
        sqlite ? QStringLiteral("WITH RECURSIVE s(n) AS (SELECT %1 UNION ALL SELECT n + 1 FROM s WHERE "
                                "n < %2) ")
               : QStringLiteral("WITH s AS (SELECT generate_series(%1, %2) AS n) ");
    // The ends are spread over 200 days: half of them are past the 90 that a history has.
    const QString at = QStringLiteral("(%1 - CAST(n % 1000 AS BIGINT) * %2 - 86500000)").arg(now).arg(day / 5);
    Side side(settings);
    side.run(
        numbers.arg(from).arg(to - 1) +
        QStringLiteral("INSERT INTO calls SELECT '@lane' || (n % %1) || ':test', 'ended' || n, '!r:test', 'm' || n, "
                       "'theirs', 'ended', '@bob:test', %2 - 60000, NULL, %2, 'user_hangup', 0, %2 + 600000, TRUE, "
                       "TRUE, '%3' FROM s")
            .arg(lanes)
            .arg(at, detail));
    if (!sqlite)
        side.run(QStringLiteral("VACUUM ANALYZE calls"));
}

struct Figures {
    std::vector<double> commits; // each in ms
    std::vector<double> start;
    std::vector<double> page;
    std::vector<double> deepPage;
    std::vector<double> prune;
};

template <typename Work>
double msOf(Work work)
{
    QElapsedTimer timer;
    timer.start();
    work();
    return double(timer.nsecsElapsed()) / 1e6;
}

void commits(Store &store, int count)
{
    static int number = 0;
    int open = 0;
    int done = 0;
    int left = count;
    waitUntil(
        [&] {
            while (open < 128 && left > 0) {
                ++open;
                --left;
                ++number;
                Commit c;
                c.lane = laneName(number);
                call::Call call = liveCall(QStringLiteral("live%1").arg(number % (lanes * 2)));
                c.calls = {call};
                c.sends = {storetest::send(number, QStringLiteral("x%1").arg(number), call.id)};
                c.settledSends = {number};
                c.notices = {notice(call.id, number)};
                c.notices.last().at = now;
                store.commit(std::move(c), qApp, [&](const Result<Committed> &result) {
                    if (!result)
                        qFatal("a commit failed: %s", qPrintable(result.error().message));
                    --open;
                    ++done;
                });
            }
            return done == count;
        },
        "the commits");
}

double page(Store &store, const QString &before)
{
    return msOf([&] {
        const auto calls = await<QVector<call::Call>>(
            [&](QObject *c, auto reply) { store.history(laneName(7), 50, before, c, reply); });
        if (!calls || calls->size() != 50)
            qFatal("a page of the history has not 50 calls");
    });
}

// Of a call far behind in that lane's history.
QString deepCall(const voiphost::DatabaseSettings &settings)
{
    Side side(settings);
    return side.value(QStringLiteral("SELECT id FROM calls WHERE lane = '%1' AND state = 'ended' AND ended_at < %2 "
                                     "ORDER BY created_at DESC LIMIT 1")
                          .arg(laneName(7))
                          .arg(now - 20 * day));
}

void measure(Store &store, const voiphost::DatabaseSettings &settings, int rounds, Figures &figures)
{
    const QString deep = deepCall(settings);
    for (int i = 0; i < rounds; ++i) {
        figures.commits.push_back(msOf([&] { commits(store, 400); }) / 400);
        figures.start.push_back(msOf([&] {
            if (!restore(store, now))
                qFatal("the lanes cannot be read");
        }));
        figures.page.push_back(page(store, {}));
        figures.deepPage.push_back(page(store, deep));
        figures.prune.push_back(msOf([&] {
            const auto pruned = await<Pruned>([&](QObject *c, auto reply) { store.prune(now, {}, c, reply); });
            if (!pruned || !pruned->more)
                qFatal("a prune had no full piece to do");
        }));
    }
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    QCommandLineParser parser;
    parser.addHelpOption();
    parser.addOption({QStringLiteral("postgresql"), QStringLiteral("instead of SQLite, in a private cluster")});
    parser.addOption(
        {QStringLiteral("calls"), QStringLiteral("that have ended"), QStringLiteral("N"), QStringLiteral("1000000")});
    parser.addOption({QStringLiteral("rounds"), QStringLiteral("of each"), QStringLiteral("N"), QStringLiteral("7")});
    parser.addOption(
        {QStringLiteral("bound"), QStringLiteral("of each ratio"), QStringLiteral("X"), QStringLiteral("2")});
    parser.process(app);
    const int many = parser.value(QStringLiteral("calls")).toInt();
    const int rounds = parser.value(QStringLiteral("rounds")).toInt();
    const double bound = parser.value(QStringLiteral("bound")).toDouble();

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

    Figures few;
    Figures full;
    fill(settings, 0, fewCalls);
    Figures warm;
    measure(store, settings, 1, warm);
    measure(store, settings, rounds, few);
    const double filled = msOf([&] { fill(settings, fewCalls, many); });
    measure(store, settings, 1, warm);
    measure(store, settings, rounds, full);

    std::printf("%s: %d ended calls against %d (filled in %.1f s), medians of %d rounds\n", qPrintable(settings.driver),
                many, fewCalls, filled / 1000, rounds);
    bool good = true;
    const auto line = [&](const char *name, const std::vector<double> &before, const std::vector<double> &after) {
        const double ratio = median(after) / median(before);
        good = good && ratio < bound;
        std::printf("  %-34s %9.3f ms -> %9.3f ms   ratio %.2f%s\n", name, median(before), median(after), ratio,
                    ratio < bound ? "" : "   TOO SLOW");
    };
    line("one commit of many (grouped)", few.commits, full.commits);
    line("what a start reads", few.start, full.start);
    line("first page of a history", few.page, full.page);
    line("a page far behind", few.deepPage, full.deepPage);
    line("a piece of pruning", few.prune, full.prune);
    return good ? 0 : 1;
}
