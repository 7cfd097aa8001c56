// SPDX-License-Identifier: Apache-2.0
// See sessionrecord.h.
#include "sessionrecord.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace voip::homeserver
{

namespace
{

using Standing = SessionRecord::Standing;

const QString version = QStringLiteral("1");

QString nameOf(Standing standing)
{
    switch (standing) {
    case Standing::LoggedIn:
        return QStringLiteral("logged_in");
    case Standing::LoggedOut:
        return QStringLiteral("logged_out");
    case Standing::Ended:
        return QStringLiteral("ended");
    }
    return {};
}

std::optional<Standing> standingOf(const QString &name)
{
    for (const Standing standing : {Standing::LoggedIn, Standing::LoggedOut, Standing::Ended}) {
        if (name == nameOf(standing))
            return standing;
    }
    return {};
}

} // namespace

QByteArray toBytes(const SessionRecord &record)
{
    const QJsonObject object{{QStringLiteral("version"), version},
                             {QStringLiteral("user_id"), record.userId},
                             {QStringLiteral("device_id"), record.deviceId},
                             {QStringLiteral("standing"), nameOf(record.standing)},
                             {QStringLiteral("access_token"), QString::fromUtf8(record.accessToken)},
                             {QStringLiteral("refresh_token"), QString::fromUtf8(record.refreshToken)},
                             {QStringLiteral("expires_at"), record.expiresAt},
                             {QStringLiteral("next_batch"), record.nextBatch}};
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

std::optional<SessionRecord> sessionRecordOf(const QByteArray &bytes)
{
    const QJsonObject object = QJsonDocument::fromJson(bytes).object();
    const auto text = [&object](const char *key) { return object.value(QLatin1String(key)).toString(); };
    const auto standing = standingOf(text("standing"));
    if (text("version") != version || text("user_id").isEmpty() || text("device_id").isEmpty() || !standing)
        return {};
    return SessionRecord{text("user_id"),
                         text("device_id"),
                         *standing,
                         text("access_token").toUtf8(),
                         text("refresh_token").toUtf8(),
                         object.value(QLatin1String("expires_at")).toInteger(),
                         text("next_batch")};
}

} // namespace voip::homeserver
