// SPDX-License-Identifier: Apache-2.0
// The executable as somebody on the network meets it: what its pages and answers say to a browser, that no cookie, no
// form and no other site can change anything, what guessing costs, that slow clients hold up nobody, and that after all
// of it the process ends with 0, which a leak or any other finding of the sanitizers would change.
// VOIP_SLOW_CLIENTS_FULL=1 waits until the slow ones are cut (a good minute).
#include "http_client.h"

#include <QProcess>
#include <QRegularExpression>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTimer>

#include <csignal>

namespace
{

quint16 freePort()
{
    QTcpServer server;
    return server.listen(QHostAddress::LocalHost) ? server.serverPort() : 0;
}

const QByteArray form("Content-Type: application/x-www-form-urlencoded\r\n");
const QByteArray everyCookie("Cookie: token=adm-t; admin=adm-t; access_token=adm-t; Authorization=Bearer adm-t; "
                             "bridge-admin-token=adm-t; session=alice-t\r\n");

} // namespace

class TestSecurity : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void pages_data();
    void pages();
    void pageHasNoInlineScript();
    void nothingChangesWithoutTheHeader_data();
    void nothingChangesWithoutTheHeader();
    void nothingIsReadWithoutTheHeader_data();
    void nothingIsReadWithoutTheHeader();
    void otherSites_data();
    void otherSites();
    void wrongTokensWait();
    void slowClientsHoldUpNobody();

private:
    [[nodiscard]] RawClient &ask(quint16 port, const QByteArray &method, const QByteArray &target,
                                 const QByteArray &headers = {}, const QByteArray &body = {});
    [[nodiscard]] qint64 residentBytes() const;
    [[nodiscard]] int openFiles() const;

    QTemporaryDir m_dir;
    QProcess m_process;
    std::unique_ptr<RawClient> m_client;
    quint16 m_api = 0;
    quint16 m_appservice = 0;
};

void TestSecurity::init()
{
    m_api = freePort();
    m_appservice = freePort();
    QFile config(m_dir.filePath(QStringLiteral("c.yaml")));
    QVERIFY(config.open(QIODevice::WriteOnly));
    config.write("homeserver: { url: \"http://127.0.0.1:8008\", server_name: test }\n"
                 "appservice: { id: nova, listen: \"127.0.0.1:" +
                 QByteArray::number(m_appservice) +
                 "\", url: \"http://127.0.0.1:9009\", as_token: \"as-t\", hs_token: \"hs-t\", sender_localpart: bot, "
                 "user_prefix: nova_ }\n"
                 "database: { driver: sqlite, dsn: \"x.db\" }\n"
                 "api: { listen: \"127.0.0.1:" +
                 QByteArray::number(m_api) +
                 "\", allowed_origins: [ \"https://phone.example.org\" ] }\n"
                 "admin: { token: \"adm-t\" }\n"
                 "metrics: { token: \"met-t\" }\n"
                 "users: [ { id: alice, token: \"alice-t\" } ]\n"
                 "plugins: { path: [ \"" VOIP_ECHO_DIR "\" ], echo: { enabled: true } }\n");
    config.close();
    m_process.setWorkingDirectory(m_dir.path());
    m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_process.start(QStringLiteral(VOIP_BRIDGE_HOST), {QStringLiteral("--config"), QStringLiteral("c.yaml")});
    QTRY_VERIFY_WITH_TIMEOUT(ask(m_api, "GET", "/readyz").status() == 200, 20'000);
}

void TestSecurity::cleanup()
{
    m_client.reset();
    ::kill(pid_t(m_process.processId()), SIGTERM);
    QTRY_COMPARE_WITH_TIMEOUT(m_process.state(), QProcess::NotRunning, 60'000);
    QCOMPARE(m_process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(m_process.exitCode(), 0);
}

RawClient &TestSecurity::ask(quint16 port, const QByteArray &method, const QByteArray &target,
                             const QByteArray &headers, const QByteArray &body)
{
    m_client = std::make_unique<RawClient>(port);
    m_client->request(method, target, headers, body);
    static_cast<void>(QTest::qWaitFor([this] { return m_client->answered() || m_client->closed(); }, 20'000));
    return *m_client;
}

qint64 TestSecurity::residentBytes() const
{
    QFile file(QStringLiteral("/proc/%1/statm").arg(m_process.processId()));
    return file.open(QIODevice::ReadOnly) ? file.readAll().split(' ').value(1).toLongLong() * 4096 : -1;
}

int TestSecurity::openFiles() const
{
    return int(QDir(QStringLiteral("/proc/%1/fd").arg(m_process.processId()))
                   .entryList(QDir::NoDotAndDotDot | QDir::AllEntries | QDir::System)
                   .size());
}

void TestSecurity::pages_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("headers");
    const QByteArray admin("Authorization: Bearer adm-t\r\n");
    for (const char *file : {"", "index.html", "admin.js", "texts.js", "admin.css", "icon.svg", "nothing"})
        QTest::addRow("page %s", file) << QByteArray("/admin/") + file << QByteArray();
    for (const char *what : {"rollout", "doctor", "calls", "plugins/echo/settings", "nothing"})
        QTest::addRow("admin api %s", what) << QByteArray("/admin/api/") + what << admin;
    for (const char *path : {"/calls", "/conversations", "/calls/ice-servers", "/nothing"})
        QTest::addRow("api %s", path) << QByteArray(path) << QByteArray("Authorization: Bearer alice-t\r\n");
    for (const char *path : {"/healthz", "/readyz", "/metrics", "/admin", "/%00"})
        QTest::addRow("%s", path) << QByteArray(path) << QByteArray("Authorization: Bearer met-t\r\n");
}

void TestSecurity::pages()
{
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, headers);
    const RawClient &answer = ask(m_api, "GET", target, headers);
    QVERIFY(answer.answered());
    const QByteArray head = answer.received.left(answer.received.indexOf("\r\n\r\n")) + "\r\n";
    static const QRegularExpression policy(
        QStringLiteral("\\r\\nContent-Security-Policy: default-src 'none';[^\\r]*frame-ancestors 'none'\\r\\n"));
    QVERIFY2(policy.match(QString::fromLatin1(head)).hasMatch(), head.constData());
    QVERIFY2(!head.contains("unsafe"), head.constData());
    for (const char *header : {"X-Frame-Options: DENY", "X-Content-Type-Options: nosniff",
                               "Referrer-Policy: no-referrer", "Cache-Control: no-"})
        QVERIFY2(head.contains("\r\n" + QByteArray(header)), header);
    QVERIFY2(!head.toLower().contains("set-cookie"), head.constData());
    QVERIFY2(!head.contains("Access-Control"), head.constData()); // no Origin was named
}

void TestSecurity::pageHasNoInlineScript()
{
    const QByteArray page = ask(m_api, "GET", "/admin/").body();
    static const QRegularExpression inlined(
        QStringLiteral(
            "<script(?![^>]*\\bsrc=\"[a-z]+\\.js\")|<style|\\son[a-z]+\\s*=|\\sstyle\\s*=|javascript:|//[a-z]"),
        QRegularExpression::CaseInsensitiveOption);
    QVERIFY(page.contains("<form id=\"sign-in\""));
    QVERIFY2(!inlined.match(QString::fromUtf8(page)).hasMatch(), page.constData());
    const QByteArray script = ask(m_api, "GET", "/admin/admin.js").body();
    QVERIFY(script.contains("sessionStorage"));
    for (const char *word :
         {"document.cookie", "localStorage", "innerHTML", "outerHTML", "insertAdjacentHTML", "eval("})
        QVERIFY2(!script.contains(word), word);
}

void TestSecurity::nothingChangesWithoutTheHeader_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QByteArray>("target");
    QTest::newRow("rollout") << QByteArray("PUT") << QByteArray("/admin/api/rollout");
    QTest::newRow("rollout by a form") << QByteArray("POST") << QByteArray("/admin/api/rollout");
    QTest::newRow("rollback") << QByteArray("POST") << QByteArray("/admin/api/rollout/rollback");
    QTest::newRow("settings") << QByteArray("PUT") << QByteArray("/admin/api/plugins/echo/settings");
    QTest::newRow("conversation") << QByteArray("POST") << QByteArray("/conversations");
    QTest::newRow("call") << QByteArray("POST") << QByteArray("/conversations/x/calls");
    QTest::newRow("answer") << QByteArray("POST") << QByteArray("/calls/x/answer");
    QTest::newRow("end") << QByteArray("POST") << QByteArray("/calls/x/end");
}

// As another site would do it: a form, a cookie, a token in the address or in the body; no header of ours.
void TestSecurity::nothingChangesWithoutTheHeader()
{
    QFETCH(QByteArray, method);
    QFETCH(QByteArray, target);
    const QByteArray forged("{\"enabled\":false,\"percent\":0,\"rollout_percent\":0,\"token\":\"adm-t\","
                            "\"matrix_user\":\"@bob:test\"}");
    for (const QByteArray &query :
         {QByteArray(), QByteArray("?access_token=adm-t"), QByteArray("?access_token=alice-t")}) {
        for (const QByteArray &type : {form, QByteArray("Content-Type: text/plain\r\n")}) {
            const RawClient &answer =
                ask(m_api, method, target + query, everyCookie + type + "Origin: https://evil.example.org\r\n", forged);
            QCOMPARE(answer.status(), 401);
        }
    }
    // Basic is what a browser would keep and send by itself.
    QCOMPARE(ask(m_api, method, target, "Authorization: Basic " + QByteArray("admin:adm-t").toBase64() + "\r\n", forged)
                 .status(),
             401);
    const RawClient &after = ask(m_api, "GET", "/admin/api/rollout", "Authorization: Bearer adm-t\r\n");
    QCOMPARE(after.body(), QByteArray("{\"enabled\":true,\"percent\":100}"));
}

void TestSecurity::nothingIsReadWithoutTheHeader_data()
{
    QTest::addColumn<QByteArray>("target");
    for (const char *path : {"/admin/api/rollout", "/admin/api/doctor", "/admin/api/calls", "/calls", "/calls/history",
                             "/calls/x", "/calls/x/timeline", "/calls/ice-servers", "/conversations", "/metrics"})
        QTest::addRow("%s", path) << QByteArray(path);
}

void TestSecurity::nothingIsReadWithoutTheHeader()
{
    QFETCH(QByteArray, target);
    for (const char *token : {"adm-t", "alice-t", "met-t"})
        QCOMPARE(ask(m_api, "GET", target + "?access_token=" + token, everyCookie).status(), 401);
}

void TestSecurity::otherSites_data()
{
    QTest::addColumn<QByteArray>("origin");
    QTest::addColumn<bool>("allowed");
    QTest::newRow("the phone's") << QByteArray("https://phone.example.org") << true;
    QTest::newRow("another") << QByteArray("https://evil.example.org") << false;
    QTest::newRow("one below") << QByteArray("https://phone.example.org.evil.example.org") << false;
    QTest::newRow("without tls") << QByteArray("http://phone.example.org") << false;
    QTest::newRow("null") << QByteArray("null") << false;
}

void TestSecurity::otherSites()
{
    QFETCH(QByteArray, origin);
    QFETCH(bool, allowed);
    const QByteArray headers = "Origin: " + origin +
                               "\r\nAccess-Control-Request-Method: PUT\r\n"
                               "Access-Control-Request-Headers: authorization\r\n";
    const auto granted = [&](const QByteArray &method, const QByteArray &target, const QByteArray &more = {}) {
        const QByteArray head = ask(m_api, method, target, headers + more).received;
        return head.contains("\r\nAccess-Control-Allow-Origin: " + origin + "\r\n") &&
               head.contains("\r\nVary: Origin\r\n") && !head.contains("Allow-Credentials");
    };
    for (const char *target : {"/calls", "/conversations/x/calls", "/events"})
        QCOMPARE(granted("OPTIONS", target), allowed);
    QCOMPARE(granted("GET", "/calls", "Authorization: Bearer alice-t\r\n"), allowed);
    QCOMPARE(granted("GET", "/calls"), allowed); // also what refuses can be read by the phone
    // The administrators' side is for its own page alone, also where a phone's site is allowed.
    for (const char *target : {"/admin/", "/admin/api/rollout", "/admin/api/rollout/rollback"}) {
        const QByteArray head = ask(m_api, "OPTIONS", target, headers).received;
        QVERIFY2(!head.contains("Access-Control"), head.constData());
        QVERIFY(!ask(m_api, "GET", target, headers + "Authorization: Bearer adm-t\r\n")
                     .received.contains("Access-Control"));
    }
}

void TestSecurity::wrongTokensWait()
{
    // What is right is measured beside it: no absolute time is good on every machine.
    const auto msFor = [&](quint16 port, const QByteArray &target, const QByteArray &token, int status) {
        QElapsedTimer clock;
        clock.start();
        const int got = ask(port, "GET", target, "Authorization: Bearer " + token + "\r\n").status();
        return got == status ? clock.elapsed() : -1;
    };
    const qint64 right = msFor(m_api, "/calls", "alice-t", 200);
    QVERIFY(right >= 0);
    for (const auto &[port, target, status] :
         {std::tuple(m_api, "/calls", 401), std::tuple(m_api, "/admin/api/rollout", 403),
          std::tuple(m_api, "/metrics", 403), std::tuple(m_appservice, "/_matrix/app/v1/users/x", 403)}) {
        const qint64 wrong = msFor(port, target, "guess", status);
        QVERIFY2(wrong >= 400 && wrong > right, target);
    }
    const QByteArray metrics = ask(m_api, "GET", "/metrics", "Authorization: Bearer met-t\r\n").body();
    QVERIFY(metrics.contains("\nbridge_host_api_wrong_tokens_total 3\n"));
    QVERIFY(metrics.contains("\nbridge_host_appservice_wrong_tokens_total 1\n"));
}

void TestSecurity::slowClientsHoldUpNobody()
{
    const QByteArray alice("Authorization: Bearer alice-t\r\n");
    std::vector<std::unique_ptr<RawClient>> slow;
    const auto add = [&](quint16 port, const QByteArray &bytes) {
        slow.push_back(std::make_unique<RawClient>(port));
        slow.back()->reading = false;
        slow.back()->socket.setReadBufferSize(16);
        slow.back()->send(bytes);
    };
    const qint64 before = residentBytes();
    const QByteArray half(100'000, 'x');
    for (int i = 0; i < 40; ++i) {
        add(m_api, "GET /calls HTTP/1.1\r\nX-Slow: "); // never a header's end
        add(m_api,
            "POST /conversations HTTP/1.1\r\nHost: t\r\nContent-Length: 200000\r\n\r\n" + half); // a stranger's body
        add(m_api, "");                                                                          // says nothing
        add(m_appservice,
            "PUT /_matrix/app/v1/transactions/1 HTTP/1.1\r\nHost: t\r\nContent-Length: 9000000\r\n\r\n" + half);
    }
    for (int i = 0; i < 16; ++i) // streams that nobody reads
        add(m_api, "GET /events HTTP/1.1\r\nHost: t\r\n" + alice + "\r\n");
    QTRY_VERIFY_WITH_TIMEOUT(openFiles() >= int(slow.size()), 20'000);

    // Everybody else is served as before, on both listeners.
    for (int i = 0; i < 20; ++i) {
        QCOMPARE(ask(m_api, "GET", "/calls", alice).status(), 200);
        QCOMPARE(ask(m_appservice, "GET", "/_matrix/app/v1/users/@nova_alice:test", "Authorization: Bearer hs-t\r\n")
                     .status(),
                 200);
    }
    // What strangers sent was not kept: 80 bodies would be 8 MB, and the sanitizers double it.
    const qint64 grown = residentBytes() - before;
    qInfo("%zu slow clients: %lld KiB resident more", slow.size(), grown / 1024);
    QVERIFY2(before > 0 && grown < before, "memory has doubled");

    if (qEnvironmentVariableIntValue("VOIP_SLOW_CLIENTS_FULL") == 0)
        return;
    const auto left = [&] {
        return std::count_if(slow.cbegin(), slow.cend(), [](const auto &client) { return !client->closed(); });
    };
    QElapsedTimer clock;
    clock.start();
    QTimer drip; // each sends a byte a second, so that none of them stalls
    connect(&drip, &QTimer::timeout, &drip, [&slow] {
        for (const auto &client : slow)
            client->send("x");
    });
    drip.start(1000);
    while (left() > 16 && clock.elapsed() < 120'000) {
        QCOMPARE(ask(m_api, "GET", "/calls", alice).status(), 200);
        QTest::qWait(500);
    }
    qInfo("the slow ones were cut after %lld s, %lld are left", clock.elapsed() / 1000, qint64(left()));
    QCOMPARE(left(), 16); // streams to which nothing is sent harm nobody
}

QTEST_GUILESS_MAIN(TestSecurity)
#include "tst_security.moc"
