// SPDX-License-Identifier: Apache-2.0
// See answer.h.
#include "answer.h"

#include <QJsonArray>

#include <algorithm>
#include <limits>

namespace voip::homeserver
{

namespace
{

constexpr int kMaxCode = 64;
constexpr int kMaxMessage = 256;
constexpr int kMaxRetryAfterMs = 60'000;
constexpr int kDefaultRetryAfterMs = 1'000;

QString cleanCode(const QString &code)
{
    const bool fits = code.size() <= kMaxCode && std::all_of(code.cbegin(), code.cend(), [](QChar c) {
                          return (c >= u'A' && c <= u'Z') || (c >= u'0' && c <= u'9') || c == u'_' || c == u'.';
                      });
    return fits ? code : QStringLiteral("M_UNKNOWN");
}

int retryAfterMs(const QJsonObject &body, const QByteArray &header)
{
    const QJsonValue field = body.value(QLatin1String("retry_after_ms"));
    if (field.isDouble()) {
        return static_cast<int>(std::clamp(field.toDouble(), 0.0, double(kMaxRetryAfterMs)));
    }
    bool isNumber = false;
    const double seconds = header.trimmed().toDouble(&isNumber);
    if (isNumber && seconds >= 0) { // a date instead of seconds is legal HTTP, but no homeserver sends one
        return static_cast<int>(std::clamp(seconds * 1000, 0.0, double(kMaxRetryAfterMs)));
    }
    return kDefaultRetryAfterMs;
}

} // namespace

QString cleanText(QString text, const QByteArray &secret)
{
    if (!secret.isEmpty()) {
        text.replace(QString::fromUtf8(secret), QStringLiteral("<token>"));
    }
    text.truncate(kMaxMessage);
    for (QChar &c : text) {
        if (!c.isPrint()) {
            c = u' ';
        }
    }
    return text.trimmed();
}

Failure badAnswer(const QString &message)
{
    Failure failure{FailureKind::BadAnswer};
    failure.message = message;
    failure.maybeDone = true;
    return failure;
}

Result<QJsonDocument> judge(const HttpAnswer &answer, const QByteArray &secret)
{
    QJsonParseError parsing{};
    const QJsonDocument document = QJsonDocument::fromJson(answer.body, &parsing);
    const bool isJson = parsing.error == QJsonParseError::NoError;
    if (answer.status >= 200 && answer.status < 300) {
        if (isJson) {
            return document;
        }
        Failure failure = badAnswer(QStringLiteral("the answer is not JSON: %1").arg(parsing.errorString()));
        failure.status = answer.status;
        return failure;
    }

    Failure failure;
    failure.status = answer.status;
    const QJsonObject body = document.object();
    failure.code = cleanCode(body.value(QLatin1String("errcode")).toString());
    failure.message = cleanText(body.value(QLatin1String("error")).toString(), secret);
    failure.softLogout = body.value(QLatin1String("soft_logout")).toBool();
    if (failure.message.isEmpty()) {
        failure.message = QStringLiteral("HTTP status %1").arg(answer.status);
    }

    if (answer.status == 429 || failure.code == QLatin1String("M_LIMIT_EXCEEDED")) {
        failure.kind = FailureKind::RateLimited;
        failure.retryAfterMs = retryAfterMs(body, answer.retryAfter);
    } else if (answer.status >= 500 || answer.status == 408) {
        failure.kind = FailureKind::ServerError;
        failure.maybeDone = true;
    } else if (answer.status >= 400) {
        failure.kind = FailureKind::Rejected;
    } else if (answer.status >= 300) {
        failure.kind = FailureKind::BadAnswer;
        failure.message = QStringLiteral("the homeserver's address redirects (HTTP status %1): "
                                         "configure the address that it redirects to")
                              .arg(answer.status);
    } else {
        failure = badAnswer(QStringLiteral("unexpected HTTP status %1").arg(answer.status));
        failure.status = answer.status;
    }
    return failure;
}

Result<QString> readString(const QJsonObject &object, const char *field)
{
    const QJsonValue value = object.value(QLatin1String(field));
    if (!value.isString() || value.toString().isEmpty()) {
        return badAnswer(QStringLiteral("%1: a non-empty string was expected").arg(QLatin1String(field)));
    }
    return value.toString();
}

Result<QStringList> readStrings(const QJsonObject &object, const char *field)
{
    const QJsonValue value = object.value(QLatin1String(field));
    if (!value.isArray()) {
        return badAnswer(QStringLiteral("%1: an array was expected").arg(QLatin1String(field)));
    }
    QStringList strings;
    for (const auto entry : value.toArray()) {
        if (!entry.isString()) {
            return badAnswer(
                QStringLiteral("%1[%2]: a string was expected").arg(QLatin1String(field)).arg(strings.size()));
        }
        strings.append(entry.toString());
    }
    return strings;
}

Result<QVector<QJsonObject>> readObjects(const QJsonValue &array, const char *field)
{
    if (!array.isArray()) {
        return badAnswer(QStringLiteral("%1: an array was expected").arg(QLatin1String(field)));
    }
    QVector<QJsonObject> objects;
    for (const auto entry : array.toArray()) {
        if (!entry.isObject()) {
            return badAnswer(
                QStringLiteral("%1[%2]: an object was expected").arg(QLatin1String(field)).arg(objects.size()));
        }
        objects.append(entry.toObject());
    }
    return objects;
}

Result<int> readCount(const QJsonObject &object, const char *field)
{
    const QJsonValue value = object.value(QLatin1String(field));
    if (!value.isDouble() || value.toDouble() < 0) {
        return badAnswer(QStringLiteral("%1: a number of at least 0 was expected").arg(QLatin1String(field)));
    }
    return static_cast<int>(std::min(value.toDouble(), double(std::numeric_limits<int>::max())));
}

} // namespace voip::homeserver
