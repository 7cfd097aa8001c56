// SPDX-License-Identifier: Apache-2.0
#include "call/input.h"

namespace voip::call
{

QString toString(LocalReason reason)
{
    switch (reason) {
    case LocalReason::Unimplemented:
        return QStringLiteral("unimplemented");
    case LocalReason::UnsupportedProtocol:
        return QStringLiteral("unsupported_protocol");
    case LocalReason::NeedsMatrixRtc:
        return QStringLiteral("needs_matrixrtc");
    case LocalReason::Unwanted:
        return QStringLiteral("unwanted");
    }
    return {};
}

LocalReason localReasonFromText(const QString &text)
{
    for (const LocalReason reason :
         {LocalReason::UnsupportedProtocol, LocalReason::NeedsMatrixRtc, LocalReason::Unwanted}) {
        if (text == toString(reason))
            return reason;
    }
    return LocalReason::Unimplemented;
}

} // namespace voip::call
