// SPDX-License-Identifier: Apache-2.0
// How fast the call core is and what a live call weighs. Prints numbers, asserts none of them: build it with
// -DCMAKE_BUILD_TYPE=Release and without sanitizers for numbers that mean something.
// `core_bench [calls]`: that many whole calls of seven inputs each, beside 0, 10 and 100 other live calls of the line.
#include "call/transition.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace voip::call;

namespace
{

const QString us = QStringLiteral("@us:test");
const QString bob = QStringLiteral("@bob:test");
const QString sdp = // about as long, and in as many lines, as what browsers send
    QStringLiteral("v=0\r\n") + QStringLiteral("a=rtcp-fb:111 transport-cc\r\n").repeated(110);

Line lineWith(int rooms)
{
    Line line;
    line.self = us;
    line.settings.gatherFor = 0; // the other side answers at once
    for (int i = 0; i <= rooms; ++i) {
        Room room;
        room.id = QStringLiteral("!%1:test").arg(i);
        room.conversationId = QStringLiteral("c%1").arg(i);
        room.members = {{us, Membership::Join}, {bob, Membership::Join}};
        line.rooms.insert(room.id, room);
    }
    return line;
}

struct Clock {
    Millis at = 0;
    std::uint64_t draw = 1;
    std::int64_t transitions = 0;

    Line feed(Line line, const Input &input)
    {
        ++transitions;
        ++draw;
        return transition(std::move(line), input, Now{++at, {draw, draw ^ 7, draw * 31, ~draw}}).line;
    }
};

template <typename Event>
Event from(const Call &call)
{
    Event event;
    event.eventId = QStringLiteral("$e");
    event.roomId = call.roomId;
    event.sender = bob;
    event.callId = call.matrixId;
    event.partyId = QStringLiteral("BOB");
    return event;
}

// Placed, sent, candidates both ways, answered, connected, ended, forgotten.
Line wholeCall(Line line, Clock &clock, const QString &room, const QString &id)
{
    const Candidate candidate{QStringLiteral("candidate:1 1 udp 1 127.0.0.1 1 typ host"), QStringLiteral("0"), 0};
    line = clock.feed(std::move(line), Place{id, room, sdp, {}});
    line = clock.feed(std::move(line), Sent{line.nextRef - 1, id, QStringLiteral("$s")});
    line = clock.feed(std::move(line), AddCandidates{id, {candidate}});
    const Call call = line.calls.value(id);
    auto candidates = from<CandidatesEvent>(call);
    candidates.candidates = {candidate};
    line = clock.feed(std::move(line), MatrixBatch{{candidates}});
    auto answer = from<AnswerEvent>(call);
    answer.sdp = sdp;
    line = clock.feed(std::move(line), MatrixBatch{{answer}});
    line = clock.feed(std::move(line), ReportMedia{id, MediaReport::Connected});
    line = clock.feed(std::move(line), End{id, EndReason::UserHangup});
    line.calls.remove(id); // its tombstone would fall away ten minutes later
    return line;
}

std::size_t bytesOf(const QString &text)
{
    return static_cast<std::size_t>(text.capacity()) * sizeof(QChar);
}

std::size_t bytesOf(const Call &call)
{
    std::size_t bytes = sizeof(Call) + bytesOf(call.remoteSdp) + bytesOf(call.localSdp);
    for (const QString *text : {&call.id, &call.matrixId, &call.roomId, &call.ourParty, &call.peer})
        bytes += bytesOf(*text);
    bytes += bytesOf(call.negotiation.localSdp);
    for (const Streams *streams : {&call.remoteStreams, &call.localStreams})
        bytes += static_cast<std::size_t>(streams->capacity()) * sizeof(Stream);
    bytes += static_cast<std::size_t>(call.said.capacity()) * sizeof(std::uint64_t);
    for (const PartyCandidates &entry : call.waiting)
        bytes += sizeof(entry) + static_cast<std::size_t>(entry.candidates.capacity()) * sizeof(Candidate);
    return bytes + static_cast<std::size_t>(call.unsent.capacity()) * sizeof(Candidate);
}

} // namespace

int main(int argc, char **argv)
{
    const int calls = argc > 1 ? std::max(1, std::atoi(argv[1])) : 50000;
    for (int others : {0, 10, 100}) {
        Clock clock;
        Line line = lineWith(others);
        for (int i = 1; i <= others; ++i)
            line = clock.feed(std::move(line),
                              Place{QStringLiteral("other%1").arg(i), QStringLiteral("!%1:test").arg(i), sdp, {}});
        for (Call &call : line.calls)
            call.deadline += 1'000'000'000'000; // they stay for the whole measurement
        clock.transitions = 0;
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; ++i)
            line = wholeCall(std::move(line), clock, QStringLiteral("!0:test"), QStringLiteral("h"));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        std::printf("beside %3d live calls: %9.0f transitions/s\n", others,
                    static_cast<double>(clock.transitions) / took.count());
        if (others > 0) {
            std::size_t bytes = 0;
            for (const Call &call : std::as_const(line.calls))
                bytes += bytesOf(call);
            const std::size_t ofSdp = bytesOf(sdp); // one description each: what is placed was not answered
            std::printf("                       %9zu bytes per live call, and %zu of its SDP\n",
                        bytes / static_cast<std::size_t>(line.calls.size()) - ofSdp, ofSdp);
        }
    }
    return 0;
}
