// SPDX-License-Identifier: Apache-2.0
// See retry.h.
#include "retry.h"

namespace voip::homeserver
{

std::optional<int> RetryPolicy::nextDelayMs(int attempt, const Failure &failure, double random) const
{
    if (!failure.transient() || (!repeatable && failure.maybeDone)) {
        return std::nullopt;
    }
    const int doublings = std::clamp(attempt, 1, 20);
    const qint64 ceiling = std::min<qint64>(capMs, qint64(baseMs) << doublings);
    const int backoff = baseMs + static_cast<int>(random * double(std::max<qint64>(0, ceiling - baseMs)));
    if (failure.kind == FailureKind::RateLimited) {
        return std::max(backoff, failure.retryAfterMs + static_cast<int>(random * baseMs));
    }
    return backoff;
}

Retrier::Retrier(QObject *parent, RetryPolicy policy, Random random)
    : QObject(parent), m_policy(policy), m_random(std::move(random))
{
}

} // namespace voip::homeserver
