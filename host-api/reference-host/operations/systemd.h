// SPDX-License-Identifier: Apache-2.0
// systemd's notification socket, without its library: one datagram to $NOTIFY_SOCKET.
#pragma once

#include <QByteArray>

namespace bridgehost
{

// `state` is "READY=1", "STOPPING=1", ... False when there is no socket or it did not take the message.
bool notifySystemd(const QByteArray &state);

} // namespace bridgehost
