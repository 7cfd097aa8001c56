// SPDX-License-Identifier: Apache-2.0
// The Olm sessions of one device of ours: several with each other device, the one that last received is used (E21).
// Nothing is kept of a message that cannot be decrypted. Whether a user has the device of a Curve25519 key is not known
// here: sessions belong to the key and to the user who says that it is theirs, so that who copies somebody else's key
// into a list of devices gets sessions of their own. Each such device is one record; a user who shows us too many loses
// the one that was used longest ago.
#pragma once

#include "crypto/backend.h"
#include "crypto/records.h"

namespace voip::crypto
{

struct OlmPeer {
    QString user; // who says so
    QString curve25519;
    // User ids hold no blank that we would take for ours: a key has none, and stands last.
    [[nodiscard]] QString key() const { return user + QLatin1Char(' ') + curve25519; }
};

class OlmSessions
{
public:
    OlmSessions(Backend &backend, Records &records) : m_backend(backend), m_records(records) {}

    [[nodiscard]] bool has(const OlmPeer &who) const;
    // Begins a session with a claimed key. A one-time key that began one before is refused: a homeserver hands each out
    // once (a fallback key may come again).
    [[nodiscard]] Outcome<Done> begin(Account &account, const OlmPeer &who, const QString &oneTimeKey, bool isFallback,
                                      qint64 now, const Random &random);
    [[nodiscard]] Outcome<OlmMessage> encrypt(const OlmPeer &who, QByteArrayView plaintext, const Random &random);
    // `newSession`: the message began one, and so the account changed.
    [[nodiscard]] Outcome<Secret> decrypt(Account &account, const OlmPeer &who, const OlmMessage &message, qint64 now,
                                          bool &newSession);

    // E20: whether a new session may be begun because the old ones fail; at most once an hour for each device.
    [[nodiscard]] bool mayUnwedge(const OlmPeer &who, qint64 now) const;
    void noteUnwedged(const OlmPeer &who, qint64 now);

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
    [[nodiscard]] Peer *peer(const QString &key) const;
    [[nodiscard]] Peer &peerOrNew(const OlmPeer &who);
    void makeRoom(const QString &user);
    static void put(Peer &peer, One one);

    Backend &m_backend;
    Records &m_records;
    mutable QHash<QString, std::shared_ptr<Peer>> m_live;
};

} // namespace voip::crypto
