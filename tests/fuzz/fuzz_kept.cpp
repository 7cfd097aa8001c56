// SPDX-License-Identifier: Apache-2.0
// What the plugin reads back from where it was kept, and a homeserver's answers; VOIP_FUZZ_TYPE says which: `call` and
// `members` (JSON of rows), `dsn`, `session` (an account's session), `sync` (answers of /sync). What was read is
// written and read again as the same.
#include "fuzz.h"
#include "homeserver/sessionrecord.h"
#include "homeserver/syncanswer.h"
#include "store/callcodec.h"
#include "store/dsn.h"

using namespace voip;

namespace
{

QByteArray raw(const std::uint8_t *bytes, std::size_t size)
{
    return {reinterpret_cast<const char *>(bytes), static_cast<qsizetype>(size)};
}

// A row that was good, with some of its values replaced: at any depth, and by anything.
QJsonValue damaged(FuzzedDataProvider &data, const QJsonValue &value)
{
    if (data.remaining_bytes() == 0)
        return value;
    if (data.ConsumeIntegralInRange(0, 15) == 0)
        return fuzz::any(data);
    if (value.isObject()) {
        QJsonObject object = value.toObject();
        for (const QString &key : object.keys()) {
            if (data.ConsumeIntegralInRange(0, 31) == 0)
                object.remove(key);
            else
                object.insert(key, damaged(data, object.value(key)));
        }
        return object;
    }
    if (value.isArray()) {
        QJsonArray array;
        for (const QJsonValue &entry : value.toArray())
            array.append(damaged(data, entry));
        return array;
    }
    return value;
}

const QJsonObject &goodCall()
{
    static const QJsonObject detail = [] {
        call::Call call;
        call.opponent = call::Party{QStringLiteral("@b:t"), QStringLiteral("ONE")};
        call.inviteRef = 3;
        call.unsent.append(call::Candidate{QStringLiteral("candidate:1"), QStringLiteral("0"), 0});
        call.waiting.append(call::PartyCandidates{*call.opponent, call.unsent});
        call.replaces = QStringLiteral("h0");
        call.said.append(77);
        return store::detailOf(call);
    }();
    return detail;
}

void callRow(const std::uint8_t *bytes, std::size_t size)
{
    QJsonObject detail = QJsonDocument::fromJson(raw(bytes, size)).object();
    if (detail.isEmpty()) {
        FuzzedDataProvider data(bytes, size);
        detail = damaged(data, goodCall()).toObject();
    }
    call::Call read;
    if (!store::readDetail(detail, read).isEmpty())
        return;
    call::Call again;
    fuzz::must(store::readDetail(store::detailOf(read), again).isEmpty(), "what was read is not what is written");
    fuzz::must(store::detailOf(again) == store::detailOf(read), "a call changes when it is kept");
}

void membersRow(const std::uint8_t *bytes, std::size_t size)
{
    const QJsonObject json = QJsonDocument::fromJson(raw(bytes, size)).object();
    QMap<QString, call::Membership> read;
    if (!store::readMembers(json, read).isEmpty())
        return;
    fuzz::must(read.size() == json.size(), "members out of nothing");
    fuzz::must(store::membersToJson(read) == json, "members change when they are kept");
}

void dsnText(const std::uint8_t *bytes, std::size_t size)
{
    const QString text = QString::fromUtf8(raw(bytes, size));
    const QString secret = QStringLiteral("hunter2");
    const auto parsed = store::parsePostgresDsn(text);
    if (!parsed) {
        fuzz::must(!parsed.error().message.contains(secret), "a message that holds a password");
        return;
    }
    fuzz::must(!parsed->dbname.isEmpty() && parsed->port >= 0 && parsed->port <= 65535, "dsn");
    const QString options = store::connectOptions(*parsed, store::PostgresDsn::Session::Reads);
    fuzz::must(options.contains(QLatin1String("default_transaction_read_only=on")), "read only");
    qsizetype separators = 0;
    for (const auto &[key, value] : parsed->options.asKeyValueRange())
        separators += value.count(u';');
    fuzz::must(separators == 0, "an option that would be two");
}

void sessionBytes(const std::uint8_t *bytes, std::size_t size)
{
    const auto record = homeserver::sessionRecordOf(raw(bytes, size));
    if (!record)
        return;
    fuzz::must(!record->userId.isEmpty() && !record->deviceId.isEmpty(), "a session of nobody");
    fuzz::must(homeserver::sessionRecordOf(homeserver::toBytes(*record)) == record,
               "a session changes when it is kept");
}

QJsonObject syncOf(FuzzedDataProvider &data)
{
    const auto room = [&] {
        QJsonArray events;
        for (int n = data.ConsumeIntegralInRange(0, 3); n > 0; --n)
            events.append(QJsonObject{
                {QStringLiteral("type"),
                 fuzz::word(data, {QStringLiteral("m.call.invite"), QStringLiteral("m.room.member")})},
                {QStringLiteral("event_id"), fuzz::word(data, {QStringLiteral("$1")})},
                {QStringLiteral("sender"), QStringLiteral("@b:t")},
                {QStringLiteral("state_key"),
                 data.ConsumeBool() ? QJsonValue(QStringLiteral("@a:t")) : fuzz::any(data)},
                {QStringLiteral("content"),
                 data.ConsumeBool() ? QJsonValue(QJsonObject{{QStringLiteral("membership"), QStringLiteral("invite")},
                                                             {QStringLiteral("is_direct"), fuzz::any(data)}})
                                    : fuzz::any(data)}});
        const QJsonObject section{{QStringLiteral("events"), data.ConsumeBool() ? QJsonValue(events) : fuzz::any(data)},
                                  {QStringLiteral("limited"), data.ConsumeBool()},
                                  {QStringLiteral("prev_batch"), fuzz::any(data)}};
        return QJsonObject{{QStringLiteral("timeline"), section},
                           {QStringLiteral("state"), section},
                           {QStringLiteral("invite_state"), section}};
    };
    QJsonObject rooms;
    for (const char *how : {"join", "invite", "leave"})
        rooms.insert(QLatin1String(how),
                     data.ConsumeBool() ? QJsonValue(QJsonObject{{fuzz::word(data, {QStringLiteral("!r:t")}), room()}})
                                        : fuzz::any(data));
    return {{QStringLiteral("next_batch"), data.ConsumeBool() ? QJsonValue(QStringLiteral("s1")) : fuzz::any(data)},
            {QStringLiteral("rooms"), data.ConsumeBool() ? QJsonValue(rooms) : fuzz::any(data)},
            {QStringLiteral("to_device"), fuzz::any(data)},
            {QStringLiteral("device_lists"), fuzz::any(data)},
            {QStringLiteral("device_one_time_keys_count"), fuzz::any(data)},
            {QStringLiteral("device_unused_fallback_key_types"), fuzz::any(data)}};
}

void syncText(const std::uint8_t *bytes, std::size_t size)
{
    QJsonObject answer = QJsonDocument::fromJson(raw(bytes, size)).object();
    if (answer.isEmpty()) {
        FuzzedDataProvider data(bytes, size);
        answer = syncOf(data);
    }
    homeserver::SyncReading reading;
    reading.account = QStringLiteral("@a:t");
    reading.deviceId = QStringLiteral("DEVICE");
    reading.types = {QStringLiteral("m.call.*"), QStringLiteral("m.room.member")};
    const auto read = homeserver::readSync(answer, reading);
    if (!read)
        return;
    fuzz::must(!read->nextBatch.isEmpty() && read->leftOut >= 0, "no place to go on from");
    for (const homeserver::SyncRoom &room : read->rooms) {
        fuzz::must(!room.id.isEmpty() && room.id.size() <= 255, "room id");
        for (const QJsonObject &event : room.timeline + room.state)
            fuzz::must(event.value(QLatin1String("room_id")).toString() == room.id, "an event of another room");
    }
    for (const QJsonObject &message : read->toDevice)
        fuzz::must(message.value(QLatin1String("to_user_id")).toString() == reading.account, "another's message");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size)
{
    static const QString type = qEnvironmentVariable("VOIP_FUZZ_TYPE");
    if (type == QLatin1String("call"))
        callRow(bytes, size);
    else if (type == QLatin1String("members"))
        membersRow(bytes, size);
    else if (type == QLatin1String("dsn"))
        dsnText(bytes, size);
    else if (type == QLatin1String("session"))
        sessionBytes(bytes, size);
    else if (type == QLatin1String("sync"))
        syncText(bytes, size);
    else
        std::abort();
    return 0;
}
