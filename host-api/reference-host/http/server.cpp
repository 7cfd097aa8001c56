// SPDX-License-Identifier: Apache-2.0
// libmicrohttpd without a thread: its epoll descriptor wakes the Qt event loop, its timeout is a QTimer.
// All callbacks come from MHD_run() in run(), so handlers run on the Qt thread.
#include "http/server.h"

#include <QCryptographicHash>
#include <QDateTime>
#include <QLoggingCategory>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>

Q_LOGGING_CATEGORY(logHttp, "bridge.http", QtInfoMsg)

namespace bridgehost
{

using voiphost::Done;
using voiphost::Error;
using voiphost::ErrorKind;
using voiphost::Expected;

namespace
{

// A body over the limit is read and thrown away up to here, so that a client which writes before it reads still gets
// its 413; what announces or sends even more is cut off.
constexpr qint64 kThrowAwayLimit = 64ll * 1024 * 1024;

Expected<int> openSocket(const Endpoint &endpoint, quint16 *port)
{
    sockaddr_storage storage{};
    socklen_t length = 0;
    if (endpoint.host.contains(u':')) {
        auto *address = reinterpret_cast<sockaddr_in6 *>(&storage);
        address->sin6_family = AF_INET6;
        address->sin6_port = htons(endpoint.port);
        inet_pton(AF_INET6, endpoint.host.toLatin1().constData(), &address->sin6_addr);
        length = sizeof(sockaddr_in6);
    } else {
        auto *address = reinterpret_cast<sockaddr_in *>(&storage);
        address->sin_family = AF_INET;
        address->sin_port = htons(endpoint.port);
        inet_pton(AF_INET, endpoint.host.toLatin1().constData(), &address->sin_addr);
        length = sizeof(sockaddr_in);
    }
    const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (fd >= 0)
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr *>(&storage), length) != 0 || ::listen(fd, 256) != 0) {
        const QString reason = QString::fromLocal8Bit(std::strerror(errno));
        if (fd >= 0)
            ::close(fd);
        return Error{ErrorKind::Unavailable, QStringLiteral("LISTEN_FAILED"), reason, {}};
    }
    length = sizeof storage;
    ::getsockname(fd, reinterpret_cast<sockaddr *>(&storage), &length);
    *port = ntohs(storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6 *>(&storage)->sin6_port
                                                : reinterpret_cast<sockaddr_in *>(&storage)->sin_port);
    return fd;
}

} // namespace

struct HttpServer::Callbacks {
    static void *target(void *cls, const char *uri, MHD_Connection *)
    {
        auto *server = static_cast<HttpServer *>(cls);
        auto exchange = std::make_shared<Exchange>(server);
        exchange->m_request.id = ++server->m_nextId;
        exchange->m_request.receivedAt = QDateTime::currentMSecsSinceEpoch();
        exchange->m_targetOk = parseTarget(QByteArray(uri), &exchange->m_request);
        server->m_open.insert(exchange.get(), exchange);
        return new ExchangePtr(exchange);
    }

    static MHD_Result access(void *cls, MHD_Connection *connection, const char *, const char *method, const char *,
                             const char *data, size_t *size, void **context)
    {
        auto *server = static_cast<HttpServer *>(cls);
        if (!*context)
            return MHD_NO;
        const ExchangePtr exchange = *static_cast<ExchangePtr *>(*context);
        if (!exchange->m_begun) {
            exchange->m_begun = true;
            exchange->m_connection = connection;
            exchange->m_request.method = method;
            return server->begin(exchange) ? MHD_YES : MHD_NO;
        }
        return server->step(exchange, data, size) ? MHD_YES : MHD_NO;
    }

    struct Headers {
        QHash<QByteArray, QByteArray> &first;
        bool twoLengths = false;
    };

    static MHD_Result header(void *cls, MHD_ValueKind, const char *name, const char *value)
    {
        auto *headers = static_cast<Headers *>(cls);
        const QByteArray key = QByteArray(name).toLower();
        if (!headers->first.contains(key))
            headers->first.insert(key, QByteArray(value));
        else if (key == "content-length" || key == "transfer-encoding")
            headers->twoLengths = true;
        return MHD_YES;
    }

    static void completed(void *cls, MHD_Connection *connection, void **context, MHD_RequestTerminationCode)
    {
        auto *server = static_cast<HttpServer *>(cls);
        auto *holder = static_cast<ExchangePtr *>(*context);
        *context = nullptr;
        if (!holder)
            return;
        const ExchangePtr exchange = *holder;
        delete holder;
        if (exchange->m_status)
            ++server->m_answers[exchange->m_status];
        qCDebug(logHttp, "%s #%llu %s %s %d %lld ms", server->m_name.constData(), exchange->m_request.id,
                exchange->m_request.method.constData(), exchange->m_request.rawPath.left(120).constData(),
                exchange->m_status, exchange->m_clock.elapsed());
        server->m_open.remove(exchange.get());
        server->m_bodyBytes -= exchange->m_counted;
        exchange->onGone();
        if (auto it = server->m_clients.find(connection); it != server->m_clients.end()) {
            it->busy = false;
            it->since = server->m_clock.elapsed();
        }
    }

    static void connection(void *cls, MHD_Connection *connection, void **, MHD_ConnectionNotificationCode code)
    {
        auto *server = static_cast<HttpServer *>(cls);
        if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
            server->m_clients.remove(connection);
            return;
        }
        const auto *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        server->m_clients.insert(connection, {info ? info->connect_fd : -1, server->m_clock.elapsed(), false});
    }
};

HttpServer::HttpServer(QByteArray name, HttpLimits limits, Handler handler, QObject *parent)
    : QObject(parent), m_name(std::move(name)), m_limits(limits), m_handler(std::move(handler)),
      m_guesses(limits.guesses), m_pace(limits.pace),
      m_errorShape([](int status, const QString &code, const QString &text) { return errorReply(status, code, text); })
{
    m_clock.start();
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &HttpServer::run);
    connect(&m_sweeper, &QTimer::timeout, this, &HttpServer::sweep);
}

HttpServer::~HttpServer()
{
    close();
}

Expected<Done> HttpServer::listen(const Endpoint &endpoint)
{
    const auto fd = openSocket(endpoint, &m_port);
    if (!fd)
        return fd.error();
    m_daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, &Callbacks::access, this,
                                MHD_OPTION_LISTEN_SOCKET, *fd, MHD_OPTION_URI_LOG_CALLBACK, &Callbacks::target, this,
                                MHD_OPTION_NOTIFY_COMPLETED, &Callbacks::completed, this, MHD_OPTION_NOTIFY_CONNECTION,
                                &Callbacks::connection, this, MHD_OPTION_CONNECTION_MEMORY_LIMIT, m_limits.headers,
                                MHD_OPTION_CONNECTION_LIMIT, m_limits.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                m_limits.perAddress, MHD_OPTION_CONNECTION_TIMEOUT,
                                unsigned(std::max(1, m_limits.stallMs / 1000)), MHD_OPTION_END);
    if (!m_daemon) {
        ::close(*fd);
        return Error{ErrorKind::Unavailable, QStringLiteral("LISTEN_FAILED"), QStringLiteral("no HTTP daemon"), {}};
    }
    const auto *info = MHD_get_daemon_info(m_daemon, MHD_DAEMON_INFO_EPOLL_FD);
    m_notifier = std::make_unique<QSocketNotifier>(info->epoll_fd, QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, &HttpServer::run);
    m_sweeper.start(std::clamp(std::min(m_limits.requestMs, m_limits.readMs) / 4, 50, 5000));
    runSoon();
    return Done{};
}

void HttpServer::run()
{
    if (!m_daemon || m_running)
        return;
    m_running = true;
    MHD_run(m_daemon);
    m_running = false;
    MHD_UNSIGNED_LONG_LONG wait = 0;
    if (MHD_get_timeout(m_daemon, &wait) == MHD_YES)
        m_timer.start(int(std::min<MHD_UNSIGNED_LONG_LONG>(wait, 60'000)));
    else
        m_timer.stop();
}

void HttpServer::sweep()
{
    const qint64 now = m_clock.elapsed();
    for (Client &client : m_clients) {
        if (!client.busy && now - client.since > m_limits.requestMs && client.fd >= 0) {
            ::shutdown(client.fd, SHUT_RDWR);
            client.since = now; // once is enough
            ++m_slow;
        }
    }
    const auto open = m_open.values();
    for (const auto &weak : open) {
        const ExchangePtr exchange = weak.lock();
        if (!exchange || !exchange->tooSlow(m_limits.readMs))
            continue;
        ++m_slow;
        if (exchange->m_streaming)
            exchange->cut();
        else
            exchange->shut();
    }
}

// The answer to a wrong token waits; the token's slot is taken whether or not the client waits for it.
void HttpServer::hold(const ExchangePtr &exchange, const Reply &reply)
{
    exchange->m_held = true;
    QTimer::singleShot(m_guesses.wrong(exchange->m_address, m_clock.elapsed()), this,
                       [exchange, reply] { exchange->give(reply); });
}

Reply HttpServer::error(int status, const QString &code, const QString &message) const
{
    return m_errorShape(status, code, message);
}

bool HttpServer::begin(const ExchangePtr &exchange)
{
    Request &request = exchange->m_request;
    Callbacks::Headers headers{request.headers};
    MHD_get_connection_values(exchange->m_connection, MHD_HEADER_KIND, &Callbacks::header, &headers);
    const auto *peer = MHD_get_connection_info(exchange->m_connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    exchange->m_address = clientAddress(peer ? peer->client_addr : nullptr);
    bool ok = true;
    const QByteArray declared = request.header("content-length");
    const qint64 length = declared.isEmpty() ? 0 : declared.toLongLong(&ok);
    if (!exchange->m_targetOk)
        exchange->m_refusal = error(400, QStringLiteral("BAD_REQUEST"), QStringLiteral("The path cannot be read"));
    else if (headers.twoLengths || (!declared.isEmpty() && request.headers.contains("transfer-encoding")))
        // A proxy before us may read it otherwise, and take the rest for another's request.
        exchange->m_refusal = error(400, QStringLiteral("BAD_REQUEST"), QStringLiteral("The body has two lengths"));
    else if (carriesToken(request) && !m_guesses.mayTry(exchange->m_address, m_clock.elapsed()))
        exchange->m_refusal = tooMany("Too many wrong tokens came from there");
    else if (!mayAsk(request, exchange->m_address))
        exchange->m_refusal = tooMany("Too many requests; ask again later");
    else if (m_admission)
        exchange->m_refusal = m_admission(request);
    if (!exchange->m_refusal && (!ok || length > m_limits.body))
        exchange->m_refusal =
            error(413, QStringLiteral("TOO_LARGE"),
                  QStringLiteral("The body has %1 bytes, at most %2 are accepted").arg(length).arg(m_limits.body));
    exchange->m_keepsBody = !exchange->m_refusal && (!m_bodyRule || m_bodyRule(request));
    // A client that asks before it sends, or that would send without measure, is answered now.
    const bool asks = request.header("expect").toLower() == "100-continue";
    if (exchange->m_refusal && (asks || !ok || length > kThrowAwayLimit)) {
        exchange->m_dispatched = true;
        exchange->reply(*exchange->m_refusal);
        return exchange->m_held || send(exchange);
    }
    return true;
}

// Behind a proxy everybody without a token has this machine's address: there the proxy counts.
bool HttpServer::mayAsk(const Request &request, const ClientAddress &from)
{
    if (!carriesToken(request))
        return from.thisMachine || m_pace.may('a' + from.bytes, m_clock.elapsed());
    const QByteArray token = request.header("authorization") +
                             request.queryValue(QStringLiteral("access_token")).value_or(QString()).toUtf8();
    return m_pace.may('t' + QCryptographicHash::hash(token, QCryptographicHash::Sha256), m_clock.elapsed());
}

Reply HttpServer::tooMany(const char *what) const
{
    Reply reply = error(429, QStringLiteral("LIMIT_EXCEEDED"), QString::fromLatin1(what));
    reply.headers.emplaceBack("Retry-After", "1");
    return reply;
}

bool HttpServer::step(const ExchangePtr &exchange, const char *data, size_t *size)
{
    Request &request = exchange->m_request;
    if (*size > 0) {
        exchange->m_received += qint64(*size);
        if (exchange->m_received > kThrowAwayLimit || exchange->m_clock.elapsed() > m_limits.requestMs)
            return false;
        if (!exchange->m_refusal && exchange->m_received > m_limits.body) {
            exchange->m_refusal =
                error(413, QStringLiteral("TOO_LARGE"), QStringLiteral("The body is over %1 bytes").arg(m_limits.body));
            request.body = QByteArray();
        }
        if (!exchange->m_refusal && m_bodyBytes + qint64(*size) > m_limits.bodies) {
            exchange->m_refusal = error(503, QStringLiteral("LIMIT_EXCEEDED"),
                                        QStringLiteral("Too much is being received; send it again later"));
            exchange->m_refusal->headers.emplace_back("Retry-After", "1");
            request.body = QByteArray();
        }
        if (exchange->m_keepsBody && !exchange->m_refusal) {
            request.body.append(data, qsizetype(*size));
            exchange->m_counted += qint64(*size);
            m_bodyBytes += qint64(*size);
        }
        *size = 0;
        return true;
    }
    if (!exchange->m_dispatched) {
        exchange->m_dispatched = true;
        if (auto it = m_clients.find(exchange->m_connection); it != m_clients.end())
            it->busy = true;
        if (exchange->m_refusal)
            exchange->reply(*exchange->m_refusal);
        else if (!exchange->answered())
            m_handler(exchange);
    }
    if (!exchange->m_response) {
        exchange->suspend();
        return true;
    }
    return send(exchange);
}

bool HttpServer::send(const ExchangePtr &exchange)
{
    return exchange->m_response &&
           MHD_queue_response(exchange->m_connection, unsigned(exchange->m_status), exchange->m_response) == MHD_YES;
}

qsizetype HttpServer::waiting() const
{
    return std::count_if(m_open.cbegin(), m_open.cend(), [](const std::weak_ptr<Exchange> &weak) {
        const ExchangePtr exchange = weak.lock();
        return exchange && exchange->m_dispatched && !exchange->answered();
    });
}

void HttpServer::close()
{
    if (!m_daemon)
        return;
    // libmicrohttpd aborts when it is stopped with suspended connections: every one is answered or ended first.
    const auto open = m_open.values();
    for (const auto &weak : open) {
        const ExchangePtr exchange = weak.lock();
        if (!exchange)
            continue;
        if (exchange->m_streaming)
            exchange->finish();
        else
            exchange->give(error(503, QStringLiteral("STOPPING"), QStringLiteral("The host is stopping")));
        exchange->resume();
    }
    m_notifier.reset();
    run();
    run(); // the second round writes what the first one prepared
    m_timer.stop();
    m_sweeper.stop();
    for (const auto &weak : open) {
        if (const ExchangePtr exchange = weak.lock())
            exchange->resume();
    }
    MHD_stop_daemon(m_daemon);
    m_daemon = nullptr;
    for (const auto &weak : open) {
        if (const ExchangePtr exchange = weak.lock())
            exchange->m_server = nullptr;
    }
    m_open.clear();
    m_clients.clear();
}

} // namespace bridgehost
