// SPDX-License-Identifier: Apache-2.0
#include "crypto/sas.h"

#include "crypto/encoding.h"

#include <QCryptographicHash>
#include <QJsonArray>

#include <algorithm>

namespace voip::crypto
{

namespace
{

constexpr qsizetype maxMacs = 32;
constexpr qsizetype hashSize = 32;
const QString prefix = QStringLiteral("m.key.verification.");
const QString method = QStringLiteral("m.sas.v1");
const QString agreement = QStringLiteral("curve25519-hkdf-sha256");
const QString hash = QStringLiteral("sha256");
const QString macName = QStringLiteral("hkdf-hmac-sha256.v2");
const QString emojiName = QStringLiteral("emoji");
const QString decimalName = QStringLiteral("decimal");

const QString invalid = QStringLiteral("m.invalid_message");
const QString unexpected = QStringLiteral("m.unexpected_message");
const QString unknownMethod = QStringLiteral("m.unknown_method");
const QString keyMismatch = QStringLiteral("m.key_mismatch");

QString textOf(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1String(key)).toString();
}

bool offers(const QJsonObject &start, const char *what, const QString &name)
{
    return start.value(QLatin1String(what)).toArray().contains(name);
}

// What a start says that a commitment covers.
Outcome<QString> commitmentTo(const QString &key, const QJsonObject &start)
{
    const auto json = canonicalJson(start);
    if (!json)
        return json.error();
    return QString::fromLatin1(toBase64(QCryptographicHash::hash(key.toUtf8() + *json, QCryptographicHash::Sha256)));
}

QString reasonOf(const QString &code)
{
    if (code == QLatin1String("m.user"))
        return QStringLiteral("The user cancelled the verification.");
    if (code == QLatin1String("m.timeout"))
        return QStringLiteral("The verification took too long.");
    if (code == QLatin1String("m.mismatched_sas"))
        return QStringLiteral("The two sides do not show the same.");
    if (code == QLatin1String("m.mismatched_commitment"))
        return QStringLiteral("The key is not the one that was committed to.");
    if (code == keyMismatch)
        return QStringLiteral("A key is not the one that was expected.");
    if (code == unknownMethod)
        return QStringLiteral("There is no method that both sides know.");
    if (code == invalid)
        return QStringLiteral("A message was not as it must be.");
    return QStringLiteral("The verification cannot go on.");
}

SasShown shownFrom(const QByteArray &bytes, bool hasEmoji)
{
    quint64 all = 0;
    for (const char byte : bytes)
        all = all << 8U | static_cast<quint8>(byte); // 48 bits
    SasShown shown{hasEmoji, {}, {}};
    for (std::size_t i = 0; i < shown.emoji.size(); ++i)
        shown.emoji[i] = static_cast<quint8>(all >> (42 - 6 * i) & 0x3FU);
    for (std::size_t i = 0; i < shown.decimals.size(); ++i)
        shown.decimals[i] = static_cast<quint16>((all >> (35 - 13 * i) & 0x1FFFU) + 1000);
    return shown;
}

} // namespace

Sas::Sas(QString transaction, SasParty ours, QString theirDevice)
    : m_transaction(std::move(transaction)),
      m_ours(std::move(ours)), m_theirs{m_ours.user, std::move(theirDevice), {}, {}}
{
}

SasMessages Sas::cancel(const QString &code)
{
    if (isOver())
        return {};
    m_state = State::Cancelled;
    m_code = code;
    m_keys.reset();
    return {{prefix + QStringLiteral("cancel"),
             {{QStringLiteral("code"), code}, {QStringLiteral("reason"), reasonOf(code)}}}};
}

SasMessages Sas::meet(const QString &ed25519, const QString &masterKey)
{
    if (m_state != State::Asked)
        return {};
    m_theirs.ed25519 = ed25519;
    m_theirs.masterKey = masterKey;
    m_state = State::Ready;
    return {{prefix + QStringLiteral("ready"),
             {{QStringLiteral("from_device"), m_ours.device}, {QStringLiteral("methods"), QJsonArray{method}}}}};
}

SasMessages Sas::begin(Backend &backend, const Random &random)
{
    if (m_state != State::Ready)
        return {};
    auto keys = backend.newSas(random);
    if (!keys)
        return cancel(QStringLiteral("m.user"));
    m_keys = std::move(keys).value();
    m_weBegan = true;
    m_state = State::Begun;
    m_start = {{QStringLiteral("from_device"), m_ours.device},
               {QStringLiteral("method"), method},
               {QStringLiteral("key_agreement_protocols"), QJsonArray{agreement}},
               {QStringLiteral("hashes"), QJsonArray{hash}},
               {QStringLiteral("message_authentication_codes"), QJsonArray{macName}},
               {QStringLiteral("short_authentication_string"), QJsonArray{decimalName, emojiName}},
               {QStringLiteral("transaction_id"), m_transaction}};
    return {{prefix + QStringLiteral("start"), m_start}};
}

SasMessages Sas::take(const QString &type, const QJsonObject &content, Backend &backend, const Random &random)
{
    if (isOver())
        return {};
    const QString what = type.mid(prefix.size());
    if (what == QLatin1String("cancel")) {
        m_state = State::Cancelled;
        m_code = textOf(content, "code").left(255);
        m_keys.reset();
        return {};
    }
    if (const auto before = m_taken.constFind(what); before != m_taken.constEnd())
        return *before == content ? SasMessages{} : cancel(unexpected);
    m_taken.insert(what, content);
    if (what == QLatin1String("start"))
        return started(content, backend, random);
    if (what == QLatin1String("accept"))
        return accepted(content);
    if (what == QLatin1String("key"))
        return keyCame(content);
    if (what == QLatin1String("mac"))
        return macsCame(content);
    return cancel(unexpected); // also `done`, which comes after their MACs
}

SasMessages Sas::started(const QJsonObject &start, Backend &backend, const Random &random)
{
    if (m_state != State::Ready && m_state != State::Begun)
        return cancel(unexpected);
    if (textOf(start, "from_device") != m_theirs.device)
        return cancel(keyMismatch);
    if (textOf(start, "method") != method)
        return cancel(m_state == State::Begun ? unexpected : unknownMethod);
    // Both began: the start of the lesser device counts, on both sides.
    if (m_state == State::Begun && m_ours.device.toUtf8() < m_theirs.device.toUtf8())
        return {};
    if (!offers(start, "key_agreement_protocols", agreement) || !offers(start, "hashes", hash) ||
        !offers(start, "message_authentication_codes", macName) ||
        !offers(start, "short_authentication_string", decimalName))
        return cancel(unknownMethod);
    auto keys = backend.newSas(random);
    if (!keys)
        return cancel(QStringLiteral("m.user"));
    m_keys = std::move(keys).value();
    const auto commitment = commitmentTo(m_keys->publicKey(), start);
    if (!commitment)
        return cancel(invalid);
    m_weBegan = false;
    m_start = start;
    m_emojiAgreed = offers(start, "short_authentication_string", emojiName);
    m_state = State::Accepted;
    return {{prefix + QStringLiteral("accept"),
             {{QStringLiteral("method"), method},
              {QStringLiteral("key_agreement_protocol"), agreement},
              {QStringLiteral("hash"), hash},
              {QStringLiteral("message_authentication_code"), macName},
              {QStringLiteral("short_authentication_string"),
               m_emojiAgreed ? QJsonArray{decimalName, emojiName} : QJsonArray{decimalName}},
              {QStringLiteral("commitment"), *commitment}}}};
}

SasMessages Sas::accepted(const QJsonObject &accept)
{
    if (m_state != State::Begun)
        return cancel(unexpected);
    m_emojiAgreed = offers(accept, "short_authentication_string", emojiName);
    if (textOf(accept, "key_agreement_protocol") != agreement || textOf(accept, "hash") != hash ||
        textOf(accept, "message_authentication_code") != macName ||
        !(m_emojiAgreed || offers(accept, "short_authentication_string", decimalName)))
        return cancel(unknownMethod);
    m_commitment = textOf(accept, "commitment");
    if (!fromBase64(m_commitment.toUtf8(), hashSize))
        return cancel(invalid);
    m_state = State::Keyed;
    return {{prefix + QStringLiteral("key"), {{QStringLiteral("key"), m_keys->publicKey()}}}};
}

SasMessages Sas::keyCame(const QJsonObject &content)
{
    if (m_state != State::Keyed && m_state != State::Accepted)
        return cancel(unexpected);
    const QString key = textOf(content, "key");
    if (!isKey(key))
        return cancel(invalid);
    if (m_state == State::Keyed) {
        // They chose it before they saw ours: else they could look for one that shows what they like.
        const auto commitment = commitmentTo(key, m_start);
        if (!commitment || *commitment != m_commitment)
            return cancel(QStringLiteral("m.mismatched_commitment"));
    }
    if (!compare(key))
        return cancel(invalid);
    const bool answer = m_state == State::Accepted;
    m_state = State::Compared;
    if (!answer)
        return {};
    return {{prefix + QStringLiteral("key"), {{QStringLiteral("key"), m_keys->publicKey()}}}};
}

bool Sas::compare(const QString &theirKey)
{
    if (!m_keys->agree(theirKey))
        return false;
    const auto side = [](const SasParty &party, const QString &key) {
        return party.user + u'|' + party.device + u'|' + key + u'|';
    };
    const QString ours = side(m_ours, m_keys->publicKey());
    const QString theirs = side(m_theirs, theirKey);
    const QString info =
        QStringLiteral("MATRIX_KEY_VERIFICATION_SAS|") + (m_weBegan ? ours + theirs : theirs + ours) + m_transaction;
    const auto bytes = m_keys->bytes(info.toUtf8(), 6);
    if (!bytes)
        return false;
    m_shown = shownFrom(*bytes, m_emojiAgreed);
    return true;
}

QByteArray Sas::macInfo(const SasParty &of, const SasParty &to) const
{
    return (QStringLiteral("MATRIX_KEY_VERIFICATION_MAC") + of.user + of.device + to.user + to.device + m_transaction)
        .toUtf8();
}

SasMessages Sas::confirm()
{
    if (m_state != State::Compared)
        return {};
    const QByteArray info = macInfo(m_ours, m_theirs);
    QMap<QByteArray, QString> keys{{"ed25519:" + m_ours.device.toUtf8(), m_ours.ed25519}};
    if (!m_ours.masterKey.isEmpty())
        keys.insert("ed25519:" + m_ours.masterKey.toUtf8(), m_ours.masterKey);
    QJsonObject macs;
    for (auto it = keys.constBegin(); it != keys.constEnd(); ++it) {
        const auto mac = m_keys->mac(it.value().toUtf8(), info + it.key());
        if (!mac)
            return cancel(keyMismatch);
        macs.insert(QString::fromUtf8(it.key()), *mac);
    }
    const auto mac = m_keys->mac(keys.keys().join(','), info + "KEY_IDS");
    if (!mac)
        return cancel(keyMismatch);
    m_state = State::Confirmed;
    return finish({{prefix + QStringLiteral("mac"), {{QStringLiteral("mac"), macs}, {QStringLiteral("keys"), *mac}}}});
}

SasMessages Sas::macsCame(const QJsonObject &content)
{
    if (m_state != State::Compared && m_state != State::Confirmed)
        return cancel(unexpected);
    const QJsonObject macs = content.value(QLatin1String("mac")).toObject();
    if (macs.isEmpty() || macs.size() > maxMacs || !content.value(QLatin1String("keys")).isString())
        return cancel(invalid);
    const QByteArray info = macInfo(m_theirs, m_ours);
    const auto fits = [this](const QString &given, const QByteArray &message, const QByteArray &with) {
        const auto mac = m_keys->mac(message, with);
        return mac.ok() && *mac == given;
    };
    QByteArrayList ids;
    for (const QString &id : macs.keys())
        ids.push_back(id.toUtf8());
    std::sort(ids.begin(), ids.end());
    if (!fits(textOf(content, "keys"), ids.join(','), info + "KEY_IDS"))
        return cancel(keyMismatch);
    // Keys that we do not know of say nothing. A device whose id is a master key is in no list (E7).
    const QByteArray device = "ed25519:" + m_theirs.device.toUtf8();
    const QByteArray master = "ed25519:" + m_theirs.masterKey.toUtf8();
    bool deviceFits = false;
    QString vouched;
    for (const QByteArray &id : std::as_const(ids)) {
        const bool isDevice = id == device;
        if (!isDevice && (m_theirs.masterKey.isEmpty() || id != master))
            continue;
        const QString key = isDevice ? m_theirs.ed25519 : m_theirs.masterKey;
        if (!fits(macs.value(QString::fromUtf8(id)).toString(), key.toUtf8(), info + id))
            return cancel(keyMismatch);
        if (isDevice)
            deviceFits = true;
        else
            vouched = key;
    }
    if (!deviceFits)
        return cancel(keyMismatch);
    m_vouched = vouched;
    m_theirMacsFit = true;
    return finish({});
}

SasMessages Sas::finish(SasMessages messages)
{
    if (m_state != State::Confirmed || !m_theirMacsFit)
        return messages;
    m_state = State::Done;
    m_keys.reset();
    messages.push_back({prefix + QStringLiteral("done"), {}});
    return messages;
}

} // namespace voip::crypto
