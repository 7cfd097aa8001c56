// SPDX-License-Identifier: Apache-2.0
// A plugin on the bench: started over a database and a homeserver, with what the host was told, and the ways in. Every
// wait is for the thing itself; patience is far beyond anything that works.
#pragma once

#include "fakehomeserver.h"
#include "plugin.h"
#include "storetest.h"
#include "testhost.h"

#include <QTest>

namespace bridge
{

using namespace voiphost;

inline const QString alice = QStringLiteral("alice");
inline const QString aliceId = QStringLiteral("@nova_alice:test");
inline const QString bob = QStringLiteral("@bob:test");
inline const QString room = QStringLiteral("!r:test");
constexpr int patience = 30'000;

template <typename T>
T result(QFuture<T> future)
{
    if (!QTest::qWaitFor([&future] { return future.isFinished(); }, patience))
        qFatal("a future never finishes");
    if (future.resultCount() != 1)
        qFatal("a future has no result");
    return future.result();
}

class Bench
{
public:
    Bench(const DatabaseSettings &database, const QUrl &homeserver);
    ~Bench() { m_plugin.stop(); }
    Q_DISABLE_COPY_MOVE(Bench)

    [[nodiscard]] Expected<Done> start(const QJsonObject &settings = {});
    [[nodiscard]] voip::MatrixVoipPlugin &plugin() { return m_plugin; }
    [[nodiscard]] CallService &calls() { return *m_plugin.calls(); }
    qint64 hostClockAhead = 0; // ms: what the host's wall clock was set forth (or back) meanwhile
    [[nodiscard]] BatchResult deliver(const QVector<QJsonObject> &events, const QString &transactionId = {});
    // Alice's ghost is in a room with Bob, who invited it.
    [[nodiscard]] bool meet(FakeHomeserver &homeserver);
    [[nodiscard]] Expected<Placed> place(const QString &key = {});
    [[nodiscard]] QString conversation(); // Alice's only one; empty: not known yet

    [[nodiscard]] const QList<CallNotice> &notices() const { return m_notices; }
    [[nodiscard]] const CallNotice *notice(NoticeKind kind) const; // the last of that kind
    [[nodiscard]] bool told(NoticeKind kind);                      // waits for it
    [[nodiscard]] bool isOk(const char *check);

private:
    TestHost m_host;
    voip::MatrixVoipPlugin m_plugin;
    QList<CallNotice> m_notices;
};

} // namespace bridge
