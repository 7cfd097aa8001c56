// SPDX-License-Identifier: Apache-2.0
// See syncloop.h. One round after the other: poll -> fill gaps -> hand on in portions -> go on from there.
#include "syncloop.h"

#include "paths.h"

#include <QCryptographicHash>
#include <QFuture>
#include <QLoggingCategory>

#include <algorithm>

namespace voip::homeserver
{

using namespace std::chrono_literals;
using voiphost::BatchResult;
using voiphost::EventBatch;

namespace
{

Q_LOGGING_CATEGORY(lcSync, "voip.homeserver.sync")

constexpr auto kGrace = 15s;            // what an answer may take beyond the poll
constexpr int kAfterRefusalMs = 60'000; // the homeserver says no, and nothing of ours will change that
constexpr int kStoreIsBusyMs = 1000;
constexpr int kPageSize = 100;
constexpr qint64 kMaxAnswerBytes = 32LL * 1024 * 1024;

void add(QUrlQuery &query, const char *key, const QString &value)
{
    query.addQueryItem(QLatin1String(key), QString::fromLatin1(QUrl::toPercentEncoding(value)));
}

QString compact(const QJsonObject &object)
{
    return QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact));
}

} // namespace

SyncLoop::SyncLoop(const Access &access, SyncSettings settings, Deliver deliver, QObject *parent,
                   Retrier::Random random)
    : QObject(parent), m_client(access), m_settings(std::move(settings)), m_deliver(std::move(deliver)),
      m_random(random ? std::move(random) : [] { return QRandomGenerator::system()->generateDouble(); }),
      m_retrier(new Retrier(this))
{
    m_client.setTimeLimits(m_settings.poll + kGrace, m_settings.poll + kGrace);
    m_client.setMaxAnswerBytes(kMaxAnswerBytes);
    m_next.setSingleShot(true);
    connect(&m_next, &QTimer::timeout, this, &SyncLoop::poll);
    connect(&m_client, &Client::tokenRefused, this, &SyncLoop::tokenRefused);
}

void SyncLoop::start(const QString &deviceId, const QString &since)
{
    m_deviceId = deviceId;
    m_since = since;
    m_started = true;
    if (!m_since.isEmpty())
        Q_EMIT begun(false);
    m_next.start(0);
}

void SyncLoop::setToken(const QByteArray &token)
{
    m_client.setToken(token);
    if (token.isEmpty())
        m_next.stop();
    else if (m_started && !m_polling && !m_round)
        m_next.start(0);
}

// --- a round -----------------------------------------------------------------------------------------------------

void SyncLoop::poll()
{
    if (m_polling || m_round || m_client.access().asToken.isEmpty())
        return;
    m_polling = true;
    QUrlQuery query;
    add(query, "filter", compact(syncFilter(m_settings.types, m_settings.timelineLimit, m_since.isEmpty())));
    add(query, "set_presence", QStringLiteral("offline"));
    if (!m_since.isEmpty()) {
        add(query, "since", m_since);
        add(query, "timeout", QString::number(m_settings.poll.count()));
    }
    m_client.request({}, Method::Get, v3({QStringLiteral("sync")}), query, {},
                     [this](const Result<QJsonObject> &result) { answered(result); });
}

void SyncLoop::answered(const Result<QJsonObject> &result)
{
    m_polling = false;
    if (!result.ok())
        return later(result.error());
    auto read = readSync(*result, {m_settings.account, m_deviceId, m_since, m_settings.types, m_settings.invitations});
    if (!read.ok())
        return later(read.error());
    m_failed = 0;
    tell(true);
    if (read->leftOut > 0)
        qCWarning(lcSync, "%d parts of an answer of /sync have an odd shape and are left out", read->leftOut);
    m_round = std::make_unique<Round>();
    m_round->answer = std::move(read).value();
    m_round->age.start();
    fillGaps();
}

void SyncLoop::later(const Failure &failure)
{
    tell(false, failure.message);
    if (failure.kind == FailureKind::Rejected && failure.status == 400 && !m_since.isEmpty()) {
        qCWarning(lcSync, "the homeserver does not know our place in /sync (%s): beginning anew",
                  qUtf8Printable(failure.code));
        m_since.clear();
    }
    const auto delay = RetryPolicy().nextDelayMs(++m_failed, failure, m_random());
    if (!m_client.access().asToken.isEmpty())
        m_next.start(delay.value_or(kAfterRefusalMs));
}

// --- gaps: what the homeserver left out between our place and the timeline ---------------------------------------

void SyncLoop::fillGaps()
{
    auto &rooms = m_round->answer.rooms;
    while (m_round->room < rooms.size() && (rooms.at(m_round->room).gapBefore.isEmpty() || m_since.isEmpty()))
        ++m_round->room;
    if (m_round->room == rooms.size())
        return portion();
    m_round->pages = 0;
    m_round->missed.clear();
    readBack(rooms.at(m_round->room).gapBefore);
}

void SyncLoop::readBack(const QString &from)
{
    QUrlQuery query;
    add(query, "dir", QStringLiteral("b"));
    add(query, "from", from);
    add(query, "to", m_since);
    add(query, "limit", QString::number(kPageSize));
    add(query, "filter", compact({{QStringLiteral("types"), QJsonArray::fromStringList(m_settings.types)}}));
    const QStringList path =
        v3({QStringLiteral("rooms"), m_round->answer.rooms.at(m_round->room).id, QStringLiteral("messages")});
    m_retrier->run<QJsonObject>(
        [this, path, query](auto reply) { m_client.request({}, Method::Get, path, query, {}, std::move(reply)); },
        m_settings.gapPatience, [this](const Result<QJsonObject> &result) { wentBack(result); });
}

void SyncLoop::wentBack(const Result<QJsonObject> &result)
{
    const QString roomId = m_round->answer.rooms.at(m_round->room).id;
    if (!result.ok()) {
        if (result.error().passing()) { // we stay where we are: all of it is asked for again
            m_round.reset();
            return later(result.error());
        }
        // The account may have left meanwhile.
        qCWarning(lcSync).noquote() << "what was said in" << roomId << "meanwhile cannot be read" << result.error().code
                                    << result.error().message;
        return gapIsFilled();
    }
    int leftOut = 0;
    QVector<QJsonObject> events = roomEvents(result->value(QLatin1String("chunk")), roomId, m_settings.types, &leftOut);
    // These ages are of now; those of the round are of its beginning, and everything is counted from there.
    for (QJsonObject &event : events)
        event = aged(event, -m_round->age.elapsed());
    m_round->missed += events;
    const QString end = result->value(QLatin1String("end")).toString();
    if (end.isEmpty())
        return gapIsFilled();
    if (++m_round->pages < m_settings.gapPages)
        return readBack(end);
    qCWarning(lcSync).noquote() << "more was said in" << roomId << "meanwhile than is read afterwards";
    gapIsFilled();
}

void SyncLoop::gapIsFilled()
{
    SyncRoom &room = m_round->answer.rooms[m_round->room];
    QVector<QJsonObject> whole(m_round->missed.crbegin(), m_round->missed.crend());
    room.state = whole + room.state; // the state is that at the timeline's beginning
    room.gapBefore.clear();
    fillGaps();
}

// --- on to who keeps it ------------------------------------------------------------------------------------------

void SyncLoop::portion()
{
    const SyncAnswer &answer = m_round->answer;
    EventBatch batch;
    batch.toDevice = answer.toDevice;
    batch.deviceLists = answer.deviceLists;
    batch.oneTimeKeyCounts = answer.oneTimeKeyCounts;
    batch.unusedFallbackKeyTypes = answer.unusedFallbackKeyTypes;
    QSet<QString> seen;
    const auto take = [&](const QJsonObject &event) {
        const QString eventId = event.value(QLatin1String("event_id")).toString();
        if (seen.contains(eventId))
            return;
        seen.insert(eventId);
        if (batch.events.size() >= kPortion)
            m_round->portions.push_back(std::exchange(batch, {}));
        batch.events.push_back(event);
    };
    for (const SyncRoom &room : answer.rooms) {
        std::for_each(room.state.cbegin(), room.state.cend(), take);
        std::for_each(room.timeline.cbegin(), room.timeline.cend(), take);
    }
    m_round->portions.push_back(batch);
    for (qsizetype i = 0; i < m_round->portions.size(); ++i) {
        QCryptographicHash hash(QCryptographicHash::Sha256); // the same again when this place is asked for again
        for (const QString &part : {m_since, answer.nextBatch, QString::number(i)})
            hash.addData(part.toUtf8() + '\0');
        m_round->portions[i].transactionId = QLatin1String("sync-") + QString::fromLatin1(hash.result().toHex());
    }
    handOn();
}

void SyncLoop::handOn()
{
    EventBatch batch = m_round->portions.first();
    for (QJsonObject &event : batch.events)
        event = aged(event, m_round->age.elapsed());
    m_deliver(batch).then(this, [this](BatchResult result) { delivered(result); });
}

void SyncLoop::delivered(BatchResult result)
{
    if (result == BatchResult::Refused) {
        QTimer::singleShot(kStoreIsBusyMs, this, &SyncLoop::handOn);
        return;
    }
    m_round->portions.removeFirst();
    if (!m_round->portions.isEmpty())
        return handOn();
    const bool anew = m_since.isEmpty();
    m_since = m_round->answer.nextBatch;
    m_round.reset();
    Q_EMIT advanced(m_since);
    if (anew)
        Q_EMIT begun(true);
    m_next.start(0);
}

void SyncLoop::tell(bool ok, const QString &message)
{
    if (m_told == ok)
        return;
    m_told = ok;
    if (!ok)
        qCWarning(lcSync, "/sync fails: %s", qUtf8Printable(message));
    Q_EMIT told(ok, ok ? tr("The homeserver tells what happens.") : tr("/sync fails: %1").arg(message),
                ok ? QString() : tr("Look whether the homeserver runs, and whether `homeserver.url` is right."));
}

} // namespace voip::homeserver
