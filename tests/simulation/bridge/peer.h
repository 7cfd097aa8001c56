// SPDX-License-Identifier: Apache-2.0
// A Matrix user with two devices, as far as calls go: places, answers, rejects, lets ring, hangs up, says silly things.
// What it makes of a call follows from the story whose number stands in the SDP. Sends without fail; what it misses is
// the homeserver's or the bridge's doing. In encrypted worlds its devices encrypt. Keeps to the specification where it
// says who rings and for how long.
#pragma once

#include "peerdevices.h"

namespace bridgesim
{

// The number of the story stands in every SDP.
[[nodiscard]] QString sdpOf(int story, const char *role);
[[nodiscard]] int storyIn(const QString &sdp); // -1: none

class Peer
{
public:
    Peer(Ground ground, int number, const Plan &plan, Chance chance);

    void place(const Story &story);
    void see(const RoomEvent &event);       // from the homeserver, in order
    [[nodiscard]] QString leftOver() const; // calls that still ring or go on
    [[nodiscard]] const QString &id() const { return m_id; }
    [[nodiscard]] PeerDevices *devices() const { return m_devices.get(); } // null: it cannot encrypt

private:
    enum class State { Calling, Ringing, Answered, Talking, Over };
    struct Call {
        QString id;
        QString room;
        QString other;
        QString party;  // ours
        QString invite; // event id of theirs
        State state = State::Over;
        int story = -1;
        int version = 1;
        bool rangOut = false; // nobody answered in time: the caller is to say that it is over
    };
    [[nodiscard]] QString makeRoom(const QString &ghost);
    void seeInvite(const RoomEvent &event);
    void answer(const QString &callId, int device);
    void hangUp(const QString &callId, const char *reason);
    void noticeSilence(const QString &callId);
    void hangUpLater(const QString &callId, qint64 after);
    void candidates(const QString &callId);
    void over(Call &call);
    void send(const Call &call, const char *type, QJsonObject content, const QString &party = {});
    void talkNonsense(const QString &room, Chance &chance);
    [[nodiscard]] Chance draws(int story, quint64 what) const;
    [[nodiscard]] Call *find(const QString &callId);

    Ground m_ground;
    const Plan &m_plan;
    const QString m_id;
    Chance m_chance;
    std::unique_ptr<PeerDevices> m_devices;
    std::map<QString, Call> m_calls; // by call_id
    int m_made = 0;
};

} // namespace bridgesim
