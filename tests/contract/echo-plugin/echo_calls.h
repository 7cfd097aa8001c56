// SPDX-License-Identifier: Apache-2.0
// The echo plugin's CallService: conversations, calls and notices in memory, on the host's thread, no Matrix.
#pragma once

#include <voiphost/calls.h>
#include <voiphost/settings.h>

#include <QMap>

class EchoCalls : public voiphost::CallService
{
    Q_OBJECT

public:
    explicit EchoCalls(const QList<voiphost::HostUser> &users);

    template <typename T>
    using Answer = QFuture<voiphost::Expected<T>>;

    Answer<voiphost::Conversation> openConversation(const QString &userId,
                                                    const voiphost::ConversationTarget &target) override;
    Answer<QList<voiphost::Conversation>> conversations(const QString &userId) override;
    Answer<voiphost::Placed> place(const QString &userId, const QString &conversationId,
                                   const voiphost::PlaceRequest &request) override;
    Answer<voiphost::Call> answer(const QString &userId, const QString &callId, const QString &sdp) override;
    Answer<voiphost::Call> addCandidates(const QString &userId, const QString &callId,
                                         const QList<voiphost::IceCandidate> &candidates) override;
    Answer<voiphost::Call> setMediaState(const QString &userId, const QString &callId,
                                         voiphost::MediaState state) override;
    Answer<voiphost::Call> reject(const QString &userId, const QString &callId, const QString &reason) override;
    Answer<voiphost::Call> end(const QString &userId, const QString &callId, const QString &reason) override;
    Answer<voiphost::IceServers> iceServers(const QString &userId) override;
    Answer<voiphost::Call> call(const QString &userId, const QString &callId) override;
    Answer<QList<voiphost::Call>> liveCalls(const QString &userId) override;
    Answer<QList<voiphost::Call>> history(const QString &userId, int limit, const QString &before) override;
    Answer<QByteArray> timeline(const QString &userId, const QString &callId, bool withSdp) override;
    QList<std::pair<QString, voiphost::Call>> allLiveCalls() const override;
    Answer<QList<voiphost::CallNotice>> noticesAfter(const QString &userId, qint64 afterId, int limit) override;
    Answer<QList<voiphost::CallNotice>> noticesOfLiveCalls(const QString &userId) override;

    void incoming(const QString &userId, const QJsonObject &invite);
    void refuseNew() { m_refuseNew = true; }

private:
    struct Entry {
        QString user;
        voiphost::Call call;
        QString answerSdp;
        QString idempotencyKey;
        qint64 seq = 0;
    };
    [[nodiscard]] Entry *find(const QString &userId, const QString &callId);
    void tell(Entry &entry, voiphost::NoticeKind kind, const QJsonObject &data);
    Answer<voiphost::Call> finish(const QString &userId, const QString &callId, const QString &reason);

    QMap<QString, QList<voiphost::Conversation>> m_conversations;
    QList<Entry> m_entries;
    QMap<QString, QList<voiphost::CallNotice>> m_notices;
    int m_nextCall = 1;
    bool m_refuseNew = false;
};
