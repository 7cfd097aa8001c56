// SPDX-License-Identifier: Apache-2.0
// Several workers on one database (PostgreSQL). Each bridged user's lane is held by one worker, by partition and under
// a fencing token; a transaction may come to any, since the inbox is the store's; what a phone asks at a worker that
// does not hold the lane goes there as an errand; what a lane tells its user is read from the store by the others.
// Alone, nothing of this does anything.
#include "effects/present.h"
#include "errandcodec.h"
#include "observe/log.h"
#include "pipeline.h"
#include "replay/timeline.h"

namespace voip
{

using namespace voiphost;
using effects::Lane;

namespace
{

constexpr int maxTimeline = 2 * 1024 * 1024;

} // namespace

// --- which lanes are here
// ----------------------------------------------------------------------------------------------

void Pipeline::share()
{
    if (!m_leases.shared())
        return;
    connect(&m_leases, &effects::Leases::taken, this, &Pipeline::takeOver);
    connect(&m_leases, &effects::Leases::lost, this,
            [this](const QVector<int> &partitions) { closePartitions(partitions, [] {}); });
    connect(&m_leases, &effects::Leases::surplus, this, [this](const QVector<int> &partitions) {
        closePartitions(partitions, [this, partitions] { m_leases.release(partitions); });
    });
    connect(&m_intake, &intake::Intake::keepsAside, &m_leases, &effects::Leases::setAside);
    connect(&m_leases, &effects::Leases::staleChanged, &m_outbox, &effects::Outbox::setSuspended);
    connect(&m_mirror, &effects::Mirror::noticed, this, &Switchboard::noticed);
    connect(&m_store, &store::Store::stirred, this, [this](store::Stir what, const QString &whom) {
        if (what == store::Stir::All || (what == store::Stir::Setting && whom == switchKey))
            rereadSwitch();
    });
}

// The lanes are restored as after a start, with what other workers accepted for them. What those may have told or sent
// last is known by then: their commits are refused from now on.
void Pipeline::takeOver(const QVector<int> &partitions)
{
    const auto tryAgain = [this, partitions] {
        QTimer::singleShot(std::chrono::milliseconds(500), this, [this, partitions] {
            QVector<int> still;
            for (const int part : partitions) {
                if (m_leases.partitions().contains(part) && !m_ready.contains(part))
                    still += part;
            }
            if (!still.isEmpty())
                takeOver(still);
        });
    };
    QMap<int, qint64> tokens; // what is read under these is old once others are given for the partition
    for (const int part : partitions)
        tokens.insert(part, m_leases.tokenOf(part));
    m_store.settings(this, [this, partitions, tokens, tryAgain](const auto &known) {
        if (!known.ok())
            return tryAgain();
        const auto read = [this, partitions, tokens, tryAgain, known](const auto &records) {
            if (!records.ok())
                return tryAgain();
            m_mirror.settle(partitions, [this, tokens, records, known] { beginServing(tokens, *records, *known); });
        };
        m_store.restoreLanes(m_clock.now(), partitions, this, read);
    });
}

void Pipeline::beginServing(const QMap<int, qint64> &tokens, const QVector<store::LaneRecord> &records,
                            const QHash<QString, QByteArray> &known)
{
    QVector<int> fresh; // still held: they may be gone again by now
    for (auto it = tokens.cbegin(); it != tokens.cend(); ++it) {
        if (it.value() >= 0 && m_leases.tokenOf(it.key()) == it.value() && !m_ready.contains(it.key()))
            fresh += it.key();
    }
    QVector<std::pair<QString, const Lane *>> old; // not gone yet, since they were lost
    for (const auto &[id, lane] : m_lanes) {
        if (fresh.contains(store::partitionOf(id)))
            old.emplace_back(id, lane.get());
    }
    for (const auto &[id, lane] : std::as_const(old))
        dropLane(id, lane);
    for (const int part : std::as_const(fresh))
        m_ready.insert(part);
    QVector<store::LaneRecord> ours;
    for (const store::LaneRecord &record : records) {
        if (fresh.contains(store::partitionOf(record.lane)))
            ours += record;
    }
    for (const QString &lane : m_router.lanes()) {
        if (!fresh.contains(store::partitionOf(lane)))
            continue;
        m_rooms.forget(lane); // what was begun for it here before came to nothing
        m_shared.board.forget(m_router.userOf(lane));
    }
    // This host has served before, or another one serves: the users' phones did not lose their bridge (R68).
    const bool hostLives = std::exchange(m_hasServed, true) || m_leases.workers() > 1;
    restore(ours, known, hostLives);
    const QVector<int> served(m_ready.cbegin(), m_ready.cend());
    m_intake.setServed(served);
    for (const store::LaneRecord &record : std::as_const(ours)) {
        if (Lane *held = laneOf(record.lane))
            held->resume(hostLives);
    }
    m_errands.setServed(served);
    makeDevices();
    catchUp();
}

// Nothing more is begun in these lanes, and once nothing is under way they are gone from here.
void Pipeline::closePartitions(const QVector<int> &partitions, const std::function<void()> &then)
{
    for (const int part : partitions)
        m_ready.remove(part);
    const QVector<int> served(m_ready.cbegin(), m_ready.cend());
    m_intake.setServed(served);
    m_errands.setServed(served);
    QStringList closing;
    for (const auto &[id, lane] : m_lanes) {
        if (partitions.contains(store::partitionOf(id)))
            closing += id;
    }
    auto all = std::shared_ptr<void>(
        nullptr, [this, then](void *) { QMetaObject::invokeMethod(this, then, Qt::QueuedConnection); });
    for (const QString &id : std::as_const(closing)) {
        Lane *lane = m_lanes.at(id).get();
        lane->retire([this, id, lane, all] {
            const auto drop = [this, id, all, alive = QPointer(lane)] { // a new one may stand at its very address
                if (alive)
                    dropLane(id, alive);
            };
            QMetaObject::invokeMethod(this, drop, Qt::QueuedConnection);
        });
    }
}

// `which`: another may have come in its place, when its partition was taken again at once.
void Pipeline::dropLane(const QString &lane, const Lane *which)
{
    const auto found = m_lanes.find(lane);
    if (found == m_lanes.end() || found->second.get() != which)
        return;
    m_lanes.erase(found);
    m_outbox.forget(lane);
    m_alarm.set(lane, std::nullopt);
    m_shared.board.disown(m_router.userOf(lane));
    m_toCatchUp.removeAll(lane);
    m_withoutDevice.removeAll(lane);
}

void Pipeline::rereadSwitch()
{
    m_store.settings(this, [this](const auto &settings) {
        if (!settings.ok())
            return;
        m_switch.restore(settings->value(switchKey));
        m_shared.enforce(m_shared.gate.cohort());
        makeDevices();
    });
}

// --- errands
// ---------------------------------------------------------------------------------------------------------------

// What the homeserver has left of a device's keys, when it says so to a worker that does not hold the device.
void Pipeline::handOn(const QString &lane, const QString &device, int oneTimeKeys, int fallbackUnused)
{
    const int told = oneTimeKeys * 4 + fallbackUnused + 1;
    const auto key = std::pair{lane, device};
    if (!m_leases.shared() || m_handedOn.value(key, -100) == told)
        return;
    m_handedOn.insert(key, told);
    m_errands.send(lane,
                   {{QStringLiteral("do"), QStringLiteral("counts")},
                    {QStringLiteral("device"), device},
                    {QStringLiteral("keys"), oneTimeKeys},
                    {QStringLiteral("fallback"), fallbackUnused}},
                   [](const auto &) {});
}

void Pipeline::sendErrand(const QString &userId, QJsonObject body, const CallReply &reply)
{
    const QString lane = m_router.matrixIdOf(userId);
    m_errands.send(lane, body, [this, lane, userId, reply](const std::optional<QJsonObject> &answer) {
        if (!answer)
            return reply(effects::moving());
        const QJsonObject value = answer->value(QLatin1String("ok")).toObject();
        if (value.isEmpty())
            return reply(errorFrom(answer->value(QLatin1String("error")).toObject()));
        const bool repeated = value.value(QLatin1String("repeated")).toBool();
        findCall(userId, value.value(QLatin1String("call")).toString(), [reply, repeated](const auto &found) {
            reply(found.ok() ? Expected<FullPlaced>(FullPlaced{*found, repeated})
                             : Expected<FullPlaced>(found.error()));
        });
    });
}

void Pipeline::serveErrand(const QString &lane, const QJsonObject &body, const std::function<void(QJsonObject)> &answer)
{
    const QString user = m_router.userOf(lane);
    const QString action = body.value(QLatin1String("do")).toString();
    Lane *held = laneOf(lane);
    if (!held || user.isEmpty())
        return answer(answerOf(effects::moving()));
    const auto text = [&body](const char *key) { return body.value(QLatin1String(key)).toString(); };
    const CallReply placed = [answer](const Expected<FullPlaced> &outcome) {
        if (!outcome.ok())
            return answer(answerOf(outcome.error()));
        answer(answerOf(
            QJsonObject{{QStringLiteral("call"), outcome->call.id}, {QStringLiteral("repeated"), outcome->repeated}}));
    };
    if (action == QLatin1String("counts")) {
        Q_EMIT m_intake.counted(lane, text("device"), body.value(QLatin1String("keys")).toInt(-1),
                                body.value(QLatin1String("fallback")).toInt(-1));
        return answer({});
    }
    if (action == QLatin1String("open")) {
        return open(user, {text("peer"), text("room")}, [answer](const Expected<Conversation> &outcome) {
            answer(outcome.ok() ? answerOf(conversationJson(*outcome)) : answerOf(outcome.error()));
        });
    }
    if (action == QLatin1String("place-in"))
        return place(user, text("conversation"), requestFrom(body.value(QLatin1String("request")).toObject()), placed);
    if (action == QLatin1String("accept-transfer"))
        return acceptTransfer(user, text("call"), requestFrom(body.value(QLatin1String("request")).toObject()), placed);
    if (action == QLatin1String("timeline")) {
        return timeline(
            user, text("call"), body.value(QLatin1String("sdp")).toBool(), [answer](const Expected<QByteArray> &lines) {
                if (!lines.ok())
                    return answer(answerOf(lines.error()));
                answer(answerOf(QJsonObject{{QStringLiteral("lines"), QString::fromUtf8(lines->left(maxTimeline))}}));
            });
    }
    const auto input = replay::readHostAction(body);
    if (const auto *fault = std::get_if<replay::Fault>(&input))
        return answer(answerOf(
            Error{ErrorKind::Invalid, QStringLiteral("INVALID_FIELD"), fault->field + u' ' + fault->what, {}}));
    act(user, text("call"), std::get<call::Input>(input), placed);
}

void Pipeline::presentStored(const QString &lane, const QVector<call::Call> &calls,
                             const std::function<void(QList<FullCall>)> &give)
{
    m_store.roomsOf(lane, this, [calls, give](const auto &rooms) {
        QHash<QString, QString> conversations;
        if (rooms.ok()) {
            for (const call::Room &room : *rooms)
                conversations.insert(room.id, room.conversationId);
        }
        QList<FullCall> list;
        for (const call::Call &call : calls)
            list += effects::toHost(call, conversations.value(call.roomId));
        give(list);
    });
}

} // namespace voip
