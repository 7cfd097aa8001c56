// SPDX-License-Identifier: Apache-2.0
// Reads the columns of one row and remembers the first that cannot be believed.
#pragma once

#include "store/connection.h"
#include "store/limits.h"

#include <QJsonDocument>

namespace voip::store
{

class RowReader
{
public:
    RowReader(const QSqlQuery &query, QString table) : m_query(query), m_table(std::move(table)) {}

    QString id(int column, const char *name)
    {
        const QString text = m_query.value(column).toString();
        if (m_query.isNull(column) || text.size() > maxIdLength)
            bad(name);
        return text;
    }
    qint64 integer(int column, const char *name)
    {
        bool ok = false;
        const qint64 value = m_query.value(column).toLongLong(&ok);
        if (!ok || m_query.isNull(column))
            bad(name);
        return value;
    }
    int small(int column, const char *name)
    {
        const qint64 value = integer(column, name);
        if (value != static_cast<int>(value))
            bad(name);
        return static_cast<int>(value);
    }
    std::optional<qint64> optionalInteger(int column, const char *name)
    {
        if (m_query.isNull(column))
            return std::nullopt;
        return integer(column, name);
    }
    bool flag(int column, const char *name)
    {
        const QVariant value = m_query.value(column);
        if (value.typeId() == QMetaType::Bool)
            return value.toBool();
        const qint64 number = integer(column, name); // SQLite
        if (number != 0 && number != 1)
            bad(name);
        return number == 1;
    }
    QByteArray bytes(int column, const char *name)
    {
        const QByteArray value = m_query.value(column).toByteArray();
        if (m_query.isNull(column) || value.size() > maxBodyBytes)
            bad(name);
        return value;
    }
    QJsonObject json(int column, const char *name)
    {
        const QString text = m_query.value(column).toString();
        QJsonParseError error;
        const QJsonDocument document = QJsonDocument::fromJson(text.toUtf8(), &error);
        if (text.size() > maxBodyBytes || error.error != QJsonParseError::NoError || !document.isObject())
            bad(name);
        return document.object();
    }
    template <typename Enum>
    Enum word(int column, const char *name, std::optional<Enum> (*fromText)(const QString &))
    {
        const std::optional<Enum> value = fromText(m_query.value(column).toString());
        if (!value)
            bad(name);
        return value.value_or(Enum{});
    }

    void bad(const QString &column)
    {
        if (m_defect.isEmpty())
            m_defect = column;
    }
    void bad(const char *column) { bad(QString::fromLatin1(column)); }
    void setKey(const QString &key) { m_key = key; }
    [[nodiscard]] std::optional<StoreError> error() const
    {
        if (m_defect.isEmpty())
            return std::nullopt;
        return StoreError{StoreError::Kind::Corrupt,
                          QStringLiteral("table %1, key %2: column %3 cannot be read").arg(m_table, m_key, m_defect)};
    }

private:
    const QSqlQuery &m_query;
    QString m_table;
    QString m_key;
    QString m_defect;
};

} // namespace voip::store
