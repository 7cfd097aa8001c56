// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "machine.h"

namespace bridgesim
{

namespace
{

constexpr qint64 restsWithin = 25LL * 60 * 1000; // after the last fault; no call may go on for so long
constexpr qint64 look = 1000;

class World
{
public:
    World(TimeLoop &loop, const Options &options);
    ~World();
    Q_DISABLE_COPY_MOVE(World)

    Outcome play();

private:
    void settleDown();
    void begin(const Trouble &trouble);
    void end(const Trouble &trouble);
    void deliver(const voiphost::EventBatch &batch, const Homeserver::Outcome &outcome);
    void showTo(const RoomEvent &event, const QString &user);
    bool run(qint64 until);
    void rest();
    [[nodiscard]] QString leftOver() const;
    [[nodiscard]] Worker &worker(quint64 any) { return *m_workers[any % m_workers.size()]; }
    [[nodiscard]] voip::Pipeline *anyServing();

    TimeLoop &m_loop;
    const Options m_options;
    const Plan m_plan;
    Trace m_trace;
    Judge m_judge{m_trace};
    Weather m_weather;
    Chance m_chance;
    Database m_database;
    Homeserver m_server;
    Ground m_ground;
    std::vector<std::unique_ptr<Peer>> m_peers;
    std::vector<std::unique_ptr<Phone>> m_phones;
    std::vector<std::unique_ptr<Worker>> m_workers;
    QHash<QString, qint64> m_seenAt; // by user: events come in order
};

World::World(TimeLoop &loop, const Options &options)
    : m_loop(loop), m_options(options), m_plan(Plan::draw(options)), m_trace(loop, options.print),
      m_chance(Chance(options.seed).part(4)), m_database(m_judge, m_trace, options.defect),
      m_server(loop, m_trace, m_judge, m_weather, Chance(options.seed).part(5), options.defect),
      m_ground{m_loop, m_trace, m_judge, m_weather, m_database, m_server, m_options}
{
    machine::begin(options.seed);
    loop.begin();
    m_judge.knowsRoom = [this](const QString &lane, const QString &room) {
        return m_database.lane(lane).rooms.value(room).has(lane);
    };
    m_server.onEvent = [this](const RoomEvent &event, const QString &user) { showTo(event, user); };
    m_server.deliver = [this](const auto &batch, const auto &outcome) { deliver(batch, outcome); };
    for (int i = 0; i < peerCount; ++i)
        m_peers.push_back(std::make_unique<Peer>(m_ground, i, m_plan, m_chance.part(100 + static_cast<quint64>(i))));
    for (int i = 0; i < options.workers; ++i) {
        m_workers.push_back(std::make_unique<Worker>(m_ground, i, m_chance.part(200 + static_cast<quint64>(i))));
        m_workers.back()->onServing = [this](voip::Pipeline &) {
            for (const auto &phone : m_phones)
                phone->reconnect();
        };
        m_workers.back()->onNoticed = [this](const voiphost::CallNotice &notice) {
            m_phones[static_cast<std::size_t>(notice.userId.mid(1).toInt())]->hear(notice);
        };
    }
    for (int i = 0; i < userCount; ++i) {
        m_phones.push_back(std::make_unique<Phone>(m_ground, i, m_plan, m_chance.part(300 + static_cast<quint64>(i)),
                                                   [this] { return anyServing(); }));
    }
    settleDown();
}

World::~World()
{
    m_workers.clear();
    m_loop.begin(); // nothing that is planned may outlive us
    machine::end();
}

// Some ghosts are older than the bridge's database, and in rooms.
void World::settleDown()
{
    for (int user = 0; user < userCount; ++user) {
        if (!m_chance.percent(70))
            continue;
        m_server.registerGhost(ghostOf(user));
        for (const auto &peer : m_peers) {
            if (m_chance.percent(80))
                m_server.makeRoom(peer->id(), ghostOf(user), true);
        }
    }
    for (const auto &worker : m_workers)
        worker->start();
    if (m_options.crashAt > 0)
        m_workers.front()->crashAt(m_options.crashAt);
    for (const Story &story : m_plan.stories) {
        m_loop.at(story.at, [this, &story] {
            if (story.ours)
                m_phones[static_cast<std::size_t>(story.user)]->place(story);
            else
                m_peers[static_cast<std::size_t>(story.peer)]->place(story);
        });
    }
    for (const Trouble &trouble : m_plan.troubles) {
        m_loop.at(trouble.at, [this, &trouble] { begin(trouble); });
        m_loop.at(trouble.at + trouble.lasts, [this, &trouble] { end(trouble); });
    }
}

void World::begin(const Trouble &trouble)
{
    m_trace.note("begins", QLatin1String(nameOf(trouble.fault)), nameOf(trouble), trouble.percent);
    m_weather.begin(trouble);
    Chance chance(trouble.seed);
    switch (trouble.fault) {
    case Fault::Crash:
        if (chance.percent(30))
            worker(chance.next()).crash();
        else
            worker(chance.next()).crashAt(1 + chance.below(12));
        break;
    case Fault::Stop:
        worker(chance.next()).stop();
        break;
    case Fault::ClockJumps:
        machine::setWallAhead(chance.percent(50) ? chance.between(-30'000, 30'000)
                                                 : chance.between(-3'600'000, 7'200'000));
        worker(chance.next()).crash(); // who does not start anew does not see it
        break;
    case Fault::Partition:
        worker(trouble.seed).cutOff(true);
        break;
    case Fault::PhonesAway:
        for (const auto &phone : m_phones)
            phone->reconnect();
        break;
    case Fault::HomeserverRestarts:
        m_server.restart();
        break;
    case Fault::HomeserverAway:
    case Fault::HomeserverSlow:
    case Fault::HomeserverBroken:
    case Fault::HomeserverLimits:
    case Fault::HomeserverRefuses:
    case Fault::RequestsLost:
    case Fault::AnswersLost:
    case Fault::RequestsLate:
    case Fault::PushTrouble:
    case Fault::DatabaseAway:
    case Fault::DatabaseStalls:
    case Fault::DatabaseFails:
    case Fault::DatabaseDoubt:
    case Fault::HostSlow:
    case Fault::Count_:
        break;
    }
}

void World::end(const Trouble &trouble)
{
    m_weather.end(trouble);
    if (trouble.fault == Fault::Partition)
        worker(trouble.seed).cutOff(false);
    m_trace.note("ends", QLatin1String(nameOf(trouble.fault)), nameOf(trouble));
}

voip::Pipeline *World::anyServing()
{
    std::vector<voip::Pipeline *> serving;
    for (const auto &worker : m_workers) {
        if (auto *pipeline = worker->serving())
            serving.push_back(pipeline);
    }
    return serving.empty() ? nullptr
                           : serving[static_cast<std::size_t>(m_chance.below(static_cast<int>(serving.size())))];
}

// The way of a transaction to whichever worker the balancer takes.
void World::deliver(const voiphost::EventBatch &batch, const Homeserver::Outcome &outcome)
{
    Worker &to = worker(m_chance.next());
    if (!m_chance.percent(m_weather.of(Fault::PushTrouble)))
        return to.deliver(batch, outcome);
    switch (m_chance.below(3)) {
    case 0: // the request is lost
        m_loop.after(2000, [outcome] { outcome(false); });
        break;
    case 1: // the answer is lost
        to.deliver(batch, [](bool) {});
        m_loop.after(m_chance.between(50, 2000), [outcome] { outcome(false); });
        break;
    default: // a proxy repeats it by itself
        to.deliver(batch, outcome);
        worker(m_chance.next()).deliver(batch, [](bool) {});
        break;
    }
}

void World::showTo(const RoomEvent &event, const QString &user)
{
    qint64 &last = m_seenAt[user];
    last = std::max(last, m_loop.now() + m_chance.between(5, 120));
    m_loop.at(last, [this, event, user] {
        for (const auto &peer : m_peers) {
            if (peer->id() == user)
                peer->see(event);
        }
    });
}

bool World::run(qint64 until)
{
    while (m_judge.kind().isEmpty() && m_loop.step(until)) {
    }
    return m_judge.kind().isEmpty();
}

QString World::leftOver() const
{
    QString said = m_database.leftOver();
    for (const auto &peer : m_peers)
        said += peer->leftOver();
    for (const auto &phone : m_phones)
        said += phone->leftOver();
    if (!m_server.pushed())
        said += QStringLiteral("the homeserver has transactions; ");
    return said;
}

// Nothing goes wrong any more: all that was begun comes to its end.
void World::rest()
{
    m_weather.clear();
    for (const auto &worker : m_workers)
        worker->calm();
    m_trace.note("rests");
    const qint64 until = m_loop.now() + restsWithin;
    while (m_loop.now() < until && run(std::min(until, m_loop.now() + look))) {
        const bool streams = std::all_of(m_phones.begin(), m_phones.end(), [](const auto &p) { return p->streams(); });
        if (streams && leftOver().isEmpty())
            break;
        m_loop.at(m_loop.now() + look, [] {});
    }
}

Outcome World::play()
{
    if (run(m_plan.length))
        rest();
    if (m_judge.kind().isEmpty()) {
        m_judge.finish(leftOver());
        for (const auto &phone : m_phones)
            phone->checkHeard();
    }
    m_trace.note("ends");
    int awaits = 0;
    for (const auto &worker : m_workers)
        awaits += worker->awaits();
    return {m_judge.kind(), m_judge.detail(), m_trace.hash(), m_trace.notes(),
            m_loop.now(),   awaits,           m_plan.names(), m_judge.totals};
}

} // namespace

Outcome play(TimeLoop &loop, const Options &options)
{
    return World(loop, options).play();
}

} // namespace bridgesim
