// SPDX-License-Identifier: Apache-2.0
// The bridged user's own device: its account, its place in the user's cross-signing identity, and how far it is known
// to the homeserver. Gives the bodies of the requests that bring it up; the same body again until it was answered (E3).
// On an account that logs in (`given`), the device is there already, and the identity is not ours to make.
// One record.
#pragma once

#include "crypto/backend.h"
#include "crypto/records.h"
#include "crypto/signingkey.h"

#include <QJsonObject>

#include <optional>

namespace voip::crypto
{

class OwnDevice
{
public:
    enum class Stage {
        None,      // nothing is there
        Chosen,    // it has an id and keys, of which the homeserver knows nothing
        Made,      // the homeserver knows the device, and none of its keys
        Published, // device keys and first one-time keys are there
        Complete,  // the identity is there, too: others see a signed device
    };

    OwnDevice(Backend &backend, Records &records, QString user, QString given = {});

    // Reads the record. Fault: it is there and cannot be read (another root key, damage).
    // Other given device than the record's: nothing is there.
    [[nodiscard]] Outcome<Done> load();
    // A new device. The identity stays if there is one: others have seen it.
    [[nodiscard]] Outcome<Done> make(const Random &random);

    [[nodiscard]] bool isGiven() const { return !m_given.isEmpty(); }
    [[nodiscard]] Stage stage() const { return m_stage; }
    // A given device that must not be used any more: its state went back, or the homeserver deleted it.
    void spend();
    [[nodiscard]] bool isSpent() const { return m_spent; }
    void setStage(Stage stage);
    [[nodiscard]] const QString &id() const { return m_id; }
    [[nodiscard]] const QString &replaced() const { return m_replaced; } // device to be deleted at the homeserver
    void forgetReplaced();
    [[nodiscard]] const IdentityKeys &keys() const { return m_keys; }
    [[nodiscard]] Account &account() { return *m_account; }
    void touch() { m_dirty = true; } // the account changed
    // Where the masqueraded /sync goes on; empty: from the beginning.
    [[nodiscard]] const QString &since() const { return m_since; }
    void setSince(const QString &since);

    [[nodiscard]] const QJsonObject &deviceKeys() const
    {
        return m_deviceKeys;
    } // signed by the device and the identity
    [[nodiscard]] QString masterKey() const { return m_master.publicKey(); }
    [[nodiscard]] QJsonObject identityBody() const; // of keys/device_signing/upload

    // E3, E4: what the homeserver has left, as it says now. Makes new ones when they run short.
    [[nodiscard]] static bool isShort(int oneTimeKeys) { return oneTimeKeys < wantedOneTimeKeys / 2; }
    [[nodiscard]] Outcome<Done> supply(std::optional<int> oneTimeKeys, std::optional<bool> fallbackUnused, qint64 now,
                                       const Random &random);
    [[nodiscard]] bool hasKeysToUpload();
    [[nodiscard]] QJsonObject uploadBody(); // of keys/upload
    void uploaded();

    [[nodiscard]] Outcome<Done> save();
    [[nodiscard]] Outcome<Done> revert() { return load(); }

private:
    static constexpr int wantedOneTimeKeys = 50;
    void clear();
    [[nodiscard]] QJsonObject signedKey(const QString &key, bool fallback);
    [[nodiscard]] QJsonObject buildDeviceKeys();
    [[nodiscard]] QJsonObject crossSigningObject(const SigningKey &key, const QString &usage) const;

    Backend &m_backend;
    Records &m_records;
    const QString m_user;
    const QString m_given;
    Stage m_stage = Stage::None;
    QString m_id;
    QString m_replaced;
    QString m_since;
    IdentityKeys m_keys;
    std::unique_ptr<Account> m_account;
    SigningKey m_master;
    SigningKey m_selfSigning;
    SigningKey m_userSigning;
    QJsonObject m_deviceKeys;
    qint64 m_oldFallbackUntil = 0; // 0: there is none
    bool m_spent = false;
    bool m_dirty = false;
};

} // namespace voip::crypto
