// SPDX-License-Identifier: Apache-2.0
// Splitting by registered event types, and waiting for all that were given a part.
#include "appservice/event_router.h"

#include "http/when_done.h"

#include <memory>

namespace bridgehost
{

using voiphost::BatchResult;
using voiphost::EventBatch;

bool EventRouter::Entry::wants(const QString &type) const
{
    for (const QString &wanted : types) {
        if (wanted == type || (wanted.endsWith(u'*') && type.startsWith(QStringView(wanted).chopped(1))))
            return true;
    }
    return false;
}

void EventRouter::registerHandler(voiphost::EventHandler *handler, const QStringList &eventTypes)
{
    unregisterHandler(handler);
    m_handlers.append({handler, eventTypes});
}

void EventRouter::unregisterHandler(voiphost::EventHandler *handler)
{
    m_handlers.removeIf([handler](const Entry &entry) { return entry.handler == handler; });
}

void EventRouter::deliver(const EventBatch &batch, std::function<void(bool)> done)
{
    if (m_handlers.isEmpty()) {
        done(false);
        return;
    }
    struct Waiting {
        qsizetype left = 1; // one for the loop below, so that done() cannot come early
        bool durable = true;
        std::function<void(bool)> done;
    };
    auto waiting = std::make_shared<Waiting>();
    waiting->done = std::move(done);
    const auto finish = [waiting](bool durable) {
        waiting->durable = waiting->durable && durable;
        if (--waiting->left == 0)
            waiting->done(waiting->durable);
    };

    // Device lists and key counts have no type: they go to everyone.
    const bool forAll =
        !batch.deviceLists.isEmpty() || !batch.oneTimeKeyCounts.isEmpty() || !batch.unusedFallbackKeyTypes.isEmpty();
    const auto handlers = m_handlers;
    for (const Entry &entry : handlers) {
        EventBatch part = batch;
        const auto unwanted = [&entry](const QJsonObject &event) {
            return !entry.wants(event.value(QLatin1String("type")).toString());
        };
        part.events.removeIf(unwanted);
        part.toDevice.removeIf(unwanted);
        if (part.events.isEmpty() && part.toDevice.isEmpty() && !forAll)
            continue;
        ++waiting->left;
        whenDone(this, entry.handler->deliver(part),
                 [finish](const std::optional<BatchResult> &result) { finish(result == BatchResult::Durable); });
    }
    finish(true);
}

} // namespace bridgehost
