// SPDX-License-Identifier: Apache-2.0
#include "replay/timeline.h"

#include "protocol/sdp.h"

#include <QHash>

#include <algorithm>

namespace voip::replay
{

using namespace voip::call;

namespace
{

constexpr int maxBatch = 1000;
constexpr int maxCandidates = 256;
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
};

Settings readSettings(Fields &header)
{
    Settings settings;
    if (!header.has("settings"))
        return settings;
    Fields fields(header.object("settings"));
    settings.accepting = fields.flag("accepting", true);
    if (fields.fault())
        header.fail(QStringLiteral("settings.accepting"), fields.fault()->what);
    for (const QString &key : fields.all().keys()) {
        if (key == QLatin1String("accepting"))
            continue;
        const auto *known = std::find_if(std::begin(settingNames), std::end(settingNames),
                                         [&key](const SettingName &entry) { return key == QLatin1String(entry.name); });
        if (known == std::end(settingNames)) {
            header.fail(QStringLiteral("settings.") + key, QStringLiteral("is no setting"));
            continue;
        }
        settings.*(known->field) = fields.integer(known->name);
        if (fields.fault() || settings.*(known->field) > maxSetting)
            header.fail(QStringLiteral("settings.") + key, QStringLiteral("must be milliseconds, 0 to 10^12"));
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

QVector<Candidate> readCandidates(Fields &fields)
{
    QVector<Candidate> candidates;
    const QJsonArray list = fields.list("candidates");
    if (list.size() > maxCandidates)
        fields.fail("candidates", "are too many");
    for (const QJsonValue &value : list) {
        const QJsonObject object = value.toObject();
        const QJsonValue line = object.value(QLatin1String("candidate"));
        if (!line.isString())
            fields.fail("candidates", "must hold objects with a string \"candidate\"");
        Candidate candidate;
        candidate.candidate = line.toString();
        if (const QJsonValue mid = object.value(QLatin1String("sdpMid")); mid.isString())
            candidate.sdpMid = mid.toString();
        if (const QJsonValue index = object.value(QLatin1String("sdpMLineIndex")); index.isDouble())
            candidate.sdpMLineIndex = index.toInt();
        candidates.push_back(candidate);
    }
    return candidates;
}

// The field's name in the call service's request, or plain "sdp".
QString readSdp(Fields &fields, const char *name)
{
    return fields.longText(fields.has(name) ? name : "sdp");
}

void readPlace(Fields &fields, const Header &header, Entry &entry)
{
    Media media;
    if (fields.has("media")) {
        Fields kinds(fields.object("media"));
        media.audio = kinds.flag("audio", true);
        media.video = kinds.flag("video", false);
        if (kinds.fault())
            fields.fail(QStringLiteral("media.") + kinds.fault()->field, kinds.fault()->what);
    }
    Place place{entry.callId, fields.text("room_id", header.homeRoom), readSdp(fields, "initiator_sdp"), media};
    if (protocol::looksLikeSdp(place.sdp))
        entry.input = Input(std::move(place));
    else
        entry.input = Unfit{QStringLiteral("invalid_sdp")};
}

void readAnswer(Fields &fields, Entry &entry)
{
    Answer answer{entry.callId, readSdp(fields, "answer_sdp")};
    if (protocol::looksLikeSdp(answer.sdp))
        entry.input = Input(std::move(answer));
    else
        entry.input = Unfit{QStringLiteral("invalid_sdp")};
}

void readHost(Fields &fields, const Header &header, Entry &entry)
{
    entry.action = fields.text("do");
    entry.callId = fields.text("call");
    const auto is = [&entry](const char *name) { return entry.action == QLatin1String(name); };
    if (is("place")) {
        readPlace(fields, header, entry);
    } else if (is("answer")) {
        readAnswer(fields, entry);
    } else if (is("candidates")) {
        entry.input = Input(AddCandidates{entry.callId, readCandidates(fields)});
    } else if (is("reject")) {
        entry.input = Input(Reject{entry.callId});
    } else if (is("end")) {
        entry.input =
            Input(End{entry.callId, endReasonFromMatrix(fields.text("reason", QStringLiteral("user_hangup")))});
    } else if (is("media-state") || is("media_state")) {
        const QString state = fields.text("state");
        const bool failed = state == QLatin1String("failed");
        const bool lost = state == QLatin1String("disconnected");
        if (!failed && !lost && state != QLatin1String("connected"))
            fields.fail("state", "must be connected, disconnected or failed");
        entry.input = Input(ReportMedia{entry.callId, failed ? MediaReport::Failed
                                                      : lost ? MediaReport::Disconnected
                                                             : MediaReport::Connected});
    } else {
        fields.fail("do", "is no action of the host");
    }
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
        entry.input = Input(Restart{});
    else if (!is("clock"))
        fields.fail("in", "is no input");
    else if (entry.entropy)
        entry.input = Input(Tick{}); // one that a running host recorded
    if (fields.fault())
        return *fields.fault();
    return std::optional(std::move(entry));
}

} // namespace voip::replay
