// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 listener over libmicrohttpd, driven by the Qt event loop: everything runs on the thread that made it.
// It accepts requests within its limits and hands whole ones to the handler; refuses at a limit with a JSON error;
// cuts clients that stall or drip. It knows no paths and no tokens, and never logs a query.
#pragma once

#include "config/endpoint.h"
#include "http/exchange.h"
#include "http/pace.h"

#include <voiphost/types.h>

#include <QHash>
#include <QObject>
#include <QSocketNotifier>
#include <QTimer>

#include <memory>

struct MHD_Daemon;

namespace bridgehost
{

struct HttpLimits {
    qint64 body = 256ll * 1024;
    qint64 bodies = 64ll * 1024 * 1024; // of all requests that are open; beyond: 503
    unsigned connections = 768;
    unsigned perAddress = 512;
    size_t headers = size_t(32) * 1024; // libmicrohttpd's pool of one connection: request line and headers must fit
    int stallMs = 30'000;               // nothing moves on the connection
    int requestMs = 60'000;             // from its first byte to its last, however steadily it drips
    int readMs = 60'000;                // to take an answer, or what a stream has queued, however steadily it drips
    GuessLimits guesses = {};
    PaceLimits pace = {};
};

class HttpServer : public QObject
{
    Q_OBJECT

public:
    using Handler = std::function<void(const ExchangePtr &)>;
    // Asked when the headers are in; an answer refuses the request, and no byte of its body is kept.
    using Admission = std::function<std::optional<Reply>(const Request &)>;
    // Asked when the headers are in: whose body is kept. The handler gets the others' requests without one, to say why.
    using BodyRule = std::function<bool(const Request &)>;
    // How errors made by the server itself look: (status, code, message).
    using ErrorShape = std::function<Reply(int, const QString &, const QString &)>;

    HttpServer(QByteArray name, HttpLimits limits, Handler handler, QObject *parent = nullptr);
    ~HttpServer() override;

    void setAdmission(Admission admission) { m_admission = std::move(admission); }
    void setBodyRule(BodyRule rule) { m_bodyRule = std::move(rule); }
    void setErrorShape(ErrorShape shape) { m_errorShape = std::move(shape); }

    [[nodiscard]] voiphost::Expected<voiphost::Done> listen(const Endpoint &endpoint);
    [[nodiscard]] quint16 port() const { return m_port; }
    [[nodiscard]] QByteArray name() const { return m_name; }
    // Answers what is open (streams end, waiting requests get 503), then closes. Idempotent.
    void close();

    // Requests that were handed to the handler and have no answer yet.
    [[nodiscard]] qsizetype waiting() const;
    // By status; for the host's metrics.
    [[nodiscard]] const QMap<int, quint64> &answers() const { return m_answers; }
    [[nodiscard]] quint64 slowClients() const { return m_slow; } // cut because they sent or read too slowly
    [[nodiscard]] const Guesses &guesses() const { return m_guesses; }

private:
    friend class Exchange;
    struct Callbacks; // the C functions
    struct Client {
        int fd = -1;
        qint64 since = 0; // when it was last done with a request
        bool busy = false;
    };

    void runSoon() { m_timer.start(0); }
    void run();
    void sweep();
    void hold(const ExchangePtr &exchange, const Reply &reply);
    [[nodiscard]] bool begin(const ExchangePtr &exchange);
    [[nodiscard]] bool step(const ExchangePtr &exchange, const char *data, size_t *size);
    [[nodiscard]] bool send(const ExchangePtr &exchange);
    [[nodiscard]] bool mayAsk(const Request &request, const ClientAddress &from);
    [[nodiscard]] Reply tooMany(const char *what) const;
    [[nodiscard]] Reply error(int status, const QString &code, const QString &message) const;

    QByteArray m_name;
    HttpLimits m_limits;
    Handler m_handler;
    Admission m_admission;
    BodyRule m_bodyRule;
    Guesses m_guesses;
    Pace m_pace;
    quint64 m_slow = 0;
    ErrorShape m_errorShape;
    MHD_Daemon *m_daemon = nullptr;
    std::unique_ptr<QSocketNotifier> m_notifier;
    QTimer m_timer;
    QTimer m_sweeper;
    QElapsedTimer m_clock;
    bool m_running = false;
    quint16 m_port = 0;
    quint64 m_nextId = 0;
    QHash<MHD_Connection *, Client> m_clients;
    QHash<Exchange *, std::weak_ptr<Exchange>> m_open;
    QMap<int, quint64> m_answers;
    qint64 m_bodyBytes = 0; // of requests that are open
};

} // namespace bridgehost
