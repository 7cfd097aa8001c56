// SPDX-License-Identifier: Apache-2.0
#include "pgproxy.h"

#include <QRegularExpression>

PgProxy::PgProxy(const QString &dsn) : m_dsn(dsn)
{
    static const QRegularExpression port(QStringLiteral("port=([0-9]+)"));
    m_port = port.match(dsn).captured(1).toUShort();
    moveToThread(&m_thread);
    m_thread.start();
    QMetaObject::invokeMethod(
        this,
        [this] {
            m_server = new QTcpServer(this);
            if (!m_server->listen(QHostAddress::LocalHost))
                qFatal("the proxy cannot listen");
            connect(m_server, &QTcpServer::newConnection, this, &PgProxy::join);
        },
        Qt::BlockingQueuedConnection);
    m_dsn.replace(port, QStringLiteral("port=%1").arg(m_server->serverPort()));
}

PgProxy::~PgProxy()
{
    QMetaObject::invokeMethod(
        this, [this] { delete m_server; }, Qt::BlockingQueuedConnection); // and every socket
    m_thread.quit();
    m_thread.wait();
}

void PgProxy::cut(Cut how, bool refuseAfterwards)
{
    m_refuseAfterwards = refuseAfterwards;
    m_cut = how;
}

void PgProxy::join()
{
    while (QTcpSocket *client = m_server->nextPendingConnection()) {
        connect(client, &QTcpSocket::disconnected, client, &QObject::deleteLater);
        if (m_refusing) {
            client->abort();
            continue;
        }
        auto *server = new QTcpSocket(client);
        server->connectToHost(QHostAddress::LocalHost, m_port);
        connect(server, &QTcpSocket::disconnected, client, &QTcpSocket::disconnectFromHost);
        connect(client, &QTcpSocket::readyRead, server, [this, client, server] {
            const QByteArray data = client->readAll();
            if (m_cut != Cut::Never && data.contains("COMMIT")) {
                const Cut how = m_cut.exchange(Cut::Never);
                ++m_cuts;
                m_refusing = m_refuseAfterwards.load();
                if (how == Cut::BeforeCommit) {
                    server->abort();
                    client->abort();
                    return;
                }
                client->setProperty("cut", true);
            }
            server->write(data);
        });
        connect(server, &QTcpSocket::readyRead, client, [client, server] {
            const QByteArray data = server->readAll();
            if (client->property("cut").toBool()) { // this is the answer to COMMIT
                client->abort();
                return;
            }
            client->write(data);
        });
    }
}
