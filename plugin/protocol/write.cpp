// SPDX-License-Identifier: Apache-2.0
#include "protocol/write.h"

#include "protocol/sdp.h"
#include "protocol/streams.h"

namespace voip::protocol
{

using namespace voip::call;

namespace
{

void put(QJsonObject &object, const char *key, const QJsonValue &value)
{
    object.insert(QLatin1String(key), value);
}

QJsonObject description(const char *type, const QString &sdp)
{
    QJsonObject object;
    put(object, "type", QLatin1String(type));
    put(object, "sdp", sdp);
    return object;
}

const char *word(SdpType type)
{
    return type == SdpType::Offer ? "offer" : "answer";
}

void putStreams(QJsonObject &content, const Streams &streams) // R84
{
    if (!streams.isEmpty())
        put(content, "sdp_stream_metadata", metadataOf(streams));
}

void putCapabilities(QJsonObject &content, const Capabilities &can) // R93
{
    put(content, "capabilities",
        QJsonObject{{QStringLiteral("m.call.transferee"), can.transferee}, {QStringLiteral("m.call.dtmf"), can.dtmf}});
}

// What is not claimed is left out.
QJsonObject claims(const Identity &identity)
{
    QJsonObject object;
    for (const auto &[key, value] : {std::pair{"id", &identity.id}, std::pair{"display_name", &identity.displayName},
                                     std::pair{"avatar_url", &identity.avatarUrl}}) {
        if (!value->isEmpty())
            put(object, key, *value);
    }
    return object;
}

// Reasons that only we have become the nearest of the protocol's (R61).
QString matrixReason(EndReason reason)
{
    switch (reason) {
    case EndReason::UserHangup:
    case EndReason::InviteTimeout:
    case EndReason::IceFailed:
    case EndReason::IceTimeout:
    case EndReason::UserMediaFailed:
    case EndReason::UserBusy:
    case EndReason::UnknownError:
        return toString(reason);
    case EndReason::Rejected:
    case EndReason::AnsweredElsewhere:
    case EndReason::Replaced:
    case EndReason::PeerLeft:
    case EndReason::Transferred:
        return toString(EndReason::UserHangup);
    case EndReason::Unavailable:
        return toString(EndReason::UnknownError);
    }
    return {};
}

struct ContentWriter {
    QJsonObject &content;
    bool hidePrivate;

    void putDescription(const char *key, SdpType type, const QString &sdp, const QVector<Candidate> &folded = {}) const
    {
        // What is folded in was judged by the core already.
        const QString shown = hidePrivate ? withoutPrivateAddresses(sdp) : sdp;
        put(content, key, description(word(type), withCandidates(shown, folded)));
    }
    void operator()(const OutInvite &invite) const
    {
        putDescription("offer", SdpType::Offer, invite.sdp, invite.folded);
        put(content, "lifetime", static_cast<double>(invite.lifetime));
        put(content, "invitee", invite.invitee);
        putStreams(content, invite.streams);
        putCapabilities(content, invite.can);
    }
    void operator()(const OutAnswer &answer) const
    {
        putDescription("answer", SdpType::Answer, answer.sdp, answer.folded);
        putStreams(content, answer.streams);
        putCapabilities(content, answer.can);
    }
    void operator()(const OutCandidates &candidates) const
    {
        put(content, "candidates", toJson(candidates.candidates));
    }
    void operator()(const OutHangup &hangup) const { put(content, "reason", matrixReason(hangup.reason)); }
    void operator()(const OutReject &reject) const
    {
        if (reject.busy)
            put(content, "reason", toString(EndReason::UserBusy));
    }
    void operator()(const OutSelectAnswer &select) const { put(content, "selected_party_id", select.selectedPartyId); }
    void operator()(const OutNegotiate &negotiate) const
    {
        putDescription("description", negotiate.type, negotiate.sdp);
        put(content, "lifetime", static_cast<double>(negotiate.lifetime));
        putStreams(content, negotiate.streams);
        putCapabilities(content, negotiate.can);
    }
    void operator()(const OutStreams &changed) const { putStreams(content, changed.streams); }
    void operator()(const OutIdentity &out) const { put(content, "asserted_identity", toJson(out.identity)); }
    void operator()(const OutReplaces &replaces) const
    {
        put(content, "replacement_id", replaces.replacementId);
        put(content, replaces.create ? "create_call" : "await_call", replaces.newCallId);
        put(content, "target_user", claims(replaces.target));
        put(content, "lifetime", static_cast<double>(replaces.lifetime));
    }
    void operator()(const OutRejectReplacement &reject) const { put(content, "replacement_id", reject.replacementId); }
};

struct TypeName {
    const char *operator()(const OutInvite &) const { return "m.call.invite"; }
    const char *operator()(const OutAnswer &) const { return "m.call.answer"; }
    const char *operator()(const OutCandidates &) const { return "m.call.candidates"; }
    const char *operator()(const OutHangup &) const { return "m.call.hangup"; }
    const char *operator()(const OutReject &) const { return "m.call.reject"; }
    const char *operator()(const OutSelectAnswer &) const { return "m.call.select_answer"; }
    const char *operator()(const OutNegotiate &) const { return "m.call.negotiate"; }
    const char *operator()(const OutStreams &) const { return "m.call.sdp_stream_metadata_changed"; }
    const char *operator()(const OutIdentity &) const { return "org.matrix.call.asserted_identity"; } // R105
    const char *operator()(const OutReplaces &) const { return "m.call.replaces"; }
    const char *operator()(const OutRejectReplacement &) const { return "m.call.reject_replacement"; }
};

struct NoticeName {
    const char *operator()(const NoteInitiated &) const { return "call.initiated"; }
    const char *operator()(const NoteAnswered &) const { return "call.answered"; }
    const char *operator()(const NoteCandidates &) const { return "call.ice_candidate"; }
    const char *operator()(const NoteGlare &) const { return "call.glare"; }
    const char *operator()(const NoteRejected &) const { return "call.rejected"; }
    const char *operator()(const NoteEnded &) const { return "call.ended"; }
    const char *operator()(const NoteUnavailable &) const { return "call.unavailable"; }
    const char *operator()(const NoteNegotiate &) const { return "call.negotiate"; }
    const char *operator()(const NoteNegotiationFailed &) const { return "call.negotiation_failed"; }
    const char *operator()(const NoteMediaChanged &) const { return "call.media_changed"; }
    const char *operator()(const NoteIdentity &) const { return "call.identity_changed"; }
    const char *operator()(const NoteTransferRequested &) const { return "call.transfer_requested"; }
    const char *operator()(const NoteTransferFailed &) const { return "call.transfer_failed"; }
    const char *operator()(const NoteRejectedLocally &) const { return "call.rejected_locally"; }
};

struct NoticeWriter {
    const Notify &notify;
    QJsonObject &data;

    template <typename Note>
    void described(const Note &note, const char *key) const
    {
        put(data, key, withCandidates(note.sdp, note.folded));
        put(data, "streams", streamsForHost(note.streams));
        put(data, "capabilities",
            QJsonObject{{QStringLiteral("transferee"), note.can.transferee}, {QStringLiteral("dtmf"), note.can.dtmf}});
    }
    template <typename Note>
    void offer(const Note &note) const
    {
        described(note, "sdp");
        QJsonObject media;
        put(media, "audio", notify.media.audio);
        put(media, "video", notify.media.video);
        put(data, "media", media);
        QJsonObject matrix;
        put(matrix, "room_id", notify.roomId);
        put(matrix, "call_id", notify.matrixCallId);
        put(matrix, "party_id", notify.partyId);
        put(data, "matrix", matrix);
    }
    void operator()(const NoteInitiated &note) const
    {
        put(data, "peer", notify.peer);
        if (!note.replaces.isEmpty())
            put(data, "replaces", note.replaces);
        offer(note);
    }
    void operator()(const NoteGlare &note) const { offer(note); }
    void operator()(const NoteAnswered &note) const { described(note, "answer_sdp"); }
    void operator()(const NoteCandidates &note) const { put(data, "candidates", toJson(note.candidates)); }
    void operator()(const NoteRejected &note) const { put(data, "reason", toString(note.reason)); }
    void operator()(const NoteEnded &note) const { put(data, "reason", toString(note.reason)); }
    void operator()(const NoteUnavailable &note) const { put(data, "reason", note.reason); }
    void operator()(const NoteNegotiate &note) const
    {
        put(data, "type", QLatin1String(word(note.type)));
        put(data, "sdp", withCandidates(note.sdp, note.folded));
        put(data, "streams", streamsForHost(note.streams));
        put(data, "held", note.held);
        if (note.rollback)
            put(data, "rollback", true);
    }
    void operator()(const NoteNegotiationFailed &note) const { put(data, "reason", note.reason); }
    void operator()(const NoteMediaChanged &note) const
    {
        const Mute mute = muteOf(note.streams);
        put(data, "audio_muted", mute.audio);
        put(data, "video_muted", mute.video);
        put(data, "streams", streamsForHost(note.streams));
    }
    void operator()(const NoteIdentity &note) const { put(data, "identity", toJson(note.identity)); }
    void operator()(const NoteTransferRequested &note) const
    {
        put(data, "target", claims(note.target));
        put(data, "mode", QLatin1String(note.create ? "create" : "await"));
        put(data, "expires_in_ms", static_cast<double>(note.expiresIn));
    }
    void operator()(const NoteTransferFailed &note) const { put(data, "reason", note.reason); }
    void operator()(const NoteRejectedLocally &note) const { put(data, "reason", toString(note.reason)); }
};

} // namespace

QString eventType(const OutContent &content)
{
    return QString::fromLatin1(std::visit(TypeName{}, content));
}

QJsonObject eventContent(const Send &send)
{
    QJsonObject content;
    put(content, "call_id", send.matrixCallId);
    put(content, "party_id", send.partyId);
    put(content, "version", QLatin1String("1"));
    std::visit(ContentWriter{content, send.hidePrivate}, send.content);
    return content;
}

QString noticeName(const NoteContent &content)
{
    return QString::fromLatin1(std::visit(NoticeName{}, content));
}

QJsonObject noticeData(const Notify &notify)
{
    QJsonObject data;
    std::visit(NoticeWriter{notify, data}, notify.content);
    return data;
}

QJsonArray toJson(const QVector<Candidate> &candidates)
{
    QJsonArray list;
    for (const Candidate &candidate : candidates) {
        QJsonObject entry;
        put(entry, "candidate", candidate.candidate);
        if (candidate.sdpMid)
            put(entry, "sdpMid", *candidate.sdpMid);
        if (candidate.sdpMLineIndex)
            put(entry, "sdpMLineIndex", *candidate.sdpMLineIndex);
        list.append(entry);
    }
    return list;
}

QJsonValue toJson(const std::optional<Identity> &identity)
{
    return identity ? QJsonValue(claims(*identity)) : QJsonValue();
}

} // namespace voip::protocol
