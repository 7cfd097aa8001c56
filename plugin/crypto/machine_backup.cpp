// SPDX-License-Identifier: Apache-2.0
// The machine's side of an account's key backup: what is marked for it, when it is looked for, and what is uploaded. No
// call waits for any of it.
#include "crypto/machine.h"

namespace voip::crypto
{

namespace
{

constexpr qint64 lookAgainAfter = 3'600'000; // for a backup, after an answer about one

} // namespace

void Machine::markInbound(const SessionName &name)
{
    if (!backsUp())
        return;
    const auto session = m_inbound.exported(name.key());
    if (!session)
        return note(QStringLiteral("backup_") + toString(session.error()), m_settings.user);
    if (!m_backup.mark(name.key(), *session))
        note(QStringLiteral("backup_full"), m_settings.user);
}

// As others have it: an inbound session with the index that is the next.
void Machine::markOutbound(const QString &room)
{
    if (!backsUp() || m_outbound.sessionId(room).isEmpty())
        return;
    const auto twin = m_backend.inbound(m_outbound.keyOf(room));
    if (!twin)
        return note(QStringLiteral("backup_") + toString(twin.error()), m_settings.user);
    const quint32 first = twin.value()->firstIndex();
    auto key = twin.value()->exportAt(first);
    if (!key)
        return note(QStringLiteral("backup_") + toString(key.error()), m_settings.user);
    const SessionOwner owner{m_settings.user, m_device.keys().curve25519, m_device.keys().ed25519};
    if (!m_backup.mark(SessionName{room, m_outbound.sessionId(room)}.key(), {owner, first, std::move(key).value()}))
        note(QStringLiteral("backup_full"), m_settings.user);
}

// Sessions that were there before the backup, or when it was another, some at a time.
void Machine::advanceBackup()
{
    if (!backsUp())
        return m_backup.forget(); // once it is wanted again, all sessions are gone through anew
    if (!m_run.backup || m_backup.waiting() > 0)
        return;
    for (const QString &key : m_backup.walk(m_inbound.keys()))
        markInbound(SessionName::of(key));
}

std::optional<Request> Machine::backupRequest(qint64 now)
{
    if (!backsUp() || m_device.stage() != OwnDevice::Stage::Complete)
        return {};
    if (!m_run.backup)
        return now >= m_run.backupNotBefore ? std::optional<Request>(FindBackup{}) : std::nullopt;
    const auto isVerified = [this](const SessionOwner &owner) {
        if (owner.user == m_settings.user && owner.curve25519 == m_device.keys().curve25519)
            return true;
        const Device *device = m_devices.byCurveKey(owner.user, owner.curve25519);
        return device && device->ed25519 == owner.ed25519 && m_devices.isVerified(*device);
    };
    auto body = m_backup.upload(*m_run.backup, isVerified, m_random);
    if (!body) {
        note(QStringLiteral("backup_") + toString(body.error()), m_settings.user);
        m_run.backup.reset(); // nothing can be made for it now
        m_run.backupNotBefore = now + lookAgainAfter;
        return {};
    }
    return body->isEmpty() ? std::nullopt : std::optional<Request>(BackUpKeys{m_run.backup->version, *body});
}

void Machine::backupAnswered(const Request &request, const Answer &answer, qint64 now)
{
    if (answer.kind == Answer::Kind::Failed)
        return delay(m_run.backoff[Errand::Backup], now, answer.retryAfterMs);
    m_run.backoff.remove(Errand::Backup);
    const bool good = answer.kind == Answer::Kind::Ok;
    if (const auto *upload = std::get_if<BackUpKeys>(&request)) {
        if (good)
            return m_backup.uploaded(upload->body);
        // The account may have another backup by now; what is marked is for that one, too.
        note(QStringLiteral("backup_refused"), m_settings.user);
        m_run.backup.reset();
        if (answer.kind != Answer::Kind::WrongVersion)
            m_run.backupNotBefore = now + lookAgainAfter;
        return;
    }
    m_run.backupNotBefore = now + lookAgainAfter;
    m_run.backup = good ? backupPlaceFrom(answer.body) : std::nullopt;
    if (!m_run.backup || !m_backup.aim(*m_run.backup))
        return;
    for (const QString &room : m_outbound.rooms())
        markOutbound(room);
}

std::optional<qint64> Machine::backupDue() const
{
    return backsUp() && !m_run.backup ? std::optional(m_run.backupNotBefore) : std::nullopt;
}

} // namespace voip::crypto
