// SPDX-License-Identifier: Apache-2.0
#include "plugin.h"

#include "effects/answer.h"
#include "effects/present.h"
#include "observe/log.h"
#include "protocol/read.h"
#include "rotation.h"

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
    auto rootKey = readRootKey(*host);
    if (!rootKey.ok())
        return rootKey.error();
    m_rootKey = std::move(rootKey).value();
    m_host = host;
    if (read->account) {
        auto account = completeAccount(*read->account, *host);
        if (!account.ok())
            return account.error();
        read.value().account = std::move(account).value();
        if (m_rootKey.bytes.isEmpty() && !m_rootKey.toBeMade) {
            return Error{ErrorKind::Invalid, QStringLiteral("INVALID_SETTING"),
                         tr("plugins.matrixvoip.mode client keeps its session sealed and needs a root key: give "
                            "secrets.root_key, or choose a secrets provider."),
                         QJsonObject{{QStringLiteral("key"), QStringLiteral("mode")}}};
        }
    }
    constexpr qint64 hour = 60LL * 60 * 1000;
    m_settings = {host->homeserver(),
                  host->database(),
                  {},
                  host->users(),
                  read->call,
                  read->encryption,
                  read->account,
                  read->workers,
                  {read->retention.detailHours * hour, read->retention.historyDays * 24 * hour},
                  qsizetype(read->timelineMegabytes) * 1024 * 1024};
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
    if (const auto needed = needRootKey(); !needed.ok())
        return ready(needed);
    m_state = State::Started;
    m_pipeline = Pipeline::makeOn(m_thread, m_settings, m_shared);
    m_desk->attach(m_pipeline, m_settings.workers);
    if (!m_settings.account) // an account hears by /sync
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
        if (!m_settings.account)
            m_host->events().unregisterHandler(this);
        m_pipeline = nullptr; // is deleted as the thread's last act
        m_thread.quit();
        m_thread.wait();
        qCInfo(observe::lifecycleLog) << "matrixvoip has stopped";
    }
    m_console.reset();
    m_desk.reset();
    m_state = State::Stopped;
}

QList<Diagnostics::Check> MatrixVoipPlugin::selfCheck()
{
    return m_host ? QList<Check>{Pipeline::inspect(m_settings.database, m_settings.workers)} +
                        inspectRootKey(*m_host, m_rootKey)
                  : QList<Check>{};
}

Expected<RotationReport> MatrixVoipPlugin::rotateRootKey()
{
    if (m_state != State::Initialised)
        return Error{ErrorKind::Conflict,
                     QStringLiteral("WRONG_STATE"),
                     tr("The root key is changed between initialise() and stop(), while nothing runs."),
                     {}};
    stop(); // what it read to start with is not true any more
    return voip::rotateRootKey(*m_host);
}

// --- the account, while the plugin does not run ------------------------------------------------------------------

Expected<Done> MatrixVoipPlugin::needRootKey()
{
    if (!m_settings.rootKey.isEmpty())
        return Done{};
    const auto settled = settleRootKey(*m_host, m_rootKey);
    if (!settled.ok())
        return settled.error();
    m_settings.rootKey = *settled;
    return Done{};
}

Expected<Done> MatrixVoipPlugin::needConsole()
{
    if (m_state != State::Initialised)
        return Error{ErrorKind::Conflict, QStringLiteral("WRONG_STATE"), tr("The plugin runs, or was stopped."), {}};
    if (!m_settings.account) {
        return Error{ErrorKind::Conflict,
                     QStringLiteral("NO_ACCOUNT"),
                     tr("plugins.matrixvoip.mode is appservice: there is no account to log in."),
                     {}};
    }
    if (m_console)
        return Done{};
    if (auto needed = needRootKey(); !needed.ok())
        return needed;
    m_console = std::make_unique<AccountConsole>(*m_settings.account, m_settings.homeserver, m_settings.database,
                                                 m_settings.rootKey);
    return Done{};
}

QFuture<Expected<LoginStep>> MatrixVoipPlugin::beginLogin(const QUrl &callback)
{
    if (const auto needed = needConsole(); !needed.ok())
        return ready(Expected<LoginStep>(needed.error()));
    return ask(m_console.get(), Expected<LoginStep>(effects::stopping()),
               [callback](AccountConsole &console, auto give) { console.begin(callback, give); });
}

QFuture<Expected<voiphost::Account>> MatrixVoipPlugin::finishLogin(const QByteArray &loginToken)
{
    if (const auto needed = needConsole(); !needed.ok())
        return ready(Expected<voiphost::Account>(needed.error()));
    return ask(m_console.get(), Expected<voiphost::Account>(effects::stopping()),
               [loginToken](AccountConsole &console, auto give) { console.finish(loginToken, give); });
}

QFuture<Expected<Done>> MatrixVoipPlugin::logout()
{
    if (const auto needed = needConsole(); !needed.ok())
        return ready(needed);
    return ask(m_console.get(), Expected<Done>(effects::stopping()),
               [](AccountConsole &console, auto give) { console.close(give); });
}

QFuture<Expected<QList<PendingVerification>>> MatrixVoipPlugin::verifications()
{
    return ask(m_pipeline, Expected<QList<PendingVerification>>(effects::stopping()),
               [](Pipeline &core, auto give) { core.verifications(give); });
}

QFuture<Expected<Done>> MatrixVoipPlugin::confirmVerification(const QString &id)
{
    return ask(m_pipeline, Expected<Done>(effects::stopping()),
               [id](Pipeline &core, auto give) { core.judgeVerification(id, true, give); });
}

QFuture<Expected<Done>> MatrixVoipPlugin::cancelVerification(const QString &id)
{
    return ask(m_pipeline, Expected<Done>(effects::stopping()),
               [id](Pipeline &core, auto give) { core.judgeVerification(id, false, give); });
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
