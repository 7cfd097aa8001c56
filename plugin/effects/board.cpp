// SPDX-License-Identifier: Apache-2.0
#include "effects/board.h"

#include <QMutexLocker>

namespace voip::effects
{

namespace
{

voiphost::CallStatus statusOf(const call::Call &call)
{
    switch (call.state) {
    case call::State::Early:
    case call::State::Ringing:
    case call::State::Inviting:
        return voiphost::CallStatus::Ringing;
    case call::State::Connecting:
        return voiphost::CallStatus::Connecting;
    case call::State::Connected:
        return voiphost::CallStatus::Connected;
    case call::State::Ended:
        return call::isFailure(call.reason) ? voiphost::CallStatus::Failed : voiphost::CallStatus::Ended;
    }
    return voiphost::CallStatus::Failed;
}

bool isOver(const voiphost::Call &call)
{
    return call.status == voiphost::CallStatus::Ended || call.status == voiphost::CallStatus::Failed;
}

} // namespace

voiphost::FullCall toHost(const call::Call &call, const QString &conversationId)
{
    voiphost::FullCall out;
    out.id = call.id;
    out.conversationId = conversationId;
    out.direction = call.side == call::Side::Ours ? voiphost::Direction::Outgoing : voiphost::Direction::Incoming;
    out.peer = call.peer;
    out.status = statusOf(call);
    out.createdAt = call.createdAt;
    out.answeredAt = call.answeredAt;
    out.endedAt = call.endedAt;
    if (call.state == call::State::Ended)
        out.reason = call::toString(call.reason);
    out.media = {call.media.audio, call.media.video};
    out.roomId = call.roomId;
    out.matrixCallId = call.matrixId;
    out.partyId = call.ourParty;
    out.muted = {call.muted.audio, call.muted.video};
    const call::Mute theirs = call::muteOf(call.remoteStreams);
    out.peerMedia = {theirs.audio, theirs.video, call.heldByPeer};
    out.replaces = call.replaces;
    if (call.identity)
        out.identity = voiphost::Identity{call.identity->id, call.identity->displayName, call.identity->avatarUrl};
    out.peerCapabilities = {call.peerCan.transferee, call.peerCan.dtmf};
    return out;
}

void Board::put(const QString &userId, const voiphost::FullCall &call, bool ours)
{
    const QMutexLocker lock(&m_lock);
    if (isOver(call))
        m_calls.remove(call.id);
    else
        m_calls.insert(call.id, {userId, call});
    if (ours && !isOver(call))
        m_ours.insert(call.id);
    else
        m_ours.remove(call.id);
    m_metrics.set(observe::Gauge::CallsActive, m_ours.size());
}

void Board::forget(const QString &userId)
{
    const QMutexLocker lock(&m_lock);
    m_calls.removeIf([this, &userId](const auto &entry) {
        if (entry.value().first != userId)
            return false;
        m_ours.remove(entry.key());
        return true;
    });
    m_metrics.set(observe::Gauge::CallsActive, m_ours.size());
}

void Board::disown(const QString &userId)
{
    const QMutexLocker lock(&m_lock);
    for (auto it = m_calls.cbegin(); it != m_calls.cend(); ++it) {
        if (it->first == userId)
            m_ours.remove(it.key());
    }
    m_metrics.set(observe::Gauge::CallsActive, m_ours.size());
}

QList<voiphost::FullCall> Board::live(const QString &userId) const
{
    const QMutexLocker lock(&m_lock);
    QList<voiphost::FullCall> calls;
    for (const auto &[user, call] : m_calls) {
        if (user == userId)
            calls.push_back(call);
    }
    return calls;
}

QList<std::pair<QString, voiphost::FullCall>> Board::all() const
{
    const QMutexLocker lock(&m_lock);
    return m_calls.values();
}

qsizetype Board::size() const
{
    const QMutexLocker lock(&m_lock);
    return m_ours.size();
}

} // namespace voip::effects
