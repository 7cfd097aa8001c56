// SPDX-License-Identifier: Apache-2.0
// The composition root: makes the parts and connects them, so that a call's way through the plugin can be read in
// pipeline.cpp from top to bottom; how it starts is in pipeline_start.cpp, what the host asks for in pipeline_host.cpp,
// and what is different when several workers share the database in pipeline_share.cpp. Made, living and dying on the
// core thread. Until what was committed is restored it takes nothing. Decides nothing about calls.
#pragma once

#include "account.h"
#include "effects/conversations.h"
#include "effects/courier.h"
#include "effects/desk.h"
#include "effects/devicegate.h"
#include "effects/errands.h"
#include "effects/mirror.h"
#include "effects/watch.h"
#include "homeserver/turncache.h"
#include "intake/intake.h"
#include "observe/health.h"
#include "replay/recorder.h"
#include "rollout/switch.h"
#include "settings.h"

#include <voiphost/verification.h>

#include <QThread>

#include <memory>

namespace voip
{

struct PipelineSettings {
    voiphost::HomeserverSettings homeserver;
    voiphost::DatabaseSettings database;
    QByteArray rootKey; // empty: none
    QList<voiphost::HostUser> users;
    call::Settings call;
    EncryptionSettings encryption = {};
    std::optional<AccountSettings> account = {}; // account mode: then there is one user
    bool workers = false;                        // others may serve from the same database
    store::Retention retention = {};
    qsizetype timelineBytes = qsizetype(32) * 1024 * 1024;
};

// What the host's thread and the core thread share; outlives the pipeline.
struct Shared {
    observe::Metrics metrics;
    observe::Health health;
    effects::Board board{metrics};
    rollout::Gate gate;
    std::atomic<bool> draining = false;

    void enforce(const rollout::Cohort &cohort);
    [[nodiscard]] voiphost::Rollout rollout() const;
};

class Pipeline : public effects::Switchboard
{
    Q_OBJECT

public:
    using Started = std::function<void(voiphost::Expected<voiphost::Done>)>;
    // Starts the thread and makes a pipeline there: everything in it must belong to the thread on which it lives. It is
    // deleted as the thread's last act.
    [[nodiscard]] static Pipeline *makeOn(QThread &thread, const PipelineSettings &settings, Shared &shared);
    using RolloutReply = std::function<void(voiphost::Expected<voiphost::Rollout>)>;
    // `store`, `transport`: others than those that the settings name.
    Pipeline(PipelineSettings settings, Shared &shared, std::unique_ptr<store::Store> store = {},
             std::unique_ptr<homeserver::Transport> transport = {});
    ~Pipeline() override;

    // The store is opened and migrated, the switch and the lanes are as they were committed, the host was told again of
    // what is still live, and what was accepted and not consumed is on its way.
    void start(const Started &started);
    // No new calls of the host; tells when the live ones have ended or the time has passed.
    void drain(int timeoutMs, std::function<void(voiphost::Done)> drained);
    void setRollout(const voiphost::Rollout &wanted, const RolloutReply &reply);
    void rollBack(const RolloutReply &reply);
    void verifications(const std::function<void(voiphost::Expected<QList<voiphost::PendingVerification>>)> &reply);
    void judgeVerification(const QString &id, bool same,
                           const std::function<void(voiphost::Expected<voiphost::Done>)> &reply);
    // Any thread.
    QFuture<voiphost::BatchResult> accept(voiphost::EventBatch batch);
    // Any thread, blocking: whether the database could be used, without changing it.
    [[nodiscard]] static voiphost::Diagnostics::Check inspect(const voiphost::DatabaseSettings &settings, bool workers);

    // --- Switchboard
    void open(const QString &userId, const voiphost::ConversationTarget &target,
              std::function<void(voiphost::Expected<voiphost::Conversation>)> reply) override;
    void conversations(const QString &userId,
                       std::function<void(voiphost::Expected<QList<voiphost::Conversation>>)> reply) override;
    void place(const QString &userId, const QString &conversationId, const voiphost::FullPlaceRequest &request,
               CallReply reply) override;
    void acceptTransfer(const QString &userId, const QString &callId, const voiphost::FullPlaceRequest &request,
                        CallReply reply) override;
    void act(const QString &userId, const QString &callId, const call::Input &input, CallReply reply) override;
    void iceServers(const QString &userId,
                    std::function<void(voiphost::Expected<voiphost::IceServers>)> reply) override;
    void findCall(const QString &userId, const QString &callId,
                  std::function<void(voiphost::Expected<voiphost::FullCall>)> reply) override;
    void history(const QString &userId, int limit, const QString &before,
                 std::function<void(voiphost::Expected<QList<voiphost::FullCall>>)> reply) override;
    void liveCalls(const QString &userId,
                   std::function<void(voiphost::Expected<QList<voiphost::FullCall>>)> reply) override;
    void timeline(const QString &userId, const QString &callId, bool withSdp,
                  std::function<void(voiphost::Expected<QByteArray>)> reply) override;
    void notices(const QString &userId, std::optional<qint64> afterId, int limit,
                 std::function<void(voiphost::Expected<QList<voiphost::CallNotice>>)> reply) override;

private:
    void connectParts();
    void toLane(const QString &lane, const QVector<store::InboxEntry> &entries);
    [[nodiscard]] static call::MatrixBatch read(const QVector<store::InboxEntry> &entries);
    void connectKeys();
    void makeDevices();
    void catchUp();
    void record(const call::Line &before, const call::Step &step, const call::Now &now, const call::Input &input,
                const QVector<store::InboxEntry> &entries);
    // Account mode, in pipeline_account.cpp.
    [[nodiscard]] static homeserver::Access accessFor(const PipelineSettings &settings);
    void makeAccount();
    void connectAccountLane(const effects::Lane &lane);
    void signDevice();
    void tellOfDevice(bool isSigned, const QString &message = {}, const QString &advice = {});
    void findBackup(const homeserver::Reply<QJsonObject> &reply);
    void tellOfBackup(const QString &problem);
    void logVerifications();
    void enter(const QHash<QString, QByteArray> &kept, const Started &started, const std::function<void()> &then);
    void restoreLanes(const QHash<QString, QByteArray> &known, const Started &started);
    void restore(const QVector<store::LaneRecord> &records, const QHash<QString, QByteArray> &known, bool hostLives);
    void repeatNotices(const effects::Lane &lane);
    void serve(const QVector<store::InboxEntry> &pending);
    void takeRecent(const voiphost::EventBatch &batch, int attempt, const std::function<void()> &then);
    void saveSwitch(const QByteArray &value, const std::function<void(bool)> &saved);
    void prune();
    [[nodiscard]] std::optional<voiphost::Error> notServing() const;
    // Null: another worker holds it. Otherwise it is made if need be.
    [[nodiscard]] effects::Lane *laneOf(const QString &matrixId);
    [[nodiscard]] effects::Lane *laneOfUser(const QString &userId) { return laneOf(m_router.matrixIdOf(userId)); }
    effects::Lane &makeLane(const QString &matrixId);

    // Several workers on one database, in pipeline_share.cpp.
    void share();
    void takeOver(const QVector<int> &partitions);
    void beginServing(const QMap<int, qint64> &tokens, const QVector<store::LaneRecord> &records,
                      const QHash<QString, QByteArray> &known);
    void closePartitions(const QVector<int> &partitions, const std::function<void()> &then);
    void dropLane(const QString &lane, const effects::Lane *which);
    void serveErrand(const QString &lane, const QJsonObject &body, const std::function<void(QJsonObject)> &answer);
    void sendErrand(const QString &userId, QJsonObject body, const CallReply &reply);
    void handOn(const QString &lane, const QString &device, int oneTimeKeys, int fallbackUnused);
    void rereadSwitch();
    void presentStored(const QString &lane, const QVector<call::Call> &calls,
                       const std::function<void(QList<voiphost::FullCall>)> &give);
    [[nodiscard]] voiphost::FullCall present(const call::Call &call, const QString &lane) const;

    static inline const QString knownLane = QStringLiteral("known_lane:"); // setting: this ghost's rooms were asked for
    static inline const QString prunedKey = QStringLiteral("pruned_until"); // setting: ms
    static inline const QString switchKey = QStringLiteral("rollout");      // setting: the switch's position

    const PipelineSettings m_settings;
    Shared &m_shared;
    effects::Clock m_clock;
    intake::Router m_router;
    const std::unique_ptr<store::Store> m_ownedStore;
    store::Store &m_store;
    effects::Leases m_leases;
    intake::Intake m_intake;
    homeserver::Client m_client;
    homeserver::GhostDirectory m_ghosts;
    homeserver::TurnCache m_turn;
    effects::Outbox m_outbox;
    effects::Alarm m_alarm;
    std::unique_ptr<crypto::Backend> m_backend;
    std::optional<crypto::Seal> m_seal; // nothing: there is no root key, and no encryption
    std::optional<effects::CipherServices> m_cipher;
    effects::DeviceGate m_gate;
    effects::RoomKeeper m_rooms;
    effects::Conversations m_conversations;
    effects::Courier m_courier;
    effects::LaneServices m_laneServices;
    replay::Recorder m_recorder;
    effects::Errands m_errands;
    effects::Mirror m_mirror;
    rollout::Switch m_switch;
    effects::Watch m_watch;
    std::unique_ptr<Account> m_account;     // account mode only
    std::optional<QString> m_backupProblem; // as it was told last
    QTimer m_prune;
    qint64 m_prunedUntil = 0;  // by the clock of whoever did; 0: nobody did
    qint64 m_pruningUntil = 0; // in this round
    bool m_serving = false;
    bool m_hasServed = false;                           // some partition, with several workers
    QSet<int> m_ready;                                  // partitions whose lanes are restored; all, when alone
    QHash<std::pair<QString, QString>, int> m_handedOn; // key counts of others' devices, as last handed on
    QStringList m_withoutDevice;                        // lanes whose devices are still to be made, one after the other
    QStringList m_toCatchUp;                            // lanes that may have missed something
    QTimer m_nextCatchUp;
    QHash<QString, QString> m_displayNames;                    // by Matrix id
    std::map<QString, std::unique_ptr<effects::Lane>> m_lanes; // by Matrix id; goes first
};

} // namespace voip
