// SPDX-License-Identifier: Apache-2.0
// protocol::readSnapshot: bytes that begin with "[" are the state events, any others fill their fields.
#include "fuzz.h"
#include "protocol/read.h"

using namespace voip;

namespace
{

QJsonArray stateOf(FuzzedDataProvider &data)
{
    QJsonArray state;
    for (int i = data.ConsumeIntegralInRange(0, 12); i > 0; --i) {
        QJsonObject content{
            {QStringLiteral("membership"), fuzz::word(data, {QStringLiteral("join"), QStringLiteral("ban")})},
            {QStringLiteral("join_rule"), fuzz::word(data, {QStringLiteral("public")})},
            {QStringLiteral("algorithm"), fuzz::any(data)}};
        state.append(QJsonObject{
            {QStringLiteral("type"),
             fuzz::word(data, {QStringLiteral("m.room.member"), QStringLiteral("m.room.join_rules"),
                               QStringLiteral("m.room.encryption"), QStringLiteral("m.call.invite")})},
            {QStringLiteral("sender"), QStringLiteral("@b:t")},
            {QStringLiteral("state_key"), data.ConsumeBool() ? QJsonValue(fuzz::text(data, 300)) : fuzz::any(data)},
            {QStringLiteral("content"), data.ConsumeBool() ? QJsonValue(content) : fuzz::any(data)}});
    }
    return state;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size)
{
    QJsonArray state;
    if (size > 0 && bytes[0] == '[') {
        state = QJsonDocument::fromJson(QByteArray(reinterpret_cast<const char *>(bytes), static_cast<qsizetype>(size)))
                    .array();
    } else {
        FuzzedDataProvider data(bytes, size);
        state = stateOf(data);
    }
    QVector<QJsonObject> events;
    for (const QJsonValue &event : std::as_const(state))
        events += event.toObject();
    const auto snapshot = protocol::readSnapshot(QStringLiteral("!r:t"), events);
    fuzz::must(snapshot.roomId == QLatin1String("!r:t"), "room id");
    fuzz::must(snapshot.members.size() <= state.size(), "members out of nothing");
    for (auto it = snapshot.members.constBegin(); it != snapshot.members.constEnd(); ++it)
        fuzz::must(!it.key().isEmpty() && it.key().size() <= 255, "member id");
    return 0;
}
