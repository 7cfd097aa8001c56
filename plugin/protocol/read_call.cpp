// SPDX-License-Identifier: Apache-2.0
#include "protocol/read_call.h"

#include "protocol/sdp.h"
#include "protocol/streams.h"

#include <QHash>
#include <QJsonArray>

#include <algorithm>
#include <cmath>

namespace voip::protocol
{

using namespace voip::call;

namespace
{

constexpr int maxCandidatesPerEvent = 128;
constexpr int maxCandidateLength = 2048;
constexpr int maxMatrixId = 255;
constexpr int maxClaim = 1024; // a name or an address that somebody claims
constexpr Millis usualLifetime = 60LL * 1000;

using Word = const char *; // why an event is unusable; null: it is fine

QString text(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1String(key)).toString();
}

// R3, R4: the number 0 (and the word "0") is v0, everything else is v1.
int versionOf(const QJsonValue &value)
{
    const bool zero = (value.isDouble() && value.toDouble() == 0.0) || value.toString() == QLatin1String("0");
    return zero ? 0 : 1;
}

Word readCallHead(const QJsonObject &content, CallHead &head)
{
    head.callId = text(content, "call_id");
    if (!isOpaqueId(head.callId))
        return "bad_id"; // R5, R6
    head.version = versionOf(content.value(QLatin1String("version")));
    if (head.version == 0)
        return nullptr; // R11: a v0 event has no party id, whatever it says
    const QJsonValue party = content.value(QLatin1String("party_id"));
    if (party.isUndefined() || party.isNull())
        return nullptr; // R48
    head.partyId = party.toString();
    return isOpaqueId(head.partyId) ? nullptr : "bad_id";
}

Word readSdp(const QJsonObject &content, const char *key, QString &sdp)
{
    const QJsonValue description = content.value(QLatin1String(key));
    const QJsonValue value = description.toObject().value(QLatin1String("sdp")); // R32: `type` is passed over
    if (!value.isString())
        return "bad_field";
    sdp = value.toString();
    if (sdp.size() > maxSdp)
        return "too_large";
    return looksLikeSdp(sdp) ? nullptr : "bad_field";
}

Capabilities capabilitiesIn(const QJsonObject &content) // R93: what is not said is not there
{
    const QJsonObject said = content.value(QLatin1String("capabilities")).toObject();
    return {said.value(QLatin1String("m.call.transferee")).toBool(false),
            said.value(QLatin1String("m.call.dtmf")).toBool(false)};
}

// An optional number of milliseconds; one that is no such number is no reason to lose the event.
std::optional<Millis> lifetimeIn(const QJsonObject &content)
{
    const double value = content.value(QLatin1String("lifetime")).toDouble(0);
    if (!(value > 0))
        return std::nullopt;
    return static_cast<Millis>(std::ceil(std::min(value, static_cast<double>(longestLifetime))));
}

Word readIdentity(const QJsonObject &said, Identity &identity)
{
    identity = {text(said, "id"), text(said, "display_name"), text(said, "avatar_url")};
    const bool fits = identity.id.size() <= maxMatrixId && identity.displayName.size() <= maxClaim &&
                      identity.avatarUrl.size() <= maxClaim;
    return fits ? nullptr : "too_large";
}

Word read(const QJsonObject &content, InviteEvent &event)
{
    if (Word why = readSdp(content, "offer", event.sdp))
        return why;
    const QJsonValue lifetime = content.value(QLatin1String("lifetime"));
    if (!lifetime.isDouble() || !(lifetime.toDouble() > 0))
        return "bad_field";
    event.lifetime = *lifetimeIn(content);
    const QJsonValue invitee = content.value(QLatin1String("invitee"));
    if (invitee.isString())
        event.invitee = invitee.toString();
    else if (!invitee.isUndefined() && !invitee.isNull())
        return "bad_field";
    event.media = mediaOf(event.sdp);
    event.streams = theirStreams(event.sdp, content);
    event.can = capabilitiesIn(content);
    return nullptr;
}

Word read(const QJsonObject &content, AnswerEvent &event)
{
    if (Word why = readSdp(content, "answer", event.sdp))
        return why;
    event.streams = theirStreams(event.sdp, content);
    event.can = capabilitiesIn(content);
    return nullptr;
}

Word read(const QJsonObject &content, CandidatesEvent &event)
{
    const QJsonValue list = content.value(QLatin1String("candidates"));
    if (!list.isArray())
        return "bad_field";
    const QJsonArray candidates = list.toArray();
    if (candidates.size() > maxCandidatesPerEvent)
        return "too_large";
    for (const auto entry : candidates) {
        const QJsonObject object = entry.toObject();
        const QJsonValue line = object.value(QLatin1String("candidate"));
        if (!line.isString())
            continue; // the others are still good
        Candidate candidate;
        candidate.candidate = line.toString();
        if (candidate.candidate.size() > maxCandidateLength)
            continue;
        if (const QJsonValue mid = object.value(QLatin1String("sdpMid")); mid.isString() && mid.toString().size() <= 64)
            candidate.sdpMid = mid.toString();
        if (const double index = object.value(QLatin1String("sdpMLineIndex")).toDouble(-1);
            index >= 0 && index < 1024 && index == std::floor(index))
            candidate.sdpMLineIndex = static_cast<int>(index);
        // R49: one of the two is enough, and the end of candidates needs neither.
        if (!candidate.candidate.isEmpty() && !candidate.sdpMid && !candidate.sdpMLineIndex)
            continue;
        event.candidates.push_back(candidate);
    }
    return event.candidates.isEmpty() ? "bad_field" : nullptr;
}

Word read(const QJsonObject &content, HangupEvent &event)
{
    event.reason = endReasonFromMatrix(text(content, "reason"));
    return nullptr;
}

Word read(const QJsonObject &, RejectEvent &)
{
    return nullptr;
}

Word read(const QJsonObject &content, SelectAnswerEvent &event)
{
    event.selectedPartyId = text(content, "selected_party_id");
    if (!event.selectedPartyId.isEmpty() && !isOpaqueId(event.selectedPartyId))
        event.selectedPartyId = QStringLiteral("~"); // somebody else, whoever: no key, only compared (R6, R38)
    return nullptr;
}

Word read(const QJsonObject &content, NegotiateEvent &event)
{
    if (Word why = readSdp(content, "description", event.sdp))
        return why;
    const QString type = text(content.value(QLatin1String("description")).toObject(), "type");
    if (type != QLatin1String("offer") && type != QLatin1String("answer"))
        return "bad_field";
    event.type = type == QLatin1String("offer") ? SdpType::Offer : SdpType::Answer;
    event.lifetime = lifetimeIn(content).value_or(usualLifetime);
    event.media = activeMediaOf(event.sdp);
    if (content.value(QLatin1String("capabilities")).isObject())
        event.can = capabilitiesIn(content);
    event.streams = theirStreams(event.sdp, content);
    event.held = event.type == SdpType::Offer ? offerHolds(event.sdp) : answerHolds(event.sdp);
    return nullptr;
}

Word read(const QJsonObject &content, StreamsEvent &event)
{
    event.listed = listedStreams(content);
    return event.listed.isEmpty() ? "bad_field" : nullptr;
}

Word read(const QJsonObject &content, IdentityEvent &event)
{
    const QJsonValue said = content.value(QLatin1String("asserted_identity"));
    if (said.isNull())
        return nullptr; // back to the peer himself
    if (!said.isObject())
        return "bad_field";
    event.identity.emplace();
    return readIdentity(said.toObject(), *event.identity);
}

Word read(const QJsonObject &content, ReplacesEvent &event)
{
    event.replacementId = text(content, "replacement_id");
    const QString create = text(content, "create_call");
    const QString await = text(content, "await_call");
    if (create.isEmpty() == await.isEmpty())
        return "bad_field"; // R100: exactly one of the two
    event.create = await.isEmpty();
    event.newCallId = event.create ? create : await;
    if (!isOpaqueId(event.replacementId) || !isOpaqueId(event.newCallId))
        return "bad_id";
    event.lifetime = lifetimeIn(content);
    if (Word why = readIdentity(content.value(QLatin1String("target_user")).toObject(), event.target))
        return why;
    const bool user = event.target.id.startsWith(u'@') && event.target.id.contains(u':');
    return user ? nullptr : "bad_field";
}

Word read(const QJsonObject &content, RejectReplacementEvent &event)
{
    event.replacementId = text(content, "replacement_id");
    return isOpaqueId(event.replacementId) ? nullptr : "bad_id";
}

Word read(const QJsonObject &content, RejectLocallyEvent &event)
{
    event.reason = localReasonFromText(text(content, "reason"));
    return nullptr;
}

MatrixEvent unusable(const EventHead &head, Word why)
{
    return UnusableEvent{head, QString::fromLatin1(why)};
}

template <typename Event>
MatrixEvent readCall(const QJsonObject &content, const EventHead &head)
{
    if (content.isEmpty())
        return unusable(head, "redacted"); // R13
    Event event;
    static_cast<EventHead &>(event) = head;
    if (Word why = readCallHead(content, event))
        return unusable(head, why);
    if (Word why = read(content, event))
        return unusable(head, why);
    return event;
}

using CallReader = MatrixEvent (*)(const QJsonObject &, const EventHead &);

const QHash<QString, CallReader> &callReaders()
{
    static const QHash<QString, CallReader> readers{
        {QStringLiteral("m.call.invite"), readCall<InviteEvent>},
        {QStringLiteral("m.call.answer"), readCall<AnswerEvent>},
        {QStringLiteral("m.call.candidates"), readCall<CandidatesEvent>},
        {QStringLiteral("m.call.hangup"), readCall<HangupEvent>},
        {QStringLiteral("m.call.reject"), readCall<RejectEvent>},
        {QStringLiteral("m.call.select_answer"), readCall<SelectAnswerEvent>},
        {QStringLiteral("m.call.negotiate"), readCall<NegotiateEvent>},
        {QStringLiteral("m.call.sdp_stream_metadata_changed"), readCall<StreamsEvent>},
        {QStringLiteral("org.matrix.call.sdp_stream_metadata_changed"), readCall<StreamsEvent>}, // R90
        {QStringLiteral("m.call.asserted_identity"), readCall<IdentityEvent>},
        {QStringLiteral("org.matrix.call.asserted_identity"), readCall<IdentityEvent>}, // R105
        {QStringLiteral("m.call.replaces"), readCall<ReplacesEvent>},
        {QStringLiteral("m.call.reject_replacement"), readCall<RejectReplacementEvent>},
        {QStringLiteral("m.call.reject_locally"), readCall<RejectLocallyEvent>},
        {QStringLiteral("org.matrix.msc4220.call.reject_locally"), readCall<RejectLocallyEvent>}, // R106
    };
    return readers;
}

} // namespace

std::optional<MatrixEvent> readCallEvent(const QString &type, const QJsonObject &content, const EventHead &head)
{
    const auto reader = callReaders().constFind(type);
    return reader == callReaders().constEnd() ? std::nullopt : std::optional((*reader)(content, head));
}

} // namespace voip::protocol
