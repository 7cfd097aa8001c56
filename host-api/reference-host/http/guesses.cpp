// SPDX-License-Identifier: Apache-2.0
// Slots of wrong tokens by address.
#include "http/guesses.h"

#include <algorithm>
#include <cstring>
#include <netinet/in.h>

namespace bridgehost
{

ClientAddress clientAddress(const sockaddr *address)
{
    if (!address)
        return {};
    if (address->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, address, sizeof v4);
        return {QByteArray(reinterpret_cast<const char *>(&v4.sin_addr), sizeof v4.sin_addr),
                (ntohl(v4.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET};
    }
    if (address->sa_family != AF_INET6)
        return {};
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    const auto *bytes = reinterpret_cast<const char *>(v6.sin6_addr.s6_addr);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
        return {QByteArray(bytes + 12, 4), bytes[12] == IN_LOOPBACKNET};
    return {QByteArray(bytes, 8), IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0};
}

void Guesses::forget(qint64 now)
{
    m_until.removeIf([now](const auto &entry) { return entry.value().isEmpty() || entry.value().last() <= now; });
}

bool Guesses::mayTry(const ClientAddress &from, qint64 now)
{
    if (m_limits.sparesThisMachine && from.thisMachine)
        return true;
    bool may = true;
    if (const auto known = m_until.find(from.bytes); known != m_until.end()) {
        known->removeIf([now](qint64 until) { return until <= now; });
        may = known->size() < m_limits.slots;
    } else if (m_until.size() >= m_limits.addresses) {
        forget(now);
        may = m_until.size() < m_limits.addresses;
    }
    if (!may)
        ++m_unheard;
    return may;
}

int Guesses::wrong(const ClientAddress &from, qint64 now)
{
    ++m_wrong;
    if (m_until.size() >= m_limits.addresses)
        forget(now);
    if (m_until.contains(from.bytes) || m_until.size() < m_limits.addresses) {
        QList<qint64> &until = m_until[from.bytes];
        until.removeIf([now](qint64 old) { return old <= now; });
        if (until.size() < m_limits.slots) // one of this machine's has no more, however many it asks for
            until.append(now + m_limits.holdMs);
    }
    return m_limits.holdMs;
}

} // namespace bridgehost
