// SPDX-License-Identifier: Apache-2.0
// What was committed comes back exactly; what cannot be read is skipped, counted and named. Both databases.
#include "storetest.h"

#include <QTest>

using namespace storetest;
using namespace voip;

namespace
{

const QString alice = QStringLiteral("@nova_alice:test");
const QString carol = QStringLiteral("@nova_carol:test");

} // namespace

class StoreReads : public QObject
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
    Result<std::optional<call::Call>> find(const QString &lane, const QString &id)
    {
        return await<std::optional<call::Call>>([&](QObject *c, auto r) { m_store->findCall(lane, id, c, r); });
    }
    QStringList history(int limit, const QString &before)
    {
        const auto calls =
            await<QVector<call::Call>>([&](QObject *c, auto r) { m_store->history(alice, limit, before, c, r); });
        QStringList ids;
        for (const call::Call &call : *calls)
            ids += call.id;
        return ids;
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

    void valuesComeBackExactly_data() { forEachDatabase(); }
    void valuesComeBackExactly()
    {
        QRandomGenerator random(20);
        QMap<QString, call::Call> calls;
        QMap<QString, call::Room> rooms;
        for (int round = 0; round < 60; ++round) {
            Commit c;
            c.lane = alice;
            for (int i = 0; i < 4; ++i) { // the same ids again and again: rows are replaced
                const QString id = QStringLiteral("c%1").arg(random.bounded(40));
                calls[id] = randomCall(random, id);
                c.calls += calls.value(id);
            }
            const QString roomId = QStringLiteral("!r%1:test").arg(random.bounded(20));
            rooms[roomId] = randomRoom(random, roomId, round == 0 ? 64 : random.bounded(65));
            c.rooms += rooms.value(roomId);
            const auto done = commit(*m_store, c);
            QVERIFY2(done, done ? "" : qPrintable(done.error().message));
        }
        for (const call::Call &call : std::as_const(calls)) {
            const auto found = find(alice, call.id);
            QVERIFY2(found, found ? "" : qPrintable(found.error().message));
            QVERIFY(found->has_value());
            QVERIFY2(**found == call, qPrintable(call.id));
        }
        const auto lanes = restore(*m_store, -1); // nothing is past its time
        QCOMPARE(lanes->size(), 1);
        QCOMPARE(lanes->at(0).lane, alice);
        QCOMPARE(lanes->at(0).rooms.size(), rooms.size());
        for (const call::Room &room : lanes->at(0).rooms)
            QVERIFY2(room == rooms.value(room.id), qPrintable(room.id));
        QCOMPARE(lanes->at(0).calls.size(), calls.size());
        QVERIFY(!find(alice, QStringLiteral("none"))->has_value());
        QVERIFY(!find(carol, calls.firstKey())->has_value());
        QCOMPARE(m_store->counters().corruptRows, quint64(0));
    }

    void sdpIsGoneWhenTheCallEnds_data() { forEachDatabase(); }
    void sdpIsGoneWhenTheCallEnds()
    {
        Commit c;
        c.lane = alice;
        c.calls = {simpleCall(QStringLiteral("c1"), call::State::Connected, 1)};
        c.calls[0].remoteSdp = QStringLiteral("v=0 SECRET");
        QVERIFY(commit(*m_store, c));
        QCOMPARE((*find(alice, QStringLiteral("c1")))->remoteSdp, QStringLiteral("v=0 SECRET"));
        c.calls[0].state = call::State::Ended; // and whoever ends it forgot to clear
        QVERIFY(commit(*m_store, c));
        Side side(m_settings);
        QVERIFY(!side.value(QStringLiteral("SELECT detail FROM calls")).contains(QStringLiteral("SECRET")));
    }

    void restoresLanes_data() { forEachDatabase(); }
    void restoresLanes()
    {
        constexpr qint64 now = 1000LL * 60 * 60 * 1000;
        Commit a;
        a.lane = alice;
        a.calls = {simpleCall(QStringLiteral("live"), call::State::Connected, now - 10),
                   simpleCall(QStringLiteral("tomb"), call::State::Ended, now - 5),
                   simpleCall(QStringLiteral("past"), call::State::Ended, now - call::longestLifetime - 1),
                   simpleCall(QStringLiteral("gone"), call::State::Ended, now)};
        a.forgottenCalls = {QStringLiteral("gone")};
        a.sends = {send(12, QStringLiteral("x12")), send(3, QStringLiteral("x3"))};
        a.keys = {{{}, QStringLiteral("fresh"), QByteArray("\0\x80", 2), QStringLiteral("live"), now - 1},
                  {{}, QStringLiteral("stale"), "h", QStringLiteral("live"), now - 25LL * 60 * 60 * 1000}};
        QVERIFY(commit(*m_store, a));
        Commit settle;
        settle.lane = alice;
        settle.settledSends = {12};
        QVERIFY(commit(*m_store, settle));
        Commit c;
        c.lane = carol;
        c.sends = {send(3, QStringLiteral("y3"))};
        QVERIFY(commit(*m_store, c));

        const auto lanes = restore(*m_store, now);
        QCOMPARE(lanes->size(), 2);
        const LaneRecord &first = lanes->at(0);
        QCOMPARE(first.lane, alice);
        QCOMPARE(first.calls.size(), 2);
        QCOMPARE(first.calls.at(0), a.calls.at(0));
        QCOMPARE(first.calls.at(1), a.calls.at(1));
        QCOMPARE(first.outbox.size(), 1);
        QCOMPARE(first.outbox.at(0).ref, 3);
        QCOMPARE(first.outbox.at(0).content, a.sends.at(1).content);
        QCOMPARE(first.outbox.at(0).txnId, QStringLiteral("x3"));
        QCOMPARE(first.lastRef, 12); // though its send is settled
        QCOMPARE(first.keys.size(), 1);
        QCOMPARE(first.keys.at(0).requestHash, QByteArray("\0\x80", 2));
        QCOMPARE(lanes->at(1).lane, carol);
        QCOMPARE(lanes->at(1).lastRef, 3);
    }

    void historyIsWhatTheHostKnew_data() { forEachDatabase(); }
    void historyIsWhatTheHostKnew()
    {
        Commit c;
        c.lane = alice;
        for (int i = 0; i < 7; ++i) {
            c.calls += simpleCall(QStringLiteral("h%1").arg(i), call::State::Ended, 100 + i / 2); // some at once
            c.calls.last().announced = true;
        }
        c.calls[3].announced = false; // lost to glare: never shown, although it is ours
        c.calls[3].side = call::Side::Ours;
        c.calls[4].side = call::Side::Ours; // placed by the host
        c.calls += simpleCall(QStringLiteral("live"), call::State::Ringing, 999);
        c.calls.last().announced = true;
        c.calls += simpleCall(QStringLiteral("early"), call::State::Early, 999);
        QVERIFY(commit(*m_store, c));
        const QStringList all = {QStringLiteral("h6"), QStringLiteral("h5"), QStringLiteral("h4"),
                                 QStringLiteral("h2"), QStringLiteral("h1"), QStringLiteral("h0")};
        QCOMPARE(history(100, {}), all);
        QCOMPARE(history(2, {}), all.mid(0, 2));
        QCOMPARE(history(2, QStringLiteral("h5")), all.mid(2, 2));
        QCOMPARE(history(100, QStringLiteral("h0")), QStringList());
        QCOMPARE(history(100, QStringLiteral("unknown")), QStringList());
        Commit forget;
        forget.lane = alice;
        forget.forgottenCalls = {QStringLiteral("early")};
        for (int i = 0; i < 7; ++i)
            forget.forgottenCalls += QStringLiteral("h%1").arg(i);
        QVERIFY(commit(*m_store, forget));
        QCOMPARE(history(100, {}), all);
        QVERIFY(find(alice, QStringLiteral("h6"))->has_value());
        QVERIFY(!find(alice, QStringLiteral("early"))->has_value());
        QVERIFY(!find(alice, QStringLiteral("h3"))->has_value()); // nobody will ever ask for it
        const auto lanes = restore(*m_store, 0);
        QCOMPARE(lanes->at(0).calls.size(), 1);
    }

    void noticesResume_data() { forEachDatabase(); }
    void noticesResume()
    {
        QVector<qint64> ids;
        for (int i = 1; i <= 5; ++i) {
            Commit c;
            c.lane = i == 3 ? carol : alice;
            c.notices = {notice(i % 2 == 0 ? QStringLiteral("even") : QStringLiteral("odd"), i)};
            ids += commit(*m_store, c)->noticeIds;
        }
        const auto after = [&](qint64 id, int limit) {
            return *await<QVector<Notice>>([&](QObject *c, auto r) { m_store->noticesAfter(alice, id, limit, c, r); });
        };
        const QVector<Notice> all = after(0, 100);
        QCOMPARE(all.size(), 4);
        QCOMPARE(all.at(0).id, ids.at(0));
        QCOMPARE(all.at(0).data, notice({}, 1).data);
        QVERIFY(all.at(0).kind == voiphost::NoticeKind::Answered);
        QCOMPARE(all.at(0).lane, alice);
        QCOMPARE(after(ids.at(1), 1).at(0).id, ids.at(3));
        QCOMPARE(after(ids.at(4), 100).size(), 0);
        const auto both = await<QVector<Notice>>([&](QObject *c, auto r) {
            m_store->noticesOfCalls(alice, {QStringLiteral("odd"), QStringLiteral("even")}, c, r);
        });
        QCOMPARE(both->size(), 4);
        for (qsizetype i = 1; i < both->size(); ++i)
            QVERIFY(both->at(i - 1).id < both->at(i).id);
    }

    void settingsComeBack_data() { forEachDatabase(); }
    void settingsComeBack()
    {
        const QByteArray value("\0binary\xff'", 9);
        const auto put = [&](const QString &key, const QByteArray &v) {
            return await<voiphost::Done>([&](QObject *c, auto r) { m_store->putSetting(key, v, c, r); });
        };
        QVERIFY(put(QStringLiteral("a"), "first"));
        QVERIFY(put(QStringLiteral("a"), value));
        QVERIFY(put(QStringLiteral("empty"), {}));
        const auto all = await<QHash<QString, QByteArray>>([&](QObject *c, auto r) { m_store->settings(c, r); });
        QCOMPARE(all->size(), 2);
        QCOMPARE(all->value(QStringLiteral("a")), value);
        QVERIFY(all->contains(QStringLiteral("empty")));
    }

    void damagedRowsAreSkippedCountedAndNamed_data()
    {
        QTest::addColumn<QString>("driver");
        QTest::addColumn<QString>("damage");
        QTest::addColumn<QString>("named");
        const QVector<std::array<const char *, 3>> damages = {
            {"state", "UPDATE calls SET state = 'singing' WHERE id = 'bad'",
             "calls, key @nova_alice:test bad: column state"},
            {"side", "UPDATE calls SET side = '' WHERE id = 'bad'", "column side"},
            {"reason", "UPDATE calls SET reason = 'x' WHERE id = 'bad'", "column reason"},
            {"json", "UPDATE calls SET detail = '{\"version\":' WHERE id = 'bad'", "column detail"},
            {"array", "UPDATE calls SET detail = '[]' WHERE id = 'bad'", "column detail"},
            {"field", "UPDATE calls SET detail = '{}' WHERE id = 'bad'", "column detail.version"},
            {"type", "UPDATE calls SET detail = replace(detail, '\"audio\":true', '\"audio\":1') WHERE id = 'bad'",
             "column detail.audio"},
            {"size",
             "UPDATE calls SET peer = replace('0123456789', '5', (SELECT detail || detail || detail || detail || "
             "detail FROM calls WHERE id = 'bad')) WHERE id = 'bad'",
             "column peer"},
        };
        for (const QString &driver : Databases::drivers()) {
            for (const auto &[name, damage, named] : damages)
                QTest::addRow("%s %s", qPrintable(driver), name)
                    << driver << QString::fromLatin1(damage) << QString::fromLatin1(named);
        }
    }
    void damagedRowsAreSkippedCountedAndNamed()
    {
        QFETCH(QString, damage);
        QFETCH(QString, named);
        Commit c;
        c.lane = alice;
        c.calls = {simpleCall(QStringLiteral("bad"), call::State::Connected, 1),
                   simpleCall(QStringLiteral("good"), call::State::Connected, 2)};
        QVERIFY(commit(*m_store, c));
        Side side(m_settings);
        side.run(damage);
        const auto lanes = restore(*m_store, 0);
        QVERIFY(lanes);
        QCOMPARE(lanes->at(0).calls.size(), 1);
        QCOMPARE(lanes->at(0).calls.at(0).id, QStringLiteral("good"));
        QCOMPARE(m_store->counters().corruptRows, quint64(1));
        const auto found = find(alice, QStringLiteral("bad"));
        QVERIFY(!found);
        QCOMPARE(found.error().kind, StoreError::Kind::Corrupt);
        QVERIFY2(found.error().message.contains(named), qPrintable(found.error().message));
    }

    void damageElsewhereIsSkippedToo_data() { forEachDatabase(); }
    void damageElsewhereIsSkippedToo()
    {
        QRandomGenerator random(3);
        Commit c;
        c.lane = alice;
        c.rooms = {randomRoom(random, QStringLiteral("!bad:test"), 2),
                   randomRoom(random, QStringLiteral("!good:test"), 2)};
        c.sends = {send(1, QStringLiteral("x1")), send(2, QStringLiteral("x2"))};
        c.notices = {notice(QStringLiteral("c"), 1), notice(QStringLiteral("c"), 2)};
        QVERIFY(commit(*m_store, c));
        QVERIFY(accept(*m_store, batch(QStringLiteral("t"), alice, {QStringLiteral("$1"), QStringLiteral("$2")})));
        Side side(m_settings);
        side.run(QStringLiteral("UPDATE rooms SET members = '{\"@x:test\":\"dancing\"}' WHERE room_id = '!bad:test'"));
        side.run(QStringLiteral("UPDATE outbox SET content = 'nonsense' WHERE ref = 1"));
        side.run(QStringLiteral("UPDATE notices SET kind = 'call.imagined' WHERE seq = 1"));
        side.run(QStringLiteral("UPDATE inbox SET body = '' WHERE event_id = '$1'"));
        const auto lanes = restore(*m_store, 0);
        QCOMPARE(lanes->at(0).rooms.size(), 1);
        QCOMPARE(lanes->at(0).outbox.size(), 1);
        QCOMPARE(lanes->at(0).lastRef, 2);
        QCOMPARE(pending(*m_store)->size(), 1);
        const auto notices =
            await<QVector<Notice>>([&](QObject *x, auto r) { m_store->noticesAfter(alice, 0, 10, x, r); });
        QCOMPARE(notices->size(), 1);
        QCOMPARE(m_store->counters().corruptRows, quint64(4));
    }

    // A page says where it ended, also if that row cannot be read, and whether there may be more.
    void inboxInPages_data() { forEachDatabase(); }
    void inboxInPages()
    {
        for (int n = 0; n < 3; ++n) {
            const QString txn = QStringLiteral("t%1").arg(n);
            QVERIFY(accept(*m_store, batch(txn, alice, {txn + u'a', txn + u'b'})));
            QVERIFY(accept(*m_store, batch(txn + u'c', carol, {txn + u'a'})));
        }
        const QVector<qint64> all = seqs(*pending(*m_store));
        QCOMPARE(all.size(), 9);
        const Share hers = QVector<int>{partitionOf(alice)};
        const auto page = [this](const Share &share, qint64 after, int limit) {
            return *await<InboxPage>([&](QObject *c, auto r) { m_store->inboxPage(share, after, limit, c, r); });
        };
        const auto depth = [this](qint64 most) {
            return *await<InboxDepth>([&](QObject *c, auto r) { m_store->inboxDepth(most, c, r); });
        };
        const InboxPage first = page(hers, 0, 4);
        QCOMPARE(seqs(first.entries), QVector<qint64>({all.at(0), all.at(1), all.at(3), all.at(4)}));
        QCOMPARE(first.last, all.at(4));
        QVERIFY(first.more);
        QCOMPARE(seqs(page(hers, first.last, 4).entries), QVector<qint64>({all.at(6), all.at(7)}));
        QVERIFY(!page(hers, first.last, 4).more);
        QCOMPARE(page({}, 0, 100).entries.size(), 9);
        QCOMPARE(page({}, all.last(), 100).last, all.last());
        Side side(m_settings);
        side.run(QStringLiteral("UPDATE inbox SET body = 'x' WHERE seq = %1").arg(all.at(7)));
        const InboxPage damaged = page(hers, first.last, 2);
        QCOMPARE(seqs(damaged.entries), QVector<qint64>{all.at(6)});
        QCOMPARE(damaged.unreadable, QVector<qint64>{all.at(7)});
        QCOMPARE(damaged.last, all.at(7));
        QVERIFY(damaged.more);
        // How much there is: no more is counted than is asked, and not what is said to be kept aside.
        const QString umlauts = QStringLiteral("{\"a\":\"%1\"}").arg(QString(1000, QChar(0xe4)));
        side.run(QStringLiteral("UPDATE inbox SET body = '%1'").arg(umlauts));
        QCOMPARE(depth(100), (InboxDepth{9, 9 * 2008}));
        QCOMPARE(depth(5), (InboxDepth{5, 5 * 2008}));
        LeaseRequest request{QStringLiteral("w"), 60'000, {}, 1, false, {3, 5000}};
        const auto lease = [&] {
            return await<Leases>([&](QObject *c, auto r) { m_store->lease(request, c, r); }).ok();
        };
        QVERIFY(lease());
        QCOMPARE(depth(100), (InboxDepth{6, 9 * 2008 - 5000}));
        QCOMPARE(depth(5), (InboxDepth{5, 8 * 2008 - 5000}));
        request.leaving = true;
        QVERIFY(lease());
        QCOMPARE(depth(100), (InboxDepth{9, 9 * 2008}));
    }
};

QTEST_GUILESS_MAIN(StoreReads)
#include "tst_store_reads.moc"
