// SPDX-License-Identifier: Apache-2.0
// A flood of invites through the whole plugin on SQLite, from few senders and from many, offered as fast as they are
// taken and all at once: what is too much is refused and comes again, nothing that was taken is lost, another user's
// call rings meanwhile, and memory is bounded and comes back. VOIP_FLOOD_INVITES sets the size.
#include "bench.h"

#include <QElapsedTimer>
#include <QSqlDatabase>

#include <deque>
#include <malloc.h>
#include <sys/resource.h>

// Of AddressSanitizer; not there without it.
extern "C" __attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes();

using namespace bridge;

namespace
{

constexpr int perTransaction = 100; // as many as Synapse puts into one
const QString carol = QStringLiteral("carol");
const QString carolId = QStringLiteral("@nova_carol:test");
const QString carolsRoom = QStringLiteral("!c:test");
const QString dave = QStringLiteral("@dave:test");

qint64 allocated()
{
    if (__sanitizer_get_current_allocated_bytes != nullptr)
        return static_cast<qint64>(__sanitizer_get_current_allocated_bytes());
    const auto info = mallinfo2();
    return static_cast<qint64>(info.uordblks + info.hblkhd);
}

double cpuSeconds()
{
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval &t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

} // namespace

class PipelineFlood : public QObject
{
    Q_OBJECT

    storetest::Databases m_databases;
    DatabaseSettings m_database;
    std::unique_ptr<FakeHomeserver> m_homeserver;
    std::unique_ptr<Bench> m_bench;
    int m_senders = 0;
    int m_flood = 0;          // which
    std::deque<int> m_toSend; // numbers of transactions
    int m_open = 0;
    int m_taken = 0;
    int m_refused = 0;
    qint64 m_peak = 0;

    // Transactions are made when they are offered, and again when they are repeated: the test holds none.
    EventBatch transaction(int number) const
    {
        EventBatch batch;
        batch.transactionId = QStringLiteral("flood%1-%2").arg(m_flood).arg(number);
        batch.receivedAt = QDateTime::currentMSecsSinceEpoch();
        for (int i = 0; i < perTransaction; ++i) {
            const int n = number * perTransaction + i;
            QJsonObject event = invite(room, QStringLiteral("@flood%1:test").arg(n % m_senders),
                                       QStringLiteral("f%1c%2").arg(m_flood).arg(n));
            event.insert(QStringLiteral("event_id"), QStringLiteral("$f%1-%2").arg(m_flood).arg(n));
            batch.events.push_back(event);
        }
        return batch;
    }
    void offer()
    {
        while (!m_toSend.empty() && m_open < 1000) {
            const int number = m_toSend.front();
            m_toSend.pop_front();
            ++m_open;
            m_bench->plugin().deliver(transaction(number)).then(this, [this, number](BatchResult result) {
                --m_open;
                m_peak = std::max(m_peak, allocated());
                if (result == BatchResult::Durable) {
                    ++m_taken;
                } else {
                    ++m_refused;
                    m_toSend.push_back(number);
                }
            });
        }
    }
    quint64 metric(const QByteArray &series) const
    {
        for (const QByteArray &line : m_bench->plugin().metrics().split('\n')) {
            if (line.startsWith(series + ' '))
                return line.mid(series.size() + 1).toULongLong();
        }
        return 0;
    }
    // Every invite of the flood that was decided, whatever came of it.
    quint64 decided() const
    {
        const auto rejected = [this](const char *reason) {
            return metric(QByteArray("matrix_voip_rejected_events_total{reason=\"") + reason + "\"}");
        };
        return metric("matrix_voip_invite_received_total") + rejected("rate_limited") + rejected("too_many_calls");
    }
    bool rang(const QString &user) const
    {
        return std::any_of(m_bench->notices().cbegin(), m_bench->notices().cend(), [&](const CallNotice &notice) {
            return notice.userId == user && notice.kind == NoticeKind::Initiated &&
                   !notice.data.value(QStringLiteral("peer")).toString().startsWith(QStringLiteral("@flood"));
        });
    }
    bool takeAtLast(const QJsonObject &event) // as a homeserver: again until it is taken
    {
        return QTest::qWaitFor([&] { return m_bench->deliver({event}) == BatchResult::Durable; }, patience);
    }
    // -> the most that was allocated meanwhile
    qint64 flood(int invites, const std::function<void()> &amid = {})
    {
        ++m_flood;
        m_taken = 0;
        m_peak = allocated();
        const int transactions = invites / perTransaction;
        const quint64 before = decided();
        for (int i = 0; i < transactions; ++i)
            m_toSend.push_back(i);
        bool didAmid = !amid;
        const bool all = QTest::qWaitFor(
            [&] {
                offer();
                m_peak = std::max(m_peak, allocated());
                if (!didAmid && m_taken > transactions / 4) {
                    didAmid = true;
                    amid();
                }
                return m_taken == transactions && decided() - before >= static_cast<quint64>(invites);
            },
            600'000);
        if (!all || !didAmid)
            qWarning("taken %d of %d, decided %llu", m_taken, transactions, decided() - before);
        return all && didAmid ? m_peak : -1;
    }

private Q_SLOTS:
    void init()
    {
        m_homeserver = std::make_unique<FakeHomeserver>();
        m_database = m_databases.fresh(QStringLiteral("sqlite"));
        m_bench = std::make_unique<Bench>(m_database, m_homeserver->http.url());
        m_refused = 0;
    }
    void cleanup()
    {
        m_bench.reset();
        m_homeserver.reset();
    }

    void invites_data()
    {
        QTest::addColumn<int>("senders");
        QTest::newRow("from few") << 5;
        QTest::newRow("from many") << 5000;
    }
    void invites()
    {
        QFETCH(int, senders);
        m_senders = senders;
        bool isNumber = false;
        const int wanted = qEnvironmentVariableIntValue("VOIP_FLOOD_INVITES", &isNumber);
        const int few = 25'000; // more than the intake lets wait
        const int many = std::max(2 * few, isNumber ? wanted : 0);
        QElapsedTimer since;
        since.start();
        QVERIFY(m_bench->start({{QStringLiteral("timeline_megabytes"), 1}}).ok());
        QVERIFY(m_bench->meet(*m_homeserver));
        m_homeserver->rooms[carolsRoom] = {{dave, QStringLiteral("join")}, {carolId, QStringLiteral("invite")}};
        QCOMPARE(m_bench->deliver({member(carolsRoom, dave, carolId, QStringLiteral("invite"))}), BatchResult::Durable);
        QTRY_VERIFY_WITH_TIMEOUT(!result(m_bench->calls().conversations(carol))->isEmpty(), patience);

        const qint64 base = allocated();
        const qint64 small = flood(few) - base;
        QVERIFY(small > 0);
        const qint64 between = allocated();
        quint64 overtook = 0; // of the flood, what was decided between another user's call and its ringing
        const qint64 large = flood(many,
                                   [&] {
                                       QVERIFY(takeAtLast(invite(carolsRoom, dave, QStringLiteral("dave-calls"))));
                                       const quint64 atCall = decided();
                                       QVERIFY(QTest::qWaitFor([&] { return rang(carol); }, patience));
                                       overtook = decided() - atCall;
                                       if (m_senders < 8) { // nor does it take the places of the user who is flooded
                                           QVERIFY(takeAtLast(invite(room, bob, QStringLiteral("bob-calls"))));
                                           QVERIFY(QTest::qWaitFor([&] { return rang(alice); }, patience));
                                       }
                                   }) -
                             base;
        QVERIFY(large > 0);
        qInfo("%llu invites of the flood were decided while another user's call got through", overtook);
        QVERIFY2(overtook < static_cast<quint64>(few) / 5, "another user's call waits for the flood");
        QVERIFY2(m_refused > 0, "nothing was ever refused");
        qInfo(
            "%d and %d invites of %d senders: %lld and %lld KiB more than before, %d transactions refused and repeated",
            few, many, senders, small / 1024, large / 1024, m_refused);
        QVERIFY2(large < small + small / 2, "memory grows with the flood");
        QCOMPARE(metric("matrix_voip_inbox_depth"), 0U);

        // Nothing that was answered 200 was lost, or is left.
        storetest::Side side(m_database);
        QTRY_COMPARE_WITH_TIMEOUT(side.value(QStringLiteral("SELECT count(*) FROM inbox")), QStringLiteral("0"),
                                  patience);
        QCOMPARE(side.value(QStringLiteral("SELECT count(*) FROM seen_events WHERE event_id LIKE '$f%'")).toInt(),
                 few + many);
        // Nobody is told more than a few times in a minute that it is too much.
        const qint64 minutes = 1 + since.elapsed() / 60'000;
        QVERIFY(m_homeserver->sentTypes().count(QStringLiteral("m.call.reject")) <=
                minutes * (16 + 40 * std::min(senders, 5)));

        // What it took is given back, and the process rests.
        const qint64 left = allocated() - between;
        QVERIFY2(left < large / 4, qPrintable(QStringLiteral("%1 KiB are left").arg(left / 1024)));
        const double used = cpuSeconds();
        QTest::qWait(1000);
        QVERIFY2(cpuSeconds() - used < 0.5, "it does not come to rest");
    }
};

int main(int argc, char **argv)
{
    qputenv("QTEST_FUNCTION_TIMEOUT", "1800000"); // of the size that somebody asks for
    const QCoreApplication app(argc, argv);
    PipelineFlood flood;
    return QTest::qExec(&flood, argc, argv);
}

#include "tst_pipeline_flood.moc"
