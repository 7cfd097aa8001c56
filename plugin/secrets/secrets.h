// SPDX-License-Identifier: Apache-2.0
// Named secrets (as_token, hs_token, admin_token, root_key, root_key_next) from where the settings say: the
// configuration, the desktop's keychain, or a credentials directory as systemd makes it. Reading blocks (with a time
// limit) and is for start-up only. "Unavailable" is never "not found": a caller that makes a new key on the first would
// lock itself out of everything sealed with the old one. Secrets are returned, never logged.
#pragma once

#include <voiphost/settings.h>
#include <voiphost/types.h>

#include <QByteArray>
#include <QString>

namespace voip
{

struct SecretError {
    enum class Kind {
        NotFound,    // the provider answered: there is no such secret. Only now may a root_key be made
        Unavailable, // the provider cannot be asked (no session bus, no directory, locked)
        Invalid,     // it is there and cannot be used (size, format, readable by others)
    };
    Kind kind = Kind::Unavailable;
    QString message;
    QString advice; // what to do next
};

class SecretStore
{
public:
    // `appserviceId` keeps several bridges on one desktop apart: the keychain's service is "matrix-voip/<id>".
    SecretStore(voiphost::SecretSettings settings, const QString &appserviceId, int timeoutMs = 10'000);

    // The two keys are given as their 32 bytes, everything else as it stands without surrounding white space.
    [[nodiscard]] voiphost::Expected<QByteArray, SecretError> read(const QString &name) const;
    // Keychain only: the others are the administrator's to write, and say so (Invalid). Keys are taken as bytes.
    [[nodiscard]] voiphost::Expected<voiphost::Done, SecretError> store(const QString &name,
                                                                        const QByteArray &value) const;

    // Keychain only, as above. What is not there is removed already.
    [[nodiscard]] voiphost::Expected<voiphost::Done, SecretError> remove(const QString &name) const;

    [[nodiscard]] QString keychainService() const { return m_service; }

private:
    voiphost::SecretSettings m_settings;
    QString m_service;
    int m_timeoutMs;
};

} // namespace voip
