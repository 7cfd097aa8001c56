// SPDX-License-Identifier: Apache-2.0
// Long random walks through the core, with what must hold after every step and at the end. The walk is drawn from a
// fixed seed, so a failure comes again; it is shown with its seed and step.
#include "call/transition.h"

#include <QMap>
#include <QSet>
#include <QTest>

#include <random>

using namespace voip::call;

namespace
{

const QString us = QStringLiteral("@us:test");
const QStringList users{QStringLiteral("@bob:test"), QStringLiteral("@eve:test"), us};
const QStringList rooms{QStringLiteral("!a:test"), QStringLiteral("!b:test"), QStringLiteral("!c:test")};
const QString sdp = QStringLiteral("v=0");

class Walker
{
public:
    explicit Walker(unsigned seed) : m_random(seed)
    {
        m_line.self = us;
        for (const QString &id : rooms.first(2)) {
            Room room;
            room.id = id;
            room.members = {{us, Membership::Join}, {users[0], Membership::Join}};
            m_line.rooms.insert(id, room);
        }
    }

    // Empty, or what did not hold.
    QString step()
    {
        m_now += below(10) ? below(3000) : below(200000);
        const Input input = next();
        const Line before = m_line;
        const Now now{m_now, {m_random(), m_random(), m_random(), m_random()}};
        Step step = transition(m_line, input, now);
        m_line = step.line;
        return check(before, input, step);
    }

    // Promise 3: with no further input everything ends and is forgotten.
    QString finish()
    {
        for (int i = 0; i < 100000; ++i) {
            const auto due = m_line.nextDue();
            if (!due)
                return m_line.calls.isEmpty() ? QString() : QStringLiteral("a call without a deadline");
            m_now = std::max(m_now, *due);
            m_line = transition(std::move(m_line), Tick{}, Now{m_now, {}}).line;
        }
        return QStringLiteral("the clock never gets to the end");
    }

    int answers() const { return static_cast<int>(m_answered.size()); }

private:
    int below(int limit) { return static_cast<int>(m_random() % static_cast<unsigned>(limit)); }
    template <typename T>
    T pick(const QList<T> &list)
    {
        return list[below(static_cast<int>(list.size()))];
    }

    QString hostCall()
    {
        if (m_line.calls.isEmpty() || below(8) == 0)
            return QStringLiteral("h%1").arg(below(50));
        return someCall();
    }

    // Mostly one that is live: there are many more that are over.
    QString someCall()
    {
        QList<QString> live;
        for (const Call &call : std::as_const(m_line.calls)) {
            if (call.live())
                live.push_back(call.id);
        }
        return live.isEmpty() || below(4) == 0 ? pick(m_line.calls.keys()) : pick(live);
    }

    template <typename Event>
    Event event()
    {
        Event event;
        event.eventId = QStringLiteral("$%1").arg(++m_events);
        event.roomId = pick(rooms);
        event.sender = users[below(6) ? 0 : below(3)];
        event.receivedAt = m_now - below(50);
        event.age = below(5) ? below(2000) : below(100000);
        event.callId = QStringLiteral("m%1").arg(below(200)); // of one that is over, nothing rings any more
        if (!m_line.calls.isEmpty() && below(3)) {
            const Call call = m_line.calls.value(someCall());
            event.callId = call.matrixId;
            event.roomId = call.roomId;
        }
        event.version = below(6) ? 1 : 0;
        event.partyId = event.version ? QStringLiteral("P%1").arg(below(3)) : QString();
        return event;
    }

    MatrixEvent matrixEvent()
    {
        switch (below(9)) {
        case 0:
        case 1: {
            auto invite = event<InviteEvent>();
            invite.sdp = sdp;
            invite.lifetime = 60000;
            return invite;
        }
        case 2: {
            auto answer = event<AnswerEvent>();
            answer.sdp = sdp;
            return answer;
        }
        case 3:
        case 4: {
            auto candidates = event<CandidatesEvent>();
            candidates.candidates = {Candidate{QStringLiteral("candidate:1"), QStringLiteral("0"), 0}};
            return candidates;
        }
        case 5:
            return event<HangupEvent>();
        case 6:
            return event<RejectEvent>();
        case 7: {
            auto select = event<SelectAnswerEvent>();
            select.selectedPartyId = QStringLiteral("P1");
            return select;
        }
        default: {
            MemberEvent member;
            member.roomId = pick(rooms);
            member.sender = users[0];
            member.user = pick(users);
            member.membership = below(4) ? Membership::Join : Membership::Leave;
            return member;
        }
        }
    }

    Input next()
    {
        switch (below(16)) {
        case 0:
        case 1:
            return Place{QStringLiteral("h%1").arg(++m_placed), pick(rooms), sdp, {}};
        case 2:
            return Answer{hostCall(), sdp};
        case 3:
            return AddCandidates{hostCall(), {Candidate{below(4) ? QStringLiteral("candidate:2") : QString(), {}, 0}}};
        case 4:
            return ReportMedia{hostCall(), static_cast<MediaReport>(below(3))};
        case 5:
            return Reject{hostCall()};
        case 6:
            return End{hostCall(), EndReason::UserHangup};
        case 7:
            return Sent{below(static_cast<int>(m_line.nextRef)), hostCall(), QStringLiteral("$s")};
        case 8:
            return SendFailed{below(static_cast<int>(m_line.nextRef)), hostCall(), QStringLiteral("M_X"), below(3) > 0};
        case 9:
            return Restart{};
        case 10:
            return Tick{};
        case 11:
            return RoomSnapshot{pick(rooms),
                                {{us, Membership::Join}, {users[0], below(5) ? Membership::Join : Membership::Leave}},
                                below(8) ? JoinRule::Invite : JoinRule::Public,
                                false};
        default: {
            MatrixBatch batch;
            for (int i = below(4); i >= 0; --i)
                batch.events.push_back(matrixEvent());
            return batch;
        }
        }
    }

    static bool isHostAction(const Input &input)
    {
        return std::holds_alternative<Place>(input) || std::holds_alternative<Answer>(input) ||
               std::holds_alternative<AddCandidates>(input) || std::holds_alternative<ReportMedia>(input) ||
               std::holds_alternative<Reject>(input) || std::holds_alternative<End>(input);
    }

    QString check(const Line &before, const Input &input, const Step &step)
    {
        int outcomes = 0;
        for (const Effect &effect : step.effects) {
            if (std::holds_alternative<Accepted>(effect) || std::holds_alternative<Refused>(effect))
                ++outcomes;
            if (const auto *send = std::get_if<Send>(&effect)) {
                if (send->ref <= m_lastRef)
                    return QStringLiteral("refs do not grow");
                m_lastRef = send->ref;
                if (!isOpaqueId(send->matrixCallId) || !isOpaqueId(send->partyId))
                    return QStringLiteral("a bad id is sent");
                if (std::holds_alternative<OutAnswer>(send->content)) {
                    const QString key = send->roomId + send->matrixCallId + send->partyId;
                    if (m_answered.contains(key))
                        return QStringLiteral("two answers for one call"); // promise 4
                    m_answered.insert(key);
                }
            }
            if (const auto *notify = std::get_if<Notify>(&effect)) {
                if (notify->seq != m_told.value(notify->callId) + 1)
                    return QStringLiteral("a notice is missing or repeated");
                m_told[notify->callId] = notify->seq;
                if (m_over.contains(notify->callId))
                    return QStringLiteral("told of a call that was over");
                if (std::holds_alternative<NoteEnded>(notify->content) ||
                    std::holds_alternative<NoteRejected>(notify->content))
                    m_over.insert(notify->callId);
            }
        }
        if (outcomes != (isHostAction(input) ? 1 : 0))
            return QStringLiteral("a host action without exactly one outcome");
        return checkLine(before, step);
    }

    QString checkLine(const Line &before, const Step &step)
    {
        QMap<QString, int> live;
        QSet<QString> matrixIds;
        for (const Call &call : step.line.calls) {
            if (dueOf(call) <= m_now)
                return QStringLiteral("a call is overdue: ") + toString(call.state);
            // What strangers say of a call_id is kept apart.
            const QString matrixId = call.roomId + call.matrixId + (call.hearsay() ? call.peer : QString());
            if (matrixIds.contains(matrixId))
                return QStringLiteral("two calls with one call id");
            matrixIds.insert(matrixId);
            if (call.announced && !call.live() && !m_over.contains(call.id))
                return QStringLiteral("ended, and the host does not know");
            if (!(before.calls.value(call.id) == call) && !step.changedCalls.contains(call.id))
                return QStringLiteral("a change that is not committed");
        }
        for (const QString &id : before.calls.keys()) {
            if (!step.line.calls.contains(id) && !step.changedCalls.contains(id))
                return QStringLiteral("a call that is gone and not committed");
        }
        for (const Room &room : step.line.rooms) {
            if (!(before.rooms.value(room.id) == room) && !step.changedRooms.contains(room.id))
                return QStringLiteral("a room that is not committed");
        }
        return {};
    }

    std::mt19937_64 m_random;
    Line m_line;
    Millis m_now = 1000000;
    int m_events = 0;
    int m_placed = 0;
    std::int64_t m_lastRef = 0;
    QSet<QString> m_answered;
    QSet<QString> m_over;
    QMap<QString, std::int64_t> m_told;
};

} // namespace

class Walk : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void walk_data();
    void walk();
};

void Walk::walk_data()
{
    QTest::addColumn<unsigned>("seed");
    for (unsigned seed = 1; seed <= 20; ++seed)
        QTest::addRow("seed %u", seed) << seed;
}

void Walk::walk()
{
    QFETCH(unsigned, seed);
    Walker walker(seed);
    for (int i = 0; i < 1500; ++i) {
        const QString wrong = walker.step();
        QVERIFY2(wrong.isEmpty(), qPrintable(QStringLiteral("step %1: %2").arg(i).arg(wrong)));
    }
    QVERIFY(walker.answers() > 0); // the walk gets somewhere
    const QString wrong = walker.finish();
    QVERIFY2(wrong.isEmpty(), qPrintable(wrong));
}

QTEST_APPLESS_MAIN(Walk)
#include "tst_walk.moc"
