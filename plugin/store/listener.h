// SPDX-License-Identifier: Apache-2.0
// Hears what other workers tell (LISTEN), on a thread and a connection of its own, and says it on; when the connection
// was gone, says that something may have been missed. A database that cannot be listened to (behind a pooler, without
// `listen_host` or `listen_port`) is told once in the log: then there is only asking now and then.
#pragma once

#include "store/connection.h"

#include <QObject>
#include <QThread>
#include <QTimer>

#include <atomic>

namespace voip::store
{

class Listener : public QObject
{
    Q_OBJECT

public:
    explicit Listener(voiphost::DatabaseSettings settings);
    ~Listener() override;

    void start();
    [[nodiscard]] bool stop(int patienceMs);             // the owner's thread; blocks; idempotent; as the writer's
    [[nodiscard]] bool hears() const { return m_hears; } // any thread

Q_SIGNALS:
    void stirred(voip::store::Stir what, const QString &whom);

private:
    void look();

    QThread m_thread;
    Connection m_db;
    QTimer m_look;
    std::atomic<bool> m_hears = false;
    bool m_stopped = false;
    bool m_told = false;
};

} // namespace voip::store
