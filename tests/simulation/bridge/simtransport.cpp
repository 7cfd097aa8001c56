// SPDX-License-Identifier: Apache-2.0
#include "simtransport.h"

#include <QJsonDocument>
#include <QPointer>

namespace bridgesim
{

using voip::homeserver::Failure;
using voip::homeserver::FailureKind;
using voip::homeserver::HttpAnswer;
using voip::homeserver::Method;

namespace
{

constexpr qint64 holdFor = 8000; // as long as the bridge asks the homeserver to hold the line
constexpr qint64 tenMinutes = 600'000;

Failure failure(FailureKind kind, bool maybeDone, const char *message)
{
    Failure failure{kind};
    failure.maybeDone = maybeDone;
    failure.message = QLatin1String(message);
    return failure;
}

// rooms/{room}/send/{type}/{transaction id}
QList<QByteArray> sendPath(const QByteArray &url)
{
    const qsizetype at = url.indexOf("/rooms/");
    if (at < 0 || !url.contains("/send/"))
        return {};
    const qsizetype query = url.indexOf('?');
    QList<QByteArray> parts = url.mid(at + 7, query < 0 ? -1 : query - at - 7).split('/');
    parts.push_back(url.mid(url.indexOf("user_id=") + 8).split('&').first());
    for (QByteArray &part : parts)
        part = QByteArray::fromPercentEncoding(part);
    return parts;
}

} // namespace

SimTransport::SimTransport(TimeLoop &loop, Homeserver &server, Judge &judge, Weather &weather,
                           std::shared_ptr<Life> life, Chance chance, Defect defect)
    : m_loop(loop), m_server(server), m_judge(judge), m_weather(weather), m_life(std::move(life)), m_chance(chance),
      m_defect(defect)
{
}

void SimTransport::exchange(Lane /*lane*/, Method method, const QUrl &url, const QByteArray & /*bearer*/,
                            const QByteArray &body, std::chrono::milliseconds timeLimit,
                            std::function<void(Answer)> done)
{
    Request request{method, url.toEncoded(), body, timeLimit.count(), std::move(done)};
    tamper(request);
    switch (m_life->dead ? Fate::Unseen : m_life->await("homeserver")) {
    case Fate::Goes:
        break;
    case Fate::Unseen:
        return;
    case Fate::Unheard:
        show(request);
        m_loop.after(m_chance.between(0, 20),
                     [&server = m_server, request] { (void)server.handle(request.method, request.url, request.body); });
        return;
    }
    show(request);
    if (!plant(request))
        go(request);
}

void SimTransport::show(const Request &request)
{
    const QList<QByteArray> path = sendPath(request.url);
    if (path.size() < 5)
        return;
    m_judge.sending(QString::fromUtf8(path.at(4)), QString::fromUtf8(path.at(0)), QString::fromUtf8(path.at(2)),
                    QString::fromUtf8(path.at(3)), QJsonDocument::fromJson(request.body).object());
}

// A bridge that does not keep to what it sealed.
void SimTransport::tamper(Request &request)
{
    if ((m_defect != Defect::SealsAnew && m_defect != Defect::SendsInClear) ||
        !request.url.contains("/send/m.room.encrypted/"))
        return;
    const bool again = m_sealed.contains(request.url);
    m_sealed.insert(request.url);
    if (m_defect == Defect::SendsInClear)
        request.url.replace("/send/m.room.encrypted/", "/send/m.call.hangup/");
    else if (again)
        request.body.replace(R"("ciphertext":"Aw)", R"("ciphertext":"Bw)");
}

// True: the request is dealt with.
bool SimTransport::plant(const Request &request)
{
    const QList<QByteArray> path = m_defect == Defect::None ? QList<QByteArray>() : sendPath(request.url);
    if (path.size() < 5)
        return false;
    if (m_defect == Defect::SendsTwice && ++m_sends % 5 == 0) {
        QByteArray again = request.url;
        (void)m_server.handle(request.method, again.replace(path.at(3), path.at(3) + "again"), request.body);
    }
    if (m_defect == Defect::SwallowsSends && ++m_sends % 5 == 0) {
        answer(5, request.done, HttpAnswer{200, {}, R"({"event_id":"$never"})"});
        return true;
    }
    if (m_defect == Defect::Reorders && path.at(2) == "m.call.candidates" && ++m_sends % 2 == 0) {
        m_loop.after(15'000,
                     [&server = m_server, request] { (void)server.handle(request.method, request.url, request.body); });
        answer(5, request.done, HttpAnswer{200, {}, R"({"event_id":"$soon"})"});
        return true;
    }
    return false;
}

// What a request meets, if it does not get to a homeserver that answers properly.
std::optional<SimTransport::Answer> SimTransport::broken(const Request &request)
{
    if (m_chance.percent(m_weather.of(Fault::HomeserverLimits)))
        return HttpAnswer{429,
                          {},
                          R"({"errcode":"M_LIMIT_EXCEEDED","error":"slow down","retry_after_ms":)" +
                              QByteArray::number(m_chance.between(100, 9000)) + '}'};
    if (!m_chance.percent(m_weather.of(Fault::HomeserverBroken)))
        return {};
    switch (m_chance.below(7)) {
    case 0:
        return HttpAnswer{500, {}, R"({"errcode":"M_UNKNOWN","error":"Internal server error"})"};
    case 1:
        return HttpAnswer{502, {}, "<html><h1>Bad gateway</h1></html>"};
    case 2:
        return HttpAnswer{503, {}, ""};
    case 3:
        return HttpAnswer{200, {}, "<html>Please log in to this network</html>"};
    case 4: // where the right answer is any object, nobody could tell
        if (request.url.contains("/devices/") || request.url.contains("/sendToDevice/") ||
            request.url.contains("/device_signing/"))
            return HttpAnswer{502, {}, ""};
        return HttpAnswer{200, {}, R"({"event_id":7,"room_id":[],"user_id":null,"next_batch":{}})"};
    case 5:
        return HttpAnswer{200, {}, R"({"event_id":"$)"};
    default:
        return HttpAnswer{302, {}, ""};
    }
}

void SimTransport::go(const Request &request)
{
    const auto handle = [this, request] { return m_server.handle(request.method, request.url, request.body); };
    if (m_life->noHomeserver || m_weather.is(Fault::HomeserverAway) || m_weather.is(Fault::HomeserverRestarts)) {
        if (m_life->noHomeserver && m_chance.percent(50)) // packets go nowhere
            return answer(request.limit, request.done, failure(FailureKind::Timeout, true, "no answer"));
        return answer(m_chance.between(1, 5), request.done,
                      failure(FailureKind::Unreachable, false, "connection refused"));
    }
    if (request.url.contains("/sync?") && request.url.contains("since=") && !request.url.contains("timeout=0&")) {
        m_loop.after(holdFor, [this, alive = QPointer(this), request, handle] {
            if (!alive || m_life->dead)
                return;
            const bool gone = m_life->noHomeserver || m_weather.is(Fault::HomeserverAway);
            request.done(gone ? Answer(failure(FailureKind::Unreachable, true, "closed")) : Answer(handle()));
        });
        return;
    }
    if (m_chance.percent(m_weather.of(Fault::RequestsLost)))
        return answer(request.limit, request.done, failure(FailureKind::Timeout, true, "no answer"));
    if (m_chance.percent(m_weather.of(Fault::RequestsLate))) {
        const qint64 late = m_chance.percent(30) ? m_chance.between(60'000, tenMinutes) : m_chance.between(100, 60'000);
        m_loop.after(late,
                     [&server = m_server, request] { (void)server.handle(request.method, request.url, request.body); });
        return answer(request.limit, request.done, failure(FailureKind::Timeout, true, "no answer"));
    }
    qint64 slow = 0;
    if (m_weather.is(Fault::HomeserverSlow))
        slow = m_chance.percent(8) ? m_chance.between(10'000, tenMinutes) : m_chance.between(500, 9500);
    const bool late = m_chance.percent(30); // it begins with it late, or only answers late
    const qint64 there = m_chance.between(1, 10) + (late ? slow : 0);
    if (const auto wrong = broken(request)) {
        // A limit is a limit, and who redirects passes nothing on; of anything else nobody knows what happened behind
        // it.
        const bool done = (*wrong)->status != 429 && (*wrong)->status != 302 && m_chance.percent(50);
        if (done)
            m_loop.after(there, [&server = m_server, request] {
                (void)server.handle(request.method, request.url, request.body);
            });
        return answer(std::min(request.limit, there + m_chance.between(1, 10)), request.done, *wrong);
    }
    const bool lost = m_chance.percent(m_weather.of(Fault::AnswersLost));
    const qint64 back = m_chance.between(1, 10) + (late ? 0 : slow);
    if (there + back >= request.limit) { // nobody listens any more when it answers
        m_loop.after(there,
                     [&server = m_server, request] { (void)server.handle(request.method, request.url, request.body); });
        return answer(request.limit, request.done, failure(FailureKind::Timeout, true, "no answer"));
    }
    m_loop.after(there, [this, alive = QPointer(this), &server = m_server, request, lost, back, there] {
        const HttpAnswer given = server.handle(request.method, request.url, request.body);
        if (!alive)
            return;
        if (lost && m_chance.percent(50))
            answer(back, request.done, failure(FailureKind::Unreachable, true, "connection reset"));
        else if (lost)
            answer(request.limit - there, request.done, failure(FailureKind::Timeout, true, "no answer"));
        else
            answer(back, request.done, given);
    });
}

void SimTransport::answer(qint64 after, const std::function<void(Answer)> &done, Answer what)
{
    m_loop.after(after, [alive = QPointer(this), life = m_life, done, what = std::move(what)] {
        if (alive && !life->dead)
            done(what);
    });
}

} // namespace bridgesim
