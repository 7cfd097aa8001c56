// SPDX-License-Identifier: Apache-2.0
// What the lanes of other workers tell their users, for phones that are connected here: reads each new notice from the
// store, in order and once, and keeps the board's copy of their live calls. Notices of lanes that are held here are
// told by the lanes themselves, and only noted. Never decides. Lives on the core thread; does nothing alone.
#pragma once

#include "effects/board.h"
#include "effects/leases.h"

#include <voiphost/calls.h>

namespace voip::effects
{

class Mirror : public QObject
{
    Q_OBJECT

public:
    using UserOf = std::function<QString(const QString &lane)>; // empty: nobody of ours
    Mirror(store::Store &store, Leases &leases, Board &board, UserOf userOf, QObject *parent = nullptr);

    // `then` is called once what was there is known.
    void start(const std::function<void()> &then);
    // A lane that is held has told this; or its partition is taken and it will.
    void told(const QString &lane, qint64 noticeId);
    // Tells what is new of these partitions, then calls `then`: before their lanes begin to tell by themselves.
    void settle(const QVector<int> &partitions, const std::function<void()> &then);

Q_SIGNALS:
    void noticed(const voiphost::CallNotice &notice);

private:
    void poll();
    void read(const QString &lane);
    void showCall(const QString &lane, const QString &callId, const QString &conversationId);

    store::Store &m_store;
    Leases &m_leases;
    Board &m_board;
    const UserOf m_userOf;
    QHash<QString, qint64> m_heads; // newest notice told, by lane
    QHash<QString, bool> m_reading; // lanes; whether there is more by now
    qint64 m_floor = 0;             // ids up to here are long committed
    qint64 m_nextFloor = 0;
    qint64 m_highest = 0;
    QTimer m_poll;
    QTimer m_raise;
};

} // namespace voip::effects
