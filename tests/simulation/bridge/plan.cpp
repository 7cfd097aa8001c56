// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <algorithm>
#include <array>

namespace bridgesim
{

namespace
{

constexpr qint64 second = 1000;
constexpr qint64 firstCall = 5 * second; // before, the bridge starts

struct Usual { // how a fault usually is
    Fault fault;
    int weight; // how often, among all
    qint64 least;
    qint64 most; // how long it lasts
    int percent; // at most
};
constexpr std::array usual{
    Usual{Fault::HomeserverAway, 6, second, 100 * second, 100},
    Usual{Fault::HomeserverSlow, 4, 5 * second, 60 * second, 100},
    Usual{Fault::HomeserverBroken, 6, 5 * second, 60 * second, 70},
    Usual{Fault::HomeserverLimits, 4, 5 * second, 40 * second, 60},
    Usual{Fault::HomeserverRefuses, 1, second, 10 * second, 40},
    Usual{Fault::RequestsLost, 5, 5 * second, 60 * second, 60},
    Usual{Fault::AnswersLost, 8, 5 * second, 60 * second, 70},
    Usual{Fault::RequestsLate, 5, 5 * second, 40 * second, 50},
    Usual{Fault::PushTrouble, 8, 5 * second, 120 * second, 70},
    Usual{Fault::HomeserverRestarts, 3, 200, 10 * second, 100},
    Usual{Fault::DatabaseAway, 7, 200, 60 * second, 100},
    Usual{Fault::DatabaseStalls, 5, second, 40 * second, 100},
    Usual{Fault::DatabaseFails, 6, second, 40 * second, 50},
    Usual{Fault::DatabaseDoubt, 8, second, 60 * second, 60},
    Usual{Fault::DatabaseTorn, 6, second, 40 * second, 60},
    Usual{Fault::Crash, 22, 0, 0, 100},
    Usual{Fault::Stop, 4, 0, 0, 100},
    Usual{Fault::ClockJumps, 3, 0, 0, 100},
    Usual{Fault::HostSlow, 4, 5 * second, 60 * second, 100},
    Usual{Fault::PhonesAway, 6, 0, 0, 100},
    Usual{Fault::RoomEncrypted, 2, 0, 0, 100},
};
constexpr Usual partition{Fault::Partition, 12, 2 * second, 60 * second, 100};

Trouble drawTrouble(Chance &chance, int number, qint64 length, int workers)
{
    int all = workers > 1 ? partition.weight : 0;
    for (const Usual &one : usual)
        all += one.weight;
    int at = chance.below(all);
    Usual chosen = partition;
    for (const Usual &one : usual) {
        if (at < one.weight) {
            chosen = one;
            break;
        }
        at -= one.weight;
    }
    // Short ones are more often than long ones, but not always.
    const qint64 most = chance.percent(60) ? std::min(chosen.most, chosen.least + 10 * second) : chosen.most;
    const int percent = chosen.percent == 100 ? 100 : 5 + chance.below(chosen.percent);
    return {number,
            chosen.fault,
            chance.percent(5) ? 0 : chance.between(second, length),
            chance.between(chosen.least, most),
            percent,
            chance.next()};
}

// What only encrypted worlds have, beside all the others.
void drawKeyTroubles(Plan &plan, quint64 seed, int number, bool faults)
{
    Chance chance = Chance(seed).part(7);
    for (qint64 left = plan.length / (60 * second); left >= 0; --left)
        plan.troubles.push_back(
            {number++, Fault::RoomEncrypted, chance.between(second, plan.length), 0, 100, chance.next()});
    for (qint64 left = faults ? plan.length / (40 * second) : -1; left >= 0; --left) {
        const qint64 at = chance.between(second, plan.length);
        plan.troubles.push_back({number++, Fault::ToDeviceLost, at, chance.between(5 * second, 60 * second),
                                 5 + chance.below(90), chance.next()});
    }
}

} // namespace

bool isEncrypted(const Options &options)
{
    return options.encrypted.value_or(Chance(options.seed).part(6).below(6) == 0);
}

const char *nameOf(Fault fault)
{
    constexpr std::array<const char *, static_cast<std::size_t>(Fault::Count_)> names{"homeserver_away",
                                                                                      "homeserver_slow",
                                                                                      "homeserver_broken",
                                                                                      "homeserver_limits",
                                                                                      "homeserver_refuses",
                                                                                      "requests_lost",
                                                                                      "answers_lost",
                                                                                      "requests_late",
                                                                                      "push_trouble",
                                                                                      "homeserver_restarts",
                                                                                      "database_away",
                                                                                      "database_stalls",
                                                                                      "database_fails",
                                                                                      "database_doubt",
                                                                                      "database_torn",
                                                                                      "crash",
                                                                                      "stop",
                                                                                      "clock_jumps",
                                                                                      "host_slow",
                                                                                      "phones_away",
                                                                                      "partition",
                                                                                      "room_encrypted",
                                                                                      "to_device_lost"};
    return names[static_cast<std::size_t>(fault)];
}

QString nameOf(const Story &story)
{
    return QLatin1Char('s') + QString::number(story.number);
}

QString nameOf(const Trouble &trouble)
{
    return QLatin1Char('t') + QString::number(trouble.number);
}

Plan Plan::draw(const Options &options)
{
    Plan plan;
    Chance chance = Chance(options.seed).part(1);
    const bool crowded = chance.percent(30); // calls that get into each other's way
    qint64 at = firstCall;
    // Keys take long: a world that is encrypted by its seed is a short one.
    const bool isShort = isEncrypted(options) && !options.encrypted;
    for (int i = 0; i < (isShort ? (options.calls + 2) / 3 : options.calls); ++i) {
        at += chance.between(0, crowded ? 3 * second : 9 * second);
        plan.stories.push_back(
            {i, at, chance.percent(50), chance.below(userCount), chance.below(peerCount), chance.next()});
    }
    plan.length = at + 20 * second;
    const bool calm = chance.percent(8);
    const int troubles = options.faults && !calm ? 1 + static_cast<int>(plan.length / (15 * second)) : 0;
    Chance faults = Chance(options.seed).part(2);
    for (int i = 0; i < troubles; ++i)
        plan.troubles.push_back(drawTrouble(faults, i, plan.length, options.workers));
    plan.calm = troubles == 0 && options.crashAt == 0;
    if (isEncrypted(options))
        drawKeyTroubles(plan, options.seed, troubles, troubles > 0);
    if (options.keep) {
        plan.stories.removeIf([&](const Story &story) { return !options.keep->contains(nameOf(story)); });
        plan.troubles.removeIf([&](const Trouble &trouble) { return !options.keep->contains(nameOf(trouble)); });
    }
    for (const Trouble &trouble : std::as_const(plan.troubles))
        plan.length = std::max(plan.length, trouble.at + trouble.lasts);
    return plan;
}

QStringList Plan::names() const
{
    QStringList all;
    for (const Trouble &trouble : troubles)
        all.push_back(nameOf(trouble));
    for (const Story &story : stories)
        all.push_back(nameOf(story));
    return all;
}

} // namespace bridgesim
