// SPDX-License-Identifier: Apache-2.0
// The outbox against a homeserver that misbehaves on demand.
#include "effects/outbox.h"
#include "fakehomeserver.h"

#include <QTest>
#include <QUrlQuery>

using namespace bridge;
using namespace voip;
using fakehttp::Answer;
using fakehttp::Fault;

namespace
{

constexpr int patience = 30'000;

}

class OutboxTest : public QObject
{
    Q_OBJECT

    const QString lane = QStringLiteral("@nova_alice:test");
    std::unique_ptr<FakeHomeserver> m_homeserver;
    observe::Metrics m_metrics;
    effects::Clock m_clock;
    std::unique_ptr<homeserver::Client> m_client;
    std::unique_ptr<homeserver::GhostDirectory> m_ghosts;
    std::unique_ptr<effects::Outbox> m_outbox;
    QStringList m_results; // "sent c1/1", "c1/1 waits: CODE", "c1/1 fails: CODE"

    void add(const char *callId, qint64 ref, qint64 notAfter = 0) { m_outbox->add(entryOf(callId, ref, notAfter)); }
    [[nodiscard]] store::OutboxEntry entryOf(const char *callId, qint64 ref, qint64 notAfter = 0) const
    {
        store::OutboxEntry entry;
        entry.lane = lane;
        entry.ref = ref;
        entry.callId = QLatin1String(callId);
        entry.roomId = QStringLiteral("!") + entry.callId;
        entry.type = QStringLiteral("m.call.test%1").arg(ref);
        entry.txnId = QStringLiteral("txn%1").arg(ref);
        entry.createdAt = m_clock.now();
        entry.notAfter = notAfter;
        return entry;
    }
    int timeouts() const
    {
        const QByteArray text = m_metrics.text();
        const QByteArray name = "send_errors_total{code=\"homeserver_timeout\"} ";
        const auto at = text.indexOf(name);
        return at < 0 ? 0 : text.mid(at + name.size()).split('\n').first().toInt();
    }
    static bool isSend(const QStringList &path) { return path.value(2) == u"send"; }
    static QString roomOf(const QStringList &path) { return path.value(1); }

private Q_SLOTS:
    void init()
    {
        m_homeserver = std::make_unique<FakeHomeserver>();
        m_client = std::make_unique<homeserver::Client>(
            homeserver::Access{m_homeserver->http.url(), QStringLiteral("test"), "s3cret", QStringLiteral("novabridge"),
                               QStringLiteral("nova")});
        m_ghosts = std::make_unique<homeserver::GhostDirectory>(m_client.get());
        m_outbox = std::make_unique<effects::Outbox>(*m_client, *m_ghosts, m_metrics, m_clock);
        m_results.clear();
        connect(m_outbox.get(), &effects::Outbox::sent, this,
                [this](const QString &, const QString &callId, qint64 ref, const QString &eventId) {
                    QVERIFY(!eventId.isEmpty());
                    m_results += QStringLiteral("sent %1/%2").arg(callId).arg(ref);
                });
        connect(m_outbox.get(), &effects::Outbox::failed, this,
                [this](const QString &, const QString &callId, qint64 ref, const QString &code, bool final) {
                    const char *word = final ? "fails" : "waits";
                    m_results += QStringLiteral("%1/%2 %3: %4").arg(callId).arg(ref).arg(QLatin1String(word), code);
                });
        std::optional<bool> ready;
        m_ghosts->ensure(QStringLiteral("nova_alice"), {}, [&ready](const auto &result) { ready = result.ok(); });
        QTRY_VERIFY_WITH_TIMEOUT(ready.has_value(), patience);
        QVERIFY(*ready);
    }
    void cleanup()
    {
        m_outbox.reset();
        m_ghosts.reset();
        m_client.reset();
    }

    // R116: a call that waits holds up nobody else; R111: the same id at each try.
    void orderPerCall()
    {
        bool stuck = true;
        m_homeserver->instead = [&](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (isSend(path) && roomOf(path) == u"!a" && stuck)
                return errorAnswer(503, "M_UNKNOWN");
            return {};
        };
        add("a", 1);
        add("a", 2);
        add("b", 3);
        add("b", 4);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent b/4")), patience);
        QVERIFY(m_results.indexOf(QStringLiteral("sent b/3")) < m_results.indexOf(QStringLiteral("sent b/4")));
        QVERIFY(!m_results.contains(QStringLiteral("sent a/1")));
        QTRY_VERIFY_WITH_TIMEOUT(m_homeserver->attempts().count(QStringLiteral("txn1")) >= 2, patience);
        QCOMPARE(m_homeserver->attempts().count(QStringLiteral("txn2")), 0);
        stuck = false;
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent a/2")), patience);
        QVERIFY(m_results.indexOf(QStringLiteral("sent a/1")) < m_results.indexOf(QStringLiteral("sent a/2")));
        QCOMPARE(m_results.filter(QStringLiteral("waits")),
                 QStringList{QStringLiteral("a/1 waits: M_UNKNOWN")}); // once
        QCOMPARE(m_outbox->depth(), 0);
        QCOMPARE(m_homeserver->sent().size(), 4);
    }

    // R111: as the device, and a repeat as the one it was tried with; but not as one that is no more.
    void asTheDevice()
    {
        QStringList devices;
        bool unknown = false;
        int failures = 1;
        m_homeserver->instead = [&](const auto &request, const QStringList &path) -> std::optional<Answer> {
            if (!isSend(path))
                return {};
            devices += QUrlQuery(QUrl(QString::fromLatin1(request.target))).queryItemValue(QStringLiteral("device_id"));
            if (unknown && !devices.last().isEmpty())
                return errorAnswer(400, "ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE");
            return failures-- > 0 ? std::optional(errorAnswer(503, "M_UNKNOWN")) : std::nullopt;
        };
        add("a", 1);
        QTRY_COMPARE_WITH_TIMEOUT(devices.size(), 1, patience);
        m_outbox->setDevice(lane, QStringLiteral("DEV"));
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent a/1")), patience);
        QCOMPARE(devices, (QStringList{QString(), QString()}));
        add("a", 2);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent a/2")), patience);
        QCOMPARE(devices.last(), QStringLiteral("DEV"));
        unknown = true;
        add("a", 3);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent a/3")), patience);
        QCOMPARE(devices.size(), 5);
        QCOMPARE(devices.last(), QString());
    }

    // What waits for its turn is not under way, and loses none of its time limit; every turn comes.
    void fewAreUnderWayAtATime()
    {
        constexpr int count = 3 * effects::Outbox::mostInFlight;
        bool stuck = true;
        m_homeserver->instead = [&](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (isSend(path) && stuck)
                return Answer{200, {}, {}, Fault::Hang};
            return {};
        };
        m_client->setTimeLimits(std::chrono::seconds(4), std::chrono::seconds(4));
        for (int i = 0; i < count; ++i)
            add(QByteArray("c" + QByteArray::number(i)).constData(), i + 1);
        QCOMPARE(m_outbox->depthOf(lane), count);
        QTRY_VERIFY_WITH_TIMEOUT(timeouts() > 0, patience);
        QVERIFY2(timeouts() <= effects::Outbox::mostInFlight, "more were under way");
        stuck = false;
        QTRY_COMPARE_WITH_TIMEOUT(m_homeserver->sent().size(), count, patience);
        QTRY_COMPARE_WITH_TIMEOUT(m_outbox->depth(), 0, patience);
        QCOMPARE(m_outbox->depthOf(lane), 0);
    }

    void hangingIsToldBeforeItTimesOut()
    {
        m_homeserver->instead = [](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (isSend(path))
                return Answer{200, {}, {}, Fault::Hang};
            return {};
        };
        m_client->setTimeLimits(std::chrono::minutes(10), std::chrono::minutes(10));
        add("a", 1);
        QTRY_COMPARE_WITH_TIMEOUT(m_results, QStringList{QStringLiteral("a/1 waits: homeserver_slow")}, patience);
    }

    // A proxy's error page, or a token that is just being changed: what was decided outlives it.
    void notTheHomeserversWord()
    {
        int odd = 0;
        m_homeserver->instead = [&](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (!isSend(path) || ++odd > 2)
                return {};
            if (odd == 1)
                return errorAnswer(401, "M_UNKNOWN_TOKEN");
            Answer page = errorAnswer(200, "M_X");
            page.body = "<html>maintenance</html>";
            return page;
        };
        add("a", 1);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent a/1")), patience);
        QVERIFY(!m_results.contains(QStringLiteral("a/1 fails: M_UNKNOWN_TOKEN")));
        QCOMPARE(odd, 3);
    }

    void tooLate()
    {
        add("a", 1, m_clock.now() - 1);
        add("a", 2);
        add("c", 4);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent c/4")), patience);
        // Until it is committed that it was given up, another process could send it: nothing overtakes it.
        QVERIFY(!m_results.contains(QStringLiteral("sent a/2")));
        m_outbox->release(lane, 1);
        m_outbox->discard(lane, 1);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent a/2")), patience);
        QCOMPARE(m_results.filter(QStringLiteral("a/1")), QStringList(QStringLiteral("a/1 fails: expired")));
        QCOMPARE(m_homeserver->sent().size(), 2);
        // While it waits for its next try.
        m_homeserver->http.stop();
        add("b", 3, m_clock.now() + 300);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("b/3 fails: expired")), patience);
        QVERIFY(m_homeserver->http.start());
        m_outbox->discard(lane, 3);
        QCOMPARE(m_outbox->depth(), 0);
        QCOMPARE(m_homeserver->sent().size(), 2);
        // One of an earlier process may be there: whoever hears of it at once cannot take it back unseen.
        QVector<qint64> unseen{0};
        connect(m_outbox.get(), &effects::Outbox::failed, this,
                [this, &unseen](const QString &, const QString &, qint64 ref) { unseen = m_outbox->hold(lane, ref); });
        m_outbox->addRestored(entryOf("d", 5, m_clock.now() - 1));
        QCOMPARE(unseen, QVector<qint64>());
    }

    // As what is too late: what comes after it waits until that is committed.
    void refusedForGood()
    {
        m_homeserver->instead = [](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (isSend(path) && path.value(4) == u"txn1")
                return errorAnswer(403, "M_FORBIDDEN");
            return {};
        };
        add("a", 1);
        add("a", 2);
        QTRY_COMPARE_WITH_TIMEOUT(m_results, QStringList(QStringLiteral("a/1 fails: M_FORBIDDEN")), patience);
        add("b", 3);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent b/3")), patience);
        QCOMPARE(m_homeserver->attempts().count(QStringLiteral("txn2")), 0);
        m_outbox->discard(lane, 1);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent a/2")), patience);
        QCOMPARE(m_homeserver->attempts().count(QStringLiteral("txn1")), 1);
        QCOMPARE(m_outbox->depth(), 0);
    }

    void ghostMissing()
    {
        m_homeserver->forgetGhosts();
        add("a", 1);
        QTRY_COMPARE_WITH_TIMEOUT(m_results, QStringList{QStringLiteral("sent a/1")}, patience);
        QCOMPARE(m_homeserver->requestsFor("POST", QStringLiteral("register")), 2);
    }

    void backAgain()
    {
        m_homeserver->http.stop();
        for (int ref = 1; ref <= 5; ++ref)
            add("a", ref);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("a/1 waits: homeserver_unreachable")), patience);
        QVERIFY(m_homeserver->http.start());
        QTRY_COMPARE_WITH_TIMEOUT(m_homeserver->sent().size(), 5, patience);
        QStringList types = m_homeserver->sentTypes();
        QStringList sorted = types;
        sorted.sort();
        QCOMPARE(types, sorted);
    }

    // What nobody has seen is taken back with all that waits behind it.
    void takenBack()
    {
        m_homeserver->http.stop();
        add("a", 1);
        add("a", 2);
        add("b", 3);
        QTRY_COMPARE_WITH_TIMEOUT(m_results.filter(QStringLiteral("waits")).size(), 2, patience);
        QCOMPARE(m_outbox->hold(lane, 99), QVector<qint64>());
        QVector<qint64> held;
        // In flight it cannot be taken back; between two tries it can.
        QTRY_VERIFY_WITH_TIMEOUT(!(held = m_outbox->hold(lane, 1)).isEmpty(), patience);
        QCOMPARE(held, QVector<qint64>({1, 2}));
        QVERIFY(m_homeserver->http.start());
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent b/3")), patience);
        QCOMPARE(m_homeserver->sent().size(), 1); // held ones stay
        for (const qint64 ref : held)
            m_outbox->release(lane, ref);
        QTRY_COMPARE_WITH_TIMEOUT(m_homeserver->sent().size(), 3, patience);

        m_homeserver->http.stop();
        add("c", 4);
        add("c", 5);
        QTRY_VERIFY_WITH_TIMEOUT(!(held = m_outbox->hold(lane, 4)).isEmpty(), patience);
        for (const qint64 ref : held)
            m_outbox->discard(lane, ref);
        QCOMPARE(m_outbox->depth(), 0);
        QVERIFY(m_homeserver->http.start());
        add("d", 6);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent d/6")), patience);
        QCOMPARE(m_homeserver->sent().size(), 4);
    }

    // The lane was another worker's and came back: the answer to a request of before must not count for what it now
    // has.
    void answersOfBeforeTheLaneWent()
    {
        add("a", 2); // under way
        m_outbox->forget(lane);
        m_outbox->addRestored(entryOf("a", 1));
        m_outbox->addRestored(entryOf("a", 2));
        QTRY_COMPARE_WITH_TIMEOUT(m_results.size(), 2, patience);
        QCOMPARE(m_results, (QStringList{QStringLiteral("sent a/1"), QStringLiteral("sent a/2")}));
        QCOMPARE(m_outbox->depth(), 0);
    }

    // What is on its way cannot be taken back, but is not tried again either.
    void takenBackTooLate()
    {
        m_homeserver->instead = [](const auto &, const QStringList &path) -> std::optional<Answer> {
            if (isSend(path) && path.value(4) == u"txn1")
                return Answer{200, {}, {}, Fault::Hang};
            return {};
        };
        m_client->setTimeLimits(std::chrono::milliseconds(500), std::chrono::milliseconds(500));
        add("a", 1);
        add("a", 2);
        QTRY_COMPARE_WITH_TIMEOUT(m_homeserver->attempts().size(), 1, patience);
        QCOMPARE(m_outbox->hold(lane, 1), QVector<qint64>());
        m_outbox->discard(lane, 1);
        QTRY_VERIFY_WITH_TIMEOUT(m_results.contains(QStringLiteral("sent a/2")), patience);
        QCOMPARE(m_homeserver->attempts(), QStringList({QStringLiteral("txn1"), QStringLiteral("txn2")}));
        QCOMPARE(m_outbox->depth(), 0);
    }

    // What listens may act at once upon what it hears.
    void reentered()
    {
        connect(m_outbox.get(), &effects::Outbox::failed, this,
                [this](const QString &, const QString &, qint64 ref, const QString &, bool) {
                    if (ref == 1)
                        add("a", 2);
                    m_outbox->discard(lane, ref);
                });
        connect(m_outbox.get(), &effects::Outbox::sent, this,
                [this](const QString &, const QString &, qint64 ref, const QString &) {
                    if (ref == 2)
                        add("a", 3);
                    m_outbox->discard(lane, ref);
                });
        add("a", 1, m_clock.now() - 1);
        QTRY_COMPARE_WITH_TIMEOUT(m_homeserver->sent().size(), 2, patience);
        QTRY_COMPARE_WITH_TIMEOUT(m_outbox->depth(), 0, patience);
    }
};

QTEST_GUILESS_MAIN(OutboxTest)
#include "tst_outbox.moc"
