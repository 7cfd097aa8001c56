// SPDX-License-Identifier: Apache-2.0
// Reads an account's events: /sync as a long poll, over connections of its own, each answer handed on as a batch like
// the appservice's. Goes on only after everything in the batch is durable, so what it lost in a crash comes again. A
// timeline that was cut is filled from /messages, within limits. Waits with jitter after a failure, obeys 429, and
// never stops by itself: without a token it rests. One thread; what `deliver` answers may come on any.
#pragma once

#include "client.h"
#include "retry.h"
#include "syncanswer.h"

#include <voiphost/events.h>

#include <QElapsedTimer>
#include <QTimer>

#include <memory>

namespace voip::homeserver
{

struct SyncSettings {
    QString account;
    QStringList types;
    Invitations invitations = Invitations::Direct;
    std::chrono::milliseconds poll{30'000};
    int timelineLimit = 20;
    int gapPages = 5; // of a hundred events each
    std::chrono::milliseconds gapPatience{30'000};
};

class SyncLoop : public QObject
{
    Q_OBJECT

public:
    using Deliver = std::function<QFuture<voiphost::BatchResult>(const voiphost::EventBatch &)>;
    static constexpr qsizetype kPortion = 1000; // events in one batch

    SyncLoop(const Access &access, SyncSettings settings, Deliver deliver, QObject *parent = nullptr,
             Retrier::Random random = {});

    // `since` empty: from now on, with the invitations that are waiting.
    void start(const QString &deviceId, const QString &since);
    void setToken(const QByteArray &token); // empty: rest

Q_SIGNALS:
    // From here on nothing is missed. `anew`: what was before has to be looked for in the rooms.
    void begun(bool anew);
    void advanced(const QString &nextBatch); // everything before it is durable
    void tokenRefused(bool softLogout);
    void told(bool ok, const QString &message, const QString &advice);

private:
    struct Round {
        SyncAnswer answer;
        QElapsedTimer age;
        qsizetype room = 0; // whose gap is being filled
        int pages = 0;
        QVector<QJsonObject> missed; // newest first, as /messages goes
        QVector<voiphost::EventBatch> portions;
    };

    void poll();
    void answered(const Result<QJsonObject> &result);
    void fillGaps();
    void readBack(const QString &from);
    void wentBack(const Result<QJsonObject> &result);
    void gapIsFilled();
    void portion();
    void handOn();
    void delivered(voiphost::BatchResult result);
    void later(const Failure &failure);
    void tell(bool ok, const QString &message = {});

    Client m_client;
    const SyncSettings m_settings;
    const Deliver m_deliver;
    const Retrier::Random m_random;
    Retrier *m_retrier;
    QTimer m_next;
    QString m_deviceId;
    QString m_since;
    std::unique_ptr<Round> m_round;
    int m_failed = 0;
    bool m_started = false;
    bool m_polling = false;
    std::optional<bool> m_told;
};

} // namespace voip::homeserver
