// SPDX-License-Identifier: Apache-2.0
// Verification of an account's device by another device of its owner (verifications.h). A ghost has an identity of its
// own and no other device: nobody can verify it so, and who asks is told.
#include "crypto/encoding.h"
#include "crypto/machine.h"

namespace voip::crypto
{

void Machine::takeVerification(const QString &type, const QJsonObject &content, const QString &sender, qint64 now)
{
    const bool ofOwner = m_device.isGiven() && sender == m_settings.user;
    if (ofOwner && m_device.stage() == OwnDevice::Stage::Complete) {
        const UserDevices *self = m_devices.find(m_settings.user);
        const QString verified = m_devices.verifiedMasterKey(m_settings.user);
        // We vouch for the identity only if somebody has for us.
        const bool vouch = self && !verified.isEmpty() && self->masterKey == verified;
        const SasParty ours{m_settings.user, m_device.id(), m_device.keys().ed25519, vouch ? verified : QString()};
        return follow(m_run.verifications.take(type, content, ours, m_backend, m_random, now), sender, now);
    }
    // Who wants to verify an account means its owner, whose other sessions answer: a no of ours would end it for them.
    if (!m_device.isGiven() && type == QLatin1String("m.key.verification.request"))
        follow(m_run.verifications.refuse(content, QStringLiteral("m.user"), now), sender, now);
}

void Machine::follow(const Verifications::Step &step, const QString &user, qint64 now)
{
    if (step.askList) {
        m_devices.follow(m_settings.user);
        m_devices.changed(m_settings.user);
    }
    if (!step.note.isEmpty())
        note(step.note, user);
    if (!step.vouched.isEmpty())
        m_devices.verify(m_settings.user, step.vouched);
    for (const Verifications::Letter &letter : step.letters)
        post({}, letter.type, {{user, QJsonObject{{letter.device, letter.content}}}}, now);
}

void Machine::advanceVerifications(qint64 now)
{
    const auto step = m_run.verifications.advance(m_devices.find(m_settings.user), m_backend, m_random, now);
    follow(step, m_settings.user, now);
}

void Machine::judgeVerification(const QString &id, bool same, qint64 now)
{
    follow(same ? m_run.verifications.confirm(id) : m_run.verifications.cancel(id), m_settings.user, now);
}

bool Machine::isSignedByOwner() const
{
    const UserDevices *self = m_devices.find(m_settings.user);
    return self && self->devices.value(m_device.id()).crossSigned;
}

} // namespace voip::crypto
