// SPDX-License-Identifier: Apache-2.0
// The executable itself, with the echo plugin: options and exit codes, readiness told to systemd, a call over REST,
// draining on SIGTERM, stopping at once on the second one.
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QProcess>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace
{

quint16 freePort()
{
    QTcpServer server;
    return server.listen(QHostAddress::LocalHost) ? server.serverPort() : 0;
}

} // namespace

class TestBridgeHost : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void check();
    void checkFindsDefects();
    void registration();
    void nothingToRotate();
    void absentDatabaseExitsWithOne();
    void servesAndDrains();
    void secondSignalStopsAtOnce();
    void feedsTheWatchdog();

private:
    void start(const QStringList &arguments, const QStringList &environment = {});
    int runToEnd(const QStringList &arguments, const QStringList &environment = {});
    QByteArray nextNotification();
    int request(const QByteArray &method, const QString &path, const QByteArray &token, const QByteArray &body = {});

    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<QProcess> m_process;
    QNetworkAccessManager m_network;
    QJsonObject m_answer;
    quint16 m_apiPort = 0;
    int m_socket = -1;
};

void TestBridgeHost::init()
{
    m_dir = std::make_unique<QTemporaryDir>();
    m_apiPort = freePort();
    QFile config(m_dir->filePath(QStringLiteral("c.yaml")));
    QVERIFY(config.open(QIODevice::WriteOnly));
    config.write("homeserver: { url: \"http://127.0.0.1:8008\", server_name: test }\n"
                 "appservice: { id: nova, listen: \"127.0.0.1:0\", url: \"http://127.0.0.1:9009\", as_token: \"as-t\", "
                 "hs_token: \"hs-t\", sender_localpart: bot, user_prefix: nova_ }\n"
                 "database: { driver: sqlite, dsn: \"x.db\" }\n"
                 "api: { listen: \"127.0.0.1:" +
                 QByteArray::number(m_apiPort) +
                 "\" }\n"
                 "admin: { token: \"adm-t\" }\n"
                 "users: [ { id: alice, token: \"alice-t\" } ]\n"
                 "plugins: { path: [ \"" VOIP_ECHO_DIR "\" ], echo: { enabled: true } }\n");
    config.close();

    m_socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const QByteArray path = QFile::encodeName(m_dir->filePath(QStringLiteral("notify")));
    QVERIFY(size_t(path.size()) < sizeof address.sun_path);
    std::copy(path.begin(), path.end(), address.sun_path);
    QCOMPARE(::bind(m_socket, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
}

void TestBridgeHost::cleanup()
{
    if (m_process && m_process->state() != QProcess::NotRunning) {
        m_process->kill();
        m_process->waitForFinished();
    }
    m_process.reset();
    ::close(m_socket);
}

void TestBridgeHost::start(const QStringList &arguments, const QStringList &environment)
{
    m_process = std::make_unique<QProcess>();
    QStringList all = QProcess::systemEnvironment() + environment;
    all.append(QStringLiteral("NOTIFY_SOCKET=") + m_dir->filePath(QStringLiteral("notify")));
    m_process->setEnvironment(all);
    m_process->setWorkingDirectory(m_dir->path());
    m_process->start(QStringLiteral(VOIP_BRIDGE_HOST),
                     QStringList{QStringLiteral("--config"), QStringLiteral("c.yaml")} + arguments);
}

int TestBridgeHost::runToEnd(const QStringList &arguments, const QStringList &environment)
{
    start(arguments, environment);
    return m_process->waitForFinished() && m_process->exitStatus() == QProcess::NormalExit ? m_process->exitCode() : -1;
}

QByteArray TestBridgeHost::nextNotification()
{
    QByteArray message(100, '\0');
    ssize_t size = -1;
    // Not QTRY_VERIFY: it evaluates its expression once more when it is true.
    const bool came =
        QTest::qWaitFor([&] { return (size = ::recv(m_socket, message.data(), 100, MSG_DONTWAIT)) > 0; }, 20'000);
    if (!came)
        return {};
    return message.left(size);
}

int TestBridgeHost::request(const QByteArray &method, const QString &path, const QByteArray &token,
                            const QByteArray &body)
{
    QNetworkRequest request(QUrl(QStringLiteral("http://127.0.0.1:%1%2").arg(m_apiPort).arg(path)));
    request.setRawHeader("Authorization", "Bearer " + token);
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    const std::unique_ptr<QNetworkReply> reply(m_network.sendCustomRequest(request, method, body));
    [&] { QTRY_VERIFY_WITH_TIMEOUT(reply->isFinished(), 20'000); }();
    m_answer = QJsonDocument::fromJson(reply->readAll()).object();
    return reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
}

void TestBridgeHost::check()
{
    QCOMPARE(runToEnd({QStringLiteral("--check")}, {QStringLiteral("BRIDGE_NONSENSE=1")}), 0);
    const QByteArray out = m_process->readAllStandardOutput();
    QVERIFY2(out.contains("environment variable BRIDGE_NONSENSE matches no key"), out.constData());
    QVERIFY2(out.contains("ok    echo: the echo plugin answers"), out.constData());
    QVERIFY(!out.contains("-t\""));
}

void TestBridgeHost::checkFindsDefects()
{
    QCOMPARE(runToEnd({QStringLiteral("--check")}, {QStringLiteral("BRIDGE_DATABASE_DRIVER=oracle")}), 1);
    QVERIFY(m_process->readAllStandardOutput().contains("ERROR c.yaml:3: database.driver: must be sqlite"));
    QCOMPARE(runToEnd({QStringLiteral("--check")},
                      {QStringLiteral("BRIDGE_PLUGINS_PATH=" VOIP_ECHO_DIR "," VOIP_BAD_DIR "/no_id")}),
             1);
    QVERIFY(m_process->readAllStandardOutput().contains("no_id.so: \"id\" is missing"));
    QCOMPARE(runToEnd({QStringLiteral("--check")}, {QStringLiteral("BRIDGE_PLUGINS_PATH=" VOIP_BAD_DIR)}), 1);
    QVERIFY(m_process->readAllStandardOutput().contains("c.yaml:7: plugins.echo: there is no such plugin"));
}

void TestBridgeHost::registration()
{
    QCOMPARE(runToEnd({QStringLiteral("--generate-registration"), QStringLiteral("r.yaml")}), 0);
    QFile file(m_dir->filePath(QStringLiteral("r.yaml")));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(file.readAll().contains("hs_token: \"hs-t\""));
}

void TestBridgeHost::nothingToRotate()
{
    QCOMPARE(runToEnd({QStringLiteral("--rotate-root-key")}), 1);
    QVERIFY(m_process->readAllStandardError().contains("can change the root key, and it takes exactly one"));
}

void TestBridgeHost::absentDatabaseExitsWithOne()
{
    QCOMPARE(runToEnd({}, {QStringLiteral("BRIDGE_PLUGINS_ECHO_START_FAILS=true")}), 1);
    QVERIFY(m_process->readAllStandardError().contains("plugin echo cannot start: the database is not there"));
}

void TestBridgeHost::servesAndDrains()
{
    start({});
    QCOMPARE(nextNotification(), QByteArray("READY=1"));
    QCOMPARE(request("GET", QStringLiteral("/readyz"), {}), 200);
    QCOMPARE(request("GET", QStringLiteral("/calls"), "wrong"), 401);
    QCOMPARE(request("POST", QStringLiteral("/conversations"), "alice-t", "{\"matrix_user\":\"@bob:test\"}"), 201);
    const QString conversation = m_answer.value(QStringLiteral("id")).toString();
    QCOMPARE(request("POST", QStringLiteral("/conversations/%1/calls").arg(conversation), "alice-t",
                     "{\"initiator_sdp\":\"v=0\"}"),
             201);
    const QString call = m_answer.value(QStringLiteral("id")).toString();
    // The echo plugin has no MidCall: what needs it is told apart from what is not there.
    QCOMPARE(request("POST", QStringLiteral("/calls/%1/media").arg(call), "alice-t", "{\"audio_muted\":true}"), 501);
    QCOMPARE(m_answer.value(QStringLiteral("error")).toString(), QStringLiteral("NOT_SUPPORTED"));
    QCOMPARE(request("PUT", QStringLiteral("/admin/api/rollout"), "adm-t", "{\"percent\":7}"), 200);
    QCOMPARE(m_answer.value(QStringLiteral("percent")), QJsonValue(7));
    // Nor does it run on an account that could be verified.
    QCOMPARE(request("GET", QStringLiteral("/admin/api/verifications"), "alice-t"), 403);
    QCOMPARE(request("GET", QStringLiteral("/admin/api/verifications"), "adm-t"), 200);
    QCOMPARE(m_answer.value(QStringLiteral("verifications")).toArray(), QJsonArray());

    ::kill(pid_t(m_process->processId()), SIGTERM);
    QCOMPARE(nextNotification(), QByteArray("STOPPING=1"));
    QCOMPARE(request("GET", QStringLiteral("/readyz"), {}), 503);
    QCOMPARE(request("POST", QStringLiteral("/calls/%1/end").arg(call), "alice-t"), 200);
    QTRY_COMPARE_WITH_TIMEOUT(m_process->state(), QProcess::NotRunning, 20'000);
    QCOMPARE(m_process->exitCode(), 0);
    QCOMPARE(m_process->exitStatus(), QProcess::NormalExit);
}

void TestBridgeHost::secondSignalStopsAtOnce()
{
    start({}, {QStringLiteral("BRIDGE_SHUTDOWN_DRAIN_SECONDS=86400")});
    QCOMPARE(nextNotification(), QByteArray("READY=1"));
    QCOMPARE(request("POST", QStringLiteral("/conversations"), "alice-t", "{\"matrix_user\":\"@bob:test\"}"), 201);
    QCOMPARE(request("POST",
                     QStringLiteral("/conversations/%1/calls").arg(m_answer.value(QStringLiteral("id")).toString()),
                     "alice-t", "{\"initiator_sdp\":\"v=0\"}"),
             201);
    ::kill(pid_t(m_process->processId()), SIGTERM);
    QCOMPARE(nextNotification(), QByteArray("STOPPING=1"));
    ::kill(pid_t(m_process->processId()), SIGTERM);
    QTRY_COMPARE_WITH_TIMEOUT(m_process->state(), QProcess::NotRunning, 20'000);
    QCOMPARE(m_process->exitCode(), 0);
}

// As packaging/systemd/bridge-host.service has it watched.
void TestBridgeHost::feedsTheWatchdog()
{
    start({}, {QStringLiteral("WATCHDOG_USEC=200000")});
    QMap<QByteArray, int> seen;
    while (seen.value("READY=1") < 1 || seen.value("WATCHDOG=1") < 3) {
        const QByteArray next = nextNotification();
        QVERIFY(!next.isEmpty());
        ++seen[next];
    }
    ::kill(pid_t(m_process->processId()), SIGSTOP); // an event loop that does not run says nothing
    char byte = 0;
    while (::recv(m_socket, &byte, 1, MSG_DONTWAIT) >= 0)
        continue;
    QTest::qWait(400);
    QVERIFY(::recv(m_socket, &byte, 1, MSG_DONTWAIT) < 0);
    ::kill(pid_t(m_process->processId()), SIGCONT);
    QCOMPARE(nextNotification(), QByteArray("WATCHDOG=1"));
    ::kill(pid_t(m_process->processId()), SIGTERM);
    QTRY_COMPARE_WITH_TIMEOUT(m_process->state(), QProcess::NotRunning, 20'000);
    QCOMPARE(m_process->exitCode(), 0);
}

QTEST_GUILESS_MAIN(TestBridgeHost)
#include "tst_bridge_host.moc"
