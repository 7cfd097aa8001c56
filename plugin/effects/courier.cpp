// SPDX-License-Identifier: Apache-2.0
#include "effects/courier.h"

#include "homeserver/syncanswer.h"
#include "observe/log.h"

#include <QElapsedTimer>
#include <QUuid>

namespace voip::effects
{

using crypto::Answer;

namespace
{

const QString deviceName = QStringLiteral("Calls bridge");

Answer::Kind kindOf(const homeserver::Failure &failure)
{
    if (failure.deviceMissing())
        return Answer::Kind::UnknownDevice;
    if (failure.status == 400 && failure.message.contains(QLatin1String("already exists")))
        return Answer::Kind::KeysExist;
    return failure.passing() || failure.status == 401 || failure.status == 403 ? Answer::Kind::Failed
                                                                               : Answer::Kind::Refused;
}

Answer answerOf(quint64 id, const homeserver::Failure &failure)
{
    return {id, kindOf(failure), {}, failure.retryAfterMs};
}

} // namespace

Courier::Courier(homeserver::Client &client, QStringList types, EnsureGhost ensureGhost, FindBackup findBackup,
                 Accept accept, QObject *parent)
    : QObject(parent), m_client(client), m_types(std::move(types)), m_ensureGhost(std::move(ensureGhost)),
      m_findBackup(std::move(findBackup)), m_accept(std::move(accept))
{
}

void Courier::carry(const QString &lane, const QString &device, const QVector<crypto::Asked> &requests)
{
    for (const crypto::Asked &asked : requests) {
        const Trip trip{lane, device, asked.id};
        std::visit([this, &trip](const auto &request) { run(trip, request); }, asked.request);
    }
}

template <typename T>
homeserver::Reply<T> Courier::back(const Trip &trip)
{
    return [this, trip](const homeserver::Result<T> &result) {
        if (!result.ok()) {
            qCInfo(observe::cryptoLog).noquote()
                << "a request of" << trip.lane << "failed:" << result.error().code << result.error().message;
            Q_EMIT answered(trip.lane, answerOf(trip.id, result.error()));
        } else if constexpr (std::is_same_v<T, QJsonObject>) {
            Q_EMIT answered(trip.lane, {trip.id, Answer::Kind::Ok, *result, 0});
        } else {
            Q_EMIT answered(trip.lane, {trip.id, Answer::Kind::Ok, {}, 0});
        }
    };
}

void Courier::run(const Trip &trip, const crypto::MakeDevice &make)
{
    m_ensureGhost(trip.lane, [this, trip, make](const homeserver::Result<bool> &ghost) {
        if (!ghost.ok())
            return Q_EMIT answered(trip.lane, answerOf(trip.id, ghost.error()));
        m_client.makeDevice(trip.lane, make.id, deviceName, back<homeserver::Done>(trip));
    });
}

void Courier::run(const Trip &trip, const crypto::DropDevice &drop)
{
    m_client.dropDevice(trip.lane, drop.id, back<homeserver::Done>(trip));
}

void Courier::run(const Trip &trip, const crypto::UploadKeys &upload)
{
    m_client.uploadKeys(trip.lane, trip.device, upload.body, back<QJsonObject>(trip));
}

void Courier::run(const Trip &trip, const crypto::UploadIdentity &upload)
{
    m_client.uploadIdentity(trip.lane, upload.body, back<homeserver::Done>(trip));
}

void Courier::run(const Trip &trip, const crypto::QueryKeys &query)
{
    m_client.queryKeys(trip.lane, query.users, back<QJsonObject>(trip));
}

void Courier::run(const Trip &trip, const crypto::ClaimKeys &claim)
{
    m_client.claimKeys(trip.lane, claim.devices, back<QJsonObject>(trip));
}

void Courier::run(const Trip &trip, const crypto::SendToDevice &send)
{
    m_client.sendToDevice(trip.lane, send.type, send.txnId, send.messages, back<homeserver::Done>(trip));
}

void Courier::run(const Trip &trip, const crypto::FindBackup &)
{
    m_findBackup(trip.lane, back<QJsonObject>(trip));
}

void Courier::run(const Trip &trip, const crypto::BackUpKeys &upload)
{
    const auto answer = back<homeserver::Done>(trip);
    m_client.backUpKeys(trip.lane, upload.version, upload.body, [this, trip, answer](const auto &result) {
        if (result.ok() || result.error().passing())
            return answer(result);
        const homeserver::Failure &failure = result.error();
        qCWarning(observe::cryptoLog).noquote()
            << "the key backup of" << trip.lane << "takes nothing:" << failure.code << failure.message;
        const bool another = failure.code == QLatin1String("M_WRONG_ROOM_KEYS_VERSION") ||
                             failure.code == QLatin1String("M_NOT_FOUND"); // it was deleted
        Q_EMIT backupRefused(trip.lane);
        Q_EMIT answered(trip.lane, {trip.id, another ? Answer::Kind::WrongVersion : Answer::Kind::Refused, {}, 0});
    });
}

void Courier::run(const Trip &trip, const crypto::CatchUp &catchUp)
{
    QElapsedTimer clock;
    clock.start();
    m_client.syncDevice(trip.lane, trip.device, catchUp.since, m_types,
                        [this, trip, clock, since = catchUp.since](const homeserver::Result<QJsonObject> &sync) {
                            if (!sync.ok())
                                return Q_EMIT answered(trip.lane, answerOf(trip.id, sync.error()));
                            handOn(trip, since, *sync, clock.elapsed());
                        });
}

void Courier::handOn(const Trip &trip, const QString &since, const QJsonObject &sync, qint64 took)
{
    const auto read =
        homeserver::readSync(sync, {trip.lane, trip.device, since, m_types, homeserver::Invitations::All});
    if (!read.ok())
        return Q_EMIT answered(trip.lane, answerOf(trip.id, read.error()));
    voiphost::EventBatch batch;
    batch.transactionId = QStringLiteral("sync:") + QUuid::createUuid().toString(QUuid::Id128);
    // What came by itself, too, is known by its id.
    for (const homeserver::SyncRoom &room : read->rooms)
        batch.events += room.state + room.timeline;
    batch.toDevice = read->toDevice;
    batch.deviceLists = read->deviceLists;
    batch.oneTimeKeyCounts = read->oneTimeKeyCounts;
    batch.unusedFallbackKeyTypes = read->unusedFallbackKeyTypes;
    const auto count = static_cast<int>(batch.toDevice.size());
    // A page may be full: then there is more.
    const QJsonObject reached{{QStringLiteral("next_batch"), read->nextBatch}, {QStringLiteral("more"), count > 0}};
    m_accept(batch, [this, trip, reached, count, took](bool durable) {
        if (count > 0)
            Q_EMIT rescued(trip.lane, count, took);
        Q_EMIT answered(trip.lane, {trip.id, durable ? Answer::Kind::Ok : Answer::Kind::Failed, reached, 0});
    });
}

} // namespace voip::effects
