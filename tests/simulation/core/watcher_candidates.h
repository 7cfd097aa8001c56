// SPDX-License-Identifier: Apache-2.0
// The part of the watcher for the host's candidates: each goes out once for each description of ours (R57), none is
// lost (R51..R53, R58), none gives away what the policy hides (R60).
#pragma once

#include "complaint.h"

namespace simulation
{

class CandidateWatcher
{
public:
    explicit CandidateWatcher(const Book &book) : m_book(book) {}
    void input(const QJsonObject &line, bool refused);
    [[nodiscard]] Complaint sent(const QJsonObject &out);
    [[nodiscard]] Complaint told(const QJsonObject &out);
    [[nodiscard]] Complaint after(const QJsonObject &line); // and all that came of it
    [[nodiscard]] int trickled() const { return m_trickled; }
    [[nodiscard]] int folded() const { return m_folded; }
    [[nodiscard]] int slowed() const { return m_slowed; }

private:
    struct Pending {   // taken from the host, and not seen to go out
        QString print; // words up to the port, and section; empty: the end of candidates
        QString words;
        QString section;
        double due = 0; // it must be out after this; 0: nobody knows yet
        bool excused = false;
    };
    struct Call {
        QString described;    // the SDP of its place or answer; empty: it rings
        QString negotiated;   // the one that came later, unless it is void
        QString proposed;     // to be that, once it goes out
        bool placed = true;   // not so until its invite is out: to await a call nothing is placed
        bool gaveWay = false; // it rings in the place of the host's own call
        bool ended = false;   // the end of candidates was said
        bool limited = false; // the homeserver slows them down
        bool endSent = false; // with this description
        bool oldEnd = false;  // that of the description before it goes out with this one
        int waiting = 0;      // taken since something went out; at most as many are unsent
        int taken = 0;        // for this description
        double lastRef = 0;   // of the candidates that went out last
        bool lastDone = true; // their result is known
        QVector<Pending> pending;
        QSet<QString> out;     // prints that went out with this description
        QSet<QString> inLater; // of them: in the description that came later
        QSet<QString> given;   // all that the host ever gave
        [[nodiscard]] const QString &sdp() const { return negotiated.isEmpty() ? described : negotiated; }
    };

    void host(const QJsonObject &line);
    void gather(Call &call, double t) const;
    void take(Call &call, const QJsonObject &candidate, double t) const;
    void result(const QJsonObject &line);
    void excuse(Call &call) const;
    [[nodiscard]] Complaint describe(Call &call, const QJsonObject &out);
    [[nodiscard]] Complaint trickle(Call &call, const QJsonObject &out);
    [[nodiscard]] bool hidden(const QString &words) const;
    [[nodiscard]] double latest(double t) const;
    [[nodiscard]] bool encrypted() const { return m_book.encrypted || m_encrypted; }

    const Book &m_book;
    QHash<QString, Call> m_calls; // by host call
    bool m_encrypted = false;     // some room may be
    int m_trickled = 0;
    int m_folded = 0;
    int m_slowed = 0;
};

} // namespace simulation
