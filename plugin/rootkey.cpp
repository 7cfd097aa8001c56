// SPDX-License-Identifier: Apache-2.0
#include "rootkey.h"

#include "secrets/secrets.h"
#include "store/store.h"

#include <QCoreApplication>
#include <QRandomGenerator>

namespace voip
{

using namespace voiphost;

namespace
{

const QString rootKeyName = QStringLiteral("root_key");

class Text
{
    Q_DECLARE_TR_FUNCTIONS(voip::RootKey)
};

Error toError(const SecretError &error)
{
    return {ErrorKind::Unavailable,
            QStringLiteral("SECRETS_UNAVAILABLE"),
            error.message + QStringLiteral(": ") + error.advice,
            {}};
}

} // namespace

Expected<RootKey> readRootKey(Host &host)
{
    const SecretSettings settings = host.secrets();
    if (settings.provider == SecretSettings::Provider::Configuration)
        return RootKey{settings.rootKey, false};
    const auto key = SecretStore(settings, host.homeserver().appserviceId).read(rootKeyName);
    if (key.ok())
        return RootKey{*key, false};
    const bool canBeKept = settings.provider == SecretSettings::Provider::Keychain;
    if (key.error().kind == SecretError::Kind::NotFound && canBeKept)
        return RootKey{{}, true};
    return toError(key.error());
}

Expected<QByteArray> makeRootKey(Host &host)
{
    const auto database = store::Store::inspect(host.database());
    if (!database.reachable)
        return Error{ErrorKind::Unavailable, QStringLiteral("DATABASE_UNAVAILABLE"), database.message, {}};
    if (database.hasRootKey) {
        return Error{
            ErrorKind::Unavailable,
            QStringLiteral("SECRETS_UNAVAILABLE"),
            Text::tr("The keychain has no root_key, but this database was made with one: restore the keychain."),
            {}};
    }
    QByteArray key(32, Qt::Uninitialized);
    QRandomGenerator::system()->fillRange(reinterpret_cast<quint32 *>(key.data()), key.size() / 4);
    const auto stored = SecretStore(host.secrets(), host.homeserver().appserviceId).store(rootKeyName, key);
    if (!stored.ok())
        return toError(stored.error());
    return key;
}

} // namespace voip
