// SPDX-License-Identifier: Apache-2.0
// See fakehttp.h. Understands just enough HTTP for a client that announces the length of what it sends.
#include "fakehttp.h"

#include <QJsonDocument>
#include <QTcpServer>
#include <QTcpSocket>

namespace fakehttp
{

QJsonObject Request::json() const
{
    return QJsonDocument::fromJson(body).object();
}

FakeHttp::FakeHttp(QObject *parent) : FakeHttp(std::make_unique<QTcpServer>(), QStringLiteral("http"), parent)
{
}

FakeHttp::FakeHttp(std::unique_ptr<QTcpServer> server, const QString &scheme, QObject *parent)
    : QObject(parent), m_server(std::move(server))
{
    if (!m_server->isListening() && !m_server->listen(QHostAddress::LocalHost)) {
        qFatal("fakehttp: cannot listen on loopback");
    }
    m_url.setScheme(scheme);
    m_url.setHost(QStringLiteral("127.0.0.1"));
    m_url.setPort(m_server->serverPort());
    connect(m_server.get(), &QTcpServer::pendingConnectionAvailable, this, &FakeHttp::listenTo);
}

FakeHttp::~FakeHttp()
{
    const auto sockets = m_unread.keys();
    for (QTcpSocket *socket : sockets) {
        socket->disconnect(this);
    }
}

void FakeHttp::stop()
{
    m_server->close();
    const auto sockets = m_unread.keys();
    for (QTcpSocket *socket : sockets) {
        socket->abort();
    }
}

bool FakeHttp::start()
{
    return m_server->listen(QHostAddress::LocalHost, static_cast<quint16>(m_url.port()));
}

int FakeHttp::openSockets() const
{
    return static_cast<int>(m_unread.size());
}

void FakeHttp::listenTo()
{
    while (QTcpSocket *socket = m_server->nextPendingConnection()) {
        ++m_connections;
        m_unread.insert(socket, {});
        connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(socket); });
        connect(socket, &QTcpSocket::disconnected, this, [this, socket] {
            m_unread.remove(socket);
            socket->deleteLater();
        });
        read(socket);
    }
}

void FakeHttp::read(QTcpSocket *socket)
{
    QByteArray &unread = m_unread[socket];
    unread += socket->readAll();
    const auto headEnd = unread.indexOf("\r\n\r\n");
    if (headEnd < 0) {
        return;
    }
    Request request;
    const QList<QByteArray> lines = unread.left(headEnd).split('\n');
    const QList<QByteArray> first = lines.first().trimmed().split(' ');
    request.method = first.value(0);
    request.target = first.value(1);
    for (const QByteArray &line : lines.mid(1)) {
        const auto colon = line.indexOf(':');
        request.headers.insert(line.left(colon).toLower(), line.mid(colon + 1).trimmed());
    }
    const auto length = request.headers.value("content-length").toLongLong();
    if (unread.size() < headEnd + 4 + length) {
        return;
    }
    request.body = unread.mid(headEnd + 4, length);
    unread.remove(0, headEnd + 4 + length);
    m_requests.append(request);

    Answer answer;
    if (!m_script.isEmpty()) {
        answer = m_script.takeFirst();
    } else if (m_handler) {
        answer = m_handler(request);
    }
    write(socket, answer);
    Q_EMIT arrived();
}

void FakeHttp::write(QTcpSocket *socket, const Answer &answer)
{
    QByteArray head = "HTTP/1.1 " + QByteArray::number(answer.status) + " Because\r\n";
    for (const auto &[name, value] : answer.headers) {
        head += name + ": " + value + "\r\n";
    }
    const auto length = [](qint64 bytes) { return "Content-Length: " + QByteArray::number(bytes) + "\r\n\r\n"; };
    switch (answer.fault) {
    case Fault::None:
        socket->write(head + length(answer.body.size()) + answer.body);
        return;
    case Fault::Hang:
        return;
    case Fault::Close:
        socket->disconnectFromHost();
        return;
    case Fault::Raw:
        socket->write(answer.body);
        socket->disconnectFromHost();
        return;
    case Fault::CutBody:
        socket->write(head + length(answer.body.size() + 10) + answer.body);
        socket->disconnectFromHost();
        return;
    case Fault::StallBody:
        socket->write(head + length(answer.body.size() + 10) + answer.body);
        return;
    case Fault::AnnounceHuge:
        socket->write(head + length(qint64(1) << 30) + answer.body);
        return;
    case Fault::Endless:
        socket->write(head + "\r\n");
        connect(socket, &QTcpSocket::bytesWritten, this, [this, socket, body = answer.body] { pour(socket, body); });
        pour(socket, answer.body);
        return;
    }
}

void FakeHttp::pour(QTcpSocket *socket, const QByteArray &bytes)
{
    if (socket->state() == QAbstractSocket::ConnectedState && socket->bytesToWrite() < bytes.size()) {
        m_endlessBytes += socket->write(bytes);
    }
}

} // namespace fakehttp
