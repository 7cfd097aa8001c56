// SPDX-License-Identifier: Apache-2.0
// What may follow /calls/{id} beyond answering and ending: negotiate, media, transfer, transfer-accept,
// transfer-reject, identity. Reads the request and asks the plugin; CallApi replies. Holds nothing.
#pragma once

#include "http/message.h"

#include <voiphost/midcall.h>

namespace bridgehost
{

[[nodiscard]] const QStringList &midCallActions();
// The interface of a service, or null: the plugin cannot do it.
[[nodiscard]] voiphost::MidCall *midCallOf(voiphost::CallService *service);
// `action` is one of midCallActions(). An error is one of the request.
[[nodiscard]] voiphost::Expected<QFuture<voiphost::Expected<voiphost::FullCall>>>
askMidCall(voiphost::MidCall &midCall, const QString &user, const QString &call, const QString &action,
           const QJsonObject &body);
[[nodiscard]] Reply notSupported(const QString &action);

} // namespace bridgehost
