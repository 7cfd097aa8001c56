// SPDX-License-Identifier: Apache-2.0
// systemd's notification socket, without its library: one datagram to $NOTIFY_SOCKET.
#pragma once

#include <QByteArray>
#include <QTimer>

namespace bridgehost
{

// `state` is "READY=1", "STOPPING=1", ... False when there is no socket or it did not take the message.
bool notifySystemd(const QByteArray &state);

// Where systemd watches (WatchdogSec=, which comes as $WATCHDOG_USEC), it is told in half of that time, again and
// again, that the event loop of this thread runs. Does nothing elsewhere.
class Watchdog
{
public:
    Watchdog();
    [[nodiscard]] bool watched() const { return m_timer.isActive(); }

private:
    QTimer m_timer;
};

} // namespace bridgehost
