// SPDX-License-Identifier: Apache-2.0
#include "plugin.h"

#include "effects/answer.h"
#include "effects/present.h"
#include "observe/log.h"
#include "protocol/read.h"
#include "rootkey.h"

namespace voip
{

using namespace voiphost;
using effects::ask;
using effects::ready;

Expected<Done> MatrixVoipPlugin::initialise(Host *host, const QJsonObject &settings)
{
    if (m_state != State::Loaded)
        return Error{ErrorKind::Conflict, QStringLiteral("WRONG_STATE"), tr("The plugin was initialised before."), {}};
    auto read = readSettings(settings);
    if (!read.ok())
        return read.error();
    const auto rootKey = readRootKey(*host);
    if (!rootKey.ok())
        return rootKey.error();
    m_host = host;
    m_settings = {host->homeserver(), host->database(), rootKey->bytes, host->users(), read->call, read->encryption};
    m_makeRootKey = rootKey->toBeMade;
    m_shared.enforce(read->cohort);
    QSet<QString> users;
    for (const HostUser &user : std::as_const(m_settings.users))
        users.insert(user.id);
    m_desk = std::make_unique<effects::Desk>(m_shared.board, users);
    m_state = State::Initialised;
    return Done{};
}

QFuture<Expected<Done>> MatrixVoipPlugin::start()
{
    if (m_state != State::Initialised)
        return ready(Expected<Done>(
            Error{ErrorKind::Conflict, QStringLiteral("WRONG_STATE"), tr("The plugin cannot be started now."), {}}));
    if (m_makeRootKey) {
        const auto made = makeRootKey(*m_host);
        if (!made.ok())
            return ready(Expected<Done>(made.error()));
        m_settings.rootKey = *made;
    }
    m_state = State::Started;
    m_pipeline = Pipeline::makeOn(m_thread, m_settings, m_shared);
    m_desk->attach(m_pipeline);
    m_host->events().registerHandler(this, protocol::eventTypes());
    return ask(m_pipeline, Expected<Done>(effects::stopping()), [](Pipeline &core, auto give) { core.start(give); });
}

QFuture<BatchResult> MatrixVoipPlugin::deliver(const EventBatch &batch)
{
    return m_pipeline ? m_pipeline->accept(batch) : ready(BatchResult::Refused);
}

QFuture<Done> MatrixVoipPlugin::drain(int timeoutMs)
{
    return ask(m_pipeline, Done{}, [timeoutMs](Pipeline &core, auto give) { core.drain(timeoutMs, give); });
}

void MatrixVoipPlugin::stop()
{
    if (m_state == State::Started) {
        m_host->events().unregisterHandler(this);
        m_pipeline = nullptr; // is deleted as the thread's last act
        m_thread.quit();
        m_thread.wait();
        qCInfo(observe::lifecycleLog) << "matrixvoip has stopped";
    }
    m_desk.reset();
    m_state = State::Stopped;
}

QList<Diagnostics::Check> MatrixVoipPlugin::selfCheck()
{
    return m_host ? QList<Check>{Pipeline::inspect(m_settings.database)} : QList<Check>{};
}

Rollout MatrixVoipPlugin::rollout() const
{
    return m_shared.rollout();
}

QFuture<Expected<Rollout>> MatrixVoipPlugin::setRollout(const Rollout &wanted)
{
    return ask(m_pipeline, Expected<Rollout>(effects::stopping()),
               [wanted](Pipeline &core, auto give) { core.setRollout(wanted, give); });
}

QFuture<Expected<Rollout>> MatrixVoipPlugin::rollBack()
{
    return ask(m_pipeline, Expected<Rollout>(effects::stopping()),
               [](Pipeline &core, auto give) { core.rollBack(give); });
}

} // namespace voip
