// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include "crypto/encoding.h"

#include <QCoreApplication>
#include <QJsonArray>

#include <cmath>

namespace voip
{

using namespace voiphost;

namespace
{

class Text
{
    Q_DECLARE_TR_FUNCTIONS(voip::Settings)
};

Error wrong(const QString &key, const QString &what)
{
    return {ErrorKind::Invalid, QStringLiteral("INVALID_SETTING"),
            QStringLiteral("plugins.matrixvoip.%1 %2").arg(key, what), QJsonObject{{QStringLiteral("key"), key}}};
}

struct Range {
    double least;
    double most;
};

// The core's times, each with its unit in milliseconds, and its numbers.
struct Span {
    const char *key;
    call::Millis call::Settings::*field;
    Range range;
    int unit;
};
constexpr Span spans[] = {
    {"invite_lifetime_seconds", &call::Settings::inviteLifetime, {30, 600}, 1000},
    {"connect_timeout_seconds", &call::Settings::connectTimeout, {10, 600}, 1000},
    {"longest_call_seconds", &call::Settings::longestCall, {60, 7 * 24 * 3600}, 1000},
    {"negotiate_lifetime_seconds", &call::Settings::negotiateLifetime, {10, 600}, 1000},
    {"resume_timeout_seconds", &call::Settings::resumeTimeout, {0, 600}, 1000},
    {"reconnect_timeout_seconds", &call::Settings::reconnectTimeout, {5, 600}, 1000},
    {"fold_milliseconds", &call::Settings::foldFor, {0, 10'000}, 1},
    {"gather_milliseconds", &call::Settings::gatherFor, {0, 2000}, 1},
    {"invites_per_minute", &call::Settings::invitesPerMinute, {1, 1000}, 1},
    {"ringing_of_peer", &call::Settings::ringingOfPeer, {1, 16}, 1},
    {"places_per_minute", &call::Settings::placesPerMinute, {1, 1000}, 1},
};

struct Flag {
    const char *key;
    bool call::Settings::*field;
};
constexpr Flag flags[] = {
    {"host_trickles", &call::Settings::hostTrickles},
    {"parallel_calls", &call::Settings::parallelCalls},
    {"transfers", &call::Settings::transfers},
};

std::optional<Error> readFlag(const QString &key, const QJsonValue &value, bool &out)
{
    if (!value.isBool())
        return wrong(key, Text::tr("must be true or false"));
    out = value.toBool();
    return {};
}

std::optional<Error> readPrivateAddresses(const QString &key, const QJsonValue &value, call::PrivateAddresses &out)
{
    const QString text = value.toString();
    if (text == QLatin1String("send"))
        out = call::PrivateAddresses::Send;
    else if (text == QLatin1String("hide_unencrypted"))
        out = call::PrivateAddresses::HideUnencrypted;
    else if (text == QLatin1String("hide"))
        out = call::PrivateAddresses::Hide;
    else
        return wrong(key, Text::tr("must be \"send\", \"hide_unencrypted\" or \"hide\""));
    return {};
}

std::optional<Error> readNumber(const QString &key, const QJsonValue &value, Range range, double &out)
{
    const double number = value.toDouble(std::nan(""));
    if (!(number >= range.least && number <= range.most) || number != std::floor(number)) {
        return wrong(
            key,
            Text::tr("must be a whole number from %1 to %2").arg(range.least, 0, 'f', 0).arg(range.most, 0, 'f', 0));
    }
    out = number;
    return {};
}

std::optional<Error> readWhole(const QString &key, const QJsonValue &value, Range range, int &out)
{
    double number = out;
    const auto error = readNumber(key, value, range, number);
    out = static_cast<int>(number);
    return error;
}

std::optional<Error> readUsers(const QString &key, const QJsonValue &value, QStringList &out)
{
    if (!value.isArray())
        return wrong(key, Text::tr("must be a list of user ids"));
    for (const QJsonValue &entry : value.toArray()) {
        if (!entry.isString() || entry.toString().isEmpty() || out.size() >= 10'000)
            return wrong(key, Text::tr("must be a list of user ids"));
        out.push_back(entry.toString());
    }
    return {};
}

std::optional<Error> readRecipients(const QString &key, const QJsonValue &value, crypto::Policy &out)
{
    const QString text = value.toString();
    if (text == QLatin1String("all"))
        out = crypto::Policy::All;
    else if (text == QLatin1String("cross-signed"))
        out = crypto::Policy::CrossSigned;
    else if (text == QLatin1String("verified"))
        out = crypto::Policy::Verified;
    else
        return wrong(key, Text::tr("must be \"all\", \"cross-signed\" or \"verified\""));
    return {};
}

std::optional<Error> readIdentities(const QString &key, const QJsonValue &value, QHash<QString, QString> &out)
{
    const QString advice = Text::tr("must be an object: Matrix user id -> public master key (unpadded base64)");
    if (!value.isObject() || value.toObject().size() > 10'000)
        return wrong(key, advice);
    const QJsonObject all = value.toObject();
    for (auto it = all.constBegin(); it != all.constEnd(); ++it) {
        if (!it.key().startsWith(QLatin1Char('@')) || !crypto::isKey(it.value().toString()))
            return wrong(key, advice);
        out.insert(it.key(), it.value().toString());
    }
    return {};
}

std::optional<Error> readField(const QString &key, const QJsonValue &value, PluginSettings &settings)
{
    if (key == QLatin1String("enabled"))
        return readFlag(key, value, settings.cohort.enabled);
    if (key == QLatin1String("rollout_percent"))
        return readWhole(key, value, {0, 100}, settings.cohort.percent);
    if (key == QLatin1String("allow_users"))
        return readUsers(key, value, settings.cohort.allowUsers);
    if (key == QLatin1String("mode")) {
        if (value.toString() != QLatin1String("appservice") && value.toString() != QLatin1String("client"))
            return wrong(key, Text::tr("must be \"appservice\" or \"client\""));
        return {};
    }
    if (key == QLatin1String("account")) {
        auto account = readAccount(value);
        if (!account.ok())
            return account.error();
        settings.account = std::move(account).value();
        return {};
    }
    if (key == QLatin1String("encrypt_rooms"))
        return readFlag(key, value, settings.encryption.encryptRooms);
    if (key == QLatin1String("workers"))
        return readFlag(key, value, settings.workers);
    if (key == QLatin1String("early_devices"))
        return readFlag(key, value, settings.encryption.earlyDevices);
    if (key == QLatin1String("key_recipients"))
        return readRecipients(key, value, settings.encryption.recipients);
    if (key == QLatin1String("verified_identities"))
        return readIdentities(key, value, settings.encryption.verifiedIdentities);
    if (key == QLatin1String("keep_details_hours"))
        return readWhole(key, value, {1, 8784}, settings.retention.detailHours);
    if (key == QLatin1String("timeline_megabytes"))
        return readWhole(key, value, {1, 1024}, settings.timelineMegabytes);
    if (key == QLatin1String("keep_history_days"))
        return readWhole(key, value, {1, 3660}, settings.retention.historyDays);
    if (key == QLatin1String("private_addresses"))
        return readPrivateAddresses(key, value, settings.call.privateAddresses);
    for (const Span &span : spans) {
        if (key != QLatin1String(span.key))
            continue;
        double number = 0;
        if (auto error = readNumber(key, value, span.range, number))
            return error;
        settings.call.*span.field = static_cast<call::Millis>(number) * span.unit;
        return {};
    }
    for (const Flag &flag : flags) {
        if (key == QLatin1String(flag.key))
            return readFlag(key, value, settings.call.*flag.field);
    }
    return wrong(key, Text::tr("is not a setting of this plugin"));
}

} // namespace

Expected<PluginSettings> readSettings(const QJsonObject &section)
{
    PluginSettings settings;
    for (auto it = section.constBegin(); it != section.constEnd(); ++it) {
        if (auto error = readField(it.key(), it.value(), settings))
            return std::move(*error);
    }
    const bool client = section.value(QLatin1String("mode")).toString() == QLatin1String("client");
    if (client && !settings.account)
        return wrong(QStringLiteral("account"), Text::tr("is missing: mode client needs it"));
    if (client && settings.workers)
        return wrong(QStringLiteral("workers"), Text::tr("is not for mode client: one account is one session"));
    if (!client && settings.account)
        return wrong(QStringLiteral("account"), Text::tr("belongs to mode client only"));
    return settings;
}

} // namespace voip
