// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

#include <QUuid>

namespace bridge
{

Bench::Bench(const DatabaseSettings &database, const QUrl &homeserver)
{
    m_host.store = database;
    m_host.server.url = homeserver;
}

Expected<Done> Bench::start(const QJsonObject &settings)
{
    if (const auto ready = m_plugin.initialise(&m_host, settings); !ready.ok())
        return ready;
    QObject::connect(m_plugin.calls(), &CallService::noticed, m_plugin.calls(),
                     [this](const CallNotice &notice) { m_notices.push_back(notice); });
    return result(m_plugin.start());
}

BatchResult Bench::deliver(const QVector<QJsonObject> &events, const QString &transactionId)
{
    EventBatch batch;
    batch.transactionId = transactionId.isEmpty() ? QUuid::createUuid().toString() : transactionId;
    batch.receivedAt = QDateTime::currentMSecsSinceEpoch() + hostClockAhead;
    batch.events = events;
    return result(m_plugin.deliver(batch));
}

QString Bench::conversation()
{
    const auto all = result(calls().conversations(alice));
    return all.ok() && !all->isEmpty() ? all->first().id : QString();
}

bool Bench::meet(FakeHomeserver &homeserver)
{
    homeserver.rooms[room] = {{bob, QStringLiteral("join")}, {aliceId, QStringLiteral("invite")}};
    if (deliver({member(room, bob, aliceId, QStringLiteral("invite"))}) != BatchResult::Durable)
        return false;
    return QTest::qWaitFor([this] { return !conversation().isEmpty(); }, patience);
}

Expected<Placed> Bench::place(const QString &key)
{
    return result(calls().place(alice, conversation(), {sdp, {true, false}, key}));
}

const CallNotice *Bench::notice(NoticeKind kind) const
{
    for (auto it = m_notices.crbegin(); it != m_notices.crend(); ++it) {
        if (it->kind == kind)
            return &*it;
    }
    return nullptr;
}

bool Bench::told(NoticeKind kind)
{
    return QTest::qWaitFor([this, kind] { return notice(kind) != nullptr; }, patience);
}

bool Bench::isOk(const char *name)
{
    const auto checks = m_plugin.checks();
    for (const auto &check : checks) {
        if (check.name == QLatin1String(name))
            return check.ok;
    }
    return false;
}

} // namespace bridge
