// SPDX-License-Identifier: Apache-2.0
// Account mode: one ordinary account in the place of the appservice and its ghosts. /sync takes the place of the
// transactions; everything behind the intake is the same.
#include "backupsearch.h"
#include "crypto/sasemoji.h"
#include "observe/log.h"
#include "ownersignature.h"
#include "pipeline.h"

#include <algorithm>

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
    connect(&m_courier, &effects::Courier::backupRefused, this, [this] {
        tellOfBackup(
            tr("the account's key backup takes nothing from the bridge: it is looked at again within the hour"));
    });
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
        if (m_cipher) {
            m_cipher->settings.device = m_account->deviceId();
            m_cipher->settings.keyBackup = m_settings.account->keyBackup;
        }
        then();
    });
}

void Pipeline::connectAccountLane(const effects::Lane &lane)
{
    connect(&lane, &effects::Lane::deviceSignatureChanged, this, [this](const QString &, bool isSigned) {
        if (!isSigned)
            return signDevice();
        qCInfo(observe::cryptoLog) << "the account's device is signed by its owner";
        tellOfDevice(true);
    });
    connect(&lane, &effects::Lane::verificationsChanged, this, &Pipeline::logVerifications);
}

void Pipeline::tellOfDevice(bool isSigned, const QString &message, const QString &advice)
{
    m_shared.health.set({QStringLiteral("device"), isSigned, false, message, advice});
}

// So that clients that take signed devices only take the account's calls through the bridge.
void Pipeline::signDevice()
{
    const QString self = m_settings.account->login.user;
    if (m_settings.account->recoveryKey.isEmpty()) {
        return tellOfDevice(
            false,
            tr("The bridge's device of %1 is not signed by its owner: strict clients refuse its calls.").arg(self),
            tr("Give account.recovery_key, or verify the session in another client of the account."));
    }
    auto *signature =
        new OwnerSignature(m_client, self, makeLane(self).deviceKeys(), m_settings.account->recoveryKey, this);
    connect(signature, &OwnerSignature::ended, this, [this, signature](const QString &problem) {
        if (problem.isEmpty()) {
            qCInfo(observe::cryptoLog) << "the account's device is signed by its owner";
            tellOfDevice(true);
        } else {
            qCWarning(observe::cryptoLog).noquote() << "the account's device could not be signed:" << problem;
            tellOfDevice(false, problem,
                         tr("Strict clients refuse the calls of a device that its owner has not signed."));
        }
        signature->deleteLater();
    });
    signature->begin();
}

// --- key backup ----------------------------------------------------------------------------------------------------

void Pipeline::findBackup(const homeserver::Reply<QJsonObject> &reply)
{
    if (!m_account) {
        return reply(homeserver::Failure{homeserver::FailureKind::Rejected});
    }
    auto *search =
        new BackupSearch(m_client, *m_backend, m_settings.account->login.user, m_settings.account->recoveryKey, this);
    search->begin([this, search, reply](const homeserver::Result<QJsonObject> &found) {
        search->deleteLater();
        tellOfBackup(found.ok() ? QString() : found.error().message);
        reply(found);
    });
}

// It is looked for again and again: only what is new goes to the log.
void Pipeline::tellOfBackup(const QString &problem)
{
    m_shared.health.set(
        {QStringLiteral("key_backup"), problem.isEmpty(), false, problem,
         problem.isEmpty() ? QString() : tr("Calls go on. Keys of encrypted calls are not backed up until then.")});
    if (m_backupProblem == problem)
        return;
    m_backupProblem = problem;
    if (problem.isEmpty())
        qCInfo(observe::cryptoLog) << "the sessions of the account's device go to its key backup";
    else
        qCWarning(observe::cryptoLog).noquote() << "no sessions go to the account's key backup:" << problem;
}

// --- verification by the owner's other sessions --------------------------------------------------------------------

namespace
{

VerificationState stateOf(crypto::Sas::State state)
{
    using State = crypto::Sas::State;
    switch (state) {
    case State::Asked:
    case State::Ready:
    case State::Begun:
    case State::Keyed:
    case State::Accepted:
        return VerificationState::Waiting;
    case State::Compared:
        return VerificationState::Compare;
    case State::Confirmed:
        return VerificationState::Confirmed;
    case State::Done:
        return VerificationState::Done;
    case State::Cancelled:
        return VerificationState::Cancelled;
    }
    return VerificationState::Cancelled;
}

PendingVerification toHost(const crypto::SasView &view, const QString &account)
{
    PendingVerification pending{view.id, account, view.device, stateOf(view.state), {}, {}, view.until, view.code};
    if (!view.shown)
        return pending;
    if (view.shown->hasEmoji) {
        for (const quint8 index : view.shown->emoji) {
            const crypto::SasEmoji emoji = crypto::sasEmoji(index);
            pending.signs.push_back({emoji.symbol, emoji.name});
        }
    }
    for (const quint16 number : view.shown->decimals)
        pending.numbers.push_back(number);
    return pending;
}

} // namespace

void Pipeline::verifications(const std::function<void(Expected<QList<PendingVerification>>)> &reply)
{
    if (const auto error = notServing())
        return reply(*error);
    QList<PendingVerification> list;
    if (m_account) {
        const QString self = m_settings.account->login.user;
        for (const crypto::SasView &view : makeLane(self).verifications())
            list.push_back(toHost(view, self));
    }
    reply(list);
}

void Pipeline::judgeVerification(const QString &id, bool same, const std::function<void(Expected<Done>)> &reply)
{
    verifications([this, id, same, reply](const Expected<QList<PendingVerification>> &list) {
        if (!list.ok())
            return reply(list.error());
        const auto found = std::find_if(list->cbegin(), list->cend(), [&id](const auto &one) { return one.id == id; });
        if (found == list->cend())
            return reply(Error{ErrorKind::NotFound,
                               QStringLiteral("VERIFICATION_NOT_FOUND"),
                               tr("There is no such verification."),
                               {}});
        const bool over = found->state == VerificationState::Done || found->state == VerificationState::Cancelled;
        if (same ? found->state != VerificationState::Compare : over)
            return reply(Error{ErrorKind::Conflict,
                               QStringLiteral("WRONG_STATE"),
                               tr("The verification is in the state %1.").arg(toString(found->state)),
                               {}});
        makeLane(m_settings.account->login.user).takeKeys(effects::Judgement{id, same});
        reply(Done{});
    });
}

void Pipeline::logVerifications()
{
    verifications([](const Expected<QList<PendingVerification>> &list) {
        if (!list.ok() || list->isEmpty())
            return;
        const PendingVerification &last = list->last();
        QStringList names;
        for (const Sign &sign : last.signs)
            names.push_back(sign.name);
        const QString what = last.state == VerificationState::Compare
                                 ? QStringLiteral("%1; numbers %2 %3 %4. Confirm or cancel at /admin/")
                                       .arg(names.join(QLatin1String(", ")))
                                       .arg(last.numbers.value(0))
                                       .arg(last.numbers.value(1))
                                       .arg(last.numbers.value(2))
                                 : last.reason;
        qCInfo(observe::cryptoLog).noquote() << "verification" << last.id << "by the session" << last.deviceId << "of"
                                             << last.accountId << "is" << toString(last.state) << what;
    });
}

} // namespace voip
