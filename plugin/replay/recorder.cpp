// SPDX-License-Identifier: Apache-2.0
#include "replay/recorder.h"

#include "replay/inputline.h"
#include "replay/output.h"
#include "replay/redact.h"

#include <QJsonDocument>

#include <algorithm>

namespace voip::replay
{

using namespace voip::call;

namespace
{

constexpr qsizetype maxBytesOfOne = 256 * 1024;
constexpr int maxLinesOfOne = 500;
constexpr int maxOver = 10'000;

QByteArray compact(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
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

void Recorder::remark(const Line &line, const QString &roomId, const QJsonObject &what)
{
    for (const Call &call : line.calls) {
        const auto found = call.roomId == roomId ? m_timelines.find({line.self, call.id}) : m_timelines.end();
        if (found != m_timelines.end() && !found->over)
            add(*found, compact(what));
    }
}

void Recorder::add(Timeline &timeline, const QByteArray &text)
{
    const bool full = m_bytes + text.size() > m_maxBytes && m_over.isEmpty();
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
    while (m_bytes > m_maxBytes && !m_over.isEmpty())
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
        out += withSdp ? text : compact(withoutSdp(QJsonDocument::fromJson(text).object()));
        out += '\n';
    }
    return out;
}

} // namespace voip::replay
