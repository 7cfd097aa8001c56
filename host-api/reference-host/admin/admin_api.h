// SPDX-License-Identifier: Apache-2.0
// The administrators' side: the page at /admin/ (files compiled in, no inline script) and its API under /admin/api/,
// which needs the admin token. Changes the rollout through the plugin's RolloutControl; decides nothing itself.
#pragma once

#include "http/exchange.h"
#include "operations/health.h"
#include "plugins/manager.h"
#include "rest/caller.h"

#include <QObject>

namespace bridgehost
{

class AdminApi : public QObject
{
    Q_OBJECT

public:
    struct Sources {
        std::function<QList<LoadedPlugin *>()> plugins;
        std::function<Checks()> checks;
        std::function<voiphost::CallService *()> calls;
    };
    AdminApi(const ApiGate *gate, Sources sources, QObject *parent = nullptr);

    // True when the path is one of the administrators'; the exchange is then answered, now or later.
    [[nodiscard]] bool handle(const ExchangePtr &exchange);

private:
    void page(const ExchangePtr &exchange);
    void rollout(const ExchangePtr &exchange);
    void rollBack(const ExchangePtr &exchange);
    void settings(const ExchangePtr &exchange, const QString &id);
    void doctor(const ExchangePtr &exchange);
    void calls(const ExchangePtr &exchange);
    // The first running plugin that has this optional interface; null: none has.
    template <typename Interface>
    [[nodiscard]] Interface *running() const;
    [[nodiscard]] voiphost::RolloutControl *control() const;
    void change(const ExchangePtr &exchange, voiphost::RolloutControl *control, const voiphost::Rollout &wanted,
                const std::function<QJsonObject(const voiphost::Rollout &)> &shape);

    const ApiGate *m_gate;
    Sources m_sources;
};

} // namespace bridgehost
