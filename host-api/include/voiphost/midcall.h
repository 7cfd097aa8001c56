// SPDX-License-Identifier: Apache-2.0
// Optional: what can be done with a call beyond placing, answering and ending it. Found by qobject_cast<MidCall *> on
// the plugin's CallService, valid as long as that is; a plugin without it goes on working with the host.
// Every method is called on the host's thread, returns at once and never blocks; its future finishes on any thread
// when the decision is durable (not when the homeserver has it). `userId` is always the host's own user id, and a call
// of another user is answered as NotFound. What becomes of it is told by CallService::noticed, in the kinds Negotiate,
// NegotiationFailed, MediaChanged, IdentityChanged, TransferRequested, TransferFailed and RejectedLocally.
// The structs that CallService passes never grow (they are released); what is new of them stands here.
#pragma once

#include <voiphost/calls.h>

namespace voiphost
{

// What of our own media the host's user has switched off. Both false in a new call.
struct Mute {
    bool audio = false;
    bool video = false;

    bool operator==(const Mute &) const = default;
};

// What the peer said last of its media (R84, R88), and whether it holds us: it wants nothing of ours (R77).
struct PeerMedia {
    bool audioMuted = false;
    bool videoMuted = false;
    bool held = false;

    bool operator==(const PeerMedia &) const = default;
};

// What a client can do (R93): whether it can be asked to call somebody else, whether it sends and takes DTMF.
struct Capabilities {
    bool transferee = false;
    bool dtmf = false;

    bool operator==(const Capabilities &) const = default;
};

// Who is on the line, as one side says of itself (R105): a claim that nobody has verified (R104). Empty: not said.
struct Identity {
    QString id;
    QString displayName;
    QString avatarUrl;

    bool operator==(const Identity &) const = default;
};

// The streams of an SDP as the host names them (R84), by the stream id of its msid:
//   {"<id>": {"purpose": "m.usermedia" | "m.screenshare", "audio_muted"?: bool, "video_muted"?: bool}}
// At most maxStreams, an id has 1..255 characters. Empty: the plugin takes them from the SDP, the first as
// m.usermedia, a later one with video as m.screenshare. An id that is not in the SDP is left out.
using StreamsJson = QJsonObject;
inline constexpr int maxStreams = 16;

struct FullPlaceRequest : PlaceRequest {
    StreamsJson streams;
    Capabilities capabilities;
};

struct AnswerRequest {
    QString sdp;
    StreamsJson streams;
    Capabilities capabilities;
};

enum class SdpType { Offer, Answer };

struct SessionDescription {
    SdpType type = SdpType::Offer;
    QString sdp;
    StreamsJson streams;
};

struct FullCall : Call {
    Mute muted;
    PeerMedia peerMedia;
    QString replaces;                 // the host's call id of the call that this one takes over (R102); empty: none
    std::optional<Identity> identity; // asserted by the peer
    Capabilities peerCapabilities;

    bool operator==(const FullCall &) const = default;
};

struct FullPlaced {
    FullCall call;
    bool repeated = false; // as in Placed
};

// How a ringing call is turned down.
enum class Decline {
    Reject, // everywhere: nobody else of this user rings on (R35)
    Busy,   // the user is in another call; the peer is told so (R46)
    Ignore, // for this phone only: nothing is sent, others of this user ring on (R35)
};

// The call to hand over to: exactly one is set.
struct TransferTarget {
    QString matrixUser; // blind: the peer calls this Matrix user
    QString callId;     // attended: the host's id of another live call of this user, whose peer takes over
};

class MidCall
{
public:
    virtual ~MidCall() = default;

    // CallService::place and answer with streams and capabilities. Codes: those of CallService.
    virtual QFuture<Expected<FullPlaced>> place(const QString &userId, const QString &conversationId,
                                                const FullPlaceRequest &request) = 0;
    virtual QFuture<Expected<FullCall>> answer(const QString &userId, const QString &callId,
                                               const AnswerRequest &request) = 0;
    // CallService::reject with a how. An ended call is not an error: it is answered as it is.
    virtual QFuture<Expected<FullCall>> decline(const QString &userId, const QString &callId, Decline how) = 0;

    // CallService::call, liveCalls and history with what is new of a call.
    virtual QFuture<Expected<FullCall>> fullCall(const QString &userId, const QString &callId) = 0;
    virtual QFuture<Expected<QList<FullCall>>> fullLiveCalls(const QString &userId) = 0;
    virtual QFuture<Expected<QList<FullCall>>> fullHistory(const QString &userId, int limit, const QString &before) = 0;

    // Codes of all below: CALL_NOT_FOUND, WRONG_STATE (the message names the state).

    // Offers anew in an answered call, or answers the offer of a Negotiate notice (R69..R77). The same description
    // again sends nothing new. Codes: INVALID_SDP, NEGOTIATION_COLLISION (their offer waits: roll back, answer it),
    // NO_OFFER (none of theirs waits, or its time is up), NOT_SUPPORTED_BY_PEER (a v0 client).
    virtual QFuture<Expected<FullCall>> negotiate(const QString &userId, const QString &callId,
                                                  const SessionDescription &description) = 0;
    // Tells the peer what the user has switched off (R88); at least one is set, one that is not stays as it is. The
    // host stops sending the media by itself. Codes: INVALID_FIELD.
    virtual QFuture<Expected<FullCall>> setMuted(const QString &userId, const QString &callId,
                                                 std::optional<bool> audio, std::optional<bool> video) = 0;
    // Asks the peer to go over into a call with somebody else (R100..R103). It ends with `transferred`, or a
    // TransferFailed notice comes. Codes: INVALID_USER, INVALID_FIELD, NOT_SUPPORTED_BY_PEER (it is no transferee),
    // TRANSFER_PENDING.
    virtual QFuture<Expected<FullCall>> transfer(const QString &userId, const QString &callId,
                                                 const TransferTarget &target) = 0;
    // Does what a TransferRequested notice asks for; also shortly after the call has ended. Mode "create": opens the
    // direct room with the target as CallService::openConversation does, places a call there, and answers with the new
    // call; its `replaces` names this one. Mode "await": the request may be empty, the answer is this call, and the
    // target's call comes as an Initiated notice. Codes: NO_TRANSFER, and those of openConversation and place.
    virtual QFuture<Expected<FullCall>> acceptTransfer(const QString &userId, const QString &callId,
                                                       const FullPlaceRequest &request) = 0;
    // Codes: NO_TRANSFER.
    virtual QFuture<Expected<FullCall>> rejectTransfer(const QString &userId, const QString &callId) = 0;
    // Tells the peer who is on the line now, nothing: that it is the user again (R105). Each text has at most 255
    // characters. Codes: INVALID_FIELD.
    virtual QFuture<Expected<FullCall>> assertIdentity(const QString &userId, const QString &callId,
                                                       const std::optional<Identity> &identity) = 0;
};

} // namespace voiphost

Q_DECLARE_INTERFACE(voiphost::MidCall, "org.novabridge.voiphost.MidCall/1")
