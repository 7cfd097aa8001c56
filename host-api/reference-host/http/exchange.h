// SPDX-License-Identifier: Apache-2.0
// One request and its answer, from the headers to the last byte. Answered once, at once or later: until then the
// connection is suspended and costs no processor. Lives on the host's thread only; whoever holds the pointer may
// answer, an answer to a client that has gone goes nowhere.
// A stream is an answer without an end: bytes are queued by write(), and the holder watches queuedBytes().
#pragma once

#include "http/guesses.h"
#include "http/message.h"

#include <QElapsedTimer>
#include <QObject>

#include <deque>
#include <functional>
#include <memory>

struct MHD_Connection;
struct MHD_Response;

namespace bridgehost
{

class HttpServer;

class Exchange : public std::enable_shared_from_this<Exchange>
{
public:
    explicit Exchange(HttpServer *server) : m_server(server) { m_clock.start(); }
    ~Exchange();
    Exchange(const Exchange &) = delete;
    Exchange &operator=(const Exchange &) = delete;

    [[nodiscard]] const Request &request() const { return m_request; }
    [[nodiscard]] bool answered() const { return m_status != 0 || m_held; }
    [[nodiscard]] bool gone() const { return m_gone; }

    // Answers; later answers are ignored. Headers added by addHeader() come too. The answer to a wrong token waits.
    void reply(const Reply &reply);
    void addHeader(const QByteArray &name, const QByteArray &value);

    // Answers 200 with a body that write() feeds. `onDrained`: the queue has just become empty; `onClosed`: the client
    // is gone or was cut. Both are called from the event loop, never from within another call.
    void startStream(const QByteArray &contentType, std::function<void()> onDrained, std::function<void()> onClosed);
    void write(const QByteArray &bytes);
    void finish(); // ends the stream after what is queued
    void cut();    // ends it now: the queue is thrown away and the connection shut
    [[nodiscard]] qsizetype queuedBytes() const { return m_queuedBytes; }

private:
    friend class HttpServer;
    static ssize_t readStream(void *exchange, uint64_t position, char *buffer, size_t size);
    void give(const Reply &reply);
    void respond(MHD_Response *response, int status);
    [[nodiscard]] bool tooSlow(int limitMs) const; // the client does not take what it asked for
    void shut();
    void suspend();
    void resume();
    void onGone();

    HttpServer *m_server; // null after the server closed
    MHD_Connection *m_connection = nullptr;
    MHD_Response *m_response = nullptr;
    int m_status = 0;
    Request m_request;
    std::optional<Reply> m_refusal; // decided from the headers; the body is then read and thrown away
    QList<std::pair<QByteArray, QByteArray>> m_headers;
    QElapsedTimer m_clock;
    ClientAddress m_address;
    qint64 m_received = 0;
    qint64 m_answeredAt = 0; // on m_clock
    bool m_keepsBody = true;
    bool m_held = false;  // answered, but the answer waits
    qint64 m_counted = 0; // bytes of it in the server's m_bodyBytes
    bool m_targetOk = false;
    bool m_begun = false;
    bool m_dispatched = false;
    bool m_suspended = false;
    bool m_gone = false;
    bool m_streaming = false;
    bool m_finishing = false;
    struct Chunk {
        QByteArray bytes;
        qint64 since = 0; // on m_clock
    };
    std::deque<Chunk> m_queue;
    qsizetype m_queuedBytes = 0;
    qsizetype m_headOffset = 0;
    std::function<void()> m_onDrained;
    std::function<void()> m_onClosed;
};

using ExchangePtr = std::shared_ptr<Exchange>;

} // namespace bridgehost
