// SPDX-License-Identifier: Apache-2.0
// See ghosts.h.
#include "ghosts.h"

#include <QLoggingCategory>
#include <QPointer>

namespace voip::homeserver
{

namespace
{
Q_LOGGING_CATEGORY(lcGhosts, "voip.homeserver.ghosts")
}

GhostDirectory::GhostDirectory(Client *client, QObject *parent, std::chrono::milliseconds patience)
    : QObject(parent), m_client(client), m_retrier(new Retrier(this)), m_patience(patience)
{
}

void GhostDirectory::ensure(const QString &localpart, const QString &displayName, Reply<bool> reply)
{
    if (m_known.contains(localpart) || m_client->access().isAccount()) {
        QMetaObject::invokeMethod(
            this, [reply = std::move(reply)] { reply(false); }, Qt::QueuedConnection);
        return;
    }
    QVector<Reply<bool>> &waiting = m_waiting[localpart];
    waiting.append(std::move(reply));
    if (waiting.size() > 1) {
        return;
    }
    m_retrier->run<bool>(
        [client = QPointer<Client>(m_client), localpart](Reply<bool> attempt) {
            if (client) {
                client->registerGhost(localpart, std::move(attempt));
            }
        },
        m_patience,
        [this, localpart, displayName](const Result<bool> &result) { registered(localpart, displayName, result); });
}

void GhostDirectory::registered(const QString &localpart, const QString &displayName, const Result<bool> &result)
{
    if (!result.ok() || displayName.isEmpty()) {
        settle(localpart, result);
        return;
    }
    // Also for one that existed: we may have died between registering and naming it.
    m_retrier->run<Done>(
        [client = QPointer<Client>(m_client), localpart, displayName](Reply<Done> attempt) {
            if (client) {
                client->setDisplayName(client->userId(localpart), displayName, std::move(attempt));
            }
        },
        std::min(m_patience, kNamePatience),
        [this, localpart, result](const Result<Done> &named) {
            if (!named.ok()) {
                qCWarning(lcGhosts, "%s has no display name (%s): %s", qUtf8Printable(localpart),
                          qUtf8Printable(nameOf(named.error().kind)), qUtf8Printable(named.error().message));
            }
            settle(localpart, result);
        });
}

void GhostDirectory::settle(const QString &localpart, const Result<bool> &result)
{
    if (result.ok()) {
        m_known.insert(localpart);
    }
    const QPointer<GhostDirectory> alive(this);
    for (const Reply<bool> &reply : m_waiting.take(localpart)) {
        reply(result);
        if (!alive) {
            return;
        }
    }
}

} // namespace voip::homeserver
