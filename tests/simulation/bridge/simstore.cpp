// SPDX-License-Identifier: Apache-2.0
#include "simstore.h"

#include "machine.h"

namespace bridgesim
{

using namespace voip;
using store::Reply;
using store::Result;
using voiphost::Done;

namespace
{

constexpr qint64 tooLong = 5000; // a write that takes longer makes the store unavailable

store::StoreError unavailable()
{
    return {store::StoreError::Kind::Unavailable, QStringLiteral("simulated: the database is not available")};
}

} // namespace

SimStore::SimStore(TimeLoop &loop, Database &database, Weather &weather, std::shared_ptr<Life> life, Chance chance,
                   Defect defect)
    : m_loop(loop), m_database(database), m_weather(weather), m_life(std::move(life)), m_chance(chance),
      m_defect(defect)
{
    m_ear = m_database.listen([this](store::Stir what, const QString &whom) { hear(what, whom); });
}

SimStore::~SimStore()
{
    m_database.forget(m_ear);
    close();
}

void SimStore::later(qint64 when, std::function<void()> what)
{
    m_later.emplace(++m_lastLater, std::move(what));
    m_loop.at(when, [this, alive = QPointer(this), id = m_lastLater] {
        if (!alive)
            return;
        const auto due = m_later.extract(id);
        due.mapped()();
    });
}

// --- writes --------------------------------------------------------------------------------------------------------

void SimStore::write(Write one)
{
    const Fate fate = m_life->dead ? Fate::Unseen : m_life->await("database");
    if (fate == Fate::Unseen)
        return;
    if (!m_available)
        return one.fail(unavailable());
    m_queue.push_back(std::move(one));
    if (fate == Fate::Unheard) { // all that was on its way
        const std::deque<Write> last = std::exchange(m_queue, {});
        for (const Write &each : last) {
            if (!away())
                (void)each.run();
        }
        return;
    }
    if (!std::exchange(m_flushPlanned, true)) {
        m_loop.at(std::max(m_busyUntil, m_loop.now() + m_chance.between(1, 4)), [this, alive = QPointer(this)] {
            if (alive)
                flush();
        });
    }
}

void SimStore::flush()
{
    m_flushPlanned = false;
    if (m_life->dead)
        return;
    std::deque<Write> group = std::exchange(m_queue, {});
    if (group.empty())
        return;
    if (m_weather.is(Fault::DatabaseStalls) && m_loop.now() >= m_busyUntil) {
        const qint64 stall = m_chance.percent(40) ? m_chance.between(1000, 20'000) : m_chance.between(50, 1000);
        m_busyUntil = m_loop.now() + stall;
        m_queue = std::move(group);
        m_flushPlanned = true;
        m_loop.at(m_busyUntil, [this, alive = QPointer(this)] {
            if (alive)
                flush();
        });
        if (stall > tooLong) {
            m_loop.after(tooLong, [this, alive = QPointer(this)] {
                if (alive && !m_life->dead)
                    setAvailable(false);
            });
        }
        return;
    }
    writeAll(std::move(group));
}

void SimStore::writeAll(std::deque<Write> group)
{
    if (away() || m_chance.percent(m_weather.of(Fault::DatabaseFails)))
        return failAll(group);
    if (m_chance.percent(m_weather.of(Fault::DatabaseDoubt)))
        return inDoubt(std::move(group));
    if (m_chance.percent(m_weather.of(Fault::DatabaseTorn)))
        return tear(std::move(group));
    writeNow(group);
}

void SimStore::writeNow(const std::deque<Write> &group)
{
    std::vector<std::function<void()>> answers;
    for (const Write &one : group)
        answers.push_back(one.run());
    for (const auto &answer : answers)
        answer();
}

void SimStore::failAll(const std::deque<Write> &group)
{
    setAvailable(false);
    for (const Write &one : group)
        one.fail(unavailable());
}

// Written one by one, as after a refusal, and the connection breaks on the way.
void SimStore::tear(std::deque<Write> group)
{
    const auto whole = group.begin() + m_chance.below(static_cast<int>(group.size()));
    writeNow({group.begin(), whole});
    const std::deque<Write> rest(whole + 1, group.end());
    inDoubt({*whole});
    failAll(rest);
}

// The connection broke in the commit. What was accepted may be given again, so it is answered; the rest is not before
// it is known.
void SimStore::inDoubt(std::deque<Write> group)
{
    const bool done = m_chance.percent(50);
    for (Write &one : group) {
        const auto answer = done ? one.run() : std::function<void()>();
        if (one.mayComeAgain) {
            one.fail(unavailable());
        } else if (done) {
            m_doubtAnswers.push_back(answer);
        } else {
            m_doubted.push_back(std::move(one));
        }
    }
    setAvailable(false);
}

void SimStore::setAvailable(bool available)
{
    if (!available && m_open && !std::exchange(m_lookPlanned, true)) {
        m_loop.after(m_chance.between(100, 3000), [this, alive = QPointer(this)] {
            if (alive && !m_life->dead)
                comeBack();
        });
    }
    if (std::exchange(m_available, available) == available)
        return;
    QMetaObject::invokeMethod(
        this, [this, available] { Q_EMIT availableChanged(available); }, Qt::QueuedConnection);
}

void SimStore::comeBack()
{
    m_lookPlanned = false;
    if (!m_open)
        return;
    if (away() || m_loop.now() < m_busyUntil)
        return setAvailable(false);
    for (const auto &answer : std::exchange(m_doubtAnswers, {}))
        answer();
    for (const Write &one : std::exchange(m_doubted, {}))
        one.run()();
    setAvailable(true);
}

void SimStore::open(const QByteArray & /*rootKey*/, QObject *context, Reply<Done> reply)
{
    if (m_life->dead || m_life->await("database") != Fate::Goes)
        return;
    m_loop.after(m_chance.between(1, 30), [this, alive = QPointer(this), context = QPointer<QObject>(context), reply] {
        if (!alive || m_life->dead || !context)
            return;
        if (away())
            return reply(unavailable());
        m_open = true;
        setAvailable(true);
        reply(Done{});
    });
}

// A stop in good order: what waits is written. A dead process writes nothing.
void SimStore::close()
{
    if (!std::exchange(m_open, false) || m_life->dead)
        return;
    m_available = false;
    if (away())
        return;
    for (const Write &one : std::exchange(m_doubted, {}))
        (void)one.run();
    for (const Write &one : std::exchange(m_queue, {}))
        (void)one.run();
}

void SimStore::accept(store::InboxBatch batch, QObject *context, Reply<QVector<store::InboxEntry>> reply)
{
    submit<QVector<store::InboxEntry>>(
        context, std::move(reply), [this, batch = std::move(batch)] { return m_database.accept(batch); }, true);
}

void SimStore::commit(store::Commit commit, QObject *context, Reply<store::Committed> reply)
{
    if (m_defect == Defect::AnswersBeforeCommit) {
        const QVector<qint64> ids(commit.notices.size(), 1);
        m_loop.after(0, [context = QPointer<QObject>(context), life = m_life, reply, ids] {
            if (context && !life->dead)
                reply(store::Committed{ids});
        });
        reply = [](const auto &) {};
    }
    submit<store::Committed>(context, std::move(reply), [this, commit = std::move(commit)] {
        return m_database.commit(commit, machine::wallNow(m_life->wallAhead));
    });
}

void SimStore::putSetting(const QString &key, const QByteArray &value, QObject *context, Reply<Done> reply)
{
    submit<Done>(context, std::move(reply), [this, key, value] {
        m_database.put(key, value);
        return Result<Done>(Done{});
    });
}

void SimStore::prune(qint64 now, const store::Retention &, QObject *context, Reply<store::Pruned> reply)
{
    submit<store::Pruned>(context, std::move(reply), [this, now] {
        m_database.prune(now);
        return Result<store::Pruned>(store::Pruned{});
    });
}

// --- reads ---------------------------------------------------------------------------------------------------------

void SimStore::readInOrder(std::function<void(const std::optional<Error> &)> what)
{
    if (m_life->dead || m_life->await("database") != Fate::Goes)
        return;
    m_readAt = std::max(m_readAt, m_loop.now() + m_chance.between(1, 5));
    if (m_weather.is(Fault::DatabaseStalls))
        m_readAt += m_chance.between(0, 3000);
    later(m_readAt, [this, what = std::move(what)] {
        if (!m_life->dead)
            what(away() ? std::optional(unavailable()) : std::nullopt);
    });
}

void SimStore::restoreLanes(qint64 now, const store::Share &share, QObject *context,
                            Reply<QVector<store::LaneRecord>> reply)
{
    read<QVector<store::LaneRecord>>(context, std::move(reply),
                                     [this, now, share] { return m_database.lanes(now, share); });
}

void SimStore::pendingInbox(const store::Share &share, qint64 afterSeq, QObject *context,
                            Reply<QVector<store::InboxEntry>> reply)
{
    read<QVector<store::InboxEntry>>(context, std::move(reply),
                                     [this, share, afterSeq] { return m_database.pending(share, afterSeq); });
}

void SimStore::inboxPage(const store::Share &share, qint64 afterSeq, int limit, QObject *context,
                         Reply<store::InboxPage> reply)
{
    read<store::InboxPage>(context, std::move(reply),
                           [this, share, afterSeq, limit] { return m_database.page(share, afterSeq, limit); });
}

void SimStore::inboxDepth(qint64 /*most*/, QObject *context, Reply<store::InboxDepth> reply)
{
    read<store::InboxDepth>(context, std::move(reply), [this] { return store::InboxDepth{m_database.inboxSize(), 0}; });
}

void SimStore::settings(QObject *context, Reply<QHash<QString, QByteArray>> reply)
{
    read<QHash<QString, QByteArray>>(context, std::move(reply), [this] { return m_database.settings(); });
}

void SimStore::findCall(const QString &lane, const QString &callId, QObject *context,
                        Reply<std::optional<call::Call>> reply)
{
    read<std::optional<call::Call>>(context, std::move(reply), [this, lane, callId]() -> std::optional<call::Call> {
        const auto &calls = m_database.lane(lane).calls;
        const auto found = calls.constFind(callId);
        return found == calls.constEnd() ? std::nullopt : std::optional(found->call);
    });
}

void SimStore::history(const QString &lane, int limit, const QString & /*beforeCallId*/, QObject *context,
                       Reply<QVector<call::Call>> reply)
{
    read<QVector<call::Call>>(context, std::move(reply), [this, lane, limit] {
        QVector<call::Call> calls;
        for (const Database::Row &row : m_database.lane(lane).calls) {
            if (row.call.state == call::State::Ended && row.call.announced && calls.size() < limit)
                calls += row.call;
        }
        return calls;
    });
}

void SimStore::noticesAfter(const QString &lane, qint64 afterId, int limit, QObject *context,
                            Reply<QVector<store::Notice>> reply)
{
    read<QVector<store::Notice>>(context, std::move(reply), [this, lane, afterId, limit] {
        QVector<store::Notice> notices;
        const auto &all = m_database.lane(lane).notices;
        for (auto it = all.upper_bound(afterId); it != all.end() && notices.size() < limit; ++it)
            notices += it->second;
        return notices;
    });
}

void SimStore::noticesOfCalls(const QString &lane, const QVector<QString> &callIds, QObject *context,
                              Reply<QVector<store::Notice>> reply)
{
    read<QVector<store::Notice>>(context, std::move(reply), [this, lane, callIds] {
        QVector<store::Notice> notices;
        for (const auto &[id, notice] : m_database.lane(lane).notices) {
            if (callIds.contains(notice.callId))
                notices += notice;
        }
        return notices;
    });
}

} // namespace bridgesim
