// SPDX-License-Identifier: Apache-2.0
// How often one address may be wrong about a token. Each wrong one takes a slot of its address for a while, and its
// answer waits as long (the server sees to that); an address without a free slot is not listened to. This machine's own
// addresses always are: behind a proxy everybody has them, and who guesses must not shut the others out.
// Pure: time comes in as an argument. Bounded: what has passed is forgotten, and of too many addresses none is new.
#pragma once

#include <QByteArray>
#include <QHash>
#include <QList>

struct sockaddr;

namespace bridgehost
{

struct GuessLimits {
    int holdMs = 500;
    int slots = 16;
    qsizetype addresses = 4096;
    bool sparesThisMachine = true;
};

// An IPv4 address, or the /64 network of an IPv6 one: whoever has one of those has all of it.
struct ClientAddress {
    QByteArray bytes;
    bool thisMachine = false;
};
[[nodiscard]] ClientAddress clientAddress(const sockaddr *address);

class Guesses
{
public:
    explicit Guesses(GuessLimits limits = {}) : m_limits(limits) {}

    // False: a token from there is not to be looked at now.
    [[nodiscard]] bool mayTry(const ClientAddress &from, qint64 now);
    // A token from there was wrong. -> how long its answer waits.
    [[nodiscard]] int wrong(const ClientAddress &from, qint64 now);

    [[nodiscard]] quint64 wrongOnes() const { return m_wrong; }
    [[nodiscard]] quint64 unheard() const { return m_unheard; }
    [[nodiscard]] qsizetype addresses() const { return m_until.size(); }

private:
    void forget(qint64 now);

    GuessLimits m_limits;
    QHash<QByteArray, QList<qint64>> m_until; // by address: when each slot is free again
    quint64 m_wrong = 0;
    quint64 m_unheard = 0;
};

} // namespace bridgehost
