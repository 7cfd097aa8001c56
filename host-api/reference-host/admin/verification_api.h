// SPDX-License-Identifier: Apache-2.0
// The part of the admin API that shows verifications of a plugin's own session and takes the administrator's word on
// them: GET verifications, POST verifications/{id}/confirm|cancel. Decides nothing itself.
#pragma once

#include "http/exchange.h"

#include <voiphost/verification.h>

namespace bridgehost
{

// `path`: what comes after /admin/api/verifications. `plugin`: null: none can be verified.
void answerVerifications(QObject *context, const ExchangePtr &exchange, const QStringList &path,
                         voiphost::Verification *plugin);

} // namespace bridgehost
