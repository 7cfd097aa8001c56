// SPDX-License-Identifier: Apache-2.0
#include "crypto/olmsessions.h"

#include "crypto/packing.h"

#include <QSet>

#include <algorithm>

namespace voip::crypto
{

namespace
{

constexpr int recordVersion = 1;
constexpr std::size_t maxSessions = 5;
constexpr qsizetype maxUsedKeys = 16;
constexpr qsizetype maxPeersOfUser = 256;
constexpr qint64 unwedgeEvery = 60LL * 60 * 1000;

} // namespace

OlmSessions::Peer *OlmSessions::peer(const QString &key) const
{
    if (const auto found = m_live.constFind(key); found != m_live.constEnd())
        return found->get();
    const RecordKey where{Kind::Olm, key};
    if (!m_records.has(where))
        return nullptr;
    auto peer = std::make_shared<Peer>();
    if (const auto bytes = m_records.read(where)) {
        Unpacker unpacker(bytes->view(), recordVersion);
        peer->unwedgedAt = unpacker.number();
        for (qsizetype left = unpacker.count(maxUsedKeys); left > 0; --left)
            peer->usedKeys.push_back(unpacker.text());
        for (qsizetype left = unpacker.count(maxSessions); left > 0; --left) {
            const qint64 used = unpacker.number();
            // A damaged session is left out; the other side's next message begins a new one.
            if (auto session = m_backend.sessionFrom(unpacker.secret()))
                peer->sessions.push_back({std::move(session).value(), used});
        }
        if (!unpacker.good())
            peer = std::make_shared<Peer>();
    }
    return m_live.insert(key, peer)->get();
}

OlmSessions::Peer &OlmSessions::peerOrNew(const OlmPeer &who)
{
    if (Peer *known = peer(who.key()))
        return *known;
    makeRoom(who.user);
    return **m_live.insert(who.key(), std::make_shared<Peer>());
}

void OlmSessions::makeRoom(const QString &user)
{
    const QStringList written = m_records.keys(Kind::Olm);
    QSet<QString> keys(written.begin(), written.end());
    for (auto it = m_live.constBegin(); it != m_live.constEnd(); ++it)
        keys.insert(it.key());
    keys.removeIf([&user](const QString &key) {
        return key.lastIndexOf(QLatin1Char(' ')) != user.size() || !key.startsWith(user);
    });
    if (keys.size() < maxPeersOfUser)
        return;
    const auto usedAt = [this](const QString &key) {
        const Peer *known = peer(key);
        return known && !known->sessions.empty() ? known->sessions.front().used : 0;
    };
    const auto oldest =
        std::min_element(keys.cbegin(), keys.cend(),
                         [&usedAt](const QString &one, const QString &other) { return usedAt(one) < usedAt(other); });
    m_records.remove({Kind::Olm, *oldest});
    m_live.remove(*oldest);
}

bool OlmSessions::has(const OlmPeer &who) const
{
    const Peer *known = peer(who.key());
    return known && !known->sessions.empty();
}

// In front; the one that was used longest ago goes.
void OlmSessions::put(Peer &peer, One one)
{
    peer.sessions.insert(peer.sessions.begin(), std::move(one));
    if (peer.sessions.size() > maxSessions)
        peer.sessions.pop_back();
    peer.dirty = true;
}

Outcome<Done> OlmSessions::begin(Account &account, const OlmPeer &who, const QString &oneTimeKey, bool isFallback,
                                 qint64 now, const Random &random)
{
    if (const Peer *known = peer(who.key()); known && !isFallback && known->usedKeys.contains(oneTimeKey))
        return Fault::BadKey;
    auto session = account.outbound(who.curve25519, oneTimeKey, random);
    if (!session)
        return session.error();
    Peer &made = peerOrNew(who);
    made.usedKeys.push_front(oneTimeKey);
    made.usedKeys = made.usedKeys.mid(0, maxUsedKeys);
    put(made, {std::move(session).value(), now});
    return Done{};
}

Outcome<OlmMessage> OlmSessions::encrypt(const OlmPeer &who, QByteArrayView plaintext, const Random &random)
{
    Peer *known = peer(who.key());
    if (!known || known->sessions.empty())
        return Fault::BadKey;
    known->dirty = true;
    return known->sessions.front().session->encrypt(plaintext, random);
}

Outcome<Secret> OlmSessions::decrypt(Account &account, const OlmPeer &who, const OlmMessage &message, qint64 now,
                                     bool &newSession)
{
    newSession = false;
    Fault fault = Fault::BadMessage;
    if (Peer *known = peer(who.key())) {
        for (std::size_t i = 0; i < known->sessions.size(); ++i) {
            Session &session = *known->sessions[i].session;
            const bool meant = message.type != 0 || session.isFor(message, who.curve25519);
            if (!meant)
                continue;
            auto plain = session.decrypt(message);
            if (plain) {
                One used = std::move(known->sessions[i]);
                used.used = now;
                known->sessions.erase(known->sessions.begin() + static_cast<std::ptrdiff_t>(i));
                put(*known, std::move(used));
                return plain;
            }
            fault = plain.error();
            if (message.type == 0)
                return fault; // it is that session's, and no other can have it
        }
    }
    if (message.type != 0)
        return fault;
    auto session = account.inbound(message, who.curve25519);
    if (!session)
        return session.error();
    auto plain = session.value()->decrypt(message);
    if (!plain)
        return plain;
    account.spend(*session.value());
    newSession = true;
    put(peerOrNew(who), {std::move(session).value(), now});
    return plain;
}

bool OlmSessions::mayUnwedge(const OlmPeer &who, qint64 now) const
{
    const Peer *known = peer(who.key());
    return !known || known->unwedgedAt == 0 || now - known->unwedgedAt >= unwedgeEvery;
}

void OlmSessions::noteUnwedged(const OlmPeer &who, qint64 now)
{
    Peer &known = peerOrNew(who);
    known.unwedgedAt = now;
    known.dirty = true;
}

Outcome<Done> OlmSessions::save()
{
    for (auto it = m_live.begin(); it != m_live.end(); ++it) {
        Peer &peer = **it;
        if (!peer.dirty)
            continue;
        Packer packer(recordVersion);
        packer.number(peer.unwedgedAt).number(peer.usedKeys.size());
        for (const QString &key : std::as_const(peer.usedKeys))
            packer.text(key);
        packer.number(static_cast<qint64>(peer.sessions.size()));
        for (const One &one : peer.sessions) {
            const auto pickle = one.session->pickle();
            if (!pickle)
                return pickle.error();
            packer.number(one.used).secret(pickle->view());
        }
        m_records.write({Kind::Olm, it.key()}, packer.take());
        peer.dirty = false;
    }
    return Done{};
}

} // namespace voip::crypto
