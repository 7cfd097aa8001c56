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
    Courier(homeserver::Client &client, EnsureGhost ensureGhost, Accept accept, QObject *parent = nullptr);

    void carry(const QString &lane, const QString &device, const QVector<crypto::Asked> &requests);

Q_SIGNALS:
    void answered(const QString &lane, const voip::crypto::Answer &answer);
    void rescued(const QString &lane, int messages, qint64 ms); // a catching-up has ended

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
    void handOn(const Trip &trip, const QJsonObject &sync, qint64 begun);
    template <typename T>
    [[nodiscard]] homeserver::Reply<T> back(const Trip &trip);

    homeserver::Client &m_client;
    EnsureGhost m_ensureGhost;
    Accept m_accept;
};

} // namespace voip::effects
