// SPDX-License-Identifier: Apache-2.0
#include "call/types.h"

#include <algorithm>

namespace voip::call
{

namespace
{

std::uint64_t rotl(std::uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

struct ReasonName {
    EndReason reason;
    const char *name;
};
constexpr ReasonName reasonNames[] = {
    {EndReason::UserHangup, "user_hangup"},
    {EndReason::InviteTimeout, "invite_timeout"},
    {EndReason::IceFailed, "ice_failed"},
    {EndReason::IceTimeout, "ice_timeout"},
    {EndReason::UserMediaFailed, "user_media_failed"},
    {EndReason::UserBusy, "user_busy"},
    {EndReason::UnknownError, "unknown_error"},
    {EndReason::Rejected, "rejected"},
    {EndReason::AnsweredElsewhere, "answered_elsewhere"},
    {EndReason::Replaced, "replaced"},
    {EndReason::PeerLeft, "peer_left"},
    {EndReason::Unavailable, "unavailable"},
    {EndReason::Transferred, "transferred"},
};

} // namespace

std::uint64_t Entropy::next()
{
    const std::uint64_t result = rotl(m_state[0] + m_state[3], 23) + m_state[0];
    const std::uint64_t t = m_state[1] << 17;
    m_state[2] ^= m_state[0];
    m_state[3] ^= m_state[1];
    m_state[1] ^= m_state[2];
    m_state[0] ^= m_state[3];
    m_state[2] ^= t;
    m_state[3] = rotl(m_state[3], 45);
    return result;
}

QString Entropy::id(int length)
{
    static constexpr char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    QString text;
    text.reserve(length);
    while (text.size() < length) {
        std::uint64_t bits = next();
        // Ten 6-bit draws from each word; the two values without a letter are thrown away, which keeps it uniform.
        for (int i = 0; i < 10 && text.size() < length; ++i, bits >>= 6) {
            if (const auto index = bits & 63; index < 62)
                text += QLatin1Char(alphabet[index]);
        }
    }
    return text;
}

QString toString(EndReason reason)
{
    const auto *found = std::find_if(std::begin(reasonNames), std::end(reasonNames),
                                     [reason](const ReasonName &entry) { return entry.reason == reason; });
    return QString::fromLatin1(found->name);
}

EndReason endReasonFromMatrix(const QString &reason)
{
    if (reason.isEmpty())
        return EndReason::UserHangup; // R62
    for (const auto &entry : reasonNames) {
        // The host's own words are not believed from Matrix, but for those that js-sdk does send (R64, R82).
        const bool sent = entry.reason == EndReason::Replaced || entry.reason == EndReason::Transferred;
        if (entry.reason > EndReason::UnknownError && !sent)
            continue;
        if (reason == QLatin1String(entry.name))
            return entry.reason;
    }
    return EndReason::UnknownError; // R64
}

bool isFailure(EndReason reason)
{
    switch (reason) {
    case EndReason::IceFailed:
    case EndReason::IceTimeout:
    case EndReason::UserMediaFailed:
    case EndReason::UnknownError:
    case EndReason::Unavailable:
        return true;
    case EndReason::UserHangup:
    case EndReason::InviteTimeout:
    case EndReason::UserBusy:
    case EndReason::Rejected:
    case EndReason::AnsweredElsewhere:
    case EndReason::Replaced:
    case EndReason::PeerLeft:
    case EndReason::Transferred:
        return false;
    }
    return true;
}

bool isOpaqueId(const QString &id)
{
    if (id.isEmpty() || id.size() > 255)
        return false;
    return std::all_of(id.begin(), id.end(), [](QChar c) {
        const char16_t u = c.unicode();
        return (u >= u'0' && u <= u'9') || (u >= u'A' && u <= u'Z') || (u >= u'a' && u <= u'z') || u == u'-' ||
               u == u'.' || u == u'_' || u == u'~';
    });
}

} // namespace voip::call
