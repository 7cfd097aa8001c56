// SPDX-License-Identifier: Apache-2.0
// Who has which devices: the lists of the users whom one device of ours follows. Takes notices of change and answers to
// keys/query, believes nothing that is not signed (E6, E7), and says what must be asked. An answer that was overtaken
// by a newer notice is used, and asked for again (E5). Each user is one record.
#pragma once

#include "crypto/note.h"
#include "crypto/records.h"

#include <QJsonObject>
#include <QSet>

namespace voip::crypto
{

struct Device {
    QString user;
    QString id;
    QString curve25519;
    QString ed25519;
    bool crossSigned = false; // by its owner's self-signing key, and that by the owner's master key
    bool operator==(const Device &) const = default;
};

struct UserDevices {
    bool outdated = true;
    bool known = false; // an answer was read at least once
    QString masterKey;  // empty: the user has no cross-signing identity
    QMap<QString, Device> devices;
};

enum class Policy { All, CrossSigned, Verified }; // who gets our keys, and whose events count (E24)

class DeviceLists
{
public:
    DeviceLists(Records &records, Policy policy, QHash<QString, QString> verifiedMasterKeys);

    [[nodiscard]] bool follows(const QString &user) const;
    void follow(const QString &user);
    void changed(const QString &user); // nothing for a user whom we do not follow
    void allChanged();                 // after a gap

    [[nodiscard]] const UserDevices *find(const QString &user) const; // null: not followed
    // Its list was read and nothing has changed since.
    [[nodiscard]] bool upToDate(const QString &user) const;
    [[nodiscard]] QStringList outdated() const;
    // One that its owner signed goes before others: a homeserver can list a copy of it.
    [[nodiscard]] const Device *byCurveKey(const QString &user, const QString &curve25519) const;
    [[nodiscard]] bool trusts(const Device &device) const; // by the policy
    // Whatever the policy: signed by an identity that is known to be its user's.
    [[nodiscard]] bool isVerified(const Device &device) const;
    // The user's master key that is known to be theirs: by the settings, or else by a verification; empty: none is.
    [[nodiscard]] QString verifiedMasterKey(const QString &user) const;
    void verify(const QString &user, const QString &masterKey);

    // The keys/query that is about to be asked, and what came of it. `users`: whom it asked for. -> of whom it said
    // nothing, since their server could not be asked.
    [[nodiscard]] quint64 asked() const { return m_notice; }
    [[nodiscard]] QStringList read(const QStringList &users, quint64 asked, const QJsonObject &answer, Notes &notes);

    void save();
    void revert() { m_live.clear(); } // notices of change stay: one too many costs a question

private:
    struct Entry {
        UserDevices list;
        bool dirty = false;
    };
    [[nodiscard]] Entry *entry(const QString &user) const;
    void readUser(const QString &user, Entry &entry, const QJsonObject &answer, Notes &notes);

    Records &m_records;
    const Policy m_policy;
    const QHash<QString, QString> m_verified;
    mutable QHash<QString, std::shared_ptr<Entry>> m_live;
    QHash<QString, quint64> m_changedAt; // by user: the notice that made the list outdated
    quint64 m_notice = 1;
};

} // namespace voip::crypto
