// SPDX-License-Identifier: Apache-2.0
// The core behind voip-replay: bytes that begin with "{" are a timeline as a file, any others are drawn into inputs of
// all kinds. However it goes, in the end no call is live and nothing is due.
#include "fuzz.h"
#include "replay/engine.h"

using namespace voip::replay;

namespace
{

QByteArray compact(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

QJsonObject hostLine(FuzzedDataProvider &data, QStringList &calls)
{
    const QString what = fuzz::word(
        data, {QStringLiteral("place"), QStringLiteral("answer"), QStringLiteral("candidates"),
               QStringLiteral("media-state"), QStringLiteral("reject"), QStringLiteral("end"),
               QStringLiteral("negotiate"), QStringLiteral("media"), QStringLiteral("transfer"),
               QStringLiteral("transfer-accept"), QStringLiteral("transfer-reject"), QStringLiteral("identity")});
    QJsonObject line = fuzz::content(data);
    line.insert(QStringLiteral("in"), QStringLiteral("host"));
    line.insert(QStringLiteral("do"), what);
    line.insert(QStringLiteral("call"), calls[data.ConsumeIntegralInRange<qsizetype>(0, calls.size() - 1)]);
    line.insert(QStringLiteral("sdp"), fuzz::sdp(data));
    line.insert(QStringLiteral("type"), data.ConsumeBool() ? QStringLiteral("offer") : QStringLiteral("answer"));
    line.insert(QStringLiteral("state"), data.ConsumeBool() ? QStringLiteral("connected") : QStringLiteral("failed"));
    line.insert(QStringLiteral("audio_muted"), data.ConsumeBool());
    line.insert(data.ConsumeBool() ? QStringLiteral("target_user") : QStringLiteral("target_call"),
                QStringLiteral("@c:t"));
    line.insert(QStringLiteral("new_call"), QStringLiteral("h9"));
    line.insert(QStringLiteral("identity"), fuzz::any(data));
    return line;
}

QJsonObject event(FuzzedDataProvider &data, const QStringList &callIds)
{
    static const QStringList types{QStringLiteral("m.call.invite"),
                                   QStringLiteral("m.call.answer"),
                                   QStringLiteral("m.call.candidates"),
                                   QStringLiteral("m.call.hangup"),
                                   QStringLiteral("m.call.reject"),
                                   QStringLiteral("m.call.select_answer"),
                                   QStringLiteral("m.call.negotiate"),
                                   QStringLiteral("m.call.replaces"),
                                   QStringLiteral("m.call.reject_replacement"),
                                   QStringLiteral("m.room.member"),
                                   QStringLiteral("m.call.asserted_identity"),
                                   QStringLiteral("m.call.reject_locally"),
                                   QStringLiteral("m.call.sdp_stream_metadata_changed")};
    QJsonObject content = fuzz::content(data);
    if (data.ConsumeBool())
        content.insert(QStringLiteral("call_id"),
                       callIds[data.ConsumeIntegralInRange<qsizetype>(0, callIds.size() - 1)]);
    content.insert(QStringLiteral("membership"), data.ConsumeBool() ? QStringLiteral("join") : QStringLiteral("leave"));
    const QStringList users{QStringLiteral("@b:t"), QStringLiteral("@b:t"), QStringLiteral("@a:t"),
                            QStringLiteral("@e:t")};
    QJsonObject object{
        {QStringLiteral("type"), fuzz::word(data, types)},
        {QStringLiteral("event_id"), QStringLiteral("$%1").arg(data.ConsumeIntegral<std::uint16_t>())},
        {QStringLiteral("sender"), fuzz::word(data, users)},
        {QStringLiteral("room_id"), QStringLiteral("!r:t")},
        {QStringLiteral("unsigned"), QJsonObject{{QStringLiteral("age"), data.ConsumeIntegral<std::uint16_t>()}}},
        {QStringLiteral("content"), content}};
    if (data.ConsumeIntegralInRange(0, 7) == 0)
        object.insert(QStringLiteral("state_key"), fuzz::word(data, users));
    return object;
}

class Session
{
public:
    // False: the line could not be read, and the engine is of no further use.
    bool take(const QByteArray &line)
    {
        const auto result = m_engine.take(line);
        if (!std::holds_alternative<Lines>(result))
            return false;
        for (const QByteArray &text : std::get<Lines>(result)) {
            const QJsonObject out = QJsonDocument::fromJson(text).object();
            fuzz::must(!out.isEmpty(), "an output line is an object");
            const auto word = [](const QJsonObject &object, const char *key) {
                return object.value(QLatin1String(key)).toString();
            };
            if (word(out, "signal") == QLatin1String("call.initiated"))
                calls += word(out, "call");
            const QString callId = word(out.value(QLatin1String("content")).toObject(), "call_id");
            if (word(out, "type") == QLatin1String("m.call.invite"))
                callIds += callId;
            if (word(out, "out") == QLatin1String("matrix"))
                ++sends;
        }
        return true;
    }

    void finish(double t)
    {
        QJsonObject line{{QStringLiteral("t"), t}, {QStringLiteral("in"), QStringLiteral("clock")}};
        if (!take(compact(line)))
            return; // a time that no line can have
        fuzz::must(!m_engine.line().nextDue(), "something is due in the end");
        for (const auto &call : m_engine.line().calls)
            fuzz::must(!call.live(), "a call is live in the end");
    }

    QStringList calls{QStringLiteral("h1"), QStringLiteral("h2")};
    QStringList callIds{QStringLiteral("-c1"), QStringLiteral("~c2")};
    int sends = 0;

private:
    Engine m_engine;
};

void raw(const QByteArray &bytes)
{
    Session session;
    double t = 0;
    for (const QByteArray &line : bytes.split('\n')) {
        t = std::max(t, QJsonDocument::fromJson(line).object().value(QLatin1String("t")).toDouble());
        if (!session.take(line))
            return;
    }
    constexpr double longest = 2e12; // longer than any setting of a header
    session.finish(t + longest);
}

void drawn(FuzzedDataProvider &data)
{
    Session session;
    const QJsonObject header{
        {QStringLiteral("replay"), 1},
        {QStringLiteral("local_user"), QStringLiteral("@a:t")},
        {QStringLiteral("room"),
         QJsonObject{{QStringLiteral("room_id"), QStringLiteral("!r:t")},
                     {QStringLiteral("members"), QJsonArray{QStringLiteral("@a:t"), QStringLiteral("@b:t")}}}}};
    fuzz::must(session.take(compact(header)), "the header is good");
    double t = 0;
    for (int i = 0; i < 60 && data.remaining_bytes() > 0; ++i) {
        t += data.ConsumeBool() ? data.ConsumeIntegral<std::uint8_t>() : data.ConsumeIntegral<std::uint16_t>() * 4.0;
        QJsonObject line;
        switch (data.ConsumeIntegralInRange(0, 7)) {
        case 0:
        case 1:
        case 2: {
            QJsonArray events;
            for (int n = data.ConsumeIntegralInRange(1, 3); n > 0; --n)
                events.append(event(data, session.callIds));
            line = {{QStringLiteral("in"), QStringLiteral("matrix")}, {QStringLiteral("events"), events}};
            break;
        }
        case 3:
        case 4:
        case 5:
            line = hostLine(data, session.calls);
            break;
        case 6:
            if (session.sends > 0) {
                const QString ref = QStringLiteral("o%1").arg(data.ConsumeIntegralInRange(1, session.sends));
                line = {
                    {QStringLiteral("in"), data.ConsumeBool() ? QStringLiteral("sent") : QStringLiteral("send_failed")},
                    {QStringLiteral("ref"), ref},
                    {QStringLiteral("code"), QStringLiteral("M_X")},
                    {QStringLiteral("transient"), data.ConsumeBool()},
                    {QStringLiteral("event_id"), QStringLiteral("$s")}};
                break;
            }
            [[fallthrough]];
        default:
            line = {{QStringLiteral("in"), data.ConsumeBool() ? QStringLiteral("restart") : QStringLiteral("clock")}};
        }
        line.insert(QStringLiteral("t"), t);
        if (!session.take(compact(line)))
            return;
    }
    session.finish(t + 1e9);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size)
{
    if (size > 0 && bytes[0] == '{') {
        raw(QByteArray(reinterpret_cast<const char *>(bytes), static_cast<qsizetype>(size)));
    } else {
        FuzzedDataProvider data(bytes, size);
        drawn(data);
    }
    return 0;
}
