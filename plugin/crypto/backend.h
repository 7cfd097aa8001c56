// SPDX-License-Identifier: Apache-2.0
// What the machine needs of an Olm and Megolm implementation. One implementation today (olmbackend.h); everything here
// is opaque so that another can take its place, and a pickle says whose it is. Nothing here is shared between threads:
// an object belongs to the lane of its device. Text is unpadded base64, and is checked before the library sees it. A
// failed decryption leaves a session as it was. Randomness is given; nothing draws by itself.
#pragma once

#include "crypto/outcome.h"
#include "crypto/secret.h"

#include <QHash>

#include <memory>

namespace voip::crypto
{

struct IdentityKeys {
    QString curve25519;
    QString ed25519;
    bool operator==(const IdentityKeys &) const = default;
};

struct OlmMessage {
    int type = 0; // 0: pre-key message, 1: normal
    QString body;
    bool operator==(const OlmMessage &) const = default;
};

struct MegolmPlain {
    Secret plaintext;
    quint32 index = 0; // for the replay guard (E14)
};

inline constexpr qsizetype maxPlaintext = 64LL * 1024; // an event has 65 536 bytes at most

class Session
{
public:
    virtual ~Session() = default;
    [[nodiscard]] virtual QString id() const = 0;
    // Whether a pre-key message of that device belongs to this session.
    [[nodiscard]] virtual bool isFor(const OlmMessage &message, const QString &senderKey) = 0;
    [[nodiscard]] virtual Outcome<OlmMessage> encrypt(QByteArrayView plaintext, const Random &random) = 0;
    [[nodiscard]] virtual Outcome<Secret> decrypt(const OlmMessage &message) = 0;
    [[nodiscard]] virtual Outcome<Secret> pickle() = 0;
};

class Account
{
public:
    virtual ~Account() = default;
    [[nodiscard]] virtual IdentityKeys identityKeys() const = 0;
    [[nodiscard]] virtual QString sign(QByteArrayView message) = 0; // with the device's Ed25519 key (E2)

    [[nodiscard]] virtual int maxOneTimeKeys() const = 0; // that the account can hold
    [[nodiscard]] virtual Outcome<Done> makeOneTimeKeys(int count, const Random &random) = 0;
    [[nodiscard]] virtual Outcome<Done> makeFallbackKey(const Random &random) = 0;
    // Key id -> Curve25519 key of those that markPublished() was not called for since.
    [[nodiscard]] virtual QHash<QString, QString> oneTimeKeys() = 0;
    [[nodiscard]] virtual QHash<QString, QString> fallbackKey() = 0;
    virtual void markPublished() = 0;
    virtual void forgetOldFallbackKey() = 0; // E4

    [[nodiscard]] virtual Outcome<std::unique_ptr<Session>>
    outbound(const QString &theirKey, const QString &theirOneTimeKey, const Random &random) = 0;
    // The one-time key of the message stays until spend(): only once the message is decrypted is it used up (E21).
    [[nodiscard]] virtual Outcome<std::unique_ptr<Session>> inbound(const OlmMessage &message,
                                                                    const QString &senderKey) = 0;
    virtual void spend(Session &session) = 0;
    [[nodiscard]] virtual Outcome<Secret> pickle() = 0;
};

class OutboundGroup
{
public:
    virtual ~OutboundGroup() = default;
    [[nodiscard]] virtual QString id() const = 0;
    [[nodiscard]] virtual quint32 index() const = 0; // of the next message
    [[nodiscard]] virtual Secret key() = 0;          // shared with others: what they read from `index` on
    [[nodiscard]] virtual Outcome<QString> encrypt(QByteArrayView plaintext) = 0;
    [[nodiscard]] virtual Outcome<Secret> pickle() = 0;
};

class InboundGroup
{
public:
    virtual ~InboundGroup() = default;
    [[nodiscard]] virtual QString id() const = 0;
    [[nodiscard]] virtual quint32 firstIndex() const = 0;
    [[nodiscard]] virtual Outcome<MegolmPlain> decrypt(const QString &ciphertext) = 0;
    [[nodiscard]] virtual Outcome<Secret> exportAt(quint32 index) = 0;
    [[nodiscard]] virtual Outcome<Secret> pickle() = 0;
};

// One side of a short authentication string: a key for once, and what is derived once the other side's is there.
class SasKeys
{
public:
    virtual ~SasKeys() = default;
    [[nodiscard]] virtual QString publicKey() const = 0;
    // BadKey: it is none, or one with which everybody agrees on the same secret.
    [[nodiscard]] virtual Outcome<Done> agree(const QString &theirKey) = 0;
    // Only after agree(). curve25519-hkdf-sha256; hkdf-hmac-sha256.v2.
    [[nodiscard]] virtual Outcome<QByteArray> bytes(QByteArrayView info, std::size_t size) = 0;
    [[nodiscard]] virtual Outcome<QString> mac(QByteArrayView message, QByteArrayView info) = 0;
};

// For whoever holds the private half of a Curve25519 key (m.megolm_backup.v1.curve25519-aes-sha2): says nothing of who
// made it, and its MAC covers no more than the specification of that algorithm has it cover.
struct PkMessage {
    QString ephemeral;
    QString ciphertext;
    QString mac;
};

class Backend
{
public:
    virtual ~Backend() = default;
    [[nodiscard]] virtual QString name() const = 0; // stands in each row beside the pickle
    [[nodiscard]] virtual int pickleFormat() const = 0;

    [[nodiscard]] virtual Outcome<std::unique_ptr<Account>> newAccount(const Random &random) = 0;
    [[nodiscard]] virtual Outcome<std::unique_ptr<OutboundGroup>> newOutbound(const Random &random) = 0;
    [[nodiscard]] virtual Outcome<std::unique_ptr<SasKeys>> newSas(const Random &random) = 0;
    // From the session_key of an m.room_key.
    [[nodiscard]] virtual Outcome<std::unique_ptr<InboundGroup>> inbound(const Secret &key) = 0;
    // From an export; less is known of where that came from.
    [[nodiscard]] virtual Outcome<std::unique_ptr<InboundGroup>> imported(const Secret &exported) = 0;

    // Of a Curve25519 key. BadKey: it has not 32 bytes.
    [[nodiscard]] virtual Outcome<QString> publicHalf(const Secret &privateKey) = 0;
    [[nodiscard]] virtual Outcome<PkMessage> encryptFor(const QString &publicKey, QByteArrayView plaintext,
                                                        const Random &random) = 0;

    [[nodiscard]] virtual Outcome<std::unique_ptr<Account>> accountFrom(const Secret &pickle) = 0;
    [[nodiscard]] virtual Outcome<std::unique_ptr<Session>> sessionFrom(const Secret &pickle) = 0;
    [[nodiscard]] virtual Outcome<std::unique_ptr<OutboundGroup>> outboundFrom(const Secret &pickle) = 0;
    [[nodiscard]] virtual Outcome<std::unique_ptr<InboundGroup>> inboundFrom(const Secret &pickle) = 0;
};

} // namespace voip::crypto
