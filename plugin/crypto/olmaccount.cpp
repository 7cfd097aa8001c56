// SPDX-License-Identifier: Apache-2.0
#include "crypto/olmaccount.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace voip::crypto::olm
{

namespace
{

constexpr int normalMessage = 1;
constexpr char protocolVersion = 3;

// The text of a message, for libolm to decode in place; empty: not base64, too long, or of no known type or version
// (libolm does not look at that of a pre-key message).
QByteArray bodyOf(const OlmMessage &message)
{
    if (message.type != 0 && message.type != normalMessage)
        return {};
    const QByteArray body = message.body.toUtf8();
    const auto bytes = fromBase64(body);
    return bytes && !bytes->isEmpty() && bytes->front() == protocolVersion ? body : QByteArray();
}

QHash<QString, QString> curveKeysOf(const QByteArray &json)
{
    QHash<QString, QString> keys;
    const QJsonObject all = QJsonDocument::fromJson(json).object().value(QLatin1String("curve25519")).toObject();
    for (auto it = all.constBegin(); it != all.constEnd(); ++it)
        keys.insert(it.key(), it.value().toString());
    return keys;
}

} // namespace

// --- sessions ------------------------------------------------------------------------------------------------------

QString SessionOfOlm::id() const
{
    QByteArray out(static_cast<qsizetype>(olm_session_id_length(m_handle.get())), '\0');
    olm_session_id(m_handle.get(), out.data(), static_cast<std::size_t>(out.size()));
    return QString::fromLatin1(out);
}

bool SessionOfOlm::isFor(const OlmMessage &message, const QString &senderKey)
{
    QByteArray body = bodyOf(message);
    if (message.type != 0 || body.isEmpty() || !isKey(senderKey))
        return false;
    const QByteArray key = senderKey.toLatin1();
    return olm_matches_inbound_session_from(m_handle.get(), key.data(), static_cast<std::size_t>(key.size()),
                                            body.data(), static_cast<std::size_t>(body.size())) == 1;
}

Outcome<OlmMessage> SessionOfOlm::encrypt(QByteArrayView plaintext, const Random &random)
{
    if (plaintext.size() > maxPlaintext)
        return Fault::TooLarge;
    auto entropy = draw(olm_encrypt_random_length(m_handle.get()), random);
    if (!entropy)
        return entropy.error();
    const auto type = static_cast<int>(olm_encrypt_message_type(m_handle.get()));
    const auto size = static_cast<std::size_t>(plaintext.size());
    QByteArray out(static_cast<qsizetype>(olm_encrypt_message_length(m_handle.get(), size)), '\0');
    const std::size_t written = olm_encrypt(m_handle.get(), plaintext.data(), size, entropy.value().data(),
                                            entropy.value().size(), out.data(), static_cast<std::size_t>(out.size()));
    if (written == olm_error())
        return m_handle.fault();
    return OlmMessage{type, QString::fromLatin1(out.first(static_cast<qsizetype>(written)))};
}

Outcome<Secret> SessionOfOlm::decrypt(const OlmMessage &message)
{
    const QByteArray body = bodyOf(message);
    if (body.isEmpty())
        return Fault::BadBase64;
    const auto type = static_cast<std::size_t>(message.type);
    const auto size = static_cast<std::size_t>(body.size());
    QByteArray scratch(body.constData(), body.size());
    const std::size_t most = olm_decrypt_max_plaintext_length(m_handle.get(), type, scratch.data(), size);
    if (most == olm_error())
        return m_handle.fault();
    scratch = QByteArray(body.constData(), body.size()); // it was decoded in place
    Secret plain(most);
    const std::size_t written = olm_decrypt(m_handle.get(), type, scratch.data(), size, plain.data(), plain.size());
    if (written == olm_error())
        return m_handle.fault();
    plain.shrink(written);
    return plain;
}

// --- accounts ------------------------------------------------------------------------------------------------------

Outcome<Done> AccountOfOlm::create(const Random &random)
{
    auto entropy = draw(olm_create_account_random_length(m_handle.get()), random);
    if (!entropy)
        return entropy.error();
    if (olm_create_account(m_handle.get(), entropy.value().data(), entropy.value().size()) == olm_error())
        return m_handle.fault();
    return learnIdentity();
}

Outcome<Done> AccountOfOlm::learnIdentity()
{
    QByteArray json(static_cast<qsizetype>(olm_account_identity_keys_length(m_handle.get())), '\0');
    if (olm_account_identity_keys(m_handle.get(), json.data(), static_cast<std::size_t>(json.size())) == olm_error())
        return m_handle.fault();
    const QJsonObject keys = QJsonDocument::fromJson(json).object();
    m_identity = {keys.value(QLatin1String("curve25519")).toString(), keys.value(QLatin1String("ed25519")).toString()};
    if (!isKey(m_identity.curve25519) || !isKey(m_identity.ed25519))
        return Fault::BadPickle;
    return Done{};
}

QString AccountOfOlm::sign(QByteArrayView message)
{
    QByteArray out(static_cast<qsizetype>(olm_account_signature_length(m_handle.get())), '\0');
    olm_account_sign(m_handle.get(), message.data(), static_cast<std::size_t>(message.size()), out.data(),
                     static_cast<std::size_t>(out.size()));
    return QString::fromLatin1(out);
}

int AccountOfOlm::maxOneTimeKeys() const
{
    return static_cast<int>(olm_account_max_number_of_one_time_keys(m_handle.get()));
}

Outcome<Done> AccountOfOlm::makeOneTimeKeys(int count, const Random &random)
{
    if (count <= 0)
        return Done{};
    if (count > maxOneTimeKeys())
        return Fault::TooLarge;
    const auto wanted = static_cast<std::size_t>(count);
    auto entropy = draw(olm_account_generate_one_time_keys_random_length(m_handle.get(), wanted), random);
    if (!entropy)
        return entropy.error();
    if (olm_account_generate_one_time_keys(m_handle.get(), wanted, entropy.value().data(), entropy.value().size()) ==
        olm_error())
        return m_handle.fault();
    return Done{};
}

Outcome<Done> AccountOfOlm::makeFallbackKey(const Random &random)
{
    auto entropy = draw(olm_account_generate_fallback_key_random_length(m_handle.get()), random);
    if (!entropy)
        return entropy.error();
    if (olm_account_generate_fallback_key(m_handle.get(), entropy.value().data(), entropy.value().size()) ==
        olm_error())
        return m_handle.fault();
    return Done{};
}

QHash<QString, QString> AccountOfOlm::oneTimeKeys()
{
    QByteArray json(static_cast<qsizetype>(olm_account_one_time_keys_length(m_handle.get())), '\0');
    olm_account_one_time_keys(m_handle.get(), json.data(), static_cast<std::size_t>(json.size()));
    return curveKeysOf(json);
}

QHash<QString, QString> AccountOfOlm::fallbackKey()
{
    QByteArray json(static_cast<qsizetype>(olm_account_unpublished_fallback_key_length(m_handle.get())), '\0');
    olm_account_unpublished_fallback_key(m_handle.get(), json.data(), static_cast<std::size_t>(json.size()));
    return curveKeysOf(json);
}

void AccountOfOlm::markPublished()
{
    olm_account_mark_keys_as_published(m_handle.get());
}

void AccountOfOlm::forgetOldFallbackKey()
{
    olm_account_forget_old_fallback_key(m_handle.get());
}

Outcome<std::unique_ptr<Session>> AccountOfOlm::outbound(const QString &theirKey, const QString &theirOneTimeKey,
                                                         const Random &random)
{
    if (!isKey(theirKey) || !isKey(theirOneTimeKey))
        return Fault::BadKey;
    Handle<::OlmSession> session;
    auto entropy = draw(olm_create_outbound_session_random_length(session.get()), random);
    if (!entropy)
        return entropy.error();
    const QByteArray key = theirKey.toLatin1();
    const QByteArray oneTime = theirOneTimeKey.toLatin1();
    if (olm_create_outbound_session(session.get(), m_handle.get(), key.data(), static_cast<std::size_t>(key.size()),
                                    oneTime.data(), static_cast<std::size_t>(oneTime.size()), entropy.value().data(),
                                    entropy.value().size()) == olm_error())
        return session.fault();
    return std::unique_ptr<Session>(std::make_unique<SessionOfOlm>(std::move(session)));
}

Outcome<std::unique_ptr<Session>> AccountOfOlm::inbound(const OlmMessage &message, const QString &senderKey)
{
    QByteArray body = bodyOf(message);
    if (message.type != 0)
        return Fault::BadMessage;
    if (body.isEmpty())
        return Fault::BadBase64;
    if (!isKey(senderKey))
        return Fault::BadKey;
    const QByteArray key = senderKey.toLatin1();
    Handle<::OlmSession> session;
    if (olm_create_inbound_session_from(session.get(), m_handle.get(), key.data(), static_cast<std::size_t>(key.size()),
                                        body.data(), static_cast<std::size_t>(body.size())) == olm_error())
        return session.fault();
    return std::unique_ptr<Session>(std::make_unique<SessionOfOlm>(std::move(session)));
}

void AccountOfOlm::spend(Session &session)
{
    // One of a fallback key has no one-time key to be removed: that is no error.
    if (const auto *ours = dynamic_cast<SessionOfOlm *>(&session))
        olm_remove_one_time_keys(m_handle.get(), ours->handle().get());
}

} // namespace voip::crypto::olm
