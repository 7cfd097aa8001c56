// SPDX-License-Identifier: Apache-2.0
// The intake of one of several workers: what waits in the store for any of them is bounded, and read in pieces.
#include "intakeground.h"

#include <QTest>

#include <deque>
#include <numeric>

using namespace bridge;
using namespace voip;
using voiphost::BatchResult;

class SharedIntakeTest : public IntakeGround
{
    Q_OBJECT

    call::Room aliceAndBob() const
    {
        call::Room known;
        known.id = room;
        known.conversationId = QStringLiteral("k");
        known.members = {{alice, call::Membership::Join}, {bob, call::Membership::Join}};
        return known;
    }

private Q_SLOTS:
    void init() { begin(true); }
    void cleanup() { end(); }

    // Several workers: what waits for others, or for nobody, counts as much; but not what a worker says it keeps aside.
    void tooDeepForOthers()
    {
        QVERIFY(storetest::open(*m_store).ok());
        m_intake->resume({});
        m_intake->setServed({(store::partitionOf(alice) + 1) % store::partitionCount});
        store::Commit joined;
        joined.lane = alice;
        joined.rooms = {aliceAndBob()};
        QVERIFY(storetest::commit(*m_store, joined).ok());
        const auto large = [this](int n) {
            QJsonObject event = invite(room, bob, QStringLiteral("c%1").arg(n));
            event.insert(QStringLiteral("x"), QString(500'000, u'x'));
            return event;
        };
        int taken = 0;
        while (taken < 200 && accept(QByteArray::number(taken).constData(), {large(taken)}) == BatchResult::Durable)
            ++taken;
        QVERIFY2(taken > 50 && taken < 100, qPrintable(QString::number(taken))); // 32 MiB
        QCOMPARE(given(), QStringList());
        QVERIFY(m_metrics.text().contains("matrix_voip_refused_batches_total{reason=\"too_deep\"}"));
        const auto small = invite(room, bob, QStringLiteral("small"));
        QCOMPARE(accept("small", {small}), BatchResult::Refused);
        const auto lease = [this](const store::InboxDepth &aside) {
            store::LeaseRequest request{QStringLiteral("other"), 60'000, {}, 1, false, aside};
            return storetest::await<store::Leases>([&](QObject *c, auto r) { m_store->lease(request, c, r); });
        };
        QVERIFY(lease({10, 5'000'000}).ok());
        QCOMPARE(accept("small", {small}), BatchResult::Durable);
        QVERIFY(lease({}).ok());
        int more = 0; // until it is looked at again
        while (more < 10 &&
               accept(QByteArray::number(500 + more).constData(), {large(500 + more)}) == BatchResult::Durable)
            ++more;
        QVERIFY2(more <= 3, qPrintable(QString::number(more)));
        store::Commit done; // by whoever holds her
        done.lane = alice;
        done.consumed = storetest::seqs(*storetest::pending(*m_store)).mid(0, 10);
        QVERIFY(storetest::commit(*m_store, done).ok());
        QCOMPARE(accept("t", {small}), BatchResult::Durable); // by a new look, without waiting for one
    }

    // Several workers: what is there is read in pages, the next when the lanes have looked at enough: each entry once,
    // in order, no transaction in two pieces, and few at a time.
    void readsInPages()
    {
        QVERIFY(storetest::open(*m_store).ok());
        QStringList expected;
        for (int n = 0; n < 60; ++n) {
            QStringList ids;
            for (int i = 0; i < 50; ++i)
                ids += QStringLiteral("$%1-%2").arg(n).arg(i);
            const QString &lane = n % 3 == 0 ? carol : alice;
            const QString txn = QStringLiteral("t%1").arg(n);
            QVERIFY(storetest::accept(*m_store, storetest::batch(txn, lane, ids)).ok());
            expected += txn;
            if (n % 7 == 0)
                QVERIFY(storetest::accept(*m_store, storetest::batch(QStringLiteral("g%1").arg(n),
                                                                     QStringLiteral("@nova_gone:test"), ids))
                            .ok());
        }
        QHash<QString, qint64> last;
        QStringList transactions;
        std::deque<store::InboxEntry> waiting;
        std::size_t most = 0;
        int count = 0;
        connect(m_intake.get(), &intake::Intake::accepted, this, [&](const QString &lane, const auto &entries) {
            transactions += entries.first().transactionId;
            for (const store::InboxEntry &entry : entries) {
                QVERIFY(entry.seq > last.value(lane));
                last[lane] = entry.seq;
                waiting.push_back(entry);
                ++count;
            }
            most = std::max(most, waiting.size());
        });
        store::InboxDepth aside;
        connect(m_intake.get(), &intake::Intake::keepsAside, this, [&](const auto &told) { aside = told; });
        m_intake->resume({});
        QVector<int> all(store::partitionCount);
        std::iota(all.begin(), all.end(), 0);
        m_intake->setServed(all);
        // The lanes: 40 entries at a time; one of them is kept, and the others are consumed.
        int kept = 0;
        QTimer lanes;
        connect(&lanes, &QTimer::timeout, this, [&] {
            QVector<qint64> consumed;
            QVector<qint64> seen;
            store::Commit commit;
            while (!waiting.empty() && seen.size() < 40) {
                const store::InboxEntry entry = waiting.front();
                if (!seen.isEmpty() && entry.lane != commit.lane)
                    break;
                commit.lane = entry.lane;
                if (!seen.isEmpty())
                    commit.consumed += entry.seq;
                seen += entry.seq;
                waiting.pop_front();
            }
            if (seen.isEmpty())
                return;
            ++kept;
            m_store->commit(commit, this, [this, seen, seqs = commit.consumed](const auto &) {
                m_intake->consumed(seqs);
                m_intake->seen(seen);
            });
        });
        lanes.start(1);
        const auto none = [&] { return storetest::pending(*m_store)->size() == kept + 9 * 50; }; // and those of nobody
        storetest::waitUntil([&] { return count == 3000 && waiting.empty() && none(); }, "all of them");
        // What comes now is read from where the reading ended.
        QVERIFY(
            storetest::accept(*m_store, storetest::batch(QStringLiteral("t60"), alice, {QStringLiteral("$new")})).ok());
        expected += QStringLiteral("t60");
        storetest::waitUntil([&] { return count == 3001 && waiting.empty() && none(); }, "the new one");
        QCOMPARE(transactions, expected);
        QVERIFY2(most < 500, qPrintable(QString::number(most)));
        storetest::waitUntil([&] { return aside.entries == kept + 9 * 50; }, "all to be looked at");
        // Left, and taken again: what was only looked at is given once more.
        m_intake->setServed({});
        QCOMPARE(aside.entries, 0);
        last.clear();
        count = 0;
        const int before = kept;
        m_intake->setServed(all);
        storetest::waitUntil([&] { return count == before; }, "what was kept");
    }
};

QTEST_GUILESS_MAIN(SharedIntakeTest)
#include "tst_shared.moc"
