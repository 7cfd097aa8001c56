// SPDX-License-Identifier: Apache-2.0
// The call REST of the host: reads requests, asks the plugin's CallService, answers when its future finishes.
// Decides nothing about calls. `user` is the host's own user id, proven by a token before it comes here.
#pragma once

#include "http/exchange.h"
#include "rest/caller.h"

#include <voiphost/calls.h>

#include <QObject>

namespace bridgehost
{

class CallApi : public QObject
{
    Q_OBJECT

public:
    // `service` gives the CallService in force, or null.
    CallApi(const ApiGate *gate, QStringList users, std::function<voiphost::CallService *()> service,
            QObject *parent = nullptr);

    // True when the path is one of the call API's; the exchange is then answered, now or later.
    [[nodiscard]] bool handle(const ExchangePtr &exchange);

    void setPatience(int ms) { m_patienceMs = ms; }

private:
    struct Route;
    void conversations(const ExchangePtr &exchange, const QString &user);
    void place(const ExchangePtr &exchange, const QString &user, const QString &conversation);
    void action(const ExchangePtr &exchange, const QString &user, const QString &call, const QString &what);
    void history(const ExchangePtr &exchange, const QString &user);
    void timeline(const ExchangePtr &exchange, const QString &call);
    void timelineOf(const ExchangePtr &exchange, QStringList users, const QString &call, bool withSdp);

    // A change that CallService answers with less than the plugin knows: the whole call is asked for afterwards.
    void answerInFull(const ExchangePtr &exchange, const QString &user,
                      const QFuture<voiphost::Expected<voiphost::Call>> &future);
    void limit(const ExchangePtr &exchange); // answers 503 when the time allowed is over
    template <typename T, typename F>
    void answer(const ExchangePtr &exchange, const QFuture<voiphost::Expected<T>> &future, F shape);

    const ApiGate *m_gate;
    QStringList m_users;
    std::function<voiphost::CallService *()> m_service;
    int m_patienceMs = 30'000;
};

} // namespace bridgehost
