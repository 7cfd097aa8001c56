// SPDX-License-Identifier: Apache-2.0
#include "store/migrations.h"

#include "store/sqlscript.h"

#include <QDir>
#include <QFile>
#include <QRegularExpression>

// The resources are part of a static library, which the linker drops unless they are asked for; the macro does not
// work inside a namespace.
static void initialiseResources()
{
    Q_INIT_RESOURCE(voip);
}

namespace voip::store
{

namespace
{

StoreError misconfigured(const QString &message)
{
    return {StoreError::Kind::Misconfigured, message};
}

Result<Migration> readMigration(const QString &path)
{
    static const QRegularExpression header(
        QStringLiteral("^-- v([0-9]{1,4}) \\(compatible with v([0-9]{1,4})\\+\\): (\\S.*)$"));
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return misconfigured(QStringLiteral("migration %1 cannot be read").arg(path));
    const QString text = QString::fromUtf8(file.readAll());
    const QRegularExpressionMatch match = header.match(text.section(u'\n', 0, 0));
    if (!match.hasMatch())
        return misconfigured(QStringLiteral("migration %1: the first line is not as agreed").arg(path));
    Migration migration{match.captured(1).toInt(), match.captured(2).toInt(), match.captured(3), splitStatements(text)};
    if (migration.compatibleWith < 1 || migration.compatibleWith > migration.version)
        return misconfigured(QStringLiteral("migration %1: compatible with a version that cannot be").arg(path));
    return migration;
}

// What the next transaction does: one migration, or finding that nothing is left to do.
Result<int> step(Connection &db, const QVector<Migration> &all, int target)
{
    if (!db.begin())
        return db.error();
    if (db.dialect() == Dialect::Postgresql) {
        // Another worker may be migrating: wait for it, but not for ever. The number is arbitrary and ours.
        for (const QString &sql : {QStringLiteral("SET LOCAL statement_timeout = '10min'"),
                                   QStringLiteral("SELECT pg_advisory_xact_lock(7239457138021)")}) {
            if (!db.runOnce(sql))
                return db.error();
        }
    }
    const Result<int> version = schemaVersion(db);
    if (!version)
        return version;
    if (*version > static_cast<int>(all.size())) {
        return misconfigured(QStringLiteral("the database has schema version %1, newer than this program's %2")
                                 .arg(*version)
                                 .arg(all.size()));
    }
    if (*version >= target) {
        db.rollback();
        return version;
    }
    const Migration &next = all.at(*version);
    for (const QString &statement : next.statements) {
        if (!db.runOnce(statement)) {
            return StoreError{db.error().kind, QStringLiteral("migration to schema version %1: %2")
                                                   .arg(QString::number(next.version), db.error().message)};
        }
    }
    if (db.run(QStringLiteral("INSERT INTO meta (key, value) VALUES ('schema_version', ?) "
                              "ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
               {QString::number(next.version)}) == nullptr ||
        !db.commit())
        return db.error();
    return next.version;
}

} // namespace

Result<QVector<Migration>> migrations(Dialect dialect)
{
    initialiseResources();
    const QDir folder(QStringLiteral(":/matrixvoip/migrations"));
    const QString filter =
        dialect == Dialect::Sqlite ? QStringLiteral("*.sqlite.sql") : QStringLiteral("*.postgresql.sql");
    QVector<Migration> all;
    for (const QString &name : folder.entryList({filter}, QDir::Files, QDir::Name)) {
        Result<Migration> migration = readMigration(folder.filePath(name));
        if (!migration)
            return migration.error();
        if (migration->version != all.size() + 1 || name.left(4).toInt() != migration->version) {
            return misconfigured(
                QStringLiteral("migration %1 is number %2 of its row").arg(name, QString::number(all.size() + 1)));
        }
        all += std::move(migration).value();
    }
    if (all.isEmpty())
        return misconfigured(QStringLiteral("this program holds no migrations"));
    return all;
}

int programVersion(Dialect dialect)
{
    const Result<QVector<Migration>> all = migrations(dialect);
    return all ? static_cast<int>(all->size()) : 0;
}

Result<int> schemaVersion(Connection &db)
{
    QSqlQuery *table =
        db.run(db.dialect() == Dialect::Sqlite
                   ? QStringLiteral("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'meta'")
                   : QStringLiteral("SELECT count(*) FROM pg_class WHERE oid = to_regclass('meta') AND relkind = 'r'"));
    if (table == nullptr)
        return db.error();
    if (!table->next() || table->value(0).toInt() == 0)
        return 0;
    QSqlQuery *row = db.run(QStringLiteral("SELECT value FROM meta WHERE key = 'schema_version'"));
    if (row == nullptr)
        return db.error();
    if (!row->next())
        return 0;
    bool ok = false;
    const int version = row->value(0).toString().toInt(&ok);
    if (!ok || version < 1)
        return StoreError{StoreError::Kind::Corrupt, QStringLiteral("meta schema_version: value is not a version")};
    return version;
}

Result<int> migrate(Connection &db, int upTo)
{
    const Result<QVector<Migration>> all = migrations(db.dialect());
    if (!all)
        return all.error();
    const int target = upTo > 0 ? upTo : static_cast<int>(all->size());
    for (;;) {
        const Result<int> version = step(db, *all, target);
        if (!version) {
            db.rollback();
            return version;
        }
        if (*version >= target)
            return version;
    }
}

} // namespace voip::store
