// SPDX-License-Identifier: Apache-2.0
// Parsing of listener addresses; no look-ups, so a name other than localhost is refused.
#include "config/endpoint.h"

#include <arpa/inet.h>

namespace bridgehost
{

std::optional<Endpoint> parseEndpoint(const QString &text)
{
    const qsizetype colon = text.lastIndexOf(u':');
    if (colon <= 0)
        return std::nullopt;
    bool ok = false;
    const uint port = text.mid(colon + 1).toUInt(&ok);
    if (!ok || port > 65535)
        return std::nullopt;
    QString host = text.left(colon);
    unsigned char address[sizeof(in6_addr)];
    if (host == QLatin1String("localhost"))
        host = QStringLiteral("127.0.0.1");
    if (host.startsWith(u'[') && host.endsWith(u']')) {
        host = host.mid(1, host.size() - 2);
        if (inet_pton(AF_INET6, host.toLatin1().constData(), address) != 1)
            return std::nullopt;
    } else if (inet_pton(AF_INET, host.toLatin1().constData(), address) != 1) {
        return std::nullopt;
    }
    return Endpoint{host, quint16(port)};
}

} // namespace bridgehost
