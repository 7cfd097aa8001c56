// SPDX-License-Identifier: Apache-2.0
// A host as small as can be: settings for one plugin, and a registry that remembers who registered for what.
#pragma once

#include <voiphost/host.h>

#include <QHash>

namespace bridge
{

class TestHost : public voiphost::Host, public voiphost::EventRegistry
{
public:
    voiphost::HomeserverSettings server{QUrl(QStringLiteral("http://127.0.0.1:1")),
                                        QStringLiteral("test"),
                                        QStringLiteral("nova"),
                                        QStringLiteral("novabridge"),
                                        QStringLiteral("nova_"),
                                        "s3cret"};
    voiphost::DatabaseSettings store;
    QList<voiphost::HostUser> people{{QStringLiteral("alice"), QStringLiteral("Alice")},
                                     {QStringLiteral("carol"), QStringLiteral("Carol")}};
    QHash<voiphost::EventHandler *, QStringList> handlers;

    [[nodiscard]] voiphost::HomeserverSettings homeserver() const override { return server; }
    [[nodiscard]] voiphost::DatabaseSettings database() const override { return store; }
    [[nodiscard]] voiphost::SecretSettings secrets() const override { return {}; }
    [[nodiscard]] QList<voiphost::HostUser> users() const override { return people; }
    [[nodiscard]] voiphost::EventRegistry &events() override { return *this; }

    void registerHandler(voiphost::EventHandler *handler, const QStringList &types) override
    {
        handlers.insert(handler, types);
    }
    void unregisterHandler(voiphost::EventHandler *handler) override { handlers.remove(handler); }
};

} // namespace bridge
