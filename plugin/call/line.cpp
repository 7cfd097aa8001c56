// SPDX-License-Identifier: Apache-2.0
#include "call/line.h"

#include <algorithm>

namespace voip::call
{

QString toString(State state)
{
    switch (state) {
    case State::Early:
        return QStringLiteral("early");
    case State::Ringing:
        return QStringLiteral("ringing");
    case State::Inviting:
        return QStringLiteral("inviting");
    case State::Connecting:
        return QStringLiteral("connecting");
    case State::Connected:
        return QStringLiteral("connected");
    case State::Ended:
        return QStringLiteral("ended");
    }
    return {};
}

bool Room::has(const QString &user) const
{
    const auto found = members.constFind(user);
    return found != members.constEnd() && (*found == Membership::Join || *found == Membership::Invite);
}

bool Room::joined(const QString &user) const
{
    return members.value(user, Membership::Leave) == Membership::Join;
}

QString Room::peerOf(const QString &user) const
{
    if (crowded)
        return {};
    QString peer;
    for (auto it = members.constBegin(); it != members.constEnd(); ++it) {
        if (it.key() == user || !has(it.key()))
            continue;
        if (!peer.isEmpty())
            return {};
        peer = it.key();
    }
    return peer;
}

const Call *Line::find(const QString &roomId, const QString &matrixId, const QString &sender) const
{
    const Call *told = nullptr;
    for (const Call &call : calls) {
        if (call.matrixId != matrixId || call.roomId != roomId)
            continue;
        if (!call.hearsay())
            return &call;
        if (call.peer == self || (call.peer == sender && !told))
            told = &call;
    }
    return told;
}

Millis dueOf(const Call &call)
{
    Millis due = call.live() ? call.deadline : call.forgetAt;
    const Millis transfer = call.transfer ? call.transfer->until : 0;
    for (const Millis other :
         {call.gatherUntil, call.flushAt, call.foldUntil, call.negotiation.until, transfer, call.resumeBy}) {
        if (other > 0 && other < due)
            due = other;
    }
    return due;
}

std::optional<Millis> Line::nextDue() const
{
    std::optional<Millis> next;
    for (const Call &call : calls) {
        const Millis due = dueOf(call);
        if (!next || due < *next)
            next = due;
    }
    return next;
}

} // namespace voip::call
