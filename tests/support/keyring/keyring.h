// SPDX-License-Identifier: Apache-2.0
// The keyring of a test that was started by with-keyring: a real gnome-keyring on a session bus of its own, unlocked
// and empty at first. These do to it what happens to a desktop's. Fatal if they cannot.
// Whoever has used a keyring by libsecret goes on in a session of the daemon that he found first, and is refused by the
// next one: after kill() and unlock() look in by lookup(), or from another process.
#pragma once

#include <QString>

namespace keyring
{

void lock();   // as a screen saver may
void kill();   // kill -9. The bus may start another one when asked for it: locked
void unlock(); // a daemon that has the password: the one that runs gives way to it

[[nodiscard]] QByteArray lookup(const QString &service, const QString &name); // empty: none
void put(const QString &service, const QString &name, const QByteArray &value);

} // namespace keyring
