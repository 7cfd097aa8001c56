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

#include <cstdio>
#include <functional>
#include <map>

namespace
{

class Emitter : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void told();
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

void mutex(bool late)
{
    Other other;
    static QMutex lock;
    QMetaObject::invokeMethod(
        &other.there,
        [late] {
            const QMutexLocker locker(late ? nullptr : &lock);
            *value() += 1;
        },
        Qt::QueuedConnection);
    const QMutexLocker locker(&lock);
    *value() += 1;
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
    const std::map<std::string, void (*)(bool)> ways{
        {"invoke", invoke}, {"blocking", blocking}, {"signal", signal}, {"strangers", strangers},
        {"future", future}, {"mutex", mutex},       {"end", end}};
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
