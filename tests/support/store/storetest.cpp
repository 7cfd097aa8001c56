// SPDX-License-Identifier: Apache-2.0
#include "storetest.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QSqlError>
#include <QSqlQuery>
#include <QSqlRecord>

#include <algorithm>
#include <limits>

namespace storetest
{

using namespace voip;

PostgresCluster &Databases::cluster()
{
    if (!m_cluster) {
        m_cluster = std::make_unique<PostgresCluster>();
        if (!m_cluster->start())
            qFatal("no PostgreSQL: %s", qPrintable(m_cluster->error()));
    }
    return *m_cluster;
}

voiphost::DatabaseSettings Databases::fresh(const QString &driver)
{
    const QString name = QStringLiteral("db%1").arg(++m_count);
    if (driver == u"sqlite")
        return {driver, m_folder.filePath(name)};
    if (const QString folder = qEnvironmentVariable("VOIP_TEST_POSTGRES"); !folder.isEmpty()) {
        const QString unique = QStringLiteral("%1_%2").arg(name).arg(QCoreApplication::applicationPid());
        const QString dsn = QStringLiteral("host=%1 user=postgres dbname=").arg(folder);
        Side({driver, dsn + QStringLiteral("postgres")}).run(QStringLiteral("CREATE DATABASE ") + unique);
        return {driver, dsn + unique};
    }
    if (!cluster().createDatabase(name))
        qFatal("no database: %s", qPrintable(cluster().error()));
    return {driver, cluster().dsn(name)};
}

Side::Side(const voiphost::DatabaseSettings &settings)
{
    static int count = 0;
    m_name = QStringLiteral("side-%1").arg(++count);
    if (settings.driver == u"sqlite") {
        m_db = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), m_name);
        m_db.setDatabaseName(settings.dsn);
    } else { // the DSN goes to libpq as it is
        m_db = QSqlDatabase::addDatabase(QStringLiteral("QPSQL"), m_name);
        m_db.setConnectOptions(settings.dsn);
    }
    if (!m_db.open())
        qFatal("side connection: %s", qPrintable(m_db.lastError().text()));
}

Side::~Side()
{
    m_db.close();
    m_db = {};
    QSqlDatabase::removeDatabase(m_name);
}

void Side::run(const QString &sql)
{
    QSqlQuery query(m_db);
    if (!query.exec(sql))
        qFatal("side statement \"%s\": %s", qPrintable(sql), qPrintable(query.lastError().text()));
}

QStringList Side::rows(const QString &sql)
{
    QSqlQuery query(m_db);
    if (!query.exec(sql))
        qFatal("side statement \"%s\": %s", qPrintable(sql), qPrintable(query.lastError().text()));
    QStringList lines;
    while (query.next()) {
        QStringList columns;
        for (int i = 0; i < query.record().count(); ++i)
            columns += query.value(i).toString();
        lines += columns.join(u'|');
    }
    return lines;
}

void Side::lock(const QString &table)
{
    if (m_db.driverName() == u"QSQLITE") {
        run(QStringLiteral("BEGIN IMMEDIATE"));
    } else {
        run(QStringLiteral("BEGIN"));
        run(QStringLiteral("LOCK TABLE %1 IN EXCLUSIVE MODE").arg(table));
    }
}

void waitUntil(const std::function<bool()> &done, const char *what)
{
    QElapsedTimer timer;
    timer.start();
    QTimer wake; // some conditions change without an event of this thread
    wake.start(5);
    while (!done()) {
        if (timer.elapsed() > patienceMs)
            qFatal("waited in vain for %s", what);
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    }
}

Result<voiphost::Done> open(Store &store, const QByteArray &rootKey)
{
    return await<voiphost::Done>([&](QObject *c, auto reply) { store.open(rootKey, c, reply); });
}

Result<QVector<InboxEntry>> accept(Store &store, const InboxBatch &batch)
{
    return await<QVector<InboxEntry>>([&](QObject *c, auto reply) { store.accept(batch, c, reply); });
}

Result<Committed> commit(Store &store, const Commit &commit)
{
    return await<Committed>([&](QObject *c, auto reply) { store.commit(commit, c, reply); });
}

Result<Pruned> prune(Store &store, qint64 now, const Retention &keep)
{
    for (;;) {
        const auto pruned = await<Pruned>([&](QObject *c, auto reply) { store.prune(now, keep, c, reply); });
        if (!pruned || !pruned->more)
            return pruned;
    }
}

Result<QVector<LaneRecord>> restore(Store &store, qint64 now)
{
    return await<QVector<LaneRecord>>([&](QObject *c, auto reply) { store.restoreLanes(now, {}, c, reply); });
}

Result<QVector<InboxEntry>> pending(Store &store)
{
    return await<QVector<InboxEntry>>([&](QObject *c, auto reply) { store.pendingInbox({}, 0, c, reply); });
}

QVector<qint64> seqs(const QVector<InboxEntry> &entries)
{
    QVector<qint64> all;
    std::transform(entries.cbegin(), entries.cend(), std::back_inserter(all),
                   [](const auto &entry) { return entry.seq; });
    return all;
}

InboxBatch batch(const QString &transactionId, const QString &lane, const QStringList &eventIds)
{
    InboxBatch result{transactionId, 1000, {}};
    for (const QString &id : eventIds)
        result.events += InboxEvent{lane, id, QJsonObject{{QStringLiteral("event_id"), id}}};
    return result;
}

OutboxEntry send(qint64 ref, const QString &txnId, const QString &callId)
{
    return {{},
            ref,
            callId,
            QStringLiteral("!r:test"),
            QStringLiteral("m.call.answer"),
            QJsonObject{{QStringLiteral("n"), ref}},
            txnId,
            1000,
            0};
}

Notice notice(const QString &callId, qint64 seq)
{
    return {0,
            {},
            callId,
            QStringLiteral("conv"),
            seq,
            voiphost::NoticeKind::Answered,
            QJsonObject{{QStringLiteral("answer_sdp"), QStringLiteral("v=0 'quoted' \\ ; -- $$")}},
            1000};
}

call::Call simpleCall(const QString &id, call::State state, qint64 createdAt)
{
    call::Call result;
    result.id = id;
    result.matrixId = QStringLiteral("m-") + id;
    result.roomId = QStringLiteral("!r:test");
    result.peer = QStringLiteral("@bob:test");
    result.state = state;
    result.createdAt = createdAt;
    if (state == call::State::Ended) {
        result.endedAt = createdAt + 1;
        result.forgetAt = createdAt + call::longestLifetime;
    }
    return result;
}

namespace
{

// Text that quoting, JSON and UTF-8 may stumble over. No U+0000: columns refuse it.
QString randomText(QRandomGenerator &random, int longest)
{
    static const QStringList pieces = {QStringLiteral("a"),  QStringLiteral("'"),      QStringLiteral("\""),
                                       QStringLiteral("\\"), QStringLiteral("\r\n"),   QStringLiteral("\t"),
                                       QStringLiteral("ü"),  QStringLiteral("呼"),     QStringLiteral("😀"),
                                       QStringLiteral("?"),  QStringLiteral(":x"),     QStringLiteral("$1"),
                                       QStringLiteral("%"),  QStringLiteral("\u0001"), QStringLiteral("\\u0000")};
    QString text;
    for (int i = random.bounded(longest + 1); i > 0; --i)
        text += pieces.at(random.bounded(static_cast<int>(pieces.size())));
    return text;
}

std::int64_t randomNumber(QRandomGenerator &random)
{
    switch (random.bounded(4)) {
    case 0:
        return 0;
    case 1:
        return std::numeric_limits<std::int64_t>::max() - random.bounded(1000);
    case 2:
        return (std::int64_t(1) << 53) + 1 + random.bounded(1000); // no double holds it
    }
    return 1'700'000'000'000 + random.bounded(1000000);
}

bool coin(QRandomGenerator &random)
{
    return random.bounded(2) == 1;
}

call::Party randomParty(QRandomGenerator &random)
{
    return {randomText(random, 20), randomText(random, 10)};
}

QVector<call::Candidate> randomCandidates(QRandomGenerator &random, int most)
{
    QVector<call::Candidate> candidates;
    for (int i = random.bounded(most + 1); i > 0; --i) {
        call::Candidate candidate;
        candidate.candidate = randomText(random, 60);
        if (coin(random))
            candidate.sdpMid = randomText(random, 3);
        if (coin(random))
            candidate.sdpMLineIndex = static_cast<int>(random.generate());
        candidates += candidate;
    }
    return candidates;
}

call::Streams randomStreams(QRandomGenerator &random)
{
    call::Streams streams;
    for (int i = random.bounded(4); i > 0; --i)
        streams += call::Stream{randomText(random, 20), static_cast<call::Purpose>(random.bounded(3)),
                                coin(random),           coin(random),
                                coin(random),           coin(random)};
    return streams;
}

call::Identity randomIdentity(QRandomGenerator &random)
{
    return {randomText(random, 20), randomText(random, 20), randomText(random, 20)};
}

// What came with negotiation, streams and transfers.
void fillLater(QRandomGenerator &random, call::Call &call)
{
    call.candidatesRef = randomNumber(random);
    call.limited = coin(random);
    call.rejectedLocally = static_cast<int>(random.bounded(100));
    call.firstRef = randomNumber(random);
    call.answerRef = randomNumber(random);
    call.minorRefs = {randomNumber(random), randomNumber(random)};
    call.interrupted = coin(random);
    call.expiresAt = randomNumber(random);
    call.gatherUntil = randomNumber(random);
    call.foldUntil = randomNumber(random);
    call.fold = static_cast<call::Fold>(random.bounded(5));
    call.resumeBy = randomNumber(random);
    call.remoteStreams = randomStreams(random);
    call.localStreams = randomStreams(random);
    call.muted = {coin(random), coin(random)};
    call.invitedMute = {coin(random), coin(random)};
    call.heldByPeer = coin(random);
    call.peerCan = {coin(random), coin(random)};
    call.weCan = {coin(random), coin(random)};
    call.negotiation = {static_cast<call::Offer>(random.bounded(3)), randomNumber(random), randomNumber(random),
                        randomText(random, 2000), coin(random)};
    for (int i = random.bounded(4); i > 0; --i)
        call.said += random.generate64();
    if (coin(random))
        call.identity = randomIdentity(random);
    if (coin(random))
        call.transfer = call::Transfer{static_cast<call::Transfer::Kind>(random.bounded(3)),
                                       randomText(random, 20),
                                       randomText(random, 20),
                                       randomIdentity(random),
                                       randomText(random, 20),
                                       randomNumber(random)};
    if (coin(random))
        call.replaces = randomText(random, 20);
}

} // namespace

call::Call randomCall(QRandomGenerator &random, const QString &id)
{
    call::Call result;
    result.id = id;
    result.matrixId = randomText(random, 30);
    result.roomId = randomText(random, 30);
    result.state = static_cast<call::State>(random.bounded(6));
    result.side = static_cast<call::Side>(random.bounded(2));
    result.version = random.bounded(2);
    result.ourParty = randomText(random, 20);
    result.peer = randomText(random, 20);
    if (coin(random))
        result.opponent = randomParty(random);
    result.media = {coin(random), coin(random)};
    if (result.state != call::State::Ended) {
        result.remoteSdp = randomText(random, 2000);
        result.localSdp = randomText(random, 2000) + QChar(u'\0'); // in JSON even this
    }
    result.createdAt = randomNumber(random);
    if (coin(random))
        result.answeredAt = randomNumber(random);
    if (coin(random))
        result.endedAt = randomNumber(random);
    result.reason = static_cast<call::EndReason>(random.bounded(13));
    result.mediaFlowed = coin(random);
    result.deadline = randomNumber(random);
    result.forgetAt = randomNumber(random);
    result.announced = coin(random);
    result.inviteSent = coin(random);
    result.farewell = static_cast<call::Farewell>(random.bounded(3));
    result.unavailableTold = coin(random);
    if (coin(random))
        result.inviteRef = randomNumber(random);
    result.noticeSeq = randomNumber(random);
    for (int i = random.bounded(4); i > 0; --i)
        result.waiting += call::PartyCandidates{randomParty(random), randomCandidates(random, 30)};
    result.unsent = randomCandidates(random, 30);
    result.flushAt = randomNumber(random);
    result.candidatesEnded = coin(random);
    fillLater(random, result);
    return result;
}

call::Room randomRoom(QRandomGenerator &random, const QString &id, int members)
{
    call::Room room;
    room.id = id;
    room.conversationId = randomText(random, 20);
    for (int i = 0; i < members; ++i)
        room.members.insert(QString::number(i) + randomText(random, 40),
                            static_cast<call::Membership>(random.bounded(5)));
    room.crowded = coin(random);
    room.joinRule = static_cast<call::JoinRule>(random.bounded(3));
    room.encrypted = coin(random);
    return room;
}

} // namespace storetest
