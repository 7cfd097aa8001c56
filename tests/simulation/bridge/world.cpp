// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "machine.h"

namespace bridgesim
{

namespace
{

constexpr qint64 restsWithin = 25LL * 60 * 1000; // after the last fault; no call may go on for so long
constexpr qint64 look = 1000;
constexpr qint64 longestRing = 90'000;

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
    void toWorker(Worker &to, const voiphost::EventBatch &batch, const Homeserver::Outcome &outcome);
    void handOn(const voiphost::CallNotice &notice);
    void showTo(const RoomEvent &event, const QString &user);
    bool run(qint64 until);
    void rest();
    [[nodiscard]] QString leftOver() const;
    void lookForSecrets();
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
    qint64 m_toldAt = 0;             // notices, too
};

World::World(TimeLoop &loop, const Options &options)
    : m_loop(loop), m_options(options), m_plan(Plan::draw(options)), m_trace(loop, options.print),
      m_chance(Chance(options.seed).part(4)), m_database(m_judge, m_trace, options.defect),
      m_server(loop, m_trace, m_judge, m_weather, Chance(options.seed).part(5), options.defect),
      m_ground{m_loop, m_trace, m_judge, m_weather, m_database, m_server, m_options}
{
    machine::begin(options.seed);
    loop.begin();
    m_judge.world = {isEncrypted(options), m_plan.calm};
    m_judge.totals.encryptedWorlds = m_judge.world.encrypted ? 1 : 0;
    m_server.onEvent = [this](const RoomEvent &event, const QString &user) { showTo(event, user); };
    m_server.deliver = [this](const auto &batch, const auto &outcome) { deliver(batch, outcome); };
    m_server.keys().onMessage = [this](const QString &user, const QString &device, const QJsonObject &message) {
        for (const auto &peer : m_peers) {
            if (peer->id() == user)
                peer->devices()->take(device, message);
        }
    };
    m_server.keys().onChange = [this](const QString &whose) {
        for (const auto &peer : m_peers)
            peer->devices()->changed(whose);
    };
    for (int i = 0; i < peerCount; ++i)
        m_peers.push_back(std::make_unique<Peer>(m_ground, i, m_plan, m_chance.part(100 + static_cast<quint64>(i))));
    for (int i = 0; i < options.workers; ++i) {
        m_workers.push_back(std::make_unique<Worker>(m_ground, i, m_chance.part(200 + static_cast<quint64>(i))));
        m_workers.back()->onGone = [this] {
            for (const auto &phone : m_phones)
                phone->reconnect();
        };
        m_workers.back()->onServing = [this](voip::Pipeline &) { m_workers.front()->onGone(); };
        m_workers.back()->onNoticed = [this](const voiphost::CallNotice &notice) {
            m_judge.told(ghostOf(notice.userId.mid(1).toInt()), notice);
            handOn(notice);
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
    if (m_judge.world.encrypted)
        m_server.encryptOldRooms(Chance(m_options.seed).part(9));
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
    case Fault::ClockJumps: {
        const qint64 ahead =
            chance.percent(50) ? chance.between(-30'000, 30'000) : chance.between(-3'600'000, 7'200'000);
        m_judge.clockLeapt = m_judge.clockLeapt || ahead - machine::wallAhead() > longestRing;
        machine::setWallAhead(ahead);
        if (chance.percent(60)) // who does not start anew must not see it
            worker(chance.next()).crash();
        break;
    }
    case Fault::Partition:
        worker(trouble.seed).cutOff(trouble.seed / 8 % 3 != 0, trouble.seed / 8 % 3 != 1);
        break;
    case Fault::PhonesAway:
        for (const auto &phone : m_phones)
            phone->reconnect();
        break;
    case Fault::HomeserverRestarts:
        m_server.restart();
        break;
    case Fault::RoomEncrypted:
        m_server.encryptSomeRoom(chance.next());
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
    case Fault::DatabaseTorn:
    case Fault::HostSlow:
    case Fault::ToDeviceLost:
    case Fault::Count_:
        break;
    }
}

void World::end(const Trouble &trouble)
{
    m_weather.end(trouble);
    if (trouble.fault == Fault::Partition)
        worker(trouble.seed).cutOff(false, false);
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
        return toWorker(to, batch, outcome);
    switch (m_chance.below(4)) {
    case 0: // the request is lost
        m_loop.after(2000, [outcome] { outcome(false); });
        break;
    case 1: // the answer is lost
        toWorker(to, batch, [](bool) {});
        m_loop.after(m_chance.between(50, 2000), [outcome] { outcome(false); });
        break;
    case 2: // a proxy repeats it by itself
        toWorker(to, batch, outcome);
        toWorker(worker(m_chance.next()), batch, [](bool) {});
        break;
    default: // and does so when others have come since
        toWorker(to, batch, outcome);
        m_loop.after(m_chance.percent(30) ? m_chance.between(60'000, 600'000) : m_chance.between(100, 60'000),
                     [this, batch] { toWorker(worker(m_chance.next()), batch, [](bool) {}); });
        break;
    }
}

void World::toWorker(Worker &to, const voiphost::EventBatch &batch, const Homeserver::Outcome &outcome)
{
    if (!m_weather.is(Fault::HostSlow))
        return to.deliver(batch, outcome);
    m_loop.after(m_chance.between(0, 8000), [&to, batch, outcome] { to.deliver(batch, outcome); });
}

// From the plugin's signal to the user's stream.
void World::handOn(const voiphost::CallNotice &notice)
{
    Phone &phone = *m_phones[static_cast<std::size_t>(notice.userId.mid(1).toInt())];
    if (!m_weather.is(Fault::HostSlow) && m_toldAt <= m_loop.now())
        return phone.hear(notice);
    m_toldAt = std::max(m_toldAt, m_loop.now() + (m_weather.is(Fault::HostSlow) ? m_chance.between(0, 4000) : 0));
    m_loop.at(m_toldAt, [&phone, notice] { phone.hear(notice); });
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
    if (m_judge.owes())
        said += QStringLiteral("events are still to be read; ");
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
        m_loop.at(std::min(until, m_loop.now() + look), [] {}); // time passes even if nothing happens
    }
}

// Those of the SDPs and of TURN are marked. (What is logged is looked at where it is logged.)
void World::lookForSecrets()
{
    const auto look = [this](const char *where, const QByteArray &text) {
        if (text.contains("secret"))
            m_judge.complain("secret", QLatin1String(where));
    };
    for (const auto &worker : m_workers) {
        voip::Pipeline *pipeline = worker->serving();
        if (!pipeline)
            continue;
        look("metrics", worker->metrics());
        for (int user = 0; user < userCount; ++user) {
            const auto &calls = m_database.lane(ghostOf(user)).calls;
            for (auto call = calls.constBegin(); call != calls.constEnd(); ++call) {
                pipeline->timeline(userId(user), call.key(), false, [look](const auto &lines) {
                    if (lines.ok())
                        look("timeline", *lines);
                });
            }
        }
    }
}

Outcome World::play()
{
    if (run(m_plan.length))
        rest();
    if (m_judge.kind().isEmpty()) {
        const QString left = leftOver();
        for (const auto &worker : m_workers) {
            if (m_judge.world.encrypted && worker->serving())
                m_judge.lookAtFigures(worker->metrics());
        }
        for (const auto &peer : m_peers) {
            if (peer->devices())
                peer->devices()->finish();
        }
        m_judge.finish(left);
        for (const auto &phone : m_phones)
            phone->checkHeard();
        if (m_options.seed % 8 == 0) // it takes long
            lookForSecrets();
    }
    m_trace.note("ends");
    int awaits = 0;
    for (const auto &worker : m_workers)
        awaits += worker->awaits();
    return {m_judge.kind(),
            m_judge.detail(),
            m_trace.hash(),
            m_trace.notes(),
            m_loop.now(),
            awaits,
            static_cast<int>(m_plan.stories.size()),
            m_plan.names(),
            m_judge.totals};
}

} // namespace

Outcome play(TimeLoop &loop, const Options &options)
{
    return World(loop, options).play();
}

} // namespace bridgesim
