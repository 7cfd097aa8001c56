// SPDX-License-Identifier: Apache-2.0
// Rooms and who is in them. A room is learnt in two steps: a member event says that the ghost is invited or joined,
// which asks the shell to enter it; the snapshot that comes back says who else is there. Until then the ghost stands
// in the room as invited.
#include "call/turn.h"

#include <algorithm>

namespace voip::call
{

namespace
{

constexpr qsizetype maxRooms = 8192;
constexpr int maxRoomsWithOne = 64; // person, who may invite us again and again
constexpr Millis late = 1000;       // a transaction that others overtook comes again after a second at the earliest

} // namespace

// Nobody makes us keep rooms without end.
bool Turn::mayEnter(const MemberEvent &event) const
{
    if (line().rooms.contains(event.roomId))
        return true;
    const auto shared = std::count_if(line().rooms.cbegin(), line().rooms.cend(),
                                      [&](const Room &room) { return room.has(event.sender); });
    return line().rooms.size() < maxRooms && (event.sender == line().self || shared < maxRoomsWithOne);
}

void Turn::take(const MemberEvent &event)
{
    if (event.user == line().self)
        return selfMembership(event);
    if (!line().rooms.contains(event.roomId))
        return drop(event, "unknown_room");
    Room &where = room(event.roomId);
    switch (event.membership) {
    case Membership::Join:
    case Membership::Invite:
        if (where.members.size() >= Room::maxMembers && !where.members.contains(event.user))
            where.crowded = true;
        else
            where.members.insert(event.user, event.membership);
        return;
    case Membership::Knock:
        return;
    case Membership::Leave:
    case Membership::Ban:
        where.members.remove(event.user);
        return peerIsGone(event.roomId, event.user);
    }
}

void Turn::selfMembership(const MemberEvent &event)
{
    switch (event.membership) {
    case Membership::Join:
    case Membership::Invite: {
        if (!mayEnter(event))
            return drop(event, "too_many_rooms");
        Room &where = room(event.roomId);
        if (where.joined(line().self)) {
            // A new name or picture; or our entry into a room that we made. If that comes late, what was said there may
            // have come before it, when nobody knew whose room it is.
            if (event.membership == Membership::Join && event.age >= late)
                give(EnterRoom{event.roomId});
            return;
        }
        where.members.insert(line().self, Membership::Invite);
        if (event.membership == Membership::Invite && event.sender != line().self)
            where.members.insert(event.sender, Membership::Join);
        return give(EnterRoom{event.roomId});
    }
    case Membership::Knock:
        return;
    case Membership::Leave:
    case Membership::Ban: {
        if (!line().rooms.contains(event.roomId))
            return;
        room(event.roomId).members.remove(line().self);
        for (Call &call : line().calls) {
            if (call.roomId == event.roomId && call.live()) {
                withdrawInvite(call);
                end(call, EndReason::Unavailable);
            }
        }
        return;
    }
    }
}

// Every live call with somebody who left is over (R21); what was not answered yet is, too (R22). Nothing is sent:
// there is nobody to read it.
void Turn::peerIsGone(const QString &roomId, const QString &user)
{
    for (Call &call : line().calls) {
        if (call.roomId != roomId || call.peer != user || !call.live())
            continue;
        withdrawInvite(call);
        end(call, EndReason::PeerLeft);
    }
}

void Turn::take(const JoinRuleEvent &event)
{
    if (!line().rooms.contains(event.roomId))
        return drop(event, "unknown_room");
    room(event.roomId).joinRule = event.rule;
}

void Turn::take(const EncryptionEvent &event)
{
    if (!line().rooms.contains(event.roomId))
        return drop(event, "unknown_room");
    room(event.roomId).encrypted = true;
}

void Turn::on(const RoomSnapshot &snapshot)
{
    Room &where = room(snapshot.roomId);
    where.members.clear();
    where.crowded = false;
    if (const auto self = snapshot.members.constFind(line().self); self != snapshot.members.constEnd())
        where.members.insert(line().self, *self);
    for (auto it = snapshot.members.constBegin(); it != snapshot.members.constEnd(); ++it) {
        if (*it != Membership::Join && *it != Membership::Invite)
            continue;
        if (where.members.size() >= Room::maxMembers) {
            where.crowded = true;
            break;
        }
        where.members.insert(it.key(), *it);
    }
    where.joinRule = snapshot.joinRule;
    where.encrypted = where.encrypted || snapshot.encrypted;
    if (!where.crowded) {
        QVector<QString> gone;
        for (const Call &call : std::as_const(line().calls)) {
            if (call.roomId == where.id && call.live() && !where.has(call.peer))
                gone.push_back(call.peer);
        }
        for (const QString &user : std::as_const(gone))
            peerIsGone(snapshot.roomId, user);
    }
    announceWaitingCalls();
}

} // namespace voip::call
