// SPDX-License-Identifier: Apache-2.0
#include "store/callcodec.h"

#include <QJsonArray>

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

// Reads fields of one object and remembers the path of the first that is missing or of the wrong type.
class Fields
{
public:
    Fields(const QJsonValue &value, QString path, QString &defect)
        : m_object(value.toObject()), m_path(std::move(path)), m_defect(defect)
    {
        if (!value.isObject())
            bad({});
    }

    QString text(const QString &key)
    {
        const QJsonValue value = m_object.value(key);
        if (!value.isString())
            bad(key);
        return value.toString();
    }
    bool flag(const QString &key)
    {
        const QJsonValue value = m_object.value(key);
        if (!value.isBool())
            bad(key);
        return value.toBool();
    }
    qint64 integer(const QString &key)
    {
        const QJsonValue value = m_object.value(key);
        const qint64 result = value.toInteger(-1);
        if (!value.isDouble() || (result == -1 && value.toInteger(-2) == -2)) // not a number, or with a fraction
            bad(key);
        return result;
    }
    int small(const QString &key)
    {
        const qint64 result = integer(key);
        if (result != static_cast<int>(result))
            bad(key);
        return static_cast<int>(result);
    }
    QJsonArray array(const QString &key)
    {
        const QJsonValue value = m_object.value(key);
        if (!value.isArray())
            bad(key);
        return value.toArray();
    }
    [[nodiscard]] bool has(const QString &key) const { return m_object.contains(key); }
    [[nodiscard]] QJsonValue value(const QString &key) const { return m_object.value(key); }
    [[nodiscard]] QString pathOf(const QString &key) const
    {
        return m_path.isEmpty() || key.isEmpty() ? m_path + key : m_path + u'.' + key;
    }
    void bad(const QString &key)
    {
        if (m_defect.isEmpty())
            m_defect = pathOf(key).isEmpty() ? QStringLiteral("(not an object)") : pathOf(key);
    }

private:
    QJsonObject m_object;
    QString m_path;
    QString &m_defect;
};

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
    return fromText(text,
                    {R::UserHangup, R::InviteTimeout, R::IceFailed, R::IceTimeout, R::UserMediaFailed, R::UserBusy,
                     R::UnknownError, R::Rejected, R::AnsweredElsewhere, R::Replaced, R::PeerLeft, R::Unavailable});
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
                           K::TransferRequested, K::TransferFailed, K::RejectedLocally});
}

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
        {QStringLiteral("unavailable_told"), call.unavailableTold},
        {QStringLiteral("notice_seq"), static_cast<qint64>(call.noticeSeq)},
        {QStringLiteral("waiting"), waiting},
        {QStringLiteral("unsent"), candidatesToJson(call.unsent)},
        {QStringLiteral("flush_at"), static_cast<qint64>(call.flushAt)},
        {QStringLiteral("candidates_ended"), call.candidatesEnded},
    };
    if (call.opponent)
        detail.insert(QStringLiteral("opponent"), partyToJson(*call.opponent));
    if (call.inviteRef)
        detail.insert(QStringLiteral("invite_ref"), static_cast<qint64>(*call.inviteRef));
    return detail;
}

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
    return defect;
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
