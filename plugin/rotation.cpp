// SPDX-License-Identifier: Apache-2.0
#include "rotation.h"

#include "crypto/place.h"
#include "crypto/seal.h"
#include "rootkey.h"
#include "store/reseal.h"

#include <QCoreApplication>

namespace voip
{

using namespace voiphost;
using Provider = SecretSettings::Provider;

namespace
{

class Text
{
    Q_DECLARE_TR_FUNCTIONS(voip::Rotation)
};

Error refusal(ErrorKind kind, const char *code, const QString &message)
{
    return {kind, QString::fromLatin1(code), message, {}};
}

Error toError(const store::StoreError &error)
{
    using Kind = store::StoreError::Kind;
    const bool later = error.kind == Kind::Unavailable;
    return refusal(later ? ErrorKind::Unavailable : ErrorKind::Invalid,
                   later ? "DATABASE_UNAVAILABLE" : "DATABASE_UNUSABLE", error.message);
}

// Nothing but the seals changes hands here: what was inside is opened and closed in memory that is wiped.
store::Resealer::Function sealer(const crypto::Seal &from, const crypto::Seal &to,
                                 const std::function<void(RotationStep)> &reached)
{
    return [&from, &to, &reached](const store::SealedAt &at, const QByteArray &sealed) -> std::optional<QByteArray> {
        const QByteArray place =
            at.isSetting() ? crypto::placeOfSetting(at.key) : crypto::placeOf(at.lane, at.kind, at.key);
        const auto plain = from.open(sealed, place);
        if (!plain)
            return std::nullopt;
        auto fresh = to.close(*plain, place, crypto::systemRandom);
        if (!fresh)
            return std::nullopt;
        reached(RotationStep::Sealed);
        return std::move(fresh).value();
    };
}

Expected<int> reseal(store::Resealer &database, const RootKey &key, const std::function<void(RotationStep)> &reached)
{
    const auto from = crypto::Seal::with(crypto::Secret(key.bytes));
    const auto to = crypto::Seal::with(crypto::Secret(key.next));
    if (!from || !to)
        return refusal(ErrorKind::Invalid, "ROOT_KEY_INVALID", Text::tr("A root key has the wrong size."));
    const auto rows = database.reseal(key.bytes, key.next, sealer(*from, *to, reached));
    if (rows)
        return *rows;
    Error error = toError(rows.error());
    if (error.kind == ErrorKind::Unavailable)
        error.message += QStringLiteral(". ") + Text::tr("Give the command again: it finds out how far it came.");
    else
        error.message += QStringLiteral(". ") + Text::tr("Nothing was changed.");
    return error;
}

// The key to change to. In the keychain it is made, and must be there to stay before the database may need it.
Expected<QByteArray> nextKey(Host &host, const RootKey &key)
{
    if (!key.defect.isEmpty())
        return refusal(ErrorKind::Unavailable, "SECRETS_UNAVAILABLE", key.defect);
    if (!key.next.isEmpty() && key.next != key.bytes)
        return key.next;
    if (host.secrets().provider != Provider::Keychain) {
        return refusal(ErrorKind::Invalid, "NO_NEW_KEY",
                       key.next.isEmpty()
                           ? Text::tr("There is no new key: write it into the file root_key_next of the credentials "
                                      "directory (head -c 32 /dev/urandom | base64), and give the command again.")
                           : Text::tr("root_key_next is the same key as root_key: write a new one into it."));
    }
    const QByteArray fresh = freshRootKey();
    if (const auto stored = secretsOf(host).store(nextRootKeyName, fresh); !stored.ok())
        return voip::toError(stored.error());
    return fresh;
}

Expected<Done> notHere(Host &host)
{
    if (host.secrets().provider != Provider::Configuration)
        return Done{};
    return refusal(ErrorKind::Invalid, "NOT_SUPPORTED",
                   Text::tr("The root key stands in the configuration, which this program does not write. Move the "
                            "secrets into the keychain or a credentials directory (secrets.provider), the key as "
                            "root_key, start once, and give the command again."));
}

} // namespace

Expected<RotationReport> rotateRootKey(Host &host, const std::function<void(RotationStep)> &reached)
{
    if (const auto possible = notHere(host); !possible.ok())
        return possible.error();
    // The lock first: of two who do this at once, the second must not change the key that the first has kept.
    store::Resealer database(host.database());
    if (const auto error = database.open())
        return toError(*error);
    reached(RotationStep::Locked);
    auto read = readRootKey(host);
    if (!read.ok())
        return read.error();
    RootKey key = std::move(read).value();
    if (!database.hasRootKey())
        return refusal(ErrorKind::Invalid, "NO_ROOT_KEY",
                       Text::tr("The database was never opened with a root key: there is nothing to change."));

    RotationReport report;
    const bool keychain = host.secrets().provider == Provider::Keychain;
    // The same key twice: in the keychain our own tidying up was interrupted; in a directory nobody has put a new one.
    if (database.fits(key.next) && (keychain || key.next != key.bytes)) {
        report.resumed = true;
        report.message = Text::tr("The database has the new root key since an earlier run.");
    } else if (database.fits(key.bytes)) {
        report.resumed = keychain && !key.next.isEmpty();
        auto next = nextKey(host, key);
        if (!next.ok())
            return next.error();
        key.next = std::move(next).value();
        reached(RotationStep::Kept);
        const auto rows = reseal(database, key, reached);
        if (!rows.ok())
            return rows.error();
        report.rows = *rows;
        report.message = Text::tr("%n sealed value(s) and the database have the new root key.", nullptr, *rows);
        reached(RotationStep::Changed);
    } else {
        return refusal(ErrorKind::Invalid, "ROOT_KEY_WRONG",
                       Text::tr("Neither root_key nor root_key_next is the key of this database: put it back first."));
    }

    if (keychain) {
        if (const auto promoted = promoteRootKey(host, key.next, [&reached] { reached(RotationStep::Promoted); });
            !promoted.ok())
            return refusal(ErrorKind::Unavailable, "SECRETS_UNAVAILABLE",
                           report.message + u' ' +
                               Text::tr("The keychain still calls it root_key_next (%1): give the command again, or "
                                        "start; both put it right.")
                                   .arg(promoted.error().message));
        reached(RotationStep::Cleared);
    } else {
        report.advice = renameAdvice();
    }
    return report;
}

} // namespace voip
