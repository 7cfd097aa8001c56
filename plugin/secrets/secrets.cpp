// SPDX-License-Identifier: Apache-2.0
// Which provider is asked, and what holds for a secret wherever it comes from.
#include "secrets/secrets.h"

#include "secrets/credentials_directory.h"
#include "secrets/keychain.h"

#include <QCoreApplication>

namespace voip
{

using voiphost::Done;
using voiphost::Expected;
using voiphost::SecretSettings;

namespace
{

struct SecretText {
    Q_DECLARE_TR_FUNCTIONS(Secrets)
};

bool isKey(const QString &name)
{
    return name == QLatin1String("root_key") || name == QLatin1String("root_key_next");
}

SecretError notOurs(const QString &name)
{
    return {SecretError::Kind::Invalid, SecretText::tr("the secret %1 cannot be written by this program").arg(name),
            SecretText::tr("the administrator writes it; make a root_key with: "
                           "head -c 32 /dev/urandom | base64")};
}

Expected<QByteArray, SecretError> decode(const QString &name, const QByteArray &raw)
{
    const QByteArray text = raw.trimmed();
    if (text.isEmpty())
        return SecretError{SecretError::Kind::Invalid, SecretText::tr("the secret %1 is empty").arg(name),
                           SecretText::tr("write its value")};
    if (!isKey(name))
        return text;
    const auto bytes = QByteArray::fromBase64Encoding(text, QByteArray::AbortOnBase64DecodingErrors);
    if (!bytes || bytes.decoded.size() != 32)
        return SecretError{SecretError::Kind::Invalid,
                           SecretText::tr("the secret %1 is not 32 bytes in base64").arg(name),
                           SecretText::tr("make one with: head -c 32 /dev/urandom | base64")};
    return bytes.decoded;
}

} // namespace

SecretStore::SecretStore(SecretSettings settings, const QString &appserviceId, int timeoutMs)
    : m_settings(std::move(settings)), m_service(QStringLiteral("matrix-voip/") + appserviceId), m_timeoutMs(timeoutMs)
{
}

Expected<QByteArray, SecretError> SecretStore::read(const QString &name) const
{
    switch (m_settings.provider) {
    case SecretSettings::Provider::Configuration:
        if (name == QLatin1String("root_key") && !m_settings.rootKey.isEmpty())
            return m_settings.rootKey;
        return SecretError{SecretError::Kind::NotFound,
                           SecretText::tr("the configuration holds no secret %1").arg(name),
                           SecretText::tr("write it into the configuration, or choose a secrets provider")};
    case SecretSettings::Provider::Keychain: {
        const auto raw = readKeychain(m_service, name, m_timeoutMs);
        return raw ? decode(name, *raw) : raw;
    }
    case SecretSettings::Provider::CredentialsDirectory: {
        const auto raw = readCredential(m_settings.path, name);
        return raw ? decode(name, *raw) : raw;
    }
    }
    return SecretError{};
}

Expected<Done, SecretError> SecretStore::store(const QString &name, const QByteArray &value) const
{
    switch (m_settings.provider) {
    case SecretSettings::Provider::Keychain:
        return writeKeychain(m_service, name, isKey(name) ? value.toBase64() : value, m_timeoutMs);
    case SecretSettings::Provider::Configuration:
    case SecretSettings::Provider::CredentialsDirectory:
        break;
    }
    return notOurs(name);
}

Expected<Done, SecretError> SecretStore::remove(const QString &name) const
{
    if (m_settings.provider == SecretSettings::Provider::Keychain)
        return removeKeychain(m_service, name, m_timeoutMs);
    return notOurs(name);
}

} // namespace voip
