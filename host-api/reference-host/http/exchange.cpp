// SPDX-License-Identifier: Apache-2.0
// The answering side of a connection. Suspending and resuming is in one place here, because libmicrohttpd aborts
// when the two do not alternate.
#include "http/exchange.h"

#include "http/server.h"

#include <QMetaObject>

#include <cstring>
#include <microhttpd.h>
#include <sys/socket.h>

namespace bridgehost
{

Exchange::~Exchange()
{
    if (m_response)
        MHD_destroy_response(m_response);
}

void Exchange::addHeader(const QByteArray &name, const QByteArray &value)
{
    m_headers.append({name, value});
}

void Exchange::reply(const Reply &reply)
{
    if (answered() || m_gone)
        return;
    if (reply.wrongToken && m_server)
        m_server->hold(shared_from_this(), reply);
    else
        give(reply);
}

void Exchange::give(const Reply &reply)
{
    m_held = false;
    if (m_status || m_gone)
        return;
    MHD_Response *response = MHD_create_response_from_buffer(
        size_t(reply.body.size()), const_cast<char *>(reply.body.constData()), MHD_RESPMEM_MUST_COPY);
    if (!response)
        return;
    MHD_add_response_header(response, "Content-Type", reply.contentType.constData());
    for (const auto &[name, value] : reply.headers)
        MHD_add_response_header(response, name.constData(), value.constData());
    respond(response, reply.status);
}

void Exchange::respond(MHD_Response *response, int status)
{
    MHD_add_response_header(response, "X-Request-Id", QByteArray::number(m_request.id).constData());
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (const auto &[name, value] : m_headers)
        MHD_add_response_header(response, name.constData(), value.constData());
    // What is not said otherwise: answers are for who asked, and no page that anybody may frame or run.
    static constexpr std::pair<const char *, const char *> always[] = {
        {"Cache-Control", "no-store"},
        {"Referrer-Policy", "no-referrer"},
        {"X-Frame-Options", "DENY"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"}};
    for (const auto &[name, value] : always) {
        if (!MHD_get_response_header(response, name))
            MHD_add_response_header(response, name, value);
    }
    m_response = response;
    m_status = status;
    m_answeredAt = m_clock.elapsed();
    resume();
}

void Exchange::startStream(const QByteArray &contentType, std::function<void()> onDrained,
                           std::function<void()> onClosed)
{
    if (answered() || m_gone)
        return;
    m_streaming = true;
    m_onDrained = std::move(onDrained);
    m_onClosed = std::move(onClosed);
    // libmicrohttpd keeps the response longer than the request sometimes, so it holds a pointer of its own.
    auto *self = new ExchangePtr(shared_from_this());
    MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, size_t(16) * 1024, &Exchange::readStream, self,
                                          [](void *p) { delete static_cast<ExchangePtr *>(p); });
    if (!response) {
        delete self;
        return;
    }
    MHD_add_response_header(response, "Content-Type", contentType.constData());
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    respond(response, 200);
}

ssize_t Exchange::readStream(void *exchange, uint64_t, char *buffer, size_t size)
{
    const ExchangePtr self = *static_cast<ExchangePtr *>(exchange);
    size_t used = 0;
    while (used < size && !self->m_queue.empty()) {
        const QByteArray &head = self->m_queue.front().bytes;
        const auto n = std::min<qsizetype>(qsizetype(size - used), head.size() - self->m_headOffset);
        std::memcpy(buffer + used, head.constData() + self->m_headOffset, size_t(n));
        used += size_t(n);
        self->m_headOffset += n;
        self->m_queuedBytes -= n;
        if (self->m_headOffset == head.size()) {
            self->m_queue.pop_front();
            self->m_headOffset = 0;
        }
    }
    if (used > 0) {
        if (self->m_queue.empty() && self->m_onDrained && self->m_server)
            QMetaObject::invokeMethod(self->m_server, self->m_onDrained, Qt::QueuedConnection);
        return ssize_t(used);
    }
    if (self->m_finishing)
        return MHD_CONTENT_READER_END_OF_STREAM;
    self->suspend(); // returning 0 without suspending would be asked again at once, for ever
    return 0;
}

void Exchange::write(const QByteArray &bytes)
{
    if (!m_streaming || m_gone || m_finishing || bytes.isEmpty())
        return;
    m_queue.push_back({bytes, m_clock.elapsed()});
    m_queuedBytes += bytes.size();
    resume();
}

void Exchange::finish()
{
    m_finishing = true;
    resume();
}

void Exchange::cut()
{
    if (m_gone)
        return;
    m_finishing = true;
    m_queue.clear();
    m_queuedBytes = m_headOffset = 0;
    shut();
    resume();
}

void Exchange::shut()
{
    const auto *info =
        m_connection ? MHD_get_connection_info(m_connection, MHD_CONNECTION_INFO_CONNECTION_FD) : nullptr;
    if (info)
        ::shutdown(info->connect_fd, SHUT_RDWR);
    m_answeredAt = m_clock.elapsed(); // once is enough
}

bool Exchange::tooSlow(int limitMs) const
{
    const qint64 now = m_clock.elapsed();
    if (m_streaming)
        return !m_queue.empty() && now - m_queue.front().since > limitMs;
    return m_status != 0 && now - m_answeredAt > limitMs;
}

void Exchange::suspend()
{
    if (m_suspended || !m_connection)
        return;
    m_suspended = true;
    MHD_suspend_connection(m_connection);
}

void Exchange::resume()
{
    if (!m_suspended || !m_connection)
        return;
    m_suspended = false;
    MHD_resume_connection(m_connection);
    if (m_server)
        m_server->runSoon();
}

void Exchange::onGone()
{
    m_gone = true;
    m_connection = nullptr;
    m_queue.clear();
    m_queuedBytes = 0;
    if (m_response) { // a stream's response points back at us: the circle is broken here
        MHD_destroy_response(m_response);
        m_response = nullptr;
    }
    if (m_onClosed && m_server)
        QMetaObject::invokeMethod(m_server, m_onClosed, Qt::QueuedConnection);
    m_onDrained = nullptr;
    m_onClosed = nullptr;
}

} // namespace bridgehost
