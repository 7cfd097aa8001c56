// SPDX-License-Identifier: Apache-2.0
// The JSON of a call's `detail`: both directions of callcodec.h's detailOf and readDetail.
#include "store/callcodec.h"
#include "store/fields.h"

#include <QJsonArray>

#include <algorithm>

namespace voip::store
{

namespace
{

QJsonArray candidatesToJson(const QVector<call::Candidate> &candidates)
{
    QJsonArray array;
    for (const call::Candidate &candidate : candidates) {
        QJsonObject object{{QStringLiteral("candidate"), candidate.candidate}};
        if (candidate.sdpMid)
            object.insert(QStringLiteral("mid"), *candidate.sdpMid);
        if (candidate.sdpMLineIndex)
            object.insert(QStringLiteral("line"), *candidate.sdpMLineIndex);
        array.append(object);
    }
    return array;
}

QVector<call::Candidate> readCandidates(const QJsonArray &array, const QString &path, QString &defect)
{
    QVector<call::Candidate> candidates;
    for (const QJsonValue &value : array) {
        Fields fields(value, path, defect);
        call::Candidate candidate;
        candidate.candidate = fields.text(QStringLiteral("candidate"));
        if (fields.has(QStringLiteral("mid")))
            candidate.sdpMid = fields.text(QStringLiteral("mid"));
        if (fields.has(QStringLiteral("line")))
            candidate.sdpMLineIndex = fields.small(QStringLiteral("line"));
        candidates += candidate;
    }
    return candidates;
}

QJsonObject partyToJson(const call::Party &party)
{
    return {{QStringLiteral("user"), party.user}, {QStringLiteral("id"), party.id}};
}

call::Party readParty(const QJsonValue &value, const QString &path, QString &defect)
{
    Fields fields(value, path, defect);
    return {fields.text(QStringLiteral("user")), fields.text(QStringLiteral("id"))};
}

// Enums that stand nowhere but in `detail`.
template <typename Enum>
struct Name {
    Enum value;
    const char *name;
};
constexpr Name<call::Fold> foldNames[] = {
    {call::Fold::None, "none"},
    {call::Fold::Offer, "offer"},
    {call::Fold::Answer, "answer"},
    {call::Fold::NegotiatedOffer, "negotiated_offer"},
    {call::Fold::NegotiatedAnswer, "negotiated_answer"},
};
constexpr Name<call::Offer> offerNames[] = {
    {call::Offer::None, "none"}, {call::Offer::Ours, "ours"}, {call::Offer::Theirs, "theirs"}};
constexpr Name<call::Purpose> purposeNames[] = {{call::Purpose::Usermedia, "usermedia"},
                                                {call::Purpose::Screenshare, "screenshare"},
                                                {call::Purpose::Ignored, "ignored"}};
constexpr Name<call::Transfer::Kind> transferNames[] = {{call::Transfer::Kind::TheyAskUsToCall, "they_create"},
                                                        {call::Transfer::Kind::TheyAskUsToWait, "they_await"},
                                                        {call::Transfer::Kind::WeAsk, "we_ask"}};

template <typename Enum, std::size_t n>
QString nameOf(const Name<Enum> (&names)[n], Enum value)
{
    const auto *found =
        std::find_if(std::begin(names), std::end(names), [value](const auto &entry) { return entry.value == value; });
    return QString::fromLatin1(found == std::end(names) ? "" : found->name);
}

template <typename Enum, std::size_t n>
void readName(Fields &fields, const QString &key, const Name<Enum> (&names)[n], Enum &value)
{
    const QString text = fields.text(key);
    const auto *found = std::find_if(std::begin(names), std::end(names),
                                     [&text](const auto &entry) { return text == QLatin1String(entry.name); });
    if (found == std::end(names))
        fields.bad(key);
    else
        value = found->value;
}

QJsonArray flagsToJson(bool first, bool second)
{
    return {first, second};
}

void readFlags(Fields &fields, const QString &key, bool &first, bool &second)
{
    const QJsonArray array = fields.array(key);
    if (array.size() != 2 || !array[0].isBool() || !array[1].isBool())
        fields.bad(key);
    first = array[0].toBool();
    second = array[1].toBool();
}

QJsonArray streamsToJson(const call::Streams &streams)
{
    QJsonArray array;
    for (const call::Stream &stream : streams) {
        array.append(QJsonObject{{QStringLiteral("id"), stream.id},
                                 {QStringLiteral("purpose"), nameOf(purposeNames, stream.purpose)},
                                 {QStringLiteral("has"), flagsToJson(stream.hasAudio, stream.hasVideo)},
                                 {QStringLiteral("muted"), flagsToJson(stream.audioMuted, stream.videoMuted)}});
    }
    return array;
}

call::Streams readStreams(Fields &fields, const QString &key, QString &defect)
{
    call::Streams streams;
    for (const QJsonValue &value : fields.array(key)) {
        Fields entry(value, fields.pathOf(key), defect);
        call::Stream stream;
        stream.id = entry.text(QStringLiteral("id"));
        readName(entry, QStringLiteral("purpose"), purposeNames, stream.purpose);
        readFlags(entry, QStringLiteral("has"), stream.hasAudio, stream.hasVideo);
        readFlags(entry, QStringLiteral("muted"), stream.audioMuted, stream.videoMuted);
        streams += stream;
    }
    return streams;
}

QJsonObject negotiationToJson(const call::Negotiation &negotiation)
{
    return {{QStringLiteral("offer"), nameOf(offerNames, negotiation.offer)},
            {QStringLiteral("until"), static_cast<qint64>(negotiation.until)},
            {QStringLiteral("ref"), static_cast<qint64>(negotiation.ref)},
            {QStringLiteral("local_sdp"), negotiation.localSdp},
            {QStringLiteral("rollback"), negotiation.rollback}};
}

call::Negotiation readNegotiation(const Fields &fields, QString &defect)
{
    const QString key = QStringLiteral("negotiation");
    Fields entry(fields.value(key), fields.pathOf(key), defect);
    call::Negotiation negotiation;
    readName(entry, QStringLiteral("offer"), offerNames, negotiation.offer);
    negotiation.until = entry.integer(QStringLiteral("until"));
    negotiation.ref = entry.integer(QStringLiteral("ref"));
    negotiation.localSdp = entry.text(QStringLiteral("local_sdp"));
    negotiation.rollback = entry.flag(QStringLiteral("rollback"));
    return negotiation;
}

QJsonObject identityToJson(const call::Identity &identity)
{
    return {{QStringLiteral("id"), identity.id},
            {QStringLiteral("name"), identity.displayName},
            {QStringLiteral("avatar"), identity.avatarUrl}};
}

call::Identity readIdentity(const Fields &fields, const QString &key, QString &defect)
{
    Fields entry(fields.value(key), fields.pathOf(key), defect);
    return {entry.text(QStringLiteral("id")), entry.text(QStringLiteral("name")), entry.text(QStringLiteral("avatar"))};
}

QJsonObject transferToJson(const call::Transfer &transfer)
{
    return {{QStringLiteral("kind"), nameOf(transferNames, transfer.kind)},
            {QStringLiteral("replacement"), transfer.replacementId},
            {QStringLiteral("new_matrix"), transfer.newMatrixId},
            {QStringLiteral("target"), identityToJson(transfer.target)},
            {QStringLiteral("new_call"), transfer.newCall},
            {QStringLiteral("until"), static_cast<qint64>(transfer.until)}};
}

call::Transfer readTransfer(const Fields &fields, QString &defect)
{
    const QString key = QStringLiteral("transfer");
    Fields entry(fields.value(key), fields.pathOf(key), defect);
    call::Transfer transfer;
    readName(entry, QStringLiteral("kind"), transferNames, transfer.kind);
    transfer.replacementId = entry.text(QStringLiteral("replacement"));
    transfer.newMatrixId = entry.text(QStringLiteral("new_matrix"));
    transfer.target = readIdentity(entry, QStringLiteral("target"), defect);
    transfer.newCall = entry.text(QStringLiteral("new_call"));
    transfer.until = entry.integer(QStringLiteral("until"));
    return transfer;
}

QJsonArray refsToJson(const QVector<std::int64_t> &refs)
{
    QJsonArray list;
    for (const std::int64_t ref : refs)
        list.append(static_cast<qint64>(ref));
    return list;
}

QVector<std::int64_t> readRefs(Fields &fields, const QString &key)
{
    QVector<std::int64_t> refs;
    for (const QJsonValue &value : fields.array(key)) {
        refs += value.toInteger(-1);
        if (refs.last() < 0)
            fields.bad(key);
    }
    return refs;
}

QVector<std::uint64_t> readPrints(Fields &fields)
{
    const QString key = QStringLiteral("said");
    QVector<std::uint64_t> prints;
    for (const QJsonValue &value : fields.array(key)) {
        bool good = value.isString();
        prints += good ? value.toString().toULongLong(&good, 16) : 0;
        if (!good)
            fields.bad(key);
    }
    return prints;
}

} // namespace

QJsonObject detailOf(const call::Call &call)
{
    const bool ended = call.state == call::State::Ended;
    QJsonArray waiting;
    for (const call::PartyCandidates &entry : call.waiting) {
        waiting.append(QJsonObject{{QStringLiteral("party"), partyToJson(entry.party)},
                                   {QStringLiteral("candidates"), candidatesToJson(entry.candidates)}});
    }
    QJsonObject detail{
        {QStringLiteral("version"), call.version},
        {QStringLiteral("our_party"), call.ourParty},
        {QStringLiteral("audio"), call.media.audio},
        {QStringLiteral("video"), call.media.video},
        {QStringLiteral("remote_sdp"), ended ? QString() : call.remoteSdp},
        {QStringLiteral("local_sdp"), ended ? QString() : call.localSdp},
        {QStringLiteral("media_flowed"), call.mediaFlowed},
        {QStringLiteral("invite_sent"), call.inviteSent},
        {QStringLiteral("farewell"), static_cast<int>(call.farewell)},
        {QStringLiteral("unavailable_told"), call.unavailableTold},
        {QStringLiteral("notice_seq"), static_cast<qint64>(call.noticeSeq)},
        {QStringLiteral("waiting"), waiting},
        {QStringLiteral("unsent"), candidatesToJson(call.unsent)},
        {QStringLiteral("flush_at"), static_cast<qint64>(call.flushAt)},
        {QStringLiteral("candidates_ended"), call.candidatesEnded},
        {QStringLiteral("candidates_ref"), static_cast<qint64>(call.candidatesRef)},
        {QStringLiteral("rejected_locally"), call.rejectedLocally},
        {QStringLiteral("limited"), call.limited},
        {QStringLiteral("first_ref"), static_cast<qint64>(call.firstRef)},
        {QStringLiteral("answer_ref"), static_cast<qint64>(call.answerRef)},
        {QStringLiteral("minor_refs"), refsToJson(call.minorRefs)},
        {QStringLiteral("interrupted"), call.interrupted},
        {QStringLiteral("expires_at"), static_cast<qint64>(call.expiresAt)},
        {QStringLiteral("gather_until"), static_cast<qint64>(call.gatherUntil)},
        {QStringLiteral("fold_until"), static_cast<qint64>(call.foldUntil)},
        {QStringLiteral("fold"), nameOf(foldNames, call.fold)},
        {QStringLiteral("resume_by"), static_cast<qint64>(call.resumeBy)},
        {QStringLiteral("remote_streams"), streamsToJson(call.remoteStreams)},
        {QStringLiteral("local_streams"), streamsToJson(call.localStreams)},
        {QStringLiteral("muted"), flagsToJson(call.muted.audio, call.muted.video)},
        {QStringLiteral("invited_mute"), flagsToJson(call.invitedMute.audio, call.invitedMute.video)},
        {QStringLiteral("held_by_peer"), call.heldByPeer},
        {QStringLiteral("peer_can"), flagsToJson(call.peerCan.transferee, call.peerCan.dtmf)},
        {QStringLiteral("we_can"), flagsToJson(call.weCan.transferee, call.weCan.dtmf)},
        {QStringLiteral("negotiation"), negotiationToJson(call.negotiation)},
    };
    if (call.opponent)
        detail.insert(QStringLiteral("opponent"), partyToJson(*call.opponent));
    if (call.inviteRef)
        detail.insert(QStringLiteral("invite_ref"), static_cast<qint64>(*call.inviteRef));
    if (!call.said.isEmpty()) {
        QJsonArray said;
        for (const std::uint64_t print : call.said)
            said.append(QString::number(print, 16));
        detail.insert(QStringLiteral("said"), said);
    }
    if (call.identity)
        detail.insert(QStringLiteral("identity"), identityToJson(*call.identity));
    if (call.transfer)
        detail.insert(QStringLiteral("transfer"), transferToJson(*call.transfer));
    if (!call.replaces.isEmpty())
        detail.insert(QStringLiteral("replaces"), call.replaces);
    return detail;
}

QJsonObject summaryOf(const call::Call &call)
{
    call::Call brief;
    brief.state = call::State::Ended;
    brief.version = call.version;
    brief.ourParty = call.ourParty;
    brief.media = call.media;
    brief.mediaFlowed = call.mediaFlowed;
    brief.noticeSeq = call.noticeSeq;
    const QJsonObject whole = detailOf(brief);
    QJsonObject summary;
    for (const char *key :
         {"version", "our_party", "audio", "video", "remote_sdp", "local_sdp", "media_flowed", "invite_sent",
          "unavailable_told", "notice_seq", "waiting", "unsent", "flush_at", "candidates_ended"})
        summary.insert(QLatin1String(key), whole.value(QLatin1String(key)));
    return summary;
}

namespace
{

// What came with negotiation, streams and transfers.
void readLater(Fields &fields, call::Call &call, QString &defect)
{
    call.candidatesRef = fields.integer(QStringLiteral("candidates_ref"));
    call.rejectedLocally = fields.small(QStringLiteral("rejected_locally"));
    call.limited = fields.flag(QStringLiteral("limited"));
    call.firstRef = fields.integer(QStringLiteral("first_ref"));
    call.answerRef = fields.integer(QStringLiteral("answer_ref"));
    call.minorRefs = readRefs(fields, QStringLiteral("minor_refs"));
    call.interrupted = fields.flag(QStringLiteral("interrupted"));
    call.expiresAt = fields.integer(QStringLiteral("expires_at"));
    call.gatherUntil = fields.integer(QStringLiteral("gather_until"));
    call.foldUntil = fields.integer(QStringLiteral("fold_until"));
    readName(fields, QStringLiteral("fold"), foldNames, call.fold);
    call.resumeBy = fields.integer(QStringLiteral("resume_by"));
    call.remoteStreams = readStreams(fields, QStringLiteral("remote_streams"), defect);
    call.localStreams = readStreams(fields, QStringLiteral("local_streams"), defect);
    readFlags(fields, QStringLiteral("muted"), call.muted.audio, call.muted.video);
    readFlags(fields, QStringLiteral("invited_mute"), call.invitedMute.audio, call.invitedMute.video);
    call.heldByPeer = fields.flag(QStringLiteral("held_by_peer"));
    readFlags(fields, QStringLiteral("peer_can"), call.peerCan.transferee, call.peerCan.dtmf);
    readFlags(fields, QStringLiteral("we_can"), call.weCan.transferee, call.weCan.dtmf);
    call.negotiation = readNegotiation(fields, defect);
    if (fields.has(QStringLiteral("said")))
        call.said = readPrints(fields);
    if (fields.has(QStringLiteral("identity")))
        call.identity = readIdentity(fields, QStringLiteral("identity"), defect);
    if (fields.has(QStringLiteral("transfer")))
        call.transfer = readTransfer(fields, defect);
    if (fields.has(QStringLiteral("replaces")))
        call.replaces = fields.text(QStringLiteral("replaces"));
}

} // namespace

QString readDetail(const QJsonObject &detail, call::Call &call)
{
    QString defect;
    Fields fields(detail, {}, defect);
    call.version = fields.small(QStringLiteral("version"));
    if (call.version != 0 && call.version != 1)
        fields.bad(QStringLiteral("version"));
    call.ourParty = fields.text(QStringLiteral("our_party"));
    call.media.audio = fields.flag(QStringLiteral("audio"));
    call.media.video = fields.flag(QStringLiteral("video"));
    call.remoteSdp = fields.text(QStringLiteral("remote_sdp"));
    call.localSdp = fields.text(QStringLiteral("local_sdp"));
    call.mediaFlowed = fields.flag(QStringLiteral("media_flowed"));
    call.inviteSent = fields.flag(QStringLiteral("invite_sent"));
    if (fields.has(QStringLiteral("farewell"))) {
        const qint64 farewell = fields.integer(QStringLiteral("farewell"));
        if (farewell < 0 || farewell > static_cast<int>(call::Farewell::Heard))
            fields.bad(QStringLiteral("farewell"));
        else
            call.farewell = static_cast<call::Farewell>(farewell);
    }
    call.unavailableTold = fields.flag(QStringLiteral("unavailable_told"));
    call.noticeSeq = fields.integer(QStringLiteral("notice_seq"));
    call.flushAt = fields.integer(QStringLiteral("flush_at"));
    call.candidatesEnded = fields.flag(QStringLiteral("candidates_ended"));
    if (fields.has(QStringLiteral("opponent")))
        call.opponent = readParty(fields.value(QStringLiteral("opponent")), QStringLiteral("opponent"), defect);
    if (fields.has(QStringLiteral("invite_ref")))
        call.inviteRef = fields.integer(QStringLiteral("invite_ref"));
    call.unsent = readCandidates(fields.array(QStringLiteral("unsent")), QStringLiteral("unsent"), defect);
    for (const QJsonValue &value : fields.array(QStringLiteral("waiting"))) {
        Fields entry(value, QStringLiteral("waiting"), defect);
        call::PartyCandidates candidates;
        candidates.party =
            readParty(entry.value(QStringLiteral("party")), entry.pathOf(QStringLiteral("party")), defect);
        candidates.candidates = readCandidates(entry.array(QStringLiteral("candidates")),
                                               entry.pathOf(QStringLiteral("candidates")), defect);
        call.waiting += candidates;
    }
    if (fields.has(QStringLiteral("fold"))) // absent in rows of versions that knew nothing of all this
        readLater(fields, call, defect);
    return defect;
}

} // namespace voip::store
