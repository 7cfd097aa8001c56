// SPDX-License-Identifier: Apache-2.0
// Merging metrics: a family is stated once, equal samples are added, histograms stay whole.
#include "operations/metrics.h"

#include <QTest>

using namespace bridgehost;

class TestMetrics : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void familiesAreStatedOnce();
    void histogramsStayWhole();
    void labelsAreEscaped();
};

void TestMetrics::familiesAreStatedOnce()
{
    const QByteArray plugin = "# HELP r Left out.\n# TYPE r counter\nr{reason=\"a\"} 1\nr{reason=\"b c\"} 2\n"
                              "# HELP x X.\n# TYPE x gauge\nx 5\n";
    MetricsText own;
    own.labelled("r", "Left out.", "reason", {{QStringLiteral("b c"), 3}, {QStringLiteral("d"), 4}});
    own.counter("y", "Y.", 0);
    QCOMPARE(
        mergeMetrics({plugin, own.text()}),
        QByteArray("# HELP r Left out.\n# TYPE r counter\nr{reason=\"a\"} 1\nr{reason=\"b c\"} 5\nr{reason=\"d\"} 4\n"
                   "# HELP x X.\n# TYPE x gauge\nx 5\n# HELP y Y.\n# TYPE y counter\ny 0\n"));
}

void TestMetrics::histogramsStayWhole()
{
    const QByteArray text =
        "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3.5\n"
        "h_count 2\n";
    QCOMPARE(mergeMetrics({text}), text);
}

void TestMetrics::labelsAreEscaped()
{
    MetricsText own;
    own.labelled("r", "R.", "reason", {{QStringLiteral("a\"b\\c\nd"), 1}});
    QVERIFY(own.text().contains("r{reason=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

QTEST_GUILESS_MAIN(TestMetrics)
#include "tst_metrics.moc"
