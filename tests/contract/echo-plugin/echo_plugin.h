// SPDX-License-Identifier: Apache-2.0
// A small well-behaved plugin for testing hosts: keeps calls and notices in memory, makes every m.call.invite to a
// ghost an incoming call, and says Durable at once. It talks to no homeserver and no database. What arrived can be
// read back as an ended call's timeline; settings choose what should go wrong (see settings.schema.json).
#pragma once

#include "echo_calls.h"

#include <voiphost/plugin.h>

#include <QObject>

#include <memory>

class EchoPlugin : public QObject,
                   public voiphost::Plugin,
                   public voiphost::Diagnostics,
                   public voiphost::RolloutControl,
                   public voiphost::SelfCheck,
                   public voiphost::EventHandler
{
    Q_OBJECT
    Q_PLUGIN_METADATA(IID VOIPHOST_PLUGIN_IID FILE "echo.json")
    Q_INTERFACES(voiphost::Plugin voiphost::Diagnostics voiphost::RolloutControl voiphost::SelfCheck)

public:
    voiphost::Expected<voiphost::Done> initialise(voiphost::Host *host, const QJsonObject &settings) override;
    QFuture<voiphost::Expected<voiphost::Done>> start() override;
    QFuture<voiphost::Done> drain(int timeoutMs) override;
    void stop() override;
    voiphost::CallService *calls() override { return m_calls.get(); }

    QByteArray metrics() const override;
    QList<Check> checks() const override;
    voiphost::Rollout rollout() const override { return m_rollout; }
    QFuture<voiphost::Expected<voiphost::Rollout>> setRollout(const voiphost::Rollout &rollout) override;
    QFuture<voiphost::Expected<voiphost::Rollout>> rollBack() override;
    QList<Check> selfCheck() override { return checks(); }

    QFuture<voiphost::BatchResult> deliver(const voiphost::EventBatch &batch) override;

private:
    voiphost::Host *m_host = nullptr;
    QJsonObject m_settings;
    std::unique_ptr<EchoCalls> m_calls;
    voiphost::Rollout m_rollout;
    voiphost::Rollout m_before;
    quint64 m_batches = 0;
    bool m_running = false;
};
