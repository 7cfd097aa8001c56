// SPDX-License-Identifier: Apache-2.0
// A client is catching up (pages from the store) or live (notices as they come). While it catches up live notices are
// not queued: they only say that there is more to read, so the store stays the one source and memory stays bounded.
#include "sse/event_stream.h"

#include "http/when_done.h"
#include "rest/shapes.h"

#include <QJsonDocument>

#include <algorithm>
#include <numeric>

namespace bridgehost
{

using namespace voiphost;

struct EventStreams::Client {
    ExchangePtr exchange;
    QString user;
    qint64 sent = 0; // the last id written (or skipped on purpose)
    bool live = false;
    bool reading = false;   // a page has been asked for
    bool more = false;      // the store holds more than was read
    qint64 firstMissed = 0; // fresh streams: the first live id that came while the list of live calls was read
    bool streaming = false;
    bool closed = false;
};

EventStreams::EventStreams(StreamLimits limits, QObject *parent) : QObject(parent), m_limits(limits)
{
    connect(&m_heartbeat, &QTimer::timeout, this, &EventStreams::heartbeat);
    m_heartbeat.start(m_limits.heartbeatMs);
}

EventStreams::~EventStreams()
{
    setService(nullptr);
}

void EventStreams::setService(CallService *service)
{
    if (m_service == service)
        return;
    if (m_service)
        disconnect(m_service, nullptr, this, nullptr);
    m_service = service;
    const auto clients = m_clients;
    m_clients.clear();
    for (const ClientPtr &client : clients) {
        client->closed = true;
        if (client->streaming)
            client->exchange->finish();
        else
            client->exchange->reply(
                errorReply(503, QStringLiteral("NOT_READY"), QStringLiteral("The call service is not running")));
    }
    if (m_service)
        connect(m_service, &CallService::noticed, this, &EventStreams::noticed);
}

QByteArray EventStreams::format(const CallNotice &notice)
{
    QJsonObject data = notice.data;
    data[QStringLiteral("call_id")] = notice.callId;
    data[QStringLiteral("conversation_id")] = notice.conversationId;
    data[QStringLiteral("seq")] = notice.seq;
    if (notice.repeated)
        data[QStringLiteral("repeated")] = true;
    // Compact JSON holds no line break, so one data line is enough.
    return "id: " + QByteArray::number(notice.id) + "\nevent: " + toString(notice.kind).toUtf8() +
           "\ndata: " + QJsonDocument(data).toJson(QJsonDocument::Compact) + "\n\n";
}

void EventStreams::open(const ExchangePtr &exchange, const QString &user)
{
    const Request &request = exchange->request();
    if (!m_service) {
        exchange->reply(
            errorReply(503, QStringLiteral("NOT_READY"), QStringLiteral("The call service is not running")));
        return;
    }
    const auto sameUser = [&user](const ClientPtr &client) { return client->user == user; };
    if (std::count_if(m_clients.cbegin(), m_clients.cend(), sameUser) >= m_limits.perUser) {
        exchange->reply(errorReply(429, QStringLiteral("TOO_MANY_STREAMS"),
                                   QStringLiteral("A user may have %1 streams open").arg(m_limits.perUser)));
        return;
    }
    if (m_clients.size() >= m_limits.total) {
        exchange->reply(errorReply(503, QStringLiteral("TOO_MANY_STREAMS"),
                                   QStringLiteral("All %1 streams are in use").arg(m_limits.total)));
        return;
    }
    // The header wins: a browser that reconnects by itself sends it, while its address still holds the first id.
    QString last = QString::fromLatin1(request.header("last-event-id"));
    if (last.isEmpty())
        last = request.queryValue(QStringLiteral("last_event_id")).value_or(QString());
    bool ok = true;
    const qint64 after = last.isEmpty() ? -1 : last.toLongLong(&ok);
    if (!ok || (!last.isEmpty() && after < 0)) {
        exchange->reply(toReply(invalid(QStringLiteral("'last_event_id' must be a whole number"))));
        return;
    }
    auto client = std::make_shared<Client>();
    client->exchange = exchange;
    client->user = user;
    m_clients.append(client);
    if (after >= 0) {
        client->sent = after;
        readPage(client);
        return;
    }
    client->reading = true;
    whenDone(this, m_service->noticesOfLiveCalls(user),
             [this, client](const std::optional<Expected<QList<CallNotice>>> &page) { tookPage(client, page, true); });
}

void EventStreams::readPage(const ClientPtr &client)
{
    if (client->reading || client->closed || !m_service)
        return;
    client->reading = true;
    client->more = false; // what comes from here on is either in the page or sets it again
    whenDone(this, m_service->noticesAfter(client->user, client->sent, m_limits.pageSize),
             [this, client](const std::optional<Expected<QList<CallNotice>>> &page) { tookPage(client, page, false); });
}

void EventStreams::begin(const ClientPtr &client)
{
    client->streaming = true;
    const std::weak_ptr<Client> weak = client;
    client->exchange->startStream(
        "text/event-stream",
        [this, weak] {
            if (const ClientPtr strong = weak.lock())
                drained(strong);
        },
        [this, weak] {
            if (const ClientPtr strong = weak.lock()) {
                strong->closed = true;
                m_clients.removeAll(strong);
            }
        });
    client->exchange->write("retry: 1000\n\n");
}

void EventStreams::tookPage(const ClientPtr &client, const std::optional<Expected<QList<CallNotice>>> &page, bool fresh)
{
    client->reading = false;
    if (client->closed)
        return;
    if (client->exchange->gone()) {
        m_clients.removeAll(client);
        return;
    }
    if (!page || !page->ok()) {
        m_clients.removeAll(client);
        client->closed = true;
        if (client->streaming) // it resumes, and may then be told why not
            client->exchange->finish();
        else
            client->exchange->reply(
                page ? toReply(page->error())
                     : errorReply(503, QStringLiteral("UNAVAILABLE"), QStringLiteral("The events cannot be read now")));
        return;
    }
    if (!client->streaming)
        begin(client);
    QList<CallNotice> notices = page->value();
    std::stable_sort(notices.begin(), notices.end(),
                     [](const CallNotice &a, const CallNotice &b) { return a.id < b.id; });
    for (const CallNotice &notice : notices)
        send(client, notice);
    if (fresh && client->firstMissed > 0)
        client->sent = std::max(client->sent, client->firstMissed - 1);
    if (!fresh && notices.size() >= m_limits.pageSize)
        client->more = true;
    if (!client->more)
        client->live = true;
    else if (client->exchange->queuedBytes() == 0)
        readPage(client); // else when drained: a slow reader is not read ahead for
}

void EventStreams::drained(const ClientPtr &client)
{
    if (!client->live && client->more)
        readPage(client);
}

void EventStreams::send(const ClientPtr &client, const CallNotice &notice)
{
    if (notice.id <= client->sent)
        return;
    client->sent = notice.id;
    if (!toString(notice.kind).isEmpty()) // of a newer plugin: nobody here knows its name
        client->exchange->write(format(notice));
}

void EventStreams::noticed(const CallNotice &notice)
{
    const auto clients = m_clients;
    for (const ClientPtr &client : clients) {
        if (client->user != notice.userId || client->closed || notice.id <= client->sent)
            continue;
        if (!client->live) {
            client->more = true;
            if (client->firstMissed == 0)
                client->firstMissed = notice.id;
            continue;
        }
        send(client, notice);
        if (client->exchange->queuedBytes() > m_limits.queuedBytes)
            cut(client);
    }
    keepWithinBytes();
}

void EventStreams::cut(const ClientPtr &client)
{
    ++m_cut;
    client->closed = true;
    m_clients.removeAll(client);
    client->exchange->cut();
}

qsizetype EventStreams::queuedBytes() const
{
    return std::accumulate(
        m_clients.cbegin(), m_clients.cend(), qsizetype(0),
        [](qsizetype sum, const ClientPtr &client) { return sum + client->exchange->queuedBytes(); });
}

// Many clients may each stay below their own limit.
void EventStreams::keepWithinBytes()
{
    const auto queued = [](const ClientPtr &client) { return client->exchange->queuedBytes(); };
    qsizetype all = queuedBytes();
    while (all > m_limits.totalBytes) {
        const ClientPtr worst = *std::max_element(m_clients.cbegin(), m_clients.cend(),
                                                  [&](const auto &a, const auto &b) { return queued(a) < queued(b); });
        all -= queued(worst);
        cut(worst);
    }
}

void EventStreams::heartbeat()
{
    for (const ClientPtr &client : std::as_const(m_clients)) {
        if (client->streaming && client->exchange->queuedBytes() == 0)
            client->exchange->write(": heartbeat\n\n");
    }
}

} // namespace bridgehost
