// SPDX-License-Identifier: Apache-2.0
#include "replay/hostinput.h"

#include "protocol/sdp.h"
#include "protocol/streams.h"

namespace voip::replay
{

using namespace voip::call;

namespace
{

constexpr int maxCandidates = 256;

QVector<Candidate> readCandidates(Fields &fields)
{
    QVector<Candidate> candidates;
    const QJsonArray list = fields.list("candidates");
    if (list.size() > maxCandidates)
        fields.fail("candidates", "are too many");
    for (const QJsonValue &value : list) {
        const QJsonObject object = value.toObject();
        const QJsonValue line = object.value(QLatin1String("candidate"));
        if (!line.isString())
            fields.fail("candidates", "must hold objects with a string \"candidate\"");
        Candidate candidate;
        candidate.candidate = line.toString();
        if (const QJsonValue mid = object.value(QLatin1String("sdpMid")); mid.isString())
            candidate.sdpMid = mid.toString();
        if (const QJsonValue index = object.value(QLatin1String("sdpMLineIndex")); index.isDouble())
            candidate.sdpMLineIndex = index.toInt();
        candidates.push_back(candidate);
    }
    return candidates;
}

// The field's name in the call service's request, or plain "sdp".
QString readSdp(Fields &fields, const char *name)
{
    return fields.longText(fields.has(name) ? name : "sdp");
}

Capabilities readCapabilities(Fields &fields)
{
    if (!fields.has("capabilities"))
        return {};
    Fields said(fields.object("capabilities"));
    const Capabilities can{said.flag("transferee", false), said.flag("dtmf", false)};
    if (said.fault())
        fields.fail(QStringLiteral("capabilities.") + said.fault()->field, said.fault()->what);
    return can;
}

Streams readStreams(Fields &fields, const QString &sdp)
{
    return protocol::ourStreams(sdp, fields.has("streams") ? fields.object("streams") : QJsonObject());
}

std::optional<Place> readPlace(Fields &fields, const Header &header, const QString &callId)
{
    Place place;
    place.callId = callId;
    place.roomId = fields.text("room_id", header.homeRoom);
    place.sdp = readSdp(fields, "initiator_sdp");
    if (fields.has("media")) {
        Fields kinds(fields.object("media"));
        place.media.audio = kinds.flag("audio", true);
        place.media.video = kinds.flag("video", false);
        if (kinds.fault())
            fields.fail(QStringLiteral("media.") + kinds.fault()->field, kinds.fault()->what);
    }
    place.streams = readStreams(fields, place.sdp);
    place.can = readCapabilities(fields);
    return protocol::looksLikeSdp(place.sdp) ? std::optional(std::move(place)) : std::nullopt;
}

std::optional<Input> readAnswer(Fields &fields, const Entry &entry)
{
    const QString sdp = readSdp(fields, "answer_sdp");
    if (!protocol::looksLikeSdp(sdp))
        return std::nullopt;
    return Answer{entry.callId, sdp, readStreams(fields, sdp), readCapabilities(fields)};
}

std::optional<Input> readNegotiate(Fields &fields, const Entry &entry)
{
    const QString type = fields.text("type");
    if (type != QLatin1String("offer") && type != QLatin1String("answer"))
        fields.fail("type", "must be offer or answer");
    const QString sdp = fields.longText("sdp");
    if (!protocol::looksLikeSdp(sdp))
        return std::nullopt;
    return Negotiate{entry.callId, type == QLatin1String("answer") ? SdpType::Answer : SdpType::Offer, sdp,
                     protocol::activeMediaOf(sdp), readStreams(fields, sdp)};
}

std::optional<bool> readMute(Fields &fields, const char *name)
{
    return fields.has(name) ? std::optional(fields.flag(name, false)) : std::nullopt;
}

std::optional<Input> readAcceptTransfer(Fields &fields, const Header &header, const Entry &entry)
{
    if (!fields.has("sdp") && !fields.has("initiator_sdp")) // an await_call needs nothing to be placed
        return AcceptTransfer{entry.callId, {}};
    auto place = readPlace(fields, header, fields.text("new_call"));
    if (!place)
        return std::nullopt;
    return AcceptTransfer{entry.callId, std::move(*place)};
}

TransferCall readTransfer(Fields &fields, const Entry &entry)
{
    TransferCall transfer{entry.callId, fields.text("target_user", {}), fields.text("target_call", {})};
    if (transfer.targetUser.isEmpty() == transfer.targetCall.isEmpty())
        fields.fail("target_user", "or \"target_call\" is needed, one of the two");
    return transfer;
}

AssertIdentity readIdentity(Fields &fields, const Entry &entry)
{
    AssertIdentity asserted{entry.callId, {}};
    if (fields.all().value(QLatin1String("identity")).isNull())
        return asserted;
    Fields said(fields.object("identity"));
    asserted.identity = Identity{said.text("id", {}), said.text("display_name", {}), said.text("avatar_url", {})};
    if (said.fault())
        fields.fail(QStringLiteral("identity.") + said.fault()->field, said.fault()->what);
    return asserted;
}

Decline declineOf(const QString &reason)
{
    return reason == QLatin1String("user_busy") ? Decline::Busy
           : reason == QLatin1String("ignore")  ? Decline::Ignore
                                                : Decline::Reject;
}

ReportMedia readMediaState(Fields &fields, const Entry &entry)
{
    const QString state = fields.text("state");
    const bool failed = state == QLatin1String("failed");
    const bool lost = state == QLatin1String("disconnected");
    if (!failed && !lost && state != QLatin1String("connected"))
        fields.fail("state", "must be connected, disconnected or failed");
    return {entry.callId, failed ? MediaReport::Failed : lost ? MediaReport::Disconnected : MediaReport::Connected};
}

// Nothing: its SDP is none, which the shell around the core refuses by itself.
std::optional<Input> readAction(Fields &fields, const Header &header, const Entry &entry)
{
    const auto is = [&entry](const char *name) { return entry.action == QLatin1String(name); };
    if (is("place")) {
        auto place = readPlace(fields, header, entry.callId);
        return place ? std::optional<Input>(std::move(*place)) : std::nullopt;
    }
    if (is("answer"))
        return readAnswer(fields, entry);
    if (is("candidates"))
        return AddCandidates{entry.callId, readCandidates(fields)};
    if (is("negotiate"))
        return readNegotiate(fields, entry);
    if (is("media"))
        return SetMute{entry.callId, readMute(fields, "audio_muted"), readMute(fields, "video_muted")};
    if (is("media-state") || is("media_state"))
        return readMediaState(fields, entry);
    if (is("reject"))
        return Reject{entry.callId, declineOf(fields.text("reason", {}))};
    if (is("end"))
        return End{entry.callId, endReasonFromMatrix(fields.text("reason", QStringLiteral("user_hangup")))};
    if (is("transfer"))
        return readTransfer(fields, entry);
    if (is("transfer-accept"))
        return readAcceptTransfer(fields, header, entry);
    if (is("transfer-reject"))
        return RejectTransfer{entry.callId};
    if (is("identity"))
        return readIdentity(fields, entry);
    fields.fail("do", "is no action of the host");
    return std::nullopt;
}

} // namespace

void readHost(Fields &fields, const Header &header, Entry &entry)
{
    entry.action = fields.text("do");
    entry.callId = fields.text("call");
    if (auto input = readAction(fields, header, entry))
        entry.input = std::move(*input);
    else
        entry.input = Unfit{QStringLiteral("invalid_sdp")};
}

} // namespace voip::replay
