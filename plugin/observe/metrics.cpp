// SPDX-License-Identifier: Apache-2.0
#include "observe/metrics.h"

#include <QMutexLocker>

namespace voip::observe
{

namespace
{

constexpr int maxLabels = 64;

struct Named {
    const char *name;
    const char *help;
    const char *label = nullptr;
};

constexpr std::array counters = {
    Named{"matrix_voip_invite_sent_total", "Invites that the homeserver has taken."},
    Named{"matrix_voip_invite_failed_total", "Invites that were given up."},
    Named{"matrix_voip_invite_received_total", "Invites from Matrix that rang."},
    Named{"matrix_voip_answer_received_total", "Answers from Matrix to our invites."},
    Named{"matrix_voip_ice_candidates_sent_total", "ICE candidates that the homeserver has taken."},
    Named{"matrix_voip_hangup_sent_total", "Hangups that the homeserver has taken."},
    Named{"matrix_voip_room_not_found_total", "Events and actions for a room that is not known."},
    Named{"matrix_voip_key_rescues_total",
          "Times that to-device messages were fetched which had not come by themselves."},
};
static_assert(counters.size() == static_cast<std::size_t>(Counter::Count_));

constexpr std::array labelled = {
    Named{"matrix_voip_fallback_total", "Calls that Matrix did not carry.", "reason"},
    Named{"matrix_voip_send_errors_total", "Failed attempts to send an event.", "code"},
    Named{"matrix_voip_undecryptable_total", "Encrypted events that could not be read.", "reason"},
    Named{"matrix_voip_duplicates_total", "What came again and changed nothing.", "kind"},
    Named{"matrix_voip_rejected_events_total", "Events that were not used.", "reason"},
    Named{"matrix_voip_refused_batches_total", "Transactions that were not taken and come again.", "reason"},
};
static_assert(labelled.size() == static_cast<std::size_t>(LabelledCounter::Count_));

constexpr std::array gauges = {
    Named{"matrix_voip_calls_active", "Live calls."},
    Named{"matrix_voip_inbox_depth", "Accepted events that no lane has looked at yet."},
    Named{"matrix_voip_outbox_depth", "Decided events that the homeserver does not have yet."},
    Named{"matrix_voip_rollout_percent", "Share of the bridged users whose calls go to Matrix."},
    Named{"matrix_voip_unreadable_rows", "How often a row of the database was left out, since nobody can read it."},
};
static_assert(gauges.size() == static_cast<std::size_t>(Gauge::Count_));

constexpr std::array histograms = {
    Named{"matrix_voip_call_setup_seconds", "From the invite until media flows."},
    Named{"matrix_voip_call_duration_seconds", "From the answer to the end."},
    Named{"matrix_voip_event_send_seconds", "From the decision to the homeserver's receipt."},
    Named{"matrix_voip_key_rescue_seconds", "How long fetching such messages took."},
};
static_assert(histograms.size() == static_cast<std::size_t>(Histogram::Count_));

template <typename Enum>
std::size_t at(Enum value)
{
    return static_cast<std::size_t>(value);
}

void head(QByteArray &out, const Named &what, const char *type)
{
    out += "# HELP ";
    out += what.name;
    out += ' ';
    out += what.help;
    out += "\n# TYPE ";
    out += what.name;
    out += ' ';
    out += type;
    out += '\n';
}

void sample(QByteArray &out, const QByteArray &series, const QByteArray &value)
{
    out += series + ' ' + value + '\n';
}

} // namespace

const std::array<std::array<double, Metrics::bucketCount>, static_cast<std::size_t>(Histogram::Count_)>
    Metrics::bounds = {{
        {0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 20, 30, 60},
        {1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 86400},
        {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120},
        {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120},
    }};

void Metrics::count(Counter counter, std::uint64_t by)
{
    m_counters[at(counter)].fetch_add(by, std::memory_order_relaxed);
}

void Metrics::count(LabelledCounter counter, const QString &label, std::uint64_t by)
{
    const QMutexLocker lock(&m_lock);
    auto &values = m_labelled[at(counter)];
    const bool room = values.contains(label) || values.size() < maxLabels;
    values[room ? label : QStringLiteral("other")] += by;
}

void Metrics::set(Gauge gauge, std::int64_t value)
{
    m_gauges[at(gauge)].store(value, std::memory_order_relaxed);
}

void Metrics::observe(Histogram histogram, double seconds)
{
    const QMutexLocker lock(&m_lock);
    Observed &observed = m_histograms[at(histogram)];
    for (std::size_t i = 0; i < bucketCount; ++i) {
        if (seconds <= bounds[at(histogram)][i])
            ++observed.buckets[i];
    }
    ++observed.count;
    observed.sum += seconds;
}

std::uint64_t Metrics::value(Counter counter) const
{
    return m_counters[at(counter)].load(std::memory_order_relaxed);
}

QByteArray Metrics::text() const
{
    QByteArray out;
    out.reserve(8192);
    for (std::size_t i = 0; i < counters.size(); ++i) {
        head(out, counters[i], "counter");
        sample(out, counters[i].name, QByteArray::number(m_counters[i].load(std::memory_order_relaxed)));
    }
    for (std::size_t i = 0; i < gauges.size(); ++i) {
        head(out, gauges[i], "gauge");
        sample(out, gauges[i].name, QByteArray::number(m_gauges[i].load(std::memory_order_relaxed)));
    }
    const QMutexLocker lock(&m_lock);
    for (std::size_t i = 0; i < labelled.size(); ++i) {
        head(out, labelled[i], "counter");
        for (auto it = m_labelled[i].constBegin(); it != m_labelled[i].constEnd(); ++it) {
            QByteArray value = it.key().toUtf8();
            value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            sample(out, QByteArray(labelled[i].name) + '{' + labelled[i].label + "=\"" + value + "\"}",
                   QByteArray::number(it.value()));
        }
    }
    for (std::size_t i = 0; i < histograms.size(); ++i) {
        head(out, histograms[i], "histogram");
        const QByteArray name = histograms[i].name;
        const Observed &observed = m_histograms[i];
        for (std::size_t b = 0; b < bucketCount; ++b) {
            sample(out, name + "_bucket{le=\"" + QByteArray::number(bounds[i][b]) + "\"}",
                   QByteArray::number(observed.buckets[b]));
        }
        sample(out, name + "_bucket{le=\"+Inf\"}", QByteArray::number(observed.count));
        sample(out, name + "_sum", QByteArray::number(observed.sum, 'g', 12));
        sample(out, name + "_count", QByteArray::number(observed.count));
    }
    return out;
}

} // namespace voip::observe
