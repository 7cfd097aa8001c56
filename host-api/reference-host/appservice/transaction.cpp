// SPDX-License-Identifier: Apache-2.0
// Checks of shape only: what an event means is the plugin's business.
#include "appservice/transaction.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace bridgehost
{

using voiphost::Error;
using voiphost::ErrorKind;
using voiphost::Expected;

namespace
{

constexpr qsizetype kMaxId = 255; // user, room and event ids, event types, state keys

Error bad(const QString &message)
{
    return {ErrorKind::Invalid, QStringLiteral("M_BAD_JSON"), message, {}};
}

bool isId(const QJsonValue &value, QChar sigil)
{
    const QString text = value.toString();
    return text.size() > 1 && text.size() <= kMaxId && text.startsWith(sigil);
}

bool isShortText(const QJsonValue &value, bool mayBeEmpty)
{
    return value.isString() && value.toString().size() <= kMaxId && (mayBeEmpty || !value.toString().isEmpty());
}

// The reason to leave the event out, or nothing.
const char *defectOfEvent(const QJsonValue &value)
{
    if (!value.isObject())
        return "not_an_object";
    const QJsonObject event = value.toObject();
    if (!isShortText(event.value(QLatin1String("type")), false))
        return "bad_type";
    if (!isId(event.value(QLatin1String("event_id")), u'$'))
        return "bad_event_id";
    if (!isId(event.value(QLatin1String("room_id")), u'!'))
        return "bad_room_id";
    if (!isId(event.value(QLatin1String("sender")), u'@') ||
        !event.value(QLatin1String("sender")).toString().contains(u':'))
        return "bad_sender";
    if (!event.value(QLatin1String("content")).isObject())
        return "bad_content";
    if (event.contains(QLatin1String("state_key")) && !isShortText(event.value(QLatin1String("state_key")), true))
        return "bad_state_key";
    if (event.contains(QLatin1String("unsigned")) && !event.value(QLatin1String("unsigned")).isObject())
        return "bad_unsigned";
    if (event.contains(QLatin1String("origin_server_ts")) && !event.value(QLatin1String("origin_server_ts")).isDouble())
        return "bad_origin_server_ts";
    return nullptr;
}

bool isGoodToDevice(const QJsonValue &value)
{
    const QJsonObject message = value.toObject();
    return isShortText(message.value(QLatin1String("type")), false) &&
           isId(message.value(QLatin1String("sender")), u'@') &&
           isId(message.value(QLatin1String("to_user_id")), u'@') &&
           isShortText(message.value(QLatin1String("to_device_id")), false) &&
           message.value(QLatin1String("content")).isObject();
}

// Stable spelling first: Synapse sends some fields under several names with the same value.
QString spelled(const QJsonObject &body, std::initializer_list<const char *> names)
{
    for (const char *name : names) {
        if (body.contains(QLatin1String(name)))
            return QString::fromLatin1(name);
    }
    return {};
}

} // namespace

Expected<ParsedTransaction> parseTransaction(const QByteArray &bytes)
{
    QJsonParseError parseError;
    const QJsonDocument document = QJsonDocument::fromJson(bytes, &parseError);
    if (parseError.error != QJsonParseError::NoError)
        return Error{
            ErrorKind::Invalid,
            QStringLiteral("M_NOT_JSON"),
            QStringLiteral("The body is not JSON: %1 at byte %2").arg(parseError.errorString()).arg(parseError.offset),
            {}};
    if (!document.isObject())
        return bad(QStringLiteral("The body must be a JSON object"));
    const QJsonObject body = document.object();

    ParsedTransaction parsed;
    if (!body.contains(QLatin1String("events")))
        return bad(QStringLiteral("Field 'events' is missing"));

    const QString toDeviceName = spelled(body, {"to_device", "de.sorunome.msc2409.to_device"});
    for (const QString &name : {QStringLiteral("events"), toDeviceName, QStringLiteral("ephemeral"),
                                QStringLiteral("de.sorunome.msc2409.ephemeral")}) {
        if (name.isEmpty() || !body.contains(name))
            continue;
        if (!body.value(name).isArray())
            return bad(QStringLiteral("Field '%1' must be an array").arg(name));
        const qsizetype count = body.value(name).toArray().size();
        if (count > kMaxTransactionEvents)
            return Error{ErrorKind::TooLarge,
                         QStringLiteral("M_TOO_LARGE"),
                         QStringLiteral("Field '%1' holds %2 events, at most %3 are accepted")
                             .arg(name)
                             .arg(count)
                             .arg(kMaxTransactionEvents),
                         {}};
    }

    const QJsonArray events = body.value(QLatin1String("events")).toArray();
    for (const QJsonValue event : events) {
        if (const char *defect = defectOfEvent(event))
            ++parsed.rejected[QString::fromLatin1(defect)];
        else
            parsed.batch.events.append(event.toObject());
    }
    const QJsonArray toDevice = body.value(toDeviceName).toArray();
    for (const QJsonValue message : toDevice) {
        if (isGoodToDevice(message))
            parsed.batch.toDevice.append(message.toObject());
        else
            ++parsed.rejected[QStringLiteral("bad_to_device")];
    }

    const auto object = [&body](const QString &name, QJsonObject *into) {
        if (name.isEmpty())
            return true;
        *into = body.value(name).toObject();
        return body.value(name).isObject();
    };
    const QString lists = spelled(body, {"device_lists", "org.matrix.msc3202.device_lists"});
    if (!object(lists, &parsed.batch.deviceLists))
        return bad(QStringLiteral("Field '%1' must be an object").arg(lists));
    for (const char *key : {"changed", "left"}) {
        const QJsonValue value = parsed.batch.deviceLists.value(QLatin1String(key));
        if (!value.isUndefined() && !value.isArray())
            return bad(QStringLiteral("Field '%1.%2' must be an array").arg(lists, QLatin1String(key)));
    }
    const QString counts = spelled(body, {"device_one_time_keys_count", "device_one_time_key_counts",
                                          "org.matrix.msc3202.device_one_time_keys_count",
                                          "org.matrix.msc3202.device_one_time_key_counts"});
    if (!object(counts, &parsed.batch.oneTimeKeyCounts))
        return bad(QStringLiteral("Field '%1' must be an object").arg(counts));
    const QString fallback =
        spelled(body, {"device_unused_fallback_key_types", "org.matrix.msc3202.device_unused_fallback_key_types"});
    if (!object(fallback, &parsed.batch.unusedFallbackKeyTypes))
        return bad(QStringLiteral("Field '%1' must be an object").arg(fallback));
    return parsed;
}

} // namespace bridgehost
