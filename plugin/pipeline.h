// SPDX-License-Identifier: Apache-2.0
// The composition root: makes the parts and connects them, so that a call's way through the plugin can be read in
// pipeline.cpp from top to bottom. Lives on the core thread. Decides nothing about calls.
#pragma once

#include "effects/conversations.h"
#include "effects/desk.h"
#include "homeserver/turncache.h"
#include "intake/intake.h"
#include "observe/health.h"
#include "replay/recorder.h"
#include "rollout/gate.h"

#include <memory>

namespace voip
{

struct PipelineSettings {
    voiphost::HomeserverSettings homeserver;
    voiphost::DatabaseSettings database;
    QByteArray rootKey; // empty: none
    QList<voiphost::HostUser> users;
    call::Settings call;
};

// What the host's thread and the core thread share; outlives the pipeline.
struct Shared {
    observe::Metrics metrics;
    observe::Health health;
    effects::Board board{metrics};
    rollout::Gate gate;
    std::atomic<bool> draining = false;
};

class Pipeline : public effects::Switchboard
{
    Q_OBJECT

public:
    using Started = std::function<void(voiphost::Expected<voiphost::Done>)>;
    Pipeline(PipelineSettings settings, Shared &shared);
    ~Pipeline() override;

    // Core thread. The store is opened and migrated, the switch and the lanes are as they were committed, and what
    // was accepted and not consumed is on its way.
    void start(Started started);
    // Any thread.
    QFuture<voiphost::BatchResult> accept(const voiphost::EventBatch &batch) { return m_intake.accept(batch); }
    void saveSetting(const QString &key, const QByteArray &value, Started saved);

    // --- Switchboard
    void open(const QString &userId, const voiphost::ConversationTarget &target,
              std::function<void(voiphost::Expected<voiphost::Conversation>)> reply) override;
    QList<voiphost::Conversation> conversations(const QString &userId) override;
    void place(const QString &userId, const QString &conversationId, const voiphost::PlaceRequest &request,
               CallReply reply) override;
    void act(const QString &userId, const QString &callId, const call::Input &input, CallReply reply) override;
    void iceServers(const QString &userId,
                    std::function<void(voiphost::Expected<voiphost::IceServers>)> reply) override;
    void findCall(const QString &userId, const QString &callId,
                  std::function<void(voiphost::Expected<voiphost::Call>)> reply) override;
    void history(const QString &userId, int limit, const QString &before,
                 std::function<void(voiphost::Expected<QList<voiphost::Call>>)> reply) override;
    void timeline(const QString &userId, const QString &callId, bool withSdp,
                  std::function<void(voiphost::Expected<QByteArray>)> reply) override;
    void notices(const QString &userId, std::optional<qint64> afterId, int limit,
                 std::function<void(voiphost::Expected<QList<voiphost::CallNotice>>)> reply) override;

Q_SIGNALS:
    void settingsRestored(const QHash<QString, QByteArray> &settings);

private:
    void connectParts();
    [[nodiscard]] call::MatrixBatch read(const QString &lane, const QVector<store::InboxEntry> &entries);
    [[nodiscard]] QVector<QJsonObject> decrypt(const QString &lane, const QVector<store::InboxEntry> &entries);
    void record(const call::Line &before, const call::Step &step, const call::Now &now, const call::Input &input,
                const QVector<store::InboxEntry> &entries);
    void restore(const QVector<store::LaneRecord> &records, const QHash<QString, QByteArray> &known);
    void repeatNotices(effects::Lane &lane);
    void watch();
    void pingHomeserver();
    effects::Lane &laneOf(const QString &matrixId);
    effects::Lane &laneOfUser(const QString &userId) { return laneOf(m_router.matrixIdOf(userId)); }
    [[nodiscard]] voiphost::Call present(const call::Call &call, const QString &lane) const;

    const PipelineSettings m_settings;
    Shared &m_shared;
    effects::Clock m_clock;
    intake::Router m_router;
    store::Store m_store;
    intake::Intake m_intake;
    homeserver::Client m_client;
    homeserver::GhostDirectory m_ghosts;
    homeserver::TurnCache m_turn;
    effects::Outbox m_outbox;
    effects::Alarm m_alarm;
    effects::RoomKeeper m_rooms;
    effects::Conversations m_conversations;
    effects::LaneServices m_laneServices;
    replay::Recorder m_recorder;
    QTimer m_watch;
    QTimer m_prune;
    QHash<QString, QString> m_displayNames;                    // by Matrix id
    std::map<QString, std::unique_ptr<effects::Lane>> m_lanes; // by Matrix id; goes first
};

} // namespace voip
