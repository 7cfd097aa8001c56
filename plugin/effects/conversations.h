// SPDX-License-Identifier: Apache-2.0
// Opens conversations for the host: finds the direct room of a bridged user and a Matrix user, or makes one and
// invites. Concurrent requests for the same pair make one room. The room counts when its row is committed.
#pragma once

#include "effects/lane.h"
#include "effects/roomkeeper.h"

#include <voiphost/calls.h>

#include <QObject>
#include <QPointer>

namespace voip::effects
{

class Conversations : public QObject
{
    Q_OBJECT

public:
    using Outcome = voiphost::Expected<voiphost::Conversation>;
    using Reply = std::function<void(Outcome)>;

    // `encrypt`: rooms are made encrypted, where the lane has encryption.
    Conversations(homeserver::Client &client, RoomKeeper &rooms, bool encrypt, QObject *parent = nullptr);

    void open(Lane &lane, const voiphost::ConversationTarget &target, Reply reply);
    [[nodiscard]] static QList<voiphost::Conversation> list(const call::Line &line);
    // What the pipeline hears of rooms.
    void roomChanged(const QString &lane, const call::Room &room);
    void refused(const QString &lane, const QString &roomId, const QString &code);

private:
    struct Waiting { // for the row of a room
        bool created = false;
        qint64 round = 0;
        QVector<Reply> replies;
    };
    using Pair = std::pair<QString, QString>;

    [[nodiscard]] Reply impatient(Reply reply);
    void openRoom(Lane &lane, const QString &roomId, const Reply &reply);
    void openDirect(Lane &lane, const QString &peer, Reply reply);
    void create(const QString &laneId, const QString &peer);
    void settlePeer(const Pair &pair, const Outcome &outcome);
    void expect(const QString &lane, const QString &roomId, bool created, const Reply &reply);

    homeserver::Client &m_client;
    RoomKeeper &m_rooms;
    const bool m_encrypt;
    QHash<Pair, QVector<Reply>> m_opening; // (lane, peer): the room is being made
    QHash<Pair, Waiting> m_waiting;        // (lane, room)
    QHash<QString, QPointer<Lane>> m_lanes;
    qint64 m_rounds = 0;
};

} // namespace voip::effects
