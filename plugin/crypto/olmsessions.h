// SPDX-License-Identifier: Apache-2.0
// The Olm sessions of one device of ours: several with each other device, the one that last received is used (E21).
// Nothing is kept of a message that cannot be decrypted. Whose a Curve25519 key is, is not known here. Each other
// device is one record.
#pragma once

#include "crypto/backend.h"
#include "crypto/records.h"

namespace voip::crypto
{

class OlmSessions
{
public:
    OlmSessions(Backend &backend, Records &records) : m_backend(backend), m_records(records) {}

    [[nodiscard]] bool has(const QString &theirKey) const;
    // Begins a session with a claimed key. A one-time key that began one before is refused: a homeserver hands each out
    // once (a fallback key may come again).
    [[nodiscard]] Outcome<Done> begin(Account &account, const QString &theirKey, const QString &oneTimeKey,
                                      bool isFallback, qint64 now, const Random &random);
    [[nodiscard]] Outcome<OlmMessage> encrypt(const QString &theirKey, QByteArrayView plaintext, const Random &random);
    // `newSession`: the message began one, and so the account changed.
    [[nodiscard]] Outcome<Secret> decrypt(Account &account, const QString &theirKey, const OlmMessage &message,
                                          qint64 now, bool &newSession);

    // E20: whether a new session may be begun because the old ones fail; at most once an hour for each device.
    [[nodiscard]] bool mayUnwedge(const QString &theirKey, qint64 now) const;
    void noteUnwedged(const QString &theirKey, qint64 now);

    [[nodiscard]] Outcome<Done> save();
    void revert() { m_live.clear(); }

private:
    struct One {
        std::unique_ptr<Session> session;
        qint64 used = 0;
    };
    struct Peer {
        std::vector<One> sessions; // the one to use first
        qint64 unwedgedAt = 0;
        QStringList usedKeys; // one-time keys that began a session here
        bool dirty = false;
    };
    [[nodiscard]] Peer *peer(const QString &theirKey) const;
    [[nodiscard]] Peer &peerOrNew(const QString &theirKey);
    static void put(Peer &peer, One one);

    Backend &m_backend;
    Records &m_records;
    mutable QHash<QString, std::shared_ptr<Peer>> m_live;
};

} // namespace voip::crypto
