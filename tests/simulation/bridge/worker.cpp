// SPDX-License-Identifier: Apache-2.0
#include "worker.h"

#include "crypto/seal.h"
#include "machine.h"
#include "simstore.h"
#include "simtransport.h"

namespace bridgesim
{

using namespace voip;
using voiphost::BatchResult;

QString userId(int user)
{
    return QStringLiteral("u%1").arg(user);
}

QString ghostOf(int user)
{
    return QStringLiteral("@%1u%2:%3").arg(Homeserver::ghostPrefix).arg(user).arg(Homeserver::server);
}

namespace
{

PipelineSettings settingsOf(const Options &options)
{
    Chance chance = Chance(options.seed).part(3);
    PipelineSettings settings;
    settings.homeserver.url = QUrl(QStringLiteral("http://hs.test"));
    settings.homeserver.serverName = Homeserver::server;
    settings.homeserver.userPrefix = Homeserver::ghostPrefix;
    settings.homeserver.asToken = "astokensecret";
    settings.homeserver.senderLocalpart = QStringLiteral("bridge");
    settings.homeserver.appserviceId = QStringLiteral("nova");
    for (int user = 0; user < userCount; ++user)
        settings.users.push_back({userId(user), {}});
    settings.workers = options.workers > 1;
    settings.call.longestCall = 180'000;
    settings.call.inviteLifetime = chance.percent(50) ? 90'000 : 30'000;
    settings.call.connectTimeout = chance.percent(50) ? 60'000 : 20'000;
    settings.call.resumeTimeout = chance.percent(50) ? 60'000 : 15'000;
    settings.call.gatherFor = chance.percent(70) ? 200 : 0;
    settings.call.hostTrickles = !chance.percent(15);
    settings.call.parallelCalls = chance.percent(10);
    if (isEncrypted(options)) {
        Chance keys = Chance(options.seed).part(8);
        settings.rootKey = QByteArray("rootkeysecret").leftJustified(static_cast<qsizetype>(crypto::rootKeySize), 'k');
        settings.encryption.earlyDevices = keys.percent(70);
        settings.encryption.recipients = keys.percent(70) ? crypto::Policy::CrossSigned : crypto::Policy::All;
    }
    return settings;
}

} // namespace

Worker::Worker(Ground ground, int number, Chance chance)
    : m_ground(ground), m_number(number), m_chance(chance), m_life(std::make_shared<Life>())
{
    m_life->dead = true;
}

Worker::~Worker()
{
    m_life->dead = true;
    m_pipeline.reset();
}

void Worker::start()
{
    m_life = std::make_shared<Life>();
    m_life->worker = m_number;
    m_life->number = ++m_lives;
    m_life->noDatabase = m_noDatabase;
    m_life->noHomeserver = m_noHomeserver;
    m_life->wallAhead = machine::wallAhead();
    m_life->await = [this, life = std::weak_ptr(m_life)](const char *request) {
        const auto mine = life.lock();
        return mine == m_life ? await(request) : Fate::Unseen;
    };
    m_stopping = false;
    m_ground.trace.note("start", QString::number(m_number), {}, m_lives);
    ++m_ground.judge.totals.restarts;
    const Chance chance = m_chance.part(static_cast<quint64>(m_lives));
    const Options &options = m_ground.options;
    m_shared = std::make_unique<Shared>();
    m_shared->gate.set({true, 100, {}});
    m_pipeline = std::make_unique<Pipeline>(
        settingsOf(options), *m_shared,
        std::make_unique<SimStore>(m_ground.loop, m_ground.database, m_ground.weather, m_life, chance.part(1),
                                   options.defect),
        std::make_unique<SimTransport>(m_ground.loop, m_ground.server, m_ground.judge, m_ground.weather, m_life,
                                       chance.part(2), options.defect));
    QObject::connect(m_pipeline.get(), &effects::Switchboard::noticed, m_pipeline.get(),
                     [this, life = m_life](const voiphost::CallNotice &notice) {
                         if (!life->dead && onNoticed)
                             onNoticed(notice);
                     });
    m_pipeline->start([this, life = m_life](const voiphost::Expected<voiphost::Done> &started) {
        if (life->dead)
            return;
        m_ground.trace.note(started.ok() ? "serves" : "not started", QString::number(m_number));
        if (!started.ok())
            return die();
        m_serving = true;
        if (onServing)
            onServing(*m_pipeline);
    });
}

Fate Worker::await(const char *request)
{
    ++m_awaits;
    ++m_ground.judge.totals.awaits;
    if (m_crashAt == 0 || m_awaits < m_crashAt)
        return Fate::Goes;
    m_crashAt = 0;
    const bool seen = m_ground.options.crashAt > 0 ? m_ground.options.crashAfter : m_chance.percent(50);
    m_ground.trace.note(seen ? "dies unheard" : "dies unseen", QLatin1String(request));
    die();
    return seen ? Fate::Unheard : Fate::Unseen;
}

void Worker::crashAt(int await)
{
    m_crashAt = m_awaits + await;
}

void Worker::crash()
{
    if (m_life->dead)
        return;
    m_ground.trace.note("is killed", QString::number(m_number));
    die();
}

void Worker::die()
{
    m_life->dead = true;
    m_serving = false;
    m_ground.database.crashed();
    breakConnections();
    m_ground.loop.after(0, [this, life = m_life] {
        if (life == m_life)
            bury();
    });
    startAgain(m_chance.percent(70) ? m_chance.between(300, 3000) : m_chance.between(3000, 30'000));
}

void Worker::breakConnections()
{
    for (const Homeserver::Outcome &outcome : std::exchange(m_deliveries, {}))
        m_ground.loop.after(1, [outcome] { outcome(false); });
    if (onGone)
        onGone();
}

void Worker::bury()
{
    if (m_shared && isEncrypted(m_ground.options))
        m_ground.judge.lookAtFigures(metrics());
    m_pipeline.reset();
    m_shared.reset();
}

void Worker::startAgain(qint64 after)
{
    m_ground.loop.after(after, [this, life = m_life] {
        if (life != m_life)
            return;
        bury();
        start();
    });
}

void Worker::stop()
{
    if (!serving() || std::exchange(m_stopping, true))
        return;
    m_ground.trace.note("stops", QString::number(m_number));
    m_pipeline->drain(static_cast<int>(m_chance.between(0, 20'000)), [this, life = m_life](voiphost::Done) {
        if (life->dead)
            return;
        m_ground.loop.after(0, [this, life] {
            if (life->dead)
                return;
            m_serving = false;
            m_ground.trace.note("stopped", QString::number(m_number));
            m_pipeline.reset(); // what waits for the database is written
            breakConnections();
            m_life->dead = true;
            startAgain(m_chance.between(200, 4000));
        });
    });
}

void Worker::cutOff(bool database, bool homeserver)
{
    m_noDatabase = m_life->noDatabase = database;
    m_noHomeserver = m_life->noHomeserver = homeserver;
}

void Worker::calm()
{
    m_crashAt = 0;
    cutOff(false, false);
}

void Worker::deliver(const voiphost::EventBatch &batch, const Homeserver::Outcome &outcome)
{
    Pipeline *pipeline = m_pipeline && !m_life->dead && m_serving ? m_pipeline.get() : nullptr;
    if (!pipeline || m_life->noHomeserver) {
        m_ground.loop.after(2, [outcome] { outcome(false); });
        return;
    }
    m_deliveries.push_back(outcome);
    if (m_deliveries.size() > 4)
        m_deliveries.removeFirst();
    pipeline->accept(batch).then(pipeline, [this, life = m_life, outcome](BatchResult result) {
        m_ground.loop.after(1, [life, outcome, result] {
            // It may be durable, and nobody be there to say so.
            outcome(!life->dead && !life->noHomeserver && result == BatchResult::Durable);
        });
    });
}

} // namespace bridgesim
