// SPDX-License-Identifier: Apache-2.0
#include "secrets/keyring_lock.h"

#include <QDBusConnection>
#include <QDBusConnectionInterface>
#include <QDBusMessage>
#include <QDBusMetaType>
#include <QDBusObjectPath>
#include <QDBusVariant>
#include <QMap>

namespace voip
{

namespace
{

const QString secrets = QStringLiteral("org.freedesktop.secrets");
const QString root = QStringLiteral("/org/freedesktop/secrets");

QDBusMessage ask(const QString &path, const QString &interface, const QString &method, const QVariantList &arguments,
                 int timeoutMs)
{
    QDBusMessage call = QDBusMessage::createMethodCall(secrets, path, interface, method);
    call.setArguments(arguments);
    return QDBusConnection::sessionBus().call(call, QDBus::Block, timeoutMs);
}

} // namespace

bool mayBeLocked(const QString &service, const QString &name, int timeoutMs)
{
    const QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected() || !bus.interface()->isServiceRegistered(secrets))
        return false;

    // An entry that is there and cannot be opened.
    qDBusRegisterMetaType<QMap<QString, QString>>();
    const QMap<QString, QString> attributes{{QStringLiteral("server"), service}, {QStringLiteral("user"), name}};
    const QDBusMessage found = ask(root, QStringLiteral("org.freedesktop.Secret.Service"),
                                   QStringLiteral("SearchItems"), {QVariant::fromValue(attributes)}, timeoutMs);
    if (found.type() != QDBusMessage::ReplyMessage || found.arguments().size() != 2)
        return true;
    if (!qdbus_cast<QList<QDBusObjectPath>>(found.arguments().at(1)).isEmpty())
        return true;

    // The keyring where it would be kept. None at all ("/") is an answer: nothing was ever stored.
    const QDBusMessage alias = ask(root, QStringLiteral("org.freedesktop.Secret.Service"), QStringLiteral("ReadAlias"),
                                   {QStringLiteral("default")}, timeoutMs);
    if (alias.type() != QDBusMessage::ReplyMessage || alias.arguments().isEmpty())
        return true;
    const QString keyring = qdbus_cast<QDBusObjectPath>(alias.arguments().at(0)).path();
    if (keyring == u"/")
        return false;
    const QDBusMessage locked =
        ask(keyring, QStringLiteral("org.freedesktop.DBus.Properties"), QStringLiteral("Get"),
            {QStringLiteral("org.freedesktop.Secret.Collection"), QStringLiteral("Locked")}, timeoutMs);
    if (locked.type() != QDBusMessage::ReplyMessage || locked.arguments().isEmpty())
        return true;
    return qdbus_cast<QDBusVariant>(locked.arguments().at(0)).variant().toBool();
}

} // namespace voip
