// SPDX-License-Identifier: Apache-2.0
// Counters, gauges and histograms of the plugin, as Prometheus text. Written from the core thread, read from the
// host's; never blocks for longer than a copy. Label values are stable words of ours or checked codes: never ids,
// never text from outside. Decides nothing.
#pragma once

#include <QByteArray>
#include <QMap>
#include <QMutex>
#include <QString>

#include <array>
#include <atomic>
#include <cstdint>

namespace voip::observe
{

enum class Counter {
    InviteSent,
    InviteFailed,
    InviteReceived,
    AnswerReceived,
    IceCandidatesSent,
    HangupSent,
    RoomNotFound,
    KeyRescues,
    Count_, // how many there are
};

enum class LabelledCounter { Fallback, SendErrors, Undecryptable, Duplicates, RejectedEvents, RefusedBatches, Count_ };

enum class Gauge { CallsActive, InboxDepth, OutboxDepth, RolloutPercent, UnreadableRows, Count_ };

enum class Histogram { CallSetup, CallDuration, EventSend, KeyRescue, Count_ };

class Metrics
{
public:
    void count(Counter counter, std::uint64_t by = 1);
    // At most 64 label values are kept apart by counter; what comes after is counted as "other".
    void count(LabelledCounter counter, const QString &label, std::uint64_t by = 1);
    void set(Gauge gauge, std::int64_t value);
    void observe(Histogram histogram, double seconds);

    [[nodiscard]] std::uint64_t value(Counter counter) const;
    [[nodiscard]] QByteArray text() const; // Prometheus text format 0.0.4

private:
    static constexpr int bucketCount = 14;
    struct Observed {
        std::array<std::uint64_t, bucketCount> buckets{};
        std::uint64_t count = 0;
        double sum = 0;
    };
    static const std::array<std::array<double, bucketCount>, static_cast<std::size_t>(Histogram::Count_)> bounds;

    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Counter::Count_)> m_counters{};
    std::array<std::atomic<std::int64_t>, static_cast<std::size_t>(Gauge::Count_)> m_gauges{};
    mutable QMutex m_lock; // guards what follows
    std::array<QMap<QString, std::uint64_t>, static_cast<std::size_t>(LabelledCounter::Count_)> m_labelled;
    std::array<Observed, static_cast<std::size_t>(Histogram::Count_)> m_histograms;
};

} // namespace voip::observe
