// SPDX-License-Identifier: Apache-2.0
// The network between one worker and the homeserver: loses, delays, repeats and breaks as the weather says, keeps the
// time limits that the client gives, and shows the judge every event before it leaves.
#pragma once

#include "homeserver.h"
#include "life.h"

#include <memory>

namespace bridgesim
{

class SimTransport : public voip::homeserver::Transport
{
    Q_OBJECT

public:
    SimTransport(TimeLoop &loop, Homeserver &server, Judge &judge, Weather &weather, std::shared_ptr<Life> life,
                 Chance chance, Defect defect);

    void setMaxAnswerBytes(qint64 /*bytes*/) override {}
    void exchange(Lane lane, voip::homeserver::Method method, const QUrl &url, const QByteArray &bearer,
                  const QByteArray &body, std::chrono::milliseconds timeLimit,
                  std::function<void(voip::homeserver::Result<voip::homeserver::HttpAnswer>)> done) override;

private:
    using Method = voip::homeserver::Method;
    using Answer = voip::homeserver::Result<voip::homeserver::HttpAnswer>;
    struct Request {
        Method method;
        QByteArray url;
        QByteArray body;
        qint64 limit;
        std::function<void(Answer)> done;
    };
    void show(const Request &request);
    bool plant(const Request &request);
    void tamper(Request &request);
    void go(const Request &request);
    void answer(qint64 after, const std::function<void(Answer)> &done, Answer what);
    [[nodiscard]] std::optional<Answer> broken(const Request &request);

    TimeLoop &m_loop;
    Homeserver &m_server;
    Judge &m_judge;
    Weather &m_weather;
    std::shared_ptr<Life> m_life;
    Chance m_chance;
    const Defect m_defect;
    int m_sends = 0;
    QSet<QByteArray> m_sealed; // addresses of what was sent sealed
};

} // namespace bridgesim
