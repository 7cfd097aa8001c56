// SPDX-License-Identifier: Apache-2.0
// Who is asking on the API listener: a user by a user's token, the administrator by the admin token. And the rules of
// CORS for browser phones. Decides only; answers are the caller's.
#pragma once

#include "config/config.h"
#include "http/exchange.h"
#include "http/tokens.h"

namespace bridgehost
{

class ApiGate
{
public:
    explicit ApiGate(const Config &config);

    enum class Who { Nobody, WrongToken, User, Admin };
    struct Caller {
        Who who = Who::Nobody;
        QString userId;
    };
    // `fromQuery`: ?access_token= counts too, for a browser's EventSource.
    [[nodiscard]] Caller caller(const Request &request, bool fromQuery = false) const;
    // A user, or the exchange has been answered 401 or 403.
    [[nodiscard]] std::optional<QString> requireUser(const ExchangePtr &exchange, bool fromQuery = false) const;
    [[nodiscard]] bool requireAdmin(const ExchangePtr &exchange) const;
    [[nodiscard]] bool metricsAllowed(const ExchangePtr &exchange) const;

    // Adds the CORS headers where the origin is allowed; true when this was a preflight, which is then answered.
    [[nodiscard]] bool cors(const ExchangePtr &exchange) const;

private:
    UserTokens m_users;
    TokenDigest m_admin;
    TokenDigest m_metrics;
    QStringList m_origins;
};

} // namespace bridgehost
