// SPDX-License-Identifier: Apache-2.0
// What ThreadSanitizer cannot see of an uninstrumented Qt: who happens before whom. Preloaded into programs that are
// built with -fsanitize=thread; stands before the functions of Qt that programs call to hand something to another
// thread, and tells the sanitizer of the edge that Qt makes there, and of no other:
//   QMetaObject::invokeMethod(f)   the call        -> f; and for a blocking one f -> the call's return
//   emit of a signal               the emit        -> the functors and methods that are connected to that sender
//   QFuture                        finish()        -> whoever is told or waits
//   QThread                        the thread's end -> wait()
// Not covered: arguments that Qt copies for a queued signal. Ours carry none from thread to thread.
#include <QFutureInterface>
#include <QMetaObject>
#include <QObject>
#include <QThread>
#include <QThreadStorage>

#include <atomic>
#include <dlfcn.h>

extern "C" void __tsan_acquire(void *address);
extern "C" void __tsan_release(void *address);

namespace
{

template <typename Function>
Function original(const char *symbol)
{
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, symbol));
}

void *token(const void *address)
{
    return const_cast<void *>(address);
}

// A token of its own for each call: one on the heap would be forgotten, and with it what it stands for, when it is
// freed.
void *nextToken()
{
    static char tokens[65536];
    static std::atomic<unsigned> used = 0;
    return tokens + 8 * (used++ % 8192);
}

// Stands for a slot: when it is called, what the token released has happened.
class Edge : public QtPrivate::QSlotObjectBase
{
public:
    Edge(QtPrivate::QSlotObjectBase *inner, const void *from)
        : QSlotObjectBase(&impl), m_inner(inner), m_from(from ? token(from) : nextToken())
    {
    }
    void *from() { return m_from; }
    void *done() { return &m_done; }

private:
    static void impl(int which, QSlotObjectBase *base, QObject *receiver, void **arguments, bool *result)
    {
        auto *edge = static_cast<Edge *>(base);
        switch (which) {
        case Destroy:
            __tsan_acquire(&edge->m_done);
            edge->m_inner->destroyIfLastRef();
            delete edge;
            break;
        case Call:
            __tsan_acquire(edge->m_from);
            edge->m_inner->call(receiver, arguments);
            __tsan_release(&edge->m_done);
            break;
        case Compare:
            *result = edge->m_inner->compare(arguments);
            break;
        case NumOperations:
            break;
        }
    }
    QtPrivate::QSlotObjectBase *m_inner;
    void *m_from;
    char m_done = 0;
};

// The last that a thread of Qt does to what others see: its storage goes after its deferred deletions.
struct End {
    QThread *thread = nullptr;
    ~End() { __tsan_release(thread); }
};
QThreadStorage<End *> &ends()
{
    static QThreadStorage<End *> storage;
    return storage;
}

} // namespace

bool QMetaObject::invokeMethodImpl(QObject *object, QtPrivate::QSlotObjectBase *slot, Qt::ConnectionType type,
                                   void *result)
{
    static const auto real = original<bool (*)(QObject *, QtPrivate::QSlotObjectBase *, Qt::ConnectionType, void *)>(
        "_ZN11QMetaObject16invokeMethodImplEP7QObjectPN9QtPrivate15QSlotObjectBaseEN2Qt14ConnectionTypeEPv");
    auto *edge = new Edge(slot, nullptr);
    __tsan_release(edge->from());
    if (type != Qt::BlockingQueuedConnection) // it may be gone when this returns
        return real(object, edge, type, result);
    edge->ref();
    const bool called = real(object, edge, type, result);
    __tsan_acquire(edge->done());
    edge->destroyIfLastRef();
    return called;
}

void QMetaObject::activate(QObject *sender, const QMetaObject *meta, int signal, void **arguments)
{
    static const auto real =
        original<void (*)(QObject *, const QMetaObject *, int, void **)>("_ZN11QMetaObject8activateEP7QObjectPKS_iPPv");
    __tsan_release(sender);
    real(sender, meta, signal, arguments);
}

QMetaObject::Connection QObject::connectImpl(const QObject *sender, void **signal, const QObject *receiver,
                                             void **method, QtPrivate::QSlotObjectBase *slot, Qt::ConnectionType type,
                                             const int *types, const QMetaObject *meta)
{
    using Connect =
        QMetaObject::Connection (*)(const QObject *, void **, const QObject *, void **, QtPrivate::QSlotObjectBase *,
                                    Qt::ConnectionType, const int *, const QMetaObject *);
    static const auto real =
        original<Connect>("_ZN7QObject11connectImplEPKS_PPvS1_S3_PN9QtPrivate15QSlotObjectBaseEN2Qt1"
                          "4ConnectionTypeEPKiPK11QMetaObject");
    return real(sender, signal, receiver, method, new Edge(slot, sender), type, types, meta);
}

void QFutureInterfaceBase::reportFinished()
{
    static const auto real = original<void (*)(QFutureInterfaceBase *)>("_ZN20QFutureInterfaceBase14reportFinishedEv");
    __tsan_release(&mutex()); // one for all copies of the future
    real(this);
}

void QFutureInterfaceBase::waitForResult(int index)
{
    static const auto real =
        original<void (*)(QFutureInterfaceBase *, int)>("_ZN20QFutureInterfaceBase13waitForResultEi");
    real(this, index);
    __tsan_acquire(&mutex());
}

void QThread::start(Priority priority)
{
    static const auto real = original<void (*)(QThread *, Priority)>("_ZN7QThread5startENS_8PriorityE");
    QObject::connect(
        this, &QThread::started, this, [this] { ends().setLocalData(new End{this}); },
        Qt::ConnectionType(Qt::DirectConnection));
    real(this, priority);
}

bool QThread::wait(QDeadlineTimer deadline)
{
    static const auto real = original<bool (*)(QThread *, QDeadlineTimer)>("_ZN7QThread4waitE14QDeadlineTimer");
    const bool ended = real(this, deadline);
    if (ended)
        __tsan_acquire(this);
    return ended;
}
