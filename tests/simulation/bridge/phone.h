// SPDX-License-Identifier: Apache-2.0
// A user of the host's call service: hears notices as a client of the event stream does (from the last id on, then as
// they come), answers, rejects, lets ring, places calls with an idempotency key, and says every request again until it
// is answered or he loses patience. Complains about a notice that is missing, doubled or out of order.
#pragma once

#include "worker.h"

namespace bridgesim
{

class Phone
{
public:
    // `worker`: any that serves now; null: none does.
    Phone(Ground ground, int number, const Plan &plan, Chance chance, std::function<voip::Pipeline *()> worker);

    void place(const Story &story);
    void reconnect(); // the stream broke, or a worker is there again
    void hear(const voiphost::CallNotice &notice);
    [[nodiscard]] QString leftOver() const;
    [[nodiscard]] bool streams() const { return m_stream == Stream::Live; }
    void checkHeard() const; // all that there is

private:
    enum class State { Ringing, Placed, Talking, Over };
    struct Call {
        State state = State::Placed;
        int story = -1;
        qint64 seq = 0;
        bool reacted = false;
    };
    struct Errand { // something said until it is heard
        std::function<void(voip::Pipeline &, voip::effects::Switchboard::CallReply)> ask;
        std::function<void(const voiphost::Expected<voiphost::FullPlaced> &)> done;
        qint64 until = 0;
        int attempt = 0;
    };
    void take(const voiphost::CallNotice &notice);
    void read();
    void react(const QString &callId, const QString &sdp);
    void talk(const QString &callId);
    void act(const QString &callId, const voip::call::Input &input);
    void actLater(qint64 after, const QString &callId, const voip::call::Input &input, State only);
    void candidates(const QString &callId, qint64 after);
    void run(const std::shared_ptr<Errand> &errand);
    void openAndPlace(const Story &story, qint64 until, int attempt);
    void placeIn(const Story &story, const QString &conversation, qint64 until);
    [[nodiscard]] Chance draws(int story, quint64 what) const;
    [[nodiscard]] qint64 pace(qint64 ms) const;

    Ground m_ground;
    const Plan &m_plan;
    const QString m_user;
    const QString m_lane;
    Chance m_chance;
    std::function<voip::Pipeline *()> m_worker;
    enum class Stream { Broken, Reading, Live };
    Stream m_stream = Stream::Broken;
    quint64 m_round = 0;
    QVector<voiphost::CallNotice> m_meanwhile;
    qint64 m_lastId = 0;
    std::map<QString, Call> m_calls; // by the host's call id
};

} // namespace bridgesim
