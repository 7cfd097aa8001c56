// SPDX-License-Identifier: Apache-2.0
#include "intake/intake.h"

#include "intake/size.h"
#include "store/keyentry.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QPromise>
#include <QUuid>

#include <algorithm>
#include <array>

namespace voip::intake
{

using voiphost::BatchResult;

namespace
{

constexpr qsizetype maxEventBytes = 1024 * 1024;         // an event may have 65 536; escapes make it longer
const QString listsId = QStringLiteral("device_lists:"); // and what makes it unique
constexpr int pollBehindMs = 2000;

} // namespace

Intake::Intake(store::Store &store, Router &router, observe::Metrics &metrics, bool shared, QObject *parent)
    : QObject(parent), m_store(store), m_router(router), m_metrics(metrics), m_shared(shared)
{
    if (!shared) {
        connect(&m_store, &store::Store::availableChanged, this, [this](bool available) {
            if (available && std::exchange(m_unheard, false))
                fetch(true);
        });
        return;
    }
    connect(&m_store, &store::Store::stirred, this, [this](store::Stir what, const QString &whom) {
        if (what == store::Stir::All)
            fetch(true);
        else if (what == store::Stir::Inbox && m_served.contains(store::partitionOf(whom)))
            fetch(false);
    });
    connect(&m_poll, &QTimer::timeout, this, [this] {
        m_poll.setInterval(m_store.hears() ? pollBehindMs : pollMs);
        fetch(false);
    });
    connect(&m_raise, &QTimer::timeout, this, [this] { m_settled = std::exchange(m_nextFloor, m_highest); });
}

QFuture<BatchResult> Intake::accept(const voiphost::EventBatch &batch)
{
    // Whoever lets go of it last without an answer has refused the batch.
    const Promise promise(new QPromise<BatchResult>, [asked = m_asked](QPromise<BatchResult> *last) {
        if (!last->future().isFinished()) {
            last->addResult(BatchResult::Refused);
            last->finish();
        }
        delete last;
        --*asked;
    });
    promise->start();
    if (++*m_asked > maxAsked) { // the core is behind: what it has not even seen must not pile up
        m_metrics.count(observe::LabelledCounter::RefusedBatches, QStringLiteral("too_many"));
        return promise->future();
    }
    QMetaObject::invokeMethod(this, [this, batch, promise] { take(batch, promise); });
    return promise->future();
}

// What no row can hold must not keep the rest of its batch out, nor make the homeserver repeat it for ever.
bool Intake::fits(const QJsonObject &event)
{
    const auto reject = [this](const char *reason) {
        m_metrics.count(observe::LabelledCounter::RejectedEvents, QLatin1String(reason));
        return false;
    };
    const QString eventId = event.value(QLatin1String("event_id")).toString();
    if (eventId.isEmpty() || eventId.size() > 255 || eventId.contains(QChar(u'\0')))
        return reject("bad_event_id");
    if (QJsonDocument(event).toJson(QJsonDocument::Compact).size() > maxEventBytes)
        return reject("too_large");
    return true;
}

// Room keys stand before the events that need them.
void Intake::sortKeys(const voiphost::EventBatch &batch, store::InboxBatch &inbox)
{
    for (const QJsonObject &message : batch.toDevice) {
        const QString lane = message.value(QLatin1String("to_user_id")).toString();
        if (!m_router.isBridged(lane))
            continue;
        QJsonObject body = store::toDeviceEntry(message);
        const QByteArray text = QJsonDocument(body).toJson(QJsonDocument::Compact);
        if (text.size() > maxEventBytes) {
            m_metrics.count(observe::LabelledCounter::RejectedEvents, QStringLiteral("too_large"));
            continue;
        }
        const QByteArray id = QCryptographicHash::hash(text, QCryptographicHash::Sha256).toHex();
        inbox.events.push_back({lane, QStringLiteral("to_device:") + QString::fromLatin1(id), std::move(body)});
    }
    QHash<QString, std::array<QStringList, 2>> ofLane; // changed, left
    for (const auto &[key, which] : {std::pair{"changed", 0}, std::pair{"left", 1}}) {
        for (const QJsonValue value : batch.deviceLists.value(QLatin1String(key)).toArray()) {
            const QString user = value.toString();
            const QStringList followers = m_shared ? m_followers.value(user) : m_router.followersOf(user);
            for (const QString &lane : followers)
                ofLane[lane][static_cast<std::size_t>(which)].push_back(user);
        }
    }
    // The same notice twice is harmless, one that is taken for a repeat is not: each has an id of its own.
    for (auto it = ofLane.cbegin(); it != ofLane.cend(); ++it)
        inbox.events.push_back({it.key(), listsId + QUuid::createUuid().toString(QUuid::Id128),
                                store::deviceListEntry((*it)[0], (*it)[1])});
}

void Intake::tellCounts(const voiphost::EventBatch &batch)
{
    constexpr QLatin1String algorithm("signed_curve25519");
    QSet<QString> users;
    for (const QJsonObject &object : {batch.oneTimeKeyCounts, batch.unusedFallbackKeyTypes}) {
        for (const QString &user : object.keys())
            users.insert(user);
    }
    for (const QString &user : std::as_const(users)) {
        if (!m_router.isBridged(user))
            continue;
        const QJsonObject counts = batch.oneTimeKeyCounts.value(user).toObject();
        const QJsonObject fallback = batch.unusedFallbackKeyTypes.value(user).toObject();
        QStringList devices = counts.keys() + fallback.keys();
        devices.removeDuplicates();
        for (const QString &device : std::as_const(devices)) {
            // A device without any keys left is named without the algorithm.
            const int left = counts.contains(device) ? counts.value(device).toObject().value(algorithm).toInt(0) : -1;
            const int unused =
                fallback.contains(device) ? (fallback.value(device).toArray().contains(algorithm) ? 1 : 0) : -1;
            Q_EMIT counted(user, device, left, unused);
        }
    }
}

store::InboxBatch Intake::sort(const voiphost::EventBatch &batch)
{
    store::InboxBatch inbox{{}, batch.receivedAt, {}, {}, m_shared};
    QCryptographicHash content(QCryptographicHash::Sha256);
    content.addData(batch.transactionId.toUtf8());
    sortKeys(batch, inbox);
    for (const store::InboxEvent &entry : std::as_const(inbox.events)) {
        content.addData(QByteArrayView("\0", 1));
        content.addData(entry.eventId.toUtf8());
    }
    for (const QJsonObject &event : batch.events) {
        if (!fits(event))
            continue;
        // Before the lane does: the next event of that room may be right behind.
        if (const QString joined = m_router.learn(event); !joined.isEmpty())
            inbox.joins.emplace_back(joined, event.value(QLatin1String("room_id")).toString());
        const QStringList lanes = m_router.lanesFor(event);
        const bool isCall = event.value(QLatin1String("type")).toString().startsWith(QLatin1String("m.call."));
        if (lanes.isEmpty() && isCall) {
            m_metrics.count(observe::Counter::RoomNotFound);
            m_metrics.count(observe::LabelledCounter::RejectedEvents, QStringLiteral("unknown_room"));
        }
        const QString eventId = event.value(QLatin1String("event_id")).toString();
        content.addData(QByteArrayView("\0", 1));
        content.addData(eventId.toUtf8());
        for (const QString &lane : lanes)
            inbox.events.push_back({lane, eventId, event});
    }
    inbox.transactionId = QString::fromLatin1(content.result().toHex());
    return inbox;
}

Intake::Needs Intake::needsOf(const voiphost::EventBatch &batch)
{
    Needs needs;
    for (const QJsonObject &event : batch.events) {
        const QString room = event.value(QLatin1String("room_id")).toString();
        if (!room.isEmpty() && room.size() <= 255 && !needs.rooms.contains(room))
            needs.rooms.push_back(room);
    }
    for (const char *key : {"changed", "left"}) {
        for (const QJsonValue value : batch.deviceLists.value(QLatin1String(key)).toArray()) {
            if (const QString user = value.toString(); !user.isEmpty() && user.size() <= 255)
                needs.users.push_back(user);
        }
    }
    needs.users.removeDuplicates();
    return needs;
}

// What the store knows of these rooms is what counts: lanes of other workers come and go there.
void Intake::learn(const Needs &needs, const store::Routes &routes)
{
    for (const QString &room : needs.rooms)
        m_router.setLanesOf(room, routes.lanesOfRoom.value(room));
    m_followers.clear();
    for (const QString &user : needs.users) {
        QStringList lanes = routes.followersOfUser.value(user);
        lanes.removeIf([this](const QString &lane) { return !m_router.isBridged(lane); });
        if (m_router.isBridged(user) && !lanes.contains(user))
            lanes.push_back(user);
        m_followers.insert(user, lanes);
    }
}

// Shared: what waits in the store, whoever is to serve it, as far as is known here.
bool Intake::tooDeep() const
{
    const qint64 entries = m_shared ? m_stored.entries + m_storedSince.entries : m_waiting.size();
    const qint64 bytes = m_shared ? m_stored.bytes + m_storedSince.bytes : m_waitingBytes;
    return entries + m_offered >= maxDepth || bytes + m_offeredBytes >= maxBytes;
}

void Intake::refuse(const Promise &promise, const char *why)
{
    m_metrics.count(observe::LabelledCounter::RefusedBatches, QLatin1String(why));
    promise->addResult(BatchResult::Refused);
    promise->finish();
    Q_EMIT refused();
}

void Intake::take(const voiphost::EventBatch &batch, const Promise &promise)
{
    if (!m_open || !m_store.available())
        return refuse(promise, m_open ? "database" : "starting");
    if (!m_shared)
        return tooDeep() ? refuse(promise, "too_deep") : route(batch, promise);
    if (!tooDeep() && m_storedSince.entries < lookAfter && m_storedSince.bytes < lookAfterBytes)
        return route(batch, promise);
    look([this, batch, promise](bool looked) {
        if (!looked || tooDeep())
            return refuse(promise, looked ? "too_deep" : "database");
        route(batch, promise);
    });
}

// How much waits, whoever accepted it. One look answers all that wait for it.
void Intake::look(std::function<void(bool)> then)
{
    m_lookers.push_back(std::move(then));
    if (m_lookers.size() > 1)
        return;
    m_storedSince = {};
    m_store.inboxDepth(maxDepth, this, [this](const store::Result<store::InboxDepth> &depth) {
        if (depth.ok())
            m_stored = *depth;
        for (const auto &looker : std::exchange(m_lookers, {}))
            looker(depth.ok());
    });
}

void Intake::route(const voiphost::EventBatch &batch, const Promise &promise)
{
    const Needs needs = m_shared ? needsOf(batch) : Needs();
    if (needs.rooms.isEmpty() && needs.users.isEmpty())
        return keep(batch, promise);
    m_store.findRoutes(needs.rooms, needs.users, this, [this, batch, promise, needs](const auto &routes) {
        if (!routes.ok())
            return refuse(promise, "database");
        if (tooDeep()) // by what was asked meanwhile
            return refuse(promise, "too_deep");
        learn(needs, *routes);
        keep(batch, promise);
    });
}

void Intake::keep(const voiphost::EventBatch &batch, const Promise &promise)
{
    const auto answer = [promise](BatchResult result) {
        promise->addResult(result);
        promise->finish();
    };
    store::InboxBatch inbox = sort(batch);
    if (inbox.events.isEmpty()) { // nothing to keep: a repeat changes nothing either
        answer(BatchResult::Durable);
        return tellCounts(batch);
    }

    const qsizetype offered = inbox.events.size();
    qsizetype bytes = 0;
    for (const store::InboxEvent &event : std::as_const(inbox.events))
        bytes += bytesOf(event.body);
    m_offered += offered;
    m_offeredBytes += bytes;
    const bool lists = std::any_of(inbox.events.cbegin(), inbox.events.cend(),
                                   [](const auto &event) { return event.eventId.startsWith(listsId); });
    m_store.accept(std::move(inbox), this, [this, promise, answer, offered, bytes, batch, lists](const auto &result) {
        m_offered -= offered;
        m_offeredBytes -= bytes;
        if (!result.ok()) {
            m_unheard = m_unheard || lists;
            return refuse(promise, "database");
        }
        answer(BatchResult::Durable);
        // What was kept before without our having heard of it is in no lane's hands.
        QVector<store::InboxEntry> fresh = *result;
        fresh.removeIf([this](const store::InboxEntry &entry) { return m_inHand.contains(entry.seq); });
        if (const auto known = offered - fresh.size(); known > 0)
            m_metrics.count(observe::LabelledCounter::Duplicates, QStringLiteral("event"),
                            static_cast<std::uint64_t>(known));
        m_storedSince.entries += fresh.size();
        m_storedSince.bytes += fresh.isEmpty() ? 0 : bytes;
        if (m_shared)
            fetch(false);
        else
            spread(fresh);
        tellCounts(batch);
    });
}

void Intake::spread(const QVector<store::InboxEntry> &entries)
{
    for (const store::InboxEntry &entry : entries) {
        const qsizetype bytes = bytesOf(entry.body);
        m_waiting.insert(entry.seq, bytes);
        m_waitingBytes += bytes;
        m_inHand.insert(entry.seq, {store::partitionOf(entry.lane), bytes});
        m_inHandBytes += bytes;
    }
    tellDepth();
    // One batch for each lane and transaction (R28).
    QMap<QString, QVector<store::InboxEntry>> byLane;
    QString transaction;
    const auto handOn = [&] {
        for (auto it = byLane.constBegin(); it != byLane.constEnd(); ++it)
            Q_EMIT accepted(it.key(), it.value());
        byLane.clear();
    };
    for (const store::InboxEntry &entry : entries) {
        if (entry.transactionId != transaction) {
            handOn();
            transaction = entry.transactionId;
        }
        byLane[entry.lane].push_back(entry);
    }
    handOn();
}

void Intake::consumed(const QVector<qint64> &seqs)
{
    for (const qint64 seq : seqs) {
        m_inHandBytes -= m_inHand.take(seq).bytes;
        if (m_fetching)
            m_consumedMeanwhile.insert(seq);
    }
    seen(seqs);
}

void Intake::seen(const QVector<qint64> &seqs)
{
    for (const qint64 seq : seqs)
        m_waitingBytes -= m_waiting.take(seq);
    if (m_waiting.isEmpty())
        m_waiting.squeeze();
    tellDepth();
    readOnIfDue();
}

void Intake::tellDepth()
{
    m_metrics.set(observe::Gauge::InboxDepth, m_waiting.size());
    if (!m_shared)
        return;
    const store::InboxDepth aside{m_inHand.size() - m_waiting.size() + m_nobodys.size(),
                                  m_inHandBytes - m_waitingBytes + m_nobodysBytes};
    if (aside != std::exchange(m_aside, aside))
        Q_EMIT keepsAside(aside);
}

} // namespace voip::intake
