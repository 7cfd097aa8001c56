// SPDX-License-Identifier: Apache-2.0
// A lane over a real SQLite store: commit before effect, what cannot be committed, coming back.
#include "effects/lane.h"
#include "fakehomeserver.h"
#include "protocol/read.h"
#include "storetest.h"

#include <QTest>

using namespace bridge;
using namespace voip;
using voiphost::Expected;
using voiphost::NoticeKind;
using Placed = voiphost::FullPlaced;

class LaneTest : public QObject
{
    Q_OBJECT

    const QString id = QStringLiteral("@nova_alice:test");
    const QString bob = QStringLiteral("@bob:test");
    const QString room = QStringLiteral("!r:test");
    storetest::Databases m_databases;
    std::unique_ptr<FakeHomeserver> m_homeserver;
    voiphost::DatabaseSettings m_database;

    // All that lives as long as one process does.
    struct Process {
        observe::Metrics metrics;
        effects::Clock clock;
        effects::Board board{metrics};
        store::SqlStore store;
        homeserver::Client client;
        homeserver::GhostDirectory ghosts{&client};
        effects::Outbox outbox{client, ghosts, metrics, clock};
        effects::Alarm alarm{clock};
        bool accepting = true;
        bool draining = false;
        effects::LaneServices services;
        std::unique_ptr<effects::Lane> lane;
        QList<voiphost::CallNotice> notices;
        qsizetype consumed = 0;

        Process(const QString &id, const voiphost::DatabaseSettings &database, const QUrl &url)
            : store(database),
              client({url, QStringLiteral("test"), "s3cret", QStringLiteral("novabridge"), QStringLiteral("nova")}),
              services{store,
                       outbox,
                       alarm,
                       board,
                       metrics,
                       clock,
                       [](const QVector<store::InboxEntry> &entries) {
                           call::MatrixBatch batch;
                           for (const auto &entry : entries) {
                               if (const auto event = protocol::readEvent(entry.body, entry.receivedAt))
                                   batch.events.push_back(*event);
                           }
                           return batch;
                       },
                       nullptr,
                       [this](const QString &) { return accepting; },
                       {},
                       [this] { return draining; },
                       {},
                       [](const auto &...) {},
                       [](const auto &...) {}}
        {
            lane = std::make_unique<effects::Lane>(id, QStringLiteral("alice"), services);
            QObject::connect(lane.get(), &effects::Lane::noticed, &client,
                             [this](const QString &, const auto &notice) { notices.push_back(notice); });
            QObject::connect(lane.get(), &effects::Lane::consumed, &client,
                             [this](const QVector<qint64> &seqs) { consumed += seqs.size(); });
            QObject::connect(&outbox, &effects::Outbox::sent, &client,
                             [this](const QString &, const QString &callId, qint64 ref, const QString &eventId) {
                                 lane->take(call::Sent{ref, callId, eventId});
                             });
            QObject::connect(
                &outbox, &effects::Outbox::failed, &client,
                [this](const QString &, const QString &callId, qint64 ref, const QString &code, bool final) {
                    lane->take(call::SendFailed{ref, callId, code, !final});
                });
            QObject::connect(&alarm, &effects::Alarm::due, &client, [this] { lane->take(call::Tick{}); });
        }
        ~Process() { lane.reset(); }
    };
    std::unique_ptr<Process> m_process;

    void begin()
    {
        m_process = std::make_unique<Process>(id, m_database, m_homeserver->http.url());
        QVERIFY(storetest::open(m_process->store).ok());
        const auto lanes = storetest::restore(m_process->store, m_process->clock.now());
        QVERIFY(lanes.ok());
        for (const auto &record : *lanes) {
            if (record.lane == id)
                m_process->lane->restore(record);
        }
        m_process->lane->resume();
        bool registered = false;
        m_process->ghosts.ensure(QStringLiteral("nova_alice"), {}, [&registered](const auto &) { registered = true; });
        QTRY_VERIFY_WITH_TIMEOUT(registered, storetest::patienceMs);
    }
    void meet()
    {
        m_process->lane->take(
            call::RoomSnapshot{room, {{id, call::Membership::Join}, {bob, call::Membership::Join}}, {}, false});
        QTRY_COMPARE_WITH_TIMEOUT(m_process->lane->line().rooms.size(), 1, storetest::patienceMs);
    }
    QVector<store::InboxEntry> accepted(const QVector<QJsonObject> &events)
    {
        store::InboxBatch batch{QUuid::createUuid().toString(), m_process->clock.now(), {}};
        for (const auto &event : events)
            batch.events.push_back({id, event.value(QStringLiteral("event_id")).toString(), event});
        const auto entries = storetest::accept(m_process->store, batch);
        return entries.ok() ? *entries : QVector<store::InboxEntry>();
    }
    effects::HostAction placing(std::optional<Expected<Placed>> &reply, const QString &callId, const QString &key = {},
                                const QByteArray &hash = "h")
    {
        effects::HostAction action{call::Place{callId, room, sdp, {}, {}, {}}, callId, {}, {}};
        action.reply = [&reply](const Expected<Placed> &outcome) {
            if (reply)
                qFatal("answered twice");
            reply = outcome;
        };
        if (!key.isEmpty())
            action.key = store::IdempotencyKey{id, key, hash, callId, m_process->clock.now()};
        return action;
    }

private Q_SLOTS:
    void init()
    {
        m_homeserver = std::make_unique<FakeHomeserver>();
        m_database = m_databases.fresh(QStringLiteral("sqlite"));
        begin();
        meet();
    }
    void cleanup() { m_process.reset(); }

    // While the store cannot commit nothing is sent and nobody is told; who waits hears 503, what is durable stays.
    void commitBeforeEffect()
    {
        const auto ring = accepted({invite(room, bob, QStringLiteral("c1"))});
        QCOMPARE(ring.size(), 1);
        std::optional<Expected<Placed>> reply;
        {
            storetest::Side side(m_database);
            side.lock(QStringLiteral("calls"));
            m_process->lane->act(placing(reply, QStringLiteral("h1")));
            QTRY_VERIFY_WITH_TIMEOUT(reply.has_value(), storetest::patienceMs);
            QVERIFY(!reply->ok());
            QCOMPARE(reply->error().kind, voiphost::ErrorKind::Unavailable);
            m_process->lane->deliver(ring);
            QVERIFY(m_homeserver->sent().isEmpty());
            QVERIFY(m_process->notices.isEmpty());
            QVERIFY(m_process->lane->line().calls.isEmpty());
            side.unlock();
        }
        QTRY_COMPARE_WITH_TIMEOUT(m_process->notices.size(), 1, storetest::patienceMs);
        QVERIFY(m_process->notices.first().kind == NoticeKind::Initiated);
        QCOMPARE(m_process->consumed, 1);
        QVERIFY(storetest::pending(m_process->store)->isEmpty()); // consumed with the same commit
        QVERIFY(m_homeserver->sent().isEmpty());
    }

    void storeIsGone()
    {
        m_process->store.close();
        std::optional<Expected<Placed>> reply;
        m_process->lane->act(placing(reply, QStringLiteral("h1")));
        QVERIFY(reply && reply->error().code == QStringLiteral("DATABASE_UNAVAILABLE"));
        m_process->lane->take(call::Tick{}); // waits, and goes with the lane
    }

    // One input that no row can hold does not keep the others out.
    void brokenInputIsIsolated()
    {
        const auto before = accepted({callEvent(QStringLiteral("m.call.reject"), room, bob, QStringLiteral("x"))});
        const auto after = accepted({invite(room, bob, QStringLiteral("c1"))});
        std::optional<Expected<Placed>> busy;
        std::optional<Expected<Placed>> broken;
        m_process->lane->deliver(before); // is being committed while the next ones queue up
        m_process->lane->act(placing(broken, QStringLiteral("h1"), QStringLiteral("a") + QChar(u'\0')));
        m_process->lane->deliver(after);
        m_process->lane->act(placing(busy, QStringLiteral("h2")));
        QTRY_VERIFY_WITH_TIMEOUT(broken && busy, storetest::patienceMs);
        QCOMPARE(broken->error().code, QStringLiteral("NOT_STORABLE"));
        QCOMPARE(busy->error().code, QStringLiteral("CALL_RINGING")); // the invite came before it
        QCOMPARE(m_process->notices.size(), 1);
        QCOMPARE(m_process->consumed, 2);
        QVERIFY(m_homeserver->sent().isEmpty());
        QVERIFY(m_process->metrics.text().contains("rejected_events_total{reason=\"not_storable\"} 1"));
    }

    void idempotencyKeys()
    {
        std::optional<Expected<Placed>> first;
        std::optional<Expected<Placed>> same; // decided in the same commit as the first, or right after it
        std::optional<Expected<Placed>> other;
        m_process->lane->take(call::Tick{});
        m_process->lane->act(placing(first, QStringLiteral("h1"), QStringLiteral("k")));
        m_process->lane->act(placing(same, QStringLiteral("h2"), QStringLiteral("k")));
        m_process->lane->act(placing(other, QStringLiteral("h3"), QStringLiteral("k"), "another"));
        QTRY_VERIFY_WITH_TIMEOUT(first && same && other, storetest::patienceMs);
        QVERIFY(first->ok() && !first->value().repeated);
        QVERIFY(same->ok() && same->value().repeated);
        QCOMPARE(same->value().call.id, QStringLiteral("h1"));
        QCOMPARE(other->error().code, QStringLiteral("IDEMPOTENCY_CONFLICT"));
        QTRY_COMPARE_WITH_TIMEOUT(m_homeserver->sent().size(), 1, storetest::patienceMs);
    }

    // Placed and ended within one commit: nobody hears anything of it.
    void neverBorn()
    {
        std::optional<Expected<Placed>> placed;
        std::optional<Expected<Placed>> ended;
        effects::HostAction end{call::End{QStringLiteral("h1"), {}},
                                QStringLiteral("h1"),
                                {},
                                [&ended](const auto &outcome) { ended = outcome; }};
        m_process->lane->take(call::Tick{});
        m_process->lane->act(placing(placed, QStringLiteral("h1")));
        m_process->lane->act(end);
        QTRY_VERIFY_WITH_TIMEOUT(placed && ended, storetest::patienceMs);
        QVERIFY(placed->ok() && ended->ok());
        std::optional<Expected<Placed>> next;
        m_process->lane->act(placing(next, QStringLiteral("h2")));
        QTRY_COMPARE_WITH_TIMEOUT(m_homeserver->sent().size(), 1, storetest::patienceMs);
        QCOMPARE(m_homeserver->sentTypes(), QStringList{QStringLiteral("m.call.invite")});
        QTRY_COMPARE_WITH_TIMEOUT(m_process->outbox.depth(), 0, storetest::patienceMs);
    }

    void refusesWhatIsSwitchedOff()
    {
        m_process->accepting = false;
        std::optional<Expected<Placed>> off;
        m_process->lane->act(placing(off, QStringLiteral("h1")));
        QTRY_VERIFY_WITH_TIMEOUT(off.has_value(), storetest::patienceMs);
        QCOMPARE(off->error().code, QStringLiteral("FALLBACK"));
        m_process->accepting = true;
        m_process->draining = true;
        std::optional<Expected<Placed>> draining;
        m_process->lane->act(placing(draining, QStringLiteral("h2")));
        QTRY_VERIFY_WITH_TIMEOUT(draining.has_value(), storetest::patienceMs);
        QCOMPARE(draining->error().code, QStringLiteral("STOPPING"));
    }

    // Accepting a transfer places a call; to await one the core is asked, whatever is switched off.
    void refusesTransfersThatPlaceACall()
    {
        const auto accepting = [this](std::optional<Expected<Placed>> &reply, const QString &inRoom) {
            effects::HostAction action = placing(reply, QStringLiteral("h1"));
            action.input = call::AcceptTransfer{QStringLiteral("old"), {QStringLiteral("h1"), inRoom, sdp, {}, {}, {}}};
            m_process->lane->act(std::move(action));
            return QTest::qWaitFor([&reply] { return reply.has_value(); }, storetest::patienceMs);
        };
        m_process->accepting = false;
        std::optional<Expected<Placed>> off;
        QVERIFY(accepting(off, room));
        QCOMPARE(off->error().code, QStringLiteral("FALLBACK"));
        std::optional<Expected<Placed>> awaited;
        QVERIFY(accepting(awaited, {}));
        QCOMPARE(awaited->error().code, QStringLiteral("CALL_NOT_FOUND"));
        m_process->accepting = true;
        m_process->draining = true;
        std::optional<Expected<Placed>> draining;
        QVERIFY(accepting(draining, room));
        QCOMPARE(draining->error().code, QStringLiteral("STOPPING"));
    }

    // A second process over the same store: the same transaction id, and the numbers go on.
    void comesBack()
    {
        m_homeserver->http.stop();
        std::optional<Expected<Placed>> placed;
        m_process->lane->act(placing(placed, QStringLiteral("h1")));
        QTRY_COMPARE_WITH_TIMEOUT(m_process->notices.size(), 1, storetest::patienceMs); // unavailable
        const auto waiting = storetest::restore(m_process->store, m_process->clock.now());
        const auto mine =
            std::find_if(waiting->cbegin(), waiting->cend(), [this](const auto &r) { return r.lane == id; });
        QCOMPARE(mine->outbox.size(), 1);
        const QString txnId = mine->outbox.first().txnId;
        const qint64 firstId = m_process->notices.first().id;
        m_process.reset();

        QVERIFY(m_homeserver->http.start());
        begin();
        QTRY_COMPARE_WITH_TIMEOUT(m_homeserver->sent().size(), 1, storetest::patienceMs);
        QCOMPARE(m_homeserver->sent().first().txnId, txnId);
        QCOMPARE(m_process->board.size(), 1);
        QTRY_VERIFY_WITH_TIMEOUT(m_process->lane->line().calls.value(QStringLiteral("h1")).inviteSent,
                                 storetest::patienceMs);
        m_process->lane->deliver(
            accepted({answerTo(room, bob, m_process->lane->line().calls.value(QStringLiteral("h1")).matrixId)}));
        QTRY_COMPARE_WITH_TIMEOUT(m_process->notices.size(), 1, storetest::patienceMs);
        QVERIFY(m_process->notices.first().kind == NoticeKind::Answered);
        QCOMPARE(m_process->notices.first().seq, 2);
        QVERIFY(m_process->notices.first().id > firstId);
        QTRY_COMPARE_WITH_TIMEOUT(m_homeserver->sent().size(), 2, storetest::patienceMs);
        QTRY_COMPARE_WITH_TIMEOUT(
            std::count_if(m_homeserver->sent().cbegin(), m_homeserver->sent().cend(),
                          [](const auto &event) { return event.type == QStringLiteral("m.call.invite"); }),
            1, storetest::patienceMs);
    }

    // Who waits while the lane goes away is answered.
    void goesAway()
    {
        std::optional<Expected<Placed>> waiting;
        m_process->lane->take(call::Tick{});
        m_process->lane->act(placing(waiting, QStringLiteral("h1")));
        m_process->lane.reset();
        QVERIFY(waiting && waiting->error().code == QStringLiteral("STOPPING"));
    }
};

QTEST_GUILESS_MAIN(LaneTest)
#include "tst_lane.moc"
