// SPDX-License-Identifier: Apache-2.0
// Carries out what the machines ask of the homeserver: one attempt each, and the answer goes back to the lane it came
// from. Repeating is the machine's business. What a catching-up /sync brings is handed on like a transaction, and only
// once that is durable is the machine told how far it came. Decides nothing, opens nothing.
#pragma once

#include "crypto/request.h"
#include "homeserver/ghosts.h"

#include <voiphost/events.h>

#include <QObject>

#include <functional>

namespace voip::effects
{

class Courier : public QObject
{
    Q_OBJECT

public:
    using Accept = std::function<void(const voiphost::EventBatch &batch, std::function<void(bool durable)> done)>;
    using EnsureGhost = std::function<void(const QString &lane, homeserver::Reply<bool> reply)>;
    // The account's key backup, looked for and judged: {"version", "public_key"}.
    using FindBackup = std::function<void(const QString &lane, homeserver::Reply<QJsonObject> reply)>;
    // `types`: of the events that a catching-up /sync brings as well; homeservers lose those, too.
    Courier(homeserver::Client &client, QStringList types, EnsureGhost ensureGhost, FindBackup findBackup,
            Accept accept, QObject *parent = nullptr);

    void carry(const QString &lane, const QString &device, const QVector<crypto::Asked> &requests);

Q_SIGNALS:
    void answered(const QString &lane, const voip::crypto::Answer &answer);
    void rescued(const QString &lane, int messages, qint64 ms); // a catching-up has ended
    void backupRefused(const QString &lane);                    // an upload to it, and not for a while only

private:
    struct Trip { // one request on its way
        QString lane;
        QString device;
        quint64 id = 0;
    };
    void run(const Trip &trip, const crypto::MakeDevice &make);
    void run(const Trip &trip, const crypto::DropDevice &drop);
    void run(const Trip &trip, const crypto::UploadKeys &upload);
    void run(const Trip &trip, const crypto::UploadIdentity &upload);
    void run(const Trip &trip, const crypto::QueryKeys &query);
    void run(const Trip &trip, const crypto::ClaimKeys &claim);
    void run(const Trip &trip, const crypto::SendToDevice &send);
    void run(const Trip &trip, const crypto::CatchUp &catchUp);
    void run(const Trip &trip, const crypto::FindBackup &find);
    void run(const Trip &trip, const crypto::BackUpKeys &upload);
    void handOn(const Trip &trip, const QString &since, const QJsonObject &sync, qint64 took);
    template <typename T>
    [[nodiscard]] homeserver::Reply<T> back(const Trip &trip);

    homeserver::Client &m_client;
    const QStringList m_types;
    EnsureGhost m_ensureGhost;
    FindBackup m_findBackup;
    Accept m_accept;
};

} // namespace voip::effects
