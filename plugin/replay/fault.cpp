// SPDX-License-Identifier: Apache-2.0
#include "replay/fault.h"

#include <cmath>

namespace voip::replay
{

namespace
{

constexpr double largestInteger = 9007199254740992.0; // 2^53: what JSON numbers hold exactly

} // namespace

QString Fault::text() const
{
    return field.isEmpty() ? QStringLiteral("line %1: %2").arg(line).arg(what)
                           : QStringLiteral("line %1: \"%2\": %3").arg(line).arg(field, what);
}

void Fields::fail(const QString &field, const QString &what)
{
    if (!m_fault)
        m_fault = Fault{0, field, what};
}

QString Fields::text(const char *key)
{
    const QString value = m_object.value(QLatin1String(key)).toString();
    if (value.isEmpty() || value.size() > 255)
        fail(key, has(key) ? "must be a string of 1 to 255 characters" : "is missing");
    return value;
}

QString Fields::text(const char *key, const QString &otherwise)
{
    return has(key) ? text(key) : otherwise;
}

QString Fields::longText(const char *key)
{
    const QJsonValue value = m_object.value(QLatin1String(key));
    if (!value.isString())
        fail(key, has(key) ? "must be a string" : "is missing");
    return value.toString();
}

qint64 Fields::integer(const char *key)
{
    const QJsonValue value = m_object.value(QLatin1String(key));
    const double number = value.toDouble(-1);
    if (number < 0 || number > largestInteger || number != std::floor(number)) {
        fail(key, has(key) ? "must be a whole number from 0 to 2^53" : "is missing");
        return 0;
    }
    return static_cast<qint64>(number);
}

qint64 Fields::integer(const char *key, qint64 otherwise)
{
    return has(key) ? integer(key) : otherwise;
}

bool Fields::flag(const char *key, bool otherwise)
{
    const QJsonValue value = m_object.value(QLatin1String(key));
    if (!value.isUndefined() && !value.isBool())
        fail(key, "must be true or false");
    return value.toBool(otherwise);
}

QJsonObject Fields::object(const char *key)
{
    const QJsonValue value = m_object.value(QLatin1String(key));
    if (!value.isObject())
        fail(key, has(key) ? "must be an object" : "is missing");
    return value.toObject();
}

QJsonArray Fields::list(const char *key)
{
    const QJsonValue value = m_object.value(QLatin1String(key));
    if (!value.isArray())
        fail(key, has(key) ? "must be a list" : "is missing");
    return value.toArray();
}

} // namespace voip::replay
