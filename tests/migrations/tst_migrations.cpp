// SPDX-License-Identifier: Apache-2.0
// Each migration on both databases: the schema before it, filled with its `before` fixture, is migrated and must
// look as its `after` fixture says. With UPDATE_FIXTURES set in the environment, the fixtures of missing files are
// written instead (and the test fails, so that nobody takes that for a pass).
#include "store/migrations.h"
#include "store/sqlscript.h"
#include "storetest.h"

#include <QDir>
#include <QRegularExpression>
#include <QTest>

using namespace storetest;

namespace
{

QString read(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

// Everything that a migration can change, one fact per line.
QString describe(const voiphost::DatabaseSettings &settings)
{
    Side side(settings);
    QStringList lines;
    const bool sqlite = settings.driver == u"sqlite";
    const QStringList tables =
        side.rows(sqlite ? QStringLiteral("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
                                          "'sqlite_%' ORDER BY name")
                         : QStringLiteral("SELECT table_name FROM information_schema.tables WHERE table_schema = "
                                          "'public' ORDER BY 1"));
    for (const QString &table : tables) {
        lines += QStringLiteral("table ") + table;
        const QString columns =
            sqlite ? QStringLiteral("SELECT name, type, \"notnull\", coalesce(dflt_value, '-'), pk FROM "
                                    "pragma_table_info('%1') ORDER BY cid")
                   : QStringLiteral("SELECT column_name, data_type, is_nullable, coalesce(column_default, '-'), "
                                    "coalesce(collation_name, '-') FROM information_schema.columns "
                                    "WHERE table_name = '%1' ORDER BY ordinal_position");
        for (const QString &row : side.rows(columns.arg(table)))
            lines += QStringLiteral("  column ") + row;
        const QString indexes =
            sqlite ? QStringLiteral("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = '%1' AND sql IS "
                                    "NOT NULL ORDER BY name")
                   : QStringLiteral("SELECT indexdef FROM pg_indexes WHERE tablename = '%1' ORDER BY indexname");
        for (const QString &row : side.rows(indexes.arg(table)))
            lines += QStringLiteral("  index ") + row.simplified();
        const QString constraints =
            sqlite
                ? QStringLiteral("SELECT origin, group_concat(name) FROM (SELECT l.origin, l.name AS list, i.name "
                                 "FROM pragma_index_list('%1') l, pragma_index_info(l.name) i WHERE l.origin <> 'c' "
                                 "ORDER BY l.name, i.seqno) GROUP BY list ORDER BY 1, 2")
                : QStringLiteral("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '%1'::regclass "
                                 "ORDER BY conname");
        for (const QString &row : side.rows(constraints.arg(table)))
            lines += QStringLiteral("  constraint ") + row;
        for (const QString &row : side.rows(QStringLiteral("SELECT * FROM %1 ORDER BY 1, 2").arg(table)))
            lines += QStringLiteral("  row ") + row;
    }
    return lines.join(u'\n') + u'\n';
}

} // namespace

class Migrations : public QObject
{
    Q_OBJECT

    Databases m_databases;

private Q_SLOTS:
    void eachMigration_data()
    {
        QTest::addColumn<QString>("driver");
        QTest::addColumn<int>("version");
        for (const QString &driver : Databases::drivers()) {
            const int newest = programVersion(driver == u"sqlite" ? Dialect::Sqlite : Dialect::Postgresql);
            QVERIFY(newest >= 1);
            for (int version = 1; version <= newest; ++version)
                QTest::addRow("%s to v%d", qPrintable(driver), version) << driver << version;
        }
    }
    void eachMigration()
    {
        QFETCH(QString, driver);
        QFETCH(int, version);
        const QDir folder(QStringLiteral(FIXTURES "/%1").arg(version, 4, 10, QLatin1Char('0')));
        const QString before = folder.filePath(QStringLiteral("before.%1.sql").arg(driver));
        const QString after = folder.filePath(QStringLiteral("after.%1.txt").arg(driver));
        QVERIFY2(QFile::exists(before), qPrintable(before));
        const voiphost::DatabaseSettings settings = m_databases.fresh(driver);
        Connection db(settings, Connection::Access::ReadWrite);
        QVERIFY(!db.open());
        if (version > 1)
            QCOMPARE(*migrate(db, version - 1), version - 1);
        for (const QString &statement : splitStatements(read(before)))
            QVERIFY2(db.runOnce(statement), qPrintable(statement));
        const Result<int> migrated = migrate(db, version);
        QVERIFY2(migrated, migrated ? "" : qPrintable(migrated.error().message));
        QCOMPARE(*migrated, version);
        const QString found = describe(settings);
        if (!QFile::exists(after) && qEnvironmentVariableIsSet("UPDATE_FIXTURES")) {
            QFile file(after);
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(found.toUtf8());
            QFAIL("fixture written: look at it, then run again");
        }
        const QStringList expected = read(after).split(u'\n');
        const QStringList lines = found.split(u'\n');
        for (qsizetype i = 0; i < std::min(expected.size(), lines.size()); ++i)
            QCOMPARE(lines.at(i), expected.at(i));
        QCOMPARE(lines.size(), expected.size());
        QCOMPARE(*migrate(db, version), version); // and once is enough
        QCOMPARE(describe(settings), found);
    }

    void bothDialectsHaveTheSame()
    {
        const auto sqlite = migrations(Dialect::Sqlite);
        const auto postgresql = migrations(Dialect::Postgresql);
        QVERIFY2(sqlite, sqlite ? "" : qPrintable(sqlite.error().message));
        QVERIFY2(postgresql, postgresql ? "" : qPrintable(postgresql.error().message));
        QCOMPARE(sqlite->size(), postgresql->size());
        for (qsizetype i = 0; i < sqlite->size(); ++i) {
            QCOMPARE(sqlite->at(i).purpose, postgresql->at(i).purpose);
            QCOMPARE(sqlite->at(i).compatibleWith, postgresql->at(i).compatibleWith);
            QVERIFY(!sqlite->at(i).statements.isEmpty());
        }
    }
};

QTEST_GUILESS_MAIN(Migrations)
#include "tst_migrations.moc"
