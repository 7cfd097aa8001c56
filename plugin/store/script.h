// SPDX-License-Identifier: Apache-2.0
// What every write is made of: values that are checked on their way in, and statements that stop at the first that
// fails. Begins and commits nothing.
#pragma once

#include "store/connection.h"
#include "store/limits.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace voip::store
{

inline StoreError conflict(const QString &message)
{
    return {StoreError::Kind::Conflict, message};
}

inline QString jsonText(const QJsonObject &object)
{
    return QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact));
}

// The values of one statement, checked on the way in. PostgreSQL cannot hold U+0000 in text, and SQLite would cut.
class Values
{
public:
    Values &id(const char *field, const QString &text)
    {
        if (text.size() > maxIdLength || text.contains(QChar(u'\0')))
            refuse(field);
        m_list += bound(text);
        return *this;
    }
    Values &json(const char *field, const QJsonObject &object)
    {
        const QString text = jsonText(object);
        if (text.size() > maxBodyBytes)
            refuse(field);
        m_list += text;
        return *this;
    }
    Values &bytes(const char *field, const QByteArray &value)
    {
        if (value.size() > maxBodyBytes)
            refuse(field);
        m_list += value.isNull() ? QByteArray("") : value;
        return *this;
    }
    Values &plain(const QVariant &value)
    {
        m_list += value;
        return *this;
    }
    [[nodiscard]] const QVariantList &list() const { return m_list; }
    [[nodiscard]] const std::optional<StoreError> &refused() const { return m_refused; }

private:
    void refuse(const char *field)
    {
        if (!m_refused)
            m_refused =
                conflict(QStringLiteral("%1: too long, or a character that no row can hold").arg(QLatin1String(field)));
    }

    QVariantList m_list;
    std::optional<StoreError> m_refused;
};

// Runs statements until the first that fails; afterwards nothing more is run.
class Script
{
public:
    explicit Script(Connection &db) : m_db(db) {}

    QSqlQuery *run(const QString &sql, const Values &values)
    {
        if (m_error)
            return nullptr;
        if (values.refused()) {
            m_error = values.refused();
            return nullptr;
        }
        QSqlQuery *query = m_db.run(sql, values.list());
        if (query == nullptr)
            m_error = m_db.error();
        return query;
    }
    // True if the statement gave a row.
    bool gives(const QString &sql, const Values &values)
    {
        QSqlQuery *query = run(sql, values);
        return query != nullptr && query->next();
    }
    void fail(const StoreError &error)
    {
        if (!m_error)
            m_error = error;
    }
    [[nodiscard]] const std::optional<StoreError> &error() const { return m_error; }

private:
    Connection &m_db;
    std::optional<StoreError> m_error;
};

} // namespace voip::store
