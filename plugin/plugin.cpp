// SPDX-License-Identifier: Apache-2.0
#include "plugin.h"

#include "observe/log.h"
#include "protocol/read.h"

#include <QJsonDocument>
#include <QPromise>
#include <QTimer>

namespace voip
{

using namespace voiphost;
using observe::lifecycleLog;

namespace
{

const QString rolloutKey = QStringLiteral("rollout");
const QString previousKey = QStringLiteral("rollout_previous");

template <typename T>
QFuture<T> ready(T value)
{
    QPromise<T> promise;
    promise.start();
    promise.addResult(std::move(value));
    promise.finish();
    return promise.future();
}

QByteArray encode(const Rollout &rollout)
{
    return QJsonDocument(
               QJsonObject{{QStringLiteral("enabled"), rollout.enabled}, {QStringLiteral("percent"), rollout.percent}})
        .toJson(QJsonDocument::Compact);
}

std::optional<Rollout> decode(const QByteArray &text)
{
    const QJsonObject object = QJsonDocument::fromJson(text).object();
    const int percent = object.value(QLatin1String("percent")).toInt(-1);
    if (!object.value(QLatin1String("enabled")).isBool() || percent < 0 || percent > 100)
        return {};
    return Rollout{object.value(QLatin1String("enabled")).toBool(), percent};
}

} // namespace

Expected<Done> MatrixVoipPlugin::initialise(Host *host, const QJsonObject &settings)
{
    if (m_state != State::Loaded)
        return Error{ErrorKind::Conflict, QStringLiteral("WRONG_STATE"), tr("The plugin was initialised before."), {}};
    auto read = readSettings(settings);
    if (!read.ok())
        return read.error();
    m_settings = *read;
    m_host = host;
    QSet<QString> users;
    for (const HostUser &user : host->users())
        users.insert(user.id);
    const SecretSettings secrets = host->secrets();
    PipelineSettings pipeline{host->homeserver(), host->database(), secrets.rootKey, host->users(), m_settings.call};
    m_pipeline = new Pipeline(std::move(pipeline), m_shared);
    m_desk = std::make_unique<effects::Desk>(m_pipeline, m_shared.board, users);
    connect(m_pipeline, &Pipeline::settingsRestored, this, &MatrixVoipPlugin::restoreRollout);
    enforce({m_settings.cohort.enabled, m_settings.cohort.percent});
    m_previous = rollout();
    m_state = State::Initialised;
    return Done{};
}

QFuture<Expected<Done>> MatrixVoipPlugin::start()
{
    if (m_state != State::Initialised) {
        return ready<Expected<Done>>(
            Error{ErrorKind::Conflict, QStringLiteral("WRONG_STATE"), tr("The plugin is not initialised."), {}});
    }
    m_state = State::Started;
    m_thread.setObjectName(QStringLiteral("voip-core"));
    m_pipeline->moveToThread(&m_thread);
    connect(&m_thread, &QThread::finished, m_pipeline, &QObject::deleteLater);
    m_thread.start();
    m_host->events().registerHandler(this, protocol::eventTypes());

    auto promise = std::make_shared<QPromise<Expected<Done>>>();
    promise->start();
    const auto future = promise->future();
    QMetaObject::invokeMethod(m_pipeline, [pipeline = m_pipeline, promise] {
        pipeline->start([promise](Expected<Done> result) {
            if (result.ok())
                qCInfo(lifecycleLog) << "matrixvoip is running";
            promise->addResult(std::move(result));
            promise->finish();
        });
    });
    return future;
}

QFuture<BatchResult> MatrixVoipPlugin::deliver(const EventBatch &batch)
{
    if (m_state != State::Started)
        return ready(BatchResult::Refused);
    return m_pipeline->accept(batch);
}

QFuture<Done> MatrixVoipPlugin::drain(int timeoutMs)
{
    m_shared.draining = true;
    auto promise = std::make_shared<QPromise<Done>>();
    promise->start();
    auto *look = new QTimer(this);
    QDeadlineTimer deadline(timeoutMs);
    connect(look, &QTimer::timeout, this, [this, look, promise, deadline] {
        if (m_shared.board.size() > 0 && !deadline.hasExpired())
            return;
        look->deleteLater();
        promise->addResult(Done{});
        promise->finish();
    });
    look->start(50);
    return promise->future();
}

void MatrixVoipPlugin::stop()
{
    if (m_state == State::Stopped)
        return;
    if (m_state == State::Started) {
        m_host->events().unregisterHandler(this);
        m_thread.quit();
        m_thread.wait(); // the pipeline is deleted as the thread's last act
        qCInfo(lifecycleLog) << "matrixvoip has stopped";
    } else {
        delete m_pipeline;
    }
    m_pipeline = nullptr;
    m_desk.reset();
    m_state = State::Stopped;
}

QList<Diagnostics::Check> MatrixVoipPlugin::selfCheck()
{
    const auto found = store::Store::inspect(m_host->database());
    Check check{QStringLiteral("database"),
                found.reachable && found.schemaVersion <= found.programVersion,
                true,
                found.message,
                {}};
    if (!found.reachable)
        check.advice = tr("Start the database, or correct `database` in the configuration.");
    else if (!check.ok)
        check.advice = tr("The database was written by a newer version: install that one.");
    return {check};
}

// --- the switch
// ---------------------------------------------------------------------------------------------------------

Rollout MatrixVoipPlugin::rollout() const
{
    const rollout::Cohort cohort = m_shared.gate.cohort();
    return {cohort.enabled, cohort.percent};
}

void MatrixVoipPlugin::enforce(const Rollout &rollout)
{
    m_shared.gate.set({rollout.enabled, rollout.percent, m_settings.cohort.allowUsers});
    m_shared.metrics.set(observe::Gauge::RolloutPercent, rollout.enabled ? rollout.percent : 0);
}

// What an administrator has set goes before what the configuration says.
void MatrixVoipPlugin::restoreRollout(const QHash<QString, QByteArray> &settings)
{
    if (const auto stored = decode(settings.value(rolloutKey)))
        enforce(*stored);
    m_previous = decode(settings.value(previousKey)).value_or(rollout());
}

QFuture<Expected<Rollout>> MatrixVoipPlugin::setRollout(const Rollout &wanted)
{
    if (wanted.percent < 0 || wanted.percent > 100) {
        return ready<Expected<Rollout>>(Error{ErrorKind::Invalid,
                                              QStringLiteral("INVALID_FIELD"),
                                              tr("percent must be a whole number from 0 to 100."),
                                              {}});
    }
    if (m_state != State::Started)
        return ready<Expected<Rollout>>(
            Error{ErrorKind::Unavailable, QStringLiteral("STOPPING"), tr("The plugin is not running."), {}});
    auto promise = std::make_shared<QPromise<Expected<Rollout>>>();
    promise->start();
    const auto future = promise->future();
    const Rollout before = rollout();
    // Durable first, then in force; back on the host's thread for the latter.
    m_pipeline->saveSetting(previousKey, encode(before), [](const auto &) {});
    m_pipeline->saveSetting(rolloutKey, encode(wanted), [this, promise, wanted, before](const Expected<Done> &saved) {
        QMetaObject::invokeMethod(this, [this, promise, wanted, before, saved] {
            if (saved.ok()) {
                m_previous = before;
                enforce(wanted);
                qCInfo(lifecycleLog) << "rollout is" << (wanted.enabled ? "on," : "off,") << wanted.percent
                                     << "percent";
                promise->addResult(Expected<Rollout>(wanted));
            } else {
                promise->addResult(Expected<Rollout>(saved.error()));
            }
            promise->finish();
        });
    });
    return future;
}

QFuture<Expected<Rollout>> MatrixVoipPlugin::rollBack()
{
    return setRollout(m_previous);
}

} // namespace voip
