// SPDX-License-Identifier: Apache-2.0
// The world around the core, drawn from a seed: Bob with several devices, Eve who is a stranger, another device of our
// user, a homeserver that delays, reorders, repeats and loses, a host that does sensible and silly things, an outbox, a
// clock that creeps and jumps. Plays against the engine as it goes, for its next moves depend on what came out.
#pragma once

#include "checks.h"

#include <random>

namespace simulation
{

// What this build's engine understands: newer inputs are drawn only where it does.
struct Abilities {
    QStringList actions;
    bool newSettings = false;
};
[[nodiscard]] const Abilities &abilities();

class World
{
public:
    explicit World(std::uint64_t seed);
    // Until the end of the sequence or a complaint. The run is not finished.
    Run play();

private:
    struct Call { // of one side or the other, as the world knows it
        QString hostId;
        QString matrixId;
        QString room;
        QString party;    // ours
        QString opponent; // the user and
        QString device;   // party id that talk to us
        bool ours = false;
        bool v0 = false;
        bool answered = false;
        bool over = false;
        bool asked = false; // an offer of theirs waits for the host
    };
    struct Waiting { // an event on its way from the homeserver
        double at = 0;
        QJsonObject event;
    };

    // --- drawing
    int below(int limit) { return static_cast<int>(m_random() % static_cast<unsigned>(limit)); }
    bool chance(int percent) { return below(100) < percent; }
    QString pick(std::initializer_list<const char *> words);
    QString sdp(bool offer);
    QString room();
    Call *call(); // mostly a live one; null: there is none
    QJsonObject candidate(bool ours);
    QJsonObject streams();

    // --- moving
    void open();
    void step();
    void advance();
    void pass(double ms);
    void feed(QJsonObject line);
    void deliver(bool all);
    void see(const QJsonObject &out);
    void post(const QString &type, const QString &sender, const QString &room, const QJsonObject &content);

    // --- Matrix (world_matrix.cpp)
    void remoteInvite();
    void remoteAct();
    void answerOurs(Call &call);
    void remoteTalk(Call &call);
    void nonsense();
    QJsonObject envelope(const Call &call);
    void membership();
    void beforeTheInvite(const Call &call);
    void replyTo(const QJsonObject &negotiate);

    // --- the host (world_host.cpp)
    void hostAct();
    void hostPlace();
    void hostFlow(Call &call);
    void hostMidCall(Call &call);
    void hostBurst(QString hostId);
    QJsonArray candidates();
    void outbox();
    void die();

    std::mt19937_64 m_random;
    bool m_recorded;  // as a running host writes it down: each line with its randomness, timers as lines
    bool m_oneOfEach; // batches have one event of a call at most
    bool m_trickles = true;
    bool m_calm;     // a call is answered soon, and goes on for a while
    bool m_stranger; // Eve speaks of the calls of others a lot
    int m_slow;      // percent of the candidates that the homeserver slows down
    int m_refusing;  // percent of what else is sent that it refuses for good
    int m_length;
    double m_t = 0;
    int m_events = 0;
    int m_sdps = 0;
    int m_placed = 0;
    std::unique_ptr<Run> m_run;
    QVector<Call> m_calls;
    QVector<Waiting> m_waiting;
    struct Unknown { // what was sent, and no result is known
        QString ref;
        QString callId;
        QString type;
    };
    QVector<Unknown> m_refs;
    QVector<QJsonObject> m_results;     // last ones: they may be told twice
    QHash<QString, QString> m_saidLast; // host call -> what the host said in a negotiation
    QVector<QJsonObject> m_echoes;
};

} // namespace simulation
