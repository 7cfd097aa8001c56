// SPDX-License-Identifier: Apache-2.0
// Keeps the timelines of live calls and of the last ones that ended, in memory and bounded, in the form that
// voip-replay reads: a header with the room as it was, then every input that touched the call and what came of it.
// Lives on the core thread. Never decides; what it hands out has its SDP cut out unless asked for.
#pragma once

#include "call/transition.h"

#include <QByteArray>
#include <QHash>
#include <QJsonObject>
#include <QQueue>

namespace voip::replay
{

// One transition as it happened.
struct Recorded {
    const call::Line &before;
    const call::Step &step;
    const call::Now &now;
    const call::Input &input;
    QVector<QJsonObject> events; // of a MatrixBatch: as they were read
    call::Millis receivedAt = 0;
};

class Recorder
{
public:
    explicit Recorder(qsizetype maxBytes = qsizetype(32) * 1024 * 1024) : m_maxBytes(maxBytes) {}

    void record(const Recorded &recorded);
    // A line beside the inputs, in the timelines of the line's live calls of that room.
    void remark(const call::Line &line, const QString &roomId, const QJsonObject &what);
    // JSON lines; empty: no timeline of this call is kept.
    [[nodiscard]] QByteArray timeline(const QString &lane, const QString &callId, bool withSdp) const;

private:
    struct Timeline {
        QVector<QByteArray> lines;
        qsizetype bytes = 0;
        bool over = false;
        bool cut = false; // grew too long: later lines are missing
    };
    using Key = std::pair<QString, QString>; // lane, host call id

    void add(Timeline &timeline, const QByteArray &text);
    void forget(const Key &key);
    void makeRoom();

    const qsizetype m_maxBytes; // of all; those that are over make room for live ones
    QHash<Key, Timeline> m_timelines;
    QQueue<Key> m_over;    // in the order in which they ended
    qsizetype m_bytes = 0; // of all
};

} // namespace voip::replay
