// SPDX-License-Identifier: Apache-2.0
// An account's session: logs in as the settings say, goes on with the session that was kept, renews its token ahead of
// the time and when the homeserver asks for it, logs out. The client gets each new token, after it was saved.
// A soft logout is mended by the refresh token or the password, with the same device; a session that the homeserver has
// ended stays ended until somebody logs in on purpose. It never tries a refused login again by itself, and never logs
// a token or a password. The client must not be gone while this is used.
#pragma once

#include "login.h"
#include "retry.h"
#include "sessionrecord.h"

#include <QTimer>

namespace voip::homeserver
{

struct LoginSettings {
    enum class By { Token, Password, Sso };

    QString user; // full Matrix id
    By by = By::Token;
    QByteArray token;    // secret; By::Token
    QByteArray password; // secret; By::Password
    QString deviceName;
};

class Session : public QObject
{
    Q_OBJECT

public:
    using Outcome = voiphost::Expected<Done>;
    using Told = std::function<void(Outcome)>;
    // Keeps the bytes of a record (empty: that there is none) and tells whether that went well.
    using Save = std::function<void(const QByteArray &record, std::function<void(bool)> saved)>;
    using WallClock = std::function<qint64()>; // UTC ms

    Session(Client &client, LoginSettings settings, Save save, QObject *parent = nullptr, WallClock clock = {});

    // For tests. How long a login may be repeated while the homeserver does not answer.
    void setPatience(std::chrono::milliseconds patience) { m_patience = patience; }

    // Goes on with what was kept, or logs in without anybody's help if that is possible.
    void open(const std::optional<SessionRecord> &kept, Told done);
    // Somebody is there: logs in anew, as the device that was kept if it still stands. Gives the address for their
    // browser, then finish() has to be called; or an empty one when it is done.
    void begin(const std::optional<SessionRecord> &kept, const QUrl &redirect,
               std::function<void(voiphost::Expected<QUrl>)> done);
    void finish(const QByteArray &loginToken, Told done);
    // The homeserver first, then what was kept. Without the homeserver nothing changes.
    void close(const std::optional<SessionRecord> &kept, Told done);

    // /sync has come as far as this.
    void advance(const QString &nextBatch);
    // The present token is not accepted any more; the client's own requests say so by themselves.
    void refused(bool softLogout);

    [[nodiscard]] const SessionRecord &record() const { return m_record; }

Q_SIGNALS:
    void tokenChanged(const QByteArray &token); // empty: the session is over
    void told(bool ok, const QString &message, const QString &advice);

private:
    void take(const std::optional<SessionRecord> &kept);
    void logIn(const Told &done);
    void adoptToken(const Told &done);
    void enterPassword(const Told &done);
    void checkFlows(bool LoginFlows::*wanted, const Told &done);
    void arrived(const Result<LoggedIn> &result, const Told &done);
    void keep(int attempt, const std::function<void(bool)> &kept);
    void use();
    void renew();
    void renewed(const Result<Tokens> &result);
    void enterAgain();
    void over(SessionRecord::Standing standing);
    void forget(const Told &done);
    void setTokens(const Tokens &tokens);
    void scheduleRenewal();
    void renewalDue();
    [[nodiscard]] Device device() const;
    [[nodiscard]] voiphost::Error errorOf(const Failure &failure) const;

    Client &m_client;
    const LoginSettings m_settings;
    const Save m_save;
    const WallClock m_clock;
    Retrier *m_retrier;
    RetryPolicy m_policy;
    std::chrono::milliseconds m_patience{30'000};
    SessionRecord m_record;
    QTimer m_renewal;
    int m_failed = 0;        // renewals in a row
    bool m_live = false;     // the token is in use
    bool m_renewing = false; // one at a time
};

} // namespace voip::homeserver
