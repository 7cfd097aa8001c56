// SPDX-License-Identifier: Apache-2.0
// `bridge-host --login` and `--logout`: what an administrator does with the account of a plugin that runs on one, while
// the bridge is stopped. An SSO ends at a small page on 127.0.0.1 that is there for one answer with the right `state`,
// and for ten minutes. Prints no token.
#pragma once

#include "app/bridge_host.h"

class QTextStream;

namespace voiphost
{
class AccountControl;
struct Account;
} // namespace voiphost

namespace bridgehost
{

class AccountSession : public QObject
{
    Q_OBJECT

public:
    static constexpr std::chrono::milliseconds kPatience = std::chrono::minutes(10);

    AccountSession(voiphost::AccountControl *control, QTextStream *out, QObject *parent = nullptr);

    void login(std::chrono::milliseconds patience = kPatience);
    void logout();

Q_SIGNALS:
    void finished(const QString &error); // empty: done

private:
    void called(const ExchangePtr &exchange);
    void finish(const ExchangePtr &exchange, const QByteArray &loginToken);
    void say(const QString &line);
    void loggedIn(const voiphost::Account &account);

    voiphost::AccountControl *m_control;
    QTextStream *m_out;
    HttpServer m_server;
    QByteArray m_state; // secret until it was used; empty: nothing is waited for
    QTimer m_limit;
};

// Exit code: 0 or 1; the error is printed by the caller through `complain`.
[[nodiscard]] int runAccount(const Config &config, bool login, QTextStream &out,
                             const std::function<int(const QStringList &)> &complain);

} // namespace bridgehost
