// SPDX-License-Identifier: Apache-2.0
// The registration as YAML. Every text is JSON-quoted, which YAML reads the same, so that no value can break out.
#include "config/registration.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QSaveFile>

namespace bridgehost
{

namespace
{

QByteArray quoted(const QString &text)
{
    const QByteArray array = QJsonDocument(QJsonArray{text}).toJson(QJsonDocument::Compact);
    return array.mid(1, array.size() - 2);
}

} // namespace

QByteArray registrationYaml(const Config &config)
{
    // Not QRegularExpression::escape(): it escapes characters that need none, in ways that Python reads otherwise.
    const auto escaped = [](QString text) {
        static const QRegularExpression special(QStringLiteral("([\\\\.^$|?*+()\\[\\]{}])"));
        return text.replace(special, QStringLiteral("\\\\1"));
    };
    const QString regex = QStringLiteral("@%1.*:%2").arg(escaped(config.userPrefix), escaped(config.serverName));
    QByteArray yaml;
    const auto line = [&yaml](const QByteArray &key, const QByteArray &value) { yaml += key + ": " + value + '\n'; };
    line("id", quoted(config.appserviceId));
    line("url", quoted(config.appserviceUrl.toString()));
    line("as_token", quoted(QString::fromUtf8(config.asToken)));
    line("hs_token", quoted(QString::fromUtf8(config.hsToken)));
    line("sender_localpart", quoted(config.senderLocalpart));
    line("rate_limited", "false");
    yaml += "namespaces:\n  users:\n    - exclusive: true\n      regex: " + quoted(regex) + '\n';
    yaml += "  aliases: []\n  rooms: []\n";
    // To-device messages and what encryption needs; both spellings, for homeservers of either age.
    line("receive_ephemeral", "true");
    line("de.sorunome.msc2409.push_ephemeral", "true");
    line("org.matrix.msc3202", "true");
    line("io.element.msc4190", "true");
    return yaml;
}

voiphost::Expected<voiphost::Done> writeRegistration(const Config &config, const QString &file)
{
    const auto failed = [&file](const QString &why) {
        return voiphost::Error{
            voiphost::ErrorKind::Unavailable, QStringLiteral("WRITE_FAILED"), file + QLatin1String(": ") + why, {}};
    };
    QSaveFile out(file);
    if (!out.open(QIODevice::WriteOnly))
        return failed(out.errorString());
    if (!out.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner))
        return failed(out.errorString());
    out.write(registrationYaml(config));
    if (!out.commit())
        return failed(out.errorString());
    return voiphost::Done{};
}

} // namespace bridgehost
