// SPDX-License-Identifier: Apache-2.0
#include "replay/inputline.h"

#include "protocol/write.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace voip::replay
{

using namespace voip::call;

namespace
{

QByteArray compact(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

QString word(Membership membership)
{
    switch (membership) {
    case Membership::Join:
        return QStringLiteral("join");
    case Membership::Invite:
        return QStringLiteral("invite");
    case Membership::Knock:
        return QStringLiteral("knock");
    case Membership::Leave:
        return QStringLiteral("leave");
    case Membership::Ban:
        return QStringLiteral("ban");
    }
    return {};
}

QString word(JoinRule rule)
{
    switch (rule) {
    case JoinRule::Invite:
        return QStringLiteral("invite");
    case JoinRule::Public:
        return QStringLiteral("public");
    case JoinRule::Other:
        return QStringLiteral("other");
    }
    return {};
}

QString word(PrivateAddresses policy)
{
    switch (policy) {
    case PrivateAddresses::Send:
        return QStringLiteral("send");
    case PrivateAddresses::HideUnencrypted:
        return QStringLiteral("hide_unencrypted");
    case PrivateAddresses::Hide:
        return QStringLiteral("hide");
    }
    return {};
}

QString word(Decline how)
{
    switch (how) {
    case Decline::Reject:
        return {};
    case Decline::Busy:
        return QStringLiteral("user_busy");
    case Decline::Ignore:
        return QStringLiteral("ignore");
    }
    return {};
}

QString word(MediaReport report)
{
    switch (report) {
    case MediaReport::Connected:
        return QStringLiteral("connected");
    case MediaReport::Disconnected:
        return QStringLiteral("disconnected");
    case MediaReport::Failed:
        return QStringLiteral("failed");
    }
    return {};
}

QJsonObject toJson(const QMap<QString, Membership> &members)
{
    QJsonObject object;
    for (auto it = members.constBegin(); it != members.constEnd(); ++it)
        object.insert(it.key(), word(it.value()));
    return object;
}

// Those that an administrator can change; the others are what they are.
QJsonObject toJson(const Settings &settings)
{
    const auto ms = [](Millis value) { return QJsonValue(static_cast<double>(value)); };
    return {{QStringLiteral("accepting"), settings.accepting},
            {QStringLiteral("invite_lifetime"), ms(settings.inviteLifetime)},
            {QStringLiteral("connect_timeout"), ms(settings.connectTimeout)},
            {QStringLiteral("longest_call"), ms(settings.longestCall)},
            {QStringLiteral("gather_for"), ms(settings.gatherFor)},
            {QStringLiteral("negotiate_lifetime"), ms(settings.negotiateLifetime)},
            {QStringLiteral("resume_timeout"), ms(settings.resumeTimeout)},
            {QStringLiteral("reconnect_timeout"), ms(settings.reconnectTimeout)},
            {QStringLiteral("fold_for"), ms(settings.foldFor)},
            {QStringLiteral("host_trickles"), settings.hostTrickles},
            {QStringLiteral("parallel_calls"), settings.parallelCalls},
            {QStringLiteral("transfers"), settings.transfers},
            {QStringLiteral("invites_per_minute"), ms(settings.invitesPerMinute)},
            {QStringLiteral("ringing_of_peer"), ms(settings.ringingOfPeer)},
            {QStringLiteral("places_per_minute"), ms(settings.placesPerMinute)},
            {QStringLiteral("private_addresses"), word(settings.privateAddresses)}};
}

} // namespace

QByteArray headerLine(const Line &line, const QString &roomId)
{
    const Settings &settings = line.settings;
    QJsonObject header{{QStringLiteral("replay"), 1},
                       {QStringLiteral("seed"), 1},
                       {QStringLiteral("local_user"), line.self},
                       {QStringLiteral("next_ref"), static_cast<double>(line.nextRef)},
                       {QStringLiteral("settings"), toJson(settings)}};
    if (const auto room = line.rooms.constFind(roomId); room != line.rooms.constEnd()) {
        header.insert(QStringLiteral("room"), QJsonObject{{QStringLiteral("room_id"), room->id},
                                                          {QStringLiteral("conversation_id"), room->conversationId},
                                                          {QStringLiteral("members"), toJson(room->members)},
                                                          {QStringLiteral("join_rule"), word(room->joinRule)},
                                                          {QStringLiteral("encrypted"), room->encrypted}});
    }
    return compact(header);
}

namespace
{

void host(QJsonObject &line, const char *action, const QString &callId)
{
    line.insert(QLatin1String("in"), QLatin1String("host"));
    line.insert(QLatin1String("do"), QLatin1String(action));
    line.insert(QLatin1String("call"), callId);
}

// The fields of an input's line besides its time and entropy.
struct InputWriter {
    const Recorded &recorded;
    QJsonObject &line;

    void kind(const char *in) const { line.insert(QLatin1String("in"), QLatin1String(in)); }
    void operator()(const MatrixBatch &) const
    {
        kind("matrix");
        QJsonArray events;
        for (const QJsonObject &event : recorded.events)
            events.append(event);
        line.insert(QLatin1String("events"), events);
        line.insert(QLatin1String("received_at"), static_cast<double>(recorded.receivedAt));
    }
    void operator()(const RoomSnapshot &snapshot) const
    {
        kind("snapshot");
        line.insert(QLatin1String("room_id"), snapshot.roomId);
        line.insert(QLatin1String("members"), toJson(snapshot.members));
        line.insert(QLatin1String("join_rule"), word(snapshot.joinRule));
        line.insert(QLatin1String("encrypted"), snapshot.encrypted);
    }
    // Streams and capabilities stand there even if they were derived: the SDP may be cut out.
    template <typename Said>
    void described(const Said &said) const
    {
        line.insert(QLatin1String("sdp"), said.sdp);
        QJsonObject streams;
        for (const Stream &stream : said.streams)
            streams.insert(stream.id, streamJson(stream));
        line.insert(QLatin1String("streams"), streams);
    }
    static QJsonObject streamJson(const Stream &stream)
    {
        return {{QStringLiteral("purpose"), stream.purpose == Purpose::Screenshare ? QStringLiteral("m.screenshare")
                                                                                   : QStringLiteral("m.usermedia")},
                {QStringLiteral("audio_muted"), stream.audioMuted},
                {QStringLiteral("video_muted"), stream.videoMuted}};
    }
    void capable(const Capabilities &can) const
    {
        line.insert(QLatin1String("capabilities"),
                    QJsonObject{{QStringLiteral("transferee"), can.transferee}, {QStringLiteral("dtmf"), can.dtmf}});
    }
    void placed(const Place &place) const
    {
        line.insert(QLatin1String("room_id"), place.roomId);
        line.insert(QLatin1String("media"), QJsonObject{{QStringLiteral("audio"), place.media.audio},
                                                        {QStringLiteral("video"), place.media.video}});
        described(place);
        capable(place.can);
    }
    void operator()(const Place &place) const
    {
        host(line, "place", place.callId);
        placed(place);
    }
    void operator()(const Answer &answer) const
    {
        host(line, "answer", answer.callId);
        described(answer);
        capable(answer.can);
    }
    void operator()(const Negotiate &negotiate) const
    {
        host(line, "negotiate", negotiate.callId);
        const bool offer = negotiate.type == SdpType::Offer;
        line.insert(QLatin1String("type"), offer ? QStringLiteral("offer") : QStringLiteral("answer"));
        described(negotiate);
    }
    void operator()(const SetMute &mute) const
    {
        host(line, "media", mute.callId);
        if (mute.audio)
            line.insert(QLatin1String("audio_muted"), *mute.audio);
        if (mute.video)
            line.insert(QLatin1String("video_muted"), *mute.video);
    }
    void operator()(const TransferCall &transfer) const
    {
        host(line, "transfer", transfer.callId);
        const bool blind = transfer.targetCall.isEmpty();
        line.insert(QLatin1String(blind ? "target_user" : "target_call"),
                    blind ? transfer.targetUser : transfer.targetCall);
    }
    void operator()(const AcceptTransfer &accepted) const
    {
        host(line, "transfer-accept", accepted.callId);
        if (accepted.place.sdp.isEmpty())
            return;
        line.insert(QLatin1String("new_call"), accepted.place.callId);
        placed(accepted.place);
    }
    void operator()(const RejectTransfer &rejected) const { host(line, "transfer-reject", rejected.callId); }
    void operator()(const AssertIdentity &asserted) const
    {
        host(line, "identity", asserted.callId);
        line.insert(QLatin1String("identity"), protocol::toJson(asserted.identity));
    }
    void operator()(const AddCandidates &added) const
    {
        host(line, "candidates", added.callId);
        line.insert(QLatin1String("candidates"), protocol::toJson(added.candidates));
    }
    void operator()(const ReportMedia &report) const
    {
        host(line, "media-state", report.callId);
        line.insert(QLatin1String("state"), word(report.report));
    }
    void operator()(const Reject &reject) const
    {
        host(line, "reject", reject.callId);
        if (reject.how != Decline::Reject)
            line.insert(QLatin1String("reason"), word(reject.how));
    }
    void operator()(const End &end) const
    {
        host(line, "end", end.callId);
        line.insert(QLatin1String("reason"), toString(end.reason));
    }
    void operator()(const Sent &sent) const
    {
        kind("sent");
        line.insert(QLatin1String("ref"), QLatin1Char('o') + QString::number(sent.ref));
        line.insert(QLatin1String("call"), sent.callId);
        line.insert(QLatin1String("event_id"), sent.eventId);
    }
    void operator()(const SendFailed &failed) const
    {
        kind("send_failed");
        line.insert(QLatin1String("ref"), QLatin1Char('o') + QString::number(failed.ref));
        line.insert(QLatin1String("call"), failed.callId);
        line.insert(QLatin1String("code"), failed.code);
        line.insert(QLatin1String("transient"), failed.transient);
    }
    void operator()(const Tick &) const { kind("clock"); }
    void operator()(const Restart &restart) const
    {
        kind("restart");
        if (restart.hostLives)
            line.insert(QLatin1String("host_lives"), true);
    }
};

} // namespace

QJsonObject hostAction(const Input &input)
{
    static const Line nobody;
    static const Step nothing;
    static const Now never;
    QJsonObject line;
    const Recorded recorded{nobody, nothing, never, input, {}, 0};
    std::visit(InputWriter{recorded, line}, input);
    return line;
}

QByteArray inputLine(const Recorded &recorded)
{
    QJsonObject line{{QStringLiteral("t"), static_cast<double>(recorded.now.at)}};
    QString entropy;
    for (const auto word : recorded.now.entropy)
        entropy += QStringLiteral("%1").arg(static_cast<qulonglong>(word), 16, 16, QLatin1Char('0'));
    line.insert(QLatin1String("entropy"), entropy);
    std::visit(InputWriter{recorded, line}, recorded.input);
    return compact(line);
}

} // namespace voip::replay
