// SPDX-License-Identifier: Apache-2.0
// One worker's connection to the simulated database: groups writes as the real one does, fails, stalls, is in doubt and
// comes back as the weather says, and dies with its worker. Keeps what plugin/store/store.h promises: a commit is
// answered once it is known, an accepted batch may be answered Unavailable and given again.
#pragma once

#include "database.h"
#include "life.h"
#include "timeloop.h"
#include "weather.h"

#include <QPointer>

#include <deque>
#include <memory>

namespace bridgesim
{

class SimStore : public voip::store::Store
{
    Q_OBJECT

public:
    SimStore(TimeLoop &loop, Database &database, Weather &weather, std::shared_ptr<Life> life, Chance chance,
             Defect defect);
    ~SimStore() override;

    void open(const QByteArray &rootKey, QObject *context, voip::store::Reply<voiphost::Done> reply) override;
    void close() override;
    [[nodiscard]] bool available() const override { return m_available; }

    void accept(voip::store::InboxBatch batch, QObject *context,
                voip::store::Reply<QVector<voip::store::InboxEntry>> reply) override;
    void commit(voip::store::Commit commit, QObject *context,
                voip::store::Reply<voip::store::Committed> reply) override;
    void putSetting(const QString &key, const QByteArray &value, QObject *context,
                    voip::store::Reply<voiphost::Done> reply) override;
    void prune(qint64 now, const voip::store::Retention &keep, QObject *context,
               voip::store::Reply<voip::store::Pruned> reply) override;

    void restoreLanes(qint64 now, const voip::store::Share &share, QObject *context,
                      voip::store::Reply<QVector<voip::store::LaneRecord>> reply) override;
    void pendingInbox(const voip::store::Share &share, qint64 afterSeq, QObject *context,
                      voip::store::Reply<QVector<voip::store::InboxEntry>> reply) override;
    void inboxPage(const voip::store::Share &share, qint64 afterSeq, int limit, QObject *context,
                   voip::store::Reply<voip::store::InboxPage> reply) override;
    void inboxDepth(qint64 most, QObject *context, voip::store::Reply<voip::store::InboxDepth> reply) override;
    void settings(QObject *context, voip::store::Reply<QHash<QString, QByteArray>> reply) override;
    void findCall(const QString &lane, const QString &callId, QObject *context,
                  voip::store::Reply<std::optional<voip::call::Call>> reply) override;
    void history(const QString &lane, int limit, const QString &beforeCallId, QObject *context,
                 voip::store::Reply<QVector<voip::call::Call>> reply) override;
    void noticesAfter(const QString &lane, qint64 afterId, int limit, QObject *context,
                      voip::store::Reply<QVector<voip::store::Notice>> reply) override;
    void noticesOfCalls(const QString &lane, const QVector<QString> &callIds, QObject *context,
                        voip::store::Reply<QVector<voip::store::Notice>> reply) override;

    // --- several workers: simstore_workers.cpp
    void lease(voip::store::LeaseRequest request, QObject *context,
               voip::store::Reply<voip::store::Leases> reply) override;
    void findRoutes(const QStringList &rooms, const QStringList &users, QObject *context,
                    voip::store::Reply<voip::store::Routes> reply) override;
    void liveCalls(QObject *context, voip::store::Reply<QVector<voip::store::OwnedCall>> reply) override;
    void liveCallsOf(const QString &lane, QObject *context,
                     voip::store::Reply<QVector<voip::call::Call>> reply) override;
    void roomsOf(const QString &lane, QObject *context, voip::store::Reply<QVector<voip::call::Room>> reply) override;
    void noticeHeads(qint64 afterId, QObject *context, voip::store::Reply<QHash<QString, qint64>> reply) override;
    void sendErrand(voip::store::Errand errand, QObject *context, voip::store::Reply<voiphost::Done> reply) override;
    void withdrawErrand(const QString &id, QObject *context, voip::store::Reply<bool> reply) override;
    void takeErrands(const QVector<int> &partitions, QObject *context,
                     voip::store::Reply<QVector<voip::store::Errand>> reply) override;
    void answerErrand(voip::store::Errand answer, QObject *context, voip::store::Reply<voiphost::Done> reply) override;
    void takeAnswers(const QString &worker, QObject *context,
                     voip::store::Reply<QVector<voip::store::Errand>> reply) override;
    [[nodiscard]] bool hears() const override { return m_available && !m_life->noDatabase; }

private:
    using Error = voip::store::StoreError;
    // A write that waits: does it and gives what is to be answered, or answers that it could not be done.
    struct Write {
        std::function<std::function<void()>()> run;
        std::function<void(const Error &)> fail = {};
        bool mayComeAgain = false; // an accepted batch
    };
    template <typename T>
    void submit(QObject *context, voip::store::Reply<T> reply, std::function<voip::store::Result<T>()> run,
                bool mayComeAgain = false)
    {
        const auto give = [this, alive = QPointer(this), context = QPointer<QObject>(context),
                           reply](const voip::store::Result<T> &result) {
            if (!alive || m_life->dead)
                return;
            later(m_loop.now(), [life = m_life, context, reply, result] {
                if (context && !life->dead)
                    reply(result);
            });
        };
        write({[run, give]() -> std::function<void()> {
                   const voip::store::Result<T> result = run();
                   return [give, result] { give(result); };
               },
               [give](const Error &error) { give(error); }, mayComeAgain});
    }
    template <typename T>
    void read(QObject *context, voip::store::Reply<T> reply, std::function<T()> run)
    {
        readInOrder([context = QPointer<QObject>(context), reply = std::move(reply),
                     run = std::move(run)](const std::optional<Error> &error) {
            if (context)
                reply(error ? voip::store::Result<T>(*error) : voip::store::Result<T>(run()));
        });
    }
    void write(Write one);
    // As the loop does, but what nobody was told by the end goes with the store: a promise in it must not outlive those
    // who wait for it.
    void later(qint64 when, std::function<void()> what);
    void readInOrder(std::function<void(const std::optional<Error> &)> what);
    void flush();
    void writeAll(std::deque<Write> group);
    void writeNow(const std::deque<Write> &group);
    void tear(std::deque<Write> group);
    void inDoubt(std::deque<Write> group);
    void failAll(const std::deque<Write> &group);
    void setAvailable(bool available);
    void hear(voip::store::Stir what, const QString &whom);
    void comeBack();
    [[nodiscard]] bool away() const { return m_life->noDatabase || m_weather.is(Fault::DatabaseAway); }

    TimeLoop &m_loop;
    Database &m_database;
    Weather &m_weather;
    std::shared_ptr<Life> m_life;
    Chance m_chance;
    const Defect m_defect;
    std::deque<Write> m_queue;
    std::deque<Write> m_doubted; // done or not: only the database knows
    bool m_doneInDoubt = false;
    std::vector<std::function<void()>> m_doubtAnswers;
    std::map<quint64, std::function<void()>> m_later;
    quint64 m_lastLater = 0;
    int m_ear = 0;
    bool m_open = false;
    bool m_available = false;
    bool m_flushPlanned = false;
    bool m_lookPlanned = false;
    qint64 m_busyUntil = 0;
    qint64 m_readAt = 0;
};

} // namespace bridgesim
