// SPDX-License-Identifier: Apache-2.0
// How an account gets its access token and gives it back: one attempt each, answers checked field by field and bounded.
// A failure's message never holds what was sent as a secret. Stores nothing and decides nothing: session.h does.
#pragma once

#include "client.h"

namespace voip::homeserver
{

struct LoginFlows {
    bool password = false; // m.login.password
    bool sso = false;      // m.login.sso, and m.login.token to end it with
    QStringList types;     // as offered, for people; at most 16
};

struct Tokens {
    QByteArray access;      // secret
    QByteArray refresh;     // secret; empty: the homeserver gives none
    qint64 expiresInMs = 0; // 0: it does not say
};

struct LoggedIn {
    QString userId;
    QString deviceId;
    Tokens tokens;
};

// Who logs in from where. `deviceId` empty: a new device is made.
struct Device {
    QString id;
    QString name; // for the account's list of sessions
};

void loginFlows(Client &client, Reply<LoginFlows> reply);
void loginByPassword(Client &client, const QString &user, const QByteArray &password, const Device &device,
                     Reply<LoggedIn> reply);
// The token that ends an SSO; good once and for a short time.
void loginByToken(Client &client, const QByteArray &token, const Device &device, Reply<LoggedIn> reply);
void refreshTokens(Client &client, const QByteArray &refreshToken, Reply<Tokens> reply);
// Whose the client's access token is; without a device it cannot be used here, and that is a BadAnswer.
void ownerOfToken(Client &client, Reply<LoggedIn> reply);
void logOut(Client &client, Reply<Done> reply);

// Where a person's browser begins; it ends at `redirect` with a loginToken added to its query.
[[nodiscard]] QUrl ssoAddress(const QUrl &homeserver, const QUrl &redirect);

// What may stand in an HTTP header: 1 to 4096 printable characters.
[[nodiscard]] bool isToken(const QByteArray &token);

} // namespace voip::homeserver
