// SPDX-License-Identifier: Apache-2.0
// How Matrix events reach a plugin: it registers a handler for the event types it wants; the host delivers each
// homeserver transaction as one batch to each handler that wants any of its events.
// The host answers the homeserver 200 only when every handler's future says Durable. It must not answer earlier
// (a transaction answered 200 is never lost), and it need not remember transactions: a handler removes repeats itself.
#pragma once

#include <voiphost/types.h>

#include <QFuture>
#include <QJsonObject>
#include <QString>
#include <QStringList>
#include <QVector>

namespace voiphost
{

// One homeserver transaction, parsed once by the host and passed on by value (QJsonObject is implicitly shared).
struct EventBatch {
    QString transactionId;              // from the URL; the same id again is a repeat of the same batch (R107)
    qint64 receivedAt = 0;              // UTC ms, when the request came in: ages are counted from here (R25)
    QVector<QJsonObject> events;        // room events of the types asked for, in the homeserver's order
    QVector<QJsonObject> toDevice;      // {content, sender, type, to_user_id, to_device_id} (MSC4203)
    QJsonObject deviceLists;            // {changed: [...], left: [...]} (MSC3202)
    QJsonObject oneTimeKeyCounts;       // {user: {device: {algorithm: n}}}
    QJsonObject unusedFallbackKeyTypes; // {user: {device: [algorithm]}}
};

enum class BatchResult {
    Durable, // safe on disk (or known already): answer 200
    Refused, // cannot be stored now: answer 503, the homeserver repeats it
};

class EventHandler
{
public:
    virtual ~EventHandler() = default;
    // Caller: host, on its own thread. Must return at once. The future finishes on any thread, exactly once, also
    // while stopping (then with Refused).
    [[nodiscard]] virtual QFuture<BatchResult> deliver(const EventBatch &batch) = 0;
};

class EventRegistry
{
public:
    virtual ~EventRegistry() = default;
    // Caller: plugin, on the host's thread, from start(). `handler` stays the plugin's and must outlive its
    // registration. Types are exact event types ("m.call.invite"); "m.call.*" and the like are prefixes.
    virtual void registerHandler(EventHandler *handler, const QStringList &eventTypes) = 0;
    // Caller: plugin, on the host's thread, from stop(). After it returns the handler is never called again.
    virtual void unregisterHandler(EventHandler *handler) = 0;
};

} // namespace voiphost
