// SPDX-License-Identifier: Apache-2.0
#include "keyring.h"

#include <QDBusConnection>
#include <QDBusConnectionInterface>
#include <QDBusMessage>
#include <QDBusObjectPath>
#include <QProcess>
#include <QTest>

#include <csignal>

namespace keyring
{

namespace
{

const QString name = QStringLiteral("org.freedesktop.secrets");

QDBusConnectionInterface &bus()
{
    if (!QDBusConnection::sessionBus().isConnected())
        qFatal("no session bus: start this by with-keyring");
    return *QDBusConnection::sessionBus().interface();
}

} // namespace

void lock()
{
    QDBusMessage call =
        QDBusMessage::createMethodCall(name, QStringLiteral("/org/freedesktop/secrets"),
                                       QStringLiteral("org.freedesktop.Secret.Service"), QStringLiteral("Lock"));
    const QList<QDBusObjectPath> all{QDBusObjectPath(QStringLiteral("/org/freedesktop/secrets/aliases/default"))};
    call.setArguments({QVariant::fromValue(all)});
    const QDBusMessage reply = QDBusConnection::sessionBus().call(call);
    if (reply.type() != QDBusMessage::ReplyMessage)
        qFatal("the keyring cannot be locked: %s", qPrintable(reply.errorMessage()));
}

void kill()
{
    if (!bus().isServiceRegistered(name))
        return;
    const QString owner = bus().serviceOwner(name);
    ::kill(static_cast<pid_t>(bus().servicePid(name).value()), SIGKILL);
    if (!QTest::qWaitFor([&owner] { return bus().serviceOwner(name) != owner; }, 20'000))
        qFatal("the keyring does not end");
}

void unlock()
{
    kill();
    QProcess daemon;
    daemon.setStandardOutputFile(QProcess::nullDevice());
    daemon.setStandardErrorFile(QProcess::nullDevice());
    daemon.start(QStringLiteral("gnome-keyring-daemon"),
                 {QStringLiteral("--unlock"), QStringLiteral("--components=secrets")});
    daemon.write("pw");
    daemon.closeWriteChannel();
    const bool started = daemon.waitForFinished(20'000) && daemon.exitCode() == 0;
    if (!started || !QTest::qWaitFor([] { return bus().isServiceRegistered(name).value(); }, 20'000))
        qFatal("the keyring does not start");
}

QByteArray lookup(const QString &service, const QString &name)
{
    QProcess tool;
    tool.start(QStringLiteral("secret-tool"),
               {QStringLiteral("lookup"), QStringLiteral("server"), service, QStringLiteral("user"), name});
    if (!tool.waitForFinished(20'000))
        qFatal("secret-tool does not end");
    return tool.readAllStandardOutput();
}

void put(const QString &service, const QString &name, const QByteArray &value)
{
    // As QtKeychain does, so that it finds and replaces it.
    QProcess tool;
    tool.start(QStringLiteral("secret-tool"),
               {QStringLiteral("store"), QStringLiteral("--label=test"), QStringLiteral("server"), service,
                QStringLiteral("user"), name, QStringLiteral("type"), QStringLiteral("plaintext"),
                QStringLiteral("xdg:schema"), QStringLiteral("org.qt.keychain")});
    tool.write(value);
    tool.closeWriteChannel();
    if (!tool.waitForFinished(20'000) || tool.exitCode() != 0)
        qFatal("secret-tool cannot store: %s", tool.readAllStandardError().constData());
}

} // namespace keyring
