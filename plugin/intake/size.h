// SPDX-License-Identifier: Apache-2.0
// How many bytes an event takes as JSON, about, without writing it: the store counts those, and what is kept here is
// taken off. Pure.
#pragma once

#include <QJsonArray>
#include <QJsonObject>

namespace voip::intake
{

inline qsizetype bytesOf(QStringView text)
{
    qsizetype bytes = 0;
    for (const QChar c : text) {
        const char16_t unit = c.unicode();
        if (unit < 0x20)
            bytes += 6; // escaped
        else if (unit < 0x80)
            bytes += unit == u'"' || unit == u'\\' ? 2 : 1;
        else
            bytes += unit < 0x800 || c.isSurrogate() ? 2 : 3;
    }
    return bytes;
}

inline qsizetype bytesOf(const QJsonValue &value)
{
    qsizetype bytes = 8;
    if (value.isString()) {
        bytes += bytesOf(QStringView(value.toString()));
    } else if (value.isObject()) {
        const QJsonObject object = value.toObject();
        for (auto it = object.constBegin(); it != object.constEnd(); ++it)
            bytes += bytesOf(QStringView(it.key())) + bytesOf(it.value());
    } else if (value.isArray()) {
        for (const QJsonValue entry : value.toArray())
            bytes += bytesOf(entry);
    }
    return bytes;
}

} // namespace voip::intake
