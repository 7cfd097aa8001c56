// SPDX-License-Identifier: Apache-2.0
// TURN credentials at hand before a call needs them: one value per acting user (R99), refreshed at 80 % of its life
// (R96) while somebody asked for it within the last hour, one request per user at a time. A failed refresh leaves the
// value that is still good (R95). Never logs a credential (R98). Lives on the client's thread; the client must not be
// gone while this is used.
#pragma once

#include "client.h"
#include "retry.h"

#include <QHash>
#include <QTimer>

namespace voip::homeserver
{

class TurnCache : public QObject
{
    Q_OBJECT

public:
    using Clock = std::function<qint64()>; // milliseconds that only grow; from any start

    explicit TurnCache(Client *client, QObject *parent = nullptr, Clock clock = {}, Retrier::Random random = {});

    // Answers later, once, and never after the cache is gone: from the cache when it holds a good value (ttlSeconds is
    // what is left of it), else when the homeserver has answered. While a rate limit holds, the homeserver is left
    // alone and the answer is RateLimited.
    void get(const QString &asUser, Reply<TurnServers> reply);

    // The homeserver's last answer was that it has no TURN (R97): calls may still work, administrators should know.
    [[nodiscard]] bool hasNoTurn() const { return m_noTurn; }

    // Refreshes what is due and drops what nobody wants. The cache calls it by itself; tests move the clock and call
    // it.
    void refreshDue();

Q_SIGNALS:
    void noTurn(); // hasNoTurn() became true

private:
    struct Entry {
        TurnServers servers;
        qint64 goodUntil = 0; // 0: there is no value
        qint64 refreshAt = 0;
        qint64 askedAt = 0;
        int failed = 0;                      // refreshes in a row
        qint64 limitedUntil = 0;             // R95
        QVector<Reply<TurnServers>> waiting; // for the request in flight
        bool inFlight = false;
    };

    void fetch(const QString &asUser);
    void fetched(const QString &asUser, const Result<TurnServers> &result);
    void answer(Reply<TurnServers> reply, Result<TurnServers> result);
    void setNoTurn(bool noTurn);
    void schedule();
    [[nodiscard]] static TurnServers current(const Entry &entry, qint64 now);

    Client *m_client;
    Clock m_clock;
    Retrier::Random m_random;
    RetryPolicy m_policy;
    QHash<QString, Entry> m_entries;
    QTimer m_timer;
    bool m_noTurn = false;
};

} // namespace voip::homeserver
