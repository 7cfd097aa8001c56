// SPDX-License-Identifier: Apache-2.0
// Stands between the store and PostgreSQL and can lose the connection at the worst moment: around a COMMIT. Runs on
// the event loop of the thread that made it.
#pragma once

#include <QTcpServer>
#include <QTcpSocket>

class PgProxy : public QObject
{
    Q_OBJECT

public:
    enum class Cut {
        Never,
        BeforeCommit, // the server never hears of it
        AfterCommit,  // the server has committed, the client never hears of it
    };

    explicit PgProxy(const QString &dsn); // host and port are replaced by the proxy's own in dsn()
    [[nodiscard]] QString dsn() const { return m_dsn; }

    // Cuts the next COMMIT, once. `refuseAfterwards`: no connection gets through until allow().
    void cut(Cut how, bool refuseAfterwards);
    void allow() { m_refusing = false; }
    [[nodiscard]] int cuts() const { return m_cuts; }

private:
    void join();

    QTcpServer m_server;
    QString m_dsn;
    quint16 m_port = 0;
    Cut m_cut = Cut::Never;
    bool m_refuseAfterwards = false;
    bool m_refusing = false;
    int m_cuts = 0;
};
