// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share: a check that stops the fuzzer, and values drawn from its bytes.
#pragma once

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <cstdio>
#include <cstdlib>
#include <fuzzer/FuzzedDataProvider.h>

namespace fuzz
{

inline void must(bool holds, const char *what)
{
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

inline QString text(FuzzedDataProvider &data, int most = 40)
{
    const std::string bytes = data.ConsumeRandomLengthString(static_cast<std::size_t>(most));
    return QString::fromUtf8(bytes.data(), static_cast<qsizetype>(bytes.size()));
}

inline QString word(FuzzedDataProvider &data, const QStringList &words)
{
    return data.ConsumeIntegralInRange(0, 9) == 0 ? text(data)
                                                  : words[data.ConsumeIntegralInRange<qsizetype>(0, words.size() - 1)];
}

// Any JSON value; the deeper, the simpler.
inline QJsonValue any(FuzzedDataProvider &data, int depth = 0)
{
    switch (data.ConsumeIntegralInRange(0, depth > 3 ? 4 : 6)) {
    case 0:
        return QJsonValue();
    case 1:
        return data.ConsumeBool();
    case 2:
        return data.ConsumeFloatingPoint<double>();
    case 3:
        return data.ConsumeIntegral<int>();
    case 4:
        return text(data, 300);
    case 5: {
        QJsonArray list;
        for (int i = data.ConsumeIntegralInRange(0, 4); i > 0; --i)
            list.append(any(data, depth + 1));
        return list;
    }
    default: {
        QJsonObject object;
        for (int i = data.ConsumeIntegralInRange(0, 4); i > 0; --i)
            object.insert(text(data, 12), any(data, depth + 1));
        return object;
    }
    }
}

inline QString sdp(FuzzedDataProvider &data)
{
    QString all = QStringLiteral("v=0\r\n");
    for (int i = data.ConsumeIntegralInRange(0, 8); i > 0; --i) {
        all += word(data,
                    {QStringLiteral("m=audio 9 UDP/TLS/RTP/SAVPF 111"), QStringLiteral("m=video 9 X 96"),
                     QStringLiteral("a=msid:s t"), QStringLiteral("a=msid:- t"), QStringLiteral("a=sendonly"),
                     QStringLiteral("a=inactive"), QStringLiteral("a=end-of-candidates"), QStringLiteral("a=mid:0"),
                     QStringLiteral("a=candidate:1 1 udp 1 10.0.0.1 1 typ host"), QStringLiteral("a=ssrc:1 msid:s t")});
        all += data.ConsumeBool() ? QStringLiteral("\r\n") : QStringLiteral("\n");
    }
    return all;
}

// The content of a call event, each field as it should be or anything.
inline QJsonObject content(FuzzedDataProvider &data)
{
    QJsonObject object;
    const auto put = [&](const char *key, const QJsonValue &good) {
        const int how = data.ConsumeIntegralInRange(0, 9);
        if (how > 1)
            object.insert(QLatin1String(key), good);
        else if (how == 1)
            object.insert(QLatin1String(key), any(data));
    };
    const QString users = word(data, {QStringLiteral("@a:t"), QStringLiteral("@b:t"), QStringLiteral("@c:t")});
    const auto description = [&] {
        return QJsonObject{{QStringLiteral("type"), word(data, {QStringLiteral("offer"), QStringLiteral("answer")})},
                           {QStringLiteral("sdp"), sdp(data)}};
    };
    put("call_id", word(data, {QStringLiteral("-c1"), QStringLiteral("~c2"), QStringLiteral("c3")}));
    put("party_id", word(data, {QStringLiteral("ONE"), QStringLiteral("TWO")}));
    put("version", data.ConsumeBool() ? QJsonValue(QStringLiteral("1")) : QJsonValue(0));
    put("lifetime", data.ConsumeIntegralInRange<qint64>(-1, 1'000'000));
    put("invitee", users);
    put("reason", word(data, {QStringLiteral("user_hangup"), QStringLiteral("user_busy"), QStringLiteral("x")}));
    put("selected_party_id", word(data, {QStringLiteral("ONE"), QStringLiteral("TWO")}));
    put("offer", description());
    put("answer", description());
    put("description", description());
    put("replacement_id", QStringLiteral("r1"));
    put(data.ConsumeBool() ? "create_call" : "await_call", QStringLiteral("-n1"));
    put("target_user", QJsonObject{{QStringLiteral("id"), users}, {QStringLiteral("display_name"), any(data)}});
    put("asserted_identity", QJsonObject{{QStringLiteral("display_name"), any(data)}});
    put("capabilities", QJsonObject{{QStringLiteral("m.call.transferee"), data.ConsumeBool()}});
    put("sdp_stream_metadata",
        QJsonObject{{QStringLiteral("s"), QJsonObject{{QStringLiteral("purpose"), QStringLiteral("m.usermedia")},
                                                      {QStringLiteral("audio_muted"), any(data)}}}});
    QJsonArray candidates;
    for (int i = data.ConsumeIntegralInRange(0, 4); i > 0; --i) {
        QJsonObject candidate{{QStringLiteral("candidate"),
                               word(data, {QStringLiteral("candidate:1 1 udp 1 10.0.0.1 1 typ host"), QString()})}};
        if (data.ConsumeBool())
            candidate.insert(QStringLiteral("sdpMid"), any(data));
        if (data.ConsumeBool())
            candidate.insert(QStringLiteral("sdpMLineIndex"), any(data));
        candidates.append(candidate);
    }
    put("candidates", candidates);
    return object;
}

} // namespace fuzz
