// SPDX-License-Identifier: Apache-2.0
// A future that surely finishes, exactly once: with what was given, or, if everybody who could answer is gone, with
// what was agreed at the start. Without it a future that nobody answers would end cancelled, without a result.
// May be given and destroyed on any thread.
#pragma once

#include <QFuture>
#include <QMetaObject>
#include <QPromise>

#include <atomic>
#include <memory>

namespace voip::effects
{

template <typename T>
class Answer
{
public:
    explicit Answer(T otherwise) : m_otherwise(std::move(otherwise)) { m_promise.start(); }
    ~Answer() { give(m_otherwise); }
    Q_DISABLE_COPY_MOVE(Answer)

    void give(T value)
    {
        if (m_given.exchange(true))
            return;
        m_promise.addResult(std::move(value));
        m_promise.finish();
    }
    [[nodiscard]] QFuture<T> future() { return m_promise.future(); }

private:
    QPromise<T> m_promise;
    const T m_otherwise;
    std::atomic<bool> m_given = false;
};

template <typename T>
[[nodiscard]] QFuture<T> ready(T value)
{
    return Answer<T>(std::move(value)).future();
}

// Has `core`'s thread do `work(*core, give)`; what is never given, or not asked because core is null, is `otherwise`.
template <typename T, typename Core, typename Work>
[[nodiscard]] QFuture<T> ask(Core *core, T otherwise, Work work)
{
    auto answer = std::make_shared<Answer<T>>(std::move(otherwise));
    auto future = answer->future();
    if (core) {
        QMetaObject::invokeMethod(core, [core, work = std::move(work), answer] {
            work(*core, [answer](T value) { answer->give(std::move(value)); });
        });
    }
    return future;
}

} // namespace voip::effects
