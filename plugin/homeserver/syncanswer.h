// SPDX-License-Identifier: Apache-2.0
// What an answer of /sync says, as far as calls are concerned. Total and pure: any JSON is fine. Only next_batch must
// be right, or the answer is a BadAnswer; of the rest what has a wrong shape or is of no use is left out and counted,
// so that one odd room cannot stop the others.
#pragma once

#include "answer.h"

#include <QStringList>

namespace voip::homeserver
{

enum class Invitations { Direct, All, None }; // which of them the account follows

struct SyncReading {
    QString account;   // whose /sync it is
    QString deviceId;  // and which of its devices
    QString since;     // what was asked with
    QStringList types; // exact, or a prefix when it ends with '*'
    Invitations invitations = Invitations::Direct;
};

struct SyncRoom {
    QString id;
    QVector<QJsonObject> state;    // as it was before the timeline
    QVector<QJsonObject> timeline; // oldest first
    QString gapBefore;             // where /messages goes back from; empty: nothing is missing
};

struct SyncAnswer {
    QString nextBatch;
    QVector<SyncRoom> rooms; // an invitation is a room with one membership event
    QVector<QJsonObject> toDevice;
    QJsonObject deviceLists;
    QJsonObject oneTimeKeyCounts;       // {user: {device: {algorithm: n}}}
    QJsonObject unusedFallbackKeyTypes; // {user: {device: [algorithm]}}
    int leftOut = 0;                    // of a wrong shape
};

[[nodiscard]] Result<SyncAnswer> readSync(const QJsonObject &answer, const SyncReading &reading);

// Events of one room from any answer, with the room's id set: those of the wanted types. Counts what has no shape.
[[nodiscard]] QVector<QJsonObject> roomEvents(const QJsonValue &array, const QString &roomId, const QStringList &types,
                                              int *leftOut);

// For the query: only what calls need. `first`: the place alone, and invitations that are waiting.
[[nodiscard]] QJsonObject syncFilter(const QStringList &types, int timelineLimit, bool first);

// Changes unsigned.age: what has passed since the homeserver said it, or (below 0) until it did. Never below 0.
[[nodiscard]] QJsonObject aged(QJsonObject event, qint64 byMs);

} // namespace voip::homeserver
