// SPDX-License-Identifier: Apache-2.0
// Stands between the store and PostgreSQL and can lose the connection at the worst moment: around a COMMIT. Runs in a
// thread of its own, because a test that closes its store waits for what the store still says to the server.
#pragma once

#include <QTcpServer>
#include <QTcpSocket>
#include <QThread>

#include <atomic>

class PgProxy : public QObject
{
    Q_OBJECT

public:
    enum class Cut {
        Never,
        BeforeCommit, // the server never hears of it
        AfterCommit,  // the server has committed, the client never hears of it
    };

    explicit PgProxy(const QString &dsn); // its port is replaced by the proxy's own in dsn()
    ~PgProxy() override;
    [[nodiscard]] QString dsn() const { return m_dsn; }

    // Cuts the next COMMIT, once. `refuseAfterwards`: no connection gets through until allow().
    void cut(Cut how, bool refuseAfterwards);
    void allow() { m_refusing = false; }
    [[nodiscard]] int cuts() const { return m_cuts; }

private:
    void join();

    QThread m_thread;
    QTcpServer *m_server = nullptr;
    QString m_dsn;
    quint16 m_port = 0;
    std::atomic<Cut> m_cut = Cut::Never;
    std::atomic<bool> m_refuseAfterwards = false;
    std::atomic<bool> m_refusing = false;
    std::atomic<int> m_cuts = 0;
};
