// SPDX-License-Identifier: Apache-2.0
// The live calls of all bridged users as the host sees them, for questions that must be answered at once. Written by
// the lanes on the core thread after each commit, read from any thread. Never more than a copy of what is committed.
#pragma once

#include "call/call.h"
#include "observe/metrics.h"

#include <voiphost/midcall.h>

#include <QMap>
#include <QMutex>
#include <QSet>

namespace voip::effects
{

// A call of the core in the host's words.
[[nodiscard]] voiphost::FullCall toHost(const call::Call &call, const QString &conversationId);

class Board
{
public:
    explicit Board(observe::Metrics &metrics) : m_metrics(metrics) {}

    // Removes it when it is over. `ours`: its lane is held by this worker.
    void put(const QString &userId, const voiphost::FullCall &call, bool ours = true);
    // What was known of these users from others: their lane is taken over, and puts what is live.
    void forget(const QString &userId);
    // Another worker holds these users now.
    void disown(const QString &userId);
    [[nodiscard]] QList<voiphost::FullCall> live(const QString &userId) const;
    [[nodiscard]] QList<std::pair<QString, voiphost::FullCall>> all() const;
    [[nodiscard]] qsizetype size() const; // of ours

private:
    observe::Metrics &m_metrics;
    mutable QMutex m_lock;
    QMap<QString, std::pair<QString, voiphost::FullCall>> m_calls; // by call id, with the user's id
    QSet<QString> m_ours;                                          // call ids
};

} // namespace voip::effects
