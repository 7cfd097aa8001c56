// SPDX-License-Identifier: Apache-2.0
// A homeserver's part in encryption, in memory and as a specification would have it, for machines that talk to each
// other in one thread: devices, keys, to-device messages. A test may bend any answer on its way (`bend`), and may look
// at or keep back messages.
#pragma once

#include "crypto/machine.h"
#include "crypto/olmbackend.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace voip::crypto::test
{

class KeyServer
{
public:
    using Bend = std::function<QJsonObject(const Request &, QJsonObject answer)>;
    Bend bend;
    struct Queued {
        QString user;
        QString device;
        QJsonObject message; // {type, sender, content}
    };
    QVector<Queued> queue;
    QStringList seenTransactions;
    QHash<QString, int> handedOut; // one-time key id with its device -> how often
    int requests = 0;
    QVector<Request> asked; // all of them
    struct Backup {         // of the one account that has any
        QString version;    // empty: there is none
        QString publicKey;
        QMap<QString, QJsonObject> sessions; // by SessionName::key()
        QVector<qsizetype> uploads;          // how many sessions each brought
        std::optional<Answer::Kind> answer;  // in the place of what would be right
    };
    Backup backup;

    [[nodiscard]] Answer perform(const QString &user, const QString &device, const Asked &asked)
    {
        ++requests;
        this->asked.push_back(asked.request);
        Answer answer{asked.id, Answer::Kind::Ok, {}, 0};
        std::visit([&](const auto &request) { serve(user, device, request, answer); }, asked.request);
        if (bend)
            answer.body = bend(asked.request, answer.body);
        return answer;
    }
    [[nodiscard]] int oneTimeKeys(const QString &user, const QString &device) const
    {
        return static_cast<int>(m_devices[user][device].oneTime.size());
    }
    void dropOneTimeKeys(const QString &user, const QString &device) { m_devices[user][device].oneTime = {}; }
    void keepOneTimeKeys(const QString &user, const QString &device, int count) // the oldest
    {
        QJsonObject &keys = m_devices[user][device].oneTime;
        while (keys.size() > count)
            keys.remove(keys.keys().constLast());
    }
    void dropFallback(const QString &user, const QString &device) { m_devices[user][device].fallback = {}; }
    void deleteDevice(const QString &user, const QString &device) { m_devices[user].remove(device); }
    [[nodiscard]] QStringList devicesOf(const QString &user) const { return m_devices.value(user).keys(); }

private:
    struct KnownDevice {
        QJsonObject keys;
        QJsonObject oneTime;
        QJsonObject fallback;
    };

    void serve(const QString &user, const QString &, const MakeDevice &make, Answer &)
    {
        m_devices[user].insert(make.id, {});
    }
    void serve(const QString &user, const QString &, const DropDevice &drop, Answer &)
    {
        m_devices[user].remove(drop.id);
    }
    void serve(const QString &user, const QString &device, const UploadKeys &upload, Answer &answer)
    {
        if (!m_devices[user].contains(device)) {
            answer.kind = Answer::Kind::UnknownDevice;
            return;
        }
        KnownDevice &known = m_devices[user][device];
        if (const QJsonObject keys = upload.body.value("device_keys").toObject(); !keys.isEmpty())
            known.keys = keys;
        const QJsonObject fresh = upload.body.value("one_time_keys").toObject();
        for (auto it = fresh.begin(); it != fresh.end(); ++it) {
            if (const QJsonValue old = known.oneTime.value(it.key()); !old.isUndefined() && old != it.value()) {
                answer.kind = Answer::Kind::KeysExist;
                return;
            }
            known.oneTime.insert(it.key(), it.value());
        }
        if (const QJsonObject keys = upload.body.value("fallback_keys").toObject(); !keys.isEmpty())
            known.fallback = keys;
        answer.body.insert("one_time_key_counts",
                           QJsonObject{{"signed_curve25519", static_cast<int>(known.oneTime.size())}});
    }
    void serve(const QString &user, const QString &, const UploadIdentity &upload, Answer &)
    {
        m_identities[user] = upload.body;
    }
    void serve(const QString &, const QString &, const QueryKeys &query, Answer &answer)
    {
        QJsonObject devices;
        QJsonObject masters;
        QJsonObject selfSigning;
        for (const QString &user : query.users) {
            QJsonObject ofUser;
            const auto known = m_devices.value(user);
            for (auto it = known.begin(); it != known.end(); ++it) {
                if (!it->keys.isEmpty())
                    ofUser.insert(it.key(), it->keys);
            }
            devices.insert(user, ofUser);
            if (m_identities.contains(user)) {
                masters.insert(user, m_identities[user].value("master_key"));
                selfSigning.insert(user, m_identities[user].value("self_signing_key"));
            }
        }
        answer.body = {{"device_keys", devices}, {"master_keys", masters}, {"self_signing_keys", selfSigning}};
    }
    void serve(const QString &, const QString &, const ClaimKeys &claim, Answer &answer)
    {
        QJsonObject all;
        for (auto it = claim.devices.begin(); it != claim.devices.end(); ++it) {
            QJsonObject ofUser;
            for (const QString &id : it.value()) {
                KnownDevice &known = m_devices[it.key()][id];
                if (!known.oneTime.isEmpty()) {
                    const QString keyId = known.oneTime.begin().key();
                    ofUser.insert(id, QJsonObject{{keyId, known.oneTime.take(keyId)}});
                    ++handedOut[it.key() + id + keyId];
                } else if (!known.fallback.isEmpty()) {
                    ofUser.insert(id, known.fallback);
                }
            }
            all.insert(it.key(), ofUser);
        }
        answer.body.insert("one_time_keys", all);
    }
    void serve(const QString &user, const QString &, const SendToDevice &send, Answer &)
    {
        if (seenTransactions.contains(send.txnId))
            return;
        seenTransactions.push_back(send.txnId);
        for (auto it = send.messages.begin(); it != send.messages.end(); ++it) {
            const QJsonObject ofUser = it.value().toObject();
            for (auto one = ofUser.begin(); one != ofUser.end(); ++one)
                queue.push_back(
                    {it.key(), one.key(), {{"type", send.type}, {"sender", user}, {"content", one.value()}}});
        }
    }
    void serve(const QString &, const QString &, const CatchUp &catchUp, Answer &answer)
    {
        answer.body.insert("next_batch", catchUp.since + "n");
    }

    void serve(const QString &, const QString &, const FindBackup &, Answer &answer)
    {
        answer.kind = backup.answer.value_or(backup.version.isEmpty() ? Answer::Kind::Refused : Answer::Kind::Ok);
        if (answer.kind == Answer::Kind::Ok)
            answer.body = {{"version", backup.version}, {"public_key", backup.publicKey}};
    }
    void serve(const QString &, const QString &, const BackUpKeys &upload, Answer &answer)
    {
        const bool same = upload.version == backup.version;
        answer.kind = backup.answer.value_or(same ? Answer::Kind::Ok : Answer::Kind::WrongVersion);
        if (answer.kind != Answer::Kind::Ok)
            return;
        qsizetype count = 0;
        const QJsonObject rooms = upload.body.value("rooms").toObject();
        for (auto room = rooms.begin(); room != rooms.end(); ++room) {
            const QJsonObject sessions = room.value().toObject().value("sessions").toObject();
            for (auto one = sessions.begin(); one != sessions.end(); ++one, ++count)
                backup.sessions.insert(SessionName{room.key(), one.key()}.key(), one.value().toObject());
        }
        backup.uploads.push_back(count);
    }

    QHash<QString, QMap<QString, KnownDevice>> m_devices;
    QHash<QString, QJsonObject> m_identities;
};

// One device with everything that belongs to it, and its database.
struct Party {
    QString user;
    Seal seal;
    std::unique_ptr<Backend> backend = olmBackend();
    QMap<RecordKey, QByteArray> rows;
    std::unique_ptr<Machine> machine;
    Policy policy = Policy::CrossSigned;
    QString given; // the device of an account's session; empty: it makes one
    bool keyBackup = false;
    Notes notes;
    qint64 now = 1'000'000;

    explicit Party(const QString &id, Policy who = Policy::CrossSigned, const QString &session = {})
        : user(id), seal(Seal::with(Secret(QByteArray(32, 'k'))).value()), policy(who), given(session)
    {
        restart();
    }

    void restart()
    {
        QVector<SealedRecord> committed;
        for (auto it = rows.begin(); it != rows.end(); ++it)
            committed.push_back({it.key(), it.value()});
        machine =
            Machine::open({user, policy, {}, given, keyBackup}, *backend, seal, systemRandom, committed, now).value();
    }
    void commit()
    {
        const auto changes = machine->changes();
        for (const SealedRecord &change : *changes) {
            if (change.sealed.isEmpty())
                rows.remove(change.where);
            else
                rows.insert(change.where, change.sealed);
        }
        machine->committed();
        notes += machine->takeNotes();
    }
    [[nodiscard]] QString device() const { return machine->device().id(); }
    [[nodiscard]] bool noted(const QString &word) const
    {
        return std::any_of(notes.begin(), notes.end(), [&word](const Note &note) { return note.word == word; });
    }
};

// Carries requests and messages until nobody asks for anything.
inline void settle(KeyServer &server, const QVector<Party *> &parties)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (Party *party : parties) {
            party->commit();
            for (const Asked &asked : party->machine->takeRequests(party->now)) {
                moved = true;
                party->machine->answered(server.perform(party->user, party->device(), asked), party->now);
                party->commit();
            }
            const auto waiting = std::exchange(server.queue, {});
            for (const KeyServer::Queued &one : waiting) {
                if (one.user != party->user || one.device != party->device()) {
                    server.queue.push_back(one);
                    continue;
                }
                moved = true;
                party->machine->toDevice(one.message, party->now);
                party->commit();
            }
        }
        server.queue.removeIf([&parties](const KeyServer::Queued &one) {
            return std::none_of(parties.begin(), parties.end(), [&one](const Party *party) {
                return one.user == party->user && one.device == party->device();
            });
        });
    }
}

} // namespace voip::crypto::test
