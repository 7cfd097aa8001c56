// SPDX-License-Identifier: Apache-2.0
// What is asked at one worker and can only be done at another: a request for the worker that holds the lane goes
// through the database and its answer comes back the same way. Each is done at most once; one that is not answered in
// time is withdrawn, and whoever asked may ask again: only what was taken and not answered for as long once more may
// have been done (placing has an idempotency key, the rest may be repeated). Carries JSON and does not look into it.
// Lives on the core thread; does nothing alone.
#pragma once

#include "effects/leases.h"

#include <QJsonObject>

namespace voip::effects
{

class Errands : public QObject
{
    Q_OBJECT

public:
    static constexpr int patienceMs = 9000; // longer than a takeover takes

    using Reply = std::function<void(std::optional<QJsonObject>)>; // nothing: nobody answered
    using Serve = std::function<void(const QString &lane, const QJsonObject &body, std::function<void(QJsonObject)>)>;
    Errands(store::Store &store, Leases &leases, Serve serve, QObject *parent = nullptr);

    void start();
    void send(const QString &lane, const QJsonObject &body, Reply reply);
    void setServed(const QVector<int> &partitions); // whose lanes are there
    void look();                                    // for what others ask

private:
    void lookForAnswers();
    void withdraw(const QString &id);
    void give(const QString &id, const std::optional<QJsonObject> &answer);

    store::Store &m_store;
    Leases &m_leases;
    const Serve m_serve;
    QHash<QString, Reply> m_waiting; // by id
    QVector<int> m_served;
    QTimer m_poll;
    bool m_looking = false;
    bool m_lookAgain = false;
    bool m_fetching = false;
    bool m_fetchAgain = false;
};

} // namespace voip::effects
