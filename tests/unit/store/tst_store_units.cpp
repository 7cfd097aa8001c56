// SPDX-License-Identifier: Apache-2.0
// The parts of the store that need no database: DSN, splitting of scripts, words of enums.
#include "store/callcodec.h"
#include "store/dsn.h"
#include "store/sqlscript.h"

#include <QSet>
#include <QTest>

using namespace voip;
using namespace voip::store;

class StoreUnits : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsDsn()
    {
        const auto dsn =
            parsePostgresDsn(QStringLiteral("  host=/run/pg port=5433  dbname='my db' user=u password='it\\'s \\\\ =x' "
                                            "sslmode=verify-full\tconnect_timeout = 9"));
        QVERIFY2(dsn, dsn ? "" : qPrintable(dsn.error().message));
        QCOMPARE(dsn->host, QStringLiteral("/run/pg"));
        QCOMPARE(dsn->port, 5433);
        QCOMPARE(dsn->dbname, QStringLiteral("my db"));
        QCOMPARE(dsn->password, QStringLiteral("it's \\ =x"));
        const QString options = connectOptions(*dsn, PostgresDsn::Session::Reads);
        QVERIFY2(options.contains(QStringLiteral("sslmode='verify-full'")), qPrintable(options));
        QVERIFY(options.contains(QStringLiteral("connect_timeout='9'")));
        QVERIFY(options.contains(QStringLiteral("application_name='matrix-voip'")));
        QVERIFY(options.contains(QStringLiteral("statement_timeout=10000")));
        QVERIFY(options.contains(QStringLiteral("default_transaction_read_only=on")));
        QVERIFY(!options.contains(QStringLiteral("it's")));
        const auto least = parsePostgresDsn(QStringLiteral("dbname=x"));
        QVERIFY(least);
        QVERIFY(connectOptions(*least, PostgresDsn::Session::Writes).contains(QStringLiteral("connect_timeout='5'")));
    }

    void refusesDsn_data()
    {
        QTest::addColumn<QString>("dsn");
        QTest::addColumn<QString>("named");
        QTest::newRow("empty") << QString() << QStringLiteral("dbname");
        QTest::newRow("unknown") << QStringLiteral("dbname=x hots=y") << QStringLiteral("\"hots\"");
        QTest::newRow("options") << QStringLiteral("dbname=x options='-c x=y'") << QStringLiteral("\"options\"");
        QTest::newRow("word") << QStringLiteral("dbname=x SECRET") << QStringLiteral("without");
        QTest::newRow("open quote") << QStringLiteral("dbname=x password='SECRET") << QStringLiteral("\"password\"");
        QTest::newRow("port") << QStringLiteral("dbname=x port=99999") << QStringLiteral("\"port\"");
        QTest::newRow("timeout") << QStringLiteral("dbname=x connect_timeout=0")
                                 << QStringLiteral("\"connect_timeout\"");
        QTest::newRow("twice") << QStringLiteral("dbname=x dbname=y") << QStringLiteral("\"dbname\"");
        // Parts of a password that stand where a key would.
        QTest::newRow("address") << QStringLiteral("postgresql://me:SECRET@host/db?sslmode=require")
                                 << QStringLiteral("unknown key");
        QTest::newRow("blanks") << QStringLiteral("dbname=x password=SECRET1 SECRET2=3")
                                << QStringLiteral("unknown key");
        QTest::newRow("blanks, open quote")
            << QStringLiteral("dbname=x password=a SECRET2='3") << QStringLiteral("not closed");
        QTest::newRow("separator") << QStringLiteral("dbname=x sslkey=a;b") << QStringLiteral("\"sslkey\"");
    }
    void refusesDsn()
    {
        QFETCH(QString, dsn);
        QFETCH(QString, named);
        const auto result = parsePostgresDsn(dsn);
        QVERIFY(!result);
        QCOMPARE(result.error().kind, StoreError::Kind::Misconfigured);
        QVERIFY2(result.error().message.contains(named), qPrintable(result.error().message));
        QVERIFY(!result.error().message.contains(QStringLiteral("SECRET")));
    }

    void splitsScripts_data()
    {
        QTest::addColumn<QString>("script");
        QTest::addColumn<QStringList>("statements");
        const auto list = [](std::initializer_list<const char *> texts) {
            QStringList result;
            for (const char *text : texts)
                result += QString::fromLatin1(text);
            return result;
        };
        const auto row = [&](const char *name, const char *script, const QStringList &statements) {
            QTest::newRow(name) << QString::fromLatin1(script) << statements;
        };
        row("none", " \n -- only; this\n", {});
        row("two", "a;\nb", list({"a", "b"}));
        row("empty ones", ";;a;;", list({"a"}));
        row("string", "a 'x;''y;' b;c", list({"a 'x;''y;' b", "c"}));
        row("comment marks in a string", "a '--;' b;c '/*;'", list({"a '--;' b", "c '/*;'"}));
        row("name", "a \"x;\"\"\" b;c", list({"a \"x;\"\"\" b", "c"}));
        row("line comment", "a -- it's; \nb;c", list({"a \nb", "c"}));
        row("block comment", "a/* ; /* nested ' */ ; */b;c", list({"a b", "c"}));
        row("dollar", "do $$ begin; end $$;b", list({"do $$ begin; end $$", "b"}));
        row("tagged dollar", "do $x$ $$; $x$;b $1;c", list({"do $x$ $$; $x$", "b $1", "c"}));
        row("open string", "a 'x;", list({"a 'x;"}));
        row("open comment", "a /* x;", list({"a"}));
        row("open dollar", "a $$ x;", list({"a $$ x;"}));
    }
    void splitsScripts()
    {
        QFETCH(QString, script);
        QFETCH(QStringList, statements);
        QCOMPARE(splitStatements(script), statements);
    }

    void wordsAreStable()
    {
        // What stands in databases already: a change here needs a migration.
        const auto words = [](auto toWord, auto fromWord, int count) {
            QStringList all;
            for (int i = 0; i < count; ++i) {
                const QString word = toWord(i);
                if (fromWord(word) != i)
                    return QStringList(QStringLiteral("%1 does not come back").arg(word));
                all += word;
            }
            return all;
        };
        const auto check = [&]<typename Enum>(std::optional<Enum> (*from)(const QString &), int count) {
            return words([](int i) { return toText(static_cast<Enum>(i)); },
                         [from](const QString &word) { return from(word) ? static_cast<int>(*from(word)) : -1; }, count)
                .join(u' ');
        };
        QCOMPARE(check(stateFromText, 6), QStringLiteral("early ringing inviting connecting connected ended"));
        QCOMPARE(check(sideFromText, 2), QStringLiteral("theirs ours"));
        QCOMPARE(check(reasonFromText, 12),
                 QStringLiteral("user_hangup invite_timeout ice_failed ice_timeout user_media_failed user_busy "
                                "unknown_error rejected answered_elsewhere replaced peer_left unavailable"));
        QCOMPARE(check(membershipFromText, 5), QStringLiteral("join invite knock leave ban"));
        QCOMPARE(check(joinRuleFromText, 3), QStringLiteral("invite public other"));
        QCOMPARE(check(noticeKindFromText, 9),
                 QStringLiteral("call.initiated call.answered call.ice_candidate call.negotiate call.media_changed "
                                "call.glare call.rejected call.ended call.unavailable"));
        QVERIFY(!stateFromText(QStringLiteral("Early")));
        QVERIFY(!stateFromText(QString()));
    }

    void wrongDetailIsNamed()
    {
        call::Call call;
        call.opponent = call::Party{QStringLiteral("@bob:test"), QStringLiteral("P")};
        call.waiting = {{*call.opponent, {{QStringLiteral("candidate:1"), QStringLiteral("0"), 0}}}};
        const QJsonObject good = detailOf(call);
        call::Call read;
        QCOMPARE(readDetail(good, read), QString());
        for (const QString &key : good.keys()) {
            QJsonObject bad = good;
            bad.insert(key, QJsonValue::Null);
            call::Call target;
            QVERIFY2(readDetail(bad, target).startsWith(key), qPrintable(key));
        }
        QJsonObject fraction = good;
        fraction.insert(QStringLiteral("flush_at"), 1.5);
        QCOMPARE(readDetail(fraction, read), QStringLiteral("flush_at"));
        QJsonObject version = good;
        version.insert(QStringLiteral("version"), qint64(4294967297));
        QCOMPARE(readDetail(version, read), QStringLiteral("version"));
    }
};

QTEST_APPLESS_MAIN(StoreUnits)
#include "tst_store_units.moc"
