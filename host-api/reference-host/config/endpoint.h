// SPDX-License-Identifier: Apache-2.0
// Where a listener binds: "127.0.0.1:9010", "[::1]:9010" or "localhost:9010". Numeric, so that nothing is looked up.
#pragma once

#include <QString>

#include <optional>

namespace bridgehost
{

struct Endpoint {
    QString host; // numeric IPv4 or IPv6 address
    quint16 port = 0;

    bool operator==(const Endpoint &) const = default;
};

[[nodiscard]] std::optional<Endpoint> parseEndpoint(const QString &text);

} // namespace bridgehost
