// SPDX-License-Identifier: Apache-2.0
#include "phone.h"

#include "peer.h"

#include <QPointer>

namespace bridgesim
{

using namespace voip;
using voiphost::CallNotice;
using voiphost::Expected;
using voiphost::FullPlaced;
using voiphost::NoticeKind;

namespace
{

constexpr qint64 patience = 60'000; // with the bridge
constexpr qint64 answerTime = 8000; // without an answer the request is made again
constexpr int page = 100;

} // namespace

Phone::Phone(Ground ground, int number, const Plan &plan, Chance chance, std::function<Pipeline *()> worker)
    : m_ground(ground), m_plan(plan), m_user(userId(number)), m_lane(ghostOf(number)), m_chance(chance),
      m_worker(std::move(worker))
{
}

Chance Phone::draws(int story, quint64 what) const
{
    for (const Story &one : m_plan.stories) {
        if (one.number == story)
            return Chance(one.seed).part(what);
    }
    return Chance(what);
}

qint64 Phone::pace(qint64 ms) const
{
    return m_ground.weather.is(Fault::HostSlow) ? ms * 5 + 1000 : ms;
}

// --- hears ---------------------------------------------------------------------------------------------------------

void Phone::reconnect()
{
    m_stream = Stream::Broken;
    m_meanwhile.clear();
    const quint64 round = ++m_round;
    m_ground.loop.after(m_chance.between(5, 800), [this, round] {
        if (round == m_round)
            read();
    });
}

void Phone::read()
{
    Pipeline *bridge = m_worker();
    const quint64 round = ++m_round;
    const auto again = [this, round] {
        m_ground.loop.after(1000, [this, round] {
            if (round == m_round)
                read();
        });
    };
    if (!bridge)
        return again();
    m_stream = Stream::Reading;
    bridge->notices(m_user, m_lastId, page, [this, round, again](const Expected<QList<CallNotice>> &notices) {
        if (round != m_round)
            return;
        if (!notices.ok()) {
            m_stream = Stream::Broken;
            m_meanwhile.clear();
            return again();
        }
        for (const CallNotice &notice : *notices)
            take(notice);
        if (notices->size() == page)
            return read();
        m_stream = Stream::Live;
        for (const CallNotice &notice : std::exchange(m_meanwhile, {}))
            take(notice);
    });
    m_ground.loop.after(answerTime, [this, round] { // the worker may have died
        if (round == m_round && m_stream == Stream::Reading)
            read();
    });
}

void Phone::hear(const CallNotice &notice)
{
    if (m_stream == Stream::Reading)
        m_meanwhile.push_back(notice);
    else if (m_stream == Stream::Live)
        take(notice);
}

void Phone::take(const CallNotice &notice)
{
    if (notice.id <= m_lastId)
        return; // heard before
    m_lastId = notice.id;
    if (notice.kind == NoticeKind::Undecryptable)
        return; // of no call
    const QString &id = notice.callId;
    Call &call = m_calls[id];
    m_ground.trace.note("hears", m_user + u' ' + toString(notice.kind), id, notice.seq);
    // The clock went on by hours: he came back too late.
    while (call.seq + 1 < notice.seq && m_ground.database.wasPruned(id, call.seq + 1))
        ++call.seq;
    if (notice.seq != call.seq + 1) {
        m_ground.judge.complain("heard",
                                QStringLiteral("%1 %2: %3 after %4").arg(m_user, id).arg(notice.seq).arg(call.seq));
    }
    call.seq = notice.seq;
    switch (notice.kind) {
    case NoticeKind::Initiated:
    case NoticeKind::Glare:
        if (notice.kind == NoticeKind::Glare)
            call.reacted = false;
        call.state = State::Ringing;
        react(id, notice.data.value(QLatin1String("sdp")).toString());
        break;
    case NoticeKind::Answered:
        if (call.state == State::Placed)
            talk(id);
        break;
    case NoticeKind::Rejected:
    case NoticeKind::Ended:
        call.state = State::Over;
        break;
    case NoticeKind::Unavailable:
    case NoticeKind::IceCandidate:
    case NoticeKind::Negotiate:
    case NoticeKind::MediaChanged:
    case NoticeKind::NegotiationFailed:
    case NoticeKind::IdentityChanged:
    case NoticeKind::TransferRequested:
    case NoticeKind::TransferFailed:
    case NoticeKind::RejectedLocally:
    case NoticeKind::Undecryptable:
        break;
    }
}

void Phone::checkHeard() const
{
    const auto &notices = m_ground.database.lane(m_lane).notices;
    if (!notices.empty() && notices.rbegin()->first > m_lastId)
        m_ground.judge.complain("not_heard", m_user + u' ' + QString::number(notices.rbegin()->first));
}

// --- does ----------------------------------------------------------------------------------------------------------

void Phone::run(const std::shared_ptr<Errand> &errand)
{
    const int attempt = ++errand->attempt;
    const auto again = [this, errand, attempt](qint64 after) {
        m_ground.loop.after(after, [this, errand, attempt] {
            if (attempt == errand->attempt && m_ground.loop.now() < errand->until)
                run(errand);
        });
    };
    again(answerTime);
    if (Pipeline *bridge = m_worker()) {
        errand->ask(*bridge, [this, errand, attempt, again, life = QPointer(bridge)](const Expected<FullPlaced> &said) {
            // Of a process that died nobody hears.
            if (attempt != errand->attempt || !life || (!said.ok() && said.error().code == QLatin1String("STOPPING")))
                return;
            if (!said.ok() && said.error().kind == voiphost::ErrorKind::Unavailable)
                return again(m_chance.between(300, 2000));
            ++errand->attempt; // nothing is said any more
            if (said.ok())
                m_ground.judge.answered(m_lane, said->call.id);
            if (errand->done)
                errand->done(said);
        });
    }
}

void Phone::act(const QString &callId, const call::Input &input)
{
    auto errand = std::make_shared<Errand>();
    errand->until = m_ground.loop.now() + patience;
    errand->ask = [this, callId, input](Pipeline &bridge, const auto &reply) {
        bridge.act(m_user, callId, input, reply);
    };
    m_ground.trace.note("does", m_user + u' ' + QString::number(input.index()), callId);
    run(errand);
}

void Phone::actLater(qint64 after, const QString &callId, const call::Input &input, State only)
{
    m_ground.loop.after(pace(after), [this, callId, input, only] {
        if (m_calls[callId].state == only)
            act(callId, input);
    });
}

void Phone::candidates(const QString &callId, qint64 after)
{
    const QString line = QStringLiteral("candidate:1 1 UDP 1 10.1.0.%1 9 typ host").arg(m_chance.below(250));
    m_ground.loop.after(pace(after), [this, callId, line] {
        if (m_calls[callId].state != State::Over)
            act(callId, call::AddCandidates{callId, {{line, QStringLiteral("0"), 0}}});
    });
}

// Their call rings.
void Phone::react(const QString &callId, const QString &sdp)
{
    Call &call = m_calls[callId];
    if (std::exchange(call.reacted, true))
        return; // it was signalled again after a restart
    call.story = storyIn(sdp);
    Chance chance = draws(call.story, 20);
    const qint64 when = chance.percent(15) ? chance.between(0, 30) : chance.between(100, 9000);
    const int makes = chance.below(100);
    const call::Answer answer{callId, sdpOf(call.story, "answer"), {}, {}};
    if (makes < 70) {
        if (chance.percent(15)) // before it answers
            candidates(callId, when / 2);
        auto errand = std::make_shared<Errand>();
        errand->ask = [this, callId, answer](Pipeline &bridge, const auto &reply) {
            bridge.act(m_user, callId, answer, reply);
        };
        errand->done = [this, callId](const Expected<FullPlaced> &said) {
            if (said.ok() && m_calls[callId].state == State::Ringing)
                talk(callId);
        };
        m_ground.loop.after(pace(when), [this, callId, errand] {
            if (m_calls[callId].state != State::Ringing)
                return;
            m_ground.trace.note("answers", m_user, callId);
            errand->until = m_ground.loop.now() + patience;
            run(errand);
        });
        if (chance.percent(8)) // twice, and differently
            actLater(when, callId, call::Answer{callId, sdpOf(call.story, "other"), {}, {}}, State::Ringing);
    } else if (makes < 82) {
        actLater(when, callId, call::Reject{callId, makes < 77 ? call::Decline::Reject : call::Decline::Busy},
                 State::Ringing);
    } else if (makes < 88) {
        actLater(when, callId, call::End{callId, call::EndReason::UserHangup}, State::Ringing);
    } // the others let it ring
}

void Phone::talk(const QString &callId)
{
    Call &call = m_calls[callId];
    call.state = State::Talking;
    if (call.story < 0) // it is nobody's any more
        return act(callId, call::End{callId, call::EndReason::UserHangup});
    Chance chance = draws(call.story, 21);
    for (int i = chance.below(3); i > 0; --i)
        candidates(callId, chance.between(5, 2000));
    if (chance.percent(85))
        actLater(chance.between(100, 4000), callId, call::ReportMedia{callId, call::MediaReport::Connected},
                 State::Talking);
    if (chance.percent(10))
        actLater(chance.between(4000, 9000), callId, call::ReportMedia{callId, call::MediaReport::Disconnected},
                 State::Talking);
    if (chance.percent(50))
        actLater(chance.between(200, 40'000), callId, call::End{callId, call::EndReason::UserHangup}, State::Talking);
}

void Phone::place(const Story &story)
{
    m_ground.trace.note("places", m_user, {}, story.number);
    openAndPlace(story, m_ground.loop.now() + patience, 0);
}

void Phone::openAndPlace(const Story &story, qint64 until, int attempt)
{
    if (m_ground.loop.now() > until)
        return;
    auto answered = std::make_shared<bool>(false);
    m_ground.loop.after(answerTime * 3, [this, story, until, attempt, answered] {
        if (!std::exchange(*answered, true))
            openAndPlace(story, until, attempt + 1);
    });
    Pipeline *bridge = m_worker();
    const auto again = [this, story, until, attempt](qint64 after) {
        m_ground.loop.after(after, [this, story, until, attempt] { openAndPlace(story, until, attempt + 1); });
    };
    if (!bridge) {
        *answered = true;
        return again(1000);
    }
    const QString peer = QStringLiteral("@peer%1:%2").arg(story.peer).arg(Homeserver::server);
    bridge->open(m_user, {peer, {}},
                 [this, story, until, answered, again](const Expected<voiphost::Conversation> &conversation) {
                     if (std::exchange(*answered, true))
                         return;
                     if (conversation.ok())
                         placeIn(story, conversation->id, until);
                     else if (conversation.error().kind == voiphost::ErrorKind::Unavailable)
                         again(1500);
                 });
}

void Phone::placeIn(const Story &story, const QString &conversation, qint64 until)
{
    auto errand = std::make_shared<Errand>();
    errand->until = until;
    voiphost::FullPlaceRequest request;
    request.sdp = sdpOf(story.number, "offer");
    request.idempotencyKey = QStringLiteral("key%1").arg(story.number);
    errand->ask = [this, conversation, request](Pipeline &bridge, const auto &reply) {
        bridge.place(m_user, conversation, request, reply);
    };
    errand->done = [this, story](const Expected<FullPlaced> &said) {
        m_ground.trace.note("placed", m_user, said.ok() ? said->call.id : said.error().code, story.number);
        if (!said.ok())
            return;
        const QString id = said->call.id;
        const bool over = said->call.endedAt.has_value();
        Call &call = m_calls[id];
        const bool known = call.story >= 0;
        call.story = story.number;
        if (over)
            call.state = State::Over;
        if (known || call.state == State::Over)
            return;
        Chance chance = draws(story.number, 22);
        for (int i = chance.below(3); i > 0; --i)
            candidates(id, chance.between(5, 2500));
        if (chance.percent(15))
            actLater(chance.percent(40) ? chance.between(0, 100) : chance.between(100, 20'000), id,
                     call::End{id, call::EndReason::UserHangup}, State::Placed);
    };
    run(errand);
}

QString Phone::leftOver() const
{
    QString said;
    for (const auto &[id, call] : m_calls) {
        if (call.state != State::Over && !m_ground.database.wasPruned(id, call.seq + 1))
            said += QStringLiteral("%1 %2 %3; ")
                        .arg(m_user, id,
                             call.state == State::Ringing  ? QStringLiteral("rings")
                             : call.state == State::Placed ? QStringLiteral("waits")
                                                           : QStringLiteral("talks"));
    }
    return said;
}

} // namespace bridgesim
