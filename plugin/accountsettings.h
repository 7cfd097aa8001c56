// SPDX-License-Identifier: Apache-2.0
// Account mode's settings: the section plugins.matrixvoip.account, checked field by field, then completed with what the
// host says (its one user, the homeserver's name) and the secrets provider holds (account_token, account_password,
// account_recovery_key).
#pragma once

#include "homeserver/session.h"
#include "homeserver/syncanswer.h"

#include <voiphost/host.h>

#include <QJsonObject>

namespace voip
{

struct AccountSettings {
    homeserver::LoginSettings login;
    homeserver::Invitations invitations = homeserver::Invitations::Direct;
    QByteArray recoveryKey; // secret; empty: the device stays unsigned unless its owner verifies it
    bool keyBackup = false; // the sessions of the device go to the account's key backup; needs the recovery key
};

[[nodiscard]] voiphost::Expected<AccountSettings> readAccount(const QJsonValue &section);
// Blocks (the provider is asked); for start-up, on the host's thread.
[[nodiscard]] voiphost::Expected<AccountSettings> completeAccount(AccountSettings settings, voiphost::Host &host);

} // namespace voip
