// SPDX-License-Identifier: Apache-2.0
#include "effects/present.h"

#include <QCoreApplication>

namespace voip::effects
{

using namespace voiphost;

namespace
{

class Text
{
    Q_DECLARE_TR_FUNCTIONS(voip::effects::Present)
};

struct KindOf {
    NoticeKind operator()(const call::NoteInitiated &) const { return NoticeKind::Initiated; }
    NoticeKind operator()(const call::NoteAnswered &) const { return NoticeKind::Answered; }
    NoticeKind operator()(const call::NoteCandidates &) const { return NoticeKind::IceCandidate; }
    NoticeKind operator()(const call::NoteGlare &) const { return NoticeKind::Glare; }
    NoticeKind operator()(const call::NoteRejected &) const { return NoticeKind::Rejected; }
    NoticeKind operator()(const call::NoteEnded &) const { return NoticeKind::Ended; }
    NoticeKind operator()(const call::NoteUnavailable &) const { return NoticeKind::Unavailable; }
    NoticeKind operator()(const call::NoteNegotiate &) const { return NoticeKind::Negotiate; }
    NoticeKind operator()(const call::NoteNegotiationFailed &) const { return NoticeKind::NegotiationFailed; }
    NoticeKind operator()(const call::NoteMediaChanged &) const { return NoticeKind::MediaChanged; }
    NoticeKind operator()(const call::NoteIdentity &) const { return NoticeKind::IdentityChanged; }
    NoticeKind operator()(const call::NoteTransferRequested &) const { return NoticeKind::TransferRequested; }
    NoticeKind operator()(const call::NoteTransferFailed &) const { return NoticeKind::TransferFailed; }
    NoticeKind operator()(const call::NoteRejectedLocally &) const { return NoticeKind::RejectedLocally; }
};

// The state in the host's words.
QString stateName(call::State state)
{
    switch (state) {
    case call::State::Early:
    case call::State::Ringing:
    case call::State::Inviting:
        return QStringLiteral("ringing");
    case call::State::Connecting:
        return QStringLiteral("connecting");
    case call::State::Connected:
        return QStringLiteral("connected");
    case call::State::Ended:
        return QStringLiteral("ended");
    }
    return {};
}

Error conflict(const char *code, const QString &message, const QString &callId)
{
    Error error{ErrorKind::Conflict, QString::fromLatin1(code), message, {}};
    if (!callId.isEmpty())
        error.details.insert(QStringLiteral("call_id"), callId);
    return error;
}

} // namespace

Error unavailable(const QString &code, const QString &message)
{
    return {ErrorKind::Unavailable, code, message, {}};
}

Error stopping()
{
    return unavailable(QStringLiteral("STOPPING"), Text::tr("The bridge is stopping."));
}

Error moving()
{
    return unavailable(QStringLiteral("MOVING"),
                       Text::tr("This user's calls are being handed to another worker. Try again."));
}

Error databaseAway()
{
    return unavailable(QStringLiteral("DATABASE_UNAVAILABLE"),
                       Text::tr("The bridge cannot reach its database. Try again later."));
}

Error errorOf(const call::Refused &refused)
{
    switch (refused.why) {
    case call::Refusal::UnknownCall:
        return {ErrorKind::NotFound, QStringLiteral("CALL_NOT_FOUND"), Text::tr("There is no such call."), {}};
    case call::Refusal::WrongState:
        return conflict("WRONG_STATE",
                        Text::tr("The call is %1; that is not possible now.").arg(stateName(refused.state)),
                        refused.callId);
    case call::Refusal::Ringing:
        return conflict("CALL_RINGING", Text::tr("A call of the other side is ringing already: answer that one."),
                        refused.callId);
    case call::Refusal::InProgress:
        return conflict(
            "CALL_IN_PROGRESS",
            Text::tr("There is a call in this conversation already; it is %1.").arg(stateName(refused.state)),
            refused.callId);
    case call::Refusal::UnknownRoom:
        return {ErrorKind::NotFound,
                QStringLiteral("CONVERSATION_NOT_FOUND"),
                Text::tr("There is no such conversation."),
                {}};
    case call::Refusal::NoPeer:
        return conflict("NOT_DIRECT", Text::tr("Calls are placed only in rooms with exactly one other member."), {});
    case call::Refusal::NotJoined:
        return conflict("ROOM_NOT_JOINED", Text::tr("The user is not in this room (yet)."), {});
    case call::Refusal::Collision:
        return conflict(
            "NEGOTIATION_COLLISION",
            Text::tr("An offer of the other side waits: roll back your own, answer theirs, then offer again."),
            refused.callId);
    case call::Refusal::NoOffer:
        return conflict("NO_OFFER",
                        Text::tr("No offer of the other side waits for an answer, or its time is up: send an offer."),
                        refused.callId);
    case call::Refusal::PeerCannot:
        return conflict("NOT_SUPPORTED_BY_PEER",
                        Text::tr("The other side's client cannot do that. The call goes on as it is."), refused.callId);
    case call::Refusal::NoTransfer:
        return conflict(
            "NO_TRANSFER",
            Text::tr("The other side asks for no transfer of this call, or its time is up: there is nothing to "
                     "accept or reject."),
            refused.callId);
    case call::Refusal::TransferPending:
        return conflict("TRANSFER_PENDING",
                        Text::tr("A transfer of this call is under way: wait until it has succeeded or failed."),
                        refused.callId);
    case call::Refusal::TooMany:
        return {ErrorKind::RateLimited,
                QStringLiteral("TOO_MANY_CALLS"),
                Text::tr("There are too many calls within a minute. Try again later."),
                {{QStringLiteral("retry_after_ms"), static_cast<double>(refused.retryAfter)}}};
    }
    return {};
}

NoticeKind kindOf(const call::NoteContent &content)
{
    return std::visit(KindOf{}, content);
}

CallNotice toHost(const store::Notice &notice, const QString &userId)
{
    return {notice.id,   notice.seq,  userId,    notice.callId, notice.conversationId,
            notice.kind, notice.data, notice.at, false};
}

void countNotices(const QVector<call::Notify> &notices, observe::Metrics &metrics)
{
    using observe::Counter;
    for (const call::Notify &notify : notices) {
        switch (kindOf(notify.content)) {
        case NoticeKind::Initiated:
        case NoticeKind::Glare:
            metrics.count(Counter::InviteReceived);
            break;
        case NoticeKind::Answered:
            metrics.count(Counter::AnswerReceived);
            break;
        case NoticeKind::Unavailable:
            metrics.count(observe::LabelledCounter::Fallback, QStringLiteral("matrix_unavailable"));
            break;
        case NoticeKind::IceCandidate:
        case NoticeKind::Negotiate:
        case NoticeKind::MediaChanged:
        case NoticeKind::Rejected:
        case NoticeKind::Ended:
        case NoticeKind::NegotiationFailed:
        case NoticeKind::IdentityChanged:
        case NoticeKind::TransferRequested:
        case NoticeKind::TransferFailed:
        case NoticeKind::RejectedLocally:
        case NoticeKind::Undecryptable:
            break;
        }
    }
}

void countProgress(const call::Call &before, const call::Call &after, call::Millis now, observe::Metrics &metrics)
{
    const auto seconds = [](call::Millis from, call::Millis to) { return static_cast<double>(to - from) / 1000.0; };
    if (after.inviteSent && !before.inviteSent)
        metrics.count(observe::Counter::InviteSent);
    if (after.state == call::State::Connected && before.state != call::State::Connected)
        metrics.observe(observe::Histogram::CallSetup, seconds(after.createdAt, now));
    if (after.state != call::State::Ended || before.state == call::State::Ended)
        return;
    if (after.answeredAt)
        metrics.observe(observe::Histogram::CallDuration, seconds(*after.answeredAt, now));
    if (after.side == call::Side::Ours && !after.inviteSent)
        metrics.count(observe::Counter::InviteFailed);
}

} // namespace voip::effects
