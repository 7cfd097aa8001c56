// SPDX-License-Identifier: Apache-2.0
// What must hold of any timeline, told from its lines alone: sees each input with what came of it, and complains. Knows
// nothing of the core's state. Here: who rings, what ends, what may be sent at all. The other parts are told of every
// line as well.
#pragma once

#include "watcher_candidates.h"
#include "watcher_talk.h"

namespace simulation
{

class Watcher
{
public:
    explicit Watcher(const QJsonObject &header);
    Q_DISABLE_COPY_MOVE(Watcher)
    [[nodiscard]] Complaint see(const QJsonObject &input, const QVector<QJsonObject> &outs);
    // After the clock was run far ahead.
    [[nodiscard]] Complaint finish() const;
    [[nodiscard]] int answers() const { return m_answers; }
    [[nodiscard]] int rings() const { return m_rings; }
    [[nodiscard]] const TalkWatcher &talk() const { return m_talk; }
    [[nodiscard]] const CandidateWatcher &candidates() const { return m_candidates; }

private:
    struct Invite { // theirs
        QString sender;
        QString invitee; // empty: everybody
        double bestBefore = 0;
        bool v0 = false;
    };

    [[nodiscard]] Complaint input(const QJsonObject &line, bool refused);
    void event(const QJsonObject &event, double receivedAt);
    Complaint output(const QJsonObject &out);
    Complaint sent(const QJsonObject &out);
    Complaint told(const QJsonObject &out);
    void tie(const QString &call, const QString &key);
    void over(const QString &key, const QJsonObject &out);
    [[nodiscard]] Complaint mayRing(const QJsonObject &out, bool again) const;

    Book m_book;
    double m_leastTimeToRing;
    QHash<QString, QVector<Invite>> m_invites; // by room and call id
    QSet<QString> m_publicRooms;
    QSet<QString> m_answered;          // by us
    QSet<QString> m_echoed;            // invites of ours that were seen in the room
    QHash<QString, double> m_over;     // nothing is sent of these any more; since when
    QHash<QString, QString> m_inviter; // room and call id -> who sent the last invite
    QHash<QString, QString> m_peerOf;  // room and call id -> who rang with it last
    QHash<QString, double> m_endedAt;  // room, call id and peer
    QHash<QString, double> m_seq;
    QSet<QString> m_live;             // host calls that the host knows of and that did not end
    QSet<QString> m_ended;            // host calls
    QSet<QString> m_unsentInvites;    // references
    QHash<QString, QString> m_placed; // "o=" line of the offer -> host call
    double m_lastRef = 0;
    int m_rings = 0;
    int m_answers = 0;
    TalkWatcher m_talk{m_book};
    CandidateWatcher m_candidates{m_book};
};

} // namespace simulation
