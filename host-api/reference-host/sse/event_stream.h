// SPDX-License-Identifier: Apache-2.0
// GET /events: what the CallService tells a user, as Server-Sent Events. A client that names the last id it saw gets
// what came after, then what comes live, with nothing lost or repeated between the two; a fresh one begins with the
// calls that are live. A client that does not keep up is cut: it resumes from the last id it saw.
#pragma once

#include "http/exchange.h"

#include <voiphost/calls.h>

#include <QHash>
#include <QObject>
#include <QTimer>

#include <memory>

namespace bridgehost
{

struct StreamLimits {
    qsizetype queuedBytes = qsizetype(4) * 1024 * 1024; // per client, beyond what the socket holds
    int perUser = 16;
    int total = 384; // of the listener's connections, so that some are left for requests
    qsizetype totalBytes = qsizetype(64) * 1024 * 1024; // queued for all clients; then the one most behind is cut
    int pageSize = 50;                                  // notices read at once while catching up
    int heartbeatMs = 15'000;
};

class EventStreams : public QObject
{
    Q_OBJECT

public:
    explicit EventStreams(StreamLimits limits = {}, QObject *parent = nullptr);
    ~EventStreams() override;

    // The plugin's; null when it goes away. Open streams end then: their clients come back.
    void setService(voiphost::CallService *service);
    void open(const ExchangePtr &exchange, const QString &user);

    [[nodiscard]] qsizetype count() const { return m_clients.size(); }
    [[nodiscard]] qsizetype queuedBytes() const; // for all clients
    [[nodiscard]] quint64 cutClients() const { return m_cut; }

    // The bytes of one event; for tests too.
    [[nodiscard]] static QByteArray format(const voiphost::CallNotice &notice);

private:
    struct Client;
    using ClientPtr = std::shared_ptr<Client>;
    void noticed(const voiphost::CallNotice &notice);
    void begin(const ClientPtr &client);
    void readPage(const ClientPtr &client);
    void tookPage(const ClientPtr &client, const std::optional<voiphost::Expected<QList<voiphost::CallNotice>>> &page,
                  bool fresh);
    void send(const ClientPtr &client, const voiphost::CallNotice &notice);
    void cut(const ClientPtr &client);
    void keepWithinBytes();
    void drained(const ClientPtr &client);
    void heartbeat();

    StreamLimits m_limits;
    voiphost::CallService *m_service = nullptr;
    QList<ClientPtr> m_clients;
    QTimer m_heartbeat;
    quint64 m_cut = 0;
};

} // namespace bridgehost
