// SPDX-License-Identifier: Apache-2.0
// One timer for all lanes: each lane says when something is due next; the alarm rings the lanes whose time has come.
// Deadlines themselves are rows of the store: after a restart the lanes say them again.
#pragma once

#include "effects/clock.h"

#include <QHash>
#include <QObject>
#include <QTimer>

#include <map>
#include <optional>

namespace voip::effects
{

class Alarm : public QObject
{
    Q_OBJECT

public:
    explicit Alarm(const Clock &clock, QObject *parent = nullptr);

    void set(const QString &lane, std::optional<qint64> due);

Q_SIGNALS:
    void due(const QString &lane);

private:
    void arm();
    void fire();

    const Clock &m_clock;
    QTimer m_timer;
    std::multimap<qint64, QString> m_queue;
    QHash<QString, std::multimap<qint64, QString>::iterator> m_entries;
};

} // namespace voip::effects
