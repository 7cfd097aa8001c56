// SPDX-License-Identifier: Apache-2.0
// How many bytes an event takes as JSON, about, without writing it. Pure.
#pragma once

#include <QJsonArray>
#include <QJsonObject>

namespace voip::intake
{

inline qsizetype bytesOf(const QJsonValue &value)
{
    qsizetype bytes = 8;
    if (value.isString()) {
        bytes += value.toString().size();
    } else if (value.isObject()) {
        const QJsonObject object = value.toObject();
        for (auto it = object.constBegin(); it != object.constEnd(); ++it)
            bytes += it.key().size() + bytesOf(it.value());
    } else if (value.isArray()) {
        for (const QJsonValue entry : value.toArray())
            bytes += bytesOf(entry);
    }
    return bytes;
}

} // namespace voip::intake
