// SPDX-License-Identifier: Apache-2.0
// Which plugin wants which events: the registry that plugins register with, and the splitting of a transaction over
// them. deliver() gives the future of "every handler says Durable"; with no handler at all that is Refused, because
// a transaction that nobody stored must come again.
#pragma once

#include <voiphost/events.h>

#include <QObject>

namespace bridgehost
{

class EventRouter : public QObject, public voiphost::EventRegistry
{
    Q_OBJECT

public:
    using QObject::QObject;

    void registerHandler(voiphost::EventHandler *handler, const QStringList &eventTypes) override;
    void unregisterHandler(voiphost::EventHandler *handler) override;

    // `done` is called on this thread, once, at once or later: true when every handler said Durable.
    void deliver(const voiphost::EventBatch &batch, std::function<void(bool durable)> done);
    [[nodiscard]] bool hasHandlers() const { return !m_handlers.isEmpty(); }

private:
    struct Entry {
        voiphost::EventHandler *handler; // the plugin's
        QStringList types;
        [[nodiscard]] bool wants(const QString &type) const;
    };
    QList<Entry> m_handlers;
};

} // namespace bridgehost
