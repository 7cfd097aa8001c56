// SPDX-License-Identifier: Apache-2.0
// Races on purpose, and the same without: `seeded NAME` hands a value to another thread in the way NAME says. Each way
// that is right must be silent, or the edges are not told; each `*_race` must be reported, or they are told where there
// are none. tests/tsan/run holds it to that.
#include <QCoreApplication>
#include <QEventLoop>
#include <QFutureWatcher>
#include <QMutex>
#include <QPromise>
#include <QThread>

#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

// Touches what it points to when it is copied, and when its last copy that was not moved from ends.
struct Word {
    Word() = default;
    explicit Word(int *to) : touches(to) {}
    Word(const Word &other) : touches(other.touches), number(other.number) {}
    Word(Word &&other) noexcept : touches(std::exchange(other.touches, nullptr)), number(other.number) {}
    Word &operator=(const Word &) = delete;
    ~Word()
    {
        if (touches)
            *touches += 1;
    }
    int *touches = nullptr;
    int number = 1;
};

namespace
{

class Emitter : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void told();
    void said(const Word &word);
};

struct Other { // a thread with an event loop, and an object that lives there
    Other()
    {
        there.moveToThread(&thread);
        thread.start();
    }
    ~Other() { end(); }
    void end() // behind what was posted
    {
        if (thread.isRunning())
            QMetaObject::invokeMethod(
                &there, [this] { thread.quit(); }, Qt::QueuedConnection);
        thread.wait();
    }
    QThread thread;
    QObject there;
};

int *value()
{
    static int number = 0;
    return &number;
}

// Keeps the other thread from what is posted to it, until it is let go. Relaxed, so no edge of its own.
class Gate
{
public:
    explicit Gate(Other &other, std::function<void()> then = {})
    {
        QMetaObject::invokeMethod(
            &other.there,
            [open = m_open, then = std::move(then)] {
                while (!open->load(std::memory_order_relaxed))
                    QThread::yieldCurrentThread();
                if (then)
                    then();
            },
            Qt::QueuedConnection);
    }
    void open() { m_open->store(true, std::memory_order_relaxed); }

private:
    std::shared_ptr<std::atomic<bool>> m_open = std::make_shared<std::atomic<bool>>(false);
};

void invoke(bool late)
{
    Other other;
    if (!late)
        *value() = 1;
    QMetaObject::invokeMethod(
        &other.there, [] { *value() += 1; }, Qt::QueuedConnection);
    if (late) // after it was handed over
        *value() = 1;
}

void blocking(bool late)
{
    Other other;
    QMetaObject::invokeMethod(
        &other.there, [] { *value() = 1; }, late ? Qt::QueuedConnection : Qt::BlockingQueuedConnection);
    *value() += 1;
}

void signal(bool late)
{
    Other other;
    Emitter emitter;
    QObject::connect(
        &emitter, &Emitter::told, &other.there, [] { *value() += 1; }, Qt::QueuedConnection);
    if (!late)
        *value() = 1;
    Q_EMIT emitter.told();
    if (late)
        *value() = 1;
    other.end();
}

// Two emitters: what one told says nothing of the other.
void strangers(bool late)
{
    Other one;
    Other two;
    Emitter first;
    Emitter second;
    QObject::connect(
        &first, &Emitter::told, &one.there, [] { *value() = 1; }, Qt::QueuedConnection);
    QObject::connect(
        &second, &Emitter::told, &two.there, [] { *value() = 2; }, Qt::QueuedConnection);
    Q_EMIT first.told();
    if (!late)
        one.end();
    Q_EMIT second.told();
}

// The sender is gone when its slot is called.
void gone(bool late)
{
    Other other;
    Gate gate(other);
    {
        auto heap = std::make_unique<Emitter>();
        QObject::connect(
            heap.get(), &Emitter::told, &other.there, [] { *value() += 1; }, Qt::QueuedConnection);
        if (!late)
            *value() = 1;
        Q_EMIT heap->told();
    }
    if (late)
        *value() = 1;
    gate.open();
    other.end();
}

// The copy of what a queued signal says is made on this thread, and read and destroyed on the other.
void argument(bool late)
{
    Other other;
    Emitter emitter;
    QObject::connect(
        &emitter, &Emitter::said, &other.there, [](const Word &word) { *value() += word.number; },
        Qt::QueuedConnection);
    Gate gate(other);
    Q_EMIT emitter.said(Word());
    if (late)
        *value() = 1;
    gate.open();
    other.end();
}

// Whoever should hear it goes away: what was said ends on its thread all the same.
void unheard(bool late, bool asArgument)
{
    Other other;
    auto *dies = new QObject;
    dies->moveToThread(&other.thread);
    Gate gate(other, [dies] { delete dies; });
    Emitter emitter;
    QObject::connect(
        &emitter, &Emitter::said, dies, [](const Word &) {}, Qt::QueuedConnection);
    if (!late)
        *value() = 1;
    if (asArgument) {
        Word word(value());
        Q_EMIT emitter.said(word);
        word.touches = nullptr;
    } else {
        QMetaObject::invokeMethod(
            dies, [word = Word(value())] {}, Qt::QueuedConnection);
    }
    if (late)
        *value() = 1;
    gate.open();
    other.end();
}
void unheardArgument(bool late)
{
    unheard(late, true);
}
void unheardCall(bool late)
{
    unheard(late, false);
}

void future(bool late)
{
    Other other;
    auto promise = std::make_shared<QPromise<int>>();
    promise->start();
    QFuture<int> result = promise->future();
    QEventLoop loop;
    QFutureWatcher<int> watcher;
    QObject::connect(&watcher, &QFutureWatcherBase::finished, &watcher, [&] {
        *value() += result.result();
        loop.quit();
    });
    watcher.setFuture(result);
    QMetaObject::invokeMethod(
        &other.there,
        [promise, late] {
            if (!late)
                *value() = 1;
            promise->addResult(1);
            promise->finish();
            if (late)
                *value() = 1;
        },
        Qt::QueuedConnection);
    loop.exec();
}

template <typename Mutex>
void mutex(bool late)
{
    Other other;
    static Mutex lock;
    QMetaObject::invokeMethod(
        &other.there,
        [late] {
            std::unique_lock locker(lock, std::defer_lock);
            if (!late)
                locker.lock();
            *value() += 1;
        },
        Qt::QueuedConnection);
    const std::lock_guard locker(lock);
    *value() += 1;
}

// What libc does for us is seen as well.
void block(bool late)
{
    static std::array<char, 256> bytes;
    Other other;
    if (!late)
        bytes.fill(1);
    QMetaObject::invokeMethod(
        &other.there, [] { bytes.fill(2); }, Qt::QueuedConnection);
    if (late)
        bytes.fill(1);
    other.end();
    *value() = bytes.front(); // or nobody needs them
}

// A sender that never says a thing ends on the other thread, and the functor with it.
void connected(bool late)
{
    Other other;
    auto *sender = new Emitter;
    sender->moveToThread(&other.thread);
    Gate gate(other, [sender] { delete sender; });
    if (!late)
        *value() = 1;
    QObject::connect(sender, &Emitter::told, sender, [word = Word(value())] {});
    if (late)
        *value() = 1;
    gate.open();
    other.end();
}

void end(bool late)
{
    Other other;
    QMetaObject::invokeMethod(
        &other.there, [] { *value() = 1; }, Qt::QueuedConnection);
    if (!late)
        other.end();
    *value() += 1;
}

} // namespace

int main(int argc, char **argv)
{
    const QCoreApplication app(argc, argv);
    const std::map<std::string, void (*)(bool)> ways{{"invoke", invoke},
                                                     {"blocking", blocking},
                                                     {"signal", signal},
                                                     {"strangers", strangers},
                                                     {"gone", gone},
                                                     {"argument", argument},
                                                     {"unheard-argument", unheardArgument},
                                                     {"unheard-call", unheardCall},
                                                     {"future", future},
                                                     {"mutex", mutex<QMutex>},
                                                     {"std-mutex", mutex<std::mutex>},
                                                     {"block", block},
                                                     {"connected", connected},
                                                     {"end", end}};
    if (argc < 2) {
        for (const auto &[name, way] : ways)
            std::puts(name.c_str());
        return 0;
    }
    const std::string name(argv[1]);
    const std::string bare = name.substr(0, name.find("_race"));
    const auto way = ways.find(bare);
    if (way == ways.end())
        return 2;
    way->second(bare != name);
    return 0;
}

#include "tst_seeded.moc"
