// SPDX-License-Identifier: Apache-2.0
// Value types that cross the border between host and plugin. All are copyable and may be passed between threads.
// Users are named by the host's own ids ("alice"); the plugin alone knows which Matrix ghost stands for them.
// Times are UTC in milliseconds since 1970. Nothing here prints an SDP.
#pragma once

#include <QJsonObject>
#include <QList>
#include <QString>
#include <QStringList>

#include <optional>
#include <utility>
#include <variant>

namespace voiphost
{

// What went wrong, in the terms a REST layer needs. The HTTP status that fits each kind stands beside it.
enum class ErrorKind {
    Invalid,      // 400: the request itself is wrong; `message` names the field
    Unauthorized, // 401
    Forbidden,    // 403
    NotFound,     // 404
    Conflict,     // 409: the call's state does not allow it; `message` names the state
    TooLarge,     // 413
    RateLimited,  // 429
    Unavailable,  // 503: homeserver, database or plugin cannot serve now; trying again later may work
};

struct Error {
    ErrorKind kind = ErrorKind::Invalid;
    QString code;        // stable, upper case: "CALL_NOT_FOUND"
    QString message;     // for people; never holds SDP, tokens or passwords
    QJsonObject details; // further fields of the REST error, e.g. {"call_id": ...} for CALL_RINGING

    bool operator==(const Error &) const = default;
};

// A value or the reason why there is none. (std::expected is C++23.)
template <typename T, typename E = Error>
class Expected
{
public:
    Expected(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Expected(E error) : m_state(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool ok() const { return m_state.index() == 0; }
    explicit operator bool() const { return ok(); }
    [[nodiscard]] const T &value() const & { return std::get<0>(m_state); }
    [[nodiscard]] T &value() & { return std::get<0>(m_state); }
    [[nodiscard]] T &&value() && { return std::get<0>(std::move(m_state)); }
    [[nodiscard]] const E &error() const { return std::get<1>(m_state); }
    const T *operator->() const { return &std::get<0>(m_state); }
    const T &operator*() const & { return std::get<0>(m_state); }

private:
    std::variant<T, E> m_state;
};

struct Done { // the value of an Expected that has nothing to say
    bool operator==(const Done &) const = default;
};

struct Media {
    bool audio = true;
    bool video = false;

    bool operator==(const Media &) const = default;
};

struct IceCandidate {
    QString candidate; // empty: no more will come (R52)
    std::optional<QString> sdpMid;
    std::optional<int> sdpMLineIndex;

    bool operator==(const IceCandidate &) const = default;
};

struct IceServers {
    QStringList urls; // turn:, turns:, stun:
    QString username;
    QString credential; // secret: never logged
    int ttlSeconds = 0; // how long from now the credential may be used; 0: nothing to refresh

    bool operator==(const IceServers &) const = default;
};

struct Conversation {
    QString id;
    QString roomId;
    QString peer; // Matrix user id
    bool encrypted = false;
    bool created = false; // only in the answer of openConversation: a new room was made

    bool operator==(const Conversation &) const = default;
};

enum class Direction { Incoming, Outgoing }; // as the host's user sees it
enum class CallStatus { Ringing, Connecting, Connected, Ended, Failed };
enum class MediaState { Connected, Disconnected, Failed };

struct Call {
    QString id; // the host's call id; never the Matrix one
    QString conversationId;
    Direction direction = Direction::Incoming;
    QString peer;
    CallStatus status = CallStatus::Ringing;
    qint64 createdAt = 0;
    std::optional<qint64> answeredAt;
    std::optional<qint64> endedAt;
    QString reason; // empty while live
    Media media;
    QString roomId;
    QString matrixCallId;
    QString partyId; // ours

    bool operator==(const Call &) const = default;
};

struct PlaceRequest {
    QString sdp;
    Media media;
    QString idempotencyKey; // empty: none
};

struct Placed {
    Call call;
    bool repeated = false; // an idempotent repeat: nothing new was placed
};

// What the plugin tells the host about a call. `data` holds the fields of the event of the same name in the REST
// event stream (call.initiated: peer, sdp, media, matrix; call.answered: answer_sdp; and so on).
enum class NoticeKind {
    Initiated,
    Answered,
    IceCandidate,
    Negotiate,
    MediaChanged,
    Glare,
    Rejected,
    Ended,
    Unavailable,
    // Told only by plugins with MidCall (midcall.h). A host that does not know one of these leaves it out.
    NegotiationFailed,
    IdentityChanged,
    TransferRequested,
    TransferFailed,
    RejectedLocally,
    // Something arrived that may have been a call and cannot be decrypted. Belongs to no call; its callId is its own.
    Undecryptable,
};

struct CallNotice {
    qint64 id = 0;  // grows by user, survives restarts; resuming after an id loses and repeats nothing
    qint64 seq = 0; // grows by call, from 1
    QString userId; // the host's user it is for
    QString callId;
    QString conversationId;
    NoticeKind kind = NoticeKind::Ended;
    QJsonObject data; // may hold SDP: never logged
    qint64 at = 0;
    bool repeated = false; // told before; told again because the plugin was started while the call is live
};

[[nodiscard]] inline QString toString(Direction direction)
{
    switch (direction) {
    case Direction::Incoming:
        return QStringLiteral("incoming");
    case Direction::Outgoing:
        return QStringLiteral("outgoing");
    }
    return {};
}

[[nodiscard]] inline QString toString(CallStatus status)
{
    switch (status) {
    case CallStatus::Ringing:
        return QStringLiteral("ringing");
    case CallStatus::Connecting:
        return QStringLiteral("connecting");
    case CallStatus::Connected:
        return QStringLiteral("connected");
    case CallStatus::Ended:
        return QStringLiteral("ended");
    case CallStatus::Failed:
        return QStringLiteral("failed");
    }
    return {};
}

// The event's name in the event stream: "call.initiated".
[[nodiscard]] inline QString toString(NoticeKind kind)
{
    switch (kind) {
    case NoticeKind::Initiated:
        return QStringLiteral("call.initiated");
    case NoticeKind::Answered:
        return QStringLiteral("call.answered");
    case NoticeKind::IceCandidate:
        return QStringLiteral("call.ice_candidate");
    case NoticeKind::Negotiate:
        return QStringLiteral("call.negotiate");
    case NoticeKind::MediaChanged:
        return QStringLiteral("call.media_changed");
    case NoticeKind::Glare:
        return QStringLiteral("call.glare");
    case NoticeKind::Rejected:
        return QStringLiteral("call.rejected");
    case NoticeKind::Ended:
        return QStringLiteral("call.ended");
    case NoticeKind::Unavailable:
        return QStringLiteral("call.unavailable");
    case NoticeKind::NegotiationFailed:
        return QStringLiteral("call.negotiation_failed");
    case NoticeKind::IdentityChanged:
        return QStringLiteral("call.identity_changed");
    case NoticeKind::TransferRequested:
        return QStringLiteral("call.transfer_requested");
    case NoticeKind::TransferFailed:
        return QStringLiteral("call.transfer_failed");
    case NoticeKind::RejectedLocally:
        return QStringLiteral("call.rejected_locally");
    case NoticeKind::Undecryptable:
        return QStringLiteral("call.undecryptable");
    }
    return {};
}

} // namespace voiphost

Q_DECLARE_METATYPE(voiphost::CallNotice)
