// SPDX-License-Identifier: Apache-2.0
// Account mode: one ordinary account in the place of the appservice and its ghosts. /sync takes the place of the
// transactions; everything behind the intake is the same.
#include "observe/log.h"
#include "ownersignature.h"
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

// So that clients that take signed devices only take the account's calls through the bridge.
void Pipeline::signDevice()
{
    const QString self = m_settings.account->login.user;
    const auto tell = [this](bool ok, const QString &message, const QString &advice) {
        m_shared.health.set({QStringLiteral("device"), ok, false, message, advice});
    };
    if (m_settings.account->recoveryKey.isEmpty()) {
        return tell(
            false,
            tr("The bridge's device of %1 is not signed by its owner: strict clients refuse its calls.").arg(self),
            tr("Give account.recovery_key, or verify the session in another client of the account."));
    }
    auto *signature =
        new OwnerSignature(m_client, self, makeLane(self).deviceKeys(), m_settings.account->recoveryKey, this);
    connect(signature, &OwnerSignature::ended, this, [signature, tell](const QString &problem) {
        if (problem.isEmpty()) {
            qCInfo(observe::cryptoLog) << "the account's device is signed by its owner";
            tell(true, {}, {});
        } else {
            qCWarning(observe::cryptoLog).noquote() << "the account's device could not be signed:" << problem;
            tell(false, problem, tr("Strict clients refuse the calls of a device that its owner has not signed."));
        }
        signature->deleteLater();
    });
    signature->begin();
}

} // namespace voip
