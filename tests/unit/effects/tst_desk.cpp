// SPDX-License-Identifier: Apache-2.0
// The desk on the host's thread, a core on another: every future finishes, whatever the core does.
#include "effects/desk.h"

#include <QTest>
#include <QThread>

using namespace voip;
using namespace voiphost;

namespace
{

const QString alice = QStringLiteral("alice");
const QString sdp = QStringLiteral("v=0\r\n");

// Answers findCall, keeps the others waiting.
class SlowCore : public effects::Switchboard
{
public:
    QVector<std::function<void(Expected<Placed>)>> kept;
    void open(const QString &, const ConversationTarget &, std::function<void(Expected<Conversation>)>) override {}
    QList<Conversation> conversations(const QString &) override { return {}; }
    void place(const QString &, const QString &, const PlaceRequest &, CallReply reply) override
    {
        kept.push_back(reply);
    }
    void act(const QString &, const QString &, const call::Input &, CallReply reply) override { kept.push_back(reply); }
    void iceServers(const QString &, std::function<void(Expected<IceServers>)>) override {}
    void findCall(const QString &, const QString &callId, std::function<void(Expected<Call>)> reply) override
    {
        Call call;
        call.id = callId;
        reply(call);
        reply(call); // once too often
    }
    void history(const QString &, int, const QString &, std::function<void(Expected<QList<Call>>)>) override {}
    void timeline(const QString &, const QString &, bool, std::function<void(Expected<QByteArray>)>) override {}
    void notices(const QString &, std::optional<qint64>, int, std::function<void(Expected<QList<CallNotice>>)>) override
    {
    }
};

} // namespace

class DeskTest : public QObject
{
    Q_OBJECT

    observe::Metrics m_metrics;
    effects::Board m_board{m_metrics};

    template <typename T>
    static QString codeOf(QFuture<Expected<T>> future)
    {
        if (!QTest::qWaitFor([&] { return future.isFinished(); }, 30'000) || future.resultCount() != 1)
            qFatal("a future never finishes");
        return future.result().ok() ? QStringLiteral("ok") : future.result().error().code;
    }

private Q_SLOTS:
    void beforeTheCore()
    {
        effects::Desk desk(m_board, {alice});
        QCOMPARE(codeOf(desk.call(alice, QStringLiteral("c"))), QStringLiteral("STOPPING"));
        QCOMPARE(codeOf(desk.liveCalls(alice)), QStringLiteral("ok"));
    }

    void checksWhatItCan()
    {
        effects::Desk desk(m_board, {alice});
        QThread thread;
        auto *core = new SlowCore;
        core->moveToThread(&thread);
        connect(&thread, &QThread::finished, core, &QObject::deleteLater);
        thread.start();
        desk.attach(core);
        QCOMPARE(codeOf(desk.call(alice, QStringLiteral("c"))), QStringLiteral("ok"));
        QCOMPARE(codeOf(desk.call(QStringLiteral("mallory"), QStringLiteral("c"))), QStringLiteral("USER_NOT_FOUND"));
        QCOMPARE(codeOf(desk.place(alice, {}, {QStringLiteral("hello"), {}, {}})), QStringLiteral("INVALID_SDP"));
        QCOMPARE(codeOf(desk.place(alice, {}, {QString(70'000, u'v'), {}, {}})), QStringLiteral("INVALID_SDP"));
        QCOMPARE(codeOf(desk.place(alice, {}, {sdp, {}, QString(129, u'k')})), QStringLiteral("INVALID_FIELD"));
        QCOMPARE(codeOf(desk.place(alice, {}, {sdp, {}, QString(QChar(u'\0'))})), QStringLiteral("INVALID_FIELD"));
        QCOMPARE(codeOf(desk.answer(alice, {}, {})), QStringLiteral("INVALID_SDP"));
        thread.quit();
        QVERIFY(thread.wait(30'000));
    }

    void theCoreGoesAway()
    {
        effects::Desk desk(m_board, {alice});
        QThread thread;
        auto *core = new SlowCore;
        core->moveToThread(&thread);
        connect(&thread, &QThread::finished, core, &QObject::deleteLater);
        thread.start();
        desk.attach(core);
        auto placed = desk.place(alice, {}, {sdp, {}, {}});
        auto ended = desk.end(alice, {}, {});
        auto opened = desk.openConversation(alice, {});
        auto ice = desk.iceServers(alice);
        auto history = desk.history(alice, 1, {});
        thread.quit();
        QVERIFY(thread.wait(30'000));
        QCOMPARE(codeOf(placed), QStringLiteral("STOPPING"));
        QCOMPARE(codeOf(ended), QStringLiteral("STOPPING"));
        QCOMPARE(codeOf(opened), QStringLiteral("STOPPING"));
        QCOMPARE(codeOf(ice), QStringLiteral("STOPPING"));
        QCOMPARE(codeOf(history), QStringLiteral("STOPPING"));
        QCOMPARE(codeOf(desk.conversations(alice)), QStringLiteral("STOPPING"));
    }

    void noticesComeOnTheHostsThread()
    {
        effects::Desk desk(m_board, {alice});
        QThread thread;
        auto *core = new SlowCore;
        core->moveToThread(&thread);
        connect(&thread, &QThread::finished, core, &QObject::deleteLater);
        thread.start();
        desk.attach(core);
        QList<qint64> ids;
        connect(&desk, &CallService::noticed, &desk, [&ids](const CallNotice &notice) {
            if (QThread::currentThread() == qApp->thread())
                ids += notice.id;
        });
        QMetaObject::invokeMethod(core, [core] {
            for (qint64 id = 1; id <= 3; ++id) {
                CallNotice notice;
                notice.id = id;
                Q_EMIT core->noticed(notice);
            }
        });
        QTRY_COMPARE_WITH_TIMEOUT(ids, QList<qint64>({1, 2, 3}), 30'000);
        thread.quit();
        QVERIFY(thread.wait(30'000));
    }

    void theBoardHoldsLiveCallsOnly()
    {
        Call call;
        call.id = QStringLiteral("c");
        call.status = CallStatus::Ringing;
        m_board.put(alice, call);
        effects::Desk desk(m_board, {alice});
        QCOMPARE(desk.allLiveCalls().size(), 1);
        QCOMPARE(desk.liveCalls(alice).result()->size(), 1);
        QVERIFY(desk.liveCalls(QStringLiteral("carol")).result()->isEmpty());
        QVERIFY(m_metrics.text().contains("matrix_voip_calls_active 1"));
        for (const CallStatus status : {CallStatus::Failed, CallStatus::Ended}) {
            call.status = status;
            m_board.put(alice, call);
            QCOMPARE(m_board.size(), 0);
        }
        QVERIFY(m_metrics.text().contains("matrix_voip_calls_active 0"));
    }
};

QTEST_GUILESS_MAIN(DeskTest)
#include "tst_desk.moc"
