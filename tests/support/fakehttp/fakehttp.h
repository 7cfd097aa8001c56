// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server on loopback for tests. It keeps every request as it came over the wire and gives each the next
// scripted answer, or what the handler says; an answer may also be a fault (hang, cut, garbage, endless).
// One thread, no waiting: the test's event loop drives it.
#pragma once

#include <QHash>
#include <QJsonObject>
#include <QList>
#include <QObject>
#include <QUrl>

#include <functional>
#include <memory>

class QTcpServer;
class QTcpSocket;

namespace fakehttp
{

struct Request {
    QByteArray method;
    QByteArray target;                     // as on the wire
    QHash<QByteArray, QByteArray> headers; // names in lower case
    QByteArray body;

    [[nodiscard]] QByteArray path() const { return target.mid(0, target.indexOf('?')); }
    [[nodiscard]] QJsonObject json() const;
};

enum class Fault {
    None,
    Hang,         // reads the request, never answers
    Close,        // reads the request, closes
    Raw,          // `body` is all that is written, then closes
    CutBody,      // announces ten bytes more than it sends, then closes
    StallBody,    // announces ten bytes more than it sends, then hangs
    AnnounceHuge, // announces 1 GiB, sends `body`, hangs
    Endless,      // no length; sends `body` again and again until the other side closes
};

struct Answer {
    int status = 200;
    QByteArray body = "{}";
    QList<QPair<QByteArray, QByteArray>> headers = {};
    Fault fault = Fault::None;
};

class FakeHttp : public QObject
{
    Q_OBJECT

public:
    using Handler = std::function<Answer(const Request &)>;

    explicit FakeHttp(QObject *parent = nullptr);
    // The same over an own server (a QSslServer, say) that is listening already.
    FakeHttp(std::unique_ptr<QTcpServer> server, const QString &scheme, QObject *parent = nullptr);
    ~FakeHttp() override;

    [[nodiscard]] QUrl url() const { return m_url; } // stays, also after stop()
    void stop();                                     // refuses from now on
    bool start();                                    // again, on the same port

    void answer(Answer next) { m_script.append(std::move(next)); }   // for the next request that has none yet
    void handle(Handler handler) { m_handler = std::move(handler); } // when the script is empty

    [[nodiscard]] const QList<Request> &requests() const { return m_requests; }
    [[nodiscard]] int connections() const { return m_connections; }
    [[nodiscard]] qint64 endlessBytes() const { return m_endlessBytes; }
    [[nodiscard]] int openSockets() const;

Q_SIGNALS:
    void arrived();

private:
    void listenTo();
    void read(QTcpSocket *socket);
    void write(QTcpSocket *socket, const Answer &answer);
    void pour(QTcpSocket *socket, const QByteArray &bytes);

    std::unique_ptr<QTcpServer> m_server;
    QUrl m_url;
    QHash<QTcpSocket *, QByteArray> m_unread;
    QList<Answer> m_script;
    Handler m_handler;
    QList<Request> m_requests;
    int m_connections = 0;
    qint64 m_endlessBytes = 0;
};

} // namespace fakehttp
