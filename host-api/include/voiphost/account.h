// SPDX-License-Identifier: Apache-2.0
// Optional, found by qobject_cast on the plugin's root object: a plugin that runs on an account of its network instead
// of being pushed events, and what its administrator does with that account. Caller: host, on its own thread, after
// initialise() and instead of start(); then stop(). One request at a time. A plugin that is configured otherwise
// answers Conflict.
#pragma once

#include <voiphost/types.h>

#include <QByteArray>
#include <QFuture>
#include <QUrl>
#include <QtPlugin>

namespace voiphost
{

struct Account {
    QString userId;
    QString deviceId;

    bool operator==(const Account &) const = default;
};

struct LoginStep {
    QUrl address;    // for a person's browser, which ends at the callback with a loginToken; empty: the login is done
    Account account; // when it is done

    bool operator==(const LoginStep &) const = default;
};

class AccountControl
{
public:
    virtual ~AccountControl() = default;

    // Logs in as the settings say. `callback`: the host's own page on loopback; its query, with which the host knows
    // its own request again, comes back as it was. The session is kept for the next start when the login is done.
    virtual QFuture<Expected<LoginStep>> beginLogin(const QUrl &callback) = 0;
    // The second half, when beginLogin() gave an address. `loginToken` is secret, and good once.
    virtual QFuture<Expected<Account>> finishLogin(const QByteArray &loginToken) = 0;
    // At the homeserver first, then here. If the homeserver cannot be asked nothing changes.
    virtual QFuture<Expected<Done>> logout() = 0;
};

} // namespace voiphost

Q_DECLARE_INTERFACE(voiphost::AccountControl, "org.novabridge.voiphost.AccountControl/1")
