// SPDX-License-Identifier: Apache-2.0
// The echo plugin's life and its optional interfaces.
#include "echo_plugin.h"

#include <QTimer>
#include <QtConcurrentRun>

using namespace voiphost;

namespace
{

template <typename T>
QFuture<T> ready(T value)
{
    return QtFuture::makeReadyFuture(std::move(value));
}

} // namespace

Expected<Done> EchoPlugin::initialise(Host *host, const QJsonObject &settings)
{
    const QStringList known{QStringLiteral("enabled"), QStringLiteral("rollout_percent"), QStringLiteral("start_fails"),
                            QStringLiteral("refuse"), QStringLiteral("mode")};
    for (auto it = settings.begin(); it != settings.end(); ++it) {
        if (!known.contains(it.key()))
            return Error{ErrorKind::Invalid,
                         QStringLiteral("INVALID_SETTING"),
                         QStringLiteral("is not a setting of the echo plugin"),
                         {{QStringLiteral("key"), it.key()}}};
    }
    m_host = host;
    m_settings = settings;
    m_rollout = {settings.value(QStringLiteral("enabled")).toBool(true),
                 settings.value(QStringLiteral("rollout_percent")).toInt(100)};
    m_before = m_rollout;
    m_calls = std::make_unique<EchoCalls>(host->users());
    return Done{};
}

QFuture<Expected<Done>> EchoPlugin::start()
{
    if (m_settings.value(QStringLiteral("start_fails")).toBool())
        return ready(Expected<Done>(Error{
            ErrorKind::Unavailable, QStringLiteral("NO_DATABASE"), QStringLiteral("the database is not there"), {}}));
    m_host->events().registerHandler(this, {QStringLiteral("m.call.*"), QStringLiteral("m.room.member")});
    m_running = true;
    return ready(Expected<Done>(Done{}));
}

QFuture<Done> EchoPlugin::drain(int timeoutMs)
{
    m_calls->refuseNew();
    if (m_calls->allLiveCalls().isEmpty())
        return ready(Done{});
    auto promise = std::make_shared<QPromise<Done>>();
    promise->start();
    const auto finish = [promise] {
        if (!promise->future().isFinished()) {
            promise->addResult(Done{});
            promise->finish();
        }
    };
    QTimer::singleShot(timeoutMs, m_calls.get(), finish);
    connect(m_calls.get(), &CallService::noticed, m_calls.get(), [this, finish] {
        if (m_calls->allLiveCalls().isEmpty())
            finish();
    });
    return promise->future();
}

void EchoPlugin::stop()
{
    if (m_running)
        m_host->events().unregisterHandler(this);
    m_running = false;
    m_calls.reset();
}

QByteArray EchoPlugin::metrics() const
{
    return "# HELP matrix_voip_rejected_events_total Matrix events left out, by reason.\n"
           "# TYPE matrix_voip_rejected_events_total counter\n"
           "matrix_voip_rejected_events_total{reason=\"bad_sender\"} 1\n"
           "# HELP echo_batches_total Batches taken.\n"
           "# TYPE echo_batches_total counter\n"
           "echo_batches_total " +
           QByteArray::number(m_batches) + "\n";
}

QList<Diagnostics::Check> EchoPlugin::checks() const
{
    return {{QStringLiteral("echo"), true, true, QStringLiteral("the echo plugin answers"), QString()}};
}

QFuture<Expected<Rollout>> EchoPlugin::setRollout(const Rollout &rollout)
{
    m_before = m_rollout;
    m_rollout = rollout;
    return ready(Expected<Rollout>(m_rollout));
}

QFuture<Expected<Rollout>> EchoPlugin::rollBack()
{
    std::swap(m_rollout, m_before);
    return ready(Expected<Rollout>(m_rollout));
}

QFuture<BatchResult> EchoPlugin::deliver(const EventBatch &batch)
{
    if (m_settings.value(QStringLiteral("refuse")).toBool())
        return ready(BatchResult::Refused);
    ++m_batches;
    const QString prefix = u'@' + m_host->homeserver().userPrefix;
    for (const QJsonObject &event : batch.events) {
        const QJsonObject content = event.value(QStringLiteral("content")).toObject();
        const QString invitee = content.value(QStringLiteral("invitee")).toString();
        if (event.value(QStringLiteral("type")) == QStringLiteral("m.call.invite") && invitee.startsWith(prefix))
            m_calls->incoming(invitee.mid(prefix.size()).section(u':', 0, 0), event);
    }
    // From another thread, as a real store would.
    return QtConcurrent::run([] { return BatchResult::Durable; });
}
