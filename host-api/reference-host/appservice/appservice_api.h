// SPDX-License-Identifier: Apache-2.0
// What the homeserver asks of an application service: transactions, whether a user or room exists, ping.
// A request without the right hs_token is refused from its headers; nothing of it is kept. A transaction is answered
// 200 only when every handler has stored it (R109), 503 otherwise, and then the homeserver repeats it.
#pragma once

#include "appservice/event_router.h"
#include "config/config.h"
#include "http/exchange.h"
#include "http/tokens.h"

#include <QMap>
#include <QSet>

namespace bridgehost
{

class AppserviceApi : public QObject
{
    Q_OBJECT

public:
    AppserviceApi(const Config &config, EventRouter *router, QObject *parent = nullptr);

    [[nodiscard]] std::optional<Reply> admit(const Request &request) const;
    void handle(const ExchangePtr &exchange);

    // How long a handler may take to store a batch.
    void setPatience(int ms) { m_patienceMs = ms; }

    [[nodiscard]] const QMap<QString, quint64> &rejectedEvents() const { return m_rejected; }
    [[nodiscard]] const QMap<QString, quint64> &transactions() const { return m_transactions; } // by result

private:
    void transaction(const ExchangePtr &exchange, const QString &transactionId);

    void countRejected(const QMap<QString, int> &rejected);

    QSet<QString> m_ghosts;
    TokenDigest m_token;
    EventRouter *m_router;
    int m_patienceMs = 30'000;
    QMap<QString, quint64> m_rejected;
    QMap<QString, quint64> m_transactions;
};

} // namespace bridgehost
