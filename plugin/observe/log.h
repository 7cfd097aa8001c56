// SPDX-License-Identifier: Apache-2.0
// The plugin's log categories; turn one on with QT_LOGGING_RULES="matrixvoip.calls.debug=true". No line holds an SDP,
// a token, a password or the content of an event. The plugin installs no message handler.
#pragma once

#include <QLoggingCategory>

namespace voip::observe
{

Q_DECLARE_LOGGING_CATEGORY(lifecycleLog) // matrixvoip.lifecycle: start, stop, what the plugin is doing
Q_DECLARE_LOGGING_CATEGORY(callsLog)     // matrixvoip.calls: one line for each thing that happens to a call
Q_DECLARE_LOGGING_CATEGORY(roomsLog)     // matrixvoip.rooms: rooms entered and made
Q_DECLARE_LOGGING_CATEGORY(outboxLog)    // matrixvoip.outbox: what was sent, what failed
Q_DECLARE_LOGGING_CATEGORY(cryptoLog)    // matrixvoip.crypto: devices made, keys refused; never a key

} // namespace voip::observe
