// SPDX-License-Identifier: Apache-2.0
#include "crypto/owndevice.h"

#include "crypto/packing.h"
#include "crypto/signature.h"

#include <QJsonArray>

#include <algorithm>
#include <array>

namespace voip::crypto
{

namespace
{

constexpr int recordVersion = 1;
constexpr qint64 oldFallbackLife = 60LL * 60 * 1000; // E4
constexpr qint64 saidTooLate = 60'000;               // that a fallback key was used: it may have been the one before
constexpr int idLength = 10;

const RecordKey place{Kind::Device, {}};

Outcome<QString> drawId(const Random &random)
{
    std::array<char, idLength> bytes{};
    if (!random(bytes))
        return Fault::NoRandomness;
    QString id;
    for (const char byte : bytes)
        id += QLatin1Char(static_cast<char>('A' + static_cast<unsigned char>(byte) % 26));
    return id;
}

QString signedBy(const SigningKey &key, const QJsonObject &object)
{
    const auto part = signedPartOf(object);
    return part ? key.sign(*part) : QString();
}

} // namespace

OwnDevice::OwnDevice(Backend &backend, Records &records, QString user, QString given)
    : m_backend(backend), m_records(records), m_user(std::move(user)), m_given(std::move(given))
{
}

Outcome<Done> OwnDevice::load()
{
    clear();
    m_dirty = false;
    if (!m_records.has(place))
        return Done{};
    const auto bytes = m_records.read(place);
    if (!bytes)
        return bytes.error();
    Unpacker unpacker(bytes->view(), recordVersion);
    const QString backend = unpacker.text();
    const qint64 format = unpacker.number();
    const qint64 stage = unpacker.number();
    m_id = unpacker.text();
    m_replaced = unpacker.text();
    m_since = unpacker.text();
    m_oldFallbackUntil = unpacker.number();
    m_spent = unpacker.flag();
    const Secret pickle = unpacker.secret();
    for (SigningKey *key : {&m_master, &m_selfSigning, &m_userSigning}) {
        Secret seed = unpacker.secret();
        if (isGiven() && seed.isEmpty())
            continue;
        auto read = SigningKey::fromSeed(std::move(seed));
        if (!read)
            return Fault::BadPickle;
        *key = std::move(read).value();
    }
    if (!unpacker.good() || backend != m_backend.name() || format != m_backend.pickleFormat() ||
        stage < static_cast<int>(Stage::None) || stage > static_cast<int>(Stage::Complete))
        return Fault::BadPickle;
    if (isGiven() && m_id != m_given) { // of an earlier login
        clear();
        return Done{};
    }
    auto account = m_backend.accountFrom(pickle);
    if (!account)
        return account.error();
    m_account = std::move(account).value();
    m_keys = m_account->identityKeys();
    m_deviceKeys = buildDeviceKeys();
    m_stage = static_cast<Stage>(stage);
    return Done{};
}

Outcome<Done> OwnDevice::make(const Random &random)
{
    auto id = drawId(random);
    auto account = m_backend.newAccount(random);
    if (!id || !account)
        return !id ? id.error() : account.error();
    if (isGiven())
        id = m_given;
    if (m_master.publicKey().isEmpty() && !isGiven()) {
        for (SigningKey *key : {&m_master, &m_selfSigning, &m_userSigning}) {
            auto made = SigningKey::make(random);
            if (!made)
                return made.error();
            *key = std::move(made).value();
        }
    }
    if (m_stage >= Stage::Made && !isGiven())
        m_replaced = m_id;
    m_id = *id;
    m_account = std::move(account).value();
    m_keys = m_account->identityKeys();
    m_deviceKeys = buildDeviceKeys();
    m_since.clear();
    m_oldFallbackUntil = 0;
    setStage(isGiven() ? Stage::Made : Stage::Chosen);
    if (const auto made = m_account->makeOneTimeKeys(wantedOneTimeKeys, random); !made)
        return made;
    return m_account->makeFallbackKey(random);
}

void OwnDevice::clear()
{
    m_stage = Stage::None;
    m_spent = false;
    m_account.reset();
    m_deviceKeys = {};
    m_id.clear();
    m_replaced.clear();
    m_since.clear();
    m_oldFallbackUntil = 0;
}

void OwnDevice::spend()
{
    m_spent = true;
    setStage(Stage::None);
}

void OwnDevice::setStage(Stage stage)
{
    m_stage = stage;
    touch();
}

void OwnDevice::forgetReplaced()
{
    m_replaced.clear();
    touch();
}

void OwnDevice::setSince(const QString &since)
{
    if (m_since == since)
        return;
    m_since = since;
    touch();
}

QJsonObject OwnDevice::buildDeviceKeys()
{
    const QString keyId = QStringLiteral("ed25519:") + m_id;
    QJsonObject keys{{QStringLiteral("user_id"), m_user},
                     {QStringLiteral("device_id"), m_id},
                     {QStringLiteral("algorithms"), QJsonArray{QStringLiteral("m.olm.v1.curve25519-aes-sha2"),
                                                               QStringLiteral("m.megolm.v1.aes-sha2")}},
                     {QStringLiteral("keys"),
                      QJsonObject{{QStringLiteral("curve25519:") + m_id, m_keys.curve25519}, {keyId, m_keys.ed25519}}}};
    const auto part = signedPartOf(keys);
    if (!part)
        return {};
    keys = withSignature(keys, m_user, keyId, m_account->sign(*part));
    return isGiven() ? keys : withSignature(keys, m_user, m_selfSigning.keyId(), m_selfSigning.sign(*part));
}

QJsonObject OwnDevice::crossSigningObject(const SigningKey &key, const QString &usage) const
{
    const QJsonObject object{{QStringLiteral("user_id"), m_user},
                             {QStringLiteral("usage"), QJsonArray{usage}},
                             {QStringLiteral("keys"), QJsonObject{{key.keyId(), key.publicKey()}}}};
    if (&key == &m_master)
        return object;
    return withSignature(object, m_user, m_master.keyId(), signedBy(m_master, object));
}

QJsonObject OwnDevice::identityBody() const
{
    return {{QStringLiteral("master_key"), crossSigningObject(m_master, QStringLiteral("master"))},
            {QStringLiteral("self_signing_key"), crossSigningObject(m_selfSigning, QStringLiteral("self_signing"))},
            {QStringLiteral("user_signing_key"), crossSigningObject(m_userSigning, QStringLiteral("user_signing"))}};
}

Outcome<Done> OwnDevice::supply(std::optional<int> oneTimeKeys, std::optional<bool> fallbackUnused, qint64 now,
                                const Random &random)
{
    if (m_oldFallbackUntil > 0 && now >= m_oldFallbackUntil) {
        m_account->forgetOldFallbackKey();
        m_oldFallbackUntil = 0;
        touch();
    }
    if (m_stage < Stage::Published || hasKeysToUpload())
        return Done{}; // what is under way comes first
    if (oneTimeKeys && isShort(*oneTimeKeys)) {
        touch();
        if (const auto made = m_account->makeOneTimeKeys(wantedOneTimeKeys - std::max(0, *oneTimeKeys), random); !made)
            return made;
    }
    const bool fresh = m_oldFallbackUntil > 0 && now < m_oldFallbackUntil - oldFallbackLife + saidTooLate;
    if (fallbackUnused && !*fallbackUnused && !fresh) {
        touch();
        m_oldFallbackUntil = now + oldFallbackLife;
        return m_account->makeFallbackKey(random);
    }
    return Done{};
}

bool OwnDevice::hasKeysToUpload()
{
    return !m_account->oneTimeKeys().isEmpty() || !m_account->fallbackKey().isEmpty();
}

QJsonObject OwnDevice::signedKey(const QString &key, bool fallback)
{
    QJsonObject object{{QStringLiteral("key"), key}};
    if (fallback)
        object.insert(QStringLiteral("fallback"), true);
    const auto part = signedPartOf(object);
    if (!part)
        return {};
    return withSignature(object, m_user, QStringLiteral("ed25519:") + m_id, m_account->sign(*part));
}

QJsonObject OwnDevice::uploadBody()
{
    const auto all = [this](const QHash<QString, QString> &keys, bool fallback) {
        QJsonObject object;
        for (auto it = keys.constBegin(); it != keys.constEnd(); ++it)
            object.insert(QStringLiteral("signed_curve25519:") + it.key(), signedKey(it.value(), fallback));
        return object;
    };
    QJsonObject body;
    if (m_stage < Stage::Published)
        body.insert(QStringLiteral("device_keys"), m_deviceKeys);
    if (const QJsonObject keys = all(m_account->oneTimeKeys(), false); !keys.isEmpty())
        body.insert(QStringLiteral("one_time_keys"), keys);
    if (const QJsonObject keys = all(m_account->fallbackKey(), true); !keys.isEmpty())
        body.insert(QStringLiteral("fallback_keys"), keys);
    return body;
}

void OwnDevice::uploaded()
{
    m_account->markPublished();
    touch();
}

Outcome<Done> OwnDevice::save()
{
    if (!m_dirty || !m_account)
        return Done{};
    const auto pickle = m_account->pickle();
    if (!pickle)
        return pickle.error();
    Packer packer(recordVersion);
    packer.text(m_backend.name())
        .number(m_backend.pickleFormat())
        .number(static_cast<int>(m_stage))
        .text(m_id)
        .text(m_replaced)
        .text(m_since)
        .number(m_oldFallbackUntil)
        .number(m_spent ? 1 : 0)
        .secret(pickle->view());
    for (const SigningKey *key : {&m_master, &m_selfSigning, &m_userSigning})
        packer.secret(key->seed().view());
    m_records.write(place, packer.take());
    m_dirty = false;
    return Done{};
}

} // namespace voip::crypto
