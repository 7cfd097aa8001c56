// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

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

std::optional<Error> readField(const QString &key, const QJsonValue &value, PluginSettings &settings)
{
    const auto milliseconds = [&](call::Millis &out, Range seconds) -> std::optional<Error> {
        double number = 0;
        if (auto error = readNumber(key, value, seconds, number))
            return error;
        out = static_cast<call::Millis>(number) * 1000;
        return {};
    };
    if (key == QLatin1String("enabled")) {
        if (!value.isBool())
            return wrong(key, Text::tr("must be true or false"));
        settings.cohort.enabled = value.toBool();
        return {};
    }
    if (key == QLatin1String("rollout_percent")) {
        double number = 0;
        if (auto error = readNumber(key, value, {0, 100}, number))
            return error;
        settings.cohort.percent = static_cast<int>(number);
        return {};
    }
    if (key == QLatin1String("allow_users"))
        return readUsers(key, value, settings.cohort.allowUsers);
    if (key == QLatin1String("mode")) {
        if (value.toString() != QLatin1String("appservice"))
            return wrong(key, Text::tr("must be \"appservice\""));
        return {};
    }
    if (key == QLatin1String("invite_lifetime_seconds"))
        return milliseconds(settings.call.inviteLifetime, {30, 600});
    if (key == QLatin1String("connect_timeout_seconds"))
        return milliseconds(settings.call.connectTimeout, {10, 600});
    if (key == QLatin1String("longest_call_seconds"))
        return milliseconds(settings.call.longestCall, {60, 7 * 24 * 3600});
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
    return settings;
}

} // namespace voip
