// SPDX-License-Identifier: Apache-2.0
// Checks as JSON.
#include "operations/health.h"

#include <QJsonArray>

#include <algorithm>

namespace bridgehost
{

bool allRequiredOk(const Checks &checks)
{
    return std::all_of(checks.cbegin(), checks.cend(), [](const auto &check) { return check.ok || !check.required; });
}

QJsonArray toJson(const Checks &checks)
{
    QJsonArray array;
    for (const auto &check : checks)
        array.append(QJsonObject{{QStringLiteral("name"), check.name},
                                 {QStringLiteral("ok"), check.ok},
                                 {QStringLiteral("required"), check.required},
                                 {QStringLiteral("message"), check.message},
                                 {QStringLiteral("advice"), check.advice}});
    return array;
}

} // namespace bridgehost
