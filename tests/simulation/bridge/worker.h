// SPDX-License-Identifier: Apache-2.0
// One worker: the product's pipeline on a simulated store and transport, started, stopped, crashed and started again.
// The process that a crash ends says nothing any more; what its database had committed stays.
#pragma once

#include "database.h"
#include "homeserver.h"
#include "life.h"
#include "pipeline.h"

#include <memory>

namespace bridgesim
{

struct Ground { // what all parts stand on
    TimeLoop &loop;
    Trace &trace;
    Judge &judge;
    Weather &weather;
    Database &database;
    Homeserver &server;
    const Options &options;
};

class Worker
{
public:
    Worker(Ground ground, int number, Chance chance);
    ~Worker();
    Q_DISABLE_COPY_MOVE(Worker)

    void start();
    void crash();            // now, from outside its code
    void crashAt(int await); // at that request from now on, the next is 1
    void stop();             // in good order, and starts again
    void cutOff(bool database, bool homeserver);
    // No faults any more: it is to stay up.
    void calm();

    [[nodiscard]] voip::Pipeline *serving() const { return m_serving && !m_life->dead ? m_pipeline.get() : nullptr; }
    [[nodiscard]] std::shared_ptr<Life> life() const { return m_life; }
    [[nodiscard]] QByteArray metrics() const { return m_shared->metrics.text(); }
    [[nodiscard]] int awaits() const { return m_awaits; }
    void deliver(const voiphost::EventBatch &batch, const Homeserver::Outcome &outcome);

    std::function<void(voip::Pipeline &)> onServing;
    std::function<void()> onGone; // the process has ended, and all of its connections with it
    std::function<void(const voiphost::CallNotice &)> onNoticed;

private:
    [[nodiscard]] Fate await(const char *request);
    void die();
    void bury();
    void breakConnections();
    void startAgain(qint64 after);

    Ground m_ground;
    const int m_number;
    Chance m_chance;
    std::shared_ptr<Life> m_life;
    std::unique_ptr<voip::Shared> m_shared;
    std::unique_ptr<voip::Pipeline> m_pipeline; // goes before what it shares
    QVector<Homeserver::Outcome> m_deliveries;  // of the last transactions that it was given
    bool m_serving = false;
    bool m_stopping = false;
    bool m_noDatabase = false;
    bool m_noHomeserver = false;
    int m_lives = 0;
    int m_awaits = 0;
    int m_crashAt = 0;
};

[[nodiscard]] QString userId(int user);
[[nodiscard]] QString ghostOf(int user);

} // namespace bridgesim
