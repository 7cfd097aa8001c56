// SPDX-License-Identifier: Apache-2.0
// Optional, found by qobject_cast on the plugin's root object: the plugin's own session of a network account is
// verified by its owner from another session, and a person on the host's side says whether both show the same signs.
// Caller: host, on its own thread, between a finished start() and stop(). Nothing blocks; futures finish on any thread.
#pragma once

#include <voiphost/types.h>

#include <QFuture>
#include <QtPlugin>

namespace voiphost
{

enum class VerificationState {
    Waiting,   // the other session has asked; the signs are not there yet
    Compare,   // a person must compare: confirm or cancel
    Confirmed, // here; the other side has not yet
    Done,
    Cancelled,
};

struct Sign {       // one of seven
    QString symbol; // one emoji
    QString name;   // in English, as the network's specification calls it

    bool operator==(const Sign &) const = default;
};

struct PendingVerification {
    QString id;        // the plugin's own; letters and digits
    QString accountId; // on the network
    QString deviceId;  // the other session, that asks
    VerificationState state = VerificationState::Waiting;
    QList<Sign> signs;    // empty before Compare, and where the other side shows numbers only
    QList<int> numbers;   // three, from Compare on: the same in numbers
    qint64 expiresAt = 0; // it is given up then
    QString reason;       // cancelled: the code of the network's specification, which either side may have given

    bool operator==(const PendingVerification &) const = default;
};

class Verification
{
public:
    virtual ~Verification() = default;
    // Those of the last minutes, ended ones too. Empty for a plugin that runs on no account.
    virtual QFuture<Expected<QList<PendingVerification>>> verifications() = 0;
    // Both show the same. NotFound, or Conflict in another state than Compare. What becomes of it is in the list.
    virtual QFuture<Expected<Done>> confirmVerification(const QString &id) = 0;
    // In the state Compare: they differ. Before and after: it is not wanted. NotFound, or Conflict when it is over.
    virtual QFuture<Expected<Done>> cancelVerification(const QString &id) = 0;
};

[[nodiscard]] inline QString toString(VerificationState state)
{
    switch (state) {
    case VerificationState::Waiting:
        return QStringLiteral("waiting");
    case VerificationState::Compare:
        return QStringLiteral("compare");
    case VerificationState::Confirmed:
        return QStringLiteral("confirmed");
    case VerificationState::Done:
        return QStringLiteral("done");
    case VerificationState::Cancelled:
        return QStringLiteral("cancelled");
    }
    return {};
}

} // namespace voiphost

Q_DECLARE_INTERFACE(voiphost::Verification, "org.novabridge.voiphost.Verification/1")
