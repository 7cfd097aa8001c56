// SPDX-License-Identifier: Apache-2.0
#include "account.h"

#include "protocol/read.h"

namespace voip
{

using namespace voiphost;

homeserver::Access accessOf(const AccountSettings &settings, const HomeserverSettings &homeserver)
{
    return {homeserver.url, homeserver.serverName, {}, {}, {}, settings.login.user};
}

Account::Account(const AccountSettings &settings, homeserver::Client &client, store::Store &store,
                 const QByteArray &rootKey, observe::Health &health, homeserver::SyncLoop::Deliver deliver,
                 QObject *parent)
    : QObject(parent), m_health(health), m_kept(store, rootKey, this),
      m_session(client, settings.login, [this](const auto &record, auto saved) { m_kept.save(record, saved); }),
      m_sync(client.access(), {settings.login.user, protocol::eventTypes(), settings.invitations}, std::move(deliver))
{
    const auto tellOf = [this](const QString &check, bool required) {
        return [this, check, required](bool ok, const QString &message, const QString &advice) {
            m_health.set({check, ok, required, message, advice});
        };
    };
    connect(&m_session, &homeserver::Session::told, this, tellOf(QStringLiteral("account"), true));
    connect(&m_sync, &homeserver::SyncLoop::told, this, tellOf(QStringLiteral("sync"), false));
    connect(&m_session, &homeserver::Session::tokenChanged, &m_sync, &homeserver::SyncLoop::setToken);
    connect(&m_sync, &homeserver::SyncLoop::tokenRefused, &m_session, &homeserver::Session::refused);
    connect(&m_sync, &homeserver::SyncLoop::advanced, &m_session, &homeserver::Session::advance);
    connect(&m_sync, &homeserver::SyncLoop::begun, this, [this](bool anew) {
        if (anew)
            Q_EMIT begunAnew();
    });
}

void Account::open(const QHash<QString, QByteArray> &settings, homeserver::Session::Told done)
{
    const auto kept = m_kept.read(settings);
    if (!kept.ok())
        return done(kept.error());
    m_session.open(*kept, std::move(done));
}

void Account::serve()
{
    m_sync.start(m_session.record().deviceId, m_session.record().nextBatch);
}

} // namespace voip
