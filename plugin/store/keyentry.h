// SPDX-License-Identifier: Apache-2.0
// How entries of the inbox look that are no events of a room: a to-device message, or a notice that device lists
// changed. Written by intake/, read by the lane's cipher.
#pragma once

#include <QJsonArray>
#include <QJsonObject>
#include <QStringList>

namespace voip::store
{

inline constexpr QLatin1String toDeviceKey("to_device");
inline constexpr QLatin1String deviceListsKey("device_lists");

[[nodiscard]] inline QJsonObject toDeviceEntry(const QJsonObject &message)
{
    return {{toDeviceKey, QJsonObject{{QStringLiteral("sender"), message.value(QLatin1String("sender"))},
                                      {QStringLiteral("type"), message.value(QLatin1String("type"))},
                                      {QStringLiteral("content"), message.value(QLatin1String("content"))}}}};
}

[[nodiscard]] inline QJsonObject deviceListEntry(const QStringList &changed, const QStringList &left)
{
    return {{deviceListsKey, QJsonObject{{QStringLiteral("changed"), QJsonArray::fromStringList(changed)},
                                         {QStringLiteral("left"), QJsonArray::fromStringList(left)}}}};
}

} // namespace voip::store
