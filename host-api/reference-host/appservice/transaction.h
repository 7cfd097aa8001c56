// SPDX-License-Identifier: Apache-2.0
// A homeserver transaction, from bytes to a batch. Total and pure: a body that is no transaction gives an error that
// names the field; bad events in a good one are left out and counted by reason, the good ones are kept.
#pragma once

#include <voiphost/events.h>

#include <QMap>

namespace bridgehost
{

// Synapse sends at most 100 events in one transaction; far beyond that something else is speaking.
constexpr qsizetype kMaxTransactionEvents = 5000;

struct ParsedTransaction {
    voiphost::EventBatch batch;  // events of every type; transactionId and receivedAt are the caller's
    QMap<QString, int> rejected; // reason -> events left out
};

// Error: kind Invalid (400) or TooLarge (413), code M_NOT_JSON, M_BAD_JSON or M_TOO_LARGE.
[[nodiscard]] voiphost::Expected<ParsedTransaction> parseTransaction(const QByteArray &body);

} // namespace bridgehost
