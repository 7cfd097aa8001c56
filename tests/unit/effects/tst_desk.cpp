// SPDX-License-Identifier: Apache-2.0
// The desk on the host's thread, a core on another: every future finishes, whatever the core does.
#include "effects/desk.h"
#include "effects/present.h"
#include "protocol/sdp.h"
#include "protocol/streams.h"

#include <QTest>
#include <QThread>

using namespace voip;
using namespace voiphost;

namespace
{

const QString alice = QStringLiteral("alice");
const QString sdp = QStringLiteral("v=0\r\n");

// Answers findCall, keeps the others waiting; remembers what it was asked to do.
class SlowCore : public effects::Switchboard
{
public:
    QVector<std::function<void(Expected<FullPlaced>)>> kept;
    QVector<call::Input> inputs;
    FullPlaceRequest accepted;
    void open(const QString &, const ConversationTarget &, std::function<void(Expected<Conversation>)>) override {}
    void conversations(const QString &, std::function<void(Expected<QList<Conversation>>)>) override {}
    void place(const QString &, const QString &, const FullPlaceRequest &, CallReply reply) override
    {
        kept.push_back(reply);
    }
    void acceptTransfer(const QString &, const QString &, const FullPlaceRequest &request, CallReply reply) override
    {
        accepted = request;
        kept.push_back(reply);
    }
    void act(const QString &, const QString &, const call::Input &input, CallReply reply) override
    {
        inputs.push_back(input);
        kept.push_back(reply);
    }
    void iceServers(const QString &, std::function<void(Expected<IceServers>)>) override {}
    void findCall(const QString &, const QString &callId, std::function<void(Expected<FullCall>)> reply) override
    {
        FullCall call;
        call.id = callId;
        reply(call);
        reply(call); // once too often
    }
    void history(const QString &, int, const QString &, std::function<void(Expected<QList<FullCall>>)>) override {}
    void liveCalls(const QString &, std::function<void(Expected<QList<FullCall>>)> reply) override
    {
        FullCall call;
        call.id = QStringLiteral("elsewhere");
        reply(QList<FullCall>{call});
    }
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
        const auto placed = [&desk](const PlaceRequest &request) { return codeOf(desk.place(alice, {}, request)); };
        QCOMPARE(placed({QStringLiteral("hello"), {}, {}}), QStringLiteral("INVALID_SDP"));
        QCOMPARE(placed({QString(70'000, u'v'), {}, {}}), QStringLiteral("INVALID_SDP"));
        QCOMPARE(placed({sdp, {}, QString(129, u'k')}), QStringLiteral("INVALID_FIELD"));
        QCOMPARE(placed({sdp, {}, QString(QChar(u'\0'))}), QStringLiteral("INVALID_FIELD"));
        QCOMPARE(codeOf(desk.answer(alice, {}, QString())), QStringLiteral("INVALID_SDP"));
        QCOMPARE(codeOf(desk.fullCall(alice, QStringLiteral("c"))), QStringLiteral("ok"));
        QCOMPARE(codeOf(desk.fullCall(QStringLiteral("mallory"), QStringLiteral("c"))),
                 QStringLiteral("USER_NOT_FOUND"));
        thread.quit();
        QVERIFY(thread.wait(30'000));
    }

    void checksMidCallsToo()
    {
        effects::Desk desk(m_board, {alice});
        SlowCore core;
        desk.attach(&core);
        const QString bad = QStringLiteral("INVALID_SDP");
        const QString field = QStringLiteral("INVALID_FIELD");
        StreamsJson many;
        for (int i = 0; i <= maxStreams; ++i)
            many.insert(QString::number(i), QJsonObject());
        QCOMPARE(codeOf(desk.place(alice, {}, FullPlaceRequest())), bad);
        QCOMPARE(codeOf(desk.place(alice, {}, FullPlaceRequest{{sdp, {}, {}}, many, {}})), field);
        QCOMPARE(codeOf(desk.answer(alice, {}, AnswerRequest())), bad);
        QCOMPARE(codeOf(desk.answer(alice, {}, AnswerRequest{sdp, many, {}})), field);
        QCOMPARE(codeOf(desk.negotiate(alice, {}, {})), bad);
        QCOMPARE(codeOf(desk.negotiate(alice, {}, {SdpType::Offer, sdp, many})), field);
        QCOMPARE(codeOf(desk.setMuted(alice, {}, {}, {})), field);
        QCOMPARE(codeOf(desk.transfer(alice, {}, {})), field);
        QCOMPARE(codeOf(desk.transfer(alice, {}, {QStringLiteral("@c:t"), QStringLiteral("c2")})), field);
        for (const char *user : {"carol", "@carol", "@carol:", "@:test", "carol:test"})
            QCOMPARE(codeOf(desk.transfer(alice, {}, {QLatin1String(user), {}})), QStringLiteral("INVALID_USER"));
        QCOMPARE(codeOf(desk.acceptTransfer(alice, {}, {{QStringLiteral("hello"), {}, {}}, {}, {}})), bad);
        QCOMPARE(codeOf(desk.assertIdentity(alice, {}, Identity{{}, QString(256, u'n'), {}})), field);
        QVERIFY(core.inputs.isEmpty() && core.kept.isEmpty());
    }

    // Each method of MidCall as the core hears it, and what it answers.
    void midCallsReachTheCore()
    {
        effects::Desk desk(m_board, {alice});
        SlowCore core;
        desk.attach(&core);
        const QString id = QStringLiteral("c");
        const auto streams = protocol::ourStreams(sdp, {});
        const auto hears = [&core](auto future, const call::Input &input) {
            if (!QTest::qWaitFor([&core] { return !core.kept.isEmpty(); }, 30'000))
                return false;
            FullCall answer;
            answer.muted.audio = true;
            core.kept.takeFirst()(FullPlaced{answer, false});
            return future.result()->muted.audio && core.inputs.takeFirst() == input;
        };
        QVERIFY(hears(desk.answer(alice, id, AnswerRequest{sdp, {}, {true, false}}),
                      call::Answer{id, sdp, streams, {true, false}}));
        QVERIFY(hears(desk.decline(alice, id, Decline::Reject), call::Reject{id, call::Decline::Reject}));
        QVERIFY(hears(desk.decline(alice, id, Decline::Busy), call::Reject{id, call::Decline::Busy}));
        QVERIFY(hears(desk.decline(alice, id, Decline::Ignore), call::Reject{id, call::Decline::Ignore}));
        QVERIFY(hears(desk.negotiate(alice, id, {SdpType::Answer, sdp, {}}),
                      call::Negotiate{id, call::SdpType::Answer, sdp, protocol::activeMediaOf(sdp), streams}));
        QVERIFY(hears(desk.setMuted(alice, id, {}, false), call::SetMute{id, {}, false}));
        QVERIFY(hears(desk.transfer(alice, id, {QStringLiteral("@carol:test"), {}}),
                      call::TransferCall{id, QStringLiteral("@carol:test"), {}}));
        QVERIFY(hears(desk.transfer(alice, id, {{}, QStringLiteral("c2")}),
                      call::TransferCall{id, {}, QStringLiteral("c2")}));
        QVERIFY(hears(desk.rejectTransfer(alice, id), call::RejectTransfer{id}));
        QVERIFY(hears(desk.assertIdentity(alice, id, {}), call::AssertIdentity{id, {}}));
        QVERIFY(hears(desk.assertIdentity(alice, id, Identity{{}, QStringLiteral("Carol"), {}}),
                      call::AssertIdentity{id, call::Identity{{}, QStringLiteral("Carol"), {}}}));
    }

    void theReasonOfARejectSaysHow_data()
    {
        QTest::addColumn<QString>("reason");
        QTest::addColumn<int>("how");
        QTest::newRow("none") << QString() << static_cast<int>(call::Decline::Reject);
        QTest::newRow("busy") << QStringLiteral("user_busy") << static_cast<int>(call::Decline::Busy);
        QTest::newRow("ignore") << QStringLiteral("ignore") << static_cast<int>(call::Decline::Ignore);
        QTest::newRow("other") << QStringLiteral("lunch") << static_cast<int>(call::Decline::Reject);
    }
    void theReasonOfARejectSaysHow()
    {
        QFETCH(QString, reason);
        QFETCH(int, how);
        effects::Desk desk(m_board, {alice});
        SlowCore core;
        desk.attach(&core);
        (void)desk.reject(alice, QStringLiteral("c"), reason);
        QTRY_COMPARE(core.inputs.size(), 1);
        QVERIFY(core.inputs.first() == call::Input(call::Reject{QStringLiteral("c"), static_cast<call::Decline>(how)}));
    }

    void everyRefusalSaysWhatToDo()
    {
        using R = call::Refusal;
        const std::pair<R, const char *> codes[] = {{R::Collision, "NEGOTIATION_COLLISION"},
                                                    {R::NoOffer, "NO_OFFER"},
                                                    {R::PeerCannot, "NOT_SUPPORTED_BY_PEER"},
                                                    {R::NoTransfer, "NO_TRANSFER"},
                                                    {R::TransferPending, "TRANSFER_PENDING"}};
        for (const auto &[why, code] : codes) {
            const Error error = effects::errorOf({why, QStringLiteral("c"), call::State::Connected});
            QCOMPARE(error.kind, ErrorKind::Conflict);
            QCOMPARE(error.code, QLatin1String(code));
            QVERIFY(!error.message.isEmpty());
            QCOMPARE(error.details.value(QStringLiteral("call_id")).toString(), QStringLiteral("c"));
        }
    }

    void theCallInTheHostsWords()
    {
        call::Call call;
        call.remoteStreams = {{QStringLiteral("a"), call::Purpose::Usermedia, true, true, true, false}};
        call.muted = {false, true};
        call.heldByPeer = true;
        call.peerCan = {true, false};
        call.identity = call::Identity{QStringLiteral("@d:t"), QStringLiteral("D"), QStringLiteral("mxc://t/d")};
        call.replaces = QStringLiteral("c0");
        const FullCall told = effects::toHost(call, {});
        QCOMPARE(told.muted, (Mute{false, true}));
        QCOMPARE(told.peerMedia, (PeerMedia{true, false, true}));
        QCOMPARE(told.peerCapabilities, (Capabilities{true, false}));
        QVERIFY(told.identity == (Identity{QStringLiteral("@d:t"), QStringLiteral("D"), QStringLiteral("mxc://t/d")}));
        QCOMPARE(told.replaces, QStringLiteral("c0"));
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
        auto placed = desk.place(alice, {}, PlaceRequest{sdp, {}, {}});
        auto accepted = desk.acceptTransfer(alice, {}, {});
        auto ended = desk.end(alice, {}, {});
        auto opened = desk.openConversation(alice, {});
        auto ice = desk.iceServers(alice);
        auto history = desk.history(alice, 1, {});
        thread.quit();
        QVERIFY(thread.wait(30'000));
        QCOMPARE(codeOf(placed), QStringLiteral("STOPPING"));
        QCOMPARE(codeOf(accepted), QStringLiteral("STOPPING"));
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

    // With several workers the board does not know how the calls of others stand.
    void liveCallsOfOthersAreAsked()
    {
        SlowCore core;
        effects::Desk desk(m_board, {alice});
        desk.attach(&core);
        QVERIFY(desk.liveCalls(alice).result()->isEmpty());
        desk.attach(&core, true);
        for (const bool full : {false, true}) {
            auto plain = desk.liveCalls(alice);
            auto whole = desk.fullLiveCalls(alice);
            QVERIFY(QTest::qWaitFor([&] { return plain.isFinished() && whole.isFinished(); }, 30'000));
            QCOMPARE(full ? whole.result()->first().id : plain.result()->first().id, QStringLiteral("elsewhere"));
        }
    }

    void theBoardHoldsLiveCallsOnly()
    {
        FullCall call;
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
