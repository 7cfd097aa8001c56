// SPDX-License-Identifier: Apache-2.0
#include "accountconsole.h"

#include "account.h"

namespace voip
{

using namespace voiphost;

AccountConsole::AccountConsole(const AccountSettings &settings, const HomeserverSettings &homeserver,
                               const DatabaseSettings &database, const QByteArray &rootKey)
    : m_rootKey(rootKey), m_store(database), m_client(accessOf(settings, homeserver)), m_kept(m_store, rootKey, this),
      m_session(m_client, settings.login, [this](const auto &record, auto saved) { m_kept.save(record, saved); })
{
}

voiphost::Account AccountConsole::account() const
{
    return {m_session.record().userId, m_session.record().deviceId};
}

void AccountConsole::load(const std::function<void(Expected<Kept>)> &loaded)
{
    if (m_open)
        return read(loaded);
    m_store.open(m_rootKey, this, [this, loaded](const auto &opened) {
        m_open = opened.ok();
        if (m_open)
            return read(loaded);
        loaded(Error{ErrorKind::Unavailable, QStringLiteral("DATABASE_UNAVAILABLE"), opened.error().message, {}});
    });
}

void AccountConsole::read(const std::function<void(Expected<Kept>)> &loaded)
{
    m_store.settings(this, [this, loaded](const auto &settings) {
        if (settings.ok())
            return loaded(m_kept.read(*settings));
        loaded(Error{ErrorKind::Unavailable, QStringLiteral("DATABASE_UNAVAILABLE"), settings.error().message, {}});
    });
}

void AccountConsole::begin(const QUrl &callback, const std::function<void(Expected<LoginStep>)> &give)
{
    load([this, callback, give](const Expected<Kept> &kept) {
        // One that cannot be read is what this login replaces.
        const bool unreadable = !kept.ok() && kept.error().code == QLatin1String("SESSION_UNREADABLE");
        if (!kept.ok() && !unreadable)
            return give(kept.error());
        m_session.begin(kept.ok() ? *kept : Kept(), callback, [this, give](const Expected<QUrl> &address) {
            if (!address.ok())
                return give(address.error());
            give(LoginStep{*address, address->isEmpty() ? account() : voiphost::Account()});
        });
    });
}

void AccountConsole::finish(const QByteArray &loginToken, const std::function<void(Expected<voiphost::Account>)> &give)
{
    m_session.finish(loginToken, [this, give](const homeserver::Session::Outcome &outcome) {
        give(outcome.ok() ? Expected<voiphost::Account>(account()) : Expected<voiphost::Account>(outcome.error()));
    });
}

void AccountConsole::close(const std::function<void(Expected<Done>)> &give)
{
    load([this, give](const Expected<Kept> &kept) {
        if (!kept.ok())
            return give(kept.error());
        m_session.close(*kept, give);
    });
}

} // namespace voip
