// SPDX-License-Identifier: Apache-2.0
// See session.h.
#include "session.h"

#include <QDateTime>
#include <QLoggingCategory>
#include <QRandomGenerator>

#include <algorithm>

namespace voip::homeserver
{

using voiphost::Error;
using voiphost::ErrorKind;
using Standing = SessionRecord::Standing;

namespace
{

Q_LOGGING_CATEGORY(lcSession, "voip.homeserver.session")

constexpr int kSaveAttempts = 30;
constexpr auto kSaveEvery = std::chrono::seconds(1);

// Chosen here, so that a login that is repeated after a broken connection makes no second device.
QString newDeviceId()
{
    QString id;
    for (int i = 0; i < 10; ++i)
        id += QChar(u'A' + QRandomGenerator::system()->bounded(26));
    return id;
}

bool isUnknownToken(const Failure &failure)
{
    return failure.code == QLatin1String("M_UNKNOWN_TOKEN");
}

} // namespace

Session::Session(Client &client, LoginSettings settings, Save save, QObject *parent, WallClock clock)
    : QObject(parent), m_client(client), m_settings(std::move(settings)), m_save(std::move(save)),
      m_clock(clock ? std::move(clock) : [] { return QDateTime::currentMSecsSinceEpoch(); }),
      m_retrier(new Retrier(this))
{
    m_renewal.setSingleShot(true);
    connect(&m_renewal, &QTimer::timeout, this, &Session::renewalDue);
    connect(&m_client, &Client::tokenRefused, this, &Session::refused);
}

// --- in ----------------------------------------------------------------------------------------------------------

void Session::take(const std::optional<SessionRecord> &kept)
{
    if (kept && kept->userId != m_settings.user) {
        qCWarning(lcSession, "the session that was kept is not that of %s and is left alone",
                  qUtf8Printable(m_settings.user));
        return;
    }
    m_record = kept.value_or(SessionRecord());
}

void Session::open(const std::optional<SessionRecord> &kept, Told done)
{
    take(kept);
    const bool another = !m_settings.token.isEmpty() && m_settings.token != m_record.accessToken;
    const bool known = !m_record.userId.isEmpty();
    if (!known || another)
        return logIn(done);
    switch (m_record.standing) {
    case Standing::LoggedIn:
        use();
        return done(Done());
    case Standing::LoggedOut:
        if (!m_settings.password.isEmpty())
            return logIn(done);
        break;
    case Standing::Ended:
        break;
    }
    done(Error{ErrorKind::Unauthorized,
               QStringLiteral("SESSION_ENDED"),
               tr("The session of %1 is over: the homeserver does not accept its token any more. Log in again with "
                  "bridge-host --login.")
                   .arg(m_settings.user),
               {}});
}

void Session::begin(const std::optional<SessionRecord> &kept, const QUrl &redirect,
                    std::function<void(voiphost::Expected<QUrl>)> done)
{
    take(kept);
    if (m_settings.by != LoginSettings::By::Sso) {
        return logIn([done](const Outcome &outcome) {
            done(outcome.ok() ? voiphost::Expected<QUrl>(QUrl()) : voiphost::Expected<QUrl>(outcome.error()));
        });
    }
    checkFlows(&LoginFlows::sso, [this, redirect, done](const Outcome &outcome) {
        if (!outcome.ok())
            return done(outcome.error());
        done(ssoAddress(m_client.access().url, redirect));
    });
}

void Session::finish(const QByteArray &loginToken, Told done)
{
    if (!isToken(loginToken))
        return done(Error{ErrorKind::Invalid, QStringLiteral("INVALID_FIELD"), tr("loginToken is no token."), {}});
    // Not repeated: the token is good once.
    loginByToken(m_client, loginToken, device(),
                 [this, done = std::move(done)](const auto &result) { arrived(result, done); });
}

void Session::logIn(const Told &done)
{
    const auto cannot = [&](const QString &message) {
        done(Error{ErrorKind::Unauthorized, QStringLiteral("LOGIN_NEEDED"), message, {}});
    };
    switch (m_settings.by) {
    case LoginSettings::By::Token:
        if (m_settings.token.isEmpty())
            return cannot(tr("There is no access token for %1: give account.token, or the secret account_token.")
                              .arg(m_settings.user));
        return adoptToken(done);
    case LoginSettings::By::Password:
        if (m_settings.password.isEmpty())
            return cannot(tr("There is no password for %1: give account.password, or the secret account_password.")
                              .arg(m_settings.user));
        return enterPassword(done);
    case LoginSettings::By::Sso:
        return cannot(tr("%1 is not logged in: do so with bridge-host --login.").arg(m_settings.user));
    }
}

void Session::adoptToken(const Told &done)
{
    if (!isToken(m_settings.token)) {
        return done(Error{ErrorKind::Invalid,
                          QStringLiteral("LOGIN_REFUSED"),
                          tr("account.token is not a token: it must be printable and without spaces."),
                          {}});
    }
    m_client.setToken(m_settings.token);
    const auto once = [this](Reply<LoggedIn> reply) {
        ownerOfToken(m_client, [reply](Result<LoggedIn> result) {
            if (!result.ok() && isUnknownToken(result.error())) { // here it is no passing trouble
                Failure failure = result.error();
                failure.kind = FailureKind::Rejected;
                result = failure;
            }
            reply(std::move(result));
        });
    };
    m_retrier->run<LoggedIn>(once, m_patience, [this, done](Result<LoggedIn> result) {
        if (result.ok()) {
            result.value().tokens.access = m_settings.token;
            // A device's place in /sync is not another's.
            if (result->deviceId != m_record.deviceId)
                m_record.nextBatch.clear();
        }
        arrived(result, done);
    });
}

void Session::enterPassword(const Told &done)
{
    checkFlows(&LoginFlows::password, [this, done](const Outcome &outcome) {
        if (!outcome.ok())
            return done(outcome);
        const auto once = [this, where = device()](Reply<LoggedIn> reply) {
            loginByPassword(m_client, m_settings.user, m_settings.password, where, std::move(reply));
        };
        m_retrier->run<LoggedIn>(once, m_patience, [this, done](const auto &result) { arrived(result, done); });
    });
}

void Session::checkFlows(bool LoginFlows::*wanted, const Told &done)
{
    m_retrier->run<LoginFlows>([this](auto reply) { loginFlows(m_client, std::move(reply)); }, m_patience,
                               [this, wanted, done](const Result<LoginFlows> &flows) {
                                   if (!flows.ok())
                                       return done(errorOf(flows.error()));
                                   if ((*flows).*wanted)
                                       return done(Done());
                                   done(Error{ErrorKind::Unauthorized,
                                              QStringLiteral("LOGIN_REFUSED"),
                                              tr("The homeserver does not offer this way to log in. It offers: %1.")
                                                  .arg(flows->types.join(QStringLiteral(", "))),
                                              {}});
                               });
}

Device Session::device() const
{
    const bool stands = !m_record.deviceId.isEmpty() && m_record.standing != Standing::Ended;
    return {stands ? m_record.deviceId : newDeviceId(), m_settings.deviceName};
}

void Session::arrived(const Result<LoggedIn> &result, const Told &done)
{
    if (!result.ok()) {
        m_client.setToken({});
        return done(errorOf(result.error()));
    }
    if (result->userId != m_settings.user) {
        m_client.setToken({});
        return done(Error{
            ErrorKind::Unauthorized,
            QStringLiteral("LOGIN_REFUSED"),
            tr("This login is that of %1, but account.user is %2.").arg(cleanText(result->userId, {}), m_settings.user),
            {}});
    }
    m_record.userId = result->userId;
    m_record.deviceId = result->deviceId;
    m_record.standing = Standing::LoggedIn;
    setTokens(result->tokens);
    keep(0, [this, done](bool kept) {
        if (!kept) {
            return done(Error{ErrorKind::Unavailable,
                              QStringLiteral("DATABASE_UNAVAILABLE"),
                              tr("The session could not be stored."),
                              {}});
        }
        use();
        done(Done());
    });
}

void Session::setTokens(const Tokens &tokens)
{
    m_record.accessToken = tokens.access;
    if (!tokens.refresh.isEmpty() || tokens.expiresInMs == 0)
        m_record.refreshToken = tokens.refresh;
    m_record.expiresAt = tokens.expiresInMs > 0 ? m_clock() + tokens.expiresInMs : 0;
}

void Session::keep(int attempt, const std::function<void(bool)> &kept)
{
    m_save(toBytes(m_record), [this, attempt, kept](bool saved) {
        if (saved || attempt + 1 >= kSaveAttempts)
            return kept(saved);
        QTimer::singleShot(kSaveEvery, this, [this, attempt, kept] { keep(attempt + 1, kept); });
    });
}

void Session::use()
{
    m_live = true;
    m_renewing = false;
    m_failed = 0;
    m_client.setToken(m_record.accessToken);
    Q_EMIT tokenChanged(m_record.accessToken);
    Q_EMIT told(true, tr("Logged in as %1 with the device %2.").arg(m_record.userId, m_record.deviceId), {});
    scheduleRenewal();
}

void Session::advance(const QString &nextBatch)
{
    m_record.nextBatch = nextBatch;
    if (m_live)
        m_save(toBytes(m_record), [](bool) {}); // if it fails, the next start hears some events again
}

// --- out ------------------------------------------------------------------------------------------------------------

void Session::close(const std::optional<SessionRecord> &kept, Told done)
{
    take(kept);
    if (m_record.userId.isEmpty()) {
        return done(Error{ErrorKind::NotFound,
                          QStringLiteral("NO_SESSION"),
                          tr("%1 is not logged in here.").arg(m_settings.user),
                          {}});
    }
    if (m_record.standing != Standing::LoggedIn)
        return forget(done);
    m_client.setToken(m_record.accessToken);
    logOut(m_client, [this, done](const Result<Done> &result) {
        if (result.ok() || (isUnknownToken(result.error()) && m_record.refreshToken.isEmpty()))
            return forget(done);
        if (!isUnknownToken(result.error()))
            return done(errorOf(result.error()));
        // It ran out: the device is logged out with a fresh one.
        refreshTokens(m_client, m_record.refreshToken, [this, done](const Result<Tokens> &tokens) {
            if (!tokens.ok() && tokens.error().transient())
                return done(errorOf(tokens.error()));
            if (!tokens.ok())
                return forget(done);
            m_client.setToken(tokens->access);
            logOut(m_client, [this, done](const Result<Done> &again) {
                again.ok() ? forget(done) : done(errorOf(again.error()));
            });
        });
    });
}

void Session::forget(const Told &done)
{
    m_live = false;
    m_renewal.stop();
    m_client.setToken({});
    m_record = {};
    m_save({}, [done](bool saved) {
        if (saved)
            return done(Done());
        done(Error{ErrorKind::Unavailable,
                   QStringLiteral("DATABASE_UNAVAILABLE"),
                   tr("The session was ended, but could not be removed from the database."),
                   {}});
    });
}

Error Session::errorOf(const Failure &failure) const
{
    if (failure.transient()) {
        return {ErrorKind::Unavailable,
                QStringLiteral("HOMESERVER_UNAVAILABLE"),
                tr("The homeserver does not answer: %1").arg(failure.message),
                {}};
    }
    return {ErrorKind::Unauthorized,
            QStringLiteral("LOGIN_REFUSED"),
            tr("The homeserver refused the login of %1: %2 %3").arg(m_settings.user, failure.code, failure.message),
            {}};
}

} // namespace voip::homeserver
