// SPDX-License-Identifier: Apache-2.0
#include "protocol/write.h"

#include "protocol/sdp.h"

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

// R84: clients look the streams of the SDP up in here, and fail on one that is missing.
void putStreams(QJsonObject &content, const QString &sdp)
{
    QJsonObject metadata;
    for (const Stream &stream : streamsOf(sdp)) {
        QJsonObject entry;
        put(entry, "purpose", QLatin1String("m.usermedia"));
        put(entry, "audio_muted", !stream.audio);
        put(entry, "video_muted", !stream.video);
        metadata.insert(stream.id, entry);
    }
    if (!metadata.isEmpty())
        put(content, "sdp_stream_metadata", metadata);
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
        return toString(EndReason::UserHangup);
    case EndReason::Unavailable:
        return toString(EndReason::UnknownError);
    }
    return {};
}

struct ContentWriter {
    QJsonObject &content;

    void operator()(const OutInvite &invite) const
    {
        put(content, "offer", description("offer", invite.sdp));
        put(content, "lifetime", static_cast<double>(invite.lifetime));
        put(content, "invitee", invite.invitee);
        putStreams(content, invite.sdp);
    }
    void operator()(const OutAnswer &answer) const
    {
        put(content, "answer", description("answer", answer.sdp));
        putStreams(content, answer.sdp);
    }
    void operator()(const OutCandidates &candidates) const
    {
        put(content, "candidates", toJson(candidates.candidates));
    }
    void operator()(const OutHangup &hangup) const { put(content, "reason", matrixReason(hangup.reason)); }
    void operator()(const OutReject &) const {}
    void operator()(const OutSelectAnswer &select) const { put(content, "selected_party_id", select.selectedPartyId); }
};

struct TypeName {
    const char *operator()(const OutInvite &) const { return "m.call.invite"; }
    const char *operator()(const OutAnswer &) const { return "m.call.answer"; }
    const char *operator()(const OutCandidates &) const { return "m.call.candidates"; }
    const char *operator()(const OutHangup &) const { return "m.call.hangup"; }
    const char *operator()(const OutReject &) const { return "m.call.reject"; }
    const char *operator()(const OutSelectAnswer &) const { return "m.call.select_answer"; }
};

struct NoticeName {
    const char *operator()(const NoteInitiated &) const { return "call.initiated"; }
    const char *operator()(const NoteAnswered &) const { return "call.answered"; }
    const char *operator()(const NoteCandidates &) const { return "call.ice_candidate"; }
    const char *operator()(const NoteGlare &) const { return "call.glare"; }
    const char *operator()(const NoteRejected &) const { return "call.rejected"; }
    const char *operator()(const NoteEnded &) const { return "call.ended"; }
    const char *operator()(const NoteUnavailable &) const { return "call.unavailable"; }
};

struct NoticeWriter {
    const Notify &notify;
    QJsonObject &data;

    void offer(const QString &sdp) const
    {
        put(data, "sdp", sdp);
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
        offer(note.sdp);
    }
    void operator()(const NoteGlare &note) const { offer(note.sdp); }
    void operator()(const NoteAnswered &note) const { put(data, "answer_sdp", note.sdp); }
    void operator()(const NoteCandidates &note) const { put(data, "candidates", toJson(note.candidates)); }
    void operator()(const NoteRejected &note) const { put(data, "reason", toString(note.reason)); }
    void operator()(const NoteEnded &note) const { put(data, "reason", toString(note.reason)); }
    void operator()(const NoteUnavailable &note) const { put(data, "reason", note.reason); }
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
    std::visit(ContentWriter{content}, send.content);
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

} // namespace voip::protocol
