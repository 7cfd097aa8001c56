// SPDX-License-Identifier: Apache-2.0
// Makes ghosts exist when they are first needed: registers, names, remembers. One registration in flight per ghost;
// everybody who asks meanwhile gets its result. What is remembered is only a saving (the store says it at start by
// markKnown): a wrong memory shows as Failure::ghostMissing(), then forget() and ensure() again. The client must not be
// gone while this is used. An account is no ghost: it exists, and its name is its own.
#pragma once

#include "client.h"
#include "retry.h"

#include <QHash>
#include <QSet>

namespace voip::homeserver
{

class GhostDirectory : public QObject
{
    Q_OBJECT

public:
    static constexpr std::chrono::milliseconds kPatience{30'000};    // with the registration, over all its tries
    static constexpr std::chrono::milliseconds kNamePatience{5'000}; // with the name: nobody should wait long for that

    explicit GhostDirectory(Client *client, QObject *parent = nullptr, std::chrono::milliseconds patience = kPatience);

    // -> true: this made the ghost; false: it existed. The display name is set before the answer, so that the first
    // invite shows it; if only the name fails, the ghost counts as made and a warning is logged. An empty name is
    // left alone. Answers later, once, and never after the directory is gone.
    void ensure(const QString &localpart, const QString &displayName, Reply<bool> reply);

    void markKnown(const QString &localpart) { m_known.insert(localpart); }
    void forget(const QString &localpart) { m_known.remove(localpart); }
    [[nodiscard]] bool isKnown(const QString &localpart) const { return m_known.contains(localpart); }

private:
    void registered(const QString &localpart, const QString &displayName, const Result<bool> &result);
    void settle(const QString &localpart, const Result<bool> &result);

    Client *m_client;
    Retrier *m_retrier;
    std::chrono::milliseconds m_patience;
    QSet<QString> m_known;
    QHash<QString, QVector<Reply<bool>>> m_waiting;
};

} // namespace voip::homeserver
