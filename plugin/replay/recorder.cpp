// SPDX-License-Identifier: Apache-2.0
#include "replay/recorder.h"

#include "protocol/write.h"
#include "replay/output.h"

#include <QJsonArray>
#include <QJsonDocument>

#include <algorithm>

namespace voip::replay
{

using namespace voip::call;

namespace
{

constexpr qsizetype maxBytes = 32 * 1024 * 1024; // of all; those that are over make room for live ones
constexpr qsizetype maxBytesOfOne = 256 * 1024;
constexpr int maxLinesOfOne = 500;
constexpr int maxOver = 10'000;

QByteArray compact(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

QString word(Membership membership)
{
    switch (membership) {
    case Membership::Join:
        return QStringLiteral("join");
    case Membership::Invite:
        return QStringLiteral("invite");
    case Membership::Knock:
        return QStringLiteral("knock");
    case Membership::Leave:
        return QStringLiteral("leave");
    case Membership::Ban:
        return QStringLiteral("ban");
    }
    return {};
}

QString word(JoinRule rule)
{
    switch (rule) {
    case JoinRule::Invite:
        return QStringLiteral("invite");
    case JoinRule::Public:
        return QStringLiteral("public");
    case JoinRule::Other:
        return QStringLiteral("other");
    }
    return {};
}

QString word(MediaReport report)
{
    switch (report) {
    case MediaReport::Connected:
        return QStringLiteral("connected");
    case MediaReport::Disconnected:
        return QStringLiteral("disconnected");
    case MediaReport::Failed:
        return QStringLiteral("failed");
    }
    return {};
}

QJsonObject toJson(const QMap<QString, Membership> &members)
{
    QJsonObject object;
    for (auto it = members.constBegin(); it != members.constEnd(); ++it)
        object.insert(it.key(), word(it.value()));
    return object;
}

QByteArray headerLine(const Line &line, const QString &roomId)
{
    const Settings &settings = line.settings;
    QJsonObject header{{QStringLiteral("replay"), 1},
                       {QStringLiteral("seed"), 1},
                       {QStringLiteral("local_user"), line.self},
                       {QStringLiteral("next_ref"), static_cast<double>(line.nextRef)},
                       {QStringLiteral("settings"),
                        QJsonObject{{QStringLiteral("accepting"), settings.accepting},
                                    {QStringLiteral("invite_lifetime"), static_cast<double>(settings.inviteLifetime)},
                                    {QStringLiteral("connect_timeout"), static_cast<double>(settings.connectTimeout)},
                                    {QStringLiteral("longest_call"), static_cast<double>(settings.longestCall)}}}};
    if (const auto room = line.rooms.constFind(roomId); room != line.rooms.constEnd()) {
        header.insert(QStringLiteral("room"), QJsonObject{{QStringLiteral("room_id"), room->id},
                                                          {QStringLiteral("conversation_id"), room->conversationId},
                                                          {QStringLiteral("members"), toJson(room->members)},
                                                          {QStringLiteral("join_rule"), word(room->joinRule)},
                                                          {QStringLiteral("encrypted"), room->encrypted}});
    }
    return compact(header);
}

void host(QJsonObject &line, const char *action, const QString &callId)
{
    line.insert(QLatin1String("in"), QLatin1String("host"));
    line.insert(QLatin1String("do"), QLatin1String(action));
    line.insert(QLatin1String("call"), callId);
}

// The fields of an input's line besides its time and entropy.
struct InputWriter {
    const Recorded &recorded;
    QJsonObject &line;

    void kind(const char *in) const { line.insert(QLatin1String("in"), QLatin1String(in)); }
    void operator()(const MatrixBatch &) const
    {
        kind("matrix");
        QJsonArray events;
        for (const QJsonObject &event : recorded.events)
            events.append(event);
        line.insert(QLatin1String("events"), events);
        line.insert(QLatin1String("received_at"), static_cast<double>(recorded.receivedAt));
    }
    void operator()(const RoomSnapshot &snapshot) const
    {
        kind("snapshot");
        line.insert(QLatin1String("room_id"), snapshot.roomId);
        line.insert(QLatin1String("members"), toJson(snapshot.members));
        line.insert(QLatin1String("join_rule"), word(snapshot.joinRule));
        line.insert(QLatin1String("encrypted"), snapshot.encrypted);
    }
    void operator()(const Place &place) const
    {
        host(line, "place", place.callId);
        line.insert(QLatin1String("room_id"), place.roomId);
        line.insert(QLatin1String("sdp"), place.sdp);
        line.insert(QLatin1String("media"), QJsonObject{{QStringLiteral("audio"), place.media.audio},
                                                        {QStringLiteral("video"), place.media.video}});
    }
    void operator()(const Answer &answer) const
    {
        host(line, "answer", answer.callId);
        line.insert(QLatin1String("sdp"), answer.sdp);
    }
    void operator()(const AddCandidates &added) const
    {
        host(line, "candidates", added.callId);
        line.insert(QLatin1String("candidates"), protocol::toJson(added.candidates));
    }
    void operator()(const ReportMedia &report) const
    {
        host(line, "media-state", report.callId);
        line.insert(QLatin1String("state"), word(report.report));
    }
    void operator()(const Reject &reject) const { host(line, "reject", reject.callId); }
    void operator()(const End &end) const
    {
        host(line, "end", end.callId);
        line.insert(QLatin1String("reason"), toString(end.reason));
    }
    void operator()(const Sent &sent) const
    {
        kind("sent");
        line.insert(QLatin1String("ref"), QLatin1Char('o') + QString::number(sent.ref));
        line.insert(QLatin1String("call"), sent.callId);
        line.insert(QLatin1String("event_id"), sent.eventId);
    }
    void operator()(const SendFailed &failed) const
    {
        kind("send_failed");
        line.insert(QLatin1String("ref"), QLatin1Char('o') + QString::number(failed.ref));
        line.insert(QLatin1String("call"), failed.callId);
        line.insert(QLatin1String("code"), failed.code);
        line.insert(QLatin1String("transient"), failed.transient);
    }
    void operator()(const Tick &) const { kind("clock"); }
    void operator()(const Restart &) const { kind("restart"); }
};

QByteArray inputLine(const Recorded &recorded)
{
    QJsonObject line{{QStringLiteral("t"), static_cast<double>(recorded.now.at)}};
    QString entropy;
    for (const auto word : recorded.now.entropy)
        entropy += QStringLiteral("%1").arg(static_cast<qulonglong>(word), 16, 16, QLatin1Char('0'));
    line.insert(QLatin1String("entropy"), entropy);
    std::visit(InputWriter{recorded, line}, recorded.input);
    return compact(line);
}

// Whose effect it is; empty: it belongs to all calls that the step touched.
QString callOf(const Effect &effect)
{
    return std::visit(
        [](const auto &what) -> QString {
            if constexpr (requires { what.callId; })
                return what.callId;
            else
                return {};
        },
        effect);
}

QJsonValue withoutSdp(const QJsonValue &value)
{
    if (value.isArray()) {
        QJsonArray list;
        for (const QJsonValue &entry : value.toArray())
            list.append(withoutSdp(entry));
        return list;
    }
    if (!value.isObject())
        return value;
    QJsonObject object = value.toObject();
    for (auto it = object.begin(); it != object.end(); ++it) {
        const bool sdp = it.key() == QLatin1String("sdp") || it.key().endsWith(QLatin1String("_sdp"));
        if (sdp && it.value().isString()) // still an SDP, so that the timeline replays
            it.value() = QStringLiteral("v=0\r\ns=cut out, %1 characters\r\n").arg(it.value().toString().size());
        else
            it.value() = withoutSdp(it.value());
    }
    return object;
}

} // namespace

void Recorder::record(const Recorded &recorded)
{
    if (recorded.step.changedCalls.isEmpty())
        return;
    const QByteArray input = inputLine(recorded);
    for (const QString &id : recorded.step.changedCalls) {
        const Key key{recorded.step.line.self, id};
        const auto now = recorded.step.line.calls.constFind(id);
        if (now == recorded.step.line.calls.constEnd()) {
            forget(key);
            continue;
        }
        Timeline &timeline = m_timelines[key];
        if (timeline.lines.isEmpty())
            add(timeline, headerLine(recorded.before, now->roomId));
        add(timeline, input);
        for (const Effect &effect : recorded.step.effects) {
            const QString whose = callOf(effect);
            const QByteArray text = toLine(effect, recorded.now.at, {}, id);
            if (!text.isEmpty() && (whose.isEmpty() || whose == id))
                add(timeline, text);
        }
        if (now->state == State::Ended && !std::exchange(timeline.over, true))
            m_over.enqueue(key);
    }
    makeRoom();
}

void Recorder::add(Timeline &timeline, const QByteArray &text)
{
    const bool full = m_bytes + text.size() > maxBytes && m_over.isEmpty();
    timeline.cut =
        timeline.cut || full || timeline.bytes + text.size() > maxBytesOfOne || timeline.lines.size() >= maxLinesOfOne;
    if (timeline.cut)
        return;
    timeline.lines.push_back(text);
    timeline.bytes += text.size();
    m_bytes += text.size();
}

// The line has no more to say of it. One that was a call stays until others need its place; one that never became a
// call is of no interest.
void Recorder::forget(const Key &key)
{
    const auto found = m_timelines.find(key);
    if (found == m_timelines.end() || found->over)
        return;
    m_bytes -= found->bytes;
    m_timelines.erase(found);
}

void Recorder::makeRoom()
{
    while (m_bytes > maxBytes && !m_over.isEmpty())
        m_bytes -= m_timelines.take(m_over.dequeue()).bytes;
    while (m_over.size() > maxOver)
        m_bytes -= m_timelines.take(m_over.dequeue()).bytes;
}

QByteArray Recorder::timeline(const QString &lane, const QString &callId, bool withSdp) const
{
    QByteArray out;
    const auto found = m_timelines.constFind({lane, callId});
    if (found == m_timelines.constEnd())
        return out;
    for (const QByteArray &text : found->lines) {
        out += withSdp ? text : compact(withoutSdp(QJsonDocument::fromJson(text).object()).toObject());
        out += '\n';
    }
    return out;
}

} // namespace voip::replay
