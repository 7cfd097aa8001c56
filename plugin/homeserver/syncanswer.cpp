// SPDX-License-Identifier: Apache-2.0
// See syncanswer.h.
#include "syncanswer.h"

#include <QCryptographicHash>
#include <QJsonArray>

#include <algorithm>

namespace voip::homeserver
{

namespace
{

constexpr qsizetype kMaxPlace = 4096; // a token of /sync or /messages
constexpr qsizetype kMaxId = 255;
constexpr int kMaxToDevice = 10'000;

bool wanted(const QString &type, const QStringList &types)
{
    return std::any_of(types.cbegin(), types.cend(), [&type](const QString &entry) {
        return entry.endsWith(u'*') ? type.startsWith(QStringView(entry).chopped(1)) : type == entry;
    });
}

bool isPlace(const QJsonValue &value)
{
    const QString text = value.toString();
    return !text.isEmpty() && text.size() <= kMaxPlace;
}

QJsonObject objectOf(const QJsonValue &value, int *leftOut)
{
    if (!value.isObject() && !value.isUndefined() && !value.isNull())
        ++*leftOut;
    return value.toObject();
}

class Reader
{
public:
    Reader(const SyncReading &reading, SyncAnswer &into) : m_reading(reading), m_into(into) {}

    void readRooms(const QJsonObject &rooms)
    {
        each(rooms.value(QLatin1String("invite")), [this](const QString &id, const auto &room) { invited(id, room); });
        each(rooms.value(QLatin1String("join")), [this](const QString &id, const auto &room) { joined(id, room); });
        each(rooms.value(QLatin1String("leave")), [this](const QString &id, const auto &room) {
            SyncRoom left{id, {}, events(room.value(QLatin1String("timeline")), id), {}};
            add(std::move(left));
        });
    }

    void readDevice(const QJsonObject &answer)
    {
        const QJsonObject toDevice = objectOf(answer.value(QLatin1String("to_device")), &m_into.leftOut);
        for (const QJsonValue &value : toDevice.value(QLatin1String("events")).toArray()) {
            QJsonObject message = value.toObject();
            if (message.value(QLatin1String("type")).toString().isEmpty() ||
                message.value(QLatin1String("sender")).toString().isEmpty() ||
                !message.value(QLatin1String("content")).isObject() || m_into.toDevice.size() >= kMaxToDevice) {
                ++m_into.leftOut;
                continue;
            }
            message.insert(QStringLiteral("to_user_id"), m_reading.account);
            message.insert(QStringLiteral("to_device_id"), m_reading.deviceId);
            m_into.toDevice.push_back(message);
        }
        m_into.deviceLists = objectOf(answer.value(QLatin1String("device_lists")), &m_into.leftOut);
        const QJsonValue counts = answer.value(QLatin1String("device_one_time_keys_count"));
        if (counts.isObject())
            m_into.oneTimeKeyCounts = ofDevice(counts);
        const QJsonValue fallback = answer.value(QLatin1String("device_unused_fallback_key_types"));
        if (fallback.isArray())
            m_into.unusedFallbackKeyTypes = ofDevice(fallback);
    }

private:
    template <typename Read>
    void each(const QJsonValue &rooms, Read read)
    {
        const QJsonObject byId = objectOf(rooms, &m_into.leftOut);
        for (auto it = byId.constBegin(); it != byId.constEnd(); ++it) {
            if (it.key().isEmpty() || it.key().size() > kMaxId || !it->isObject())
                ++m_into.leftOut;
            else
                read(it.key(), it->toObject());
        }
    }

    [[nodiscard]] QVector<QJsonObject> events(const QJsonValue &section, const QString &roomId)
    {
        const QJsonValue list = objectOf(section, &m_into.leftOut).value(QLatin1String("events"));
        return list.isUndefined() ? QVector<QJsonObject>() : roomEvents(list, roomId, m_reading.types, &m_into.leftOut);
    }

    void joined(const QString &id, const QJsonObject &object)
    {
        SyncRoom room{id,
                      events(object.value(QLatin1String("state")), id),
                      events(object.value(QLatin1String("timeline")), id),
                      {}};
        const QJsonObject timeline = object.value(QLatin1String("timeline")).toObject();
        if (timeline.value(QLatin1String("limited")).toBool() && isPlace(timeline.value(QLatin1String("prev_batch"))))
            room.gapBefore = timeline.value(QLatin1String("prev_batch")).toString();
        add(std::move(room));
    }

    // The membership event as an appservice would get it. It may come stripped, without an id: then it gets one that
    // is the same when the same place of /sync is asked for again, and another one when the account is invited again.
    void invited(const QString &id, const QJsonObject &object)
    {
        const QJsonObject state = objectOf(object.value(QLatin1String("invite_state")), &m_into.leftOut);
        for (const QJsonValue &value : state.value(QLatin1String("events")).toArray()) {
            QJsonObject event = value.toObject();
            const QJsonObject content = event.value(QLatin1String("content")).toObject();
            if (event.value(QLatin1String("type")).toString() != QLatin1String("m.room.member") ||
                event.value(QLatin1String("state_key")).toString() != m_reading.account ||
                content.value(QLatin1String("membership")).toString() != QLatin1String("invite"))
                continue;
            if (m_reading.invitations == Invitations::None ||
                (m_reading.invitations == Invitations::Direct && !content.value(QLatin1String("is_direct")).toBool()))
                return;
            if (event.value(QLatin1String("event_id")).toString().isEmpty()) {
                QCryptographicHash hash(QCryptographicHash::Sha256);
                for (const QString &part : {m_reading.since, id, event.value(QLatin1String("sender")).toString()})
                    hash.addData(part.toUtf8() + '\0');
                event.insert(QStringLiteral("event_id"),
                             QLatin1String("$invitation-") + QString::fromLatin1(hash.result().toHex()));
            }
            event.insert(QStringLiteral("room_id"), id);
            add({id, {}, {event}, {}});
            return;
        }
        ++m_into.leftOut;
    }

    void add(SyncRoom room)
    {
        if (!room.state.isEmpty() || !room.timeline.isEmpty() || !room.gapBefore.isEmpty())
            m_into.rooms.push_back(std::move(room));
    }

    [[nodiscard]] QJsonObject ofDevice(const QJsonValue &value) const
    {
        return {{m_reading.account, QJsonObject{{m_reading.deviceId, value}}}};
    }

    const SyncReading &m_reading;
    SyncAnswer &m_into;
};

} // namespace

QVector<QJsonObject> roomEvents(const QJsonValue &array, const QString &roomId, const QStringList &types, int *leftOut)
{
    QVector<QJsonObject> events;
    if (!array.isArray()) {
        ++*leftOut;
        return events;
    }
    for (const QJsonValue &value : array.toArray()) {
        QJsonObject event = value.toObject();
        const QString type = event.value(QLatin1String("type")).toString();
        const QString eventId = event.value(QLatin1String("event_id")).toString();
        if (type.isEmpty() || eventId.isEmpty() || event.value(QLatin1String("sender")).toString().isEmpty() ||
            !event.value(QLatin1String("content")).isObject()) {
            ++*leftOut;
            continue;
        }
        if (!wanted(type, types))
            continue;
        event.insert(QStringLiteral("room_id"), roomId);
        events.push_back(event);
    }
    return events;
}

Result<SyncAnswer> readSync(const QJsonObject &answer, const SyncReading &reading)
{
    if (!isPlace(answer.value(QLatin1String("next_batch"))))
        return badAnswer(QStringLiteral("next_batch: a string of 1 to %1 characters was expected").arg(kMaxPlace));
    SyncAnswer read;
    read.nextBatch = answer.value(QLatin1String("next_batch")).toString();
    Reader reader(reading, read);
    reader.readRooms(objectOf(answer.value(QLatin1String("rooms")), &read.leftOut));
    reader.readDevice(answer);
    return read;
}

QJsonObject syncFilter(const QStringList &types, int timelineLimit, bool first)
{
    const QJsonArray wantedTypes = first ? QJsonArray() : QJsonArray::fromStringList(types);
    const QJsonObject nothing{{QStringLiteral("types"), QJsonArray()}};
    const QJsonObject state{{QStringLiteral("types"), wantedTypes}, {QStringLiteral("lazy_load_members"), false}};
    const QJsonObject timeline{{QStringLiteral("types"), wantedTypes},
                               {QStringLiteral("limit"), timelineLimit},
                               {QStringLiteral("lazy_load_members"), false}};
    return {{QStringLiteral("presence"), nothing},
            {QStringLiteral("account_data"), nothing},
            {QStringLiteral("room"), QJsonObject{{QStringLiteral("state"), state},
                                                 {QStringLiteral("timeline"), timeline},
                                                 {QStringLiteral("ephemeral"), nothing},
                                                 {QStringLiteral("account_data"), nothing}}}};
}

QJsonObject aged(QJsonObject event, qint64 byMs)
{
    QJsonObject hints = event.value(QLatin1String("unsigned")).toObject();
    const QJsonValue age = hints.value(QLatin1String("age"));
    if (byMs == 0 || !age.isDouble())
        return event;
    hints.insert(QStringLiteral("age"), std::max(0.0, age.toDouble() + static_cast<double>(byMs)));
    event.insert(QStringLiteral("unsigned"), hints);
    return event;
}

} // namespace voip::homeserver
