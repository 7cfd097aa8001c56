// SPDX-License-Identifier: Apache-2.0
// What ThreadSanitizer cannot see of an uninstrumented Qt: who happens before whom. Preloaded into programs that are
// built with -fsanitize=thread; stands before the functions of Qt that programs call to hand something to another
// thread, and tells the sanitizer of the edge that Qt makes there, and of no other:
//   QMetaObject::invokeMethod(f)   the call        -> f; and for a blocking one f -> the call's return
//   emit of a signal               the emit        -> the functors and methods that are connected to that sender, also
//                                                     if the sender is gone when they are called
//   connect                        the call        -> the call and the end of the functor
//   arguments of a queued signal   their copy      -> the functor or method that gets them, or their end without one
//   what nobody hears any more     the call, the emit -> the end of the functor
//   QFuture                        finish()        -> whoever is told or waits
//   QThread                        the thread's end -> wait()
#include <QFutureInterface>
#include <QMetaMethod>
#include <QMetaObject>
#include <QObject>
#include <QThread>
#include <QThreadStorage>

#include <array>
#include <atomic>
#include <dlfcn.h>
#include <unordered_map>

extern "C" void __tsan_acquire(void *address);
extern "C" void __tsan_release(void *address);

namespace
{

template <typename Function>
Function original(const char *symbol)
{
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, symbol));
}

// A token of its own for each call: one on the heap would be forgotten, and with it what it stands for, when it is
// freed.
void *nextToken()
{
    constexpr unsigned count = 1U << 20;
    static char tokens[8 * count];
    static std::atomic<unsigned> used = 0;
    return tokens + 8 * static_cast<std::size_t>(used++ % count);
}

// No mutex: the sanitizer would take it for an edge between all who pass here.
class Spin
{
public:
    Spin()
    {
        while (held().test_and_set(std::memory_order_acquire)) {
        }
    }
    ~Spin() { held().clear(std::memory_order_release); }
    Spin(const Spin &) = delete;
    Spin &operator=(const Spin &) = delete;

private:
    static std::atomic_flag &held()
    {
        static std::atomic_flag flag;
        return flag;
    }
};

// The token of a sender that something is connected to, from its first connection to its end. Never destroyed: objects
// end after it.
std::unordered_map<const QObject *, void *> &senders()
{
    static auto *all = new std::unordered_map<const QObject *, void *>;
    return *all;
}

void *tokenOf(const QObject *sender)
{
    const Spin spin;
    void *&token = senders()[sender];
    if (token == nullptr)
        token = nextToken();
    return token;
}

void emits(const QObject *sender)
{
    void *token = nullptr;
    {
        const Spin spin;
        if (const auto found = senders().find(sender); found != senders().end())
            token = found->second;
    }
    if (token)
        __tsan_release(token);
}

void ends(const QObject *sender)
{
    const Spin spin;
    senders().erase(sender);
}

// A type of ours that signals carry: Qt calls its constructor and destructor through here.
struct Carried {
    const QtPrivate::QMetaTypeInterface *type = nullptr;
    QtPrivate::QMetaTypeInterface::CopyCtrFn copy = nullptr;
    QtPrivate::QMetaTypeInterface::DtorFn destroy = nullptr;
};
std::array<Carried, 256> carried;
std::atomic<std::size_t> carriedCount = 0;

const Carried *carriedAs(const QtPrivate::QMetaTypeInterface *type)
{
    for (std::size_t i = 0; i < carriedCount.load(std::memory_order_acquire); ++i) {
        if (carried[i].type == type)
            return &carried[i];
    }
    return nullptr;
}

void copyCarried(const QtPrivate::QMetaTypeInterface *type, void *to, const void *from)
{
    carriedAs(type)->copy(type, to, from);
    __tsan_release(to);
}

void destroyCarried(const QtPrivate::QMetaTypeInterface *type, void *what)
{
    __tsan_acquire(what);
    carriedAs(type)->destroy(type, what);
}

// Qt's own types do it in Qt, where the sanitizer sees nothing.
void watch(QMetaType type)
{
    const auto *known = type.isValid() && type.id() >= QMetaType::User ? QMetaType(type.id()).iface() : nullptr;
    if (known == nullptr || known->copyCtr == nullptr || known->dtor == nullptr)
        return;
    const Spin spin;
    const std::size_t count = carriedCount.load(std::memory_order_relaxed);
    if (carriedAs(known) || count == carried.size())
        return;
    carried[count] = {known, known->copyCtr, known->dtor};
    carriedCount.store(count + 1, std::memory_order_release);
    // It lies beside its mutable id, in memory that is written.
    const_cast<QtPrivate::QMetaTypeInterface::CopyCtrFn &>(known->copyCtr) = copyCarried;
    const_cast<QtPrivate::QMetaTypeInterface::DtorFn &>(known->dtor) = destroyCarried;
}

// How many arguments the signal has; they are watched from now on.
int watchArguments(const QMetaObject *meta, void **signal)
{
    int index = -1;
    void *arguments[] = {&index, signal};
    for (; meta; meta = meta->superClass()) {
        if (meta->d.static_metacall)
            meta->d.static_metacall(nullptr, QMetaObject::IndexOfMethod, 0, arguments);
        if (index >= 0)
            break;
    }
    if (meta == nullptr)
        return 0;
    const QMetaMethod method = meta->method(meta->methodOffset() + index);
    for (int i = 0; i < method.parameterCount(); ++i)
        watch(method.parameterMetaType(i));
    return method.parameterCount();
}

// Stands for a slot: when it is called, what the token released has happened.
class Edge : public QtPrivate::QSlotObjectBase
{
public:
    Edge(QtPrivate::QSlotObjectBase *inner, void *from, int arguments = 0)
        : QSlotObjectBase(&impl), m_inner(inner), m_from(from), m_arguments(arguments)
    {
    }
    void *from() { return m_from; }
    void *made() { return &m_made; }
    void *done() { return &m_done; }

private:
    static void impl(int which, QSlotObjectBase *base, QObject *receiver, void **arguments, bool *result)
    {
        auto *edge = static_cast<Edge *>(base);
        switch (which) {
        case Destroy:
            __tsan_acquire(&edge->m_made);
            __tsan_acquire(edge->m_from);
            __tsan_acquire(&edge->m_done);
            edge->m_inner->destroyIfLastRef();
            delete edge;
            break;
        case Call:
            __tsan_acquire(&edge->m_made);
            __tsan_acquire(edge->m_from);
            for (int i = 1; i <= edge->m_arguments; ++i)
                __tsan_acquire(arguments[i]);
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
    int m_arguments;
    char m_made = 0;
    char m_done = 0;
};

// The last that a thread of Qt does to what others see: its storage goes after its deferred deletions.
struct End {
    QThread *thread = nullptr;
    ~End() { __tsan_release(thread); }
};
QThreadStorage<End *> &threadEnds()
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
    auto *edge = new Edge(slot, nextToken());
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
    emits(sender);
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
    auto *edge = new Edge(slot, tokenOf(sender), watchArguments(meta, signal));
    __tsan_release(edge->made());
    return real(sender, signal, receiver, method, edge, type, types, meta);
}

// QObject's destructor, as classes that inherit it and as objects of its own call it.
extern "C" void baseEnds(QObject *object) __asm__("_ZN7QObjectD2Ev");
extern "C" void baseEnds(QObject *object)
{
    static const auto real = original<void (*)(QObject *)>("_ZN7QObjectD2Ev");
    ends(object);
    real(object);
}
extern "C" void objectEnds(QObject *object) __asm__("_ZN7QObjectD1Ev");
extern "C" void objectEnds(QObject *object)
{
    static const auto real = original<void (*)(QObject *)>("_ZN7QObjectD1Ev");
    ends(object);
    real(object);
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
        this, &QThread::started, this, [this] { threadEnds().setLocalData(new End{this}); },
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
