// SPDX-License-Identifier: Apache-2.0
// The metrics' text as Prometheus reads it, and health.
#include "observe/health.h"
#include "observe/metrics.h"

#include <QProcess>
#include <QTest>

#include <thread>

using namespace voip::observe;

class ObserveTest : public QObject
{
    Q_OBJECT

    static void check(const QByteArray &text)
    {
        QProcess promtool;
        promtool.start(QStringLiteral("promtool"), {QStringLiteral("check"), QStringLiteral("metrics")});
        QVERIFY2(promtool.waitForStarted(), "promtool is not installed");
        promtool.write(text);
        promtool.closeWriteChannel();
        QVERIFY(promtool.waitForFinished());
        QVERIFY2(promtool.exitCode() == 0, promtool.readAllStandardError().constData());
    }

private Q_SLOTS:
    void startsFromZero()
    {
        const QByteArray text = Metrics().text();
        for (const char *name :
             {"matrix_voip_invite_sent_total 0", "matrix_voip_invite_failed_total 0",
              "matrix_voip_invite_received_total 0", "matrix_voip_answer_received_total 0",
              "matrix_voip_ice_candidates_sent_total 0", "matrix_voip_hangup_sent_total 0",
              "matrix_voip_calls_active 0", "matrix_voip_room_not_found_total 0", "matrix_voip_inbox_depth 0",
              "matrix_voip_outbox_depth 0", "matrix_voip_rollout_percent 0", "matrix_voip_call_setup_seconds_count 0",
              "matrix_voip_call_duration_seconds_count 0", "matrix_voip_event_send_seconds_count 0"})
            QVERIFY2(text.contains(QByteArray(name) + '\n'), name);
        for (const char *name :
             {"matrix_voip_fallback_total", "matrix_voip_send_errors_total", "matrix_voip_undecryptable_total",
              "matrix_voip_duplicates_total", "matrix_voip_rejected_events_total"})
            QVERIFY2(text.contains(QByteArray("# TYPE ") + name + " counter\n"), name);
        check(text);
    }

    void values()
    {
        Metrics metrics;
        metrics.count(Counter::InviteSent);
        metrics.count(Counter::IceCandidatesSent, 5);
        metrics.count(LabelledCounter::SendErrors, QStringLiteral("a\"b\\c\nd"), 2);
        metrics.set(Gauge::InboxDepth, -3);
        metrics.observe(Histogram::CallSetup, 0.6);
        metrics.observe(Histogram::CallSetup, 1000);
        const QByteArray text = metrics.text();
        QVERIFY(text.contains("matrix_voip_invite_sent_total 1\n"));
        QVERIFY(text.contains("matrix_voip_ice_candidates_sent_total 5\n"));
        QVERIFY(text.contains("matrix_voip_send_errors_total{code=\"a\\\"b\\\\c\\nd\"} 2\n"));
        QVERIFY(text.contains("matrix_voip_inbox_depth -3\n"));
        QVERIFY(text.contains("matrix_voip_call_setup_seconds_bucket{le=\"0.5\"} 0\n"));
        QVERIFY(text.contains("matrix_voip_call_setup_seconds_bucket{le=\"0.75\"} 1\n"));
        QVERIFY(text.contains("matrix_voip_call_setup_seconds_bucket{le=\"60\"} 1\n"));
        QVERIFY(text.contains("matrix_voip_call_setup_seconds_bucket{le=\"+Inf\"} 2\n"));
        QVERIFY(text.contains("matrix_voip_call_setup_seconds_sum 1000.6\n"));
        QCOMPARE(metrics.value(Counter::InviteSent), 1u);
        check(text);
    }

    // Whoever chooses labels cannot fill memory.
    void labelsAreBounded()
    {
        Metrics metrics;
        for (int i = 0; i < 1000; ++i)
            metrics.count(LabelledCounter::RejectedEvents, QString::number(i));
        const QByteArray text = metrics.text();
        QCOMPARE(text.count("matrix_voip_rejected_events_total{"), 65);
        QVERIFY(text.contains("matrix_voip_rejected_events_total{reason=\"other\"} 936\n"));
    }

    void manyThreads()
    {
        Metrics metrics;
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&metrics] {
                for (int i = 0; i < 1000; ++i) {
                    metrics.count(Counter::HangupSent);
                    metrics.count(LabelledCounter::Fallback, QStringLiteral("rollout"));
                    metrics.observe(Histogram::EventSend, 0.1);
                    if (i % 100 == 0)
                        (void)metrics.text();
                }
            });
        }
        for (auto &thread : threads)
            thread.join();
        QVERIFY(metrics.text().contains("matrix_voip_hangup_sent_total 4000\n"));
        QVERIFY(metrics.text().contains("matrix_voip_fallback_total{reason=\"rollout\"} 4000\n"));
        QVERIFY(metrics.text().contains("matrix_voip_event_send_seconds_count 4000\n"));
    }

    void healthKeepsTheLastWord()
    {
        Health health;
        QVERIFY(health.checks().isEmpty());
        health.set({QStringLiteral("database"), false, true, QStringLiteral("away"), QStringLiteral("start it")});
        health.set({QStringLiteral("database"), true, true, QStringLiteral("there"), {}});
        QCOMPARE(health.checks().size(), 1);
        QVERIFY(health.checks().first().ok);
    }
};

QTEST_GUILESS_MAIN(ObserveTest)
#include "tst_observe.moc"
