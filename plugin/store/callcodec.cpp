// SPDX-License-Identifier: Apache-2.0
#include "store/callcodec.h"

#include <initializer_list>

namespace voip::store
{

namespace
{

template <typename Enum>
std::optional<Enum> fromText(const QString &text, std::initializer_list<Enum> all)
{
    for (const Enum value : all) {
        if (toText(value) == text)
            return value;
    }
    return std::nullopt;
}

} // namespace

QString toText(call::State state)
{
    switch (state) {
    case call::State::Early:
        return QStringLiteral("early");
    case call::State::Ringing:
        return QStringLiteral("ringing");
    case call::State::Inviting:
        return QStringLiteral("inviting");
    case call::State::Connecting:
        return QStringLiteral("connecting");
    case call::State::Connected:
        return QStringLiteral("connected");
    case call::State::Ended:
        return QStringLiteral("ended");
    }
    return {};
}

QString toText(call::Side side)
{
    switch (side) {
    case call::Side::Theirs:
        return QStringLiteral("theirs");
    case call::Side::Ours:
        return QStringLiteral("ours");
    }
    return {};
}

QString toText(call::EndReason reason)
{
    switch (reason) {
    case call::EndReason::UserHangup:
        return QStringLiteral("user_hangup");
    case call::EndReason::InviteTimeout:
        return QStringLiteral("invite_timeout");
    case call::EndReason::IceFailed:
        return QStringLiteral("ice_failed");
    case call::EndReason::IceTimeout:
        return QStringLiteral("ice_timeout");
    case call::EndReason::UserMediaFailed:
        return QStringLiteral("user_media_failed");
    case call::EndReason::UserBusy:
        return QStringLiteral("user_busy");
    case call::EndReason::UnknownError:
        return QStringLiteral("unknown_error");
    case call::EndReason::Rejected:
        return QStringLiteral("rejected");
    case call::EndReason::AnsweredElsewhere:
        return QStringLiteral("answered_elsewhere");
    case call::EndReason::Replaced:
        return QStringLiteral("replaced");
    case call::EndReason::PeerLeft:
        return QStringLiteral("peer_left");
    case call::EndReason::Unavailable:
        return QStringLiteral("unavailable");
    case call::EndReason::Transferred:
        return QStringLiteral("transferred");
    }
    return {};
}

QString toText(call::Membership membership)
{
    switch (membership) {
    case call::Membership::Join:
        return QStringLiteral("join");
    case call::Membership::Invite:
        return QStringLiteral("invite");
    case call::Membership::Knock:
        return QStringLiteral("knock");
    case call::Membership::Leave:
        return QStringLiteral("leave");
    case call::Membership::Ban:
        return QStringLiteral("ban");
    }
    return {};
}

QString toText(call::JoinRule rule)
{
    switch (rule) {
    case call::JoinRule::Invite:
        return QStringLiteral("invite");
    case call::JoinRule::Public:
        return QStringLiteral("public");
    case call::JoinRule::Other:
        return QStringLiteral("other");
    }
    return {};
}

QString toText(voiphost::NoticeKind kind)
{
    return voiphost::toString(kind); // event names of a released surface: as stable as a row
}

QString toText(Form form)
{
    switch (form) {
    case Form::Plain:
        return QStringLiteral("plain");
    case Form::Waiting:
        return QStringLiteral("waiting");
    case Form::Encrypted:
        return QStringLiteral("encrypted");
    }
    return {};
}

std::optional<call::State> stateFromText(const QString &text)
{
    using S = call::State;
    return fromText(text, {S::Early, S::Ringing, S::Inviting, S::Connecting, S::Connected, S::Ended});
}

std::optional<call::Side> sideFromText(const QString &text)
{
    return fromText(text, {call::Side::Theirs, call::Side::Ours});
}

std::optional<call::EndReason> reasonFromText(const QString &text)
{
    using R = call::EndReason;
    return fromText(text, {R::UserHangup, R::InviteTimeout, R::IceFailed, R::IceTimeout, R::UserMediaFailed,
                           R::UserBusy, R::UnknownError, R::Rejected, R::AnsweredElsewhere, R::Replaced, R::PeerLeft,
                           R::Unavailable, R::Transferred});
}

std::optional<call::Membership> membershipFromText(const QString &text)
{
    using M = call::Membership;
    return fromText(text, {M::Join, M::Invite, M::Knock, M::Leave, M::Ban});
}

std::optional<call::JoinRule> joinRuleFromText(const QString &text)
{
    return fromText(text, {call::JoinRule::Invite, call::JoinRule::Public, call::JoinRule::Other});
}

std::optional<voiphost::NoticeKind> noticeKindFromText(const QString &text)
{
    using K = voiphost::NoticeKind;
    return fromText(text, {K::Initiated, K::Answered, K::IceCandidate, K::Negotiate, K::MediaChanged, K::Glare,
                           K::Rejected, K::Ended, K::Unavailable, K::NegotiationFailed, K::IdentityChanged,
                           K::TransferRequested, K::TransferFailed, K::RejectedLocally, K::Undecryptable});
}

std::optional<Form> formFromText(const QString &text)
{
    return fromText(text, {Form::Plain, Form::Waiting, Form::Encrypted});
}

QJsonObject membersToJson(const QMap<QString, call::Membership> &members)
{
    QJsonObject json;
    for (auto it = members.cbegin(); it != members.cend(); ++it)
        json.insert(it.key(), toText(it.value()));
    return json;
}

QString readMembers(const QJsonObject &json, QMap<QString, call::Membership> &members)
{
    if (json.size() > call::Room::maxMembers)
        return QStringLiteral("(more than %1 members)").arg(call::Room::maxMembers);
    for (auto it = json.constBegin(); it != json.constEnd(); ++it) {
        const std::optional<call::Membership> membership = membershipFromText(it.value().toString());
        if (!membership)
            return QStringLiteral("(unknown membership)");
        members.insert(it.key(), *membership);
    }
    return {};
}

} // namespace voip::store
