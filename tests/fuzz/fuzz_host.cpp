// SPDX-License-Identifier: Apache-2.0
// What bridge-host reads from outside; VOIP_FUZZ_TYPE says which: `transaction` and `rest` (bodies; bytes that begin
// with
// "{" are taken as they are, any others fill the fields), `target` (request targets, resume ids, tokens), `config`
// (YAML and environment). What comes out keeps the bounds that others rely on.
#include "appservice/transaction.h"
#include "config/config.h"
#include "config/yaml_section.h"
#include "fuzz.h"
#include "http/message.h"
#include "rest/midcall_shapes.h"

using namespace bridgehost;

namespace
{

QByteArray raw(const std::uint8_t *bytes, std::size_t size)
{
    return {reinterpret_cast<const char *>(bytes), static_cast<qsizetype>(size)};
}

QJsonObject eventOf(FuzzedDataProvider &data)
{
    QJsonObject event;
    const auto put = [&](const char *key, const QJsonValue &good) {
        const int how = data.ConsumeIntegralInRange(0, 9);
        if (how > 0)
            event.insert(QLatin1String(key), how == 1 ? fuzz::any(data) : good);
    };
    put("type", QStringLiteral("m.call.invite"));
    put("event_id", QStringLiteral("$e"));
    put("room_id", QStringLiteral("!r:t"));
    put("sender", QStringLiteral("@b:t"));
    put("to_user_id", QStringLiteral("@a:t"));
    put("to_device_id", QStringLiteral("DEVICE"));
    put("content", fuzz::content(data));
    if (data.ConsumeBool())
        put("state_key", QString());
    if (data.ConsumeBool())
        put("unsigned", QJsonObject{{QStringLiteral("age"), fuzz::any(data)}});
    if (data.ConsumeBool())
        put("origin_server_ts", 1);
    return event;
}

void transaction(const std::uint8_t *bytes, std::size_t size)
{
    QByteArray body = raw(bytes, size);
    if (!body.startsWith('{')) {
        FuzzedDataProvider data(bytes, size);
        QJsonObject object;
        for (const char *list : {"events", "to_device", "de.sorunome.msc2409.to_device", "ephemeral"}) {
            QJsonArray events;
            for (int n = data.ConsumeIntegralInRange(0, 4); n > 0; --n)
                events.append(data.ConsumeBool() ? QJsonValue(eventOf(data)) : fuzz::any(data));
            if (data.ConsumeIntegralInRange(0, 4) > 0)
                object.insert(QLatin1String(list), data.ConsumeBool() ? QJsonValue(events) : fuzz::any(data));
        }
        for (const char *key : {"device_lists", "org.matrix.msc3202.device_lists", "device_one_time_keys_count",
                                "device_unused_fallback_key_types"}) {
            if (data.ConsumeBool())
                object.insert(QLatin1String(key), fuzz::any(data));
        }
        body = QJsonDocument(object).toJson(QJsonDocument::Compact);
    }
    const auto parsed = parseTransaction(body);
    if (!parsed) {
        fuzz::must(!parsed.error().code.isEmpty(), "a refusal without a code");
        return;
    }
    const auto id = [](const QJsonObject &object, const char *key, QChar sigil) {
        const QString text = object.value(QLatin1String(key)).toString();
        return text.startsWith(sigil) && text.size() > 1 && text.size() <= 255;
    };
    for (const QJsonObject &event : parsed->batch.events) {
        fuzz::must(id(event, "event_id", u'$') && id(event, "room_id", u'!') && id(event, "sender", u'@'), "ids");
        fuzz::must(event.value(QLatin1String("content")).isObject(), "content");
        fuzz::must(!event.value(QLatin1String("type")).toString().isEmpty(), "type");
    }
    for (const QJsonObject &message : parsed->batch.toDevice)
        fuzz::must(id(message, "sender", u'@') && id(message, "to_user_id", u'@'), "to-device ids");
    fuzz::must(parsed->batch.events.size() <= kMaxTransactionEvents, "too many events");
}

void rest(const std::uint8_t *bytes, std::size_t size)
{
    QByteArray text = raw(bytes, size);
    if (!text.startsWith('{')) {
        FuzzedDataProvider data(bytes, size);
        QJsonObject object = fuzz::content(data);
        const auto put = [&](const char *key, const QJsonValue &good) {
            const int how = data.ConsumeIntegralInRange(0, 5);
            if (how > 0)
                object.insert(QLatin1String(key), how == 1 ? fuzz::any(data) : good);
        };
        for (const char *key : {"initiator_sdp", "answer_sdp", "sdp"})
            put(key, fuzz::sdp(data));
        put("call_type", QStringLiteral("direct"));
        put("type", fuzz::word(data, {QStringLiteral("offer"), QStringLiteral("answer")}));
        put("state", fuzz::word(data, {QStringLiteral("connected"), QStringLiteral("failed")}));
        put("media", QJsonObject{{QStringLiteral("audio"), fuzz::any(data)}});
        put("idempotency_key", fuzz::text(data, 300));
        put("streams", QJsonObject{{fuzz::text(data, 20), QJsonObject{{QStringLiteral("purpose"), fuzz::any(data)}}}});
        put("capabilities", QJsonObject{{QStringLiteral("dtmf"), fuzz::any(data)}});
        put("target_user", QStringLiteral("@c:t"));
        put("target_call", QStringLiteral("h1"));
        put("audio_muted", data.ConsumeBool());
        put("identity",
            data.ConsumeBool() ? QJsonValue() : QJsonValue(QJsonObject{{QStringLiteral("id"), fuzz::any(data)}}));
        text = QJsonDocument(object).toJson(QJsonDocument::Compact);
    }
    const auto body = readBody(text);
    if (!body)
        return;
    const auto within = [](const QString &sdp) { return sdp.toUtf8().size() <= kMaxSdp; };
    if (const auto place = readFullPlace(*body))
        fuzz::must(within(place->sdp) && !place->sdp.isEmpty(), "place");
    if (const auto accept = readTransferAccept(*body))
        fuzz::must(within(accept->sdp), "transfer-accept");
    if (const auto answer = readAnswer(*body))
        fuzz::must(within(answer->sdp) && !answer->sdp.isEmpty(), "answer");
    if (const auto description = readDescription(*body))
        fuzz::must(within(description->sdp) && !description->sdp.isEmpty(), "description");
    if (const auto candidates = readCandidates(*body)) {
        fuzz::must(candidates->size() <= kMaxCandidates, "candidates");
        for (const auto &candidate : *candidates)
            fuzz::must(candidate.candidate.size() <= kMaxCandidate, "candidate");
    }
    if (const auto mute = readMuteChange(*body))
        fuzz::must(mute->audio || mute->video, "a change that changes nothing");
    for (const char *field : {"reason", "matrix_user", "room_id", "idempotency_key"}) {
        if (const auto word = readText(*body, QLatin1String(field), false))
            fuzz::must(word->size() <= kMaxShortText, "text");
        else
            fuzz::must(toReply(word.error()).status == 400, "status");
    }
    static_cast<void>(readMedia(*body));
    static_cast<void>(readMediaState(*body));
    static_cast<void>(readTransferTarget(*body));
    static_cast<void>(readIdentity(*body));
}

void target(const std::uint8_t *bytes, std::size_t size)
{
    const QByteArray text = raw(bytes, size);
    Request request;
    if (!parseTarget(text, &request))
        return;
    fuzz::must(text.startsWith('/') && !request.path.isEmpty(), "path");
    for (const QString &part : request.path)
        fuzz::must(!part.contains(QChar(u'\0')), "NUL in a path");
    for (const auto &[key, value] : request.query)
        fuzz::must(!key.contains(QChar(u'\0')) && !value.contains(QChar(u'\0')), "NUL in a query");
    fuzz::must(!request.rawPath.contains('?'), "a query that would be logged");
    request.headers.insert("authorization", text.mid(1));
    const QByteArray token = bearerToken(request);
    fuzz::must(token.isEmpty() || text.contains(token), "a token out of nothing");
    fuzz::must(carriesToken(request), "a token overlooked");
    static_cast<void>(request.queryValue(QStringLiteral("last_event_id")));
}

void config(const std::uint8_t *bytes, std::size_t size)
{
    // The first line, where it begins with "BRIDGE_", is a variable of the environment.
    QByteArray yaml = raw(bytes, size);
    Environment environment;
    if (yaml.startsWith("BRIDGE_")) {
        const qsizetype end = yaml.indexOf('\n');
        const QByteArray line = yaml.left(end);
        const qsizetype equals = line.indexOf('=');
        if (equals > 0)
            environment.insert(QString::fromUtf8(line.left(equals)), QString::fromUtf8(line.mid(equals + 1)));
        yaml = end < 0 ? QByteArray() : yaml.mid(end + 1);
    }
    const auto parsed = parseConfig(yaml, QStringLiteral("c.yaml"), environment);
    if (!parsed) {
        fuzz::must(!parsed.error().isEmpty(), "a refusal without a problem");
        for (const ConfigProblem &problem : parsed.error())
            fuzz::must(!problem.message.isEmpty() && problem.line >= 0, "a problem without words");
        return;
    }
    fuzz::must(!parsed->serverName.isEmpty() && parsed->homeserverUrl.isValid(), "homeserver");
    fuzz::must(!parsed->database.dsn.isEmpty(), "database");
    for (const UserEntry &user : parsed->users)
        fuzz::must(!user.user.id.isEmpty() && !user.token.isEmpty(), "user");
    QStringList unmatched;
    for (auto it = parsed->plugins.begin(); it != parsed->plugins.end(); ++it)
        static_cast<void>(pluginSettings(*parsed, it.key(), {QStringLiteral("mode")}, &unmatched));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size)
{
    static const QString type = qEnvironmentVariable("VOIP_FUZZ_TYPE");
    if (type == QLatin1String("transaction"))
        transaction(bytes, size);
    else if (type == QLatin1String("rest"))
        rest(bytes, size);
    else if (type == QLatin1String("target"))
        target(bytes, size);
    else if (type == QLatin1String("config"))
        config(bytes, size);
    else
        std::abort();
    return 0;
}
