// SPDX-License-Identifier: Apache-2.0
// The Qt entry point: keeps the lifecycle of host-api's Plugin and hands everything on to the pipeline on the core
// thread. Lives on the host's thread. Wrong order of calls is answered with values, never with a crash.
#pragma once

#include "accountconsole.h"
#include "pipeline.h"
#include "rootkey.h"

#include <voiphost/account.h>
#include <voiphost/maintenance.h>
#include <voiphost/plugin.h>
#include <voiphost/verification.h>

#include <QThread>

namespace voip
{

class MatrixVoipPlugin : public QObject,
                         public voiphost::Plugin,
                         public voiphost::Diagnostics,
                         public voiphost::RolloutControl,
                         public voiphost::SelfCheck,
                         public voiphost::KeyRotation,
                         public voiphost::AccountControl,
                         public voiphost::Verification,
                         public voiphost::EventHandler
{
    Q_OBJECT
    Q_PLUGIN_METADATA(IID VOIPHOST_PLUGIN_IID FILE "plugin.json")
    Q_INTERFACES(voiphost::Plugin voiphost::Diagnostics voiphost::RolloutControl voiphost::SelfCheck
                     voiphost::KeyRotation voiphost::AccountControl voiphost::Verification)

public:
    ~MatrixVoipPlugin() override { stop(); }

    voiphost::Expected<voiphost::Done> initialise(voiphost::Host *host, const QJsonObject &settings) override;
    QFuture<voiphost::Expected<voiphost::Done>> start() override;
    QFuture<voiphost::Done> drain(int timeoutMs) override;
    void stop() override;
    voiphost::CallService *calls() override { return m_desk.get(); }

    QFuture<voiphost::BatchResult> deliver(const voiphost::EventBatch &batch) override;

    [[nodiscard]] QByteArray metrics() const override { return m_shared.metrics.text(); }
    [[nodiscard]] QList<Check> checks() const override { return m_shared.health.checks(); }
    [[nodiscard]] QList<Check> selfCheck() override;
    [[nodiscard]] voiphost::Expected<voiphost::RotationReport> rotateRootKey() override;

    [[nodiscard]] voiphost::Rollout rollout() const override;
    QFuture<voiphost::Expected<voiphost::Rollout>> setRollout(const voiphost::Rollout &rollout) override;
    QFuture<voiphost::Expected<voiphost::Rollout>> rollBack() override;

    QFuture<voiphost::Expected<voiphost::LoginStep>> beginLogin(const QUrl &callback) override;
    QFuture<voiphost::Expected<voiphost::Account>> finishLogin(const QByteArray &loginToken) override;
    QFuture<voiphost::Expected<voiphost::Done>> logout() override;

    QFuture<voiphost::Expected<QList<voiphost::PendingVerification>>> verifications() override;
    QFuture<voiphost::Expected<voiphost::Done>> confirmVerification(const QString &id) override;
    QFuture<voiphost::Expected<voiphost::Done>> cancelVerification(const QString &id) override;

private:
    [[nodiscard]] voiphost::Expected<voiphost::Done> needRootKey();
    [[nodiscard]] voiphost::Expected<voiphost::Done> needConsole();

    enum class State { Loaded, Initialised, Started, Stopped };
    State m_state = State::Loaded;
    voiphost::Host *m_host = nullptr; // the host's
    PipelineSettings m_settings;
    RootKey m_rootKey; // as it was read; start() settles which
    Shared m_shared;
    QThread m_thread;               // the core thread
    Pipeline *m_pipeline = nullptr; // made, living and dying on m_thread
    std::unique_ptr<effects::Desk> m_desk;
    std::unique_ptr<AccountConsole> m_console; // instead of a start
};

} // namespace voip
