// SPDX-License-Identifier: Apache-2.0
// Looks after what the plugin depends on and says in Health how it is: the database as the store tells, the homeserver
// by a ping now and then (R113: it calls us back, which shows both ways and makes it try again if it had given us up),
// and whether there is TURN (R97). Holds a line to the homeserver: what it had not delivered when it was stopped it may
// never deliver, so a stop must be noticed even if nothing else is asked. Lives on the core thread. Never decides.
#pragma once

#include "homeserver/turncache.h"
#include "observe/health.h"
#include "observe/metrics.h"
#include "store/store.h"

#include <QTimer>

#include <functional>

namespace voip::effects
{

class Watch : public QObject
{
    Q_OBJECT

public:
    Watch(homeserver::Client &client, homeserver::TurnCache &turn, store::Store &store, observe::Health &health,
          observe::Metrics &metrics, QObject *parent = nullptr);

    // The store is open. `lineUser`: as whom the line is held, with nobody (empty) there yet it is asked for again.
    void start(std::function<QString()> lineUser);

private:
    void ping();
    void hold();
    void tellDatabase(bool available);
    void tellRows();
    void tellHomeserver(const homeserver::Result<int> &result);

    homeserver::Client &m_client;
    homeserver::TurnCache &m_turn;
    store::Store &m_store;
    observe::Health &m_health;
    observe::Metrics &m_metrics;
    QTimer m_next;
    QTimer m_nextHold;
    std::function<QString()> m_lineUser;
    QString m_holder; // as whom it is held
    QString m_held;   // where the line goes on
    bool m_asking = false;
};

} // namespace voip::effects
