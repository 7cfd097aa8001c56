// SPDX-License-Identifier: Apache-2.0
// What ended calls leave, on both databases: how much of it is kept and for how long, that pruning goes by pieces and
// begins nothing anew, and that no statement of a running bridge has to look at all calls, however many have ended.
#include "store/callcodec.h"
#include "store/reads.h"
#include "store/stats.h"
#include "store/writes.h"
#include "storetest.h"

#include <QRegularExpression>
#include <QTest>

using namespace storetest;
namespace call = voip::call;

namespace
{

constexpr qint64 hour = 60LL * 60 * 1000;
constexpr qint64 day = 24 * hour;
constexpr qint64 now = 1000 * day;
const QString alice = QStringLiteral("@nova_alice:test");

// A call as it is left when it has ended: with all that a row may still hold.
call::Call ended(const QString &id, qint64 at)
{
    call::Call call = simpleCall(id, call::State::Ended, at - 60'000);
    call.endedAt = at;
    call.answeredAt = at - 50'000;
    call.forgetAt = at + call::longestLifetime;
    call.announced = true;
    call.media = {true, true};
    call.mediaFlowed = true;
    call.ourParty = QStringLiteral("OURPARTY");
    call.opponent = call::Party{QStringLiteral("@bob:test"), QStringLiteral("BOBSDEVICE")};
    call.identity = call::Identity{QStringLiteral("sip:secret"), QStringLiteral("Secret Name"), {}};
    return call;
}

} // namespace

class StoreRetention : public QObject
{
    Q_OBJECT

    Databases m_databases;
    voiphost::DatabaseSettings m_settings;
    std::unique_ptr<Store> m_store;

    static void forEachDatabase()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }
    void put(const QVector<call::Call> &calls)
    {
        Commit c;
        c.lane = alice;
        c.calls = calls;
        for (const call::Call &call : calls)
            c.forgottenCalls += call.id;
        QVERIFY(commit(*m_store, c));
    }
    QVector<call::Call> history()
    {
        const auto calls =
            await<QVector<call::Call>>([&](QObject *c, auto reply) { m_store->history(alice, 10'000, {}, c, reply); });
        return calls ? *calls : QVector<call::Call>();
    }

private Q_SLOTS:
    void init()
    {
        QFETCH(QString, driver);
        m_settings = m_databases.fresh(driver);
        m_store = std::make_unique<SqlStore>(m_settings);
        QVERIFY(open(*m_store));
    }
    void cleanup() { m_store.reset(); }

    void keepsWhatHistoryShows_data() { forEachDatabase(); }
    void keepsWhatHistoryShows()
    {
        const auto fresh = ended(QStringLiteral("fresh"), now - 23 * hour);
        const auto old = ended(QStringLiteral("old"), now - 25 * hour);
        put({ended(QStringLiteral("gone"), now - 91 * day), old, fresh});
        Commit live;
        live.lane = alice;
        live.calls = {simpleCall(QStringLiteral("live"), call::State::Connected, now - 100 * day)};
        live.calls.last().announced = true;
        live.calls.last().remoteSdp = QStringLiteral("v=0");
        QVERIFY(commit(*m_store, live));
        Side side(m_settings);
        QVERIFY(side.value(QStringLiteral("SELECT detail FROM calls WHERE id = 'old'")).contains(u"Secret"));
        QVERIFY(prune(*m_store, now));
        const QString kept = side.value(QStringLiteral("SELECT detail FROM calls WHERE id = 'old'"));
        QVERIFY2(!kept.contains(u"Secret") && !kept.contains(u"BOBSDEVICE"), qPrintable(kept));
        const auto calls = history();
        QCOMPARE(calls.size(), 2);
        QVERIFY(calls.at(0) == fresh);
        QCOMPARE(calls.at(1).id, old.id);
        QVERIFY(calls.at(1).media == old.media);
        QCOMPARE(calls.at(1).ourParty, old.ourParty);
        QCOMPARE(calls.at(1).peer, old.peer);
        QVERIFY(calls.at(1).reason == old.reason && calls.at(1).mediaFlowed);
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM calls WHERE id = 'live' AND detail LIKE '%v=0%'")),
                 QStringLiteral("1"));
        // The times are the administrator's.
        QVERIFY(prune(*m_store, now, {hour, 2 * hour}));
        QVERIFY(history().isEmpty());
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM calls")), QStringLiteral("1"));
    }

    // A thousand at once are no long stop: each prune does a piece, says that there is more, and goes on where it was.
    void pieceByPiece_data() { forEachDatabase(); }
    void pieceByPiece()
    {
        constexpr int count = 600;
        QVector<call::Call> calls;
        for (int i = 0; i < count; ++i) // many end in the same moment
            calls += ended(QStringLiteral("c%1").arg(i), now - 2 * day + i / 200);
        put(calls);
        Side side(m_settings);
        const auto left = [&] {
            return side.value(QStringLiteral("SELECT count(*) FROM calls WHERE detail LIKE '%Secret%'")).toInt();
        };
        int pieces = 0;
        for (int before = left(); before > 0; ++pieces) {
            const auto pruned =
                await<Pruned>([&](QObject *c, auto reply) { m_store->prune(now, Retention{}, c, reply); });
            QVERIFY(pruned);
            const int after = left();
            QVERIFY2(after < before, qPrintable(QStringLiteral("%1 after %2").arg(after).arg(before)));
            QCOMPARE(pruned->more, after > 0);
            before = after;
        }
        QVERIFY2(pieces > 1, "all of it in one transaction");
        // What is done is not done again.
        side.run(QStringLiteral("UPDATE calls SET detail = replace(detail, 'OURPARTY', 'TOUCHED') WHERE id = 'c0'"));
        const QString touched = side.value(QStringLiteral("SELECT detail FROM calls WHERE id = 'c0'"));
        QVERIFY(prune(*m_store, now));
        QCOMPARE(side.value(QStringLiteral("SELECT detail FROM calls WHERE id = 'c0'")), touched);
        QCOMPARE(history().size(), count);
    }

    // A process that died leaves calls of lines that nobody forgets any more: they are not read at the next starts.
    void leavesNothingForTheStart_data() { forEachDatabase(); }
    void leavesNothingForTheStart()
    {
        Commit c;
        c.lane = alice;
        c.calls = {ended(QStringLiteral("left"), now - 2 * day)};
        QVERIFY(commit(*m_store, c));
        Side side(m_settings);
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM calls WHERE NOT forgotten")), QStringLiteral("1"));
        QVERIFY(prune(*m_store, now));
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM calls WHERE NOT forgotten")), QStringLiteral("0"));
        QCOMPARE(history().size(), 1);
    }

    // The planner is asked how it would run each statement of the store: whatever looks at a table that grows with the
    // calls that have ended does so by an index. (PostgreSQL may walk a small table, so that is forbidden here.)
    void plans_data() { forEachDatabase(); }
    void plans()
    {
        QFETCH(QString, driver);
        put({ended(QStringLiteral("c1"), now - 2 * day)});
        m_store->close(); // serves alone
        Connection db(m_settings, Connection::Access::ReadWrite);
        QVERIFY(!db.open());
        Stats stats;
        QVERIFY(writePrune(db, now, {}));
        QVERIFY(writePrune(db, now, {}));
        QVERIFY(readLanes(db, stats, now, {}));
        QVERIFY(readHistory(db, stats, alice, 10, {}));
        QVERIFY(readHistory(db, stats, alice, 10, QStringLiteral("c1")));
        QVERIFY(readCall(db, alice, QStringLiteral("c1")));
        QVERIFY(readNoticesAfter(db, stats, alice, 0, 10));
        QVERIFY(readNoticesOfCalls(db, stats, alice, {QStringLiteral("c1")}));
        InboxBatch taken = batch(QStringLiteral("t"), alice, {QStringLiteral("$1")});
        QVERIFY(writeBatch(db, taken));
        Commit c;
        c.lane = alice;
        c.consumed = {1};
        c.calls = {ended(QStringLiteral("c2"), now)};
        c.forgottenCalls = {QStringLiteral("c2")};
        c.sends = {storetest::send(1, QStringLiteral("x"))};
        c.settledSends = {1};
        c.notices = {notice(QStringLiteral("c2"), 1)};
        QVERIFY(writeCommit(db, c));

        const bool sqlite = driver == u"sqlite";
        const QStringList statements = db.statements();
        QVERIFY(statements.size() > 20);
        QStringList seen;
        for (const QString &sql : statements)
            seen += QStringLiteral("-- ") + sql + u'\n' + (sqlite ? sqlitePlan(sql) : postgresqlPlan(sql));
        // `calls_of_lines` is a partial index: only what is not over, or was a moment ago, stands in it.
        static const QRegularExpression walk(
            QStringLiteral("(SCAN|Seq Scan on) (calls|notices|seen_events|transactions|idempotency_keys)\\b"
                           "(?! USING INDEX calls_of_lines)"));
        for (const QString &plan : std::as_const(seen)) {
            const bool byAge = plan.contains(u"FROM idempotency_keys WHERE at > ?"); // 24 h of them are wanted
            QVERIFY2(!plan.contains(walk) || byAge, qPrintable(plan));
        }
        QVERIFY(seen.filter(QStringLiteral("calls_by_end")).size() >= 2); // the check sees indexes at all
        QVERIFY(!seen.filter(QStringLiteral("calls_never_told")).isEmpty());
    }

private:
    QString sqlitePlan(QString sql)
    {
        sql.replace(u'?', QStringLiteral("NULL"));
        Side side(m_settings);
        QStringList details;
        for (const QString &row : side.rows(QStringLiteral("EXPLAIN QUERY PLAN ") + sql))
            details += row.section(u'|', 3);
        return details.join(u'\n');
    }
    QString postgresqlPlan(QString sql)
    {
        Side side(m_settings);
        QStringList nothing;
        while (sql.contains(u'?')) {
            nothing += QStringLiteral("NULL");
            sql.replace(sql.indexOf(u'?'), 1, QStringLiteral("$%1").arg(nothing.size()));
        }
        for (const QString &set :
             {QStringLiteral("SET enable_seqscan = off"), QStringLiteral("SET plan_cache_mode = force_generic_plan")})
            side.run(set);
        side.run(QStringLiteral("PREPARE asked AS ") + sql);
        const QString list = nothing.isEmpty() ? QString() : QStringLiteral("(%1)").arg(nothing.join(u','));
        return side.rows(QStringLiteral("EXPLAIN EXECUTE asked") + list).join(u'\n');
    }
};

QTEST_GUILESS_MAIN(StoreRetention)
#include "tst_store_retention.moc"
