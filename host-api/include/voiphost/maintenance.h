// SPDX-License-Identifier: Apache-2.0
// What a host asks of a plugin while nothing runs. Optional interfaces, found by qobject_cast on the plugin's root
// object. Caller is the host, on the thread that loaded the plugin, after initialise() and instead of start(); both are
// followed by stop(). They block for as long as it takes; none throws.
#pragma once

#include <voiphost/types.h>

#include <QtPlugin>

namespace voiphost
{

struct RotationReport {
    qint64 rows = 0;      // how many sealed values were given the new key
    bool resumed = false; // it finished what an earlier call had begun
    QString message;      // what was done, for people
    QString advice;       // what the administrator must do now; empty: nothing
};

// Gives everything that the plugin keeps sealed a new root key. Afterwards the database belongs to the new key, and the
// old one opens nothing in it. A call that was interrupted is repeated, and finishes what it began; at no moment is the
// database left to a key that the next start does not find.
// A host that loads several plugins which share secrets and database asks none of them.
class KeyRotation
{
public:
    virtual ~KeyRotation() = default;
    // Unavailable: the database is in use or away, or the secrets cannot be asked. Invalid: the provider of secrets
    // does not allow it, or has no new key. In every case of an error the message says what to do.
    [[nodiscard]] virtual Expected<RotationReport> rotateRootKey() = 0;
};

} // namespace voiphost

Q_DECLARE_INTERFACE(voiphost::KeyRotation, "org.novabridge.voiphost.KeyRotation/1")
