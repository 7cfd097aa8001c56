// SPDX-License-Identifier: Apache-2.0
#include "store/listener.h"

#include "store/log.h"
#include "store/sharing.h"

#include <QDeadlineTimer>

namespace voip::store
{

namespace
{

constexpr int lookMs = 2000; // how long a dead connection may go unnoticed

} // namespace

Listener::Listener(voiphost::DatabaseSettings settings)
    : m_db(std::move(settings), Connection::Access::Listen), m_look(this)
{
    m_look.setInterval(lookMs);
    connect(&m_look, &QTimer::timeout, this, &Listener::look);
    m_thread.setObjectName(QStringLiteral("store-listener"));
    moveToThread(&m_thread);
}

Listener::~Listener()
{
    (void)stop(-1);
}

void Listener::start()
{
    if (m_stopped || m_thread.isRunning())
        return;
    m_thread.start();
    QMetaObject::invokeMethod(this, [this] {
        m_look.start();
        look();
    });
}

bool Listener::stop(int patienceMs)
{
    if (std::exchange(m_stopped, true) || !m_thread.isRunning())
        return !m_thread.isRunning();
    QMetaObject::invokeMethod(
        this,
        [this] {
            m_look.stop();
            m_db.close();
            m_thread.quit();
        },
        Qt::QueuedConnection);
    return m_thread.wait(QDeadlineTimer(patienceMs));
}

void Listener::look()
{
    if (m_db.isOpen() && m_db.run(QStringLiteral("SELECT 1")) != nullptr)
        return;
    m_hears = false;
    std::optional<StoreError> error = m_db.open();
    if (!error && !m_db.listen(stirChannel, [this](const QString &payload) {
            if (const auto stir = readStir(payload))
                Q_EMIT stirred(stir->first, stir->second);
        }))
        error = m_db.error();
    if (error) {
        m_db.close();
        if (!std::exchange(m_told, true))
            qCWarning(lcStore).noquote() << "the database is not listened to, but asked now and then:"
                                         << error->message;
        return;
    }
    m_told = false;
    m_hears = true;
    Q_EMIT stirred(Stir::All, {});
}

} // namespace voip::store
