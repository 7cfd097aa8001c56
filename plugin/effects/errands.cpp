// SPDX-License-Identifier: Apache-2.0
#include "effects/errands.h"

#include <QUuid>

#include <utility>

namespace voip::effects
{

namespace
{

constexpr int maxWaiting = 4096;
constexpr int pollMs = 250; // where nothing tells us
constexpr int pollBehindMs = 2000;

} // namespace

Errands::Errands(store::Store &store, Leases &leases, Serve serve, QObject *parent)
    : QObject(parent), m_store(store), m_leases(leases), m_serve(std::move(serve))
{
    connect(&m_store, &store::Store::stirred, this, [this](store::Stir what, const QString &whom) {
        if (!m_poll.isActive())
            return;
        const bool all = what == store::Stir::All;
        if (all || (what == store::Stir::Errand && m_served.contains(store::partitionOf(whom))))
            look();
        if (all || (what == store::Stir::Answer && whom == m_leases.worker()))
            lookForAnswers();
    });
    connect(&m_poll, &QTimer::timeout, this, [this] {
        m_poll.setInterval(m_store.hears() ? pollBehindMs : pollMs);
        look();
        if (!m_waiting.isEmpty())
            lookForAnswers();
    });
}

void Errands::start()
{
    if (m_leases.shared())
        m_poll.start(pollMs);
}

void Errands::setServed(const QVector<int> &partitions)
{
    m_served = partitions;
    look();
}

void Errands::send(const QString &lane, const QJsonObject &body, Reply reply)
{
    if (m_waiting.size() >= maxWaiting || !m_store.available())
        return reply(std::nullopt);
    const QString id = QUuid::createUuid().toString(QUuid::Id128);
    m_waiting.insert(id, std::move(reply));
    QTimer::singleShot(patienceMs, this, [this, id] { withdraw(id); });
    m_store.sendErrand({id, lane, m_leases.worker(), body}, this, [this, id](const auto &sent) {
        if (!sent.ok())
            withdraw(id); // it may have been written all the same
    });
}

// Whoever is told "not now" may ask again: it must not be done after that. What somebody has taken, or what nobody can
// say it of, is waited for a little longer.
void Errands::withdraw(const QString &id)
{
    if (!m_waiting.contains(id))
        return;
    m_store.withdrawErrand(id, this, [this, id](const store::Result<bool> &withdrawn) {
        if (withdrawn.ok() && *withdrawn)
            return give(id, std::nullopt);
        QTimer::singleShot(patienceMs, this, [this, id] { give(id, std::nullopt); });
    });
}

void Errands::give(const QString &id, const std::optional<QJsonObject> &answer)
{
    if (const Reply reply = m_waiting.take(id))
        reply(answer);
}

void Errands::look()
{
    if (m_served.isEmpty() || !m_store.available())
        return;
    if (std::exchange(m_looking, true)) {
        m_lookAgain = true;
        return;
    }
    m_lookAgain = false;
    m_store.takeErrands(m_served, this, [this](const store::Result<QVector<store::Errand>> &taken) {
        m_looking = false;
        if (taken.ok()) {
            for (const store::Errand &errand : *taken) {
                m_serve(errand.lane, errand.body, [this, errand](const QJsonObject &answer) {
                    m_store.answerErrand({errand.id, errand.lane, errand.worker, answer}, this, [](const auto &) {});
                });
            }
        }
        if (m_lookAgain)
            look();
    });
}

void Errands::lookForAnswers()
{
    if (!m_store.available())
        return;
    if (std::exchange(m_fetching, true)) {
        m_fetchAgain = true;
        return;
    }
    m_fetchAgain = false;
    m_store.takeAnswers(m_leases.worker(), this, [this](const store::Result<QVector<store::Errand>> &answers) {
        m_fetching = false;
        if (answers.ok()) {
            for (const store::Errand &answer : *answers)
                give(answer.id, answer.body);
        }
        if (m_fetchAgain)
            lookForAnswers();
    });
}

} // namespace voip::effects
