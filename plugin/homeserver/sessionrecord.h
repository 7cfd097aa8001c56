// SPDX-License-Identifier: Apache-2.0
// What an account's session is, as it is kept over a restart, and its form in bytes. The bytes hold tokens: they are
// for a seal, never for a database or a log as they are. Pure; any bytes can be read.
#pragma once

#include <QByteArray>
#include <QString>

#include <optional>

namespace voip::homeserver
{

struct SessionRecord {
    enum class Standing {
        LoggedIn,
        LoggedOut, // softly: the homeserver keeps the device, so whoever logs in again goes on as it
        Ended,     // the device is gone: logged out somewhere else, or by an administrator
    };

    QString userId; // empty: there is no session
    QString deviceId;
    Standing standing = Standing::LoggedIn;
    QByteArray accessToken;  // secret; of one that has ended the last, by which it is known again
    QByteArray refreshToken; // secret; empty: none
    qint64 expiresAt = 0;    // UTC ms; 0: not known to expire
    QString nextBatch;       // where /sync goes on; empty: it has not begun

    bool operator==(const SessionRecord &) const = default;
};

[[nodiscard]] QByteArray toBytes(const SessionRecord &record);
[[nodiscard]] std::optional<SessionRecord> sessionRecordOf(const QByteArray &bytes);

} // namespace voip::homeserver
