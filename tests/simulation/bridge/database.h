// SPDX-License-Identifier: Apache-2.0
// The database server of a simulated world: rows in memory, with the semantics of plugin/store/writes.cpp. What is in
// it outlives every worker. A write is all or nothing, and may be given again after nobody knew what became of it.
// Shows the judge what is committed. Never fails by itself: connections do (simstore.h).
#pragma once

#include "judge.h"
#include "plan.h"
#include "store/store.h"

#include <array>
#include <map>

namespace bridgesim
{

class Database
{
public:
    Database(Judge &judge, Trace &trace, Defect defect) : m_judge(judge), m_trace(trace), m_defect(defect) {}

    struct Row {
        voip::call::Call call;
        bool forgotten = false;
    };
    struct Lane {
        qint64 lastRef = 0;
        QMap<QString, voip::call::Room> rooms;
        QMap<QString, Row> calls;
        std::map<qint64, voip::store::OutboxEntry> outbox;
        std::map<qint64, voip::store::Notice> notices;      // by id
        QHash<std::pair<QString, qint64>, qint64> noticeOf; // (call, seq) -> id
        QHash<QString, voip::store::IdempotencyKey> keys;
        std::map<std::pair<QString, QString>, voip::store::StateRow> state; // by kind and key
    };

    // --- writes
    voip::store::Result<QVector<voip::store::InboxEntry>> accept(const voip::store::InboxBatch &batch);
    voip::store::Result<voip::store::Committed> commit(const voip::store::Commit &commit, qint64 wallNow);
    void put(const QString &key, const QByteArray &value)
    {
        m_trace.note("db.put", key);
        m_settings.insert(key, value);
    }
    void prune(qint64 now);
    [[nodiscard]] bool wasPruned(const QString &callId, qint64 seq) const { return m_pruned.contains({callId, seq}); }
    void crashed(); // the worker died; a defect may show

    // --- reads
    [[nodiscard]] QVector<voip::store::LaneRecord> lanes(qint64 now, const voip::store::Share &share) const;
    [[nodiscard]] QVector<voip::store::InboxEntry> pending(const voip::store::Share &share, qint64 after) const;
    [[nodiscard]] voip::store::InboxPage page(const voip::store::Share &share, qint64 after, int limit) const;
    [[nodiscard]] const QHash<QString, QByteArray> &settings() const { return m_settings; }
    [[nodiscard]] const Lane &lane(const QString &lane) const;
    [[nodiscard]] const std::map<QString, Lane> &all() const { return m_lanes; }
    [[nodiscard]] qsizetype inboxSize() const { return static_cast<qsizetype>(m_inbox.size()); }
    [[nodiscard]] int liveCalls() const;
    [[nodiscard]] qsizetype outboxSize() const;
    // --- several workers (database_sharing.cpp)
    [[nodiscard]] voip::store::Leases lease(const voip::store::LeaseRequest &request, qint64 now);
    [[nodiscard]] voip::store::Routes routes(const QStringList &rooms, const QStringList &users) const;
    [[nodiscard]] QVector<voip::store::OwnedCall> announcedCalls() const;
    [[nodiscard]] QHash<QString, qint64> noticeHeads(qint64 after) const;
    void putErrand(const voip::store::Errand &errand, bool answer);
    bool withdrawErrand(const QString &id);
    [[nodiscard]] QVector<voip::store::Errand> takeErrands(const QVector<int> &partitions);
    [[nodiscard]] QVector<voip::store::Errand> takeAnswers(const QString &worker);
    using Ear = std::function<void(voip::store::Stir what, const QString &whom)>;
    int listen(Ear ear) // -> whom to forget
    {
        m_ears.emplace(++m_lastEar, std::move(ear));
        return m_lastEar;
    }
    void forget(int who) { m_ears.erase(who); }

    // Where a lane could be left ringing: for people.
    [[nodiscard]] QString leftOver() const;

private:
    [[nodiscard]] std::optional<voip::store::StoreError> refusalOf(const voip::store::Commit &commit) const;
    [[nodiscard]] static bool isKnown(const Lane &lane, const voip::store::Notice &notice);
    void addRows(Lane &lane, const voip::store::Commit &commit);
    void addState(Lane &lane, const voip::store::Commit &commit);
    [[nodiscard]] bool mayFail(int oneIn) { return ++m_writes % oneIn == 0; } // of a planted defect

    struct Partition {
        qint64 token = 0;
        QString worker;
        qint64 until = 0;
    };
    struct Waiting {
        voip::store::Errand errand;
        bool answer = false;
    };
    void stir(voip::store::Stir what, const QString &whom) const;

    Judge &m_judge;
    Trace &m_trace;
    const Defect m_defect;
    std::array<Partition, voip::store::partitionCount> m_partitions;
    std::map<QString, qint64> m_workers; // until when they count
    QVector<Waiting> m_errands;
    QMap<QString, QSet<QString>> m_lanesIn; // by room
    std::map<int, Ear> m_ears;              // in the order in which they came, whatever their addresses
    int m_lastEar = 0;
    std::map<QString, Lane> m_lanes;
    std::map<qint64, voip::store::InboxEntry> m_inbox; // by seq
    QHash<std::pair<QString, QString>, qint64> m_seen; // (lane, event id) -> seq
    QHash<qint64, QString> m_eventOf;                  // seq -> event id
    QSet<std::pair<QString, qint64>> m_pruned;         // notices
    QHash<QString, QByteArray> m_settings;
    qint64 m_lastSeq = 0;
    qint64 m_lastNotice = 0;
    qint64 m_writes = 0;
};

} // namespace bridgesim
