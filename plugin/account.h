// SPDX-License-Identifier: Apache-2.0
// Account mode's part of the pipeline: the session, and /sync in the place of the appservice's transactions. Says in
// Health how both are. Lives on the core thread; decides nothing about calls.
#pragma once

#include "accountsettings.h"
#include "homeserver/syncloop.h"
#include "observe/health.h"
#include "sealedsession.h"

namespace voip
{

class Account : public QObject
{
    Q_OBJECT

public:
    Account(const AccountSettings &settings, homeserver::Client &client, store::Store &store, const QByteArray &rootKey,
            observe::Health &health, homeserver::SyncLoop::Deliver deliver, QObject *parent = nullptr);

    // Logged in, with what was kept or anew; or why not.
    void open(const QHash<QString, QByteArray> &settings, homeserver::Session::Told done);
    // From now on events come.
    void serve();
    // Its /sync has not begun yet: the rooms will be looked through once it has.
    [[nodiscard]] bool beginsAnew() const { return m_session.record().nextBatch.isEmpty(); }
    [[nodiscard]] const QString &deviceId() const { return m_session.record().deviceId; }

Q_SIGNALS:
    void begunAnew();

private:
    observe::Health &m_health;
    SealedSession m_kept;
    homeserver::Session m_session;
    homeserver::SyncLoop m_sync;
};

[[nodiscard]] homeserver::Access accessOf(const AccountSettings &settings,
                                          const voiphost::HomeserverSettings &homeserver);

} // namespace voip
