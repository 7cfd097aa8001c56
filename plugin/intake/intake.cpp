// SPDX-License-Identifier: Apache-2.0
#include "intake/intake.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QPromise>

namespace voip::intake
{

using voiphost::BatchResult;

namespace
{

constexpr qsizetype maxEventBytes = 1024 * 1024; // an event may have 65 536; escapes make it longer

} // namespace

Intake::Intake(store::Store &store, Router &router, observe::Metrics &metrics, QObject *parent)
    : QObject(parent), m_store(store), m_router(router), m_metrics(metrics)
{
}

QFuture<BatchResult> Intake::accept(const voiphost::EventBatch &batch)
{
    // Whoever lets go of it last without an answer has refused the batch.
    const Promise promise(new QPromise<BatchResult>, [](QPromise<BatchResult> *last) {
        if (!last->future().isFinished()) {
            last->addResult(BatchResult::Refused);
            last->finish();
        }
        delete last;
    });
    promise->start();
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

store::InboxBatch Intake::sort(const voiphost::EventBatch &batch)
{
    store::InboxBatch inbox{{}, batch.receivedAt, {}};
    QCryptographicHash content(QCryptographicHash::Sha256);
    content.addData(batch.transactionId.toUtf8());
    for (const QJsonObject &event : batch.events) {
        if (!fits(event))
            continue;
        m_router.learn(event); // before the lane does: the next event of that room may be right behind
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

void Intake::take(const voiphost::EventBatch &batch, const Promise &promise)
{
    const auto answer = [promise](BatchResult result) {
        promise->addResult(result);
        promise->finish();
    };
    if (!m_open || !m_store.available() || m_depth >= maxDepth)
        return answer(BatchResult::Refused);

    store::InboxBatch inbox = sort(batch);
    if (inbox.events.isEmpty())
        return answer(BatchResult::Durable); // nothing to keep: a repeat changes nothing either

    const qsizetype offered = inbox.events.size();
    m_store.accept(std::move(inbox), this, [this, answer, offered](const auto &result) {
        if (!result.ok())
            return answer(BatchResult::Refused);
        answer(BatchResult::Durable);
        if (const auto known = offered - result->size(); known > 0)
            m_metrics.count(observe::LabelledCounter::Duplicates, QStringLiteral("event"),
                            static_cast<std::uint64_t>(known));
        spread(*result);
    });
}

void Intake::resume(const QVector<store::InboxEntry> &pending)
{
    m_open = true;
    QVector<store::InboxEntry> ours;
    std::copy_if(pending.cbegin(), pending.cend(), std::back_inserter(ours),
                 [this](const store::InboxEntry &entry) { return m_router.isBridged(entry.lane); });
    spread(ours);
}

void Intake::spread(const QVector<store::InboxEntry> &entries)
{
    m_depth += entries.size();
    m_metrics.set(observe::Gauge::InboxDepth, m_depth);
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

void Intake::consumed(qsizetype entries)
{
    m_depth -= entries;
    m_metrics.set(observe::Gauge::InboxDepth, m_depth);
}

} // namespace voip::intake
