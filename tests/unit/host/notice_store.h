// SPDX-License-Identifier: Apache-2.0
// A call service that has nothing but notices, in memory, and can hold its answers back.
#pragma once

#include <voiphost/calls.h>

#include <QPromise>

#include <functional>

namespace bridgehost
{

using namespace voiphost;

template <typename T>
[[nodiscard]] QFuture<Expected<T>> none()
{
    return QtFuture::makeReadyFuture(Expected<T>(Error{}));
}

// Notices in memory; `hold` makes reads wait until release(), with the answer as of the moment of asking.
class NoticeStore : public CallService
{
public:
    using Page = Expected<QList<CallNotice>>;

    QFuture<Expected<Conversation>> openConversation(const QString &, const ConversationTarget &) override
    {
        return none<Conversation>();
    }
    QFuture<Expected<QList<Conversation>>> conversations(const QString &) override
    {
        return none<QList<Conversation>>();
    }
    QFuture<Expected<Placed>> place(const QString &, const QString &, const PlaceRequest &) override
    {
        return none<Placed>();
    }
    QFuture<Expected<Call>> answer(const QString &, const QString &, const QString &) override { return none<Call>(); }
    QFuture<Expected<Call>> addCandidates(const QString &, const QString &, const QList<IceCandidate> &) override
    {
        return none<Call>();
    }
    QFuture<Expected<Call>> setMediaState(const QString &, const QString &, MediaState) override
    {
        return none<Call>();
    }
    QFuture<Expected<Call>> reject(const QString &, const QString &, const QString &) override { return none<Call>(); }
    QFuture<Expected<Call>> end(const QString &, const QString &, const QString &) override { return none<Call>(); }
    QFuture<Expected<IceServers>> iceServers(const QString &) override { return none<IceServers>(); }
    QFuture<Expected<Call>> call(const QString &, const QString &) override { return none<Call>(); }
    QFuture<Expected<QList<Call>>> liveCalls(const QString &) override { return none<QList<Call>>(); }
    QFuture<Expected<QList<Call>>> history(const QString &, int, const QString &) override
    {
        return none<QList<Call>>();
    }
    QFuture<Expected<QByteArray>> timeline(const QString &, const QString &, bool) override
    {
        return none<QByteArray>();
    }
    QList<std::pair<QString, Call>> allLiveCalls() const override { return {}; }

    QFuture<Page> noticesAfter(const QString &userId, qint64 afterId, int limit) override
    {
        QList<CallNotice> found;
        for (const CallNotice &notice : std::as_const(log)) {
            if (notice.userId == userId && notice.id > afterId && found.size() < limit)
                found.append(notice);
        }
        ++reads;
        return answer(fail ? Page(Error{ErrorKind::Unavailable, QStringLiteral("DATABASE_UNAVAILABLE"), {}, {}})
                           : Page(found));
    }
    QFuture<Page> noticesOfLiveCalls(const QString &userId) override
    {
        QList<CallNotice> found;
        for (const CallNotice &notice : std::as_const(log)) {
            if (notice.userId == userId && live.contains(notice.callId))
                found.append(notice);
        }
        ++reads;
        return answer(Page(found));
    }

    void tell(const QString &callId = QStringLiteral("c"), qsizetype padding = 0,
              const QString &user = QStringLiteral("alice"))
    {
        CallNotice notice;
        notice.id = ++last[user];
        notice.seq = notice.id;
        notice.userId = user;
        notice.callId = callId;
        notice.conversationId = QStringLiteral("conv");
        notice.kind = NoticeKind::Ended;
        notice.data = {{QStringLiteral("reason"), QString(padding, u'x')}};
        log.append(notice);
        Q_EMIT noticed(notice);
    }
    void release()
    {
        hold = false;
        const auto waiting = std::exchange(m_waiting, {});
        for (const auto &[promise, page] : waiting) {
            promise->addResult(page);
            promise->finish();
        }
    }

    QList<CallNotice> log;
    QStringList live;
    QMap<QString, qint64> last;
    bool hold = false;
    bool fail = false;
    int reads = 0;

private:
    QFuture<Page> answer(const Page &page)
    {
        if (!hold)
            return QtFuture::makeReadyFuture(page);
        auto promise = std::make_shared<QPromise<Page>>();
        promise->start();
        m_waiting.append({promise, page});
        return promise->future();
    }
    QList<std::pair<std::shared_ptr<QPromise<Page>>, Page>> m_waiting;
};

} // namespace bridgehost
