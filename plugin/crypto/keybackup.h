// SPDX-License-Identifier: Apache-2.0
// What the key backup of an account does not have yet of its device's Megolm sessions, and the uploads that bring it
// there (m.megolm_backup.v1.curve25519-aes-sha2, E27). A session is marked in the step that makes or changes it, as a
// record of its own with all that is to be uploaded: it is gone from there only once the homeserver has said that it
// has it, so that a crash repeats an upload at most. Sessions that are older than the backup are gone through some at a
// time (walk). Nothing is ever read from a backup.
#pragma once

#include "crypto/inbound.h"

#include <QJsonObject>

#include <functional>

namespace voip::crypto
{

struct BackupPlace {
    QString version;   // the homeserver's word for it
    QString publicKey; // Curve25519; its private half was seen
    bool operator==(const BackupPlace &) const = default;
};

// From the answer to a FindBackup; nothing: it is none.
[[nodiscard]] std::optional<BackupPlace> backupPlaceFrom(const QJsonObject &answer);

class KeyBackup
{
public:
    static constexpr qsizetype mostTogether = 100; // sessions in one upload, and in one step of the walk
    static constexpr qsizetype mostWaiting = 1000; // marks; more than that and one is given up

    KeyBackup(Backend &backend, Records &records) : m_backend(backend), m_records(records) {}

    // Nothing if more of the session waits already. False: one was given up for it, since too many wait.
    [[nodiscard]] bool mark(const QString &key, const ExportedSession &session);
    [[nodiscard]] qsizetype waiting() const { return m_records.keys(Kind::ToBackUp).size(); }

    // The sessions go there from now on. True: that is another place than before, or some mark could not be read and is
    // given up, and the walk begins anew.
    [[nodiscard]] bool aim(const BackupPlace &place);
    // The next ones of `held` (sorted) in the walk; empty: it is over, or there is no place.
    [[nodiscard]] QStringList walk(const QStringList &held);
    void forget();

    // Body of an upload with what was marked, {} if nothing was. `isVerified`: whether the device that a session came
    // from was verified by us. Said only of whole sessions: a homeserver prefers a verified one to one that reaches
    // further back.
    using IsVerified = std::function<bool(const SessionOwner &owner)>;
    [[nodiscard]] Outcome<QJsonObject> upload(const BackupPlace &place, const IsVerified &isVerified,
                                              const Random &random) const;
    // The homeserver has what such a body held. What was marked with more meanwhile stays.
    void uploaded(const QJsonObject &body);

private:
    struct Walk {
        BackupPlace place;
        QString reached; // the last key; everything up to it was marked
        bool over = false;
    };
    [[nodiscard]] std::optional<Walk> walkOf() const;
    void write(const Walk &walk);
    [[nodiscard]] Outcome<ExportedSession> marked(const QString &key) const;

    Backend &m_backend;
    Records &m_records;
};

} // namespace voip::crypto
