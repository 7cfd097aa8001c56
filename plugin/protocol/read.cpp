// SPDX-License-Identifier: Apache-2.0
#include "protocol/read.h"

#include "protocol/read_call.h"

#include <QJsonArray>

#include <algorithm>

namespace voip::protocol
{

using namespace voip::call;

namespace
{

constexpr int maxMatrixId = 255;

QString text(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1String(key)).toString();
}

Millis ageOf(const QJsonObject &event, Millis receivedAt)
{
    const QJsonObject hints = event.value(QLatin1String("unsigned")).toObject();
    for (const QJsonValue &age : {hints.value(QLatin1String("age")), event.value(QLatin1String("age"))}) {
        if (age.isDouble())
            return static_cast<Millis>(std::clamp(age.toDouble(), 0.0, 1e15));
    }
    // R26: without an age the homeserver's clock is all there is; a time in the future counts as now.
    const double sent = event.value(QLatin1String("origin_server_ts")).toDouble(static_cast<double>(receivedAt));
    return std::max<Millis>(0, receivedAt - static_cast<Millis>(std::clamp(sent, 0.0, 1e15)));
}

EventHead headOf(const QJsonObject &event, Millis receivedAt)
{
    EventHead head;
    head.eventId = text(event, "event_id");
    head.roomId = text(event, "room_id");
    head.sender = text(event, "sender");
    head.age = ageOf(event, receivedAt);
    head.receivedAt = receivedAt;
    return head;
}

// Cut to what Matrix allows, for counting and logging only: a cut id is no key.
bool fit(EventHead &head)
{
    bool good = !head.roomId.isEmpty() && !head.sender.isEmpty();
    for (QString *id : {&head.eventId, &head.roomId, &head.sender}) {
        good = good && id->size() <= maxMatrixId;
        id->truncate(maxMatrixId);
    }
    return good;
}

MatrixEvent unusable(const EventHead &head, const char *why)
{
    return UnusableEvent{head, QString::fromLatin1(why)};
}

MatrixEvent readMember(const QJsonObject &event, const QJsonObject &content, const EventHead &head)
{
    static const QHash<QString, Membership> words{{QStringLiteral("join"), Membership::Join},
                                                  {QStringLiteral("invite"), Membership::Invite},
                                                  {QStringLiteral("knock"), Membership::Knock},
                                                  {QStringLiteral("leave"), Membership::Leave},
                                                  {QStringLiteral("ban"), Membership::Ban}};
    MemberEvent member;
    static_cast<EventHead &>(member) = head;
    member.user = text(event, "state_key");
    const auto membership = words.constFind(text(content, "membership"));
    if (member.user.isEmpty() || member.user.size() > maxMatrixId || membership == words.constEnd())
        return unusable(head, "bad_field");
    member.membership = *membership;
    return member;
}

MatrixEvent readJoinRule(const QJsonObject &content, const EventHead &head)
{
    JoinRuleEvent event;
    static_cast<EventHead &>(event) = head;
    const QString rule = text(content, "join_rule");
    event.rule = rule == QLatin1String("public")   ? JoinRule::Public
                 : rule == QLatin1String("invite") ? JoinRule::Invite
                                                   : JoinRule::Other;
    return event;
}

MatrixEvent readEncryption(const EventHead &head)
{
    EncryptionEvent event;
    static_cast<EventHead &>(event) = head;
    return event;
}

} // namespace

const QStringList &eventTypes()
{
    static const QStringList types{QStringLiteral("m.call.*"),
                                   QStringLiteral("org.matrix.call.*"),
                                   QStringLiteral("org.matrix.msc4220.call.*"),
                                   QStringLiteral("m.room.member"),
                                   QStringLiteral("m.room.join_rules"),
                                   QStringLiteral("m.room.encryption"),
                                   QStringLiteral("m.room.encrypted"),
                                   QStringLiteral("m.room_key"), // the rest comes as to-device messages only
                                   QStringLiteral("m.room_key.withheld"),
                                   QStringLiteral("m.room_key_request"),
                                   QStringLiteral("m.forwarded_room_key")};
    return types;
}

std::optional<MatrixEvent> readEvent(const QJsonObject &event, Millis receivedAt)
{
    const QString type = text(event, "type");
    const QJsonObject content = event.value(QLatin1String("content")).toObject();
    EventHead head = headOf(event, receivedAt);
    if (!fit(head))
        return unusable(head, "bad_field");
    const QJsonValue stateKey = event.value(QLatin1String("state_key"));
    const bool ofRoom =
        stateKey.isString() && stateKey.toString().isEmpty(); // state under another key is not the room's

    if (type == QLatin1String("m.room.member") && stateKey.isString())
        return readMember(event, content, head);
    if (type == QLatin1String("m.room.join_rules") && ofRoom)
        return readJoinRule(content, head);
    if (type == QLatin1String("m.room.encryption") && ofRoom)
        return readEncryption(head);
    if (type == QLatin1String("m.room.encrypted"))
        return unusable(head, "undecryptable");
    if (auto call = readCallEvent(type, content, head))
        return call;
    if (type.startsWith(QLatin1String("m.call.")))
        return unusable(head, "unknown_type"); // R12
    return std::nullopt;
}

RoomSnapshot readSnapshot(const QString &roomId, const QVector<QJsonObject> &state)
{
    RoomSnapshot snapshot;
    snapshot.roomId = roomId;
    for (QJsonObject event : state) {
        event.insert(QLatin1String("room_id"), roomId); // homeservers leave it out here
        const auto read = readEvent(event, 0);
        if (!read)
            continue;
        if (const auto *member = std::get_if<MemberEvent>(&*read))
            snapshot.members.insert(member->user, member->membership);
        else if (const auto *rule = std::get_if<JoinRuleEvent>(&*read))
            snapshot.joinRule = rule->rule;
        else if (std::holds_alternative<EncryptionEvent>(*read))
            snapshot.encrypted = true;
    }
    return snapshot;
}

} // namespace voip::protocol
