// SPDX-License-Identifier: Apache-2.0
// Single transitions, whole: the effects and what of the line they leave, compared by ==. What calls do from
// beginning to end is in tests/scenarios.
#include "call/transition.h"

#include <QTest>

using namespace voip::call;

namespace
{

const QString us = QStringLiteral("@us:test");
const QString bob = QStringLiteral("@bob:test");
const QString where = QStringLiteral("!r:test");
const QString offer = QStringLiteral("v=0 offer");
const QString theirAnswer = QStringLiteral("v=0 answer");
const std::array<std::uint64_t, 4> seed{1, 2, 3, 4};

Line line()
{
    Line line;
    line.self = us;
    line.settings.gatherFor = 0; // nothing waits for candidates; those that do have scenarios (R50)
    Room room;
    room.id = where;
    room.conversationId = QStringLiteral("conversation");
    room.members = {{us, Membership::Join}, {bob, Membership::Join}};
    line.rooms.insert(where, room);
    return line;
}

template <typename Event>
Event from(const QString &sender, const QString &callId, Millis at)
{
    Event event;
    event.eventId = QStringLiteral("$e");
    event.roomId = where;
    event.sender = sender;
    event.receivedAt = at;
    event.callId = callId;
    event.partyId = QStringLiteral("BOB");
    return event;
}

InviteEvent invite(Millis at)
{
    auto event = from<InviteEvent>(bob, QStringLiteral("c1"), at);
    event.sdp = offer;
    event.lifetime = 60000;
    event.age = 100;
    return event;
}

Place place()
{
    return {QStringLiteral("h1"), where, offer, {}};
}

Step on(const Line &line, const Input &input, Millis at)
{
    return transition(line, input, Now{at, seed});
}

template <typename T>
QVector<T> of(const Step &step)
{
    QVector<T> found;
    for (const Effect &effect : step.effects) {
        if (const auto *match = std::get_if<T>(&effect))
            found.push_back(*match);
    }
    return found;
}

} // namespace

class Transition : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void place_sendsTheInvite();
    void place_sameArgumentsSameResult();
    void invite_ringsAfterTheBatch();
    void answer_goesOutBeforeTheLifetimeEnds();
    void answer_afterTheDeadlineIsRefusedWithoutATick();
    void theirAnswer_isTakenAndSelected();
    void restart_endsWhatRanOutMeanwhile();
    void restart_followsAClockThatWasSetBack();
    void restart_entersRoomsAgain();
    void lateEntry_readsWhatWasSaid();
    void hangup_ofAnUnsentInviteIsWorthALimitedTime();
    void hangup_isSaidAgainWhenTheInviteArrivesAfterIt();
    void candidates_ofAnUnsentInviteAreNotSentLate();
    void candidates_areSplitByLength();
    void candidates_keptAreBounded();
    void sent_ofAnotherRefChangesNothing();
    void endedCall_keepsNoSdp();
    void crowdedRoom_isNotCallable();
    void tick_withNothingDueChangesNothing();
};

void Transition::place_sendsTheInvite()
{
    const Step step = on(line(), ::place(), 1000);

    Entropy ids(seed);
    Call call;
    call.ourParty = QString();
    call.matrixId = QLatin1Char('v') + ids.id(24).mid(1);
    call.ourParty = ids.id(12);
    call.id = QStringLiteral("h1");
    call.roomId = where;
    call.state = State::Inviting;
    call.side = Side::Ours;
    call.peer = bob;
    call.localSdp = offer;
    call.createdAt = 1000;
    call.deadline = 91000;
    call.expiresAt = 91000;
    call.announced = true;
    call.inviteRef = 1;

    const QVector<Effect> effects{
        Send{1, call.id, where, call.matrixId, call.ourParty, 1, OutInvite{offer, 90000, bob}, 91000},
        Accepted{call.id}};
    QVERIFY(step.effects == effects);
    Line expected = line();
    expected.calls.insert(call.id, call);
    expected.nextRef = 2;
    QVERIFY(step.line == expected);
    QCOMPARE(step.changedCalls, QVector<QString>{call.id});
    QCOMPARE(step.changedRooms, QVector<QString>{});
    QCOMPARE(step.line.nextDue(), std::optional<Millis>(91000));
}

void Transition::place_sameArgumentsSameResult()
{
    const Line before = line();
    const Step one = on(before, ::place(), 1000);
    const Step two = on(before, ::place(), 1000);
    QVERIFY(one.effects == two.effects);
    QVERIFY(one.line == two.line);
    QVERIFY(before == line()); // what was given is not touched
}

void Transition::invite_ringsAfterTheBatch()
{
    const Step step = on(line(), MatrixBatch{{::invite(5000)}}, 5000);
    QCOMPARE(step.line.calls.size(), 1);
    const Call &call = step.line.calls.first();
    QVERIFY(call.state == State::Ringing);
    QCOMPARE(call.deadline, 5000 - 100 + 60000);
    QVERIFY(call.opponent == (Party{bob, QStringLiteral("BOB")}));
    QVERIFY(call.id != call.matrixId);
    const QVector<Effect> effects{Notify{call.id, QStringLiteral("conversation"), 1, bob, Media{}, where,
                                         QStringLiteral("c1"), call.ourParty, NoteInitiated{offer}}};
    QVERIFY(step.effects == effects);
}

void Transition::answer_goesOutBeforeTheLifetimeEnds()
{
    const Line ringing = on(line(), MatrixBatch{{::invite(0)}}, 0).line;
    const Call before = ringing.calls.first();
    const Step step = on(ringing, Answer{before.id, theirAnswer}, 2000);
    const QVector<Effect> effects{
        Send{1, before.id, where, QStringLiteral("c1"), before.ourParty, 1, OutAnswer{theirAnswer}, before.deadline},
        Accepted{before.id}};
    QVERIFY(step.effects == effects);
    const Call &after = step.line.calls.first();
    QVERIFY(after.state == State::Connecting);
    QCOMPARE(after.answeredAt, std::optional<Millis>(2000));
    QCOMPARE(after.deadline, 62000);
}

void Transition::answer_afterTheDeadlineIsRefusedWithoutATick()
{
    const Line ringing = on(line(), MatrixBatch{{::invite(0)}}, 0).line;
    const Call before = ringing.calls.first();
    const Step step = on(ringing, Answer{before.id, theirAnswer}, before.deadline);
    QVERIFY(of<Send>(step).isEmpty()); // R30
    QCOMPARE(of<Notify>(step).size(), 1);
    QVERIFY(of<Notify>(step).first().content == NoteContent(NoteEnded{EndReason::InviteTimeout}));
    QVERIFY(of<Refused>(step) == QVector<Refused>({{Refusal::WrongState, before.id, State::Ended}}));
}

void Transition::theirAnswer_isTakenAndSelected()
{
    const Line inviting = on(line(), ::place(), 0).line;
    const Call before = inviting.calls.first();
    auto answer = from<AnswerEvent>(bob, before.matrixId, 3000);
    answer.sdp = theirAnswer;
    const Step step = on(inviting, MatrixBatch{{answer}}, 3000);
    const QVector<Effect> effects{
        Send{2, before.id, where, before.matrixId, before.ourParty, 1, OutSelectAnswer{QStringLiteral("BOB")}, 0},
        Notify{before.id, QStringLiteral("conversation"), 1, bob, Media{}, where, before.matrixId, before.ourParty,
               NoteAnswered{theirAnswer}}};
    QVERIFY(step.effects == effects);
}

void Transition::restart_endsWhatRanOutMeanwhile()
{
    const Line ringing = on(line(), MatrixBatch{{::invite(0)}}, 0).line;
    const Step late = on(ringing, Restart{}, 500000);
    QCOMPARE(of<Notify>(late).size(), 1);
    QVERIFY(of<Notify>(late).first().content == NoteContent(NoteEnded{EndReason::InviteTimeout}));
    QVERIFY(of<Send>(late).isEmpty());

    Line inviting = on(line(), ::place(), 0).line;
    inviting = on(inviting, Sent{1, QStringLiteral("h1"), QStringLiteral("$x")}, 10).line;
    const Step expired = on(inviting, Restart{}, 500000);
    QCOMPARE(of<Send>(expired).size(), 1);
    QVERIFY(of<Send>(expired).first().content == OutContent(OutHangup{EndReason::InviteTimeout})); // R31
    QCOMPARE(of<Send>(expired).first().notAfter, 0);
}

void Transition::restart_followsAClockThatWasSetBack()
{
    constexpr Millis hour = 3'600'000;
    const Line ringing = on(line(), MatrixBatch{{::invite(2 * hour)}}, 2 * hour).line;
    const Call before = ringing.calls.first();
    const Step step = on(ringing, Restart{}, hour);
    const Call after = step.line.calls.first();
    QVERIFY(after.state == State::Ringing);
    QCOMPARE(after.deadline - hour, before.deadline - 2 * hour);
    QCOMPARE(step.changedCalls, QVector<QString>{before.id});
    QCOMPARE(of<Notify>(step).size(), 1); // it is signalled again as ever
    QVERIFY(on(step.line, Tick{}, after.deadline).line.calls.first().state == State::Ended);
    // Once is enough.
    QCOMPARE(on(step.line, Restart{}, hour + 1000).line.calls.first().deadline, after.deadline);
}

void Transition::restart_entersRoomsAgain()
{
    Line half = line();
    half.rooms[where].members.insert(us, Membership::Invite);
    const Step ringing = on(half, MatrixBatch{{::invite(0)}}, 0);
    QVERIFY(of<Notify>(ringing).isEmpty());
    const Step step = on(ringing.line, Restart{}, 1000);
    QVERIFY(step.effects == QVector<Effect>({EnterRoom{where}}));
    // Its time is up before the room is known: nobody is told.
    const Step late = on(ringing.line, Restart{}, 100000);
    QVERIFY(late.effects == QVector<Effect>({EnterRoom{where}}));
}

// R109: what was said in a room that we made before our own entry came was for nobody: it is read there.
void Transition::lateEntry_readsWhatWasSaid()
{
    MemberEvent entry;
    entry.eventId = QStringLiteral("$entry");
    entry.roomId = where;
    entry.sender = us;
    entry.user = us;
    entry.membership = Membership::Join;
    entry.age = 999;
    QVERIFY(on(line(), MatrixBatch{{entry}}, 0).effects.isEmpty());
    entry.age = 1000;
    QVERIFY(on(line(), MatrixBatch{{entry}}, 0).effects == QVector<Effect>({EnterRoom{where}}));
    entry.membership = Membership::Invite;
    QVERIFY(on(line(), MatrixBatch{{entry}}, 0).effects.isEmpty());
}

void Transition::hangup_ofAnUnsentInviteIsWorthALimitedTime()
{
    const Line inviting = on(line(), ::place(), 0).line;
    const Step step = on(inviting, End{QStringLiteral("h1"), EndReason::UserHangup}, 1000);
    QVERIFY(of<Unsend>(step) == QVector<Unsend>({{1, QStringLiteral("h1")}}));
    QCOMPARE(of<Send>(step).size(), 1);
    QCOMPARE(of<Send>(step).first().notAfter, 1000 + longestLifetime);
}

// Its request was given up, and a proxy had kept it.
void Transition::hangup_isSaidAgainWhenTheInviteArrivesAfterIt()
{
    const Line inviting = on(line(), ::place(), 0).line;
    const Call call = inviting.calls.first();
    const End end{call.id, EndReason::UserHangup};
    auto echo = from<InviteEvent>(us, call.matrixId, 5000);
    echo.partyId = call.ourParty;
    const MatrixBatch arrives{{echo}};
    auto hangup = from<HangupEvent>(us, call.matrixId, 4000);
    hangup.partyId = call.ourParty;
    const MatrixBatch hungUp{{hangup}};
    const Line over = on(inviting, end, 1000).line;
    // The hangup stands before it in the room, or is seen behind it.
    const Step late = on(on(over, hungUp, 4000).line, arrives, 5000);
    QCOMPARE(of<Send>(late).size(), 1);
    QVERIFY(of<Send>(late).first().content == OutContent(OutHangup{EndReason::UserHangup}));
    QCOMPARE(of<Send>(late).first().matrixCallId, call.matrixId);
    QVERIFY(of<Send>(on(late.line, arrives, 6000)).isEmpty());
    QVERIFY(of<Send>(on(on(over, arrives, 4000).line, hungUp, 5000)).isEmpty());
    // It was given up without one, since nobody seemed to have heard of it.
    const Line givenUp = on(inviting, SendFailed{1, call.id, QStringLiteral("expired"), false}, 1000).line;
    QVERIFY(givenUp.calls.first().state == State::Ended);
    QCOMPARE(of<Send>(on(givenUp, arrives, 5000)).size(), 1);
    // That it was there before the hangup is known.
    const Line sent = on(inviting, Sent{1, call.id, QStringLiteral("$x")}, 10).line;
    QVERIFY(of<Send>(on(on(sent, end, 1000).line, arrives, 5000)).isEmpty());
}

void Transition::candidates_ofAnUnsentInviteAreNotSentLate()
{
    const Line inviting = on(line(), ::place(), 0).line;
    const Candidate end{QString(), {}, {}};
    const Step step = on(inviting, AddCandidates{QStringLiteral("h1"), {end}}, 1000);
    QCOMPARE(of<Send>(step).size(), 1);
    QCOMPARE(of<Send>(step).first().notAfter, 90000);
}

void Transition::candidates_areSplitByLength()
{
    const Line ringing = on(line(), MatrixBatch{{::invite(0)}}, 0).line;
    const QString id = ringing.calls.firstKey();
    const Line connecting = on(ringing, Answer{id, theirAnswer}, 10).line;
    AddCandidates added{id, {}};
    for (int i = 0; i < 30; ++i)
        added.candidates.push_back(
            {QStringLiteral("candidate:%1 ").arg(i) + QString(2000, u'x'), QStringLiteral("0"), 0});
    added.candidates.push_back({QString(), {}, {}});
    const Step step = on(connecting, added, 20);
    qsizetype count = 0;
    for (const Send &send : of<Send>(step)) {
        qsizetype length = 0;
        const auto candidates = std::get<OutCandidates>(send.content).candidates;
        for (const Candidate &candidate : candidates)
            length += candidate.candidate.size();
        QVERIFY(length <= 20000);
        count += candidates.size();
    }
    QCOMPARE(count, 31);
}

void Transition::candidates_keptAreBounded()
{
    Line ringing = on(line(), MatrixBatch{{::invite(0)}}, 0).line;
    const QString id = ringing.calls.firstKey();
    for (int i = 0; i < 1000; ++i) {
        const Candidate candidate{QStringLiteral("candidate:%1").arg(i), QStringLiteral("0"), 0};
        ringing = on(ringing, AddCandidates{id, {candidate}}, 10).line;
    }
    QCOMPARE(ringing.calls.first().unsent.size(), 256);
    ringing = on(ringing, AddCandidates{id, {Candidate{}}}, 10).line;
    QVERIFY(ringing.calls.first().candidatesEnded); // the end is never the one that is left out
}

void Transition::sent_ofAnotherRefChangesNothing()
{
    const Line inviting = on(line(), ::place(), 0).line;
    const Step other = on(inviting, Sent{7, QStringLiteral("h1"), QStringLiteral("$x")}, 10);
    QVERIFY(other.line == inviting);
    QVERIFY(other.changedCalls.isEmpty());
    const Step own = on(inviting, Sent{1, QStringLiteral("h1"), QStringLiteral("$x")}, 10);
    QVERIFY(own.line.calls.first().inviteSent);
    QVERIFY(!own.line.calls.first().inviteRef);
    QVERIFY(own.effects.isEmpty());
}

void Transition::endedCall_keepsNoSdp()
{
    const Line ringing = on(line(), MatrixBatch{{::invite(0)}}, 0).line;
    const QString id = ringing.calls.firstKey();
    const Line connecting = on(ringing, Answer{id, theirAnswer}, 10).line;
    const Call ended = on(connecting, End{id, EndReason::UserHangup}, 20).line.calls.first();
    QVERIFY(ended.state == State::Ended);
    QVERIFY(ended.localSdp.isEmpty() && ended.remoteSdp.isEmpty());
    QVERIFY(ended.waiting.isEmpty() && ended.unsent.isEmpty());
    QCOMPARE(ended.forgetAt, 20 + longestLifetime);
}

void Transition::crowdedRoom_isNotCallable()
{
    RoomSnapshot snapshot{where, {{us, Membership::Join}}, JoinRule::Invite, false};
    for (int i = 0; i < 200; ++i)
        snapshot.members.insert(QStringLiteral("@u%1:test").arg(i), Membership::Join);
    const Step step = on(line(), snapshot, 0);
    QVERIFY(step.line.rooms[where].crowded);
    QCOMPARE(step.line.rooms[where].members.size(), Room::maxMembers);
    QVERIFY(step.line.rooms[where].joined(us));
    QVERIFY(of<Refused>(on(step.line, ::place(), 10)) == QVector<Refused>({{Refusal::NoPeer, {}, State::Ended}}));
}

void Transition::tick_withNothingDueChangesNothing()
{
    const Line inviting = on(line(), ::place(), 0).line;
    const Step step = on(inviting, Tick{}, 89999);
    QVERIFY(step.effects.isEmpty());
    QVERIFY(step.changedCalls.isEmpty());
    QVERIFY(step.line == inviting);
}

QTEST_APPLESS_MAIN(Transition)
#include "tst_transition.moc"
