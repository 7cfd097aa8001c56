// SPDX-License-Identifier: Apache-2.0
// What an administrator does with the account while the plugin does not run: log in, log out. Opens the database for
// it and keeps the session there. Lives on the host's thread, which has to run its event loop; nothing blocks.
#pragma once

#include "accountsettings.h"
#include "homeserver/client.h"
#include "sealedsession.h"
#include "store/sqlstore.h"

#include <voiphost/account.h>

namespace voip
{

class AccountConsole : public QObject
{
    Q_OBJECT

public:
    AccountConsole(const AccountSettings &settings, const voiphost::HomeserverSettings &homeserver,
                   const voiphost::DatabaseSettings &database, const QByteArray &rootKey);

    void begin(const QUrl &callback, const std::function<void(voiphost::Expected<voiphost::LoginStep>)> &give);
    void finish(const QByteArray &loginToken, const std::function<void(voiphost::Expected<voiphost::Account>)> &give);
    void close(const std::function<void(voiphost::Expected<voiphost::Done>)> &give);

private:
    using Kept = std::optional<homeserver::SessionRecord>;
    // Opens the database if need be, and reads what is kept there.
    void load(const std::function<void(voiphost::Expected<Kept>)> &loaded);
    void read(const std::function<void(voiphost::Expected<Kept>)> &loaded);
    [[nodiscard]] voiphost::Account account() const;

    const QByteArray m_rootKey;
    store::SqlStore m_store;
    homeserver::Client m_client;
    SealedSession m_kept;
    homeserver::Session m_session;
    bool m_open = false;
};

} // namespace voip
