// SPDX-License-Identifier: Apache-2.0
#include "rootkey.h"

#include "observe/log.h"
#include "store/sqlstore.h"

#include <QCoreApplication>
#include <QRandomGenerator>

namespace voip
{

using namespace voiphost;
using Provider = SecretSettings::Provider;
using Inspection = store::SqlStore::Inspection;

namespace
{

class Text
{
    Q_DECLARE_TR_FUNCTIONS(voip::RootKey)
};

enum class Choice {
    Current, // root_key, or none where none was ever used
    Next,    // root_key_next
    Make,
    Nothing, // what is there is not the database's
};

Choice choose(const Inspection &database, const RootKey &key)
{
    if (!database.hasRootKey())
        return key.toBeMade ? Choice::Make : Choice::Current;
    if (database.fits(key.bytes))
        return Choice::Current;
    return database.fits(key.next) ? Choice::Next : Choice::Nothing;
}

QString whyNothing(const RootKey &key)
{
    if (!key.defect.isEmpty())
        return Text::tr("root_key is not the key of this database, and root_key_next cannot be read: %1")
            .arg(key.defect);
    if (key.toBeMade)
        return Text::tr("The keychain has no root_key, but this database was made with one: restore the keychain.");
    if (key.bytes.isEmpty())
        return Text::tr("There is no root_key, but this database was made with one: put that key back.");
    return Text::tr("root_key is not the key this database was made with: put that key back, or restore the database "
                    "that belongs to this one.");
}

Error unavailable(const QString &message)
{
    return {ErrorKind::Unavailable, QStringLiteral("SECRETS_UNAVAILABLE"), message, {}};
}

bool isKeychain(Host &host)
{
    return host.secrets().provider == Provider::Keychain;
}

Expected<QByteArray> makeRootKey(Host &host)
{
    const QByteArray key = freshRootKey();
    const auto stored = secretsOf(host).store(rootKeyName, key);
    if (!stored.ok())
        return toError(stored.error());
    return key;
}

// The rotation ended before it could tidy up. A keychain that does not let us is no reason not to start.
void clearNext(Host &host)
{
    const auto removed = secretsOf(host).remove(nextRootKeyName);
    if (!removed.ok())
        qCWarning(observe::lifecycleLog).noquote() << toError(removed.error()).message;
}

} // namespace

SecretStore secretsOf(Host &host)
{
    return {host.secrets(), host.homeserver().appserviceId};
}

Error toError(const SecretError &error)
{
    return unavailable(error.message + QStringLiteral(": ") + error.advice);
}

QByteArray freshRootKey()
{
    QByteArray key(32, Qt::Uninitialized);
    QRandomGenerator::system()->fillRange(reinterpret_cast<quint32 *>(key.data()), key.size() / 4);
    return key;
}

QString renameAdvice()
{
    return Text::tr("Rename root_key_next to root_key in the credentials directory, and keep the old key with the "
                    "backups that were made with it.");
}

Expected<RootKey> readRootKey(Host &host)
{
    const SecretSettings settings = host.secrets();
    if (settings.provider == Provider::Configuration)
        return RootKey{settings.rootKey, {}, {}, false};
    const SecretStore secrets = secretsOf(host);
    RootKey key;
    const auto next = secrets.read(nextRootKeyName);
    if (next.ok())
        key.next = *next;
    else if (next.error().kind != SecretError::Kind::NotFound)
        key.defect = toError(next.error()).message;
    const auto current = secrets.read(rootKeyName);
    if (current.ok()) {
        key.bytes = *current;
        return key;
    }
    if (current.error().kind != SecretError::Kind::NotFound)
        return toError(current.error());
    key.toBeMade = settings.provider == Provider::Keychain;
    if (!key.toBeMade && key.next.isEmpty())
        return toError(current.error());
    return key;
}

Expected<QByteArray> settleRootKey(Host &host, const RootKey &key)
{
    if (key.next.isEmpty() && key.defect.isEmpty() && !key.toBeMade)
        return key.bytes;
    const Inspection database = store::SqlStore::inspect(host.database());
    if (!database.reachable)
        return Error{ErrorKind::Unavailable, QStringLiteral("DATABASE_UNAVAILABLE"), database.message, {}};
    switch (choose(database, key)) {
    case Choice::Current:
        // Nothing says "no key": a database that had none yet would be opened without.
        if (key.bytes.isEmpty() && !isKeychain(host))
            return unavailable(Text::tr("There is no root_key, only root_key_next. %1").arg(renameAdvice()));
        if (isKeychain(host) && !key.next.isEmpty() && key.next == key.bytes)
            clearNext(host);
        return key.bytes;
    case Choice::Next:
        if (!isKeychain(host)) {
            qCWarning(observe::lifecycleLog).noquote()
                << Text::tr("root_key is not the key of the database, root_key_next is, and is used.")
                << renameAdvice();
        } else if (const auto promoted = promoteRootKey(host, key.next); !promoted.ok()) {
            qCWarning(observe::lifecycleLog).noquote() << promoted.error().message;
        } else {
            qCInfo(observe::lifecycleLog).noquote() << Text::tr("A change of the root key was interrupted; it is "
                                                                "finished now.");
        }
        return key.next;
    case Choice::Make:
        return makeRootKey(host);
    case Choice::Nothing:
        break;
    }
    return unavailable(whyNothing(key));
}

QList<Diagnostics::Check> inspectRootKey(Host &host, const RootKey &key)
{
    const Inspection database = store::SqlStore::inspect(host.database());
    if (!database.reachable || database.schemaVersion > database.programVersion)
        return {}; // the check of the database says so
    Diagnostics::Check check{rootKeyName, true, true, {}, {}};
    switch (choose(database, key)) {
    case Choice::Current:
        if (key.bytes.isEmpty() && !key.next.isEmpty()) {
            check.ok = false;
            check.message = Text::tr("there is none, only root_key_next");
            check.advice = renameAdvice();
        } else if (key.bytes.isEmpty()) {
            check.message = Text::tr("there is none, and the database was never opened with one");
        } else {
            check.message = database.hasRootKey() ? Text::tr("it is the one of the database")
                                                  : Text::tr("the database takes it at the first start");
        }
        break;
    case Choice::Next:
        check.ok = false;
        check.required = false;
        check.message = Text::tr("the key of the database is root_key_next");
        check.advice = isKeychain(host) ? Text::tr("The next start puts it in its place.") : renameAdvice();
        break;
    case Choice::Make:
        check.message = Text::tr("it is made at the first start");
        break;
    case Choice::Nothing:
        check.ok = false;
        check.message = whyNothing(key);
        check.advice = Text::tr("Nothing that is sealed in the database can be read with another key.");
        break;
    }
    return {check};
}

Expected<Done> promoteRootKey(Host &host, const QByteArray &next, const std::function<void()> &replaced)
{
    const SecretStore secrets = secretsOf(host);
    if (const auto stored = secrets.store(rootKeyName, next); !stored.ok())
        return toError(stored.error());
    if (replaced)
        replaced();
    if (const auto removed = secrets.remove(nextRootKeyName); !removed.ok())
        return toError(removed.error());
    return Done{};
}

} // namespace voip
