// SPDX-License-Identifier: Apache-2.0
// Which failures pass by themselves. See types.h.
#include "types.h"

namespace voip::homeserver
{

bool Failure::transient() const
{
    switch (kind) {
    case FailureKind::Unreachable:
    case FailureKind::Timeout:
    case FailureKind::RateLimited:
    case FailureKind::ServerError:
        return true;
    case FailureKind::Rejected:
    case FailureKind::BadAnswer:
        return false;
    }
    return false;
}

bool Failure::passing() const
{
    return transient() || kind == FailureKind::BadAnswer;
}

bool Failure::ghostMissing() const
{
    // Servers say it with the same errcode as "not in this room"; only the text tells.
    return kind == FailureKind::Rejected && status == 403 && code == QLatin1String("M_FORBIDDEN") &&
           message.contains(QLatin1String("has not registered this user"), Qt::CaseInsensitive);
}

bool Failure::deviceMissing() const
{
    // "ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE" before it was in the specification.
    // Before that it was a code of many meanings, and only the text told.
    return kind == FailureKind::Rejected && (code.endsWith(QLatin1String("M_UNKNOWN_DEVICE")) ||
                                             message.contains(QLatin1String("device that doesn't exist")));
}

QString nameOf(FailureKind kind)
{
    switch (kind) {
    case FailureKind::Unreachable:
        return QStringLiteral("unreachable");
    case FailureKind::Timeout:
        return QStringLiteral("timeout");
    case FailureKind::RateLimited:
        return QStringLiteral("rate_limited");
    case FailureKind::ServerError:
        return QStringLiteral("server_error");
    case FailureKind::Rejected:
        return QStringLiteral("rejected");
    case FailureKind::BadAnswer:
        return QStringLiteral("bad_answer");
    }
    return {};
}

} // namespace voip::homeserver
