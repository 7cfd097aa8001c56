// SPDX-License-Identifier: Apache-2.0
// A raw HTTP client for the server's tests: writes bytes, gives what came back. Works on the test's event loop.
#pragma once

#include <QDeadlineTimer>
#include <QElapsedTimer>
#include <QTcpSocket>
#include <QTest>

class RawClient
{
public:
    explicit RawClient(quint16 port)
    {
        socket.connectToHost(QStringLiteral("127.0.0.1"), port);
        QObject::connect(&socket, &QTcpSocket::readyRead, &socket, [this] {
            if (reading)
                received += socket.readAll();
        });
    }

    void send(const QByteArray &bytes) { socket.write(bytes); }
    void request(const QByteArray &method, const QByteArray &target, const QByteArray &headers = {},
                 const QByteArray &body = {})
    {
        send(method + ' ' + target + " HTTP/1.1\r\nHost: test\r\n" + headers +
             "Content-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body);
    }
    [[nodiscard]] int status() const { return received.mid(9, 3).toInt(); }
    [[nodiscard]] bool answered() const
    {
        const qsizetype end = received.indexOf("\r\n\r\n");
        if (end < 0)
            return false;
        const QByteArray head = received.left(end).toLower();
        const qsizetype at = head.indexOf("content-length: ");
        if (at < 0)
            return true;
        const qsizetype line = head.indexOf("\r\n", at);
        return received.size() - end - 4 >= head.mid(at + 16, line < 0 ? -1 : line - at - 16).toLongLong();
    }
    [[nodiscard]] QByteArray body() const { return received.mid(received.indexOf("\r\n\r\n") + 4); }
    [[nodiscard]] bool closed() const { return socket.state() == QAbstractSocket::UnconnectedState; }

    QTcpSocket socket;
    QByteArray received;
    bool reading = true;
};
