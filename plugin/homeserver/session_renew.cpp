// SPDX-License-Identifier: Apache-2.0
// The session's token over time: renewed ahead of its end and after a soft logout; and how a session ends by itself.
#include "session.h"

#include <QLoggingCategory>
#include <QPointer>

#include <algorithm>

namespace voip::homeserver
{

using Standing = SessionRecord::Standing;

namespace
{

Q_LOGGING_CATEGORY(lcSession, "voip.homeserver.session")

constexpr qint64 kMarginMs = 60'000;          // a token is renewed so long before its end, or after 4/5 of its life
constexpr qint64 kLongestSleepMs = 3'600'000; // the wall clock may be set meanwhile

} // namespace

void Session::renewalDue()
{
    if (m_record.expiresAt - kLongestSleepMs > m_clock())
        scheduleRenewal();
    else
        renew();
}

void Session::scheduleRenewal()
{
    if (m_record.expiresAt == 0 || m_record.refreshToken.isEmpty())
        return m_renewal.stop();
    const qint64 left = m_record.expiresAt - m_clock();
    const qint64 wait = left - std::min(kMarginMs, left / 5);
    m_renewal.start(static_cast<int>(std::clamp<qint64>(wait, 0, kLongestSleepMs)));
}

void Session::refused(bool softLogout)
{
    if (!m_live || m_renewing)
        return;
    if (!softLogout)
        return over(Standing::Ended);
    Q_EMIT told(false, tr("The homeserver wants the session of %1 to be renewed.").arg(m_record.userId),
                tr("Nothing, as long as the homeserver answers."));
    renew();
}

void Session::renew()
{
    if (!m_live)
        return;
    m_renewing = true;
    if (m_record.refreshToken.isEmpty())
        return enterAgain();
    refreshTokens(m_client, m_record.refreshToken, [self = QPointer<Session>(this)](const Result<Tokens> &result) {
        if (self)
            self->renewed(result);
    });
}

void Session::renewed(const Result<Tokens> &result)
{
    if (result.ok()) {
        setTokens(*result);
        // The old refresh token is good until the new token is used, so a crash before this is kept does no harm.
        return keep(0, [this](bool) { use(); });
    }
    const auto delay = m_policy.nextDelayMs(++m_failed, result.error(), QRandomGenerator::system()->generateDouble());
    if (delay) {
        QTimer::singleShot(*delay, this, &Session::renew);
        return;
    }
    qCWarning(lcSession, "the refresh token is not accepted (%s): %s", qUtf8Printable(result.error().code),
              qUtf8Printable(result.error().message));
    m_record.refreshToken.clear();
    enterAgain();
}

void Session::enterAgain()
{
    if (m_settings.password.isEmpty())
        return over(Standing::LoggedOut);
    loginByPassword(m_client, m_settings.user, m_settings.password, device(),
                    [self = QPointer<Session>(this)](const Result<LoggedIn> &result) {
                        if (!self)
                            return;
                        const auto again =
                            result.ok() ? std::nullopt
                                        : self->m_policy.nextDelayMs(++self->m_failed, result.error(),
                                                                     QRandomGenerator::system()->generateDouble());
                        if (again) {
                            QTimer::singleShot(*again, self.data(), &Session::enterAgain);
                            return;
                        }
                        self->arrived(result, [self](const Outcome &outcome) {
                            if (self && !outcome.ok())
                                self->over(Standing::LoggedOut);
                        });
                    });
}

void Session::over(Standing standing)
{
    m_live = false;
    m_renewing = false;
    m_renewal.stop();
    m_record.standing = standing;
    m_record.refreshToken.clear();
    m_record.expiresAt = 0;
    m_client.setToken({});
    const QString message =
        standing == Standing::Ended
            ? tr("The homeserver has ended the session of %1: it was logged out somewhere else.").arg(m_record.userId)
            : tr("The session of %1 is over and cannot be renewed.").arg(m_record.userId);
    qCWarning(lcSession, "%s", qUtf8Printable(message));
    Q_EMIT told(false, message, tr("Stop the bridge, log in again with bridge-host --login, and start it."));
    Q_EMIT tokenChanged({});
    keep(0, [](bool) {});
}

} // namespace voip::homeserver
