// SPDX-License-Identifier: Apache-2.0
#include "store/reseal.h"

#include "store/connection.h"
#include "store/migrations.h"
#include "store/rowreader.h"
#include "store/script.h"
#include "store/writes.h"

#include <QFileInfo>

namespace voip::store
{

namespace
{

// A table of sealed values, in the three statements that it takes. Names and values are read apart: values are large.
struct Table {
    QString name;
    QString column;
    QString names;
    QString read;
    QString write;
};

Table stateTable()
{
    return {QStringLiteral("crypto_state"), QStringLiteral("sealed"),
            QStringLiteral("SELECT lane, kind, key FROM crypto_state ORDER BY lane, kind, key"),
            QStringLiteral("SELECT sealed FROM crypto_state WHERE lane = ? AND kind = ? AND key = ?"),
            QStringLiteral("UPDATE crypto_state SET sealed = ? WHERE lane = ? AND kind = ? AND key = ?")};
}

Table settingsTable()
{
    return {QStringLiteral("settings"), QStringLiteral("value"),
            QStringLiteral("SELECT key FROM settings WHERE substr(key, 1, 7) = 'sealed:' ORDER BY key"),
            QStringLiteral("SELECT value FROM settings WHERE key = ?"),
            QStringLiteral("UPDATE settings SET value = ? WHERE key = ?")};
}

QVariantList nameOf(const SealedAt &at)
{
    if (at.isSetting())
        return {bound(at.key)};
    return {bound(at.lane), bound(at.kind), bound(at.key)};
}

QString keyOf(const SealedAt &at)
{
    return at.isSetting() ? at.key : at.lane + u' ' + at.kind + u' ' + at.key;
}

Result<QVector<SealedAt>> namesOf(Connection &db, const Table &table, bool settings)
{
    QSqlQuery *query = db.run(table.names);
    if (query == nullptr)
        return db.error();
    QVector<SealedAt> names;
    while (query->next()) {
        RowReader row(*query, table.name);
        SealedAt at;
        if (settings) {
            at.key = row.id(0, "key");
        } else {
            at = {row.id(0, "lane"), row.id(1, "kind"), row.id(2, "key")};
        }
        row.setKey(keyOf(at).left(maxIdLength));
        if (const std::optional<StoreError> error = row.error())
            return *error;
        names += at;
    }
    return names;
}

std::optional<StoreError> resealRow(Connection &db, const Table &table, const SealedAt &at,
                                    const Resealer::Function &function)
{
    QSqlQuery *query = db.run(table.read, nameOf(at));
    if (query == nullptr)
        return db.error();
    if (!query->next())
        return StoreError{StoreError::Kind::Corrupt,
                          QStringLiteral("table %1, key %2: is gone").arg(table.name, keyOf(at))};
    RowReader row(*query, table.name);
    row.setKey(keyOf(at));
    const QByteArray sealed = row.bytes(0, qPrintable(table.column));
    if (const std::optional<StoreError> error = row.error())
        return error;
    const std::optional<QByteArray> fresh = function(at, sealed);
    if (!fresh) {
        return StoreError{StoreError::Kind::Corrupt,
                          QStringLiteral("table %1, key %2: column %3 cannot be opened with the root key")
                              .arg(table.name, keyOf(at), table.column)};
    }
    Values values;
    values.bytes(qPrintable(table.column), *fresh);
    const QVariantList name = nameOf(at);
    for (const QVariant &part : name)
        values.plain(part);
    Script script(db);
    script.run(table.write, values);
    return script.error();
}

} // namespace

Resealer::Resealer(voiphost::DatabaseSettings settings)
    : m_settings(std::move(settings)), m_db(std::make_unique<Connection>(m_settings, Connection::Access::Alone))
{
}

Resealer::~Resealer() = default;

std::optional<StoreError> Resealer::open()
{
    // Opening would make it.
    if (m_db->dialect() == Dialect::Sqlite && !m_settings.dsn.isEmpty() && !QFileInfo::exists(m_settings.dsn)) {
        return StoreError{StoreError::Kind::Unavailable,
                          QStringLiteral("\"%1\" does not exist yet").arg(m_settings.dsn)};
    }
    if (std::optional<StoreError> error = m_db->open())
        return error;
    const Result<int> version = schemaVersion(*m_db);
    if (!version)
        return version.error();
    if (const int own = programVersion(m_db->dialect()); *version != own) {
        return StoreError{StoreError::Kind::Misconfigured,
                          QStringLiteral("the database has schema version %1, and this program %2: start it once first")
                              .arg(*version)
                              .arg(own)};
    }
    const Result<QString> check = readRootKeyCheck(*m_db);
    if (!check)
        return check.error();
    m_check = *check;
    return std::nullopt;
}

bool Resealer::fits(const QByteArray &rootKey) const
{
    return !rootKey.isEmpty() && m_check == rootKeyCheck(rootKey);
}

Result<int> Resealer::reseal(const QByteArray &oldKey, const QByteArray &newKey, const Function &function)
{
    if (!fits(oldKey) || newKey.isEmpty())
        return StoreError{StoreError::Kind::Misconfigured, QStringLiteral("root_key: not the one of this database")};
    if (!m_db->begin())
        return m_db->error();
    Result<int> count = resealAll(oldKey, newKey, function);
    if (count && m_db->commit()) {
        m_check = rootKeyCheck(newKey);
        return count;
    }
    if (count)
        count = m_db->error();
    m_db->rollback();
    return count;
}

Result<int> Resealer::resealAll(const QByteArray &oldKey, const QByteArray &newKey, const Function &function)
{
    int count = 0;
    for (const bool settings : {false, true}) {
        const Table table = settings ? settingsTable() : stateTable();
        const Result<QVector<SealedAt>> names = namesOf(*m_db, table, settings);
        if (!names)
            return names.error();
        for (const SealedAt &at : *names) {
            if (const std::optional<StoreError> error = resealRow(*m_db, table, at, function))
                return *error;
            ++count;
        }
    }
    const QSqlQuery *changed =
        m_db->run(QStringLiteral("UPDATE meta SET value = ? WHERE key = 'root_key_check' AND value = ?"),
                  {rootKeyCheck(newKey), rootKeyCheck(oldKey)});
    if (changed == nullptr)
        return m_db->error();
    if (changed->numRowsAffected() != 1)
        return StoreError{StoreError::Kind::Corrupt, QStringLiteral("meta root_key_check: not what it was")};
    return count;
}

} // namespace voip::store
