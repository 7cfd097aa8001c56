// SPDX-License-Identifier: Apache-2.0
// What a transition decides. Plain data: tests compare it, the shell commits it and only then performs it.
#pragma once

#include "call/input.h"

namespace voip::call
{

// --- to Matrix -------------------------------------------------------------------------------------------------
struct OutInvite {
    QString sdp;
    Millis lifetime = 0;
    QString invitee; // always set (R16)
    Streams streams = {};
    Capabilities can = {};
    QVector<Candidate> folded = {}; // to be written into the SDP (R50)
    bool operator==(const OutInvite &) const = default;
};
struct OutAnswer {
    QString sdp;
    Streams streams = {};
    Capabilities can = {};
    QVector<Candidate> folded = {};
    bool operator==(const OutAnswer &) const = default;
};
struct OutCandidates {
    QVector<Candidate> candidates;
    bool operator==(const OutCandidates &) const = default;
};
struct OutHangup {
    EndReason reason = EndReason::UserHangup;
    bool operator==(const OutHangup &) const = default;
};
struct OutReject {
    bool busy = false; // a caller that knows only rejections of a callee hears so why
    bool operator==(const OutReject &) const = default;
};
struct OutSelectAnswer {
    QString selectedPartyId;
    bool operator==(const OutSelectAnswer &) const = default;
};
struct OutNegotiate {
    SdpType type = SdpType::Offer;
    QString sdp;
    Millis lifetime = 0;
    Streams streams = {};
    Capabilities can = {};
    bool operator==(const OutNegotiate &) const = default;
};
struct OutStreams {
    Streams streams = {};
    bool operator==(const OutStreams &) const = default;
};
struct OutIdentity {
    std::optional<Identity> identity;
    bool operator==(const OutIdentity &) const = default;
};
struct OutReplaces {
    QString replacementId;
    QString newCallId;
    bool create = true;
    Identity target;
    Millis lifetime = 0;
    bool operator==(const OutReplaces &) const = default;
};
struct OutRejectReplacement {
    QString replacementId;
    bool operator==(const OutRejectReplacement &) const = default;
};
using OutContent = std::variant<OutInvite, OutAnswer, OutCandidates, OutHangup, OutReject, OutSelectAnswer,
                                OutNegotiate, OutStreams, OutIdentity, OutReplaces, OutRejectReplacement>;

struct Send {
    std::int64_t ref = 0;
    QString callId; // the host's
    QString roomId;
    QString matrixCallId;
    QString partyId;
    int version = 1; // of the call: a v0 peer reads no "1"-only events
    OutContent content;
    Millis notAfter = 0;      // not worth sending later than this; 0: always worth it
    bool hidePrivate = false; // R60: candidates in the SDP, too, are stripped of private addresses
    bool operator==(const Send &) const = default;
};
// Takes back what is not sent yet. If it is on its way already it counts as sent: therefore a hangup may follow. If the
// outbox never tried to send it, that hangup and all else of the call that waits behind it are not worth sending.
struct Unsend {
    std::int64_t ref = 0;
    QString callId;
    bool operator==(const Unsend &) const = default;
};
// Join the room (again is harmless), read its state into a RoomSnapshot, and deliver what was said there lately.
struct EnterRoom {
    QString roomId;
    bool operator==(const EnterRoom &) const = default;
};

// --- to the host -----------------------------------------------------------------------------------------------
struct NoteInitiated {
    QString sdp;
    Streams streams = {};
    Capabilities can = {};
    QVector<Candidate> folded = {}; // to be written into the SDP (R59)
    QString replaces = {};          // host call id, if it is the call that a transfer announced
    bool operator==(const NoteInitiated &) const = default;
};
struct NoteAnswered {
    QString sdp;
    Streams streams = {};
    Capabilities can = {};
    QVector<Candidate> folded = {};
    bool operator==(const NoteAnswered &) const = default;
};
struct NoteCandidates {
    QVector<Candidate> candidates;
    bool operator==(const NoteCandidates &) const = default;
};
struct NoteGlare {
    QString sdp;
    Streams streams = {};
    Capabilities can = {};
    QVector<Candidate> folded = {};
    bool operator==(const NoteGlare &) const = default;
};
struct NoteRejected {
    EndReason reason = EndReason::Rejected;
    bool operator==(const NoteRejected &) const = default;
};
struct NoteEnded {
    EndReason reason = EndReason::UserHangup;
    bool operator==(const NoteEnded &) const = default;
};
struct NoteUnavailable {
    QString reason; // a stable word: "homeserver_unreachable", "forbidden", "not_encrypted_yet"
    bool operator==(const NoteUnavailable &) const = default;
};
struct NoteNegotiate {
    SdpType type = SdpType::Offer;
    QString sdp;
    Streams streams = {};
    bool held = false;
    bool rollback = false; // their offer takes the place of the host's (R76)
    QVector<Candidate> folded = {};
    bool operator==(const NoteNegotiate &) const = default;
};
struct NoteNegotiationFailed { // the offer that is open, or the host's answer, is void; the call goes on (R73)
    QString reason;            // "timeout", or what the homeserver has against it
    bool operator==(const NoteNegotiationFailed &) const = default;
};
struct NoteMediaChanged {
    Streams streams = {};
    bool operator==(const NoteMediaChanged &) const = default;
};
struct NoteIdentity {
    std::optional<Identity> identity;
    bool operator==(const NoteIdentity &) const = default;
};
struct NoteTransferRequested {
    Identity target;
    bool create = true;
    Millis expiresIn = 0;
    bool operator==(const NoteTransferRequested &) const = default;
};
struct NoteTransferFailed {
    QString reason; // "rejected", "timeout", or how the new call ended
    bool operator==(const NoteTransferFailed &) const = default;
};
struct NoteRejectedLocally {
    LocalReason reason = LocalReason::Unimplemented;
    bool operator==(const NoteRejectedLocally &) const = default;
};
using NoteContent = std::variant<NoteInitiated, NoteAnswered, NoteCandidates, NoteGlare, NoteRejected, NoteEnded,
                                 NoteUnavailable, NoteNegotiate, NoteNegotiationFailed, NoteMediaChanged, NoteIdentity,
                                 NoteTransferRequested, NoteTransferFailed, NoteRejectedLocally>;

struct Notify {
    QString callId;
    QString conversationId;
    std::int64_t seq = 0; // by call, from 1
    QString peer;
    Media media;
    QString roomId;
    QString matrixCallId;
    QString partyId;
    NoteContent content;
    bool operator==(const Notify &) const = default;
};

// How a host action was taken. Exactly one for each host action.
struct Accepted {
    QString callId;
    bool operator==(const Accepted &) const = default;
};
enum class Refusal {
    UnknownCall,
    WrongState,
    Ringing,
    InProgress,
    UnknownRoom,
    NoPeer,
    NotJoined,
    Collision,       // their offer waits for an answer (R76)
    NoOffer,         // an answer, and no offer of theirs waits
    PeerCannot,      // a v0 peer (R69), or one that takes no transfers (R93)
    NoTransfer,      // none was asked for, or its time is over
    TransferPending, // one is under way
    TooMany,         // calls of the host's user within a minute, or on the line
};
struct Refused {
    Refusal why = Refusal::UnknownCall;
    QString callId;             // the call that stands in the way, if one does
    State state = State::Ended; // of that call
    Millis retryAfter = 0;      // TooMany: when it may work
    bool operator==(const Refused &) const = default;
};

// --- to observers ----------------------------------------------------------------------------------------------
// An event that changed nothing, and why; a stable word.
struct Drop {
    QString reason;
    QString eventId;
    bool operator==(const Drop &) const = default;
};

using Effect = std::variant<Send, Unsend, EnterRoom, Notify, Accepted, Refused, Drop>;

} // namespace voip::call
