// SPDX-License-Identifier: Apache-2.0
// See turncache.h.
#include "turncache.h"

#include <QLoggingCategory>
#include <QPointer>

#include <algorithm>
#include <limits>

namespace voip::homeserver
{

namespace
{

Q_LOGGING_CATEGORY(lcTurn, "voip.homeserver.turn")

constexpr qint64 kInterestMs = 3'600'000;
constexpr qint64 kNoTurnMs = 600'000;       // how long "there is none" is believed
constexpr qint64 kAfterRefusalMs = 300'000; // until a refresh that was refused for good is tried again
constexpr qint64 kLongestSleepMs = 600'000;

TurnCache::Clock monotonicClock()
{
    return [] { return QDeadlineTimer::current(Qt::CoarseTimer).deadline(); };
}

} // namespace

TurnCache::TurnCache(Client *client, QObject *parent, Clock clock, Retrier::Random random)
    : QObject(parent), m_client(client), m_clock(clock ? std::move(clock) : monotonicClock()),
      m_random(random ? std::move(random) : [] { return QRandomGenerator::system()->generateDouble(); })
{
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &TurnCache::refreshDue);
}

TurnServers TurnCache::current(const Entry &entry, qint64 now)
{
    TurnServers servers = entry.servers;
    servers.ttlSeconds = servers.uris.isEmpty() ? 0 : static_cast<int>((entry.goodUntil - now) / 1000);
    return servers;
}

void TurnCache::answer(Reply<TurnServers> reply, Result<TurnServers> result)
{
    QMetaObject::invokeMethod(
        this, [reply = std::move(reply), result = std::move(result)] { reply(result); }, Qt::QueuedConnection);
}

void TurnCache::get(const QString &asUser, Reply<TurnServers> reply)
{
    const qint64 now = m_clock();
    Entry &entry = m_entries[asUser];
    entry.askedAt = now;
    if (now < entry.goodUntil) {
        answer(std::move(reply), current(entry, now));
        if (now >= entry.refreshAt) {
            fetch(asUser);
        }
    } else if (!entry.inFlight && now < entry.limitedUntil) {
        Failure failure{FailureKind::RateLimited, 429};
        failure.code = QStringLiteral("M_LIMIT_EXCEEDED");
        failure.message = QStringLiteral("the homeserver asked for patience");
        failure.retryAfterMs = static_cast<int>(entry.limitedUntil - now);
        answer(std::move(reply), failure);
    } else {
        entry.waiting.append(std::move(reply));
        fetch(asUser);
    }
    schedule();
}

void TurnCache::fetch(const QString &asUser)
{
    Entry &entry = m_entries[asUser];
    if (entry.inFlight) {
        return;
    }
    entry.inFlight = true;
    // The client may outlive us, and then still answers.
    m_client->turnServers(asUser, [self = QPointer<TurnCache>(this), asUser](const Result<TurnServers> &result) {
        if (self) {
            self->fetched(asUser, result);
        }
    });
}

void TurnCache::fetched(const QString &asUser, const Result<TurnServers> &result)
{
    const qint64 now = m_clock();
    Entry &entry = m_entries[asUser];
    entry.inFlight = false;
    Result<TurnServers> told = result;
    if (result.ok()) {
        const bool none = result->uris.isEmpty();
        const qint64 life = none ? kNoTurnMs : qint64(result->ttlSeconds) * 1000;
        entry.servers = result.value();
        entry.goodUntil = now + life;
        entry.refreshAt = now + life * 4 / 5;
        entry.failed = 0;
        entry.limitedUntil = 0;
    } else {
        const Failure &failure = result.error();
        const auto delay = m_policy.nextDelayMs(++entry.failed, failure, m_random());
        entry.refreshAt = now + delay.value_or(kAfterRefusalMs);
        if (failure.kind == FailureKind::RateLimited) {
            entry.limitedUntil = now + failure.retryAfterMs;
        }
        if (now < entry.goodUntil) {
            told = current(entry, now);
        }
        if (entry.failed == 1) {
            qCWarning(lcTurn, "no TURN credentials for %s (%s): %s", qUtf8Printable(asUser),
                      qUtf8Printable(nameOf(failure.kind)), qUtf8Printable(failure.message));
        }
    }
    for (Reply<TurnServers> &reply : std::exchange(entry.waiting, {})) {
        answer(std::move(reply), told);
    }
    schedule();
    if (result.ok()) {
        setNoTurn(result->uris.isEmpty());
    }
}

void TurnCache::setNoTurn(bool noTurn)
{
    if (std::exchange(m_noTurn, noTurn) == noTurn || !noTurn) {
        return;
    }
    qCWarning(lcTurn, "the homeserver offers no TURN server: calls between networks will often fail");
    Q_EMIT this->noTurn();
}

void TurnCache::refreshDue()
{
    const qint64 now = m_clock();
    QStringList due;
    for (auto it = m_entries.begin(); it != m_entries.end();) {
        const bool wanted = now - it->askedAt < kInterestMs;
        if (!wanted && !it->inFlight && now >= it->goodUntil) {
            it = m_entries.erase(it);
            continue;
        }
        // Only what has a value is renewed; a first fetch is the asker's business.
        if (wanted && !it->inFlight && it->goodUntil > 0 && now >= it->refreshAt) {
            due.append(it.key());
        }
        ++it;
    }
    for (const QString &asUser : due) {
        fetch(asUser);
    }
    schedule();
}

void TurnCache::schedule()
{
    if (m_entries.isEmpty()) {
        m_timer.stop();
        return;
    }
    const qint64 now = m_clock();
    qint64 next = now + kLongestSleepMs;
    for (const Entry &entry : std::as_const(m_entries)) {
        if (!entry.inFlight && entry.goodUntil > 0 && now - entry.askedAt < kInterestMs) {
            next = std::min(next, entry.refreshAt);
        }
    }
    m_timer.start(static_cast<int>(std::max<qint64>(1, next - now)));
}

} // namespace voip::homeserver
