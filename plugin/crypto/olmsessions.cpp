// SPDX-License-Identifier: Apache-2.0
#include "crypto/olmsessions.h"

#include "crypto/packing.h"

namespace voip::crypto
{

namespace
{

constexpr int recordVersion = 1;
constexpr std::size_t maxSessions = 5;
constexpr qsizetype maxUsedKeys = 16;
constexpr qint64 unwedgeEvery = 60LL * 60 * 1000;

} // namespace

OlmSessions::Peer *OlmSessions::peer(const QString &theirKey) const
{
    if (const auto found = m_live.constFind(theirKey); found != m_live.constEnd())
        return found->get();
    const RecordKey where{Kind::Olm, theirKey};
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
    return m_live.insert(theirKey, peer)->get();
}

OlmSessions::Peer &OlmSessions::peerOrNew(const QString &theirKey)
{
    if (Peer *known = peer(theirKey))
        return *known;
    return **m_live.insert(theirKey, std::make_shared<Peer>());
}

bool OlmSessions::has(const QString &theirKey) const
{
    const Peer *known = peer(theirKey);
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

Outcome<Done> OlmSessions::begin(Account &account, const QString &theirKey, const QString &oneTimeKey, bool isFallback,
                                 qint64 now, const Random &random)
{
    if (const Peer *known = peer(theirKey); known && !isFallback && known->usedKeys.contains(oneTimeKey))
        return Fault::BadKey;
    auto session = account.outbound(theirKey, oneTimeKey, random);
    if (!session)
        return session.error();
    Peer &made = peerOrNew(theirKey);
    made.usedKeys.push_front(oneTimeKey);
    made.usedKeys = made.usedKeys.mid(0, maxUsedKeys);
    put(made, {std::move(session).value(), now});
    return Done{};
}

Outcome<OlmMessage> OlmSessions::encrypt(const QString &theirKey, QByteArrayView plaintext, const Random &random)
{
    Peer *known = peer(theirKey);
    if (!known || known->sessions.empty())
        return Fault::BadKey;
    known->dirty = true;
    return known->sessions.front().session->encrypt(plaintext, random);
}

Outcome<Secret> OlmSessions::decrypt(Account &account, const QString &theirKey, const OlmMessage &message, qint64 now,
                                     bool &newSession)
{
    newSession = false;
    Fault fault = Fault::BadMessage;
    if (Peer *known = peer(theirKey)) {
        for (std::size_t i = 0; i < known->sessions.size(); ++i) {
            Session &session = *known->sessions[i].session;
            const bool meant = message.type != 0 || session.isFor(message, theirKey);
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
    auto session = account.inbound(message, theirKey);
    if (!session)
        return session.error();
    auto plain = session.value()->decrypt(message);
    if (!plain)
        return plain;
    account.spend(*session.value());
    newSession = true;
    put(peerOrNew(theirKey), {std::move(session).value(), now});
    return plain;
}

bool OlmSessions::mayUnwedge(const QString &theirKey, qint64 now) const
{
    const Peer *known = peer(theirKey);
    return !known || known->unwedgedAt == 0 || now - known->unwedgedAt >= unwedgeEvery;
}

void OlmSessions::noteUnwedged(const QString &theirKey, qint64 now)
{
    Peer &known = peerOrNew(theirKey);
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
