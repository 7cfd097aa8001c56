// SPDX-License-Identifier: Apache-2.0
#include "replay/redact.h"

#include "protocol/sdp.h"

#include <QJsonArray>

namespace voip::replay
{

namespace
{

QJsonValue cut(const QJsonValue &value, bool named)
{
    const QString text = value.toString();
    if (protocol::looksLikeSdp(text)) // in a wrong place, too: whoever sends the event chooses its fields
        return protocol::redacted(text);
    if (named) // was refused, and will be
        return QStringLiteral("redacted");
    if (value.isObject())
        return withoutSdp(value.toObject());
    if (!value.isArray())
        return value;
    QJsonArray list;
    const QJsonArray whole = value.toArray();
    for (const auto &entry : whole)
        list.append(cut(entry, false));
    return list;
}

} // namespace

QJsonObject withoutSdp(const QJsonObject &line)
{
    QJsonObject object = line;
    for (auto it = object.begin(); it != object.end(); ++it)
        it.value() = cut(it.value(), it.key() == QLatin1String("sdp") || it.key().endsWith(QLatin1String("_sdp")));
    return object;
}

} // namespace voip::replay
