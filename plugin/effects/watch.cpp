// SPDX-License-Identifier: Apache-2.0
#include "effects/watch.h"

#include <QElapsedTimer>

namespace voip::effects
{

using namespace std::chrono_literals;
using voiphost::Diagnostics;

namespace
{

constexpr auto whenWell = 60s;
constexpr auto whenNot = 5s;

} // namespace

Watch::Watch(homeserver::Client &client, homeserver::TurnCache &turn, store::Store &store, observe::Health &health,
             observe::Metrics &metrics, QObject *parent)
    : QObject(parent), m_client(client), m_turn(turn), m_store(store), m_health(health), m_metrics(metrics)
{
    m_next.setSingleShot(true);
    connect(&m_next, &QTimer::timeout, this, &Watch::ping);
    m_nextHold.setSingleShot(true);
    connect(&m_nextHold, &QTimer::timeout, this, &Watch::hold);
}

void Watch::start(std::function<QString()> lineUser)
{
    m_lineUser = std::move(lineUser);
    connect(&m_store, &store::Store::availableChanged, this, [this](bool available) {
        tellDatabase(available);
        if (available)
            ping(); // what was refused meanwhile comes at once, not when the homeserver tries again by itself
    });
    tellDatabase(m_store.available());
    connect(&m_client, &homeserver::Client::reachableChanged, this, &Watch::ping);
    ping();
    if (!m_client.access().isAccount()) // an account's /sync is such a line
        hold();
}

void Watch::hold()
{
    const QString holder = m_lineUser();
    if (holder.isEmpty())
        return m_nextHold.start(whenNot);
    if (std::exchange(m_holder, holder) != holder)
        m_held.clear(); // a place is one user's
    QElapsedTimer clock;
    clock.start();
    m_client.holdLine(holder, m_held, [this, clock](const homeserver::Result<QString> &next) {
        const bool fresh = m_held.isEmpty();
        m_held = next.ok() ? *next : QString();
        if (!next.ok())
            return m_nextHold.start(next.error().transient() ? whenNot : whenWell);
        // One that is answered at once, again and again, is no line.
        m_nextHold.start(fresh || clock.elapsed() > 1000 ? 0s : whenNot);
    });
}

void Watch::tellDatabase(bool available)
{
    m_health.set({QStringLiteral("database"), available, true,
                  available ? tr("The database answers.") : tr("The database does not answer."),
                  available ? QString() : tr("Start it, or correct `database` in the configuration.")});
}

void Watch::tellRows()
{
    const quint64 rows = m_store.unreadableRows();
    m_metrics.set(observe::Gauge::UnreadableRows, static_cast<std::int64_t>(rows));
    if (rows == 0)
        return;
    m_health.set({QStringLiteral("rows"), false, false,
                  tr("Rows of the database cannot be read and are left out (%1 times).").arg(rows),
                  tr("The log names them. Look after the disk, and restore the database if they are missed.")});
}

void Watch::ping()
{
    tellRows();
    if (std::exchange(m_asking, true))
        return;
    m_next.stop();
    const auto heard = [this](const homeserver::Result<int> &result) {
        m_asking = false;
        tellHomeserver(result);
        m_next.start(result.ok() ? whenWell : whenNot);
    };
    if (!m_client.access().isAccount())
        return m_client.ping(heard);
    // Nobody calls an account back.
    m_client.versions([heard](const homeserver::Result<QStringList> &versions) {
        heard(versions.ok() ? homeserver::Result<int>(0) : homeserver::Result<int>(versions.error()));
    });
}

void Watch::tellHomeserver(const homeserver::Result<int> &result)
{
    Diagnostics::Check check{QStringLiteral("homeserver"), result.ok(), false, {}, {}};
    if (result.ok() && m_client.access().isAccount()) {
        check.message = tr("The homeserver answers.");
    } else if (result.ok()) {
        check.message = tr("The homeserver answers, and reaches us in %1 ms.").arg(*result);
    } else {
        check.message =
            tr("The homeserver does not answer as it should: %1 %2").arg(result.error().code, result.error().message);
        check.advice = tr("Look whether it runs, whether `homeserver.url` is right, and whether the registration "
                          "file it has read is the one that bridge-host made.");
    }
    m_health.set(check);
    if (m_turn.hasNoTurn()) {
        m_health.set({QStringLiteral("turn"), false, false, tr("The homeserver offers no TURN server."),
                      tr("Calls between different networks may fail: set turn_uris at the homeserver.")});
    } else if (result.ok()) {
        m_health.set({QStringLiteral("turn"), true, false, tr("Nothing is known against the TURN server."), {}});
    }
}

} // namespace voip::effects
