// SPDX-License-Identifier: Apache-2.0
#include "postgrescluster.h"

#include <QDir>
#include <QElapsedTimer>
#include <QRandomGenerator>
#include <QStandardPaths>

#include <arpa/inet.h>
#include <csignal>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace
{

constexpr int patienceMs = 60 * 1000;

int freePort()
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int port = 0;
    if (fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr *>(&address), size) == 0 &&
        ::getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size) == 0)
        port = ntohs(address.sin_port);
    if (fd >= 0)
        ::close(fd);
    return port;
}

QString findBinaries()
{
    QDir versions(QStringLiteral("/usr/lib/postgresql"));
    QStringList names = versions.entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    std::sort(names.begin(), names.end(), [](const QString &a, const QString &b) { return a.toInt() > b.toInt(); });
    for (const QString &name : names) {
        const QString folder = versions.filePath(name + QStringLiteral("/bin"));
        if (QFile::exists(folder + QStringLiteral("/initdb")))
            return folder;
    }
    const QString initdb = QStandardPaths::findExecutable(QStringLiteral("initdb"));
    return initdb.isEmpty() ? QString() : QFileInfo(initdb).absolutePath();
}

} // namespace

PostgresCluster::PostgresCluster(Durability durability) : m_durability(durability)
{
}

PostgresCluster::~PostgresCluster()
{
    stop();
}

bool PostgresCluster::prepare()
{
    m_binaries = findBinaries();
    if (m_binaries.isEmpty()) {
        m_error = QStringLiteral("PostgreSQL's server programs are not installed");
        return false;
    }
    m_uid = ::geteuid();
    m_gid = ::getegid();
    if (m_uid == 0) {
        const passwd *user = ::getpwnam("postgres");
        if (user == nullptr) {
            m_error = QStringLiteral("running as root, and there is no user \"postgres\"");
            return false;
        }
        m_uid = user->pw_uid;
        m_gid = user->pw_gid;
    }
    const QByteArray folder = QFile::encodeName(m_folder.path());
    if (!m_folder.isValid() || (::geteuid() == 0 && ::chown(folder.constData(), m_uid, m_gid) != 0)) {
        m_error = QStringLiteral("no temporary folder");
        return false;
    }
    for (int i = 0; i < 4; ++i)
        m_password += QString::number(QRandomGenerator::system()->generate(), 36);
    const QString passwordFile = m_folder.filePath(QStringLiteral("password"));
    QFile file(passwordFile);
    if (!file.open(QIODevice::WriteOnly) || file.write(m_password.toLatin1()) < 0)
        return false;
    file.close();
    if (::geteuid() == 0 && ::chown(QFile::encodeName(passwordFile).constData(), m_uid, m_gid) != 0)
        return false;
    return run(QStringLiteral("initdb"),
               {QStringLiteral("-D"), m_folder.filePath(QStringLiteral("data")), QStringLiteral("-U"),
                QStringLiteral("bridge"), QStringLiteral("-E"), QStringLiteral("UTF8"), QStringLiteral("--locale=C"),
                QStringLiteral("--auth-local=trust"), QStringLiteral("--auth-host=scram-sha-256"),
                QStringLiteral("--pwfile=") + passwordFile, QStringLiteral("--no-sync")});
}

void PostgresCluster::asServerUser(QProcess &process, bool dieWithParent) const
{
    process.setWorkingDirectory(m_folder.path());
    process.setProcessChannelMode(QProcess::MergedChannels);
    const bool drop = ::geteuid() == 0;
    process.setChildProcessModifier([uid = m_uid, gid = m_gid, drop, dieWithParent] {
        if (drop && (::setgroups(0, nullptr) != 0 || ::setgid(gid) != 0 || ::setuid(uid) != 0))
            ::_exit(126);
        if (dieWithParent)
            ::prctl(PR_SET_PDEATHSIG, SIGQUIT); // an immediate shutdown; after setuid, which would clear it
    });
}

bool PostgresCluster::run(const QString &program, const QStringList &arguments, QByteArray *output)
{
    QProcess process;
    asServerUser(process, false);
    process.start(m_binaries + u'/' + program, arguments);
    const bool ended = process.waitForFinished(patienceMs);
    const QByteArray text = process.readAll();
    if (output != nullptr)
        *output = text;
    if (ended && process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0)
        return true;
    m_error = program + QStringLiteral(": ") + QString::fromLocal8Bit(text);
    return false;
}

bool PostgresCluster::start()
{
    if (m_server && m_server->state() != QProcess::NotRunning)
        return true;
    if (m_binaries.isEmpty() && !prepare())
        return false;
    if (m_port == 0) // the same again after stop(): clients reconnect to it
        m_port = freePort();
    m_server = std::make_unique<QProcess>();
    asServerUser(*m_server, true);
    m_server->setStandardOutputFile(m_folder.filePath(QStringLiteral("log")), QIODevice::Append);
    const QString fsync = m_durability == Durability::Fsync ? QStringLiteral("on") : QStringLiteral("off");
    m_server->start(m_binaries + QStringLiteral("/postgres"),
                    {QStringLiteral("-D"), m_folder.filePath(QStringLiteral("data")), QStringLiteral("-p"),
                     QString::number(m_port), QStringLiteral("-k"), m_folder.path(), QStringLiteral("-c"),
                     QStringLiteral("listen_addresses=127.0.0.1"), QStringLiteral("-c"),
                     QStringLiteral("fsync=") + fsync, QStringLiteral("-c"),
                     QStringLiteral("unix_socket_permissions=0777")});
    QElapsedTimer timer;
    timer.start();
    while (timer.elapsed() < patienceMs) {
        if (m_server->waitForFinished(1)) // also gives way between two questions
            break;
        QByteArray answer;
        if (run(QStringLiteral("pg_isready"),
                {QStringLiteral("-h"), m_folder.path(), QStringLiteral("-p"), QString::number(m_port)}))
            return true;
    }
    QFile log(m_folder.filePath(QStringLiteral("log")));
    m_error = QStringLiteral("the server did not start: ");
    if (log.open(QIODevice::ReadOnly))
        m_error += QString::fromLocal8Bit(log.readAll().right(2000));
    return false;
}

void PostgresCluster::waitForEnd()
{
    if (m_server->state() != QProcess::NotRunning && !m_server->waitForFinished(patienceMs)) {
        m_server->kill();
        m_server->waitForFinished();
    }
    m_server.reset();
}

void PostgresCluster::stop()
{
    if (!m_server)
        return;
    ::kill(static_cast<pid_t>(m_server->processId()), SIGINT);
    waitForEnd();
}

void PostgresCluster::kill()
{
    if (!m_server)
        return;
    // The children of a killed postmaster notice and leave by themselves, but answer a little longer: they go first.
    const auto pid = static_cast<pid_t>(m_server->processId());
    ::kill(pid, SIGSTOP); // no new ones meanwhile
    QFile children(QStringLiteral("/proc/%1/task/%1/children").arg(pid));
    if (children.open(QIODevice::ReadOnly)) {
        for (const QByteArray &child : children.readAll().split(' ')) {
            if (const int id = child.trimmed().toInt(); id > 0)
                ::kill(id, SIGKILL);
        }
    }
    ::kill(pid, SIGKILL);
    waitForEnd();
    // What is left of the lock would keep the next start from believing that nobody runs.
    QFile::remove(m_folder.filePath(QStringLiteral("data/postmaster.pid")));
}

bool PostgresCluster::createDatabase(const QString &name)
{
    return runSql(QStringLiteral("postgres"), QStringLiteral("CREATE DATABASE %1").arg(name));
}

bool PostgresCluster::runSql(const QString &database, const QString &sql)
{
    return run(QStringLiteral("psql"),
               {QStringLiteral("-X"), QStringLiteral("-q"), QStringLiteral("-v"), QStringLiteral("ON_ERROR_STOP=1"),
                QStringLiteral("-h"), m_folder.path(), QStringLiteral("-p"), QString::number(m_port),
                QStringLiteral("-U"), QStringLiteral("bridge"), QStringLiteral("-d"), database, QStringLiteral("-c"),
                sql});
}

QString PostgresCluster::query(const QString &database, const QString &sql)
{
    QByteArray output;
    if (!run(QStringLiteral("psql"),
             {QStringLiteral("-X"), QStringLiteral("-qAt"), QStringLiteral("-v"), QStringLiteral("ON_ERROR_STOP=1"),
              QStringLiteral("-h"), m_folder.path(), QStringLiteral("-p"), QString::number(m_port),
              QStringLiteral("-U"), QStringLiteral("bridge"), QStringLiteral("-d"), database, QStringLiteral("-c"),
              sql},
             &output))
        return m_error;
    return QString::fromUtf8(output).trimmed();
}

QString PostgresCluster::dsn(const QString &database) const
{
    return QStringLiteral("host=127.0.0.1 port=%1 dbname=%2 user=bridge password='%3'")
        .arg(QString::number(m_port), database, m_password);
}

QString PostgresCluster::socketDsn(const QString &database) const
{
    return QStringLiteral("host='%1' port=%2 dbname=%3 user=bridge")
        .arg(m_folder.path(), QString::number(m_port), database);
}
