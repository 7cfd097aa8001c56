// SPDX-License-Identifier: Apache-2.0
// Account mode: one ordinary account in the place of the appservice and its ghosts. /sync takes the place of the
// transactions; everything behind the intake is the same.
#include "pipeline.h"

namespace voip
{

using namespace voiphost;

homeserver::Access Pipeline::accessFor(const PipelineSettings &settings)
{
    const HomeserverSettings &server = settings.homeserver;
    if (settings.account)
        return accessOf(*settings.account, server);
    return {server.url, server.serverName, server.asToken, server.senderLocalpart, server.appserviceId};
}

void Pipeline::makeAccount()
{
    if (!m_settings.account || m_settings.users.isEmpty())
        return;
    const QString self = m_settings.account->login.user;
    m_router.setAccount(m_settings.users.first().id, self);
    m_account = std::make_unique<Account>(*m_settings.account, m_client, m_store, m_settings.rootKey, m_shared.health,
                                          [this](const EventBatch &batch) { return accept(batch); });
    connect(m_account.get(), &Account::begunAnew, this, [this, self] { m_rooms.rediscover(self); });
}

// Nothing is restored before there is a token: what waits in the outbox would be refused.
void Pipeline::enter(const QHash<QString, QByteArray> &kept, const Started &started, const std::function<void()> &then)
{
    if (!m_account)
        return then();
    m_account->open(kept, [this, started, then](const Expected<Done> &opened) {
        if (!opened.ok())
            return started(opened);
        if (m_cipher)
            m_cipher->settings.device = m_account->deviceId();
        then();
    });
}

} // namespace voip
