// SPDX-License-Identifier: Apache-2.0
#include "observe/log.h"

namespace voip::observe
{

Q_LOGGING_CATEGORY(lifecycleLog, "matrixvoip.lifecycle", QtInfoMsg)
Q_LOGGING_CATEGORY(callsLog, "matrixvoip.calls", QtInfoMsg)
Q_LOGGING_CATEGORY(roomsLog, "matrixvoip.rooms", QtInfoMsg)
Q_LOGGING_CATEGORY(outboxLog, "matrixvoip.outbox", QtInfoMsg)
Q_LOGGING_CATEGORY(cryptoLog, "matrixvoip.crypto", QtInfoMsg)

} // namespace voip::observe
