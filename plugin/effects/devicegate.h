// SPDX-License-Identifier: Apache-2.0
// Holds back what must not be done before others can encrypt for a ghost, until its device is ready or the time is up:
// a homeserver that does not make devices must not keep calls out.
#pragma once

#include "effects/lane.h"

#include <QPointer>
#include <QTimer>

namespace voip::effects
{

class DeviceGate : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

    void pass(Lane &lane, std::function<void()> then)
    {
        if (lane.deviceReady())
            return then();
        const QString id = lane.line().self;
        m_waiting[id].push_back(std::move(then));
        if (m_waiting[id].size() == 1)
            QTimer::singleShot(patienceMs, this, [this, id] { open(id); });
        lane.takeKeys(WantDevice{});
    }
    void open(const QString &lane)
    {
        const auto waiting = m_waiting.take(lane);
        for (const auto &then : waiting)
            then();
    }

private:
    static constexpr int patienceMs = 5000;
    QHash<QString, QVector<std::function<void()>>> m_waiting;
};

} // namespace voip::effects
