// SPDX-License-Identifier: Apache-2.0
// When to try again, and a small runner that does. RetryPolicy is pure: attempt, failure and a random number in, a
// delay out. Retrier is for requests that nobody stores (register, join, create a room); events have durable retries
// in effects/, which uses the policy alone.
#pragma once

#include "types.h"

#include <QDeadlineTimer>
#include <QObject>
#include <QPointer>
#include <QRandomGenerator>
#include <QTimer>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

namespace voip::homeserver
{

struct RetryPolicy {
    int baseMs = 200;
    int capMs = 30'000;
    // False for what must not happen twice (createRoom): then only a failure that left no trace is worth a repeat.
    bool repeatable = true;

    // The delay before the next try; nothing: it is no use. `attempt`: how many failed so far, from 1. `random` in
    // [0, 1) comes from the caller. Exponential with full jitter between baseMs and capMs. A rate limit is waited
    // out whole, plus up to baseMs, so that not everybody comes back at the same moment.
    // An unknown token (M_UNKNOWN_TOKEN) is permanent like every Rejected: only an administrator can mend it. A
    // ServerError is always worth another try, whatever its code: Synapse says 500 M_UNKNOWN for a database hiccup.
    [[nodiscard]] std::optional<int> nextDelayMs(int attempt, const Failure &failure, double random) const;
};

class Retrier : public QObject
{
    Q_OBJECT

public:
    using Random = std::function<double()>; // [0, 1)

    explicit Retrier(
        QObject *parent = nullptr, RetryPolicy policy = {},
        Random random = [] { return QRandomGenerator::system()->generateDouble(); });

    // Runs `once` until it succeeds, fails for good, or the next try would begin after `limit`; then `done` gets the
    // last result. A try that has begun is waited for (it has a time limit of its own), since its success would
    // otherwise be lost. `done` is called once, or never if the Retrier is destroyed. Runs are independent.
    template <typename T>
    void run(std::function<void(Reply<T>)> once, std::chrono::milliseconds limit, Reply<T> done)
    {
        struct Run {
            std::function<void(Reply<T>)> once;
            Reply<T> done;
            QDeadlineTimer deadline;
            int failed = 0;
        };
        attempt<Run, T>(std::make_shared<Run>(Run{std::move(once), std::move(done), QDeadlineTimer(limit)}));
    }

private:
    template <typename Run, typename T>
    void attempt(std::shared_ptr<Run> run)
    {
        // `once` belongs to somebody else and may answer after we are gone.
        run->once([self = QPointer<Retrier>(this), run](Result<T> result) {
            if (!self) {
                return;
            }
            if (!result.ok()) {
                const auto delay = self->m_policy.nextDelayMs(++run->failed, result.error(), self->m_random());
                if (delay && *delay <= run->deadline.remainingTime()) {
                    QTimer::singleShot(*delay, self.data(), [self, run] { self->template attempt<Run, T>(run); });
                    return;
                }
            }
            run->done(std::move(result));
        });
    }

    const RetryPolicy m_policy;
    const Random m_random;
};

} // namespace voip::homeserver
