// SPDX-License-Identifier: Apache-2.0
// The homeserver of a simulated world: rooms and their events, ghosts, transaction ids, and the queue of transactions
// to the application service (one in flight, repeated until it is answered 200, and now and then overtaken by others
// when it failed, as with Synapse). Answers a request at once and completely; what the network makes of it is the
// transport's business. What is of keys is in keyserver.h.
#pragma once

#include "keyserver.h"
#include "plan.h"
#include "timeloop.h"

namespace bridgesim
{

struct RoomEvent {
    QString id;
    QString roomId;
    QString sender;
    QString type;
    QJsonObject content;
    std::optional<QString> stateKey;
    qint64 at = 0;
    QStringList ghosts; // who were in the room then
};

class Homeserver
{
public:
    Homeserver(TimeLoop &loop, Trace &trace, Judge &judge, Weather &weather, Chance chance, Defect defect);
    [[nodiscard]] KeyServer &keys() { return m_keys; }

    // --- the application service's requests
    [[nodiscard]] voip::homeserver::HttpAnswer handle(voip::homeserver::Method method, const QByteArray &url,
                                                      const QByteArray &body);
    // --- users of its own
    QString post(const QString &sender, const QString &roomId, const QString &type, const QJsonObject &content,
                 const std::optional<QString> &stateKey = {});
    // `old`: it was there before the bridge was, and both are in it.
    QString makeRoom(const QString &maker, const QString &invitee, bool old = false);
    void encrypt(const QString &roomId, const QString &by); // nothing if it is already
    void encryptSomeRoom(quint64 any);
    void encryptOldRooms(Chance chance); // some, since long ago
    [[nodiscard]] bool isEncrypted(const QString &roomId) const;
    [[nodiscard]] QStringList membersOf(const QString &roomId) const; // joined and invited ones
    void registerGhost(const QString &user) { m_ghosts.insert(user); }
    [[nodiscard]] QString roomOf(const QString &one, const QString &other) const; // both are in it; empty: none
    std::function<void(const RoomEvent &event, const QString &user)> onEvent; // for each user of its own who is there

    // --- transactions: `deliver` is given one and a function to be called with what became of it
    using Outcome = std::function<void(bool accepted)>;
    std::function<void(const voiphost::EventBatch &batch, Outcome outcome)> deliver;
    void restart(); // counts its transactions anew
    void push();
    [[nodiscard]] bool pushed() const
    {
        return m_queue.empty() && !m_inFlight && m_late.events.isEmpty() && !m_keys.waits();
    }

    static inline const QString server = QStringLiteral("test");
    static inline const QString ghostPrefix = QStringLiteral("nova_");
    [[nodiscard]] static bool isGhost(const QString &user) { return user.startsWith(QLatin1String("@nova_")); }

private:
    struct Room {
        QMap<QString, QString> members; // -> membership
        QVector<RoomEvent> events;
        bool encrypted = false;
    };
    struct Transaction {
        qint64 id = 0;
        QVector<RoomEvent> events;
    };
    using Answer = voip::homeserver::HttpAnswer;
    static inline const QJsonObject encryption{
        {QStringLiteral("algorithm"), QStringLiteral("m.megolm.v1.aes-sha2")}}; // content of m.room.encryption
    [[nodiscard]] Answer send(const QString &user, const QStringList &path, const QByteArray &body);
    [[nodiscard]] Answer create(const QString &user, const QByteArray &body);
    [[nodiscard]] Answer join(const QString &user, const QString &roomId);
    // --- homeserver_reads.cpp
    [[nodiscard]] Answer state(const QString &roomId) const;
    [[nodiscard]] Answer messages(const QString &roomId) const;
    [[nodiscard]] Answer sync(const QString &user, const QString &device, const QString &since);
    [[nodiscard]] bool isLost(const RoomEvent &event) const; // a planted defect
    [[nodiscard]] QJsonObject shown(const RoomEvent &event) const;
    void attempt();
    void outcome(bool accepted, quint64 round);

    TimeLoop &m_loop;
    Trace &m_trace;
    Judge &m_judge;
    Weather &m_weather;
    Chance m_chance;
    const Defect m_defect;
    KeyServer m_keys;
    std::map<QString, Room> m_rooms;
    QSet<QString> m_ghosts;
    QHash<QString, QString> m_sent; // transaction id -> event id
    std::deque<RoomEvent> m_queue;  // for the application service
    Transaction m_batch;            // in flight, or to be repeated
    Transaction m_late;             // failed, and comes again after others
    bool m_lateDue = false;
    qint64 m_transactions = 0;
    quint64 m_round = 0;
    int m_failed = 0;
    bool m_inFlight = false;
    bool m_waiting = false;
    bool m_silent = false; // nothing is for the application service
    int m_events = 0;
    int m_made = 0;
};

} // namespace bridgesim
