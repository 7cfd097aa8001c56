// SPDX-License-Identifier: Apache-2.0
// What a write does and what its repetition does not, on both databases.
#include "storetest.h"

#include <QTest>

using namespace storetest;
using namespace voip;

namespace
{

const QString alice = QStringLiteral("@nova_alice:test");
const QString carol = QStringLiteral("@nova_carol:test");

} // namespace

class StoreWrites : public QObject
{
    Q_OBJECT

    Databases m_databases;
    voiphost::DatabaseSettings m_settings;
    std::unique_ptr<SqlStore> m_store;

    void forEachDatabase()
    {
        QTest::addColumn<QString>("driver");
        for (const QString &driver : Databases::drivers())
            QTest::newRow(qPrintable(driver)) << driver;
    }

private Q_SLOTS:
    void init()
    {
        QFETCH(QString, driver);
        m_settings = m_databases.fresh(driver);
        m_store = std::make_unique<SqlStore>(m_settings);
        const auto opened = open(*m_store);
        QVERIFY2(opened, opened ? "" : qPrintable(opened.error().message));
    }
    void cleanup() { m_store.reset(); }

    void acceptsOnce_data() { forEachDatabase(); }
    void acceptsOnce()
    {
        InboxBatch both = batch(QStringLiteral("t1"), alice, {QStringLiteral("$1"), QStringLiteral("$2")});
        both.events += InboxEvent{carol, QStringLiteral("$1"), QJsonObject{{QStringLiteral("x"), 1}}};
        const auto first = accept(*m_store, both);
        QVERIFY(first);
        QCOMPARE(first->size(), 3);
        QCOMPARE(first->at(0).lane, alice);
        QCOMPARE(first->at(0).body, both.events.at(0).body);
        QCOMPARE(first->at(0).transactionId, QStringLiteral("t1"));
        QVERIFY(first->at(0).seq < first->at(1).seq && first->at(1).seq < first->at(2).seq);
        QCOMPARE(first->at(2).lane, carol);

        const auto again = accept(*m_store, both);
        QVERIFY(again);
        QCOMPARE(seqs(*again), seqs(*first)); // they wait still
        InboxBatch later = both;              // with bodies whose ages are of then
        later.receivedAt += 35'000;
        QCOMPARE(accept(*m_store, later)->at(1).receivedAt, later.receivedAt);
        // A known event in another transaction, beside a new one (R107).
        const auto other =
            accept(*m_store, batch(QStringLiteral("t2"), alice, {QStringLiteral("$2"), QStringLiteral("$3")}));
        QVERIFY(other);
        QCOMPARE(other->size(), 2);
        QCOMPARE(other->at(0).seq, first->at(1).seq);
        QCOMPARE(other->at(0).transactionId, QStringLiteral("t1"));
        QCOMPARE(other->at(1).body.value(QStringLiteral("event_id")).toString(), QStringLiteral("$3"));
        // Twice in one.
        const auto twice =
            accept(*m_store, batch(QStringLiteral("t3"), alice, {QStringLiteral("$3"), QStringLiteral("$3")}));
        QCOMPARE(seqs(*twice), QVector<qint64>{other->at(1).seq});
        QCOMPARE(pending(*m_store)->size(), 4);
    }

    void consumedEventsStaySeen_data() { forEachDatabase(); }
    void consumedEventsStaySeen()
    {
        const auto entries = accept(*m_store, batch(QStringLiteral("t1"), alice, {QStringLiteral("$1")}));
        Commit consume;
        consume.lane = carol; // not hers
        consume.consumed = {entries->at(0).seq};
        QVERIFY(commit(*m_store, consume));
        QCOMPARE(pending(*m_store)->size(), 1);
        consume.lane = alice;
        QVERIFY(commit(*m_store, consume));
        QCOMPARE(pending(*m_store)->size(), 0);
        QCOMPARE(accept(*m_store, batch(QStringLiteral("t9"), alice, {QStringLiteral("$1")}))->size(), 0);
        // Numbers do not come again, even though the table is empty.
        const auto next = accept(*m_store, batch(QStringLiteral("t10"), alice, {QStringLiteral("$2")}));
        QVERIFY(next->at(0).seq > entries->at(0).seq);
    }

    void repeatedCommitChangesNothing_data() { forEachDatabase(); }
    void repeatedCommitChangesNothing()
    {
        QRandomGenerator random(7);
        Commit c;
        c.lane = alice;
        c.consumed = {accept(*m_store, batch(QStringLiteral("t1"), alice, {QStringLiteral("$1")}))->at(0).seq};
        c.calls = {randomCall(random, QStringLiteral("c1")), simpleCall(QStringLiteral("c2"), call::State::Early, 1)};
        c.forgottenCalls = {QStringLiteral("c2")};
        c.rooms = {randomRoom(random, QStringLiteral("!r:test"), 3)};
        c.sends = {send(1, QStringLiteral("x1")), send(2, QStringLiteral("x2"))};
        c.settledSends = {1};
        c.notices = {notice(QStringLiteral("c1"), 1), notice(QStringLiteral("c1"), 2)};
        c.keys = {{alice, QStringLiteral("k"), QByteArray("\0\xff'", 3), QStringLiteral("c1"), 1000}};
        const auto first = commit(*m_store, c);
        QVERIFY2(first, first ? "" : qPrintable(first.error().message));
        QCOMPARE(first->noticeIds.size(), 2);
        QVERIFY(first->noticeIds.at(0) < first->noticeIds.at(1));
        Side side(m_settings);
        const auto everything = [&side] {
            QStringList lines;
            for (const char *table : {"inbox", "seen_events", "rooms", "calls", "outbox", "notices", "lanes"})
                lines += side.rows(QStringLiteral("SELECT * FROM %1 ORDER BY 1, 2").arg(QLatin1String(table)));
            return lines;
        };
        const QStringList before = everything();
        const auto second = commit(*m_store, c);
        QVERIFY(second);
        QCOMPARE(second->noticeIds, first->noticeIds);
        QCOMPARE(everything(), before);
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM outbox")), QStringLiteral("1"));
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM notices")), QStringLiteral("2"));
    }

    void conflictsAreNamedAndChangeNothing_data() { forEachDatabase(); }
    void conflictsAreNamedAndChangeNothing()
    {
        Commit good;
        good.lane = alice;
        good.sends = {send(1, QStringLiteral("x1"))};
        good.notices = {notice(QStringLiteral("c1"), 1)};
        QVERIFY(commit(*m_store, good));
        const auto refused = [&](const Commit &bad, const QString &word) {
            const auto result = commit(*m_store, bad);
            QVERIFY(!result);
            QCOMPARE(result.error().kind, StoreError::Kind::Conflict);
            QVERIFY2(result.error().message.contains(word), qPrintable(result.error().message));
        };
        Commit bad;
        bad.lane = alice;
        bad.rooms = {call::Room{QStringLiteral("!bad:test"), {}, {}, false, call::JoinRule::Invite, false}};
        bad.sends = {send(1, QStringLiteral("x9"))}; // the ref is taken
        refused(bad, QStringLiteral("outbox.ref"));
        bad.sends = {send(9, QStringLiteral("x1"))}; // the transaction id is taken
        refused(bad, QStringLiteral("txn_id"));
        bad.sends = {};
        bad.notices = {notice(QStringLiteral("c1"), 1)};
        bad.notices[0].kind = voiphost::NoticeKind::Ended; // another notice under the same number
        refused(bad, QStringLiteral("notices.seq"));
        bad.notices = {};
        bad.calls = {simpleCall(QStringLiteral("c") + QChar(u'\0'), call::State::Ringing, 1)};
        refused(bad, QStringLiteral("calls.id"));
        bad.calls = {simpleCall(QStringLiteral("c9"), call::State::Ringing, 1)};
        bad.calls[0].peer = QString(5000, u'x');
        refused(bad, QStringLiteral("calls.peer"));
        bad.calls = {};
        QRandomGenerator random(1);
        bad.rooms += randomRoom(random, QStringLiteral("!big:test"), call::Room::maxMembers + 1);
        refused(bad, QStringLiteral("rooms.members"));
        Side side(m_settings);
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM rooms")), QStringLiteral("0"));
        QVERIFY(m_store->available());
    }

    void oneBadWriteDoesNotFailTheOthers_data() { forEachDatabase(); }
    void oneBadWriteDoesNotFailTheOthers()
    {
        Commit taken;
        taken.lane = carol;
        taken.sends = {send(1, QStringLiteral("taken"))};
        QVERIFY(commit(*m_store, taken));
        Side side(m_settings);
        side.lock(QStringLiteral("lanes")); // so that all of them wait and share a group
        QVector<std::optional<bool>> ok(9);
        QObject context; // dies before what the replies write to
        for (int i = 0; i < ok.size(); ++i) {
            Commit c;
            c.lane = QStringLiteral("@lane%1:test").arg(i);
            c.sends = {send(1, i == 4 ? QStringLiteral("taken") : QStringLiteral("x%1").arg(i))};
            c.notices = {notice(QStringLiteral("c"), 1)};
            m_store->commit(c, &context, [&ok, i](const Result<Committed> &result) {
                ok[i] = result.ok() && result->noticeIds.size() == 1;
                if (!result)
                    QCOMPARE(result.error().kind, StoreError::Kind::Conflict);
            });
        }
        side.unlock();
        waitUntil([&ok] { return !ok.contains(std::nullopt); }, "nine answers");
        for (int i = 0; i < ok.size(); ++i)
            QCOMPARE(*ok.at(i), i != 4);
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM outbox")), QStringLiteral("9"));
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM notices")), QStringLiteral("8"));
    }

    void waitingWritesShareATransaction_data() { forEachDatabase(); }
    void waitingWritesShareATransaction()
    {
        const auto before = m_store->counters();
        Side side(m_settings);
        side.lock(QStringLiteral("lanes"));
        int answered = 0;
        QObject context;
        constexpr int count = 100;
        for (int i = 0; i < count; ++i) {
            Commit c;
            c.lane = i % 2 == 0 ? alice : carol;
            c.sends = {send(i + 1, QStringLiteral("x%1").arg(i))};
            m_store->commit(c, &context,
                            [&answered](const Result<Committed> &result) { answered += result.ok() ? 1 : 0; });
        }
        side.unlock();
        waitUntil([&answered] { return answered == count; }, "all commits");
        // The first may have gone alone before the others were there; they share one.
        const auto after = m_store->counters();
        QVERIFY(after.transactions - before.transactions <= 2);
        QCOMPARE(after.writes - before.writes, quint64(count));
    }

    void aFullQueueRefusesAtOnce_data() { forEachDatabase(); }
    void aFullQueueRefusesAtOnce()
    {
        Side side(m_settings);
        side.lock(QStringLiteral("settings"));
        int good = 0;
        int refused = 0;
        QObject context;
        constexpr int count = 5000; // more than the queue and one group hold
        for (int i = 0; i < count; ++i) {
            m_store->putSetting(QStringLiteral("k%1").arg(i % 10), QByteArray::number(i), &context,
                                [&](const Result<voiphost::Done> &result) {
                                    ++(result ? good : refused);
                                    if (!result)
                                        QCOMPARE(result.error().kind, StoreError::Kind::Unavailable);
                                });
        }
        waitUntil([&refused] { return refused > 0; }, "a refusal while nothing can be written");
        QCOMPARE(good, 0);
        side.unlock();
        waitUntil([&] { return good + refused == count; }, "all answers");
        QVERIFY(good >= 4096);
        QVERIFY(refused >= count - 4096 - 256);
        QVERIFY(m_store->available());
    }

    void prunesWhatIsPast_data() { forEachDatabase(); }
    void prunesWhatIsPast()
    {
        constexpr qint64 hour = 60LL * 60 * 1000;
        constexpr qint64 now = 100 * 24 * hour;
        const auto oldBatch = [&](const QString &txn, qint64 at, const QString &id) {
            InboxBatch b = batch(txn, alice, {id});
            b.receivedAt = at;
            return accept(*m_store, b)->at(0).seq;
        };
        Commit c;
        c.lane = alice;
        c.consumed = {oldBatch(QStringLiteral("old"), now - 8 * 24 * hour, QStringLiteral("$old")),
                      oldBatch(QStringLiteral("new"), now - 6 * 24 * hour, QStringLiteral("$new"))};
        oldBatch(QStringLiteral("waits"), now - 8 * 24 * hour, QStringLiteral("$waits"));
        c.calls = {simpleCall(QStringLiteral("live"), call::State::Connected, now - 5 * hour),
                   simpleCall(QStringLiteral("over"), call::State::Ended, now - 5 * hour)};
        for (const QString &id : {QStringLiteral("live"), QStringLiteral("over")}) {
            c.notices += notice(id, 1);
            c.notices.last().at = now - 2 * hour;
            c.notices += notice(id, 2);
            c.notices.last().at = now - hour / 2;
        }
        c.keys = {{alice, QStringLiteral("old"), "h", QStringLiteral("x"), now - 25 * hour},
                  {alice, QStringLiteral("new"), "h", QStringLiteral("x"), now - 23 * hour}};
        QVERIFY(commit(*m_store, c));
        QVERIFY(prune(*m_store, now));
        Side side(m_settings);
        QCOMPARE(side.rows(QStringLiteral("SELECT call_id, seq FROM notices ORDER BY id")),
                 QStringList({QStringLiteral("live|1"), QStringLiteral("live|2"), QStringLiteral("over|2")}));
        QCOMPARE(side.rows(QStringLiteral("SELECT event_id FROM seen_events ORDER BY event_id")),
                 QStringList({QStringLiteral("$new"), QStringLiteral("$waits")}));
        QCOMPARE(side.rows(QStringLiteral("SELECT txn_id FROM transactions")), QStringList(QStringLiteral("new")));
        QCOMPARE(side.rows(QStringLiteral("SELECT key FROM idempotency_keys")), QStringList(QStringLiteral("new")));
        QCOMPARE(pending(*m_store)->size(), 1);
    }
};

QTEST_GUILESS_MAIN(StoreWrites)
#include "tst_store_writes.moc"
