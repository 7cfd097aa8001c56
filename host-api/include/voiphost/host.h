// SPDX-License-Identifier: Apache-2.0
// What a host offers to a plugin. Implemented by the host, which owns it and keeps it alive until the plugin's
// stop() has returned. Called by the plugin on the host's thread only, unless a method says otherwise.
#pragma once

#include <voiphost/events.h>
#include <voiphost/settings.h>

#include <QList>

namespace voiphost
{

class Host
{
public:
    virtual ~Host() = default;

    [[nodiscard]] virtual HomeserverSettings homeserver() const = 0;
    [[nodiscard]] virtual DatabaseSettings database() const = 0;
    [[nodiscard]] virtual SecretSettings secrets() const = 0;
    // The host's users as configured now. A user the host does not list has no ghost and is never rung.
    [[nodiscard]] virtual QList<HostUser> users() const = 0;
    // Where to register for Matrix events. Owned by the host.
    [[nodiscard]] virtual EventRegistry &events() = 0;
};

} // namespace voiphost
