// SPDX-License-Identifier: Apache-2.0
// The part of the watcher for what goes on around an answer and after it: when our invites and in-call events leave,
// what becomes of the host's offers, which failure and which reason ends a call.
#pragma once

#include "complaint.h"

namespace simulation
{

class TalkWatcher
{
public:
    explicit TalkWatcher(const Book &book) : m_book(book) {}
    [[nodiscard]] Complaint input(const QJsonObject &line, bool refused);
    [[nodiscard]] Complaint sent(const QJsonObject &out);
    [[nodiscard]] Complaint told(const QJsonObject &out, bool rings);
    [[nodiscard]] Complaint after(const QJsonObject &line); // and all that came of it
    [[nodiscard]] int offers() const { return m_offers; }
    [[nodiscard]] int rollbacks() const { return m_rollbacks; }
    [[nodiscard]] int lateInvites() const { return m_lateInvites; }

private:
    void event(const QJsonObject &event);
    [[nodiscard]] Complaint host(const QJsonObject &line);
    [[nodiscard]] Complaint negotiated(const QJsonObject &line);
    [[nodiscard]] Complaint invite(const QJsonObject &out, const QString &key);
    [[nodiscard]] Complaint reason(const QJsonObject &out, const QString &reason, const QString &call) const;

    const Book &m_book;
    QHash<QString, QString> m_invitee;  // room and call id of our invite -> whose answer counts
    QSet<QString> m_answered;           // room and call id: by us or to us
    QHash<QString, double> m_placedAt;  // host call -> when
    double m_restartedAt = -1;          // last
    QHash<QString, double> m_openUntil; // host call whose offer nobody has answered -> when it must be told
    QHash<QString, QString> m_said;     // host call -> its last description, unless it is void
    QSet<QString> m_asked;              // host calls that were told an offer which they have not answered
    QSet<QString> m_flowed;             // host calls whose media was connected
    QSet<QString> m_theirReasons;       // room, call id and reason of the hangups in the line at hand
    QString m_failed;                   // reference of the send that the line at hand says was refused
    double m_failedAt = 0;
    int m_offers = 0;
    int m_rollbacks = 0;
    int m_lateInvites = 0;
};

} // namespace simulation
