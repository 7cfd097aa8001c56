// SPDX-License-Identifier: Apache-2.0
#include "pgbouncer.h"

#include <QElapsedTimer>
#include <QFile>
#include <QRegularExpression>
#include <QTcpServer>
#include <QTcpSocket>

#include <csignal>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace
{

constexpr int startMs = 30'000;

} // namespace

PgBouncer::PgBouncer(const QString &dsn) : m_server(dsn)
{
}

PgBouncer::~PgBouncer()
{
    m_process.kill();
    m_process.waitForFinished(startMs);
}

QString PgBouncer::word(const QString &key) const
{
    const QRegularExpression words(QStringLiteral("(?:^| )%1='?([^' ]*)").arg(key));
    return words.match(m_server).captured(1);
}

QString PgBouncer::dsn() const
{
    return QStringLiteral("host=127.0.0.1 port=%1 dbname=%2 user=%3 password=%4 pooler=transaction")
        .arg(QString::number(m_port), word(QStringLiteral("dbname")), word(QStringLiteral("user")),
             word(QStringLiteral("password")));
}

bool PgBouncer::start()
{
    {
        QTcpServer free;
        if (!free.listen(QHostAddress::LocalHost)) {
            m_error = QStringLiteral("no free port");
            return false;
        }
        m_port = free.serverPort();
    }
    const auto write = [this](const QString &name, const QString &text) {
        QFile file(m_folder.filePath(name));
        if (file.open(QIODevice::WriteOnly))
            file.write(text.toUtf8());
        file.setPermissions(QFile::ReadOwner | QFile::ReadGroup | QFile::ReadOther);
        return file.fileName();
    };
    const QString users =
        write(QStringLiteral("users.txt"),
              QStringLiteral("\"%1\" \"%2\"\n").arg(word(QStringLiteral("user")), word(QStringLiteral("password"))));
    const QString settings =
        write(QStringLiteral("pgbouncer.ini"),
              QStringLiteral("[databases]\n%1 = host=%2 port=%3 dbname=%1\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
                             "listen_port = %4\nunix_socket_dir =\nauth_type = plain\nauth_file = %5\n"
                             "pool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 100\n")
                  .arg(word(QStringLiteral("dbname")), word(QStringLiteral("host")), word(QStringLiteral("port")),
                       QString::number(m_port), users));
    QFile(m_folder.path()).setPermissions(QFile::Permissions(0x7755));
    m_process.setChildProcessModifier([] {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (const passwd *user = ::getuid() == 0 ? ::getpwnam("postgres") : nullptr) {
            if (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)
                ::_exit(126);
        }
    });
    m_process.setProcessChannelMode(QProcess::MergedChannels);
    m_process.start(QStringLiteral("/usr/sbin/pgbouncer"), {settings});
    QElapsedTimer since;
    since.start();
    while (since.elapsed() < startMs) {
        QTcpSocket socket;
        socket.connectToHost(QStringLiteral("127.0.0.1"), static_cast<quint16>(m_port));
        if (socket.waitForConnected(200))
            return true;
        if (m_process.state() == QProcess::NotRunning && !m_process.waitForStarted(100))
            break;
    }
    m_error = QStringLiteral("pgbouncer does not take connections: ") + QString::fromUtf8(m_process.readAll());
    return false;
}
