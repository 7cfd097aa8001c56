// SPDX-License-Identifier: Apache-2.0
#include "accountsettings.h"

#include "crypto/secretstorage.h"
#include "secrets/secrets.h"

#include <QCoreApplication>

namespace voip
{

using namespace voiphost;
using homeserver::Invitations;
using homeserver::LoginSettings;

namespace
{

class Text
{
    Q_DECLARE_TR_FUNCTIONS(voip::Settings)
};

constexpr qsizetype maxMatrixId = 255;
constexpr qsizetype maxDeviceName = 100;
constexpr qsizetype maxPassword = 512;

Error wrong(const QString &key, const QString &what)
{
    return {ErrorKind::Invalid, QStringLiteral("INVALID_SETTING"),
            QStringLiteral("plugins.matrixvoip.%1 %2").arg(key, what), QJsonObject{{QStringLiteral("key"), key}}};
}

bool isMatrixUser(const QString &id)
{
    const auto colon = id.indexOf(u':');
    return id.size() <= maxMatrixId && id.startsWith(u'@') && colon > 1 && colon + 1 < id.size() &&
           std::all_of(id.cbegin(), id.cend(), [](QChar c) { return c > u' ' && c != u'/'; });
}

bool isPlain(const QString &text, qsizetype most)
{
    return !text.isEmpty() && text.size() <= most &&
           std::all_of(text.cbegin(), text.cend(), [](QChar c) { return c >= u' ' && c != QChar(0x7f); });
}

std::optional<Error> readField(const QString &name, const QJsonValue &value, AccountSettings &settings)
{
    const QString key = QStringLiteral("account.") + name;
    const QString text = value.toString();
    LoginSettings &login = settings.login;
    if (name == QLatin1String("user")) {
        if (!isMatrixUser(text))
            return wrong(key, Text::tr("must be a Matrix id such as @alice:example.org"));
        login.user = text;
    } else if (name == QLatin1String("login")) {
        if (text == QLatin1String("token"))
            login.by = LoginSettings::By::Token;
        else if (text == QLatin1String("password"))
            login.by = LoginSettings::By::Password;
        else if (text == QLatin1String("sso"))
            login.by = LoginSettings::By::Sso;
        else
            return wrong(key, Text::tr("must be \"token\", \"password\" or \"sso\""));
    } else if (name == QLatin1String("device_name")) {
        if (!isPlain(text, maxDeviceName))
            return wrong(key, Text::tr("must be 1 to %1 characters").arg(maxDeviceName));
        login.deviceName = text;
    } else if (name == QLatin1String("invitations")) {
        if (text == QLatin1String("direct"))
            settings.invitations = Invitations::Direct;
        else if (text == QLatin1String("all"))
            settings.invitations = Invitations::All;
        else if (text == QLatin1String("none"))
            settings.invitations = Invitations::None;
        else
            return wrong(key, Text::tr("must be \"direct\", \"all\" or \"none\""));
    } else if (name == QLatin1String("token")) {
        if (!homeserver::isToken(text.toUtf8()))
            return wrong(key, Text::tr("must be an access token: printable, without spaces"));
        login.token = text.toUtf8();
    } else if (name == QLatin1String("password")) {
        if (!isPlain(text, maxPassword))
            return wrong(key, Text::tr("must be 1 to %1 characters").arg(maxPassword));
        login.password = text.toUtf8();
    } else if (name == QLatin1String("recovery_key")) {
        if (!crypto::recoveryKeyFrom(text).ok())
            return wrong(key, Text::tr("must be the recovery key of the account, as its client showed it"));
        settings.recoveryKey = text.toUtf8();
    } else if (name == QLatin1String("key_backup")) {
        if (!value.isBool())
            return wrong(key, Text::tr("must be true or false"));
        settings.keyBackup = value.toBool();
    } else {
        return wrong(key, Text::tr("is not a setting of this plugin"));
    }
    return {};
}

std::optional<Error> askFor(const char *name, const SecretStore &secrets, QByteArray &into)
{
    if (!into.isEmpty())
        return {}; // the configuration goes first
    const auto secret = secrets.read(QLatin1String(name));
    if (secret.ok())
        into = *secret;
    else if (secret.error().kind != SecretError::Kind::NotFound) // with a session that is kept, nobody needs it
        return Error{ErrorKind::Unavailable,
                     QStringLiteral("SECRETS_UNAVAILABLE"),
                     secret.error().message + QStringLiteral(": ") + secret.error().advice,
                     {}};
    return {};
}

} // namespace

Expected<AccountSettings> readAccount(const QJsonValue &section)
{
    if (!section.isObject())
        return wrong(QStringLiteral("account"), Text::tr("must be a map of keys and values"));
    AccountSettings settings;
    settings.login.deviceName = QStringLiteral("Matrix VoIP bridge");
    const QJsonObject fields = section.toObject();
    for (const char *needed : {"user", "login"}) {
        if (!fields.contains(QLatin1String(needed)))
            return wrong(QStringLiteral("account.") + QLatin1String(needed), Text::tr("is missing"));
    }
    for (auto it = fields.constBegin(); it != fields.constEnd(); ++it) {
        if (auto error = readField(it.key(), it.value(), settings))
            return std::move(*error);
    }
    return settings;
}

Expected<AccountSettings> completeAccount(AccountSettings settings, Host &host)
{
    if (const auto users = host.users().size(); users != 1) {
        return wrong(QStringLiteral("mode"),
                     Text::tr("client serves exactly one user, but `users` lists %1").arg(users));
    }
    const HomeserverSettings homeserver = host.homeserver();
    LoginSettings &login = settings.login;
    if (login.user.mid(login.user.indexOf(u':') + 1) != homeserver.serverName) {
        return wrong(QStringLiteral("account.user"),
                     Text::tr("is not of homeserver.server_name, which is %1").arg(homeserver.serverName));
    }
    if (host.secrets().provider != SecretSettings::Provider::Configuration) {
        const SecretStore secrets(host.secrets(), homeserver.appserviceId);
        std::optional<Error> error;
        if (login.by == LoginSettings::By::Token)
            error = askFor("account_token", secrets, login.token);
        else if (login.by == LoginSettings::By::Password)
            error = askFor("account_password", secrets, login.password);
        if (!error)
            error = askFor("account_recovery_key", secrets, settings.recoveryKey);
        if (error)
            return std::move(*error);
    }
    if (settings.keyBackup && settings.recoveryKey.isEmpty()) {
        return wrong(QStringLiteral("account.key_backup"),
                     Text::tr("needs the account's recovery key: give account.recovery_key or the secret "
                              "account_recovery_key, or set it to false"));
    }
    return settings;
}

} // namespace voip
