// SPDX-License-Identifier: Apache-2.0
#include "store/sharing.h"

#include "store/callcodec.h"
#include "store/script.h"

#include <QHash>

#include <algorithm>
#include <array>

namespace voip::store
{

namespace
{

using voiphost::Done;

constexpr int maxErrands = 256; // taken at once
constexpr qint64 errandLife = 60LL * 1000;

constexpr std::array stirWords{
    std::pair{Stir::Inbox, "inbox"},   std::pair{Stir::Notice, "notice"},   std::pair{Stir::Errand, "errand"},
    std::pair{Stir::Answer, "answer"}, std::pair{Stir::Setting, "setting"}, std::pair{Stir::Lease, "lease"},
};

QString nowOf(const Connection &db)
{
    return db.dialect() == Dialect::Postgresql
               ? QStringLiteral("(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
               : QStringLiteral("CAST(strftime('%s', 'now') AS INTEGER) * 1000");
}

QVector<Fence> fencesOf(QSqlQuery *rows)
{
    QVector<Fence> fences;
    while (rows != nullptr && rows->next())
        fences += Fence{rows->value(0).toInt(), rows->value(1).toLongLong()};
    return fences;
}

QVector<Errand> errandsOf(QSqlQuery *rows)
{
    QVector<Errand> errands;
    while (rows != nullptr && rows->next()) {
        const QByteArray body = rows->value(3).toString().toUtf8();
        errands += Errand{rows->value(0).toString(), rows->value(1).toString(), rows->value(2).toString(),
                          QJsonDocument::fromJson(body).object()};
    }
    return errands;
}

// A power of two of them, so that few statements are prepared; what is over finds nothing.
QVariantList padded(const QStringList &keys)
{
    QVariantList values;
    for (const QString &key : keys)
        values += bound(key);
    while ((values.size() & (values.size() - 1)) != 0)
        values += QStringLiteral("");
    return values;
}

} // namespace

QString listOf(const QVector<int> &partitions)
{
    QStringList words;
    for (const int part : partitions)
        words += QString::number(part);
    return words.isEmpty() ? QStringLiteral("-2") : words.join(u',');
}

std::optional<std::pair<Stir, QString>> readStir(const QString &payload)
{
    for (const auto &[what, word] : stirWords) {
        if (payload.section(u' ', 0, 0) == QLatin1String(word))
            return std::pair{what, payload.section(u' ', 1)};
    }
    return std::nullopt;
}

void writeStir(Connection &db, Stir what, const QString &whom)
{
    if (db.dialect() != Dialect::Postgresql)
        return;
    const auto *word =
        std::find_if(stirWords.begin(), stirWords.end(), [what](const auto &w) { return w.first == what; });
    if (word != stirWords.end())
        (void)db.run(QStringLiteral("SELECT pg_notify(?, ?)"),
                     {stirChannel, QString(QLatin1String(word->second) + u' ' + whom)});
}

std::optional<StoreError> checkFence(Connection &db, const Fence &fence)
{
    // A share lock: whoever takes the partition over waits for this transaction, or this one sees the new token.
    QSqlQuery *found = db.run(QStringLiteral("SELECT 1 FROM partitions WHERE part = ? AND token = ?") +
                                  (db.dialect() == Dialect::Postgresql ? QStringLiteral(" FOR SHARE") : QString()),
                              {fence.partition, fence.token});
    if (found == nullptr)
        return db.error();
    if (found->next())
        return std::nullopt;
    return StoreError{StoreError::Kind::Fenced,
                      QStringLiteral("partition %1 is another worker's by now").arg(fence.partition)};
}

Result<Leases> writeLease(Connection &db, const LeaseRequest &request)
{
    const QString now = nowOf(db);
    const QString ttl = QString::number(request.ttlMs);
    Script script(db);
    const auto me = [&request] { return Values().id("workers.worker", request.worker); };

    for (const Fence &fence : request.released) {
        script.run(QStringLiteral("UPDATE partitions SET worker = '', until = 0 WHERE part = ? AND token = ? "
                                  "AND worker = ?"),
                   Values().plain(fence.partition).plain(fence.token).id("partitions.worker", request.worker));
    }
    script.run(QStringLiteral("DELETE FROM workers WHERE until < %1").arg(now), {});
    if (request.leaving) {
        script.run(QStringLiteral("DELETE FROM workers WHERE worker = ?"), me());
    } else {
        script.run(QStringLiteral("INSERT INTO workers (worker, until, aside, aside_bytes) VALUES (?, %1 + %2, ?, ?) "
                                  "ON CONFLICT (worker) DO UPDATE SET until = excluded.until, aside = excluded.aside, "
                                  "aside_bytes = excluded.aside_bytes")
                       .arg(now, ttl),
                   me().plain(request.aside.entries).plain(request.aside.bytes));
    }
    Leases leases;
    QSqlQuery *count = script.run(QStringLiteral("SELECT count(*) FROM workers"), {});
    leases.workers = count != nullptr && count->next() ? std::max(1, count->value(0).toInt()) : 1;
    leases.share = (partitionCount + leases.workers - 1) / leases.workers;
    leases.held = fencesOf(script.run(QStringLiteral("UPDATE partitions SET until = %1 + %2 WHERE worker = ? "
                                                     "RETURNING part, token")
                                          .arg(now, ttl),
                                      me()));
    const int wanted = std::min(request.take, leases.share) - static_cast<int>(leases.held.size());
    if (!request.leaving && wanted > 0) {
        const bool locks = db.dialect() == Dialect::Postgresql;
        leases.held += fencesOf(script.run(
            QStringLiteral("UPDATE partitions SET worker = ?, token = token + 1, until = %1 + %2 "
                           "WHERE part IN (SELECT part FROM partitions WHERE until < %1 "
                           "ORDER BY part LIMIT %3%4) RETURNING part, token")
                .arg(now, ttl, QString::number(wanted), locks ? QStringLiteral(" FOR UPDATE SKIP LOCKED") : QString()),
            me()));
    }
    if (!request.released.isEmpty())
        writeStir(db, Stir::Lease, {});
    script.run(QStringLiteral("DELETE FROM errands WHERE at < %1 - %2").arg(now, QString::number(errandLife)), {});
    if (script.error())
        return *script.error();
    std::sort(leases.held.begin(), leases.held.end(),
              [](const Fence &a, const Fence &b) { return a.partition < b.partition; });
    return leases;
}

std::optional<StoreError> fillPartitions(Connection &db)
{
    struct Room {
        QString lane;
        QString id;
        QJsonObject members;
    };
    QStringList lanes;
    QVector<std::pair<qint64, QString>> waiting;
    QVector<Room> rooms;
    QSqlQuery *rows = db.run(QStringLiteral("SELECT lane FROM lanes WHERE part = -1"));
    while (rows != nullptr && rows->next())
        lanes += rows->value(0).toString();
    if (rows != nullptr)
        rows = db.run(QStringLiteral("SELECT seq, lane FROM inbox WHERE part = -1"));
    while (rows != nullptr && rows->next())
        waiting.emplace_back(rows->value(0).toLongLong(), rows->value(1).toString());
    if (rows != nullptr && !lanes.isEmpty())
        rows = db.run(QStringLiteral("SELECT r.lane, r.room_id, r.members FROM rooms r JOIN lanes l ON l.lane = r.lane "
                                     "WHERE l.part = -1"));
    while (rows != nullptr && rows->next() && !lanes.isEmpty())
        rooms += Room{rows->value(0).toString(), rows->value(1).toString(),
                      QJsonDocument::fromJson(rows->value(2).toString().toUtf8()).object()};
    if (rows == nullptr)
        return db.error();
    Script script(db);
    for (const Room &room : std::as_const(rooms)) {
        const QStringList members = room.members.keys();
        for (const QString &user : members)
            script.run(QStringLiteral("INSERT INTO room_members (lane, room_id, user_id) VALUES (?, ?, ?) "
                                      "ON CONFLICT DO NOTHING"),
                       Values().plain(room.lane).plain(room.id).id("room_members.user_id", user));
    }
    for (const auto &[seq, lane] : std::as_const(waiting))
        script.run(QStringLiteral("UPDATE inbox SET part = ? WHERE seq = ?"),
                   Values().plain(partitionOf(lane)).plain(seq));
    for (const QString &lane : std::as_const(lanes))
        script.run(QStringLiteral("UPDATE lanes SET part = ? WHERE lane = ?"),
                   Values().plain(partitionOf(lane)).plain(lane));
    return script.error();
}

Result<Done> writeErrand(Connection &db, const Errand &errand, bool answered)
{
    Script script(db);
    script.run(QStringLiteral("INSERT INTO errands (id, part, lane, worker, answered, body, at) "
                              "VALUES (?, ?, ?, ?, ?, ?, %1) ON CONFLICT DO NOTHING")
                   .arg(nowOf(db)),
               Values()
                   .id("errands.id", answered ? errand.id + QStringLiteral(":answer") : errand.id)
                   .plain(partitionOf(errand.lane))
                   .id("errands.lane", errand.lane)
                   .id("errands.worker", errand.worker)
                   .plain(answered)
                   .json("errands.body", errand.body));
    writeStir(db, answered ? Stir::Answer : Stir::Errand, answered ? errand.worker : errand.lane);
    if (script.error())
        return *script.error();
    return Done{};
}

Result<bool> withdrawErrandOf(Connection &db, const QString &id)
{
    Script script(db);
    const bool there =
        script.gives(QStringLiteral("DELETE FROM errands WHERE id = ? RETURNING id"), Values().id("errands.id", id));
    if (script.error())
        return *script.error();
    return there;
}

Result<QVector<Errand>> takeErrandsOf(Connection &db, const QVector<int> &partitions)
{
    Script script(db);
    QVector<Errand> errands = errandsOf(
        script.run(QStringLiteral("DELETE FROM errands WHERE id IN (SELECT id FROM errands WHERE NOT answered AND part "
                                  "IN (%1) ORDER BY at LIMIT %2) RETURNING id, lane, worker, body")
                       .arg(listOf(partitions), QString::number(maxErrands)),
                   {}));
    if (script.error())
        return *script.error();
    return errands;
}

Result<QVector<Errand>> takeAnswersFor(Connection &db, const QString &worker)
{
    Script script(db);
    QVector<Errand> answers = errandsOf(
        script.run(QStringLiteral("DELETE FROM errands WHERE id IN (SELECT id FROM errands WHERE answered AND "
                                  "worker = ? LIMIT %1) RETURNING id, lane, worker, body")
                       .arg(maxErrands),
                   Values().id("errands.worker", worker)));
    if (script.error())
        return *script.error();
    for (Errand &answer : answers)
        answer.id = answer.id.section(u':', 0, 0);
    return answers;
}

Result<Routes> readRoutes(Connection &db, const QStringList &rooms, const QStringList &users)
{
    Routes routes;
    const auto read = [&db](const QString &sql, const QStringList &keys, QHash<QString, QStringList> &into) {
        const QVariantList values = padded(keys);
        QSqlQuery *rows = db.run(sql.arg(QStringList(values.size(), QStringLiteral("?")).join(u',')), values);
        while (rows != nullptr && rows->next())
            into[rows->value(0).toString()] += rows->value(1).toString();
        return rows != nullptr;
    };
    if (!rooms.isEmpty() && !read(QStringLiteral("SELECT room_id, lane FROM room_members WHERE room_id IN (%1) "
                                                 "AND user_id = lane"),
                                  rooms, routes.lanesOfRoom))
        return db.error();
    if (!users.isEmpty() &&
        !read(
            QStringLiteral("SELECT DISTINCT user_id, lane FROM room_members WHERE user_id IN (%1) AND user_id <> lane"),
            users, routes.followersOfUser))
        return db.error();
    return routes;
}

Result<QHash<QString, qint64>> readNoticeHeads(Connection &db, qint64 afterId)
{
    QSqlQuery *rows = db.run(QStringLiteral("SELECT lane, max(id) FROM notices WHERE id > ? GROUP BY lane"), {afterId});
    if (rows == nullptr)
        return db.error();
    QHash<QString, qint64> heads;
    while (rows->next())
        heads.insert(rows->value(0).toString(), rows->value(1).toLongLong());
    return heads;
}

} // namespace voip::store
