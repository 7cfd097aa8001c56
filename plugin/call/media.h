// SPDX-License-Identifier: Apache-2.0
// What the two sides say of their media beside the SDP: streams and their purposes (R84..R90), mute, what a client can
// do (R93), who is really on the line (R105). Value types only.
#pragma once

#include <QString>
#include <QVector>

namespace voip::call
{

struct Media {
    bool audio = true;
    bool video = false;

    bool operator==(const Media &) const = default;
};

enum class Purpose {
    Usermedia,
    Screenshare,
    Ignored, // not in the metadata, of a purpose that nobody knows, or not the first of a peer without metadata (R85,
             // R86)
};

struct Stream {
    QString id; // the SDP's msid: clients look it up in the metadata
    Purpose purpose = Purpose::Usermedia;
    bool hasAudio = false;
    bool hasVideo = false;
    bool audioMuted = false;
    bool videoMuted = false;
    bool listed = true; // by the metadata that came with the description; only told to renewedBy()

    [[nodiscard]] bool used() const { return purpose != Purpose::Ignored && (hasAudio || hasVideo); }
    bool operator==(const Stream &) const = default;
};
using Streams = QVector<Stream>; // in the order of the SDP

struct Mute {
    bool audio = false;
    bool video = false;

    bool operator==(const Mute &) const = default;
};

struct Capabilities {
    bool transferee = false;
    bool dtmf = false;

    bool operator==(const Capabilities &) const = default;
};

// Claims, never verified (R104, R105). Empty: not said.
struct Identity {
    QString id;
    QString displayName;
    QString avatarUrl;

    bool operator==(const Identity &) const = default;
};

// What they last said of themselves: the first stream that is no screen.
[[nodiscard]] Mute muteOf(const Streams &streams);
// The same streams with our mute laid over the ones that are no screen; a track that is not there counts as muted.
[[nodiscard]] Streams withMute(Streams streams, const Mute &mute);
// Their metadata changed without a new SDP (R88). What it does not list stays as it was: js-sdk merges what is said of
// streams over the whole call, and counts on it (it shares a screen again under the first share's stream id).
[[nodiscard]] Streams changedBy(Streams streams, const Streams &listed);
// A new description of theirs: its streams, each with the purpose that was said now or earlier in the call. Those that
// are gone are remembered without tracks.
[[nodiscard]] Streams renewedBy(const Streams &before, Streams now);

} // namespace voip::call
