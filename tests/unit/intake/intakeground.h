// SPDX-License-Identifier: Apache-2.0
// An intake over a real store, for two bridged users of whom one is in a room with somebody, and what the lanes are
// given.
#pragma once

#include "fakehomeserver.h"
#include "intake/intake.h"
#include "storetest.h"

class IntakeGround : public QObject
{
protected:
    const QString alice = QStringLiteral("@nova_alice:test");
    const QString carol = QStringLiteral("@nova_carol:test");
    const QString bob = QStringLiteral("@bob:test");
    const QString room = QStringLiteral("!r:test");
    storetest::Databases m_databases;
    voip::observe::Metrics m_metrics;
    voip::intake::Router m_router{QStringLiteral("nova_"), QStringLiteral("test")};
    std::unique_ptr<voip::store::Store> m_store;
    std::unique_ptr<voip::intake::Intake> m_intake;
    QStringList m_given; // "<lane>: <event ids>"

    QFuture<voiphost::BatchResult> offer(const char *transaction, const QVector<QJsonObject> &events)
    {
        voiphost::EventBatch batch;
        batch.transactionId = QLatin1String(transaction);
        batch.receivedAt = 1000;
        batch.events = events;
        return m_intake->accept(batch);
    }
    voiphost::BatchResult accept(const char *transaction, const QVector<QJsonObject> &events)
    {
        auto future = offer(transaction, events);
        storetest::waitUntil([&] { return future.isFinished(); }, "the batch");
        return future.result();
    }
    QStringList given() { return std::exchange(m_given, {}); }
    static QString ids(const QVector<voip::store::InboxEntry> &entries)
    {
        QStringList all;
        for (const auto &entry : entries)
            all.push_back(entry.body.value(QStringLiteral("event_id")).toString());
        return all.join(u' ');
    }

    void begin(bool shared)
    {
        m_router = voip::intake::Router(QStringLiteral("nova_"), QStringLiteral("test"));
        m_router.setUsers({QStringLiteral("alice"), QStringLiteral("carol")});
        m_router.setInRoom(alice, room, true);
        m_store = std::make_unique<voip::store::SqlStore>(m_databases.fresh(QStringLiteral("sqlite")));
        m_intake = std::make_unique<voip::intake::Intake>(*m_store, m_router, m_metrics, shared);
        connect(m_intake.get(), &voip::intake::Intake::accepted, this,
                [this](const QString &lane, const auto &entries) {
                    m_given += lane + QStringLiteral(": ") + ids(entries);
                });
        m_given.clear();
    }
    void end()
    {
        m_intake.reset();
        m_store.reset();
    }
};
