// SPDX-License-Identifier: Apache-2.0
// Futures finish on any thread; whenDone() brings the result to the context's thread and calls `then` there with it,
// or with nothing when the future was cancelled. `then` is not called after the context is destroyed.
#pragma once

#include <QFuture>
#include <QFutureWatcher>

#include <optional>

namespace bridgehost
{

template <typename T, typename F>
void whenDone(QObject *context, const QFuture<T> &future, F then)
{
    auto *watcher = new QFutureWatcher<T>(context);
    QObject::connect(watcher, &QFutureWatcherBase::finished, context, [watcher, then = std::move(then)] {
        watcher->deleteLater();
        const QFuture<T> done = watcher->future();
        then(done.resultCount() > 0 ? std::optional<T>(done.result()) : std::nullopt);
    });
    watcher->setFuture(future);
}

} // namespace bridgehost
