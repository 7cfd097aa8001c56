// SPDX-License-Identifier: Apache-2.0
// Everything that can happen to a line, by sender.
//   the homeserver: MatrixBatch (call events and what concerns rooms), RoomSnapshot (asked for after a join)
//   the host:       Place, Answer, AddCandidates, ReportMedia, Negotiate, SetMute, Reject, End,
//                   TransferCall, AcceptTransfer, RejectTransfer, AssertIdentity
//   the outbox:     Sent, SendFailed
//   the clock:      Tick (only moves time), Restart (the process came back with what was committed)
// Before any of them, what is due by then fires.
#pragma once

#include "call/line.h"

#include <variant>

namespace voip::call
{

// What every Matrix event says of itself. `age` is at `receivedAt`: time since the event was sent, by the
// homeserver's clock (R25, R26).
struct EventHead {
    QString eventId;
    QString roomId;
    QString sender;
    Millis age = 0;
    Millis receivedAt = 0;

    bool operator==(const EventHead &) const = default;
};

// The envelope of every m.call event (R1..R4). The party id of a v0 event is dropped on reading (R11).
struct CallHead : EventHead {
    QString callId;
    QString partyId;
    int version = 1;

    [[nodiscard]] Party party() const { return {sender, partyId}; }
    bool operator==(const CallHead &) const = default;
};

struct InviteEvent : CallHead {
    QString sdp;
    Millis lifetime = 0;
    std::optional<QString> invitee;
    Media media;
    Streams streams = {}; // of the SDP, with what the metadata says of them
    Capabilities can = {};
    bool operator==(const InviteEvent &) const = default;
};
struct AnswerEvent : CallHead {
    QString sdp;
    Streams streams = {};
    Capabilities can = {};
    bool operator==(const AnswerEvent &) const = default;
};
struct CandidatesEvent : CallHead {
    QVector<Candidate> candidates;
    bool operator==(const CandidatesEvent &) const = default;
};
struct HangupEvent : CallHead {
    EndReason reason = EndReason::UserHangup;
    bool operator==(const HangupEvent &) const = default;
};
struct RejectEvent : CallHead {
    bool operator==(const RejectEvent &) const = default;
};
struct SelectAnswerEvent : CallHead {
    QString selectedPartyId; // empty: ignored (R45)
    bool operator==(const SelectAnswerEvent &) const = default;
};
enum class SdpType { Offer, Answer };
struct NegotiateEvent : CallHead {
    SdpType type = SdpType::Offer;
    QString sdp;
    Millis lifetime = 0;
    Media media; // what the description leaves active
    Streams streams = {};
    std::optional<Capabilities> can = {}; // if it says so
    std::optional<bool> held;             // whether nothing of ours is wanted (R77); nothing: it does not say
    bool operator==(const NegotiateEvent &) const = default;
};
struct StreamsEvent : CallHead { // sdp_stream_metadata_changed
    Streams listed;
    bool operator==(const StreamsEvent &) const = default;
};
struct IdentityEvent : CallHead { // asserted_identity
    std::optional<Identity> identity;
    bool operator==(const IdentityEvent &) const = default;
};
struct ReplacesEvent : CallHead {
    QString replacementId;
    QString newCallId; // of create_call or await_call
    bool create = true;
    Identity target;
    std::optional<Millis> lifetime;
    bool operator==(const ReplacesEvent &) const = default;
};
struct RejectReplacementEvent : CallHead {
    QString replacementId;
    bool operator==(const RejectReplacementEvent &) const = default;
};
enum class LocalReason { Unimplemented, UnsupportedProtocol, NeedsMatrixRtc, Unwanted };
[[nodiscard]] QString toString(LocalReason reason);
[[nodiscard]] LocalReason localReasonFromText(const QString &text); // one that nobody knows is Unimplemented
struct RejectLocallyEvent : CallHead {                              // R106
    LocalReason reason = LocalReason::Unimplemented;
    bool operator==(const RejectLocallyEvent &) const = default;
};
struct MemberEvent : EventHead {
    QString user;
    Membership membership = Membership::Leave;
    bool operator==(const MemberEvent &) const = default;
};
struct JoinRuleEvent : EventHead {
    JoinRule rule = JoinRule::Invite;
    bool operator==(const JoinRuleEvent &) const = default;
};
struct EncryptionEvent : EventHead {
    bool operator==(const EncryptionEvent &) const = default;
};
// An event that could not be used; `reason` is a stable word for counters ("bad_id", "undecryptable").
struct UnusableEvent : EventHead {
    QString reason;
    bool operator==(const UnusableEvent &) const = default;
};

using MatrixEvent = std::variant<InviteEvent, AnswerEvent, CandidatesEvent, HangupEvent, RejectEvent, SelectAnswerEvent,
                                 NegotiateEvent, StreamsEvent, IdentityEvent, ReplacesEvent, RejectReplacementEvent,
                                 RejectLocallyEvent, MemberEvent, JoinRuleEvent, EncryptionEvent, UnusableEvent>;

// One homeserver transaction as far as it concerns this line. Nothing is signalled until all of it is seen (R28).
struct MatrixBatch {
    QVector<MatrixEvent> events;
    bool operator==(const MatrixBatch &) const = default;
};

// A room's state as the homeserver tells it now.
struct RoomSnapshot {
    QString roomId;
    QMap<QString, Membership> members;
    JoinRule joinRule = JoinRule::Invite;
    bool encrypted = false;
    bool operator==(const RoomSnapshot &) const = default;
};

struct Place {
    QString callId; // the host's, fresh
    QString roomId;
    QString sdp;
    Media media;
    Streams streams = {}; // of the SDP
    Capabilities can = {};
    bool operator==(const Place &) const = default;
};
struct Answer {
    QString callId;
    QString sdp;
    Streams streams = {};
    Capabilities can = {};
    bool operator==(const Answer &) const = default;
};
struct AddCandidates {
    QString callId;
    QVector<Candidate> candidates;
    bool operator==(const AddCandidates &) const = default;
};
enum class MediaReport { Connected, Disconnected, Failed };
struct ReportMedia {
    QString callId;
    MediaReport report = MediaReport::Connected;
    bool operator==(const ReportMedia &) const = default;
};
struct Negotiate {
    QString callId;
    SdpType type = SdpType::Offer;
    QString sdp;
    Media media;
    Streams streams = {};
    bool operator==(const Negotiate &) const = default;
};
struct SetMute { // what is not said stays as it is
    QString callId;
    std::optional<bool> audio;
    std::optional<bool> video;
    bool operator==(const SetMute &) const = default;
};
// How the host's user turns a call down: everywhere, as busy, or for himself only while others ring on (R35, R46).
enum class Decline { Reject, Busy, Ignore };
struct Reject {
    QString callId;
    Decline how = Decline::Reject;
    bool operator==(const Reject &) const = default;
};
struct End {
    QString callId;
    EndReason reason = EndReason::UserHangup;
    bool operator==(const End &) const = default;
};

// Hand the call over: to a Matrix user, or to the peer of another call of ours (attended). One of the two is set.
struct TransferCall {
    QString callId;
    QString targetUser;
    QString targetCall;
    bool operator==(const TransferCall &) const = default;
};
// Do what the peer asked with m.call.replaces: call the target in `roomId`. To an await_call there is nothing to place.
struct AcceptTransfer {
    QString callId;
    Place place;
    bool operator==(const AcceptTransfer &) const = default;
};
struct RejectTransfer {
    QString callId;
    bool operator==(const RejectTransfer &) const = default;
};
struct AssertIdentity {
    QString callId;
    std::optional<Identity> identity;
    bool operator==(const AssertIdentity &) const = default;
};

struct Sent {
    std::int64_t ref = 0;
    QString callId;
    QString eventId;
    bool operator==(const Sent &) const = default;
};
// The outbox repeats what is transient by itself; the core only tells the host that Matrix does not carry the call
// now. What is permanent ends the call, with a hangup if the other side has its invite.
struct SendFailed {
    std::int64_t ref = 0;
    QString callId;
    QString code;
    bool transient = false;
    bool operator==(const SendFailed &) const = default;
};

struct Tick {
    bool operator==(const Tick &) const = default;
};
struct Restart {
    bool hostLives = false; // only the lane has moved: who rang still rings, media and the host's word go on (R68)
    bool operator==(const Restart &) const = default;
};

using Input =
    std::variant<MatrixBatch, RoomSnapshot, Place, Answer, AddCandidates, ReportMedia, Negotiate, SetMute, Reject, End,
                 TransferCall, AcceptTransfer, RejectTransfer, AssertIdentity, Sent, SendFailed, Tick, Restart>;

} // namespace voip::call
