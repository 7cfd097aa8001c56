// SPDX-License-Identifier: Apache-2.0
// The face towards the host: keeps the CallService contract. Lives on the host's thread, passes every action on to the
// user's lane on the core thread, and answers what it can from the board. Before the core is there and after it has
// gone every action is answered with STOPPING. Holds no call itself.
#pragma once

#include "call/input.h"
#include "effects/board.h"
#include "store/rows.h"

#include <voiphost/calls.h>

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
    using CallReply = std::function<void(voiphost::Expected<voiphost::Placed>)>;

    virtual void open(const QString &userId, const voiphost::ConversationTarget &target,
                      std::function<void(voiphost::Expected<voiphost::Conversation>)> reply) = 0;
    virtual QList<voiphost::Conversation> conversations(const QString &userId) = 0;
    virtual void place(const QString &userId, const QString &conversationId, const voiphost::PlaceRequest &request,
                       CallReply reply) = 0;
    virtual void act(const QString &userId, const QString &callId, const call::Input &input, CallReply reply) = 0;
    virtual void iceServers(const QString &userId,
                            std::function<void(voiphost::Expected<voiphost::IceServers>)> reply) = 0;
    virtual void findCall(const QString &userId, const QString &callId,
                          std::function<void(voiphost::Expected<voiphost::Call>)> reply) = 0;
    virtual void history(const QString &userId, int limit, const QString &before,
                         std::function<void(voiphost::Expected<QList<voiphost::Call>>)> reply) = 0;
    virtual void timeline(const QString &userId, const QString &callId, bool withSdp,
                          std::function<void(voiphost::Expected<QByteArray>)> reply) = 0;
    virtual void notices(const QString &userId, std::optional<qint64> afterId, int limit,
                         std::function<void(voiphost::Expected<QList<voiphost::CallNotice>>)> reply) = 0;

Q_SIGNALS:
    void noticed(const voiphost::CallNotice &notice);
};

class Desk : public voiphost::CallService
{
    Q_OBJECT

public:
    Desk(const Board &board, QSet<QString> users, QObject *parent = nullptr);

    // The core lives on its own thread; it must not be gone while a method of the desk runs.
    void attach(Switchboard *core);

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

private:
    template <typename T, typename Work>
    QFuture<voiphost::Expected<T>> ask(const QString &userId, Work work);
    QFuture<voiphost::Expected<voiphost::Call>> act(const QString &userId, const QString &callId,
                                                    const call::Input &input);

    QPointer<Switchboard> m_core;
    const Board &m_board;
    const QSet<QString> m_users;
};

} // namespace voip::effects
