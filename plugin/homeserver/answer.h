// SPDX-License-Identifier: Apache-2.0
// From the bytes of an HTTP answer to JSON or a Failure, and from JSON fields to typed values. Total functions: any
// bytes are fine, a wrong type becomes a BadAnswer that names the field. Pure; no I/O.
#pragma once

#include "types.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QVector>

namespace voip::homeserver
{

struct HttpAnswer {
    int status = 0;
    QByteArray retryAfter; // the header, as it came
    QByteArray body;
};

// `secret` is cut out of whatever the server says, should it echo our token.
[[nodiscard]] Result<QJsonDocument> judge(const HttpAnswer &answer, const QByteArray &secret);

// Text from outside, fit for a log line: control characters out, at most 256 characters.
[[nodiscard]] QString cleanText(QString text, const QByteArray &secret);

[[nodiscard]] Failure badAnswer(const QString &message);

[[nodiscard]] Result<QString> readString(const QJsonObject &object, const char *field); // non-empty
[[nodiscard]] Result<QStringList> readStrings(const QJsonObject &object, const char *field);
[[nodiscard]] Result<QVector<QJsonObject>> readObjects(const QJsonValue &array, const char *field);
[[nodiscard]] Result<int> readCount(const QJsonObject &object, const char *field); // 0..2^31-1, larger ones cut

} // namespace voip::homeserver
