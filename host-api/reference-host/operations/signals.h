// SPDX-License-Identifier: Apache-2.0
// SIGTERM and SIGINT as Qt signals: a handler that only writes to a pipe, and a notifier that reads it on the Qt
// thread. While `lastStep` is set the next signal ends the process at once, because the thread may be blocked.
#pragma once

#include <QObject>
#include <QSocketNotifier>

#include <memory>

namespace bridgehost
{

class StopSignals : public QObject
{
    Q_OBJECT

public:
    explicit StopSignals(QObject *parent = nullptr); // one per process
    ~StopSignals() override;
    static void lastStep();

Q_SIGNALS:
    void stopRequested();

private:
    std::unique_ptr<QSocketNotifier> m_notifier;
};

} // namespace bridgehost
