// SPDX-License-Identifier: Apache-2.0
#include "sent.h"

#include "call/types.h"

#include <QJsonArray>

namespace sent
{

namespace
{

constexpr double leastLifetime = 90'000; // R24

QString word(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1String(key)).toString();
}

// R1, R2, R5.
QString envelope(const QJsonObject &content)
{
    if (content.value(QLatin1String("version")) != QJsonValue(QStringLiteral("1")))
        return QStringLiteral("version is not the string 1");
    for (const char *key : {"call_id", "party_id"}) {
        if (!voip::call::isOpaqueId(word(content, key)))
            return QLatin1String(key) + QStringLiteral(" is no opaque id");
    }
    return word(content, "party_id").size() < 8 ? QStringLiteral("party_id is short") : QString(); // R7
}

QString description(const QJsonObject &content, const char *key, const QString &type)
{
    const QJsonObject object = content.value(QLatin1String(key)).toObject();
    if (!word(object, "sdp").startsWith(QLatin1String("v=0")))
        return QLatin1String(key) + QStringLiteral(" has no sdp");
    return type.isEmpty() || word(object, "type") == type ? QString()
                                                          : QLatin1String(key) + QStringLiteral(" has a wrong type");
}

// R84: what metadata there is names a purpose for each stream.
QString metadata(const QJsonObject &content)
{
    const QJsonObject streams = content.value(QLatin1String("sdp_stream_metadata")).toObject();
    for (const QJsonValue &stream : streams) {
        const QString purpose = word(stream.toObject(), "purpose");
        if (purpose != QLatin1String("m.usermedia") && purpose != QLatin1String("m.screenshare"))
            return QStringLiteral("a stream without a purpose");
    }
    return {};
}

QString invite(const QJsonObject &content, const QJsonObject &settings)
{
    const double lifetime = content.value(QLatin1String("lifetime")).toDouble();
    const double least = settings.value(QLatin1String("invite_lifetime")).toDouble(leastLifetime);
    if (lifetime < least)
        return QStringLiteral("lifetime is too short");
    if (!word(content, "invitee").startsWith(u'@'))
        return QStringLiteral("invitee is missing"); // R16
    return description(content, "offer", QStringLiteral("offer"));
}

QString hangup(const QJsonObject &content)
{
    static const QStringList reasons{QStringLiteral("ice_failed"),     QStringLiteral("ice_timeout"),
                                     QStringLiteral("invite_timeout"), QStringLiteral("user_hangup"),
                                     QStringLiteral("user_busy"),      QStringLiteral("user_media_failed"),
                                     QStringLiteral("unknown_error")};
    return reasons.contains(word(content, "reason")) ? QString() : QStringLiteral("the reason is not the protocol's");
}

QString candidates(const QJsonObject &content)
{
    const QJsonArray list = content.value(QLatin1String("candidates")).toArray();
    if (list.isEmpty())
        return QStringLiteral("there are no candidates");
    for (const QJsonValue &value : list) {
        const QJsonObject candidate = value.toObject();
        const bool placed =
            candidate.contains(QLatin1String("sdpMid")) || candidate.contains(QLatin1String("sdpMLineIndex"));
        if (!word(candidate, "candidate").isEmpty() && !placed)
            return QStringLiteral("a candidate without sdpMid and sdpMLineIndex"); // R49
        if (word(candidate, "candidate").isEmpty() && value != list.last())
            return QStringLiteral("candidates after their end"); // R52
    }
    return {};
}

QString negotiate(const QJsonObject &content)
{
    if (content.value(QLatin1String("lifetime")).toDouble() <= 0)
        return QStringLiteral("lifetime is missing");
    const QString type = word(content.value(QLatin1String("description")).toObject(), "type");
    if (type != QLatin1String("offer") && type != QLatin1String("answer"))
        return QStringLiteral("description is neither offer nor answer");
    return description(content, "description", {});
}

QString wrongIn(const QString &type, const QJsonObject &content, const QJsonObject &settings)
{
    if (const QString wrong = envelope(content); !wrong.isEmpty())
        return wrong;
    if (const QString wrong = metadata(content); !wrong.isEmpty())
        return wrong;
    if (type == QLatin1String("m.call.invite"))
        return invite(content, settings);
    if (type == QLatin1String("m.call.answer"))
        return description(content, "answer", QStringLiteral("answer"));
    if (type == QLatin1String("m.call.hangup"))
        return hangup(content);
    if (type == QLatin1String("m.call.candidates"))
        return candidates(content);
    if (type == QLatin1String("m.call.negotiate"))
        return negotiate(content);
    if (type == QLatin1String("m.call.reject")) { // R42: no reason, but for busy, which clients of both kinds are told
        const bool busy = content.size() == 4 && word(content, "reason") == QLatin1String("user_busy");
        return content.size() == 3 || busy ? QString() : QStringLiteral("says more than the envelope");
    }
    if (type == QLatin1String("m.call.select_answer"))
        return voip::call::isOpaqueId(word(content, "selected_party_id")) ? QString()
                                                                          : QStringLiteral("selects nobody");
    return {};
}

} // namespace

QString wrongWith(const QJsonObject &out, const QJsonObject &settings)
{
    return wrongIn(word(out, "type"), out.value(QLatin1String("content")).toObject(), settings);
}

QString check(const timeline::Lines &lines, const QString &type, int &seen)
{
    const QJsonObject header = lines.isEmpty() ? QJsonObject() : timeline::object(lines.first());
    const QJsonObject settings = header.value(QLatin1String("settings")).toObject();
    for (const QByteArray &line : lines) {
        const QJsonObject out = timeline::object(line);
        const QString is = word(out, "type");
        if (word(out, "out") != QLatin1String("matrix") || (!type.isEmpty() && is != type))
            continue;
        ++seen;
        const QString wrong = wrongWith(out, settings);
        if (!wrong.isEmpty())
            return is + QStringLiteral(": ") + wrong + QStringLiteral(": ") + QString::fromUtf8(line);
    }
    return {};
}

} // namespace sent
