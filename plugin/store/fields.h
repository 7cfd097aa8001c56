// SPDX-License-Identifier: Apache-2.0
// Reads the fields of one JSON object of a row and remembers the path of the first that is missing or of the wrong
// type.
#pragma once

#include <QJsonArray>
#include <QJsonObject>
#include <QString>

namespace voip::store
{

class Fields
{
public:
    Fields(const QJsonValue &value, QString path, QString &defect)
        : m_object(value.toObject()), m_path(std::move(path)), m_defect(defect)
    {
        if (!value.isObject())
            bad({});
    }

    QString text(const QString &key)
    {
        const QJsonValue value = m_object.value(key);
        if (!value.isString())
            bad(key);
        return value.toString();
    }
    bool flag(const QString &key)
    {
        const QJsonValue value = m_object.value(key);
        if (!value.isBool())
            bad(key);
        return value.toBool();
    }
    qint64 integer(const QString &key)
    {
        const QJsonValue value = m_object.value(key);
        const qint64 result = value.toInteger(-1);
        if (!value.isDouble() || (result == -1 && value.toInteger(-2) == -2)) // not a number, or with a fraction
            bad(key);
        return result;
    }
    int small(const QString &key)
    {
        const qint64 result = integer(key);
        if (result != static_cast<int>(result))
            bad(key);
        return static_cast<int>(result);
    }
    QJsonArray array(const QString &key)
    {
        const QJsonValue value = m_object.value(key);
        if (!value.isArray())
            bad(key);
        return value.toArray();
    }
    [[nodiscard]] bool has(const QString &key) const { return m_object.contains(key); }
    [[nodiscard]] QJsonValue value(const QString &key) const { return m_object.value(key); }
    [[nodiscard]] QString pathOf(const QString &key) const
    {
        return m_path.isEmpty() || key.isEmpty() ? m_path + key : m_path + u'.' + key;
    }
    void bad(const QString &key)
    {
        if (m_defect.isEmpty())
            m_defect = pathOf(key).isEmpty() ? QStringLiteral("(not an object)") : pathOf(key);
    }

private:
    QJsonObject m_object;
    QString m_path;
    QString &m_defect;
};

} // namespace voip::store
