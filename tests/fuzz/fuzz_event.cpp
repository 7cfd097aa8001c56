// SPDX-License-Identifier: Apache-2.0
// protocol::readEvent for one event type, named by VOIP_FUZZ_TYPE: bytes that begin with "{" are the event's content
// (or the whole event, if they have a type of their own); any others fill its fields. What comes out keeps the bounds
// that the core relies on.
#include "fuzz.h"
#include "protocol/read.h"
#include "protocol/sdp.h"

using namespace voip;

namespace
{

QJsonObject eventOf(FuzzedDataProvider &data, const QString &type)
{
    QJsonObject event{{QStringLiteral("type"), type},
                      {QStringLiteral("event_id"), fuzz::word(data, {QStringLiteral("$1")})},
                      {QStringLiteral("sender"), fuzz::word(data, {QStringLiteral("@b:t")})},
                      {QStringLiteral("room_id"), fuzz::word(data, {QStringLiteral("!r:t")})}};
    if (data.ConsumeBool())
        event.insert(QStringLiteral("unsigned"), QJsonObject{{QStringLiteral("age"), fuzz::any(data)}});
    if (data.ConsumeBool())
        event.insert(QStringLiteral("origin_server_ts"), fuzz::any(data));
    if (data.ConsumeBool())
        event.insert(QStringLiteral("state_key"), fuzz::any(data));
    event.insert(QStringLiteral("content"), fuzz::content(data));
    return event;
}

bool within(call::Millis lifetime)
{
    return lifetime >= 0 && lifetime <= call::longestLifetime;
}

void check(const call::MatrixEvent &event)
{
    std::visit(
        [](const auto &what) {
            fuzz::must(what.eventId.size() <= 255 && what.roomId.size() <= 255 && what.sender.size() <= 255,
                       "long ids");
            fuzz::must(what.age >= 0, "age below zero");
            if constexpr (requires { what.callId; }) {
                fuzz::must(call::isOpaqueId(what.callId), "call id");
                fuzz::must(what.partyId.isEmpty() || call::isOpaqueId(what.partyId), "party id");
                fuzz::must(what.version == 0 || what.version == 1, "version");
                fuzz::must(what.version == 1 || what.partyId.isEmpty(), "party id of version 0");
            }
            if constexpr (requires { what.sdp; })
                fuzz::must(protocol::looksLikeSdp(what.sdp), "sdp");
            if constexpr (requires { what.lifetime.value_or(0); }) // may be left out
                fuzz::must(within(what.lifetime.value_or(0)), "lifetime");
            else if constexpr (requires { what.lifetime; })
                fuzz::must(within(what.lifetime), "lifetime");
            if constexpr (requires { what.candidates; })
                fuzz::must(!what.candidates.isEmpty() && what.candidates.size() <= 128, "candidates");
        },
        event);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size)
{
    static const QString type = qEnvironmentVariable("VOIP_FUZZ_TYPE", QStringLiteral("m.call.invite"));
    QJsonObject event;
    if (size > 0 && bytes[0] == '{') {
        const QByteArray text(reinterpret_cast<const char *>(bytes), static_cast<qsizetype>(size));
        const QJsonObject object = QJsonDocument::fromJson(text).object();
        event = object.contains(QLatin1String("type"))
                    ? object
                    : QJsonObject{{QStringLiteral("event_id"), QStringLiteral("$1")},
                                  {QStringLiteral("sender"), QStringLiteral("@b:t")},
                                  {QStringLiteral("room_id"), QStringLiteral("!r:t")},
                                  {QStringLiteral("content"), object}};
        event.insert(QStringLiteral("type"), type);
    } else {
        FuzzedDataProvider data(bytes, size);
        event = eventOf(data, type);
    }
    if (const auto read = protocol::readEvent(event, 1'000'000))
        check(*read);
    return 0;
}
