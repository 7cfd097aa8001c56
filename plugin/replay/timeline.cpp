// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline.h"

#include "replay/hostinput.h"

#include <QHash>

#include <algorithm>

namespace voip::replay
{

using namespace voip::call;

namespace
{

constexpr int maxBatch = 1000;
constexpr qint64 maxSetting = 1'000'000'000'000; // ms

struct SettingName {
    const char *name;
    Millis Settings::*field;
};
constexpr SettingName settingNames[] = {
    {"invite_lifetime", &Settings::inviteLifetime},
    {"connect_timeout", &Settings::connectTimeout},
    {"longest_call", &Settings::longestCall},
    {"least_time_to_ring", &Settings::leastTimeToRing},
    {"first_flush_after_invite", &Settings::firstFlushAfterInvite},
    {"first_flush_after_answer", &Settings::firstFlushAfterAnswer},
    {"flush_every", &Settings::flushEvery},
    {"gather_for", &Settings::gatherFor},
    {"negotiate_lifetime", &Settings::negotiateLifetime},
    {"transfer_lifetime", &Settings::transferLifetime},
    {"resume_timeout", &Settings::resumeTimeout},
    {"reconnect_timeout", &Settings::reconnectTimeout},
    {"fold_for", &Settings::foldFor},
};
constexpr SettingName countNames[] = {
    {"invites_per_minute", &Settings::invitesPerMinute},
    {"ringing_of_peer", &Settings::ringingOfPeer},
    {"places_per_minute", &Settings::placesPerMinute},
};
struct FlagName {
    const char *name;
    bool Settings::*field;
};
constexpr FlagName flagNames[] = {
    {"accepting", &Settings::accepting},
    {"host_trickles", &Settings::hostTrickles},
    {"parallel_calls", &Settings::parallelCalls},
    {"transfers", &Settings::transfers},
};

template <typename Names>
auto findName(const Names &names, const QString &key)
{
    const auto *found = std::find_if(std::begin(names), std::end(names),
                                     [&key](const auto &entry) { return key == QLatin1String(entry.name); });
    return found == std::end(names) ? nullptr : found;
}

std::optional<PrivateAddresses> privateAddressesOf(const QString &word)
{
    if (word == QLatin1String("send"))
        return PrivateAddresses::Send;
    if (word == QLatin1String("hide_unencrypted"))
        return PrivateAddresses::HideUnencrypted;
    if (word == QLatin1String("hide"))
        return PrivateAddresses::Hide;
    return std::nullopt;
}

Settings readSettings(Fields &header)
{
    Settings settings;
    if (!header.has("settings"))
        return settings;
    Fields fields(header.object("settings"));
    for (const QString &key : fields.all().keys()) {
        const QString path = QStringLiteral("settings.") + key;
        if (const auto *flag = findName(flagNames, key)) {
            settings.*(flag->field) = fields.flag(flag->name, false);
            if (fields.fault())
                header.fail(path, fields.fault()->what);
        } else if (const auto *time = findName(settingNames, key)) {
            settings.*(time->field) = fields.integer(time->name);
            if (fields.fault() || settings.*(time->field) > maxSetting)
                header.fail(path, QStringLiteral("must be milliseconds, 0 to 10^12"));
        } else if (const auto *most = findName(countNames, key)) {
            settings.*(most->field) = fields.integer(most->name);
            if (fields.fault() || settings.*(most->field) > maxSetting)
                header.fail(path, QStringLiteral("must be a number, 0 to 10^12"));
        } else if (key == QLatin1String("private_addresses")) {
            const auto policy = privateAddressesOf(fields.text("private_addresses"));
            if (!policy)
                header.fail(path, QStringLiteral("must be send, hide_unencrypted or hide"));
            settings.privateAddresses = policy.value_or(PrivateAddresses::Send);
        } else {
            header.fail(path, QStringLiteral("is no setting"));
        }
    }
    return settings;
}

std::optional<Membership> membershipOf(const QString &word)
{
    static const QHash<QString, Membership> words{{QStringLiteral("join"), Membership::Join},
                                                  {QStringLiteral("invite"), Membership::Invite},
                                                  {QStringLiteral("knock"), Membership::Knock},
                                                  {QStringLiteral("leave"), Membership::Leave},
                                                  {QStringLiteral("ban"), Membership::Ban}};
    const auto found = words.constFind(word);
    return found == words.constEnd() ? std::nullopt : std::optional(*found);
}

JoinRule joinRuleOf(const QString &word)
{
    return word == QLatin1String("public")   ? JoinRule::Public
           : word == QLatin1String("invite") ? JoinRule::Invite
                                             : JoinRule::Other;
}

// Members are a list of joined users, or an object of memberships.
QMap<QString, Membership> readMembers(Fields &fields)
{
    QMap<QString, Membership> members;
    const QJsonValue value = fields.all().value(QLatin1String("members"));
    if (value.isArray()) {
        const QJsonArray list = value.toArray();
        for (const QJsonValue &user : list) {
            if (!user.isString())
                fields.fail("members", "must hold user ids");
            members.insert(user.toString(), Membership::Join);
        }
        return members;
    }
    const QJsonObject object = fields.object("members");
    for (auto it = object.constBegin(); it != object.constEnd(); ++it) {
        const auto membership = membershipOf(it.value().toString());
        if (!membership)
            fields.fail("members", "must hold memberships: join, invite, knock, leave or ban");
        members.insert(it.key(), membership.value_or(Membership::Leave));
    }
    return members;
}

Room readRoom(Fields &header)
{
    Fields fields(header.object("room"));
    Room room;
    room.id = fields.text("room_id");
    room.conversationId = fields.text("conversation_id", {});
    room.members = readMembers(fields);
    room.joinRule = joinRuleOf(fields.text("join_rule", QStringLiteral("invite")));
    room.encrypted = fields.flag("encrypted", false);
    if (fields.fault())
        header.fail(QStringLiteral("room.") + fields.fault()->field, fields.fault()->what);
    if (room.members.size() > Room::maxMembers)
        header.fail("room.members", "are too many");
    return room;
}

std::optional<Seed> readEntropy(Fields &fields)
{
    if (!fields.has("entropy"))
        return std::nullopt;
    const QString text = fields.text("entropy");
    Seed seed{};
    bool good = text.size() == 64;
    for (int i = 0; i < 4 && good; ++i)
        seed[static_cast<std::size_t>(i)] = QStringView(text).mid(i * 16, 16).toULongLong(&good, 16);
    if (!good)
        fields.fail("entropy", "must be 64 hexadecimal digits");
    return seed;
}

void readMatrix(Fields &fields, Entry &entry)
{
    MatrixInput input;
    const QJsonArray events = fields.has("events") ? fields.list("events") : QJsonArray{fields.object("event")};
    if (events.size() > maxBatch)
        fields.fail("events", "are too many");
    for (const QJsonValue &event : events) {
        if (!event.isObject())
            fields.fail("events", "must hold objects");
        input.events.push_back(event.toObject());
    }
    if (fields.has("received_at"))
        input.receivedAt = fields.integer("received_at");
    entry.input = std::move(input);
}

std::int64_t readRef(Fields &fields)
{
    const QString text = fields.text("ref");
    bool good = text.startsWith(u'o');
    const std::int64_t ref = good ? QStringView(text).mid(1).toLongLong(&good) : 0;
    if (!good)
        fields.fail("ref", "must be \"o\" and a number");
    return ref;
}

void readSendResult(Fields &fields, Entry &entry, bool failed)
{
    SendResult result;
    result.ref = readRef(fields);
    result.callId = fields.text("call", {});
    if (failed) {
        const QString code = fields.text("code");
        // Without a word on it, what the homeserver asks to be repeated is transient.
        const bool again = fields.has("retry_after_ms") || code == QLatin1String("M_LIMIT_EXCEEDED");
        result.failed = SendFailed{result.ref, {}, code, fields.flag("transient", again)};
    } else {
        result.eventId = fields.text("event_id", {});
    }
    entry.input = std::move(result);
}

void readMember(Fields &fields, const Header &header, Entry &entry)
{
    MemberEvent event;
    event.user = fields.text("user");
    event.sender = fields.text("sender", event.user);
    event.roomId = fields.text("room_id", header.homeRoom);
    event.receivedAt = entry.t;
    const auto membership = membershipOf(fields.text("membership"));
    if (!membership)
        fields.fail("membership", "must be join, invite, knock, leave or ban");
    event.membership = membership.value_or(Membership::Leave);
    entry.input = Input(MatrixBatch{{event}});
}

void readSnapshot(Fields &fields, const Header &header, Entry &entry)
{
    RoomSnapshot snapshot;
    snapshot.roomId = fields.text("room_id", header.homeRoom);
    snapshot.members = readMembers(fields);
    snapshot.joinRule = joinRuleOf(fields.text("join_rule", QStringLiteral("invite")));
    snapshot.encrypted = fields.flag("encrypted", false);
    entry.input = Input(std::move(snapshot));
}

} // namespace

std::variant<Header, Fault> readHeader(const QJsonObject &object)
{
    Fields fields(object);
    if (fields.integer("replay") != 1)
        fields.fail("replay", "must be 1");
    Header header;
    header.seed = static_cast<std::uint64_t>(fields.integer("seed", 1));
    header.line.self = fields.text("local_user");
    header.line.nextRef = fields.integer("next_ref", 1);
    header.line.settings = readSettings(fields);
    if (fields.has("room")) { // a line may begin without any
        const Room room = readRoom(fields);
        header.homeRoom = room.id;
        header.line.rooms.insert(room.id, room);
    }
    if (fields.fault())
        return *fields.fault();
    return header;
}

std::variant<Input, Fault> readHostAction(const QJsonObject &object)
{
    Fields fields(object);
    Entry entry;
    readHost(fields, {}, entry);
    if (fields.fault())
        return *fields.fault();
    const auto *input = std::get_if<Input>(&entry.input);
    return input ? std::variant<Input, Fault>(*input) : Fault{0, QStringLiteral("sdp"), QStringLiteral("is none")};
}

std::variant<std::optional<Entry>, Fault> readEntry(const QJsonObject &object, const Header &header)
{
    Fields fields(object);
    if (fields.has("out"))
        return std::optional<Entry>();
    Entry entry;
    entry.t = fields.integer("t");
    entry.entropy = readEntropy(fields);
    const QString in = fields.text("in");
    const auto is = [&in](const char *name) { return in == QLatin1String(name); };
    if (is("matrix"))
        readMatrix(fields, entry);
    else if (is("host"))
        readHost(fields, header, entry);
    else if (is("sent") || is("send_failed"))
        readSendResult(fields, entry, is("send_failed"));
    else if (is("member"))
        readMember(fields, header, entry);
    else if (is("snapshot"))
        readSnapshot(fields, header, entry);
    else if (is("restart"))
        entry.input = Input(Restart{fields.flag("host_lives", false)});
    else if (!is("clock"))
        fields.fail("in", "is no input");
    else if (entry.entropy)
        entry.input = Input(Tick{}); // one that a running host recorded
    if (fields.fault())
        return *fields.fault();
    return std::optional(std::move(entry));
}

} // namespace voip::replay
