// SPDX-License-Identifier: Apache-2.0
// Keys' way through the pipeline: between the lanes' machines and the homeserver.
#include "observe/log.h"
#include "pipeline.h"

namespace voip
{

using namespace voiphost;
using effects::Lane;

namespace
{

constexpr auto catchUpEvery = std::chrono::milliseconds(20);
constexpr int catchUpsTogether = 2;

} // namespace

// Keys: what a lane's machine asks of the homeserver, and what the homeserver says by itself. To-device messages and
// device lists come through the inbox, before the events that need them.
void Pipeline::connectKeys()
{
    connect(&m_courier, &effects::Courier::answered, this, [this](const QString &lane, const crypto::Answer &answer) {
        if (Lane *held = laneOf(lane))
            held->takeKeys(answer);
    });
    connect(&m_courier, &effects::Courier::rescued, this, [this](const QString &lane, int messages, qint64 ms) {
        m_shared.metrics.count(observe::Counter::KeyRescues);
        m_shared.metrics.observe(observe::Histogram::KeyRescue, static_cast<double>(ms) / 1000.0);
        qCInfo(observe::cryptoLog).noquote() << lane << "caught up with" << messages << "messages in" << ms << "ms";
    });
    connect(&m_rooms, &effects::RoomKeeper::encryption, this,
            [this](const QString &lane, const QString &roomId, const QJsonObject &content) {
                if (Lane *held = laneOf(lane))
                    held->takeKeys(effects::RoomEncryption{roomId, effects::rulesOf(content)});
            });
    connect(&m_intake, &intake::Intake::counted, this,
            [this](const QString &lane, const QString &device, int oneTimeKeys, int fallbackUnused) {
                Lane *held = laneOf(lane);
                if (!held)
                    return handOn(lane, device, oneTimeKeys, fallbackUnused);
                held->takeKeys(
                    effects::KeyCounts{device, oneTimeKeys < 0 ? std::nullopt : std::optional(oneTimeKeys),
                                       fallbackUnused < 0 ? std::nullopt : std::optional(fallbackUnused == 1)});
            });
    // The homeserver sends to-device messages and lists once: after a gap they are asked for.
    connect(&m_intake, &intake::Intake::refused, this, &Pipeline::catchUp);
    connect(&m_client, &homeserver::Client::reachableChanged, this, [this](bool reachable) {
        if (reachable)
            catchUp();
    });
    connect(&m_nextCatchUp, &QTimer::timeout, this, [this] {
        for (int n = 0; n < catchUpsTogether && !m_toCatchUp.isEmpty(); ++n) {
            if (Lane *held = laneOf(m_toCatchUp.takeFirst()))
                held->takeKeys(effects::MayHaveMissed{});
        }
        if (m_toCatchUp.isEmpty())
            m_nextCatchUp.stop();
    });
}

// Something may have been lost for everybody. Who is in a call comes first, and all others soon, but not all at once: a
// key that is missed meanwhile is asked for at once, and must not wait behind them.
void Pipeline::catchUp()
{
    m_toCatchUp.clear();
    for (const auto &[id, lane] : m_lanes) {
        if (!lane->encrypts() || !lane->deviceReady())
            continue;
        if (lane->announcedCalls().isEmpty())
            m_toCatchUp.push_back(id);
        else
            m_toCatchUp.push_front(id);
    }
    if (!m_toCatchUp.isEmpty())
        m_nextCatchUp.start(catchUpEvery);
}

// So that the first call of somebody who never met the user can be decrypted: who encrypts before the device is there
// encrypts for nobody. One after the other, behind everything else.
void Pipeline::makeDevices()
{
    if (!m_cipher || !m_settings.encryption.earlyDevices)
        return;
    if (m_withoutDevice.isEmpty()) {
        for (const QString &lane : m_router.lanes()) {
            const Lane *held = laneOf(lane);
            if (held && !held->deviceReady() && m_shared.gate.admits(m_router.userOf(lane)))
                m_withoutDevice.push_back(lane);
        }
    }
    if (m_withoutDevice.isEmpty())
        return;
    const auto next = [this] {
        if (!m_withoutDevice.isEmpty())
            QMetaObject::invokeMethod(this, &Pipeline::makeDevices, Qt::QueuedConnection);
    };
    if (Lane *held = laneOf(m_withoutDevice.takeFirst()))
        m_gate.pass(*held, next);
    else
        next();
}

} // namespace voip
