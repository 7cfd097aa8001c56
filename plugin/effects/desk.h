// SPDX-License-Identifier: Apache-2.0
// The face towards the host: keeps the contracts of CallService and MidCall. Lives on the host's thread, passes every
// action on to the user's lane on the core thread, and answers what it can from the board. Before the core is there and
// after it has gone every action is answered with STOPPING. Holds no call itself.
#pragma once

#include "call/input.h"
#include "effects/board.h"
#include "store/rows.h"

#include <voiphost/midcall.h>

#include <QPointer>
#include <QSet>

#include <functional>

namespace voip::effects
{

// What the desk asks of the core thread. Implemented by the pipeline; every method is called on the core thread.
class Switchboard : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;
    using CallReply = std::function<void(voiphost::Expected<voiphost::FullPlaced>)>;

    virtual void open(const QString &userId, const voiphost::ConversationTarget &target,
                      std::function<void(voiphost::Expected<voiphost::Conversation>)> reply) = 0;
    virtual void conversations(const QString &userId,
                               std::function<void(voiphost::Expected<QList<voiphost::Conversation>>)> reply) = 0;
    virtual void place(const QString &userId, const QString &conversationId, const voiphost::FullPlaceRequest &request,
                       CallReply reply) = 0;
    // Opens the room with whom the peer wants called, if it wants that; `request` is checked but for a missing SDP.
    virtual void acceptTransfer(const QString &userId, const QString &callId, const voiphost::FullPlaceRequest &request,
                                CallReply reply) = 0;
    virtual void act(const QString &userId, const QString &callId, const call::Input &input, CallReply reply) = 0;
    virtual void iceServers(const QString &userId,
                            std::function<void(voiphost::Expected<voiphost::IceServers>)> reply) = 0;
    virtual void findCall(const QString &userId, const QString &callId,
                          std::function<void(voiphost::Expected<voiphost::FullCall>)> reply) = 0;
    virtual void history(const QString &userId, int limit, const QString &before,
                         std::function<void(voiphost::Expected<QList<voiphost::FullCall>>)> reply) = 0;
    virtual void liveCalls(const QString &userId,
                           std::function<void(voiphost::Expected<QList<voiphost::FullCall>>)> reply) = 0;
    virtual void timeline(const QString &userId, const QString &callId, bool withSdp,
                          std::function<void(voiphost::Expected<QByteArray>)> reply) = 0;
    virtual void notices(const QString &userId, std::optional<qint64> afterId, int limit,
                         std::function<void(voiphost::Expected<QList<voiphost::CallNotice>>)> reply) = 0;

Q_SIGNALS:
    void noticed(const voiphost::CallNotice &notice);
};

[[nodiscard]] voiphost::Error badSdp();

class Desk : public voiphost::CallService, public voiphost::MidCall
{
    Q_OBJECT
    Q_INTERFACES(voiphost::MidCall)

public:
    Desk(const Board &board, QSet<QString> users, QObject *parent = nullptr);

    // The core lives on its own thread; it must not be gone while a method of the desk runs.
    // `shared`: some users' calls are at other workers, and the board alone does not know them.
    void attach(Switchboard *core, bool shared = false);

    QFuture<voiphost::Expected<voiphost::Conversation>>
    openConversation(const QString &userId, const voiphost::ConversationTarget &target) override;
    QFuture<voiphost::Expected<QList<voiphost::Conversation>>> conversations(const QString &userId) override;
    QFuture<voiphost::Expected<voiphost::Placed>> place(const QString &userId, const QString &conversationId,
                                                        const voiphost::PlaceRequest &request) override;
    QFuture<voiphost::Expected<voiphost::Call>> answer(const QString &userId, const QString &callId,
                                                       const QString &sdp) override;
    QFuture<voiphost::Expected<voiphost::Call>> addCandidates(const QString &userId, const QString &callId,
                                                              const QList<voiphost::IceCandidate> &candidates) override;
    QFuture<voiphost::Expected<voiphost::Call>> setMediaState(const QString &userId, const QString &callId,
                                                              voiphost::MediaState state) override;
    QFuture<voiphost::Expected<voiphost::Call>> reject(const QString &userId, const QString &callId,
                                                       const QString &reason) override;
    QFuture<voiphost::Expected<voiphost::Call>> end(const QString &userId, const QString &callId,
                                                    const QString &reason) override;
    QFuture<voiphost::Expected<voiphost::IceServers>> iceServers(const QString &userId) override;
    QFuture<voiphost::Expected<voiphost::Call>> call(const QString &userId, const QString &callId) override;
    QFuture<voiphost::Expected<QList<voiphost::Call>>> liveCalls(const QString &userId) override;
    QFuture<voiphost::Expected<QList<voiphost::Call>>> history(const QString &userId, int limit,
                                                               const QString &before) override;
    QFuture<voiphost::Expected<QByteArray>> timeline(const QString &userId, const QString &callId,
                                                     bool withSdp) override;
    [[nodiscard]] QList<std::pair<QString, voiphost::Call>> allLiveCalls() const override;
    QFuture<voiphost::Expected<QList<voiphost::CallNotice>>> noticesAfter(const QString &userId, qint64 afterId,
                                                                          int limit) override;
    QFuture<voiphost::Expected<QList<voiphost::CallNotice>>> noticesOfLiveCalls(const QString &userId) override;

    // --- MidCall
    template <typename T>
    using Answer = QFuture<voiphost::Expected<T>>;
    Answer<voiphost::FullPlaced> place(const QString &userId, const QString &conversationId,
                                       const voiphost::FullPlaceRequest &request) override;
    Answer<voiphost::FullCall> answer(const QString &userId, const QString &callId,
                                      const voiphost::AnswerRequest &request) override;
    Answer<voiphost::FullCall> decline(const QString &userId, const QString &callId, voiphost::Decline how) override;
    Answer<voiphost::FullCall> fullCall(const QString &userId, const QString &callId) override;
    Answer<QList<voiphost::FullCall>> fullLiveCalls(const QString &userId) override;
    Answer<QList<voiphost::FullCall>> fullHistory(const QString &userId, int limit, const QString &before) override;
    Answer<voiphost::FullCall> negotiate(const QString &userId, const QString &callId,
                                         const voiphost::SessionDescription &description) override;
    Answer<voiphost::FullCall> setMuted(const QString &userId, const QString &callId, std::optional<bool> audio,
                                        std::optional<bool> video) override;
    Answer<voiphost::FullCall> transfer(const QString &userId, const QString &callId,
                                        const voiphost::TransferTarget &target) override;
    Answer<voiphost::FullCall> acceptTransfer(const QString &userId, const QString &callId,
                                              const voiphost::FullPlaceRequest &request) override;
    Answer<voiphost::FullCall> rejectTransfer(const QString &userId, const QString &callId) override;
    Answer<voiphost::FullCall> assertIdentity(const QString &userId, const QString &callId,
                                              const std::optional<voiphost::Identity> &identity) override;

private:
    template <typename T, typename Work>
    Answer<T> ask(const QString &userId, Work work);
    // T: Call, or the FullCall that it is part of.
    template <typename T>
    Answer<T> act(const QString &userId, const QString &callId, const call::Input &input);

    QPointer<Switchboard> m_core;
    bool m_shared = false;
    const Board &m_board;
    const QSet<QString> m_users;
};

} // namespace voip::effects
