// SPDX-License-Identifier: Apache-2.0
// The durable intake over a real store: what is refused, what is a repeat, what the lanes are given.
#include "intakeground.h"

#include <QTest>

using namespace bridge;
using namespace voip;
using voiphost::BatchResult;

// A database that keeps a batch and loses the connection before it can say so.
class Unheard : public store::SqlStore
{
    Q_OBJECT

public:
    using SqlStore::SqlStore;
    bool loses = false;

    void accept(store::InboxBatch batch, QObject *context, store::Reply<QVector<store::InboxEntry>> reply) override
    {
        if (!loses)
            return SqlStore::accept(std::move(batch), context, std::move(reply));
        SqlStore::accept(std::move(batch), context, [this, reply](const auto &) {
            reply(store::StoreError{store::StoreError::Kind::Unavailable, QStringLiteral("gone")});
            Q_EMIT availableChanged(true);
        });
    }
};

class IntakeTest : public IntakeGround
{
    Q_OBJECT

    static QString idOf(const QJsonObject &event) { return event.value(QStringLiteral("event_id")).toString(); }

private Q_SLOTS:
    void init() { begin(false); }
    void cleanup() { end(); }

    void refusedUntilItIsResumed()
    {
        QCOMPARE(accept("t", {invite(room, bob, QStringLiteral("c"))}), BatchResult::Refused);
        QVERIFY(storetest::open(*m_store).ok());
        QCOMPARE(accept("t", {invite(room, bob, QStringLiteral("c"))}), BatchResult::Refused); // not restored yet
        m_intake->resume({});
        QCOMPARE(accept("t", {invite(room, bob, QStringLiteral("c"))}), BatchResult::Durable);
        m_store->close();
        QCOMPARE(accept("t2", {invite(room, bob, QStringLiteral("d"))}), BatchResult::Refused);
        QCOMPARE(given().size(), 1);
    }

    void repeats()
    {
        QVERIFY(storetest::open(*m_store).ok());
        m_intake->resume({});
        const auto first = invite(room, bob, QStringLiteral("c1"));
        const auto second = invite(room, bob, QStringLiteral("c2"));
        QCOMPARE(accept("t", {first}), BatchResult::Durable);
        QCOMPARE(given(), QStringList{alice + QStringLiteral(": ") + idOf(first)});
        QCOMPARE(accept("t", {first}), BatchResult::Durable);  // the same transaction
        QCOMPARE(accept("t2", {first}), BatchResult::Durable); // the same event in another
        QCOMPARE(given(), QStringList());
        QCOMPARE(accept("t", {second}), BatchResult::Durable); // the id again, for something else
        QCOMPARE(given(), QStringList{alice + QStringLiteral(": ") + idOf(second)});
        QCOMPARE(accept("t3", {second, first, second}), BatchResult::Durable);
        QCOMPARE(given(), QStringList());
        QCOMPARE(storetest::pending(*m_store)->size(), 2);
    }

    // It was committed and nobody heard of it: the connection broke. The homeserver repeats it, alone or among others.
    void keptUnheard()
    {
        QVERIFY(storetest::open(*m_store).ok());
        m_intake->resume({});
        const auto first = invite(room, bob, QStringLiteral("c1"));
        const auto second = invite(room, bob, QStringLiteral("c2"));
        store::InboxBatch unheard{QStringLiteral("lost"), 5, {}, {}};
        unheard.events = {{alice, idOf(first), first}};
        QCOMPARE(storetest::accept(*m_store, unheard)->size(), 1);
        QCOMPARE(accept("t", {second, first}), BatchResult::Durable);
        QCOMPARE(given(), (QStringList{alice + QStringLiteral(": ") + idOf(second),
                                       alice + QStringLiteral(": ") + idOf(first)}));
        QCOMPARE(accept("t2", {first, second}), BatchResult::Durable);
        QCOMPARE(given(), QStringList());
        m_intake->consumed({1, 2}); // but the rows are there: whoever says so lies, and it is given again
        QCOMPARE(accept("t3", {first}), BatchResult::Durable);
        QCOMPARE(given(), QStringList{alice + QStringLiteral(": ") + idOf(first)});
    }

    // Nobody repeats it under the same id: it is read as soon as the database is there again.
    void listsKeptUnheard()
    {
        Unheard unheard(m_databases.fresh(QStringLiteral("sqlite")));
        QVERIFY(storetest::open(unheard).ok());
        intake::Intake intake(unheard, m_router, m_metrics);
        QVector<store::InboxEntry> given;
        connect(&intake, &intake::Intake::accepted, this,
                [&given](const QString &, const auto &entries) { given += entries; });
        intake.resume({});
        m_router.setPeers(alice, room, {bob});
        unheard.loses = true;
        voiphost::EventBatch batch;
        batch.deviceLists = {{QStringLiteral("changed"), QJsonArray{bob}}};
        const auto refused = intake.accept(batch);
        storetest::waitUntil([&] { return refused.isFinished() && !given.isEmpty(); }, "what was kept");
        QCOMPARE(refused.result(), BatchResult::Refused);
        QCOMPARE(given.size(), 1);
        QCOMPARE(given.first().lane, alice);
        QVERIFY(given.first().body.contains(QStringLiteral("device_lists")));
        unheard.loses = false;
        const auto durable = intake.accept(batch);
        storetest::waitUntil([&] { return durable.isFinished(); }, "the batch");
        QCOMPARE(given.size(), 2);
        unheard.close();
    }

    void whatNobodyCanUse()
    {
        QVERIFY(storetest::open(*m_store).ok());
        m_intake->resume({});
        QJsonObject nameless = invite(room, bob, QStringLiteral("c"));
        nameless.remove(QStringLiteral("event_id"));
        QJsonObject endless = invite(room, bob, QStringLiteral("c"));
        endless.insert(QStringLiteral("event_id"), QString(256, u'a'));
        QJsonObject broken = invite(room, bob, QStringLiteral("c"));
        broken.insert(QStringLiteral("event_id"), QString(QChar(u'\0')));
        QJsonObject huge = invite(room, bob, QStringLiteral("c"));
        huge.insert(QStringLiteral("x"), QString(2 * 1024 * 1024, u'x'));
        const auto elsewhere = invite(QStringLiteral("!other:test"), bob, QStringLiteral("c"));
        const auto good = invite(room, bob, QStringLiteral("c"));
        QCOMPARE(accept("t", {nameless, endless, broken, huge, elsewhere, good}), BatchResult::Durable);
        QCOMPARE(given(), QStringList{alice + QStringLiteral(": ") + idOf(good)});
        QCOMPARE(accept(QByteArray(5000, 't').constData(), {nameless}), BatchResult::Durable);
        QCOMPARE(accept(QByteArray(5000, 't').constData(), {invite(room, bob, QStringLiteral("d"))}),
                 BatchResult::Durable);
        const QByteArray text = m_metrics.text();
        QVERIFY(text.contains("matrix_voip_rejected_events_total{reason=\"bad_event_id\"} 4"));
        QVERIFY(text.contains("matrix_voip_rejected_events_total{reason=\"too_large\"} 1"));
        QVERIFY(text.contains("matrix_voip_rejected_events_total{reason=\"unknown_room\"} 1"));
    }

    // A ghost invited and called in one transaction; and two ghosts in one room get it each.
    void lanes()
    {
        QVERIFY(storetest::open(*m_store).ok());
        m_intake->resume({});
        const auto in = member(room, bob, carol, QStringLiteral("invite"));
        const auto call = invite(room, bob, QStringLiteral("c"));
        QCOMPARE(accept("t", {in, call}), BatchResult::Durable);
        QCOMPARE(given(), QStringList({alice + QStringLiteral(": ") + idOf(in) + u' ' + idOf(call),
                                       carol + QStringLiteral(": ") + idOf(in) + u' ' + idOf(call)}));
    }

    // R28 also after a restart: by transaction; and nobody who is not bridged any more.
    void resumes()
    {
        QVERIFY(storetest::open(*m_store).ok());
        QVERIFY(storetest::accept(*m_store, storetest::batch(QStringLiteral("a"), alice,
                                                             {QStringLiteral("$1"), QStringLiteral("$2")}))
                    .ok());
        QVERIFY(storetest::accept(*m_store, storetest::batch(QStringLiteral("b"), alice, {QStringLiteral("$3")})).ok());
        QVERIFY(storetest::accept(*m_store, storetest::batch(QStringLiteral("c"), QStringLiteral("@nova_gone:test"),
                                                             {QStringLiteral("$4")}))
                    .ok());
        const auto pending = storetest::pending(*m_store);
        QVector<qsizetype> sizes;
        connect(m_intake.get(), &intake::Intake::accepted, this,
                [&sizes](const QString &, const auto &entries) { sizes.push_back(entries.size()); });
        m_intake->resume(*pending);
        QCOMPARE(sizes, QVector<qsizetype>({2, 1}));
        for (const QString &line : given())
            QVERIFY(line.startsWith(alice));
        QVERIFY(m_metrics.text().contains("matrix_voip_inbox_depth 3"));
        QVector<qint64> seqs;
        for (const auto &entry : *pending)
            seqs.push_back(entry.seq);
        m_intake->consumed(seqs);
        QVERIFY(m_metrics.text().contains("matrix_voip_inbox_depth 0"));
    }

    // More than may wait is refused, and taken as soon as a lane has looked at some of it.
    void tooDeep()
    {
        QVERIFY(storetest::open(*m_store).ok());
        m_intake->resume({});
        QVector<qint64> seqs;
        connect(m_intake.get(), &intake::Intake::accepted, this, [&seqs](const QString &, const auto &entries) {
            for (const auto &entry : entries)
                seqs.push_back(entry.seq);
        });
        const auto large = [this](int n) {
            QJsonObject event = invite(room, bob, QStringLiteral("c%1").arg(n));
            event.insert(QStringLiteral("x"), QString(500'000, u'x'));
            return event;
        };
        int taken = 0;
        while (taken < 200 && accept(QByteArray::number(taken).constData(), {large(taken)}) == BatchResult::Durable)
            ++taken;
        QVERIFY2(taken > 50 && taken < 100, qPrintable(QString::number(taken))); // 32 MiB
        const auto small = invite(room, bob, QStringLiteral("small"));
        QCOMPARE(accept("small", {small}), BatchResult::Refused);
        QVERIFY(m_metrics.text().contains("matrix_voip_refused_batches_total{reason=\"too_deep\"}"));
        m_intake->consumed(seqs.mid(0, 10));
        m_intake->consumed(seqs.mid(0, 10)); // again is harmless
        QCOMPARE(accept("small", {small}), BatchResult::Durable);
        QVERIFY(m_metrics.text().contains(QByteArray("matrix_voip_inbox_depth ") + QByteArray::number(taken - 9)));
    }

    void tooManyAtOnce()
    {
        QVERIFY(storetest::open(*m_store).ok());
        m_intake->resume({});
        QList<QFuture<BatchResult>> futures;
        for (int i = 0; i < 1000; ++i)
            futures.push_back(
                offer(QByteArray::number(i).constData(), {invite(room, bob, QStringLiteral("c%1").arg(i))}));
        storetest::waitUntil(
            [&] {
                return std::all_of(futures.cbegin(), futures.cend(), [](const auto &one) { return one.isFinished(); });
            },
            "the batches");
        const auto durable = std::count_if(futures.cbegin(), futures.cend(),
                                           [](auto one) { return one.result() == BatchResult::Durable; });
        QCOMPARE(durable, 256);
        QCOMPARE(storetest::pending(*m_store)->size(), 256);
    }

    // A future that nobody can keep any more says so.
    void goesAwayMeanwhile()
    {
        QVERIFY(storetest::open(*m_store).ok());
        m_intake->resume({});
        auto future = offer("t", {invite(room, bob, QStringLiteral("c"))});
        m_intake.reset();
        m_store.reset();
        storetest::waitUntil([&] { return future.isFinished(); }, "the batch");
        QCOMPARE(future.resultCount(), 1);
        QCOMPARE(future.result(), BatchResult::Refused);
    }
};

QTEST_GUILESS_MAIN(IntakeTest)
#include "tst_intake.moc"
