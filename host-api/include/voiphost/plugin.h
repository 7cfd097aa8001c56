// SPDX-License-Identifier: Apache-2.0
// The plugin's face towards the host. A released interface here is never edited: what is new comes as a further
// interface with its own IID, found by qobject_cast on the plugin's root object.
// Lifecycle, each step once and in this order (host-api/README.md has it with numbers):
//   metadata read -> loaded -> initialise() -> start() -> drain() -> stop()
// All methods: caller is the host, on the thread that loaded the plugin; none throws.
#pragma once

#include <voiphost/calls.h>
#include <voiphost/host.h>
#include <voiphost/version.h>

#include <QFuture>
#include <QJsonArray>
#include <QJsonObject>
#include <QtPlugin>

namespace voiphost
{

class Plugin
{
public:
    virtual ~Plugin() = default;

    // Checks `settings` (the configuration's plugins.<id> section, defaults filled in by nobody) and remembers
    // `host`, which stays the host's. Opens nothing, starts nothing. On an error the plugin stays uninitialised.
    virtual Expected<Done> initialise(Host *host, const QJsonObject &settings) = 0;
    // Opens the store (migrating it), restores live calls, registers event handlers. Returns at once; the future
    // finishes when the plugin serves, or with the reason why it cannot.
    virtual QFuture<Expected<Done>> start() = 0;
    // The host's users place no new calls from now on; finishes when no call is live or `timeoutMs` has passed. A call
    // that comes from Matrix meanwhile is kept, and rings after the next start if it is still worth it.
    virtual QFuture<Done> drain(int timeoutMs) = 0;
    // Blocks until all threads are joined and all connections closed. Idempotent. Nothing is callable afterwards.
    virtual void stop() = 0;

    // Owned by the plugin; null before initialise() succeeded and after stop().
    [[nodiscard]] virtual CallService *calls() = 0;
};

// Optional: how the plugin is doing. Answers come from memory: they never touch disk or network, never block.
class Diagnostics
{
public:
    virtual ~Diagnostics() = default;
    struct Check {
        QString name;   // "database", "homeserver", ...
        bool ok = true; // false on a required check: not ready
        bool required = true;
        QString message;
        QString advice; // what to do next; empty when ok
    };
    // Prometheus text format 0.0.4.
    [[nodiscard]] virtual QByteArray metrics() const = 0;
    [[nodiscard]] virtual QList<Check> checks() const = 0;
};

// Optional: the administrator's switch. A change is in force when its future finishes, and survives a restart.
struct Rollout {
    bool enabled = false;
    int percent = 0; // 0..100 of the bridged users, by a stable hash: a user once in stays in as it grows

    bool operator==(const Rollout &) const = default;
};

class RolloutControl
{
public:
    virtual ~RolloutControl() = default;
    [[nodiscard]] virtual Rollout rollout() const = 0;
    virtual QFuture<Expected<Rollout>> setRollout(const Rollout &rollout) = 0;
    // Back to what was in force before the last change.
    virtual QFuture<Expected<Rollout>> rollBack() = 0;
};

// Optional: what `--check` asks. Reads settings and opens the database without changing anything, then closes it.
// Blocking; called after initialise() and instead of start().
class SelfCheck
{
public:
    virtual ~SelfCheck() = default;
    [[nodiscard]] virtual QList<Diagnostics::Check> selfCheck() = 0;
};

} // namespace voiphost

Q_DECLARE_INTERFACE(voiphost::Plugin, VOIPHOST_PLUGIN_IID)
Q_DECLARE_INTERFACE(voiphost::Diagnostics, "org.novabridge.voiphost.Diagnostics/1")
Q_DECLARE_INTERFACE(voiphost::RolloutControl, "org.novabridge.voiphost.RolloutControl/1")
Q_DECLARE_INTERFACE(voiphost::SelfCheck, "org.novabridge.voiphost.SelfCheck/1")
